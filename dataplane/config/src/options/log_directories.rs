//! Where partitions are kept.

use std::path::PathBuf;

use precursor_model::ValueKind;

use super::{NodeOption, Unit, directory};
use crate::values::{bytes, integer};

/// More directories than these for the partitions of one node are a mistake.
const LOG_DIRECTORIES_MAX: usize = 256;

/// Directories with commas between them, each named once.
fn directories(text: &str) -> Option<Vec<PathBuf>> {
    if text.trim().is_empty() {
        return Some(Vec::new());
    }
    let mut all = Vec::new();
    for name in text.split(',') {
        let path = directory(name.trim())?;
        if all.contains(&path) || all.len() == LOG_DIRECTORIES_MAX {
            return None;
        }
        all.push(path);
    }
    Some(all)
}

pub(super) const DIRECTORIES: NodeOption = NodeOption {
    name: "log.dirs",
    kind: ValueKind::List,
    unit: Unit::None,
    default: "",
    accepts: "up to 256 directories with commas between, each once, or '' for data.dir",
    restart: true,
    doc: "Where partitions are kept, say one directory on each disk; a new one goes where the \
          fewest are. Metadata stay in data.dir.",
    apply: |c, v| directories(v).map(|d| c.log_dirs = d),
    show: |c| {
        let names = c.log_dirs.iter().map(|d| d.display().to_string());
        names.collect::<Vec<_>>().join(",")
    },
};

pub(super) const FREE_BYTES: NodeOption = NodeOption {
    name: "log.dirs.free.bytes.min",
    kind: ValueKind::Long,
    unit: Unit::Bytes,
    default: "67108864",
    accepts: "bytes from 0 to 2^60",
    restart: true,
    doc: "Producers are refused (KAFKA_STORAGE_ERROR, to be tried again) while the file system of \
          the partition's directory has less room than this; they are served again at a quarter \
          more.",
    apply: |c, v| bytes(v, 0, 1 << 60).map(|n| c.log_dirs_free_bytes_min = n),
    show: |c| c.log_dirs_free_bytes_min.to_string(),
};

pub(super) const FREE_PERCENT: NodeOption = NodeOption {
    name: "log.dirs.free.percent.min",
    kind: ValueKind::Int,
    unit: Unit::None,
    default: "1",
    accepts: "a share of the file system from 0 to 50",
    restart: true,
    doc: "As log.dirs.free.bytes.min, in hundredths of the file system's size; the larger of the \
          two holds.",
    apply: |c, v| integer(v, 0, 50).map(|n| c.log_dirs_free_percent_min = n),
    show: |c| c.log_dirs_free_percent_min.to_string(),
};

//! `precursor storage verify`: reads everything, writes nothing.

use super::finding::{Finding, Severity};
use super::inventory::{Inventory, PartitionDirectory};
use super::partition_check::PartitionCheck;
use crate::coldseg::ColdFiles;
use crate::layout::{CLEANER_OFFSETS, LOG_STARTS, OffsetMap, RECOVERY_POINTS, decode_offsets};
use precursor_disk::FileSystem;
use std::io::{self, ErrorKind};
use std::path::Path;

/// Who is told while the directory is read.
pub trait Watch {
    /// Something was found.
    fn found(&mut self, finding: Finding);
    /// So many more bytes of segments were read.
    fn read(&mut self, _bytes: u64) {}
}

/// What was read, and how much of it is wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verification {
    pub partitions: u64,
    pub segments: u64,
    /// Sound ones.
    pub batches: u64,
    /// In sound batches, by their headers.
    pub records: u64,
    pub bytes: u64,
    pub damages: u64,
    pub notes: u64,
}

/// Counts what is found on its way to whoever watches.
pub(super) struct Report<'a> {
    pub watch: &'a mut dyn Watch,
    pub outcome: Verification,
}

impl Report<'_> {
    pub fn found(&mut self, finding: Finding) {
        match finding.severity {
            Severity::Damage => self.outcome.damages += 1,
            Severity::Note => self.outcome.notes += 1,
        }
        self.watch.found(finding);
    }
}

/// The offset checkpoints of a data directory.
#[derive(Debug, Default)]
pub(super) struct Checkpoints {
    pub recovery_points: OffsetMap,
    pub log_starts: OffsetMap,
    pub cleaned: OffsetMap,
}

/// Reads every file of a data directory and tells what is wrong.
///
/// # Errors
/// A file or directory cannot be read: then nothing is known of the rest.
pub fn verify(
    files: &dyn FileSystem,
    data_dir: &Path,
    watch: &mut dyn Watch,
) -> io::Result<Verification> {
    let files: &dyn FileSystem = &ColdFiles::on(files);
    let inventory = Inventory::read(files, data_dir)?;
    let mut report = Report {
        watch,
        outcome: Verification::default(),
    };
    for path in &inventory.foreign {
        let what = "it is none of a broker's files, and is left alone";
        report.found(Finding::note("foreign", path.clone(), what));
    }
    for path in &inventory.leftovers {
        let what =
            "left over from a change that did not come to its end; the broker goes on with it";
        report.found(Finding::note("leftover", path.clone(), what));
    }
    let region_left = !inventory.stopped_cleanly && super::region_left(data_dir).is_some();
    let checkpoints = read_checkpoints(files, data_dir, &inventory.partitions, &mut report)?;
    for partition in &inventory.partitions {
        report.outcome.partitions += 1;
        let key = (partition.topic.clone(), partition.partition);
        let check = PartitionCheck {
            files,
            directory: &partition.path,
            stopped_cleanly: inventory.stopped_cleanly,
            region_left,
            recovery_point: checkpoints.recovery_points.get(&key).copied(),
            log_start: checkpoints.log_starts.get(&key).copied(),
            clean_to: checkpoints.cleaned.get(&key).copied(),
        };
        check.run(&mut report)?;
    }
    Ok(report.outcome)
}

fn read_checkpoints(
    files: &dyn FileSystem,
    data_dir: &Path,
    partitions: &[PartitionDirectory],
    report: &mut Report<'_>,
) -> io::Result<Checkpoints> {
    let mut read = |name: &str| -> io::Result<OffsetMap> {
        let path = data_dir.join(name);
        let bytes = match files.read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(OffsetMap::new()),
            other => other?,
        };
        let Some(offsets) = decode_offsets(&String::from_utf8_lossy(&bytes)) else {
            let what = "it is no offset checkpoint: version, count and lines do not fit together";
            report.found(Finding::damage("checkpoint", path, what));
            return Ok(OffsetMap::new());
        };
        for (topic, partition) in offsets.keys() {
            let known =
                |known: &PartitionDirectory| known.topic == *topic && known.partition == *partition;
            if !partitions.iter().any(known) {
                let what = format!("it names {topic}-{partition}, which is not there");
                report.found(Finding::note("checkpoint", path.clone(), what));
            }
        }
        Ok(offsets)
    };
    Ok(Checkpoints {
        recovery_points: read(RECOVERY_POINTS)?,
        log_starts: read(LOG_STARTS)?,
        cleaned: read(CLEANER_OFFSETS)?,
    })
}

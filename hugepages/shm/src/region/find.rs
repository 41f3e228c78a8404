//! Finding a region that is there, and checking that it fits before it is believed.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read};
use std::mem::size_of;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};

use precursor_memory::Mapping;

use super::create::{assemble, share};
use super::place::{self, Place, path_hash};
use super::{Region, RegionError, RegionKind, RegionOptions, open};
use crate::layout::{ABI_VERSION, Header, Layout, MAGIC, Sizes};

/// The place where the last region was made, if one of this data directory is there: after another
/// directory was configured it must still be found. (A copied data directory brings the note of the
/// original, whose region is none of its business.)
fn noted(mut lock: &File, data_dir: &Path) -> Option<Place> {
    let mut path = Vec::new();
    lock.read_to_end(&mut path).ok()?;
    let path = PathBuf::from(OsString::from_vec(path));
    let header = read_header(&open(&path).ok()?, &path).ok()?;
    let ours = header.magic == MAGIC && header.data_dir_hash == path_hash(data_dir);
    ours.then(|| place::place_of(&path)).flatten()
}

pub(super) fn list_places(
    options: &RegionOptions,
    data_dir: &Path,
    lock: &File,
) -> Result<Vec<Place>, RegionError> {
    let places = place::places(options, data_dir);
    let mut places = places.map_err(|source| RegionError::Place {
        path: options.directory.clone().unwrap_or_default(),
        source,
    })?;
    if let Some(noted) = noted(lock, data_dir)
        && !places
            .iter()
            .any(|place| place.directory == noted.directory)
    {
        places.push(noted);
    }
    Ok(places)
}

/// The one place with a region, and its file. A creator that died left it under another name
/// (`create::make_file`), so what has this name was complete once.
pub(super) fn find(places: &[Place]) -> Result<Option<(&Place, File)>, RegionError> {
    let mut found: Option<(&Place, File)> = None;
    for place in places {
        let path = place.region();
        let opened = if place.kind == RegionKind::Memfd {
            open_memfd(&path)
        } else {
            match open(&path) {
                Ok(file) => Ok(Some(file)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(error),
            }
        };
        let opened = opened.map_err(|source| RegionError::File { path, source })?;
        match (opened, &found) {
            (None, _) => {}
            (Some(file), None) => found = Some((place, file)),
            (Some(_), Some((first, _))) => {
                return Err(RegionError::Ambiguous {
                    first: first.region(),
                    second: place.region(),
                });
            }
        }
    }
    Ok(found)
}

/// A memfd's name is a note in the data directory: whose descriptor it is, and which file it must be.
fn open_memfd(note: &Path) -> io::Result<Option<File>> {
    let Ok(text) = fs::read_to_string(note) else {
        return Ok(None);
    };
    let Some((path, inode)) = text.trim().rsplit_once(' ') else {
        return Ok(None);
    };
    // Its holder is gone, and another process may have its number: then there is no region.
    let Ok(file) = open(Path::new(path)) else {
        return Ok(None);
    };
    let same = file.metadata()?.ino().to_string() == inode;
    Ok(same.then_some(file))
}

pub(super) fn attach(
    options: &RegionOptions,
    data_dir: &Path,
    place: &Place,
    file: File,
) -> Result<Region, RegionError> {
    let path = place.region();
    let failed = |source| RegionError::File {
        path: path.clone(),
        source,
    };
    let header = read_header(&file, &path)?;
    check_header(&header, options, data_dir, &path)?;
    let damaged = |reason: String| RegionError::Damaged {
        path: path.clone(),
        reason,
    };
    let layout = header_layout(&header).ok_or_else(|| damaged("impossible sizes".into()))?;
    let bytes = file.metadata().map_err(failed)?.len();
    if bytes != layout.region_bytes || bytes != header.region_bytes {
        return Err(damaged(format!(
            "its header says {} bytes, its sizes make {}, the file has {bytes}",
            header.region_bytes, layout.region_bytes
        )));
    }
    let mapping = Mapping::shared(&file, layout.region_bytes as usize).map_err(failed)?;
    Ok(assemble(mapping, file, layout, place, data_dir))
}

fn read_header(file: &File, path: &Path) -> Result<Header, RegionError> {
    let mut bytes = [0; size_of::<Header>()];
    file.read_exact_at(&mut bytes, 0)
        .map_err(|error| RegionError::Damaged {
            path: path.to_owned(),
            reason: format!("no header: {error}"),
        })?;
    Ok(Header::from_bytes(&bytes))
}

fn header_layout(header: &Header) -> Option<Layout> {
    Layout::new(Sizes {
        shards: u16::try_from(header.shards).ok()?,
        pool_bytes: header.pool_bytes,
        buffer_bytes: header.buffer_bytes,
        control_ring_bytes: header.control_ring_bytes,
    })
}

fn check_header(
    header: &Header,
    options: &RegionOptions,
    data_dir: &Path,
    path: &Path,
) -> Result<(), RegionError> {
    let path = path.to_owned();
    if header.magic != MAGIC {
        return Err(RegionError::Damaged {
            path,
            reason: "it does not begin as one".into(),
        });
    }
    // Before the checksum: another version's header may have another shape.
    if header.abi_version != ABI_VERSION {
        return Err(RegionError::Version {
            path,
            found: header.abi_version,
            expected: ABI_VERSION,
        });
    }
    if header.check != header.checksum(ABI_VERSION) {
        return Err(RegionError::Damaged {
            path,
            reason: "its header's checksum is wrong".into(),
        });
    }
    if header.node_id != options.node_id {
        return Err(RegionError::Node {
            path,
            found: header.node_id,
            expected: options.node_id,
        });
    }
    if header.data_dir_hash != path_hash(data_dir) {
        return Err(RegionError::DataDirectoryDiffers {
            path,
            data_dir: data_dir.to_owned(),
        });
    }
    check_sizes(header, options, path)
}

/// What is configured explicitly must be what the region has; what is automatic is taken as found.
fn check_sizes(header: &Header, options: &RegionOptions, path: PathBuf) -> Result<(), RegionError> {
    let shards = u64::from(header.shards);
    let per_shard = |total: u64| share(total, options.shards);
    let rows = [
        ("dataplane.shards", shards, u64::from(options.shards), true),
        (
            "memory.region.bytes",
            header.pool_bytes * shards,
            per_shard(options.pool_bytes) * shards,
            options.pool_bytes != 0,
        ),
        (
            "the buffer pool's bytes",
            header.buffer_bytes * shards,
            per_shard(options.buffer_bytes) * shards,
            options.buffer_bytes != 0,
        ),
        (
            "the control rings' bytes",
            u64::from(header.control_ring_bytes),
            u64::from(options.control_ring_bytes),
            options.control_ring_bytes != 0,
        ),
    ];
    for (option, found, expected, explicit) in rows {
        if explicit && found != expected {
            return Err(RegionError::Sizes {
                path,
                option,
                found,
                expected,
            });
        }
    }
    Ok(())
}

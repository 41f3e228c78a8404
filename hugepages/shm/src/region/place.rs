//! Where a region can live: hugetlbfs, tmpfs, a directory that the operator names, a memfd.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::{Hugepages, RegionKind, RegionOptions};

const HUGETLBFS_MAGIC: i64 = 0x9584_58f6;
const TMPFS_MAGIC: i64 = 0x0102_1994;
/// Where POSIX shared memory lives on Linux.
const SHARED_MEMORY: &str = "/dev/shm";

/// A directory of ours that may hold the region's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub kind: RegionKind,
    pub directory: PathBuf,
}

impl Place {
    pub fn region(&self) -> PathBuf {
        self.directory.join("region")
    }

    /// Makes the directory, or makes sure that the one there is ours alone: in a directory that
    /// everybody may write, somebody else could have made it first.
    pub fn make(&self) -> io::Result<()> {
        match DirBuilder::new().mode(0o700).create(&self.directory) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        let found = fs::symlink_metadata(&self.directory)?;
        // SAFETY: geteuid has no preconditions.
        let user = unsafe { libc::geteuid() };
        if !found.is_dir() || found.uid() != user {
            return Err(io::Error::other(format!(
                "{} belongs to somebody else",
                self.directory.display()
            )));
        }
        if found.mode() & 0o077 != 0 {
            fs::set_permissions(&self.directory, fs::Permissions::from_mode(0o700))?;
        }
        Ok(())
    }
}

/// A number of the data directory's path, stable across versions and processes (FNV-1a).
pub(super) fn path_hash(path: &Path) -> u64 {
    let bytes = path.as_os_str().as_encoded_bytes();
    bytes.iter().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3)
    })
}

/// All places that could hold a region of this node, the preferred ones first, wherever it is to be
/// made now: one that exists must be found even if the preference has changed since. With a directory
/// that the operator names, that is the first.
pub(super) fn places(options: &RegionOptions, data_dir: &Path) -> io::Result<Vec<Place>> {
    let name = format!("precursor-{}-{:016x}", options.node_id, path_hash(data_dir));
    let mut places = Vec::new();
    if let Some(directory) = &options.directory {
        places.push(Place {
            kind: kind_of(directory)?,
            directory: directory.join(&name),
        });
    }
    for mount in hugetlbfs_mounts() {
        places.push(Place {
            kind: RegionKind::Hugetlbfs,
            directory: mount.join(&name),
        });
    }
    if kind_of(Path::new(SHARED_MEMORY)).is_ok_and(|kind| kind == RegionKind::Tmpfs) {
        places.push(Place {
            kind: RegionKind::Tmpfs,
            directory: Path::new(SHARED_MEMORY).join(&name),
        });
    }
    places.push(Place {
        kind: RegionKind::Memfd,
        directory: data_dir.join(".region"),
    });
    // The named directory may be one of these: listed once, where it stands first.
    if let Some(named) = places.first().map(|place| place.directory.clone()) {
        let mut first = true;
        places.retain(|place| place.directory != named || std::mem::take(&mut first));
    }
    Ok(places)
}

/// The place of a region's file.
pub(super) fn place_of(region: &Path) -> Option<Place> {
    let directory = region.parent()?;
    Some(Place {
        kind: kind_of(directory).ok()?,
        directory: directory.to_owned(),
    })
}

/// Whether a region may be made here under this setting.
pub(super) fn allowed(place: &Place, options: &RegionOptions) -> bool {
    match options.hugepages {
        Hugepages::Auto => true,
        Hugepages::On => place.kind == RegionKind::Hugetlbfs,
        // A directory that the operator names is meant, whatever it is.
        Hugepages::Off => place.kind != RegionKind::Hugetlbfs || options.directory.is_some(),
    }
}

fn kind_of(directory: &Path) -> io::Result<RegionKind> {
    let path = std::ffi::CString::new(directory.as_os_str().as_encoded_bytes())?;
    let mut found = std::mem::MaybeUninit::<libc::statfs>::zeroed();
    // SAFETY: a C string, and room for the answer.
    if unsafe { libc::statfs(path.as_ptr(), found.as_mut_ptr()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: zeroes are a value of this struct of integers, and the call filled it.
    let found = unsafe { found.assume_init() };
    Ok(match found.f_type {
        HUGETLBFS_MAGIC => RegionKind::Hugetlbfs,
        TMPFS_MAGIC => RegionKind::Tmpfs,
        _ => RegionKind::File,
    })
}

/// Bytes that a filesystem has free for us.
pub(super) fn bytes_free(directory: &Path) -> io::Result<u64> {
    let path = std::ffi::CString::new(directory.as_os_str().as_encoded_bytes())?;
    let mut found = std::mem::MaybeUninit::<libc::statvfs>::zeroed();
    // SAFETY: a C string, and room for the answer.
    if unsafe { libc::statvfs(path.as_ptr(), found.as_mut_ptr()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: zeroes are a value of this struct of integers, and the call filled it.
    let found = unsafe { found.assume_init() };
    Ok(found.f_bavail.saturating_mul(found.f_frsize))
}

/// Mount points of hugetlbfs with 2 MiB pages.
fn hugetlbfs_mounts() -> Vec<PathBuf> {
    fs::read_to_string("/proc/self/mounts").map_or(Vec::new(), |mounts| parse_mounts(&mounts))
}

fn parse_mounts(mounts: &str) -> Vec<PathBuf> {
    let hugetlbfs = mounts.lines().filter_map(|line| {
        let mut fields = line.split(' ').skip(1);
        let (path, kind, options) = (fields.next()?, fields.next()?, fields.next()?);
        let small_pages = options
            .split(',')
            .filter_map(|option| option.strip_prefix("pagesize="))
            .all(|size| size == "2M");
        (kind == "hugetlbfs" && small_pages).then(|| PathBuf::from(unescape(path)))
    });
    hugetlbfs.collect()
}

/// The kernel writes blanks and the like in mount points as octal.
fn unescape(path: &str) -> String {
    path.replace("\\040", " ")
        .replace("\\011", "\t")
        .replace("\\012", "\n")
        .replace("\\134", "\\")
}

/// Bytes of 2 MiB pages that are neither used nor promised.
pub(super) fn hugepage_bytes_free() -> u64 {
    let read = |name: &str| {
        fs::read_to_string(format!("/sys/kernel/mm/hugepages/hugepages-2048kB/{name}"))
            .ok()
            .and_then(|text| text.trim().parse::<u64>().ok())
            .unwrap_or(0)
    };
    read("free_hugepages").saturating_sub(read("resv_hugepages")) * (2 << 20)
}

/// The machine's memory in bytes.
pub(super) fn memory_bytes() -> u64 {
    // SAFETY: sysconf has no preconditions.
    let (pages, size) = unsafe {
        (
            libc::sysconf(libc::_SC_PHYS_PAGES),
            libc::sysconf(libc::_SC_PAGESIZE),
        )
    };
    (pages.max(0) as u64).saturating_mul(size.max(0) as u64)
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn finds_mounts_with_pages_of_two_mebibytes() {
        let mounts = "hugetlbfs /dev/hugepages hugetlbfs rw,relatime,pagesize=2M 0 0\n\
            none /mnt/giant hugetlbfs rw,relatime,pagesize=1024M 0 0\n\
            none /mnt/with\\040blank hugetlbfs rw,relatime 0 0\n\
            tmpfs /dev/shm tmpfs rw 0 0\ntorn line\n";
        let expected = ["/dev/hugepages", "/mnt/with blank"].map(PathBuf::from);
        assert_eq!(parse_mounts(mounts), expected);
    }

    #[test]
    fn node_and_data_directory_name_the_place() {
        let options = |node_id| RegionOptions {
            node_id,
            ..RegionOptions::new(node_id, "/unused")
        };
        let directories = |node_id, data_dir: &str| {
            let places = places(&options(node_id), Path::new(data_dir)).unwrap();
            places
                .into_iter()
                .map(|place| place.directory)
                .collect::<Vec<_>>()
        };
        assert_ne!(directories(1, "/a"), directories(2, "/a"));
        assert_ne!(directories(1, "/a"), directories(1, "/b"));
        assert_eq!(directories(1, "/a"), directories(1, "/a"));
        // Stable: a region must be found by the next version too. FNV's published test vectors.
        assert_eq!(path_hash(Path::new("a")), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(path_hash(Path::new("foobar")), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn a_directory_of_somebody_else_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("target");
        fs::create_dir(&target).unwrap();
        let place = Place {
            kind: RegionKind::File,
            directory: directory.path().join("link"),
        };
        std::os::unix::fs::symlink(&target, &place.directory).unwrap();
        assert!(place.make().is_err());
        fs::remove_file(&place.directory).unwrap();
        place.make().unwrap();
        fs::set_permissions(&place.directory, fs::Permissions::from_mode(0o777)).unwrap();
        place.make().unwrap();
        assert_eq!(
            fs::metadata(&place.directory).unwrap().mode() & 0o777,
            0o700
        );
    }
}

//! Making and finding the region's file.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::mem::offset_of;
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{SystemTime, UNIX_EPOCH};

use precursor_memory::{CHUNK_BYTES, Mapping};

use super::find::{attach, find, list_places};
use super::place::{self, Place, path_hash};
use super::{
    Found, Hugepages, Inner, Region, RegionError, RegionKind, RegionOptions, descriptor_path,
};
use crate::layout::{ABI_VERSION, Header, Layout, MAGIC, Sizes};

const MEBIBYTE: u64 = 1 << 20;
const CHUNK: u64 = CHUNK_BYTES as u64;
const CONTROL_RING_BYTES: u32 = 1 << 20;

pub(super) fn create_or_attach(options: &RegionOptions) -> Result<(Region, Found), RegionError> {
    check_options(options)?;
    let made = fs::create_dir_all(&options.data_dir);
    made.map_err(|source| RegionError::DataDirectory {
        path: options.data_dir.clone(),
        source,
    })?;
    let data_dir = canonical(options)?;
    let failed = |source| RegionError::DataDirectory {
        path: data_dir.clone(),
        source,
    };
    let lock = lock(&data_dir).map_err(failed)?;
    let places = list_places(options, &data_dir, &lock)?;
    if let Some((place, file)) = find(&places)? {
        let region = attach(options, &data_dir, place, file)?;
        return Ok((region, Found::Existing));
    }
    let region = create(options, &data_dir, &places)?;
    note(&lock, &region).map_err(failed)?;
    Ok((region, Found::Created))
}

pub(super) fn attach_existing(options: &RegionOptions) -> Result<Region, RegionError> {
    check_options(options)?;
    let data_dir = canonical(options)?;
    let lock = lock(&data_dir).map_err(|source| RegionError::DataDirectory {
        path: data_dir.clone(),
        source,
    })?;
    match find(&list_places(options, &data_dir, &lock)?)? {
        Some((place, file)) => attach(options, &data_dir, place, file),
        None => Err(RegionError::NotFound {
            node_id: options.node_id,
            data_dir,
        }),
    }
}

/// Everybody who makes, finds or removes a region of this data directory holds this lock while at it.
/// The file says where the last region was made.
pub(super) fn lock(data_dir: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .mode(0o600)
        .open(data_dir.join(".region.lock"))?;
    file.lock()?;
    Ok(file)
}

fn note(lock: &File, region: &Region) -> io::Result<()> {
    if region.kind() == RegionKind::Memfd {
        // Its own note is always looked at.
        return Ok(());
    }
    let path = region.path().as_os_str().as_bytes();
    lock.set_len(path.len() as u64)?;
    lock.write_all_at(path, 0)
}

/// Gives a range of a file memory, or room, of its own.
pub(super) fn allocate(file: &File, offset: u64, bytes: u64) -> io::Result<()> {
    fallocate(file, 0, offset, bytes)
}

fn fallocate(file: &File, mode: i32, offset: u64, bytes: u64) -> io::Result<()> {
    loop {
        // SAFETY: a descriptor that is open and plain numbers.
        let result = unsafe {
            libc::fallocate(
                file.as_raw_fd(),
                mode,
                offset as libc::off_t,
                bytes as libc::off_t,
            )
        };
        if result == 0 {
            return Ok(());
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}

/// The opposite of [`allocate`]: the range becomes a hole.
pub(super) fn deallocate(file: &File, offset: u64, bytes: u64) -> io::Result<()> {
    let mode = libc::FALLOC_FL_PUNCH_HOLE | libc::FALLOC_FL_KEEP_SIZE;
    fallocate(file, mode, offset, bytes)
}

fn check_options(options: &RegionOptions) -> Result<(), RegionError> {
    let ring = options.control_ring_bytes;
    let reason = if options.shards == 0 {
        "there is no shard".to_owned()
    } else if ring != 0 && (!ring.is_power_of_two() || ring < 4096) {
        format!("a ring of {ring} bytes is not a power of two of at least 4096")
    } else {
        return Ok(());
    };
    Err(RegionError::Options { reason })
}

fn canonical(options: &RegionOptions) -> Result<PathBuf, RegionError> {
    let canonical = options.data_dir.canonicalize();
    canonical.map_err(|source| RegionError::DataDirectory {
        path: options.data_dir.clone(),
        source,
    })
}

/// One shard's share of a pool: whole chunks, at least one.
pub(super) fn share(total: u64, shards: u16) -> u64 {
    (total / u64::from(shards) / CHUNK).max(1) * CHUNK
}

fn create(
    options: &RegionOptions,
    data_dir: &Path,
    places: &[Place],
) -> Result<Region, RegionError> {
    let mut refusal = None;
    for place in places.iter().filter(|place| place::allowed(place, options)) {
        match create_in(options, data_dir, place) {
            Ok(region) => return Ok(region),
            // The preferred place's refusal is told, unless it is only that nothing is reserved there.
            Err(error) => match &refusal {
                Some(first) if !matches!(first, RegionError::NoHugepages { .. }) => {}
                _ => refusal = Some(error),
            },
        }
        if options.directory.is_some() {
            break;
        }
    }
    Err(refusal.unwrap_or_else(|| RegionError::NoHugepages {
        reason: "hugetlbfs is not mounted (with 2 MiB pages)".into(),
    }))
}

pub(super) fn create_in(
    options: &RegionOptions,
    data_dir: &Path,
    place: &Place,
) -> Result<Region, RegionError> {
    let refused = |source| RegionError::Place {
        path: place.directory.clone(),
        source,
    };
    let parent = place.directory.parent().unwrap_or(Path::new("/"));
    if !parent.is_dir() {
        return Err(refused(io::ErrorKind::NotFound.into()));
    }
    let layout = choose_sizes(options, place, parent)?;
    place.make().map_err(refused)?;
    let made = match place.kind {
        RegionKind::Memfd => make_memfd(options, data_dir, place, &layout),
        _ => make_file(options, data_dir, place, &layout),
    };
    let (file, mapping) = made.map_err(|source| {
        let _ = fs::remove_file(new_name(place));
        let _ = fs::remove_dir(&place.directory);
        match source.raw_os_error() {
            Some(libc::ENOSPC | libc::ENOMEM) => RegionError::NoRoom {
                path: place.directory.clone(),
                needed: layout.region_bytes,
                available: available(place, parent),
            },
            _ => refused(source),
        }
    })?;
    Ok(assemble(mapping, file, layout, place, data_dir))
}

fn new_name(place: &Place) -> PathBuf {
    place.directory.join("region.new")
}

fn available(place: &Place, parent: &Path) -> u64 {
    match place.kind {
        RegionKind::Hugetlbfs => place::hugepage_bytes_free(),
        RegionKind::Memfd => place::memory_bytes() / 2,
        RegionKind::Tmpfs | RegionKind::File => place::bytes_free(parent).unwrap_or(0),
    }
}

/// The configured sizes, or automatic ones that fit what the place has free.
fn choose_sizes(
    options: &RegionOptions,
    place: &Place,
    parent: &Path,
) -> Result<Layout, RegionError> {
    let available = available(place, parent);
    if place.kind == RegionKind::Hugetlbfs && available == 0 {
        return Err(RegionError::NoHugepages {
            reason: "no free page is reserved".into(),
        });
    }
    let automatic = (place::memory_bytes() / 16).clamp(64 * MEBIBYTE, 1024 * MEBIBYTE);
    let mut pool = match options.pool_bytes {
        0 => automatic,
        bytes => bytes,
    };
    loop {
        let buffers = match options.buffer_bytes {
            0 => (pool / 4).clamp((16 * MEBIBYTE).min(pool), 256 * MEBIBYTE),
            bytes => bytes,
        };
        let sizes = Sizes {
            shards: options.shards,
            pool_bytes: share(pool, options.shards),
            buffer_bytes: share(buffers, options.shards),
            control_ring_bytes: match options.control_ring_bytes {
                0 => CONTROL_RING_BYTES,
                bytes => bytes,
            },
        };
        let layout = Layout::new(sizes).ok_or_else(|| RegionError::Options {
            reason: format!("{sizes:?}"),
        })?;
        if layout.region_bytes <= available {
            return Ok(layout);
        }
        // An automatic size makes do with less; 16 MiB are a broker that still works. But a handful
        // of huge pages is no reason to leave ample ordinary memory unused.
        let preferred = place.kind == RegionKind::Hugetlbfs && options.hugepages == Hugepages::Auto;
        let least = if preferred { 64 } else { 16 } * MEBIBYTE;
        if options.pool_bytes != 0 || pool <= least {
            return Err(too_small(options, place, layout.region_bytes, available));
        }
        pool /= 2;
    }
}

fn too_small(options: &RegionOptions, place: &Place, needed: u64, available: u64) -> RegionError {
    if place.kind == RegionKind::Hugetlbfs {
        let reason = format!("{needed} bytes are needed and {available} are free");
        return RegionError::NoHugepages { reason };
    }
    debug_assert!(options.hugepages != Hugepages::On);
    RegionError::NoRoom {
        path: place.directory.clone(),
        needed,
        available,
    }
}

/// Made under another name and renamed when it is complete, so that nobody meets half a region.
fn make_file(
    options: &RegionOptions,
    data_dir: &Path,
    place: &Place,
    layout: &Layout,
) -> io::Result<(File, Mapping)> {
    let name = new_name(place);
    super::remove(&name)?;
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .custom_flags(libc::O_NOFOLLOW)
        .open(&name)?;
    let mapping = fill(options, data_dir, place.kind, layout, &file)?;
    fs::rename(&name, place.region())?;
    Ok((file, mapping))
}

fn make_memfd(
    options: &RegionOptions,
    data_dir: &Path,
    place: &Place,
    layout: &Layout,
) -> io::Result<(File, Mapping)> {
    // SAFETY: a C string literal and a flag.
    let descriptor = unsafe { libc::memfd_create(c"precursor-region".as_ptr(), libc::MFD_CLOEXEC) };
    if descriptor < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: just opened, and nobody else's.
    let file = unsafe { File::from_raw_fd(descriptor) };
    let mapping = fill(options, data_dir, place.kind, layout, &file)?;
    let inode = file.metadata()?.ino();
    let note = format!("{} {inode}\n", descriptor_path(&file).display());
    fs::write(new_name(place), note)?;
    fs::rename(new_name(place), place.region())?;
    Ok((file, mapping))
}

/// Gives the file its size and the memory that is needed at once, and writes the header.
fn fill(
    options: &RegionOptions,
    data_dir: &Path,
    kind: RegionKind,
    layout: &Layout,
    file: &File,
) -> io::Result<Mapping> {
    file.set_len(layout.region_bytes)?;
    if kind != RegionKind::Hugetlbfs {
        allocate(file, 0, layout.front_bytes())?;
    }
    let mapping = Mapping::shared(file, layout.region_bytes as usize)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let mut header = Header {
        magic: MAGIC,
        abi_version: 0,
        node_id: options.node_id,
        region_bytes: layout.region_bytes,
        pool_bytes: layout.sizes.pool_bytes,
        buffer_bytes: layout.sizes.buffer_bytes,
        control_ring_bytes: layout.sizes.control_ring_bytes,
        shards: u32::from(layout.sizes.shards),
        data_dir_hash: path_hash(data_dir),
        created_ms: now.map_or(0, |since| since.as_millis() as u64),
        check: 0,
        reserved: 0,
    };
    header.check = header.checksum(ABI_VERSION);
    // SAFETY: the mapping begins at a page and is longer than a header, and nobody else knows it yet.
    unsafe { mapping.as_ptr().cast::<Header>().write(header) };
    // SAFETY: within the header just written, aligned, and only accessed atomically from here on.
    let version = unsafe {
        AtomicU32::from_ptr(mapping.as_ptr().add(offset_of!(Header, abi_version)).cast())
    };
    // Release: who sees the version sees the rest. There is no Acquire that pairs with it in this
    // crate (others read the header from the file), but there may be in a debugger's eyes.
    version.store(ABI_VERSION, Ordering::Release);
    Ok(mapping)
}

pub(super) fn assemble(
    mapping: Mapping,
    file: File,
    layout: Layout,
    place: &Place,
    data_dir: &Path,
) -> Region {
    mapping.advise_huge();
    let path = match place.kind {
        RegionKind::Memfd => descriptor_path(&file),
        _ => place.region(),
    };
    let claimed = (0..layout.sizes.shards).map(|_| AtomicU32::new(0));
    Region {
        inner: Arc::new(Inner {
            mapping,
            file,
            kind: place.kind,
            path,
            directory: place.directory.clone(),
            data_dir: data_dir.to_owned(),
            claimed: claimed.collect(),
            taken_processors: OnceLock::new(),
            layout,
        }),
    }
}

//! Full filesystems and reserved huge pages. Both need root, for mounting; without it they say so
//! and prove nothing.

use std::ffi::CString;
use std::path::{Path, PathBuf};

use precursor_model::LogUid;
use precursor_shm::{
    ExtentOwner, Found, Hugepages, Region, RegionError, RegionKind, RegionOptions,
};

/// A filesystem mounted on a directory of its own; unmounted whatever happens.
struct Mount(tempfile::TempDir);

impl Mount {
    fn new(kind: &str, options: &str) -> Option<Mount> {
        // SAFETY: no preconditions.
        if unsafe { libc::geteuid() } != 0 {
            eprintln!("SKIPPED: mounting {kind} needs root");
            return None;
        }
        let directory = tempfile::tempdir().unwrap();
        let [source, target, kind_name, data] = [
            "precursor-test",
            directory.path().to_str().unwrap(),
            kind,
            options,
        ]
        .map(|text| CString::new(text).unwrap());
        // SAFETY: four C strings that live through the call.
        let result = unsafe {
            libc::mount(
                source.as_ptr(),
                target.as_ptr(),
                kind_name.as_ptr(),
                0,
                data.as_ptr().cast(),
            )
        };
        if result != 0 {
            let error = std::io::Error::last_os_error();
            eprintln!("SKIPPED: {kind} cannot be mounted here: {error}");
            return None;
        }
        Some(Mount(directory))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let target = CString::new(self.0.path().to_str().unwrap()).unwrap();
        // SAFETY: a C string; MNT_DETACH, because a failed test may still have it mapped.
        unsafe { libc::umount2(target.as_ptr(), libc::MNT_DETACH) };
    }
}

const MEBIBYTE: u64 = 1 << 20;

fn options(data: &Path, directory: &Path) -> RegionOptions {
    RegionOptions {
        directory: Some(directory.to_owned()),
        pool_bytes: 8 * MEBIBYTE,
        buffer_bytes: 4 * MEBIBYTE,
        control_ring_bytes: 1 << 16,
        ..RegionOptions::new(7, data)
    }
}

fn owner() -> ExtentOwner {
    ExtentOwner {
        log: LogUid(1),
        segment_base: 0,
        file_position: 0,
    }
}

#[test]
fn a_full_tmpfs_is_an_answer_and_not_a_signal() {
    let Some(mount) = Mount::new("tmpfs", "size=16m") else {
        return;
    };
    let data = tempfile::tempdir().unwrap();
    let options = options(data.path(), mount.path());
    let (region, _) = Region::create_or_attach(&options).unwrap();
    let mut pool = region.extent_pool(0);
    let mut lent = vec![pool.allocate(2 << 20, owner()).unwrap()];
    // Somebody else takes the rest, but for a megabyte.
    let other = mount.path().join("other");
    let mut filler = Vec::new();
    while std::fs::write(&other, &filler).is_ok() {
        filler.resize(filler.len() + 1024 * 1024, 1);
    }
    filler.truncate(filler.len() - 2 * 1024 * 1024);
    std::fs::write(&other, &filler).unwrap();
    // What the pool had made ready before is there, and every byte of it can be written.
    while let Some(id) = pool.allocate(2 << 20, owner()) {
        lent.push(id);
    }
    assert!(lent.len() < 4, "the filesystem was not full");
    assert!(pool.allocate(4096, owner()).is_none());
    for id in &lent {
        pool.bytes_mut(*id).fill(1);
    }
    let mut buffers = region.buffer_pool(0);
    assert!(buffers.take(4096).is_none());
    assert_eq!(buffers.usage().exhausted, 1);
    // What was had is lent again, and when there is room again there is more.
    pool.free(lent.pop().unwrap());
    let again = pool.allocate(1 << 20, owner()).unwrap();
    pool.bytes_mut(again).fill(3);
    pool.free(again);
    std::fs::remove_file(&other).unwrap();
    assert!(buffers.take(4096).is_some());
    for _ in 0..3000 {
        if let Some(id) = pool.allocate(2 << 20, owner()) {
            pool.bytes_mut(id).fill(4);
            lent.push(id);
        }
    }
    assert_eq!(lent.len(), 4);
    drop((pool, buffers));
    region.unlink().unwrap();
}

#[test]
fn a_region_larger_than_its_place_is_refused_or_made_smaller() {
    let Some(mount) = Mount::new("tmpfs", "size=40m") else {
        return;
    };
    let data = tempfile::tempdir().unwrap();
    let mut options = options(data.path(), mount.path());
    options.pool_bytes = 64 * MEBIBYTE;
    let refused = Region::create_or_attach(&options).unwrap_err();
    assert!(matches!(refused, RegionError::NoRoom { .. }), "{refused}");
    assert!(
        refused.to_string().contains("lower memory.region.bytes"),
        "{refused}"
    );
    assert_eq!(
        std::fs::read_dir(mount.path()).unwrap().count(),
        0,
        "nothing stays behind"
    );
    options.pool_bytes = 0;
    options.buffer_bytes = 0;
    let (region, found) = Region::create_or_attach(&options).unwrap();
    assert_eq!(found, Found::Created);
    assert_eq!(region.pool_bytes(), 16 * MEBIBYTE);
    region.unlink().unwrap();
}

/// Reserves huge pages, and puts the number back as it was.
struct Reserved(String);

const RESERVED: &str = "/proc/sys/vm/nr_hugepages";

impl Reserved {
    fn pages(more: u64) -> Option<Reserved> {
        let before = std::fs::read_to_string(RESERVED).ok()?.trim().to_owned();
        let wanted = before.parse::<u64>().ok()? + more;
        let reserved = Reserved(before);
        let _ = std::fs::write(RESERVED, wanted.to_string());
        let now = std::fs::read_to_string(RESERVED).ok()?;
        if now.trim().parse() != Ok(wanted) {
            eprintln!("SKIPPED: {more} huge pages cannot be reserved here");
            return None;
        }
        Some(reserved)
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        let _ = std::fs::write(RESERVED, &self.0);
    }
}

#[test]
fn reserved_huge_pages_are_used_and_counted() {
    let Some(mount) = Mount::new("hugetlbfs", "pagesize=2M") else {
        return;
    };
    let data = tempfile::tempdir().unwrap();
    let mut options = options(data.path(), mount.path());
    options.hugepages = Hugepages::On;
    // The kernel counts pages for everybody: other users of them may come and go meanwhile.
    let Some(reserved) = Reserved::pages(9) else {
        return;
    };
    let (region, found) = Region::create_or_attach(&options).unwrap();
    assert_eq!(
        (region.kind(), found),
        (RegionKind::Hugetlbfs, Found::Created)
    );
    assert_eq!(region.bytes() % (2 * MEBIBYTE), 0);
    let mut pool = region.extent_pool(0);
    let id = pool.allocate(2 << 20, owner()).unwrap();
    pool.bytes_mut(id).fill(7);
    pool.publish(id, 1 << 20);
    drop(pool);
    drop(region);

    let (region, found) = Region::create_or_attach(&options).unwrap();
    assert_eq!(found, Found::Existing);
    let mut pool = region.extent_pool(0);
    let recovered = pool.recovered();
    assert_eq!(recovered.len(), 1);
    assert_eq!(recovered[0].committed, MEBIBYTE);
    assert!(pool.bytes(recovered[0].id).iter().all(|byte| *byte == 7));
    let bell = region
        .doorbell(precursor_shm::DoorbellName::Shard(0))
        .unwrap();
    bell.ring();
    assert!(bell.drain());
    drop(pool);
    region.unlink().unwrap();
    drop(region);

    options.pool_bytes = 8192 * MEBIBYTE;
    let refused = Region::create_or_attach(&options).unwrap_err();
    assert!(
        matches!(refused, RegionError::NoHugepages { .. }),
        "{refused}"
    );
    assert!(refused.to_string().contains("vm.nr_hugepages"), "{refused}");
    drop(reserved);
}

#[test]
fn huge_pages_that_must_be_and_are_not_refuse_the_start() {
    let data = tempfile::tempdir().unwrap();
    let mut options = options(data.path(), Path::new("/dev/shm"));
    options.hugepages = Hugepages::On;
    let refused = Region::create_or_attach(&options).unwrap_err();
    assert!(
        matches!(refused, RegionError::NoHugepages { .. }),
        "{refused}"
    );
}

#[test]
fn an_ordinary_directory_serves_when_it_is_named() {
    let data = tempfile::tempdir().unwrap();
    let place = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let options = options(data.path(), place.path());
    let (region, _) = Region::create_or_attach(&options).unwrap();
    // Which of the two depends on where this was built.
    assert!(matches!(
        region.kind(),
        RegionKind::File | RegionKind::Tmpfs
    ));
    region.unlink().unwrap();
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0);

    let missing = RegionOptions {
        directory: Some(PathBuf::from("/nowhere/at/all")),
        ..options
    };
    let refused = Region::create_or_attach(&missing).unwrap_err();
    assert!(
        refused.to_string().contains("memory.region.dir"),
        "{refused}"
    );
}

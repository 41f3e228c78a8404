//! Extents lent, published, and found again.

use precursor_model::LogUid;

use super::*;
use crate::region::Region;

#[test]
fn a_successor_finds_what_was_published() {
    let data = tempfile::tempdir().unwrap();
    let options = crate::region::tests::small(data.path());
    let (region, _) = Region::create_or_attach(&options).unwrap();
    let mut pool = region.extent_pool(0);
    let owner = |log| ExtentOwner {
        log: LogUid(log),
        segment_base: 40,
        file_position: 8192,
    };
    let kept = pool.allocate(9000, owner(1)).unwrap();
    let freed = pool.allocate(1, owner(2)).unwrap();
    let cache = pool.allocate_cache(4096).unwrap();
    assert_eq!((pool.size(kept), pool.size(freed)), (16384, 4096));
    pool.bytes_mut(kept)[..5].copy_from_slice(b"bytes");
    pool.publish(kept, 5);
    pool.set_state(kept, ExtentState::Sealed);
    pool.set_state(cache, ExtentState::Written);
    pool.free(freed);
    drop(pool);

    let second = Region::attach_existing(&options).unwrap();
    let mut pool = second.extent_pool(0);
    let recovered = pool.recovered();
    assert_eq!(recovered.len(), 1);
    let extent = recovered[0];
    assert_eq!(extent.log, LogUid(1));
    assert_eq!((extent.segment_base, extent.file_position), (40, 8192));
    assert_eq!((extent.size, extent.committed), (16384, 5));
    assert_eq!(extent.state, ExtentState::Sealed);
    assert_eq!(&pool.bytes(extent.id)[..5], b"bytes");
    assert_eq!(pool.usage().bytes_in_use, 16384);
    assert!(pool.set_aside().is_empty());
    pool.free(extent.id);
    assert_eq!(pool.usage().bytes_free, 2 << 20);
    region.unlink().unwrap();
}

//! Buffers lent and returned.

use crate::region::Region;

#[test]
fn buffers_come_back_from_other_threads() {
    let data = tempfile::tempdir().unwrap();
    let options = crate::region::tests::small(data.path());
    let (region, _) = Region::create_or_attach(&options).unwrap();
    let mut pool = region.buffer_pool(0);
    let mut all = Vec::new();
    while let Some(mut buffer) = pool.take(1 << 20) {
        buffer[0] = 1;
        all.push(buffer);
    }
    assert_eq!(all.len(), 4);
    assert!(pool.take(1).is_none());
    std::thread::spawn(move || drop(all)).join().unwrap();
    assert_eq!(pool.take(100).unwrap().len(), 4096);
    assert_eq!(pool.usage().bytes_in_use, 4096);
    region.unlink().unwrap();
}

//! What a shard does with the region for every record: no allocation in it, by an armed allocator.

use precursor_memory::CountingAllocator;
use precursor_model::LogUid;
use precursor_shm::{DoorbellName, ExtentOwner, ExtentState};

use crate::support::Fixture;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator::new();

#[test]
fn the_hot_path_allocates_nothing() {
    assert!(CountingAllocator::is_installed());
    let fixture = Fixture::new();
    let region = fixture.region();
    let mut pool = region.extent_pool(0);
    let mut buffers = region.buffer_pool(0);
    let mut producer = region.to_control_producer(0);
    let mut consumer = region.to_control_consumer(0);
    let bell = region.doorbell(DoorbellName::Control).unwrap();
    let owner = ExtentOwner {
        log: LogUid(3),
        segment_base: 0,
        file_position: 0,
    };
    let ((), counts) = CountingAllocator::counted(|| {
        for round in 0..10_000_usize {
            // Also the first use of a chunk and an exhausted pool.
            let id = pool.allocate(4096 << (round % 10), owner).unwrap();
            pool.bytes_mut(id)[0] = 1;
            pool.publish(id, 1);
            pool.set_state(id, ExtentState::Sealed);
            let cache = pool.allocate_cache(16384).unwrap();
            let mut buffer = buffers.take(4096 << (round % 10)).unwrap();
            buffer[0] = pool.bytes(id)[0];
            assert!(consumer.announce_sleep());
            producer.try_push(&[&buffer[..1], b"record"]).unwrap();
            assert!(producer.publish());
            bell.ring();
            assert!(bell.drain());
            consumer.announce_awake();
            assert_eq!(consumer.peek().unwrap().unwrap(), b"\x01record");
            consumer.release();
            region.stats(0).records_in.add(1);
            buffer.give_back();
            pool.free(id);
            pool.free(cache);
        }
        while pool.allocate(2 << 20, owner).is_some() {}
        assert!(pool.allocate(1 << 20, owner).is_none());
    });
    assert_eq!(counts.total(), 0, "{counts:?}");
    assert_eq!(region.stats(0).records_in.get(), 10_000);
}

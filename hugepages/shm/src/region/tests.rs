//! Regions found, made, refused and removed.

use super::*;

pub(crate) fn small(data_dir: &Path) -> RegionOptions {
    RegionOptions {
        directory: Some(PathBuf::from("/dev/shm")),
        hugepages: Hugepages::Off,
        pool_bytes: 8 << 20,
        buffer_bytes: 4 << 20,
        control_ring_bytes: 1 << 16,
        ..RegionOptions::new(7, data_dir)
    }
}

#[test]
fn the_first_makes_it_and_the_next_finds_it() {
    let data = tempfile::tempdir().unwrap();
    let options = small(data.path());
    assert!(matches!(
        Region::attach_existing(&options),
        Err(RegionError::NotFound { .. })
    ));
    let (first, found) = Region::create_or_attach(&options).unwrap();
    assert_eq!((found, first.kind()), (Found::Created, RegionKind::Tmpfs));
    first.status().begin_data(99);
    first.status().set_kafka_port(9092);
    let (second, found) = Region::create_or_attach(&options).unwrap();
    assert_eq!(found, Found::Existing);
    assert_eq!(second.status().data_pid(), 99);
    assert_eq!(second.status().kafka_port(), 9092);
    let mut producer = first.to_control_producer(0);
    let mut consumer = second.to_control_consumer(0);
    assert!(consumer.announce_sleep());
    producer.try_push(&[b"hel", b"lo"]).unwrap();
    assert!(producer.publish());
    assert_eq!(consumer.peek().unwrap(), Some(&b"hello"[..]));
    consumer.release();
    assert_eq!(consumer.peek().unwrap(), None);
    drop((producer, consumer));
    first.unlink().unwrap();
    assert!(!first.path().parent().unwrap().exists());
}

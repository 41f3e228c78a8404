//! Buffers lent and returned, here and elsewhere.

use std::sync::mpsc;

use crate::region::tests::Fixture;

#[test]
fn sizes_are_powers_of_two_of_pages() {
    let fixture = Fixture::new();
    let mut pool = fixture.region.buffer_pool(0);
    for (asked, lent) in [(0, 4096), (1, 4096), (4097, 8192), (2 << 20, 2 << 20)] {
        assert_eq!(pool.take(asked).unwrap().len(), lent);
    }
    assert!(pool.take((2 << 20) + 1).is_none());
}

#[test]
fn buffers_come_back_from_other_threads() {
    let fixture = Fixture::new();
    let mut pool = fixture.region.buffer_pool(0);
    let mut all = Vec::new();
    while let Some(mut buffer) = pool.take(1 << 20) {
        buffer[0] = 1;
        all.push(buffer);
    }
    assert_eq!(all.len(), 4);
    assert!(pool.take(1).is_none());
    assert_eq!(pool.usage().exhausted, 2);
    std::thread::spawn(move || drop(all)).join().unwrap();
    assert_eq!(pool.take(100).unwrap().len(), 4096);
    assert_eq!(pool.usage().bytes_in_use, 4096);
    assert_eq!(pool.usage().bytes_in_use_max, 4 << 20);
}

/// Three threads give back what one lends: no buffer is in two hands at once.
#[test]
fn many_threads_give_back() {
    let fixture = Fixture::new();
    let mut pool = fixture.region.buffer_pool(0);
    let started = std::time::Instant::now();
    std::thread::scope(|scope| {
        let mut ways = Vec::new();
        for number in 1..=3_u8 {
            let (send, receive) = mpsc::sync_channel::<crate::Buffer>(8);
            ways.push(send);
            scope.spawn(move || {
                for mut buffer in receive {
                    assert!(buffer[..64].iter().all(|byte| *byte == 0), "in two hands");
                    buffer[..64].fill(number);
                    std::hint::black_box(&mut buffer);
                    assert!(
                        buffer[..64].iter().all(|byte| *byte == number),
                        "in two hands"
                    );
                    buffer[..64].fill(0);
                }
            });
        }
        for round in 0..30_000 {
            let buffer = loop {
                match pool.take(4096 << (round % 7)) {
                    Some(buffer) => break buffer,
                    None => std::thread::yield_now(),
                }
                assert!(started.elapsed().as_secs() < 60, "buffers do not come back");
            };
            ways[round % 3].send(buffer).unwrap();
        }
    });
    let buffer = pool.take(1).unwrap();
    assert_eq!(pool.usage().bytes_in_use, 4096, "all others came back");
    buffer.give_back();
}

#[test]
fn large_ones_have_memory_of_their_own_under_a_cap() {
    let fixture = Fixture::new();
    let mut pool = fixture.region.buffer_pool(0);
    pool.set_large_bytes_max(10 << 20);
    let mut large = pool.take_large((6 << 20) - 1).unwrap();
    assert_eq!(large.len(), 6 << 20);
    large.fill(1);
    assert!(pool.take_large(5 << 20).is_none());
    assert!(pool.take_large(usize::MAX).is_none());
    assert_eq!(pool.usage().large_bytes, 6 << 20);
    drop(large);
    assert_eq!(pool.take_large(5 << 20).unwrap()[0], 0);
    assert_eq!(pool.usage().large_bytes, 0);
}

#[test]
fn returned_memory_is_given_back_to_the_system() {
    let fixture = Fixture::new();
    let mut pool = fixture.region.buffer_pool(0);
    let all: Vec<_> = std::iter::from_fn(|| pool.take(1 << 20)).collect();
    let kept = pool.take(1);
    assert!(kept.is_none() && all.len() == 4);
    drop(all);
    let usage = pool.usage();
    assert_eq!((usage.bytes_in_use, usage.bytes_trimmed), (4 << 20, 0));
    let started = std::time::Instant::now();
    while pool.usage().bytes_trimmed < 2 << 20 {
        pool.trim(2 << 20, 8);
        assert!(started.elapsed().as_secs() < 60, "{:?}", pool.usage());
        std::thread::yield_now();
    }
    assert_eq!(pool.usage().bytes_free, 2 << 20);
    let again: Vec<_> = std::iter::from_fn(|| pool.take(1 << 20)).collect();
    assert_eq!(again.len(), 4, "and taken again");
}

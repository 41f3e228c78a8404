//! What the region's pieces cost: a 64-byte record from one thread to another and back over two
//! rings, records one way in batches, an extent and a buffer lent and given back.
//!
//! `cargo run --release -p precursor-shm --example ring`

use std::hint::black_box;
use std::time::{Duration, Instant};

use precursor_model::LogUid;
use precursor_shm::ring::{Consumer, Producer};
use precursor_shm::{DoorbellName, ExtentOwner, ExtentPool, Region, RegionOptions};

const ROUND_TRIPS: usize = 200_000;
const RECORDS: usize = 4_000_000;

fn main() {
    let data = std::env::temp_dir().join(format!("precursor-ring-{}", std::process::id()));
    let options = RegionOptions {
        directory: Some("/dev/shm".into()),
        pool_bytes: 64 << 20,
        ..RegionOptions::new(0, &data)
    };
    let (region, _) = Region::create_or_attach(&options).expect("a region");
    println!("region on {}", region.kind());
    round_trips(&region);
    one_way(&region);
    doorbell(&region);
    extents(&region);
    buffers(&region);
    region.unlink().expect("the region is ours");
    let _ = std::fs::remove_dir_all(data);
}

fn wait_for_record(consumer: &mut Consumer) {
    while consumer.peek().expect("a sound ring").is_none() {
        std::hint::spin_loop();
    }
    consumer.release();
}

fn send(producer: &mut Producer) {
    producer.try_push(&[&[7; 64]]).expect("an empty ring");
    let _ = producer.publish();
}

fn round_trips(region: &Region) {
    let mut there = region.to_control_producer(0);
    let mut back = region.to_data_consumer(0);
    let echo = region.clone();
    let thread = std::thread::spawn(move || {
        let mut requests = echo.to_control_consumer(0);
        let mut answers = echo.to_data_producer(0);
        for _ in 0..ROUND_TRIPS {
            wait_for_record(&mut requests);
            send(&mut answers);
        }
    });
    let mut times: Vec<Duration> = (0..ROUND_TRIPS)
        .map(|_| {
            let start = Instant::now();
            send(&mut there);
            wait_for_record(&mut back);
            start.elapsed()
        })
        .collect();
    thread.join().expect("the echo ends");
    times.sort_unstable();
    println!(
        "64-byte round trip, both spinning: p50 {:?}, p99 {:?}",
        times[times.len() / 2],
        times[times.len() * 99 / 100]
    );
}

fn one_way(region: &Region) {
    let mut producer = region.to_control_producer(0);
    let reader = region.clone();
    let thread = std::thread::spawn(move || {
        let mut consumer = reader.to_control_consumer(0);
        for _ in 0..RECORDS {
            wait_for_record(&mut consumer);
        }
    });
    let start = Instant::now();
    for number in 0..RECORDS {
        while producer.try_push(&[&[7; 64]]).is_err() {
            let _ = producer.publish();
            std::hint::spin_loop();
        }
        if number % 32 == 31 {
            let _ = producer.publish();
        }
    }
    let _ = producer.publish();
    thread.join().expect("the reader ends");
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "64-byte records one way: {:.1} M/s",
        RECORDS as f64 / seconds / 1e6
    );
}

fn each(what: &str, rounds: u32, mut work: impl FnMut()) {
    let start = Instant::now();
    for _ in 0..rounds {
        work();
    }
    println!("{what}: {:?}", start.elapsed() / rounds);
}

fn doorbell(region: &Region) {
    let bell = region.doorbell(DoorbellName::Control).expect("a doorbell");
    each("doorbell rung and drained", 100_000, || {
        bell.ring();
        black_box(bell.drain());
    });
}

fn fill(what: &str, pool: &mut ExtentPool, owner: ExtentOwner) {
    let start = Instant::now();
    let mut ids = Vec::with_capacity(4096);
    let mut bytes = 0;
    while let Some(id) = pool.allocate(256 << 10, owner) {
        pool.bytes_mut(id).fill(7);
        bytes += pool.size(id);
        ids.push(id);
    }
    let seconds = start.elapsed().as_secs_f64();
    println!("{what}: {:.1} GB/s", bytes as f64 / seconds / 1e9);
    ids.into_iter().for_each(|id| pool.free(id));
}

fn extents(region: &Region) {
    let mut pool = region.extent_pool(0);
    let owner = ExtentOwner {
        log: LogUid(1),
        segment_base: 0,
        file_position: 0,
    };
    let start = Instant::now();
    let first = pool.allocate(2 << 20, owner).expect("room");
    println!("first extent of a new chunk: {:?}", start.elapsed());
    pool.free(first);
    fill("64 MiB filled for the first time", &mut pool, owner);
    fill("64 MiB filled again", &mut pool, owner);
    for bytes in [4096, 16384, 2 << 20] {
        each(
            &format!("extent of {bytes} bytes lent and freed"),
            1_000_000,
            || {
                let id = pool.allocate(bytes, owner).expect("room");
                pool.free(black_box(id));
            },
        );
    }
    let id = pool.allocate(16384, owner).expect("room");
    each("publication", 10_000_000, || {
        pool.publish(black_box(id), 100)
    });
}

fn buffers(region: &Region) {
    let mut pool = region.buffer_pool(0);
    each(
        "buffer of 16384 bytes lent and given back",
        1_000_000,
        || {
            black_box(pool.take(16384).expect("room"));
        },
    );
}

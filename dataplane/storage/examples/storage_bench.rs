//! Appends and reads on one shard: CPU per batch, and what reaches the disk.
//!
//! `cargo run --release -p precursor-storage --example storage_bench -- [data-dir] [batches]`

use precursor_model::{LogConfig, LogUid, TopicId};
use precursor_protocol::records::BatchBuilder;
use precursor_shm::{Region, RegionOptions};
use precursor_storage::{
    AppendError, AppendOptions, LogSpec, LogState, Now, Read, ReadOptions, Store, StoreEvent,
    StoreOptions,
};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

fn now(begun: Instant) -> Now {
    let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Now {
        monotonic_us: begun.elapsed().as_micros() as u64,
        wall_ms: wall.as_millis() as i64,
    }
}

/// CPU time of the process so far, all threads and the kernel's part.
fn cpu() -> Duration {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap();
    let after = text.rsplit_once(") ").unwrap().1;
    let field = |n: usize| after.split(' ').nth(n).unwrap().parse::<u64>().unwrap();
    Duration::from_millis((field(11) + field(12)) * 10)
}

fn batch(records: usize, bytes: usize) -> Vec<u8> {
    let mut builder = BatchBuilder::new();
    let value = vec![b'x'; bytes];
    for _ in 0..records {
        builder.append(1_700_000_000_000, None, Some(&value), &[]);
    }
    let mut out = Vec::new();
    builder.build(&mut out);
    out
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let place = arguments
        .next()
        .unwrap_or_else(|| "./storage-bench-data".to_owned());
    let batches: u64 = arguments.next().map_or(40_000, |n| n.parse().unwrap());
    let directory = std::path::PathBuf::from(place);
    std::fs::create_dir_all(&directory).unwrap();
    let begun = Instant::now();

    let mut region_options = RegionOptions::new(1, &directory);
    region_options.pool_bytes = 512 << 20;
    let (region, _) = Region::create_or_attach(&region_options).unwrap();
    let options = StoreOptions::new(&directory, 0);
    let mut store = Store::open(options, region.extent_pool(0), now(begun)).unwrap();
    let spec = LogSpec {
        uid: LogUid(u64::from(std::process::id())),
        topic_id: TopicId([1; 16]),
        topic: "bench",
        partition: std::process::id() as i32,
        config: LogConfig::default(),
        leader_epoch: 0,
        is_new: true,
    };
    let id = store.ensure_log(spec, now(begun)).unwrap();
    let mut events = Vec::with_capacity(64);
    while store.state(id) == LogState::Opening {
        store.poll(now(begun), &mut events);
    }

    // Warm up, then measure: the validation alone, the append alone, and all with the disk behind.
    let sent = batch(1000, 100);
    let started = Instant::now();
    let rounds = 20_000;
    for _ in 0..rounds {
        std::hint::black_box(precursor_memory::crc32c(std::hint::black_box(&sent[21..])));
    }
    let crc = started.elapsed() / rounds;
    let mut target = vec![0u8; 256 << 20];
    let started = Instant::now();
    for n in 0..rounds as usize {
        let at = n * sent.len() % (target.len() - sent.len());
        target[at..at + sent.len()].copy_from_slice(std::hint::black_box(&sent));
    }
    let copy = started.elapsed() / rounds;
    drop(target);

    let (mut busy, mut in_append) = (0u64, Duration::ZERO);
    let cpu_before = cpu();
    let started = Instant::now();
    let mut offset = 0;
    for n in 0..batches {
        let at = now(begun);
        loop {
            let before = Instant::now();
            let outcome = store.append(id, &sent, AppendOptions::at(at));
            match outcome {
                Ok(_) => {
                    in_append += before.elapsed();
                    break;
                }
                Err(AppendError::Busy) => {
                    busy += 1;
                    while !events.contains(&StoreEvent::MemoryFreed) {
                        if !store.poll(now(begun), &mut events) {
                            std::thread::sleep(Duration::from_micros(50));
                        }
                    }
                    events.clear();
                }
                Err(error) => panic!("{error:?}"),
            }
        }
        if n % 4 == 0 {
            store.poll(at, &mut events);
            events.clear();
        }
    }
    let elapsed = started.elapsed();
    let cpu_used = cpu() - cpu_before;
    let bytes = batches as f64 * sent.len() as f64;
    println!(
        "batch of {} bytes: CRC {crc:?}, cold copy {copy:?}",
        sent.len()
    );
    println!(
        "append: {:?} a batch, {:.1} M records/s, {:.2} GB/s; {busy} times busy; CPU {:.3} s/GB",
        in_append / batches as u32,
        batches as f64 * 1000.0 / elapsed.as_secs_f64() / 1e6,
        bytes / elapsed.as_secs_f64() / 1e9,
        cpu_used.as_secs_f64() / (bytes / 1e9),
    );
    println!("{:?}", store.stats());
    println!("{:?}", store.pool_use());

    // Hot: the newest 64 MiB again and again. Cold: from the beginning.
    let end = store.offsets(id).end;
    let hot_from = end - 500_000;
    let (mut reads, mut read_bytes) = (0u64, 0u64);
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(1) {
        if offset < hot_from || offset >= end {
            offset = hot_from;
        }
        let options = ReadOptions {
            offset,
            max_bytes: 1 << 20,
            at_least_one: true,
            committed: false,
        };
        if let Read::Ready(gather) = store.read(id, options).unwrap() {
            reads += 1;
            read_bytes += gather.len() as u64;
            offset += (gather.len() / sent.len()) as i64 * 1000;
            store.release(gather);
        }
    }
    let elapsed = started.elapsed();
    println!(
        "hot read: {:?} a read of {} bytes",
        elapsed / reads as u32,
        read_bytes / reads
    );

    let cpu_before = cpu();
    let started = Instant::now();
    let (mut offset, mut bytes) = (0, 0usize);
    while offset < end && started.elapsed() < Duration::from_secs(5) {
        let options = ReadOptions {
            offset,
            max_bytes: 1 << 20,
            at_least_one: true,
            committed: false,
        };
        let gather = match store.read(id, options).unwrap() {
            Read::Ready(gather) => gather,
            Read::Pending(ticket) => loop {
                store.poll(now(begun), &mut events);
                let ready = events.contains(&StoreEvent::ReadReady { ticket });
                events.clear();
                if ready {
                    break store.take_read(ticket).unwrap();
                }
            },
        };
        bytes += gather.len();
        offset += (gather.len() / sent.len()) as i64 * 1000;
        store.release(gather);
    }
    let elapsed = started.elapsed().as_secs_f64();
    let cpu_used = (cpu() - cpu_before).as_secs_f64();
    println!(
        "cold read, one at a time: {:.2} GB/s, {bytes} bytes; CPU {:.3} s/GB (polling)",
        bytes as f64 / elapsed / 1e9,
        cpu_used / (bytes as f64 / 1e9),
    );
    let started = Instant::now();
    let log_bytes = store.stats().disk_write_bytes;
    store.shutdown(now(begun)).unwrap();
    println!(
        "shutdown: {:?} ({log_bytes} bytes were written before)",
        started.elapsed()
    );
    region.unlink().unwrap();
}

//! What a shard pays for memory: `cargo bench -p precursor-shm --bench pools`.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use precursor_memory::Slab;
use precursor_model::LogUid;
use precursor_shm::{ExtentOwner, Hugepages, PoolOptions, Region, RegionOptions};

const MESSAGE: [u8; 100] = [7; 100];

fn with_region(run: impl FnOnce(&Region)) {
    let data = tempfile::tempdir().expect("a directory");
    let options = RegionOptions {
        hugepages: Hugepages::Off,
        pool_bytes: 64 << 20,
        buffer_bytes: 16 << 20,
        ..RegionOptions::new(1, data.path())
    };
    let (region, _) = Region::create_or_attach(&options).expect("a region");
    run(&region);
    region.unlink().expect("the region's own file");
}

/// What `precursor memory` tells of a broker's pools.
fn tell(pool: &str, hits: u64, others: u64) {
    let ratio = 100.0 * hits as f64 / (hits + others).max(1) as f64;
    println!("{pool}: {hits} hits, {others} others, {ratio:.3} %\n");
}

fn pools(criterion: &mut Criterion) {
    // As an answer is made: an object that keeps its bytes' room from one use to the next.
    let mut slab: Slab<Vec<u8>> = Slab::new(64);
    criterion.bench_function(
        "slab: a message of 100 bytes taken, filled, given back",
        |bench| {
            bench.iter(|| {
                let key = slab.take();
                let message = &mut slab[key];
                message.clear();
                message.extend_from_slice(black_box(&MESSAGE));
                black_box(&slab[key]);
                slab.give_back(key);
            });
        },
    );
    criterion.bench_function("slab: taken and given back", |bench| {
        bench.iter(|| {
            let key = black_box(slab.take());
            slab.give_back(key);
        });
    });
    with_region(|region| {
        let mut buffers = region.buffer_pool(0);
        buffers.prepare(PoolOptions {
            initial_bytes: 4 << 20,
            prewarm: true,
            ..PoolOptions::default()
        });
        criterion.bench_function("buffer for 100 bytes: taken, given back", |bench| {
            bench.iter(|| black_box(buffers.take(black_box(100))));
        });
        let used = buffers.usage();
        tell("buffers", used.hits, used.misses + used.exhausted);
        let mut extents = region.extent_pool(0);
        let owner = ExtentOwner {
            log: LogUid(1),
            segment_base: 0,
            file_position: 0,
        };
        criterion.bench_function("extent of 16 KiB: lent, taken back", |bench| {
            bench.iter(|| {
                let id = extents.allocate(black_box(16_384), owner);
                extents.free(id.expect("there is room"));
            });
        });
        let used = extents.usage();
        tell("extents", used.hits, used.misses + used.exhausted);
    });
    // What they stand in for.
    criterion.bench_function(
        "the system's allocator: a message of 100 bytes, filled",
        |bench| {
            bench.iter(|| black_box(MESSAGE.to_vec()));
        },
    );
}

criterion_group!(benches, pools);
criterion_main!(benches);

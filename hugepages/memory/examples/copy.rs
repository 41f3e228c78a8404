//! How fast a batch is copied from a near buffer into far memory, by length and way.
//!
//! `cargo run --release -p precursor-memory --example copy`

use std::time::Instant;

use precursor_memory::copy_to_cold;

/// More than any cache is likely to keep of one core's.
const MEMORY_BYTES: usize = 512 << 20;
const LENGTHS: [usize; 7] = [1024, 4096, 16 << 10, 32 << 10, 64 << 10, 107_000, 1 << 20];

/// Gigabytes per second through all of `memory`, the best of three laps.
fn speed(memory: &mut [u8], batch: &[u8], copy: fn(&mut [u8], &[u8])) -> f64 {
    let lap = |memory: &mut [u8]| {
        let start = Instant::now();
        // Batches follow one another closely, on no boundary.
        let places = memory.chunks_exact_mut(batch.len() + 61);
        let bytes = places.len() * batch.len();
        places.for_each(|place| copy(&mut place[..batch.len()], batch));
        bytes as f64 / start.elapsed().as_secs_f64() / 1e9
    };
    (0..3).map(|_| lap(memory)).fold(0.0, f64::max)
}

fn main() {
    let mut memory = vec![1; MEMORY_BYTES];
    println!(
        "{:>8} {:>8} {:>8}   GB/s",
        "bytes", "ordinary", "past the caches"
    );
    for bytes in LENGTHS {
        let batch: Vec<u8> = (0..bytes).map(|at| (at * 131) as u8).collect();
        let ordinary = speed(&mut memory, &batch, |to, from| to.copy_from_slice(from));
        let streamed = speed(&mut memory, &batch, copy_to_cold);
        println!("{bytes:>8} {ordinary:>8.1} {streamed:>8.1}");
    }
}

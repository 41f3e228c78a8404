//! How fast each way to a CRC-32C is, by length: where the choice between them should lie.
//!
//! `cargo run --release -p precursor-memory --example crc`

use std::hint::black_box;
use std::time::{Duration, Instant};

use precursor_memory::{crc32c_append, crc32c_folding_append, crc32c_portable_append};

const LENGTHS: [usize; 16] = [
    16,
    64,
    128,
    192,
    256,
    288,
    320,
    352,
    384,
    512,
    768,
    1024,
    4096,
    16384,
    102_400,
    1 << 20,
];

/// Gigabytes per second of the best of several runs.
fn speed(bytes: &[u8], checksum: fn(u32, &[u8]) -> u32) -> f64 {
    let rounds = (4 << 20) / bytes.len() + 1;
    let best = (0..7)
        .map(|_| {
            let start = Instant::now();
            for _ in 0..rounds {
                black_box(checksum(0, black_box(bytes)));
            }
            start.elapsed()
        })
        .min()
        .unwrap_or(Duration::MAX);
    (rounds * bytes.len()) as f64 / best.as_secs_f64() / 1e9
}

fn main() {
    println!(
        "{:>8} {:>8} {:>8} {:>8}   GB/s",
        "bytes", "chosen", "folding", "table"
    );
    for bytes in LENGTHS {
        let data: Vec<u8> = (0..bytes).map(|index| (index * 131) as u8).collect();
        println!(
            "{bytes:>8} {:>8.1} {:>8.1} {:>8.1}",
            speed(&data, crc32c_append),
            speed(&data, crc32c_folding_append),
            speed(&data, crc32c_portable_append),
        );
    }
}

//! The precursor command: supervisor, administration, produce, consume, bench.
#![forbid(unsafe_code)]

fn main() {}

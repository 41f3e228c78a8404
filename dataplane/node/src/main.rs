//! The data-plane process: configuration, pinning, wiring.
#![forbid(unsafe_code)]

fn main() {}

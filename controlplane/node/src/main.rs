//! The control-plane process.
#![forbid(unsafe_code)]

fn main() {}

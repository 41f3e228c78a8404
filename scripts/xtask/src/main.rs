//! Project commands: verify, fix, generate.
#![forbid(unsafe_code)]

fn main() {}

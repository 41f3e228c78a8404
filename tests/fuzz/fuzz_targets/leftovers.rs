#![no_main]

#[path = "../../../dataplane/storage/tests/hostile/partitions.rs"]
mod targets;

libfuzzer_sys::fuzz_target!(|data: &[u8]| targets::leftovers(data));

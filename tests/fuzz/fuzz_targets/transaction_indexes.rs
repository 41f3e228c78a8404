#![no_main]

#[path = "../../../dataplane/storage/tests/hostile/targets.rs"]
mod targets;

libfuzzer_sys::fuzz_target!(|data: &[u8]| targets::transaction_indexes(data));

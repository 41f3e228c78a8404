#![no_main]

#[path = "../../../dataplane/netstack/tests/hostile/targets.rs"]
mod targets;

libfuzzer_sys::fuzz_target!(|data: &[u8]| targets::netstack(data));

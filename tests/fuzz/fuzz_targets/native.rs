#![no_main]

#[path = "../../../dataplane/protocol/tests/hostile/targets.rs"]
#[expect(dead_code, reason = "one target of several")]
mod targets;

libfuzzer_sys::fuzz_target!(|data: &[u8]| targets::native(data));

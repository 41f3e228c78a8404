//! End-to-end tests of running brokers: crashes, garbage, limits.
#![forbid(unsafe_code)]

//! In-memory transport with seeded faults, for tests.
#![forbid(unsafe_code)]

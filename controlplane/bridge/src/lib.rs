//! The only place where async meets the ring.
#![forbid(unsafe_code)]

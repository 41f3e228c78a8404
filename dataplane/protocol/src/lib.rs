//! Kafka frames, headers, messages and record batches; sans-I/O.
#![forbid(unsafe_code)]

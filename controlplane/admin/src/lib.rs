//! The gRPC administration server.
#![forbid(unsafe_code)]

//! The gRPC administration interface: .proto and generated types.
#![forbid(unsafe_code)]

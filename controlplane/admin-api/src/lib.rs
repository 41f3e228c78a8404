//! The gRPC administration interface: types, clients and servers generated from `proto/`.
#![forbid(unsafe_code)]

/// `precursor.admin.v1`.
#[allow(clippy::all, clippy::pedantic)]
pub mod v1 {
    tonic::include_proto!("precursor.admin.v1");
}

/// The encoded descriptors of every service, for server reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

/// The metadata key of an error status that carries Kafka's name of the error.
pub const KAFKA_ERROR_KEY: &str = "precursor-kafka-error";

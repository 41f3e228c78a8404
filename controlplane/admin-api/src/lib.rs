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

#[cfg(test)]
mod tests {
    /// Whether a line of the interface declares something that its readers want explained.
    fn declares(line: &str) -> bool {
        let begins = ["service ", "rpc ", "message ", "enum ", "oneof "];
        let is_field = !line.starts_with("//") && line.ends_with(';') && line.contains(" = ");
        is_field || begins.iter().any(|begin| line.starts_with(begin))
    }

    #[test]
    fn everything_in_the_interface_is_explained_where_it_is_declared() {
        let text = include_str!("../proto/precursor/admin/v1/admin.proto");
        let (_header, body) = text.split_once("package ").unwrap();
        let lines: Vec<&str> = body.lines().skip(1).map(str::trim).collect();
        let declarations = lines.iter().filter(|line| declares(line)).count();
        assert!(declarations > 150, "only {declarations} were found");
        let bare: Vec<&str> = lines
            .windows(2)
            .filter(|pair| declares(pair[1]) && !pair[0].starts_with("// "))
            .map(|pair| pair[1])
            .collect();
        assert!(bare.is_empty(), "without a comment: {bare:#?}");
    }
}

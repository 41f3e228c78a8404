// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random DescribeClusterRequest.

use crate::random::{Random, Source};
use precursor_protocol::messages::describe_cluster_request::*;

impl Random for DescribeClusterRequest {
    fn random(s: &mut Source, version: i16) -> Self {
        let include_cluster_authorized_operations = s.bool();
        let endpoint_type = if version >= 1 { s.int8() } else { 1 };
        let include_fenced_brokers = if version >= 2 { s.bool() } else { false };
        let unknown_tagged_fields = s.tags(true, 0);
        DescribeClusterRequest {
            include_cluster_authorized_operations,
            endpoint_type,
            include_fenced_brokers,
            unknown_tagged_fields,
        }
    }
}

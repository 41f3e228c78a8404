// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random DescribeClusterResponse.

use crate::random::{Random, Source};
use precursor_protocol::messages::describe_cluster_response::*;

impl Random for DescribeClusterResponse {
    fn random(s: &mut Source, version: i16) -> Self {
        let throttle_time_ms = s.int32();
        let error_code = s.int16();
        let error_message = s.option(true, |s| s.string());
        let endpoint_type = if version >= 1 { s.int8() } else { 1 };
        let cluster_id = s.string();
        let controller_id = s.int32();
        let brokers = s.array(|s| DescribeClusterBroker::random(s, version));
        let cluster_authorized_operations = s.int32();
        let admin_address = if s.bool() {
            s.option(true, |s| s.string())
        } else {
            None
        };
        let unknown_tagged_fields = s.tags(true, 10001);
        DescribeClusterResponse {
            throttle_time_ms,
            error_code,
            error_message,
            endpoint_type,
            cluster_id,
            controller_id,
            brokers,
            cluster_authorized_operations,
            admin_address,
            unknown_tagged_fields,
        }
    }
}

impl Random for DescribeClusterBroker {
    fn random(s: &mut Source, version: i16) -> Self {
        let broker_id = s.int32();
        let host = s.string();
        let port = s.int32();
        let rack = s.option(true, |s| s.string());
        let is_fenced = if version >= 2 { s.bool() } else { false };
        let unknown_tagged_fields = s.tags(true, 0);
        DescribeClusterBroker {
            broker_id,
            host,
            port,
            rack,
            is_fenced,
            unknown_tagged_fields,
        }
    }
}

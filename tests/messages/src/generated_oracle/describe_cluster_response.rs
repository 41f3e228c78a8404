// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! DescribeClusterResponse as the oracle has it.

use crate::oracle::{ToOracle, compact_string, tags};
use kafka_protocol::messages::describe_cluster_response as theirs;
use precursor_protocol::messages::describe_cluster_response as ours;

impl ToOracle<theirs::DescribeClusterResponse> for ours::DescribeClusterResponse {
    fn to_oracle(&self, version: i16) -> theirs::DescribeClusterResponse {
        let mut theirs = theirs::DescribeClusterResponse::default();
        theirs.throttle_time_ms = self.throttle_time_ms.to_oracle(version);
        theirs.error_code = self.error_code.to_oracle(version);
        theirs.error_message = self.error_message.to_oracle(version);
        if version >= 1 {
            theirs.endpoint_type = self.endpoint_type.to_oracle(version);
        }
        theirs.cluster_id = self.cluster_id.to_oracle(version);
        theirs.controller_id = self.controller_id.to_oracle(version);
        theirs.brokers = self.brokers.to_oracle(version);
        theirs.cluster_authorized_operations =
            self.cluster_authorized_operations.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        if let Some(text) = &self.admin_address {
            theirs
                .unknown_tagged_fields
                .insert(10000, compact_string(text));
        }
        theirs
    }
}

impl ToOracle<theirs::DescribeClusterBroker> for ours::DescribeClusterBroker {
    fn to_oracle(&self, version: i16) -> theirs::DescribeClusterBroker {
        let mut theirs = theirs::DescribeClusterBroker::default();
        theirs.broker_id = self.broker_id.to_oracle(version);
        theirs.host = self.host.to_oracle(version);
        theirs.port = self.port.to_oracle(version);
        theirs.rack = self.rack.to_oracle(version);
        if version >= 2 {
            theirs.is_fenced = self.is_fenced.to_oracle(version);
        }
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

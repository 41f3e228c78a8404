// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! DescribeClusterRequest as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::describe_cluster_request as theirs;
use precursor_protocol::messages::describe_cluster_request as ours;

impl ToOracle<theirs::DescribeClusterRequest> for ours::DescribeClusterRequest {
    fn to_oracle(&self, version: i16) -> theirs::DescribeClusterRequest {
        let mut theirs = theirs::DescribeClusterRequest::default();
        theirs.include_cluster_authorized_operations = self
            .include_cluster_authorized_operations
            .to_oracle(version);
        if version >= 1 {
            theirs.endpoint_type = self.endpoint_type.to_oracle(version);
        }
        if version >= 2 {
            theirs.include_fenced_brokers = self.include_fenced_brokers.to_oracle(version);
        }
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

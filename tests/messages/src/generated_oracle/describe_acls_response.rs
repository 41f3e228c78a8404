// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! DescribeAclsResponse as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::describe_acls_response as theirs;
use precursor_protocol::messages::describe_acls_response as ours;

impl ToOracle<theirs::DescribeAclsResponse> for ours::DescribeAclsResponse {
    fn to_oracle(&self, version: i16) -> theirs::DescribeAclsResponse {
        let mut theirs = theirs::DescribeAclsResponse::default();
        theirs.throttle_time_ms = self.throttle_time_ms.to_oracle(version);
        theirs.error_code = self.error_code.to_oracle(version);
        theirs.error_message = self.error_message.to_oracle(version);
        theirs.resources = self.resources.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::DescribeAclsResource> for ours::DescribeAclsResource {
    fn to_oracle(&self, version: i16) -> theirs::DescribeAclsResource {
        let mut theirs = theirs::DescribeAclsResource::default();
        theirs.resource_type = self.resource_type.to_oracle(version);
        theirs.resource_name = self.resource_name.to_oracle(version);
        theirs.pattern_type = self.pattern_type.to_oracle(version);
        theirs.acls = self.acls.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::AclDescription> for ours::AclDescription {
    fn to_oracle(&self, version: i16) -> theirs::AclDescription {
        let mut theirs = theirs::AclDescription::default();
        theirs.principal = self.principal.to_oracle(version);
        theirs.host = self.host.to_oracle(version);
        theirs.operation = self.operation.to_oracle(version);
        theirs.permission_type = self.permission_type.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! CreateAclsRequest as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::create_acls_request as theirs;
use precursor_protocol::messages::create_acls_request as ours;

impl ToOracle<theirs::CreateAclsRequest> for ours::CreateAclsRequest {
    fn to_oracle(&self, version: i16) -> theirs::CreateAclsRequest {
        let mut theirs = theirs::CreateAclsRequest::default();
        theirs.creations = self.creations.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::AclCreation> for ours::AclCreation {
    fn to_oracle(&self, version: i16) -> theirs::AclCreation {
        let mut theirs = theirs::AclCreation::default();
        theirs.resource_type = self.resource_type.to_oracle(version);
        theirs.resource_name = self.resource_name.to_oracle(version);
        theirs.resource_pattern_type = self.resource_pattern_type.to_oracle(version);
        theirs.principal = self.principal.to_oracle(version);
        theirs.host = self.host.to_oracle(version);
        theirs.operation = self.operation.to_oracle(version);
        theirs.permission_type = self.permission_type.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! DeleteAclsResponse as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::delete_acls_response as theirs;
use precursor_protocol::messages::delete_acls_response as ours;

impl ToOracle<theirs::DeleteAclsResponse> for ours::DeleteAclsResponse {
    fn to_oracle(&self, version: i16) -> theirs::DeleteAclsResponse {
        let mut theirs = theirs::DeleteAclsResponse::default();
        theirs.throttle_time_ms = self.throttle_time_ms.to_oracle(version);
        theirs.filter_results = self.filter_results.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::DeleteAclsFilterResult> for ours::DeleteAclsFilterResult {
    fn to_oracle(&self, version: i16) -> theirs::DeleteAclsFilterResult {
        let mut theirs = theirs::DeleteAclsFilterResult::default();
        theirs.error_code = self.error_code.to_oracle(version);
        theirs.error_message = self.error_message.to_oracle(version);
        theirs.matching_acls = self.matching_acls.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::DeleteAclsMatchingAcl> for ours::DeleteAclsMatchingAcl {
    fn to_oracle(&self, version: i16) -> theirs::DeleteAclsMatchingAcl {
        let mut theirs = theirs::DeleteAclsMatchingAcl::default();
        theirs.error_code = self.error_code.to_oracle(version);
        theirs.error_message = self.error_message.to_oracle(version);
        theirs.resource_type = self.resource_type.to_oracle(version);
        theirs.resource_name = self.resource_name.to_oracle(version);
        theirs.pattern_type = self.pattern_type.to_oracle(version);
        theirs.principal = self.principal.to_oracle(version);
        theirs.host = self.host.to_oracle(version);
        theirs.operation = self.operation.to_oracle(version);
        theirs.permission_type = self.permission_type.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! CreateAclsResponse as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::create_acls_response as theirs;
use precursor_protocol::messages::create_acls_response as ours;

impl ToOracle<theirs::CreateAclsResponse> for ours::CreateAclsResponse {
    fn to_oracle(&self, version: i16) -> theirs::CreateAclsResponse {
        let mut theirs = theirs::CreateAclsResponse::default();
        theirs.throttle_time_ms = self.throttle_time_ms.to_oracle(version);
        theirs.results = self.results.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::AclCreationResult> for ours::AclCreationResult {
    fn to_oracle(&self, version: i16) -> theirs::AclCreationResult {
        let mut theirs = theirs::AclCreationResult::default();
        theirs.error_code = self.error_code.to_oracle(version);
        theirs.error_message = self.error_message.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

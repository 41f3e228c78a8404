// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! ApiVersionsRequest as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::api_versions_request as theirs;
use precursor_protocol::messages::api_versions_request as ours;

impl ToOracle<theirs::ApiVersionsRequest> for ours::ApiVersionsRequest {
    fn to_oracle(&self, version: i16) -> theirs::ApiVersionsRequest {
        let mut theirs = theirs::ApiVersionsRequest::default();
        if version >= 3 {
            theirs.client_software_name = self.client_software_name.to_oracle(version);
        }
        if version >= 3 {
            theirs.client_software_version = self.client_software_version.to_oracle(version);
        }
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

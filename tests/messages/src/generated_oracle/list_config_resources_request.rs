// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! ListConfigResourcesRequest as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::list_config_resources_request as theirs;
use precursor_protocol::messages::list_config_resources_request as ours;

impl ToOracle<theirs::ListConfigResourcesRequest> for ours::ListConfigResourcesRequest {
    fn to_oracle(&self, version: i16) -> theirs::ListConfigResourcesRequest {
        let mut theirs = theirs::ListConfigResourcesRequest::default();
        if version >= 1 {
            theirs.resource_types = self.resource_types.to_oracle(version);
        }
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! DescribeClientQuotasRequest as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::describe_client_quotas_request as theirs;
use precursor_protocol::messages::describe_client_quotas_request as ours;

impl ToOracle<theirs::DescribeClientQuotasRequest> for ours::DescribeClientQuotasRequest {
    fn to_oracle(&self, version: i16) -> theirs::DescribeClientQuotasRequest {
        let mut theirs = theirs::DescribeClientQuotasRequest::default();
        theirs.components = self.components.to_oracle(version);
        theirs.strict = self.strict.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::ComponentData> for ours::ComponentData {
    fn to_oracle(&self, version: i16) -> theirs::ComponentData {
        let mut theirs = theirs::ComponentData::default();
        theirs.entity_type = self.entity_type.to_oracle(version);
        theirs.match_type = self.match_type.to_oracle(version);
        theirs._match = self.r#match.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

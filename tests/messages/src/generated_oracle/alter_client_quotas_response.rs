// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! AlterClientQuotasResponse as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::alter_client_quotas_response as theirs;
use precursor_protocol::messages::alter_client_quotas_response as ours;

impl ToOracle<theirs::AlterClientQuotasResponse> for ours::AlterClientQuotasResponse {
    fn to_oracle(&self, version: i16) -> theirs::AlterClientQuotasResponse {
        let mut theirs = theirs::AlterClientQuotasResponse::default();
        theirs.throttle_time_ms = self.throttle_time_ms.to_oracle(version);
        theirs.entries = self.entries.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::EntryData> for ours::EntryData {
    fn to_oracle(&self, version: i16) -> theirs::EntryData {
        let mut theirs = theirs::EntryData::default();
        theirs.error_code = self.error_code.to_oracle(version);
        theirs.error_message = self.error_message.to_oracle(version);
        theirs.entity = self.entity.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::EntityData> for ours::EntityData {
    fn to_oracle(&self, version: i16) -> theirs::EntityData {
        let mut theirs = theirs::EntityData::default();
        theirs.entity_type = self.entity_type.to_oracle(version);
        theirs.entity_name = self.entity_name.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

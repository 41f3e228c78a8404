// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! AlterClientQuotasRequest as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::alter_client_quotas_request as theirs;
use precursor_protocol::messages::alter_client_quotas_request as ours;

impl ToOracle<theirs::AlterClientQuotasRequest> for ours::AlterClientQuotasRequest {
    fn to_oracle(&self, version: i16) -> theirs::AlterClientQuotasRequest {
        let mut theirs = theirs::AlterClientQuotasRequest::default();
        theirs.entries = self.entries.to_oracle(version);
        theirs.validate_only = self.validate_only.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::EntryData> for ours::EntryData {
    fn to_oracle(&self, version: i16) -> theirs::EntryData {
        let mut theirs = theirs::EntryData::default();
        theirs.entity = self.entity.to_oracle(version);
        theirs.ops = self.ops.to_oracle(version);
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

impl ToOracle<theirs::OpData> for ours::OpData {
    fn to_oracle(&self, version: i16) -> theirs::OpData {
        let mut theirs = theirs::OpData::default();
        theirs.key = self.key.to_oracle(version);
        theirs.value = self.value.to_oracle(version);
        theirs.remove = self.remove.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random AlterClientQuotasResponse.

use crate::random::{Random, Source};
use precursor_protocol::messages::alter_client_quotas_response::*;

impl Random for AlterClientQuotasResponse {
    fn random(s: &mut Source, version: i16) -> Self {
        let throttle_time_ms = s.int32();
        let entries = s.array(|s| EntryData::random(s, version));
        let unknown_tagged_fields = s.tags(version >= 1, 0);
        AlterClientQuotasResponse {
            throttle_time_ms,
            entries,
            unknown_tagged_fields,
        }
    }
}

impl Random for EntryData {
    fn random(s: &mut Source, version: i16) -> Self {
        let error_code = s.int16();
        let error_message = s.option(true, |s| s.string());
        let entity = s.array(|s| EntityData::random(s, version));
        let unknown_tagged_fields = s.tags(version >= 1, 0);
        EntryData {
            error_code,
            error_message,
            entity,
            unknown_tagged_fields,
        }
    }
}

impl Random for EntityData {
    fn random(s: &mut Source, version: i16) -> Self {
        let entity_type = s.string();
        let entity_name = s.option(true, |s| s.string());
        let unknown_tagged_fields = s.tags(version >= 1, 0);
        EntityData {
            entity_type,
            entity_name,
            unknown_tagged_fields,
        }
    }
}

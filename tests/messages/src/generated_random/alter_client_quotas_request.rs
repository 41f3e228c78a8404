// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random AlterClientQuotasRequest.

use crate::random::{Random, Source};
use precursor_protocol::messages::alter_client_quotas_request::*;

impl Random for AlterClientQuotasRequest {
    fn random(s: &mut Source, version: i16) -> Self {
        let entries = s.array(|s| EntryData::random(s, version));
        let validate_only = s.bool();
        let unknown_tagged_fields = s.tags(version >= 1, 0);
        AlterClientQuotasRequest {
            entries,
            validate_only,
            unknown_tagged_fields,
        }
    }
}

impl Random for EntryData {
    fn random(s: &mut Source, version: i16) -> Self {
        let entity = s.array(|s| EntityData::random(s, version));
        let ops = s.array(|s| OpData::random(s, version));
        let unknown_tagged_fields = s.tags(version >= 1, 0);
        EntryData {
            entity,
            ops,
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

impl Random for OpData {
    fn random(s: &mut Source, version: i16) -> Self {
        let key = s.string();
        let value = s.float64();
        let remove = s.bool();
        let unknown_tagged_fields = s.tags(version >= 1, 0);
        OpData {
            key,
            value,
            remove,
            unknown_tagged_fields,
        }
    }
}

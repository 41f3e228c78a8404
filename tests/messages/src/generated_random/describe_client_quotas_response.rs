// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random DescribeClientQuotasResponse.

use crate::random::{Random, Source};
use precursor_protocol::messages::describe_client_quotas_response::*;

impl Random for DescribeClientQuotasResponse {
    fn random(s: &mut Source, version: i16) -> Self {
        let throttle_time_ms = s.int32();
        let error_code = s.int16();
        let error_message = s.option(true, |s| s.string());
        let entries = s.option(true, |s| s.array(|s| EntryData::random(s, version)));
        let unknown_tagged_fields = s.tags(version >= 1, 0);
        DescribeClientQuotasResponse {
            throttle_time_ms,
            error_code,
            error_message,
            entries,
            unknown_tagged_fields,
        }
    }
}

impl Random for EntryData {
    fn random(s: &mut Source, version: i16) -> Self {
        let entity = s.array(|s| EntityData::random(s, version));
        let values = s.array(|s| ValueData::random(s, version));
        let unknown_tagged_fields = s.tags(version >= 1, 0);
        EntryData {
            entity,
            values,
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

impl Random for ValueData {
    fn random(s: &mut Source, version: i16) -> Self {
        let key = s.string();
        let value = s.float64();
        let unknown_tagged_fields = s.tags(version >= 1, 0);
        ValueData {
            key,
            value,
            unknown_tagged_fields,
        }
    }
}

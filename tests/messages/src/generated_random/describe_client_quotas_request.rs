// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random DescribeClientQuotasRequest.

use crate::random::{Random, Source};
use precursor_protocol::messages::describe_client_quotas_request::*;

impl Random for DescribeClientQuotasRequest {
    fn random(s: &mut Source, version: i16) -> Self {
        let components = s.array(|s| ComponentData::random(s, version));
        let strict = s.bool();
        let unknown_tagged_fields = s.tags(version >= 1, 0);
        DescribeClientQuotasRequest {
            components,
            strict,
            unknown_tagged_fields,
        }
    }
}

impl Random for ComponentData {
    fn random(s: &mut Source, version: i16) -> Self {
        let entity_type = s.string();
        let match_type = s.int8();
        let r#match = s.option(true, |s| s.string());
        let unknown_tagged_fields = s.tags(version >= 1, 0);
        ComponentData {
            entity_type,
            match_type,
            r#match,
            unknown_tagged_fields,
        }
    }
}

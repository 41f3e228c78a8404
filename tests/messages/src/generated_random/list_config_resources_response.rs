// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random ListConfigResourcesResponse.

use crate::random::{Random, Source};
use precursor_protocol::messages::list_config_resources_response::*;

impl Random for ListConfigResourcesResponse {
    fn random(s: &mut Source, version: i16) -> Self {
        let throttle_time_ms = s.int32();
        let error_code = s.int16();
        let config_resources = s.array(|s| ConfigResource::random(s, version));
        let unknown_tagged_fields = s.tags(true, 0);
        ListConfigResourcesResponse {
            throttle_time_ms,
            error_code,
            config_resources,
            unknown_tagged_fields,
        }
    }
}

impl Random for ConfigResource {
    fn random(s: &mut Source, version: i16) -> Self {
        let resource_name = s.string();
        let resource_type = if version >= 1 { s.int8() } else { 16 };
        let unknown_tagged_fields = s.tags(true, 0);
        ConfigResource {
            resource_name,
            resource_type,
            unknown_tagged_fields,
        }
    }
}

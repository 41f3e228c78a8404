// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random AlterConfigsRequest.

use crate::random::{Random, Source};
use precursor_protocol::messages::alter_configs_request::*;

impl Random for AlterConfigsRequest {
    fn random(s: &mut Source, version: i16) -> Self {
        let resources = s.array(|s| AlterConfigsResource::random(s, version));
        let validate_only = s.bool();
        let unknown_tagged_fields = s.tags(version >= 2, 0);
        AlterConfigsRequest {
            resources,
            validate_only,
            unknown_tagged_fields,
        }
    }
}

impl Random for AlterConfigsResource {
    fn random(s: &mut Source, version: i16) -> Self {
        let resource_type = s.int8();
        let resource_name = s.string();
        let configs = s.array(|s| AlterableConfig::random(s, version));
        let unknown_tagged_fields = s.tags(version >= 2, 0);
        AlterConfigsResource {
            resource_type,
            resource_name,
            configs,
            unknown_tagged_fields,
        }
    }
}

impl Random for AlterableConfig {
    fn random(s: &mut Source, version: i16) -> Self {
        let name = s.string();
        let value = s.option(true, |s| s.string());
        let unknown_tagged_fields = s.tags(version >= 2, 0);
        AlterableConfig {
            name,
            value,
            unknown_tagged_fields,
        }
    }
}

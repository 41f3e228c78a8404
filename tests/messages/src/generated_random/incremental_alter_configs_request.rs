// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random IncrementalAlterConfigsRequest.

use crate::random::{Random, Source};
use precursor_protocol::messages::incremental_alter_configs_request::*;

impl Random for IncrementalAlterConfigsRequest {
    fn random(s: &mut Source, version: i16) -> Self {
        let resources = s.array(|s| AlterConfigsResource::random(s, version));
        let validate_only = s.bool();
        let unknown_tagged_fields = s.tags(version >= 1, 0);
        IncrementalAlterConfigsRequest {
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
        let unknown_tagged_fields = s.tags(version >= 1, 0);
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
        let config_operation = s.int8();
        let value = s.option(true, |s| s.string());
        let unknown_tagged_fields = s.tags(version >= 1, 0);
        AlterableConfig {
            name,
            config_operation,
            value,
            unknown_tagged_fields,
        }
    }
}

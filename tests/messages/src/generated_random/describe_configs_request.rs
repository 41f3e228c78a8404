// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random DescribeConfigsRequest.

use crate::random::{Random, Source};
use precursor_protocol::messages::describe_configs_request::*;

impl Random for DescribeConfigsRequest {
    fn random(s: &mut Source, version: i16) -> Self {
        let resources = s.array(|s| DescribeConfigsResource::random(s, version));
        let include_synonyms = s.bool();
        let include_documentation = if version >= 3 { s.bool() } else { false };
        let unknown_tagged_fields = s.tags(version >= 4, 0);
        DescribeConfigsRequest {
            resources,
            include_synonyms,
            include_documentation,
            unknown_tagged_fields,
        }
    }
}

impl Random for DescribeConfigsResource {
    fn random(s: &mut Source, version: i16) -> Self {
        let resource_type = s.int8();
        let resource_name = s.string();
        let configuration_keys = s.option(true, |s| s.array(|s| s.string()));
        let unknown_tagged_fields = s.tags(version >= 4, 0);
        DescribeConfigsResource {
            resource_type,
            resource_name,
            configuration_keys,
            unknown_tagged_fields,
        }
    }
}

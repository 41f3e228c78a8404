// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random DescribeConfigsResponse.

use crate::random::{Random, Source};
use precursor_protocol::messages::describe_configs_response::*;

impl Random for DescribeConfigsResponse {
    fn random(s: &mut Source, version: i16) -> Self {
        let throttle_time_ms = s.int32();
        let results = s.array(|s| DescribeConfigsResult::random(s, version));
        let unknown_tagged_fields = s.tags(version >= 4, 0);
        DescribeConfigsResponse {
            throttle_time_ms,
            results,
            unknown_tagged_fields,
        }
    }
}

impl Random for DescribeConfigsResult {
    fn random(s: &mut Source, version: i16) -> Self {
        let error_code = s.int16();
        let error_message = s.option(true, |s| s.string());
        let resource_type = s.int8();
        let resource_name = s.string();
        let configs = s.array(|s| DescribeConfigsResourceResult::random(s, version));
        let unknown_tagged_fields = s.tags(version >= 4, 0);
        DescribeConfigsResult {
            error_code,
            error_message,
            resource_type,
            resource_name,
            configs,
            unknown_tagged_fields,
        }
    }
}

impl Random for DescribeConfigsResourceResult {
    fn random(s: &mut Source, version: i16) -> Self {
        let name = s.string();
        let value = s.option(true, |s| s.string());
        let read_only = s.bool();
        let config_source = s.int8();
        let is_sensitive = s.bool();
        let synonyms = s.array(|s| DescribeConfigsSynonym::random(s, version));
        let config_type = if version >= 3 { s.int8() } else { 0 };
        let documentation = if version >= 3 {
            s.option(true, |s| s.string())
        } else {
            None
        };
        let unknown_tagged_fields = s.tags(version >= 4, 0);
        DescribeConfigsResourceResult {
            name,
            value,
            read_only,
            config_source,
            is_sensitive,
            synonyms,
            config_type,
            documentation,
            unknown_tagged_fields,
        }
    }
}

impl Random for DescribeConfigsSynonym {
    fn random(s: &mut Source, version: i16) -> Self {
        let name = s.string();
        let value = s.option(true, |s| s.string());
        let source = s.int8();
        let unknown_tagged_fields = s.tags(version >= 4, 0);
        DescribeConfigsSynonym {
            name,
            value,
            source,
            unknown_tagged_fields,
        }
    }
}

// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random IncrementalAlterConfigsResponse.

use crate::random::{Random, Source};
use precursor_protocol::messages::incremental_alter_configs_response::*;

impl Random for IncrementalAlterConfigsResponse {
    fn random(s: &mut Source, version: i16) -> Self {
        let throttle_time_ms = s.int32();
        let responses = s.array(|s| AlterConfigsResourceResponse::random(s, version));
        let unknown_tagged_fields = s.tags(version >= 1, 0);
        IncrementalAlterConfigsResponse {
            throttle_time_ms,
            responses,
            unknown_tagged_fields,
        }
    }
}

impl Random for AlterConfigsResourceResponse {
    fn random(s: &mut Source, version: i16) -> Self {
        let error_code = s.int16();
        let error_message = s.option(true, |s| s.string());
        let resource_type = s.int8();
        let resource_name = s.string();
        let unknown_tagged_fields = s.tags(version >= 1, 0);
        AlterConfigsResourceResponse {
            error_code,
            error_message,
            resource_type,
            resource_name,
            unknown_tagged_fields,
        }
    }
}

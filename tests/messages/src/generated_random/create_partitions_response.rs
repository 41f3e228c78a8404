// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random CreatePartitionsResponse.

use crate::random::{Random, Source};
use precursor_protocol::messages::create_partitions_response::*;

impl Random for CreatePartitionsResponse {
    fn random(s: &mut Source, version: i16) -> Self {
        let throttle_time_ms = s.int32();
        let results = s.array(|s| CreatePartitionsTopicResult::random(s, version));
        let unknown_tagged_fields = s.tags(version >= 2, 0);
        CreatePartitionsResponse {
            throttle_time_ms,
            results,
            unknown_tagged_fields,
        }
    }
}

impl Random for CreatePartitionsTopicResult {
    fn random(s: &mut Source, version: i16) -> Self {
        let name = s.string();
        let error_code = s.int16();
        let error_message = s.option(true, |s| s.string());
        let unknown_tagged_fields = s.tags(version >= 2, 0);
        CreatePartitionsTopicResult {
            name,
            error_code,
            error_message,
            unknown_tagged_fields,
        }
    }
}

// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random CreatePartitionsRequest.

use crate::random::{Random, Source};
use precursor_protocol::messages::create_partitions_request::*;

impl Random for CreatePartitionsRequest {
    fn random(s: &mut Source, version: i16) -> Self {
        let topics = s.array(|s| CreatePartitionsTopic::random(s, version));
        let timeout_ms = s.int32();
        let validate_only = s.bool();
        let unknown_tagged_fields = s.tags(version >= 2, 0);
        CreatePartitionsRequest {
            topics,
            timeout_ms,
            validate_only,
            unknown_tagged_fields,
        }
    }
}

impl Random for CreatePartitionsTopic {
    fn random(s: &mut Source, version: i16) -> Self {
        let name = s.string();
        let count = s.int32();
        let assignments = s.option(true, |s| {
            s.array(|s| CreatePartitionsAssignment::random(s, version))
        });
        let unknown_tagged_fields = s.tags(version >= 2, 0);
        CreatePartitionsTopic {
            name,
            count,
            assignments,
            unknown_tagged_fields,
        }
    }
}

impl Random for CreatePartitionsAssignment {
    fn random(s: &mut Source, version: i16) -> Self {
        let broker_ids = s.array(|s| s.int32());
        let unknown_tagged_fields = s.tags(version >= 2, 0);
        CreatePartitionsAssignment {
            broker_ids,
            unknown_tagged_fields,
        }
    }
}

// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random DescribeLogDirsRequest.

use crate::random::{Random, Source};
use precursor_protocol::messages::describe_log_dirs_request::*;

impl Random for DescribeLogDirsRequest {
    fn random(s: &mut Source, version: i16) -> Self {
        let topics = s.option(true, |s| {
            s.array(|s| DescribableLogDirTopic::random(s, version))
        });
        let unknown_tagged_fields = s.tags(version >= 2, 0);
        DescribeLogDirsRequest {
            topics,
            unknown_tagged_fields,
        }
    }
}

impl Random for DescribableLogDirTopic {
    fn random(s: &mut Source, version: i16) -> Self {
        let topic = s.string();
        let partitions = s.array(|s| s.int32());
        let unknown_tagged_fields = s.tags(version >= 2, 0);
        DescribableLogDirTopic {
            topic,
            partitions,
            unknown_tagged_fields,
        }
    }
}

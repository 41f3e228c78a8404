// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random ConsumerGroupDescribeResponse.

use crate::random::{Random, Source};
use precursor_protocol::messages::consumer_group_describe_response::*;

impl Random for ConsumerGroupDescribeResponse {
    fn random(s: &mut Source, version: i16) -> Self {
        let throttle_time_ms = s.int32();
        let groups = s.array(|s| DescribedGroup::random(s, version));
        let unknown_tagged_fields = s.tags(true, 0);
        ConsumerGroupDescribeResponse {
            throttle_time_ms,
            groups,
            unknown_tagged_fields,
        }
    }
}

impl Random for DescribedGroup {
    fn random(s: &mut Source, version: i16) -> Self {
        let error_code = s.int16();
        let error_message = s.option(true, |s| s.string());
        let group_id = s.string();
        let group_state = s.string();
        let group_epoch = s.int32();
        let assignment_epoch = s.int32();
        let assignor_name = s.string();
        let members = s.array(|s| Member::random(s, version));
        let authorized_operations = s.int32();
        let unknown_tagged_fields = s.tags(true, 0);
        DescribedGroup {
            error_code,
            error_message,
            group_id,
            group_state,
            group_epoch,
            assignment_epoch,
            assignor_name,
            members,
            authorized_operations,
            unknown_tagged_fields,
        }
    }
}

impl Random for Member {
    fn random(s: &mut Source, version: i16) -> Self {
        let member_id = s.string();
        let instance_id = s.option(true, |s| s.string());
        let rack_id = s.option(true, |s| s.string());
        let member_epoch = s.int32();
        let client_id = s.string();
        let client_host = s.string();
        let subscribed_topic_names = s.array(|s| s.string());
        let subscribed_topic_regex = s.option(true, |s| s.string());
        let assignment = Assignment::random(s, version);
        let target_assignment = Assignment::random(s, version);
        let member_type = if version >= 1 { s.int8() } else { -1 };
        let unknown_tagged_fields = s.tags(true, 0);
        Member {
            member_id,
            instance_id,
            rack_id,
            member_epoch,
            client_id,
            client_host,
            subscribed_topic_names,
            subscribed_topic_regex,
            assignment,
            target_assignment,
            member_type,
            unknown_tagged_fields,
        }
    }
}

impl Random for Assignment {
    fn random(s: &mut Source, version: i16) -> Self {
        let topic_partitions = s.array(|s| TopicPartitions::random(s, version));
        let unknown_tagged_fields = s.tags(true, 0);
        Assignment {
            topic_partitions,
            unknown_tagged_fields,
        }
    }
}

impl Random for TopicPartitions {
    fn random(s: &mut Source, _version: i16) -> Self {
        let topic_id = s.topic_id();
        let topic_name = s.string();
        let partitions = s.array(|s| s.int32());
        let unknown_tagged_fields = s.tags(true, 0);
        TopicPartitions {
            topic_id,
            topic_name,
            partitions,
            unknown_tagged_fields,
        }
    }
}

// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random DescribeGroupsResponse.

use crate::random::{Random, Source};
use precursor_protocol::messages::describe_groups_response::*;

impl Random for DescribeGroupsResponse {
    fn random(s: &mut Source, version: i16) -> Self {
        let throttle_time_ms = if version >= 1 { s.int32() } else { 0 };
        let groups = s.array(|s| DescribedGroup::random(s, version));
        let unknown_tagged_fields = s.tags(version >= 5, 0);
        DescribeGroupsResponse {
            throttle_time_ms,
            groups,
            unknown_tagged_fields,
        }
    }
}

impl Random for DescribedGroup {
    fn random(s: &mut Source, version: i16) -> Self {
        let error_code = s.int16();
        let error_message = if version >= 6 {
            s.option(true, |s| s.string())
        } else {
            None
        };
        let group_id = s.string();
        let group_state = s.string();
        let protocol_type = s.string();
        let protocol_data = s.string();
        let members = s.array(|s| DescribedGroupMember::random(s, version));
        let authorized_operations = if version >= 3 { s.int32() } else { i32::MIN };
        let unknown_tagged_fields = s.tags(version >= 5, 0);
        DescribedGroup {
            error_code,
            error_message,
            group_id,
            group_state,
            protocol_type,
            protocol_data,
            members,
            authorized_operations,
            unknown_tagged_fields,
        }
    }
}

impl Random for DescribedGroupMember {
    fn random(s: &mut Source, version: i16) -> Self {
        let member_id = s.string();
        let group_instance_id = if version >= 4 {
            s.option(true, |s| s.string())
        } else {
            None
        };
        let client_id = s.string();
        let client_host = s.string();
        let member_metadata = s.bytes();
        let member_assignment = s.bytes();
        let unknown_tagged_fields = s.tags(version >= 5, 0);
        DescribedGroupMember {
            member_id,
            group_instance_id,
            client_id,
            client_host,
            member_metadata,
            member_assignment,
            unknown_tagged_fields,
        }
    }
}

//! What goes into a coordinator and what comes out.

use precursor_protocol::messages::delete_groups_response::DeletableGroupResult;
use precursor_protocol::messages::describe_groups_response::DescribedGroup;
use precursor_protocol::messages::list_groups_response::ListedGroup;
use precursor_protocol::messages::offset_fetch_request::OffsetFetchRequestGroup;
use precursor_protocol::messages::offset_fetch_response::OffsetFetchResponseGroup;
use precursor_protocol::messages::{
    HeartbeatRequest, HeartbeatResponse, JoinGroupRequest, JoinGroupResponse, LeaveGroupRequest,
    LeaveGroupResponse, OffsetCommitRequest, OffsetCommitResponse, OffsetDeleteRequest,
    OffsetDeleteResponse, SyncGroupRequest, SyncGroupResponse,
};

/// The time at which an input arrives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// Never goes back; its zero means nothing. Timers go by it.
    pub monotonic_ms: u64,
    /// Milliseconds since 1970, as written to the log; it may jump.
    pub wall_ms: i64,
}

/// What a request brings besides its message.
#[derive(Clone, Debug, Default)]
pub struct RequestContext {
    /// Comes back with the answer, exactly once. The caller keeps tokens apart.
    pub token: u64,
    /// The version of the request; the answer is one that this version can carry.
    pub version: i16,
    pub client_id: String,
    /// The client's address. Kafka writes Java's form, a slash before it: `/192.0.2.1`.
    pub client_host: String,
    pub now: Now,
    /// Random bytes of the caller: the member's id is made of them where one is given out.
    pub uuid: [u8; 16],
}

/// A request to one coordinator. Messages that name several groups (OffsetFetch from version 8,
/// DescribeGroups, DeleteGroups, ListGroups) are split by the caller: each coordinator is asked
/// about its own groups.
///
/// Authorisation is the caller's; so are topics that do not exist. OffsetCommit and OffsetFetch
/// by topic id (version 10) come with the names filled in beside the ids, and topics that the
/// caller refuses do not come at all.
#[derive(Clone, Debug)]
pub enum Request {
    JoinGroup(JoinGroupRequest),
    SyncGroup(SyncGroupRequest),
    Heartbeat(HeartbeatRequest),
    LeaveGroup(LeaveGroupRequest),
    OffsetCommit(OffsetCommitRequest),
    /// One group's part, of any version: before version 8 the caller makes it out of the message.
    OffsetFetch {
        group: OffsetFetchRequestGroup,
        require_stable: bool,
    },
    OffsetDelete(OffsetDeleteRequest),
    DescribeGroups {
        group_ids: Vec<String>,
    },
    /// Empty filters let everything pass; states and types are compared without regard to case.
    ListGroups {
        states_filter: Vec<String>,
        types_filter: Vec<String>,
    },
    DeleteGroups {
        group_ids: Vec<String>,
    },
}

/// The answer to the [`Request`] of the same name. Lists follow the order of the request.
#[derive(Clone, Debug, PartialEq)]
pub enum Response {
    JoinGroup(JoinGroupResponse),
    SyncGroup(SyncGroupResponse),
    Heartbeat(HeartbeatResponse),
    LeaveGroup(LeaveGroupResponse),
    OffsetCommit(OffsetCommitResponse),
    /// Topics carry both name and id; before version 8 the caller takes the group's part apart.
    OffsetFetch(OffsetFetchResponseGroup),
    OffsetDelete(OffsetDeleteResponse),
    /// Authorised operations are the caller's to fill in.
    DescribeGroups(Vec<DescribedGroup>),
    /// An error while the coordinator loads or is unloaded: NOT_COORDINATOR means that it has no
    /// groups to list, COORDINATOR_LOAD_IN_PROGRESS is the answer to the client.
    ListGroups(Result<Vec<ListedGroup>, precursor_model::ErrorCode>),
    DeleteGroups(Vec<DeletableGroupResult>),
}

/// A record for `__consumer_offsets`: key, and value or tombstone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub key: Vec<u8>,
    /// `None`: a tombstone.
    pub value: Option<Vec<u8>>,
}

/// What the coordinator wants done, in this order.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// The answer to the request that came with `token`.
    Reply { token: u64, response: Response },
    /// One batch for the coordinator's partition, whole or not at all; its timestamp is the time
    /// of appending. The outcome is told by `appended` with the same id.
    Append {
        append_id: u64,
        records: Vec<Record>,
    },
}

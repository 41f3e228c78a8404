//! A consumer as the coordinator sees one.

use crate::world::{GROUP, PARTITIONS, Rng};
use precursor_groups::{Request, Response};
use precursor_model::ErrorCode;
use precursor_protocol::messages::join_group_request::JoinGroupRequestProtocol;
use precursor_protocol::messages::leave_group_request::MemberIdentity;
use precursor_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use precursor_protocol::messages::offset_fetch_request::OffsetFetchRequestGroup;
use precursor_protocol::messages::sync_group_request::SyncGroupRequestAssignment;
use precursor_protocol::messages::{
    HeartbeatRequest, JoinGroupRequest, JoinGroupResponse, LeaveGroupRequest, OffsetCommitRequest,
    SyncGroupRequest,
};
use std::collections::BTreeMap;

pub const SESSION_MS: u64 = 10_000;
pub const REBALANCE_MS: u64 = 20_000;
const HEARTBEAT_MS: u64 = 3_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Crashed, or left.
    Down,
    Join,
    Sync,
    Fetch,
    Stable,
}

pub struct Client {
    pub index: usize,
    pub version: i16,
    pub instance_id: Option<String>,
    pub step: Step,
    pub member_id: String,
    pub generation: i32,
    pub owned: Vec<u8>,
    /// The request that is out, and when it is given up.
    pub outstanding: Option<(u64, u64)>,
    /// When it does something next.
    pub act_at: u64,
    heartbeat_at: u64,
    assignments: Vec<SyncGroupRequestAssignment>,
    protocol: Option<String>,
    progress: BTreeMap<i32, i64>,
}

/// What an answer told.
pub enum Told {
    Nothing,
    Assigned,
    Fetched(BTreeMap<i32, i64>),
}

impl Client {
    pub fn new(index: usize, rng: &mut Rng) -> Client {
        let version = [0, 2, 4, 5, 8, 9][rng.below(6) as usize];
        let is_static = version >= 5 && rng.chance(2);
        Client {
            index,
            version,
            instance_id: is_static.then(|| format!("instance-{index}")),
            step: Step::Down,
            member_id: String::new(),
            generation: -1,
            owned: Vec::new(),
            outstanding: None,
            act_at: u64::MAX,
            heartbeat_at: 0,
            assignments: Vec::new(),
            protocol: None,
            progress: BTreeMap::new(),
        }
    }

    /// Starts, with nothing remembered.
    pub fn start(&mut self, at: u64) {
        self.member_id.clear();
        self.rejoin(at);
    }

    pub fn crash(&mut self) {
        self.step = Step::Down;
        self.owned.clear();
        self.outstanding = None;
        self.act_at = u64::MAX;
    }

    fn rejoin(&mut self, at: u64) {
        self.step = Step::Join;
        self.owned.clear();
        self.outstanding = None;
        self.act_at = at;
    }

    /// Its time has come: the request that it sends, and how long it waits for the answer.
    pub fn act(&mut self, now: u64, rng: &mut Rng) -> Option<(Request, u64)> {
        if self.outstanding.is_some() {
            // Given up. Whatever it was, joining again is right, but for a stable member.
            self.outstanding = None;
            if matches!(self.step, Step::Join | Step::Sync) {
                self.rejoin(now);
            }
        }
        match self.step {
            Step::Down => None,
            Step::Join => Some((self.join(), REBALANCE_MS + 5_000)),
            Step::Sync => Some((self.sync(), 5_000)),
            Step::Fetch => Some((fetch(), 2_000)),
            Step::Stable if now < self.heartbeat_at && !self.owned.is_empty() && rng.chance(2) => {
                Some((self.commit(rng), 2_000))
            }
            Step::Stable => {
                self.heartbeat_at = now + HEARTBEAT_MS;
                Some((self.heartbeat(), 2_000))
            }
        }
    }

    fn join(&self) -> Request {
        Request::JoinGroup(JoinGroupRequest {
            group_id: GROUP.into(),
            session_timeout_ms: SESSION_MS as i32,
            rebalance_timeout_ms: REBALANCE_MS as i32,
            member_id: self.member_id.clone(),
            group_instance_id: self.instance_id.clone(),
            protocol_type: "consumer".into(),
            protocols: vec![JoinGroupRequestProtocol {
                name: "range".into(),
                metadata: vec![0, 0, 0, 0, 0, 1, 0, 1, b't', 0xff, 0xff, 0xff, 0xff],
                ..JoinGroupRequestProtocol::default()
            }],
            ..JoinGroupRequest::default()
        })
    }

    fn sync(&self) -> Request {
        Request::SyncGroup(SyncGroupRequest {
            group_id: GROUP.into(),
            generation_id: self.generation,
            member_id: self.member_id.clone(),
            group_instance_id: self.instance_id.clone(),
            protocol_type: Some("consumer".into()),
            protocol_name: self.protocol.clone(),
            assignments: self.assignments.clone(),
            ..SyncGroupRequest::default()
        })
    }

    fn heartbeat(&self) -> Request {
        Request::Heartbeat(HeartbeatRequest {
            group_id: GROUP.into(),
            generation_id: self.generation,
            member_id: self.member_id.clone(),
            group_instance_id: self.instance_id.clone(),
            ..HeartbeatRequest::default()
        })
    }

    fn commit(&mut self, rng: &mut Rng) -> Request {
        let index = rng.below(self.owned.len() as u64) as usize;
        let partition = i32::from(self.owned[index]);
        let offset = self.progress.entry(partition).or_insert(0);
        *offset += 1;
        let offset = *offset;
        self.commit_of(partition, offset)
    }

    fn commit_of(&self, partition: i32, committed_offset: i64) -> Request {
        Request::OffsetCommit(OffsetCommitRequest {
            group_id: GROUP.into(),
            generation_id_or_member_epoch: self.generation,
            member_id: self.member_id.clone(),
            group_instance_id: self.instance_id.clone(),
            topics: vec![OffsetCommitRequestTopic {
                name: "t".into(),
                partitions: vec![OffsetCommitRequestPartition {
                    partition_index: partition,
                    committed_offset,
                    ..OffsetCommitRequestPartition::default()
                }],
                ..OffsetCommitRequestTopic::default()
            }],
            ..OffsetCommitRequest::default()
        })
    }

    /// What a thread of it says that has not heard of the present generation.
    pub fn speak_of_the_past(&mut self, rng: &mut Rng) -> Request {
        let generation = self.generation;
        self.generation -= 1;
        let request = match rng.below(3) {
            0 => self.sync(),
            1 => self.heartbeat(),
            _ => self.commit_of(0, i64::MAX / 2),
        };
        self.generation = generation;
        request
    }

    pub fn leave(&self) -> Request {
        Request::LeaveGroup(LeaveGroupRequest {
            group_id: GROUP.into(),
            member_id: self.member_id.clone(),
            members: vec![MemberIdentity {
                member_id: self.member_id.clone(),
                group_instance_id: self.instance_id.clone(),
                ..MemberIdentity::default()
            }],
            ..LeaveGroupRequest::default()
        })
    }

    /// Takes the answer to the request that is out.
    pub fn answered(&mut self, response: &Response, now: u64, rng: &mut Rng) -> Told {
        self.outstanding = None;
        self.act_at = now + 200 + rng.below(800);
        let code = match response {
            Response::JoinGroup(response) => response.error_code,
            Response::SyncGroup(response) => response.error_code,
            Response::Heartbeat(response) => response.error_code,
            Response::OffsetCommit(response) => response.topics[0].partitions[0].error_code,
            Response::OffsetFetch(group) => group.error_code,
            _ => 0,
        };
        let error = ErrorCode::from_code(code).unwrap();
        if error != ErrorCode::None {
            self.refused(error, response, now, rng);
            return Told::Nothing;
        }
        match response {
            Response::JoinGroup(response) => self.joined(response, now),
            Response::SyncGroup(response) => {
                let (generation, owned) =
                    response.assignment.split_at_checked(4).unwrap_or_default();
                if !generation.is_empty() {
                    let made_for = i32::from_be_bytes(generation.try_into().unwrap());
                    assert_eq!(
                        made_for, self.generation,
                        "an assignment of another generation"
                    );
                }
                self.owned = owned.to_vec();
                self.step = Step::Fetch;
                self.act_at = now;
                return Told::Assigned;
            }
            Response::OffsetFetch(group) if self.step == Step::Fetch => {
                let partitions = group.topics.iter().flat_map(|t| &t.partitions);
                self.progress = partitions
                    .map(|p| (p.partition_index, p.committed_offset))
                    .collect();
                self.step = Step::Stable;
                return Told::Fetched(self.progress.clone());
            }
            _ => {}
        }
        Told::Nothing
    }

    fn joined(&mut self, response: &JoinGroupResponse, now: u64) {
        self.member_id = response.member_id.clone();
        self.generation = response.generation_id;
        self.protocol = response.protocol_name.clone();
        self.assignments.clear();
        if response.leader == self.member_id && !response.skip_assignment {
            let count = response.members.len();
            for (index, member) in response.members.iter().enumerate() {
                let mut assignment = self.generation.to_be_bytes().to_vec();
                assignment.extend((0..PARTITIONS).filter(|p| *p as usize % count == index));
                self.assignments.push(SyncGroupRequestAssignment {
                    member_id: member.member_id.clone(),
                    assignment,
                    ..SyncGroupRequestAssignment::default()
                });
            }
        }
        self.step = Step::Sync;
        self.act_at = now;
    }

    fn refused(&mut self, error: ErrorCode, response: &Response, now: u64, rng: &mut Rng) {
        let soon = now + 50 + rng.below(200);
        match (error, response) {
            (ErrorCode::MemberIdRequired, Response::JoinGroup(response)) => {
                self.member_id = response.member_id.clone();
                self.rejoin(now);
            }
            (ErrorCode::UnknownMemberId | ErrorCode::FencedInstanceId, _) => {
                self.member_id.clear();
                self.rejoin(soon);
            }
            (ErrorCode::RebalanceInProgress, Response::OffsetCommit(_)) => {}
            (ErrorCode::RebalanceInProgress | ErrorCode::IllegalGeneration, _) => {
                self.rejoin(soon);
            }
            (_, Response::JoinGroup(_) | Response::SyncGroup(_)) => self.rejoin(soon),
            // Loading, or an append that failed: again later.
            _ => {}
        }
    }
}

pub fn fetch() -> Request {
    Request::OffsetFetch {
        group: OffsetFetchRequestGroup {
            group_id: GROUP.into(),
            topics: None,
            ..OffsetFetchRequestGroup::default()
        },
        require_stable: true,
    }
}

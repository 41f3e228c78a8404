//! A coordinator with a log that takes what it is told to, and a clock that tests move.

use precursor_groups::{
    Command, GroupConfig, GroupCoordinator, Now, Record, Request, RequestContext, Response,
};
use precursor_model::ErrorCode;
use precursor_protocol::messages::join_group_request::JoinGroupRequestProtocol;
use precursor_protocol::messages::leave_group_request::MemberIdentity;
use precursor_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use precursor_protocol::messages::offset_fetch_request::OffsetFetchRequestGroup;
use precursor_protocol::messages::sync_group_request::SyncGroupRequestAssignment;
use precursor_protocol::messages::{
    HeartbeatRequest, JoinGroupRequest, JoinGroupResponse, LeaveGroupRequest, LeaveGroupResponse,
    OffsetCommitRequest, SyncGroupRequest, SyncGroupResponse,
};
use std::collections::HashMap;

pub const GROUP: &str = "group";
const START_WALL_MS: i64 = 1_700_000_000_000;

pub struct Harness {
    pub coordinator: GroupCoordinator,
    pub now_ms: u64,
    pub version: i16,
    /// What was appended and is durable.
    pub log: Vec<Record>,
    /// Appends that wait, while `hold` is set.
    pub held: Vec<(u64, Vec<Record>)>,
    pub hold: bool,
    replies: HashMap<u64, Response>,
    next_token: u64,
}

impl Harness {
    pub fn new() -> Harness {
        Harness::with(GroupConfig::default())
    }

    pub fn with(config: GroupConfig) -> Harness {
        let mut harness = Harness {
            coordinator: GroupCoordinator::new(config),
            now_ms: 0,
            version: 9,
            log: Vec::new(),
            held: Vec::new(),
            hold: false,
            replies: HashMap::new(),
            next_token: 0,
        };
        let mut out = Vec::new();
        harness.coordinator.loaded(harness.now(), &mut out);
        assert!(out.is_empty());
        harness
    }

    /// Another coordinator that replays what is durable.
    pub fn restart(&mut self, config: GroupConfig) {
        self.coordinator = GroupCoordinator::new(config);
        self.held.clear();
        for record in &self.log {
            self.coordinator
                .load(&record.key, record.value.as_deref())
                .unwrap();
        }
        let mut out = Vec::new();
        self.coordinator.loaded(self.now(), &mut out);
        self.run(out);
    }

    pub fn now(&self) -> Now {
        Now {
            monotonic_ms: self.now_ms,
            wall_ms: START_WALL_MS + self.now_ms as i64,
        }
    }

    pub fn send(&mut self, request: Request) -> u64 {
        let token = self.next_token;
        self.next_token += 1;
        let context = RequestContext {
            token,
            version: self.version,
            client_id: "client".into(),
            client_host: "/127.0.0.1".into(),
            now: self.now(),
            uuid: u128::from(token).to_be_bytes(),
        };
        let mut out = Vec::new();
        self.coordinator.request(&context, request, &mut out);
        self.run(out);
        token
    }

    fn run(&mut self, commands: Vec<Command>) {
        for command in commands {
            match command {
                Command::Reply { token, response } => {
                    assert!(token < self.next_token, "an answer to nobody");
                    let before = self.replies.insert(token, response);
                    assert!(before.is_none(), "two answers to {token}");
                }
                Command::Append { append_id, records } if self.hold => {
                    self.held.push((append_id, records));
                }
                Command::Append { append_id, records } => self.append(append_id, records),
            }
        }
    }

    fn append(&mut self, append_id: u64, records: Vec<Record>) {
        assert!(!records.is_empty());
        let offset = self.log.len() as i64;
        self.log.extend(records);
        let mut out = Vec::new();
        let now = self.now();
        self.coordinator
            .appended(append_id, Ok(offset), now, &mut out);
        self.run(out);
    }

    /// The oldest held append fails.
    pub fn fail_held(&mut self, error: ErrorCode) {
        let (append_id, _) = self.held.remove(0);
        let mut out = Vec::new();
        let now = self.now();
        self.coordinator
            .appended(append_id, Err(error), now, &mut out);
        self.run(out);
    }

    /// All held appends are durable.
    pub fn release(&mut self) {
        for (append_id, records) in std::mem::take(&mut self.held) {
            self.append(append_id, records);
        }
    }

    /// Lets time pass, timer by timer.
    pub fn pass(&mut self, ms: u64) {
        let end = self.now_ms + ms;
        for _ in 0..100_000 {
            match self.coordinator.next_deadline() {
                Some(at) if at <= end => {
                    self.now_ms = self.now_ms.max(at);
                    let mut out = Vec::new();
                    self.coordinator.tick(self.now(), &mut out);
                    self.run(out);
                }
                _ => {
                    self.now_ms = end;
                    return;
                }
            }
        }
        panic!("timers without end");
    }

    pub fn answer(&mut self, token: u64) -> Option<Response> {
        self.replies.remove(&token)
    }

    pub fn ask(&mut self, request: Request) -> Response {
        let token = self.send(request);
        self.answer(token).expect("answered at once")
    }

    pub fn joined(&mut self, token: u64) -> JoinGroupResponse {
        match self.answer(token) {
            Some(Response::JoinGroup(response)) => response,
            other => panic!("{other:?}"),
        }
    }

    pub fn synced(&mut self, token: u64) -> SyncGroupResponse {
        match self.answer(token) {
            Some(Response::SyncGroup(response)) => response,
            other => panic!("{other:?}"),
        }
    }

    /// Joins as somebody new, with the id that is given; the token of the second request.
    pub fn join_new(&mut self) -> (u64, String) {
        let token = self.send(Request::JoinGroup(join("", None)));
        let given = self.joined(token);
        assert_eq!(given.error_code, ErrorCode::MemberIdRequired.code());
        let token = self.send(Request::JoinGroup(join(&given.member_id, None)));
        (token, given.member_id)
    }

    /// A stable group of one; its member's id and generation.
    pub fn stable(&mut self) -> (String, i32) {
        let (token, id) = self.join_new();
        self.pass(3_000);
        let response = self.joined(token);
        assert_eq!(response.error_code, 0);
        let generation = response.generation_id;
        let token = self.send(sync(&id, generation, &[(&id, b"all")]));
        assert_eq!(self.synced(token).assignment, b"all");
        (id, generation)
    }

    pub fn heartbeat(&mut self, member_id: &str, generation_id: i32) -> ErrorCode {
        let request = HeartbeatRequest {
            group_id: GROUP.into(),
            generation_id,
            member_id: member_id.into(),
            ..HeartbeatRequest::default()
        };
        match self.ask(Request::Heartbeat(request)) {
            Response::Heartbeat(response) => error(response.error_code),
            other => panic!("{other:?}"),
        }
    }

    pub fn leave(&mut self, members: &[(&str, Option<&str>)]) -> LeaveGroupResponse {
        let members = members
            .iter()
            .map(|(member_id, instance_id)| MemberIdentity {
                member_id: (*member_id).into(),
                group_instance_id: instance_id.map(str::to_owned),
                ..MemberIdentity::default()
            });
        let request = LeaveGroupRequest {
            group_id: GROUP.into(),
            members: members.collect(),
            ..LeaveGroupRequest::default()
        };
        match self.ask(Request::LeaveGroup(request)) {
            Response::LeaveGroup(response) => response,
            other => panic!("{other:?}"),
        }
    }

    pub fn commit_error(&mut self, request: Request) -> ErrorCode {
        match self.ask(request) {
            Response::OffsetCommit(response) => error(response.topics[0].partitions[0].error_code),
            other => panic!("{other:?}"),
        }
    }

    /// Every committed offset of the group.
    pub fn fetched(&mut self) -> Vec<(String, i32, i64)> {
        let group = OffsetFetchRequestGroup {
            group_id: GROUP.into(),
            topics: None,
            ..OffsetFetchRequestGroup::default()
        };
        let request = Request::OffsetFetch {
            group,
            require_stable: true,
        };
        let Response::OffsetFetch(group) = self.ask(request) else {
            panic!("another answer")
        };
        assert_eq!(group.error_code, 0);
        let topics = group.topics.into_iter();
        topics
            .flat_map(|topic| {
                let name = topic.name;
                topic
                    .partitions
                    .into_iter()
                    .map(move |p| (name.clone(), p.partition_index, p.committed_offset))
            })
            .collect()
    }
}

pub fn error(code: i16) -> ErrorCode {
    ErrorCode::from_code(code).unwrap()
}

pub fn join(member_id: &str, instance_id: Option<&str>) -> JoinGroupRequest {
    JoinGroupRequest {
        group_id: GROUP.into(),
        session_timeout_ms: 10_000,
        rebalance_timeout_ms: 60_000,
        member_id: member_id.into(),
        group_instance_id: instance_id.map(str::to_owned),
        protocol_type: "consumer".into(),
        protocols: vec![protocol("range", &["t"])],
        ..JoinGroupRequest::default()
    }
}

/// A protocol whose metadata subscribes to topics.
pub fn protocol(name: &str, topics: &[&str]) -> JoinGroupRequestProtocol {
    let mut metadata = vec![0, 0];
    metadata.extend_from_slice(&(topics.len() as i32).to_be_bytes());
    for topic in topics {
        metadata.extend_from_slice(&(topic.len() as i16).to_be_bytes());
        metadata.extend_from_slice(topic.as_bytes());
    }
    metadata.extend_from_slice(&[0xff; 4]);
    JoinGroupRequestProtocol {
        name: name.into(),
        metadata,
        ..JoinGroupRequestProtocol::default()
    }
}

pub fn sync(member_id: &str, generation_id: i32, assignments: &[(&str, &[u8])]) -> Request {
    let assignments = assignments
        .iter()
        .map(|(id, bytes)| SyncGroupRequestAssignment {
            member_id: (*id).into(),
            assignment: bytes.to_vec(),
            ..SyncGroupRequestAssignment::default()
        });
    Request::SyncGroup(SyncGroupRequest {
        group_id: GROUP.into(),
        generation_id,
        member_id: member_id.into(),
        protocol_type: Some("consumer".into()),
        protocol_name: Some("range".into()),
        assignments: assignments.collect(),
        ..SyncGroupRequest::default()
    })
}

pub fn commit(member_id: &str, generation: i32, topic: &str, offset: i64) -> OffsetCommitRequest {
    OffsetCommitRequest {
        group_id: GROUP.into(),
        generation_id_or_member_epoch: generation,
        member_id: member_id.into(),
        topics: vec![OffsetCommitRequestTopic {
            name: topic.into(),
            partitions: vec![OffsetCommitRequestPartition {
                partition_index: 1,
                committed_offset: offset,
                committed_metadata: Some("note".into()),
                ..OffsetCommitRequestPartition::default()
            }],
            ..OffsetCommitRequestTopic::default()
        }],
        ..OffsetCommitRequest::default()
    }
}

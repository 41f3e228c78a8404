//! A member of a consumer group (classic protocol, Kafka's range assignor), for one topic.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use precursor_model::ErrorCode;
use precursor_protocol::messages::join_group_request::JoinGroupRequestProtocol;
use precursor_protocol::messages::leave_group_request::MemberIdentity;
use precursor_protocol::messages::sync_group_request::SyncGroupRequestAssignment;
use precursor_protocol::messages::{
    HeartbeatRequest, JoinGroupRequest, JoinGroupResponse, LeaveGroupRequest, SyncGroupRequest,
};

use super::coordinator::{Coordinator, Generation, group_failure};
use super::topic::error_of;
use crate::failure::Failure;

/// After this silence the coordinator takes a member for dead.
const SESSION_TIMEOUT_MS: i32 = 30_000;
/// How long the others are waited for in a rebalance; joins are answered within. Below the time
/// that a connection waits for an answer.
const REBALANCE_TIMEOUT_MS: i32 = 30_000;
/// Between two heartbeats.
const HEARTBEAT: Duration = Duration::from_secs(2);
/// Kafka's name for members that consume.
const PROTOCOL_TYPE: &str = "consumer";
/// The assignor that every Kafka client knows.
const RANGE: &str = "range";

/// One member, while it lives.
pub struct Member {
    pub coordinator: Coordinator,
    topic: String,
    generation: Generation,
    beaten: Instant,
}

impl Member {
    /// A member that has not joined yet.
    pub fn new(coordinator: Coordinator, topic: &str) -> Member {
        Member {
            coordinator,
            topic: topic.to_owned(),
            generation: Generation {
                id: -1,
                member_id: String::new(),
            },
            beaten: Instant::now(),
        }
    }

    /// Joins the group, or joins it again, and returns the partitions that are this member's.
    /// `partitions` are all of the topic's, for when this member is the one that divides them.
    ///
    /// # Errors
    /// The coordinator refuses.
    pub fn join(&mut self, partitions: &[i32]) -> Result<Vec<i32>, Failure> {
        loop {
            let joined = self.join_once()?;
            let leads = joined.leader == joined.member_id;
            let members: Vec<&str> = joined
                .members
                .iter()
                .map(|member| member.member_id.as_str())
                .collect();
            let assignments = match leads {
                true => divide(&members, partitions),
                false => BTreeMap::new(),
            };
            if let Some(own) = self.sync(&joined, &assignments)? {
                self.beaten = Instant::now();
                return Ok(own);
            }
        }
    }

    fn join_once(&mut self) -> Result<JoinGroupResponse, Failure> {
        loop {
            let request = JoinGroupRequest {
                group_id: self.coordinator.group().to_owned(),
                session_timeout_ms: SESSION_TIMEOUT_MS,
                rebalance_timeout_ms: REBALANCE_TIMEOUT_MS,
                member_id: self.generation.member_id.clone(),
                protocol_type: PROTOCOL_TYPE.to_owned(),
                protocols: vec![JoinGroupRequestProtocol {
                    name: RANGE.to_owned(),
                    metadata: subscription(&self.topic),
                    ..JoinGroupRequestProtocol::default()
                }],
                ..JoinGroupRequest::default()
            };
            let (error, response) = self
                .coordinator
                .call_patiently(&request, |response| error_of(response.error_code))?;
            match error {
                ErrorCode::None => {
                    self.generation = Generation {
                        id: response.generation_id,
                        member_id: response.member_id.clone(),
                    };
                    return Ok(response);
                }
                // KIP-394: the coordinator names the member, which then joins under that name.
                ErrorCode::MemberIdRequired => self.generation.member_id = response.member_id,
                ErrorCode::UnknownMemberId if !self.generation.member_id.is_empty() => {
                    self.generation.member_id.clear();
                }
                ErrorCode::RebalanceInProgress => {}
                error => return Err(group_failure(self.coordinator.group(), error)),
            }
        }
    }

    /// `None`: another rebalance has begun.
    fn sync(
        &mut self,
        joined: &JoinGroupResponse,
        assignments: &BTreeMap<&str, Vec<i32>>,
    ) -> Result<Option<Vec<i32>>, Failure> {
        let assignments = assignments.iter();
        let request = SyncGroupRequest {
            group_id: self.coordinator.group().to_owned(),
            generation_id: joined.generation_id,
            member_id: joined.member_id.clone(),
            protocol_type: Some(PROTOCOL_TYPE.to_owned()),
            protocol_name: joined.protocol_name.clone(),
            assignments: assignments
                .map(|(member, partitions)| SyncGroupRequestAssignment {
                    member_id: (*member).to_owned(),
                    assignment: assignment(&self.topic, partitions),
                    ..SyncGroupRequestAssignment::default()
                })
                .collect(),
            ..SyncGroupRequest::default()
        };
        let (error, response) = self
            .coordinator
            .call_patiently(&request, |response| error_of(response.error_code))?;
        match error {
            ErrorCode::None => read_assignment(&response.assignment, &self.topic)
                .map(Some)
                .ok_or_else(|| {
                    Failure::refused("the group's leader sent an assignment that cannot be read")
                        .next("Use a group of its own for this program: --group NAME")
                }),
            ErrorCode::RebalanceInProgress
            | ErrorCode::IllegalGeneration
            | ErrorCode::UnknownMemberId => Ok(None),
            error => Err(group_failure(self.coordinator.group(), error)),
        }
    }

    /// Says that this member lives, where it is time for it. False: it must join again.
    ///
    /// # Errors
    /// The coordinator refuses.
    pub fn beat(&mut self) -> Result<bool, Failure> {
        if self.beaten.elapsed() < HEARTBEAT {
            return Ok(true);
        }
        let request = HeartbeatRequest {
            group_id: self.coordinator.group().to_owned(),
            generation_id: self.generation.id,
            member_id: self.generation.member_id.clone(),
            ..HeartbeatRequest::default()
        };
        let (error, _) = self
            .coordinator
            .call_patiently(&request, |response| error_of(response.error_code))?;
        self.beaten = Instant::now();
        self.stays(error)
    }

    /// Commits where reading stands. False: this member must join again, and what it read since
    /// its last commit may be read once more.
    ///
    /// # Errors
    /// The coordinator refuses.
    pub fn commit(&mut self, positions: &BTreeMap<i32, i64>) -> Result<bool, Failure> {
        if positions.is_empty() {
            return Ok(true);
        }
        let offsets = positions
            .iter()
            .map(|(partition, offset)| ((self.topic.clone(), *partition), *offset));
        let error = self
            .coordinator
            .commit(Some(&self.generation), &offsets.collect())?;
        self.stays(error)
    }

    fn stays(&self, error: ErrorCode) -> Result<bool, Failure> {
        match error {
            ErrorCode::None => Ok(true),
            ErrorCode::RebalanceInProgress
            | ErrorCode::IllegalGeneration
            | ErrorCode::UnknownMemberId => Ok(false),
            error => Err(group_failure(self.coordinator.group(), error)),
        }
    }

    /// Leaves the group, so that the others need not wait for a session timeout.
    ///
    /// # Errors
    /// The connection broke.
    pub fn leave(&mut self) -> Result<(), Failure> {
        let member_id = self.generation.member_id.clone();
        let mut request = LeaveGroupRequest {
            group_id: self.coordinator.group().to_owned(),
            ..LeaveGroupRequest::default()
        };
        // Before version 3 one member is named, from then on a list of them.
        match self.coordinator.version_of::<LeaveGroupRequest>()? {
            3.. => request.members.push(MemberIdentity {
                member_id,
                ..MemberIdentity::default()
            }),
            _ => request.member_id = member_id,
        }
        // A refusal says that the member is gone already.
        self.coordinator.call(&request).map(|_| ())
    }
}

/// Kafka's range assignor for one topic: contiguous runs, the first members one partition more.
fn divide<'a>(members: &[&'a str], partitions: &[i32]) -> BTreeMap<&'a str, Vec<i32>> {
    let mut members = members.to_vec();
    members.sort_unstable();
    let (each, more) = match members.len() {
        0 => return BTreeMap::new(),
        count => (partitions.len() / count, partitions.len() % count),
    };
    let mut rest = partitions;
    let run = |(index, member)| {
        let (own, others) = rest.split_at(each + usize::from(index < more));
        rest = others;
        (member, own.to_vec())
    };
    members.into_iter().enumerate().map(run).collect()
}

/// ConsumerProtocolSubscription, version 0: version, topics, user data.
fn subscription(topic: &str) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend_from_slice(&0i16.to_be_bytes());
    out.extend_from_slice(&1i32.to_be_bytes());
    put_text(&mut out, topic);
    out.extend_from_slice(&(-1i32).to_be_bytes());
    out
}

/// ConsumerProtocolAssignment, version 0: version, topics with their partitions, user data.
fn assignment(topic: &str, partitions: &[i32]) -> Vec<u8> {
    let mut out = Vec::new();
    out.extend_from_slice(&0i16.to_be_bytes());
    out.extend_from_slice(&1i32.to_be_bytes());
    put_text(&mut out, topic);
    out.extend_from_slice(&(partitions.len() as i32).to_be_bytes());
    for partition in partitions {
        out.extend_from_slice(&partition.to_be_bytes());
    }
    out.extend_from_slice(&(-1i32).to_be_bytes());
    out
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    // A topic's name has at most 249 characters.
    out.extend_from_slice(&(text.len() as i16).to_be_bytes());
    out.extend_from_slice(text.as_bytes());
}

/// The partitions of `topic` in an assignment of whatever version; `None`: it cannot be read.
fn read_assignment(bytes: &[u8], topic: &str) -> Option<Vec<i32>> {
    let own = all_assigned(bytes)?;
    Some(
        own.into_iter()
            .filter(|(name, _)| name == topic)
            .map(|(_, partition)| partition)
            .collect(),
    )
}

/// Every partition in an assignment (ConsumerProtocolAssignment); `None`: it cannot be read.
pub fn all_assigned(bytes: &[u8]) -> Option<Vec<(String, i32)>> {
    if bytes.is_empty() {
        // A member that gets nothing.
        return Some(Vec::new());
    }
    let mut rest = bytes;
    let mut take = |count: usize| {
        let (taken, others) = rest.split_at_checked(count)?;
        rest = others;
        Some(taken)
    };
    take(2)?;
    let topics = i32::from_be_bytes(take(4)?.try_into().ok()?);
    let mut found = Vec::new();
    for _ in 0..topics {
        let length = i16::from_be_bytes(take(2)?.try_into().ok()?);
        let name = take(usize::try_from(length).ok()?)?;
        let name = std::str::from_utf8(name).ok()?.to_owned();
        let partitions = i32::from_be_bytes(take(4)?.try_into().ok()?);
        for _ in 0..partitions {
            let partition = i32::from_be_bytes(take(4)?.try_into().ok()?);
            found.push((name.clone(), partition));
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_are_divided_in_runs() {
        let divided = divide(&["b", "a", "c"], &[0, 1, 2, 3, 4]);
        assert_eq!(divided["a"], [0, 1]);
        assert_eq!(divided["b"], [2, 3]);
        assert_eq!(divided["c"], [4]);
        let scarce = divide(&["a", "b"], &[7]);
        assert_eq!((&scarce["a"][..], &scarce["b"][..]), (&[7][..], &[][..]));
        assert!(divide(&[], &[1]).is_empty());
    }

    #[test]
    fn assignments_are_read_back_and_never_believed() {
        let bytes = assignment("t", &[3, 4]);
        assert_eq!(read_assignment(&bytes, "t"), Some(vec![3, 4]));
        assert_eq!(read_assignment(&bytes, "u"), Some(vec![]));
        assert_eq!(read_assignment(&[], "t"), Some(vec![]));
        for cut in 1..bytes.len() - 4 {
            assert_eq!(read_assignment(&bytes[..cut], "t"), None, "{cut}");
        }
        // A count that no bytes stand behind ends at once.
        let mut liar = vec![0, 0];
        liar.extend_from_slice(&i32::MAX.to_be_bytes());
        assert_eq!(read_assignment(&liar, "t"), None);
    }
}

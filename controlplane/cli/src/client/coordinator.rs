//! A group's coordinator, and the requests that it answers.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use precursor_config::Endpoint;
use precursor_model::ErrorCode;
use precursor_protocol::Request;
use precursor_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use precursor_protocol::messages::{
    FindCoordinatorRequest, OffsetCommitRequest, OffsetFetchRequest,
};

use super::Connection;
use super::topic::error_of;
use crate::failure::Failure;

/// How long a coordinator that is coming up is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// Between two attempts.
const PAUSE: Duration = Duration::from_millis(50);

/// A topic's name and a partition's number.
pub type TopicPartition = (String, i32);

/// The member that commits, where one does.
#[derive(Clone, Debug)]
pub struct Generation {
    pub id: i32,
    pub member_id: String,
}

/// The coordinator of one group.
pub struct Coordinator {
    group: String,
    connection: Connection,
}

impl Coordinator {
    /// Finds and connects to the group's coordinator. Any name has one, also that of a group that
    /// does not exist.
    ///
    /// # Errors
    /// No broker, or no coordinator within half a minute.
    pub fn find(bootstrap: &Endpoint, group: &str) -> Result<Coordinator, Failure> {
        let mut connection = Connection::open(bootstrap)?;
        let give_up = Instant::now() + PATIENCE;
        loop {
            let (error, endpoint) = find_once(&mut connection, group)?;
            match error {
                ErrorCode::None if endpoint == *bootstrap => break,
                ErrorCode::None => {
                    connection = Connection::open(&endpoint)?;
                    break;
                }
                error if is_passing(error) && Instant::now() < give_up => {
                    std::thread::sleep(PAUSE);
                }
                error => return Err(group_failure(group, error)),
            }
        }
        Ok(Coordinator {
            group: group.to_owned(),
            connection,
        })
    }

    /// The group's name.
    pub fn group(&self) -> &str {
        &self.group
    }

    /// The version in which a request is sent.
    ///
    /// # Errors
    /// The broker does not offer it.
    pub fn version_of<R: Request>(&self) -> Result<i16, Failure> {
        self.connection.version_of::<R>()
    }

    /// Sends one request and waits for its answer.
    ///
    /// # Errors
    /// The connection broke, or the broker does not offer the request.
    pub fn call<R: Request>(&mut self, request: &R) -> Result<R::Response, Failure> {
        self.connection.call(request)
    }

    /// Sends a request until its answer bears no error that passes by itself.
    ///
    /// # Errors
    /// As [`Coordinator::call`]; an error that lasts is given back with the answer.
    pub fn call_patiently<R: Request>(
        &mut self,
        request: &R,
        error: impl Fn(&R::Response) -> ErrorCode,
    ) -> Result<(ErrorCode, R::Response), Failure> {
        let give_up = Instant::now() + PATIENCE;
        loop {
            let response = self.call(request)?;
            let found = error(&response);
            if !is_passing(found) || Instant::now() > give_up {
                return Ok((found, response));
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// Every offset that the group has committed.
    ///
    /// # Errors
    /// The coordinator refuses.
    pub fn committed(&mut self) -> Result<BTreeMap<TopicPartition, i64>, Failure> {
        let group = self.group.clone();
        // Version 7 asks for one group, as later versions do in a list; -1 stands for all topics.
        let version = self.connection.version_of::<OffsetFetchRequest>()?.min(7);
        let request = OffsetFetchRequest {
            group_id: group.clone(),
            topics: None,
            require_stable: version == 7,
            ..OffsetFetchRequest::default()
        };
        let give_up = Instant::now() + PATIENCE;
        let response = loop {
            self.connection.send(&request, version)?;
            let response = self.connection.receive::<OffsetFetchRequest>(version)?;
            match error_of(response.error_code) {
                ErrorCode::None => break response,
                error if is_passing(error) && Instant::now() < give_up => {
                    std::thread::sleep(PAUSE);
                }
                error => return Err(group_failure(&group, error)),
            }
        };
        let mut committed = BTreeMap::new();
        for topic in response.topics {
            for partition in topic.partitions {
                let error = error_of(partition.error_code);
                if error != ErrorCode::None {
                    return Err(group_failure(&group, error));
                }
                if partition.committed_offset >= 0 {
                    let key = (topic.name.clone(), partition.partition_index);
                    committed.insert(key, partition.committed_offset);
                }
            }
        }
        Ok(committed)
    }

    /// Commits offsets: as a member, or from outside, which a group without members takes.
    ///
    /// # Errors
    /// The coordinator refuses one of them.
    pub fn commit(
        &mut self,
        member: Option<&Generation>,
        offsets: &BTreeMap<TopicPartition, i64>,
    ) -> Result<ErrorCode, Failure> {
        let mut topics: BTreeMap<&str, Vec<OffsetCommitRequestPartition>> = BTreeMap::new();
        for ((topic, partition), offset) in offsets {
            let entry = OffsetCommitRequestPartition {
                partition_index: *partition,
                committed_offset: *offset,
                committed_leader_epoch: -1,
                committed_metadata: Some(String::new()),
                ..OffsetCommitRequestPartition::default()
            };
            topics.entry(topic).or_default().push(entry);
        }
        let topics = topics
            .into_iter()
            .map(|(name, partitions)| OffsetCommitRequestTopic {
                name: name.to_owned(),
                partitions,
                ..OffsetCommitRequestTopic::default()
            });
        let request = OffsetCommitRequest {
            group_id: self.group.clone(),
            generation_id_or_member_epoch: member.map_or(-1, |member| member.id),
            member_id: member.map_or_else(String::new, |member| member.member_id.clone()),
            retention_time_ms: -1,
            topics: topics.collect(),
            ..OffsetCommitRequest::default()
        };
        let (error, _) = self.call_patiently(&request, |response| {
            let topics = response.topics.iter();
            let mut partitions = topics.flat_map(|topic| &topic.partitions);
            let failed = partitions.find(|partition| partition.error_code != 0);
            failed.map_or(ErrorCode::None, |partition| error_of(partition.error_code))
        })?;
        Ok(error)
    }
}

fn find_once(connection: &mut Connection, group: &str) -> Result<(ErrorCode, Endpoint), Failure> {
    let mut request = FindCoordinatorRequest::default();
    // Before version 4 one key is asked for, from then on a list of them.
    match connection.version_of::<FindCoordinatorRequest>()? {
        4.. => request.coordinator_keys = vec![group.to_owned()],
        _ => request.key = group.to_owned(),
    }
    let response = connection.call(&request)?;
    let (code, host, port) = match response.coordinators.into_iter().next() {
        Some(found) => (found.error_code, found.host, found.port),
        None => (response.error_code, response.host, response.port),
    };
    let endpoint = Endpoint {
        host,
        port: u16::try_from(port).unwrap_or(0),
    };
    Ok((error_of(code), endpoint))
}

/// Errors of a coordinator that is starting or loading.
pub fn is_passing(error: ErrorCode) -> bool {
    matches!(
        error,
        ErrorCode::CoordinatorNotAvailable
            | ErrorCode::CoordinatorLoadInProgress
            | ErrorCode::NotCoordinator
            | ErrorCode::UnstableOffsetCommit
    )
}

/// A coordinator's refusal, with what to do about it.
pub fn group_failure(group: &str, error: ErrorCode) -> Failure {
    let failure = Failure::refused(format!("group '{group}': {error}"));
    match error {
        ErrorCode::GroupIdNotFound => Failure::refused(format!("there is no group '{group}'"))
            .next("See what there is: precursor group list"),
        ErrorCode::NonEmptyGroup | ErrorCode::UnknownMemberId => Failure::refused(format!(
            "group '{group}' has members; only an empty group can be changed from outside"
        ))
        .next(format!(
            "Stop its consumers and wait for their session timeout; they are named by: \
             precursor group describe {group}"
        )),
        ErrorCode::InvalidGroupId => failure.next("A group's name has 1 to 249 characters"),
        ErrorCode::InconsistentGroupProtocol => failure.next(
            "Its members use another protocol than this program; choose another group's name",
        ),
        error if is_passing(error) => {
            failure.next("The coordinator is still loading; try again in a moment")
        }
        _ => failure.next("The broker's standard error may say more"),
    }
}

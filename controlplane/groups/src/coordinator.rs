//! The coordinator of one partition of `__consumer_offsets`.

use crate::command::{Command, Now, Request, RequestContext, Response};
use crate::config::GroupConfig;
use crate::group::Group;
use crate::offsets::{self, Offsets};
use crate::records::{OffsetValue, RecordKey};
use crate::refusal::{failed, refused};
use crate::topics::Topics;
use crate::turn::{AppendQueue, Change, PendingAppend, Reply, Turn};
use precursor_model::{ErrorCode, Offset};
use precursor_protocol::DecodeError;
use precursor_protocol::messages::OffsetCommitRequest;
use std::collections::HashMap;
use std::sync::Arc;

/// Whether the coordinator knows its groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Records are being replayed: COORDINATOR_LOAD_IN_PROGRESS.
    Loading,
    /// Requests are served.
    Active,
    /// The partition is somebody else's: NOT_COORDINATOR.
    Unloaded,
}

/// The groups of one partition of `__consumer_offsets`. Owned by whoever runs it; it is `Send`.
#[derive(Debug)]
pub struct GroupCoordinator {
    config: GroupConfig,
    phase: Phase,
    groups: HashMap<Arc<str>, Group>,
    topics: Topics,
    appends: AppendQueue,
    records_unknown: u64,
}

impl GroupCoordinator {
    /// A coordinator that waits for its records.
    pub fn new(config: GroupConfig) -> GroupCoordinator {
        GroupCoordinator {
            config,
            phase: Phase::Loading,
            groups: HashMap::new(),
            topics: Topics::default(),
            appends: AppendQueue::default(),
            records_unknown: 0,
        }
    }

    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// Records that were loaded and skipped because their kind is unknown.
    pub fn records_unknown(&self) -> u64 {
        self.records_unknown
    }

    /// How many groups there are.
    pub fn group_count(&self) -> usize {
        self.groups.len()
    }

    /// Appends whose outcome is outstanding.
    pub fn appends_pending(&self) -> usize {
        self.appends.len()
    }

    /// Takes one record of the log, in the log's order, before [`GroupCoordinator::loaded`].
    ///
    /// # Errors
    /// When the record is damaged. It is left out; loading can go on with the next.
    pub fn load(&mut self, key: &[u8], value: Option<&[u8]>) -> Result<(), DecodeError> {
        match RecordKey::decode(key)? {
            RecordKey::Offset {
                group_id,
                topic,
                partition,
            } => {
                let value = value.map(OffsetValue::decode).transpose()?;
                match value {
                    Some(value) => {
                        let group = group_or_new(&mut self.groups, group_id);
                        group
                            .offsets
                            .set(&mut self.topics, topic, partition, &value);
                    }
                    None => self.remove_offset(group_id, topic, partition),
                }
            }
            RecordKey::Group { .. } => {}
            RecordKey::Unknown { .. } => self.records_unknown += 1,
        }
        Ok(())
    }

    /// All records were loaded: requests are served from now on.
    pub fn loaded(&mut self, _now: Now, _out: &mut Vec<Command>) {
        self.phase = Phase::Active;
    }

    /// The partition goes away. Parked requests are answered NOT_COORDINATOR, everything is
    /// forgotten, and what is appended still is no longer waited for.
    pub fn unload(&mut self, out: &mut Vec<Command>) {
        self.phase = Phase::Unloaded;
        self.groups.clear();
        self.topics = Topics::default();
        for pending in self.appends.drain() {
            if let Some(Reply::Response { token, response }) = pending.reply {
                let response = failed(response, ErrorCode::NotCoordinator);
                out.push(Command::Reply { token, response });
            }
        }
    }

    /// Takes a request. Exactly one reply comes for its token, now or later.
    pub fn request(&mut self, context: &RequestContext, request: Request, out: &mut Vec<Command>) {
        let token = context.token;
        let phase_error = match self.phase {
            Phase::Loading => Some(ErrorCode::CoordinatorLoadInProgress),
            Phase::Unloaded => Some(ErrorCode::NotCoordinator),
            Phase::Active => None,
        };
        let response = match (phase_error, request) {
            (Some(error), request) => refused(&request, context.version, error),
            (None, Request::OffsetCommit(request)) => {
                self.offset_commit(context, &request, out);
                return;
            }
            (
                None,
                Request::OffsetFetch {
                    group,
                    require_stable: _,
                },
            ) => {
                let known = self.groups.get(group.group_id.as_str());
                let offsets: Option<&Offsets> = known.map(|group| &group.offsets);
                Response::OffsetFetch(offsets::fetch(&group, offsets, &self.topics))
            }
            (None, request) => refused(
                &request,
                context.version,
                ErrorCode::CoordinatorNotAvailable,
            ),
        };
        out.push(Command::Reply { token, response });
    }

    fn offset_commit(
        &mut self,
        context: &RequestContext,
        request: &OffsetCommitRequest,
        out: &mut Vec<Command>,
    ) {
        if !self.groups.contains_key(request.group_id.as_str())
            && self.groups.len() >= self.config.limits.groups_max
        {
            let response = offsets::commit_refused(request, ErrorCode::PolicyViolation);
            let response = Response::OffsetCommit(response);
            let token = context.token;
            out.push(Command::Reply { token, response });
            return;
        }
        let group = group_or_new(&mut self.groups, &request.group_id);
        let mut turn = Turn {
            now: context.now,
            config: &self.config,
            out,
            appends: &mut self.appends,
            begun: 0,
        };
        group.write_offsets(context.token, request, &mut turn);
        group.appends_pending += turn.begun;
        if group.is_blank() && group.appends_pending == 0 {
            self.groups.remove(request.group_id.as_str());
        }
    }

    /// The outcome of an append: the offset of its batch, or why it is not in the log.
    pub fn appended(
        &mut self,
        append_id: u64,
        outcome: Result<Offset, ErrorCode>,
        _now: Now,
        out: &mut Vec<Command>,
    ) {
        self.appends.resolve(append_id, outcome.map(|_| ()));
        while let Some((pending, outcome)) = self.appends.pop_resolved() {
            self.take_effect(pending, outcome, out);
        }
    }

    fn take_effect(
        &mut self,
        pending: PendingAppend,
        outcome: Result<(), ErrorCode>,
        out: &mut Vec<Command>,
    ) {
        let Some(group) = self.groups.get_mut(&pending.group_id) else {
            return;
        };
        group.appends_pending -= 1;
        if outcome.is_ok() {
            match pending.change {
                Change::Offsets(changes) => {
                    for change in changes {
                        let topic = &change.topic;
                        match &change.offset {
                            Some(new) => group.offsets.set(
                                &mut self.topics,
                                topic,
                                change.partition,
                                &new.value(),
                            ),
                            None => group
                                .offsets
                                .remove(&mut self.topics, topic, change.partition),
                        }
                    }
                }
                Change::Tombstone => group.offsets.clear(&mut self.topics),
            }
        }
        if group.is_blank() && group.appends_pending == 0 {
            self.groups.remove(&pending.group_id);
        }
        if let Some(Reply::Response { token, response }) = pending.reply {
            let response = match outcome {
                Ok(()) => response,
                Err(error) => failed(response, error),
            };
            out.push(Command::Reply { token, response });
        }
    }

    /// Does what is due.
    pub fn tick(&mut self, _now: Now, _out: &mut Vec<Command>) {}

    /// The monotonic time of the next [`GroupCoordinator::tick`], if there is one to come.
    pub fn next_deadline(&self) -> Option<u64> {
        None
    }

    /// Topics were deleted: so are their offsets in every group.
    pub fn topics_deleted(&mut self, _names: &[String], _now: Now, _out: &mut Vec<Command>) {}

    fn remove_offset(&mut self, group_id: &str, topic: &str, partition: i32) {
        if let Some(group) = self.groups.get_mut(group_id) {
            group.offsets.remove(&mut self.topics, topic, partition);
            if group.is_blank() {
                self.groups.remove(group_id);
            }
        }
    }
}

fn group_or_new<'a>(groups: &'a mut HashMap<Arc<str>, Group>, id: &str) -> &'a mut Group {
    // Two look-ups for a new group, one without allocation for a known one.
    if !groups.contains_key(id) {
        let id: Arc<str> = id.into();
        groups.insert(id.clone(), Group::new(id));
    }
    groups.get_mut(id).expect("it was there or is now")
}

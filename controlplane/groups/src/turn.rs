//! What one input does: answers, appends, and what waits for the appends' outcome.

use crate::classic::{Assignments, Takeover};
use crate::command::{Command, Now, Record, Response};
use crate::config::GroupConfig;
use crate::topics::Topics;
use precursor_model::{ErrorCode, TopicId};
use std::collections::VecDeque;
use std::sync::Arc;

/// The surroundings of one input's work on one group.
pub(crate) struct Turn<'a> {
    pub(crate) now: Now,
    pub(crate) config: &'a GroupConfig,
    pub(crate) out: &'a mut Vec<Command>,
    pub(crate) appends: &'a mut AppendQueue,
    pub(crate) topics: &'a mut Topics,
    /// Appends begun in this turn.
    pub(crate) begun: u32,
}

impl Turn<'_> {
    pub(crate) fn reply(&mut self, token: u64, response: Response) {
        self.out.push(Command::Reply { token, response });
    }

    /// Begins an append; `change` takes effect, and `reply` is given, with its outcome.
    pub(crate) fn append(
        &mut self,
        group_id: &Arc<str>,
        records: Vec<Record>,
        change: Change,
        reply: Option<Reply>,
    ) {
        let append_id = self.appends.push(group_id, change, reply);
        self.out.push(Command::Append { append_id, records });
        self.begun += 1;
    }

    /// Gives an answer when the append that this turn began last is durable; at once if it began
    /// none.
    pub(crate) fn reply_when_durable(&mut self, token: u64, response: Response) {
        let last = self.appends.pending.back_mut();
        match last.filter(|last| self.begun > 0 && last.reply.is_none()) {
            Some(last) => last.reply = Some(Reply::Response { token, response }),
            None => self.reply(token, response),
        }
    }
}

/// An answer that waits for an append.
#[derive(Debug)]
pub(crate) enum Reply {
    /// As it is when the append succeeds, with the error in its place when not.
    Response { token: u64, response: Response },
    /// One group of the DeleteGroups request with this token: the result's place in the answer.
    Deletion { token: u64, index: usize },
}

/// What an append changes once it is durable.
#[derive(Debug)]
pub(crate) enum Change {
    Offsets(Vec<OffsetChange>),
    /// The group's members and generation go, with the last of its offsets.
    Tombstone(Vec<OffsetChange>),
    /// The group has no members any more.
    Emptied,
    /// The leader's assignment for a generation.
    Assignment {
        generation: i32,
        assignments: Assignments,
    },
    /// A static member has another id.
    Takeover(Box<Takeover>),
}

/// A partition's committed offset, set or (`None`) removed.
#[derive(Debug)]
pub(crate) struct OffsetChange {
    pub(crate) topic: Arc<str>,
    pub(crate) partition: i32,
    pub(crate) offset: Option<NewOffset>,
}

/// A committed offset before it is in the store.
#[derive(Debug)]
pub(crate) struct NewOffset {
    pub(crate) offset: i64,
    pub(crate) leader_epoch: i32,
    pub(crate) metadata: Option<Box<str>>,
    pub(crate) commit_timestamp_ms: i64,
    pub(crate) expire_timestamp_ms: i64,
    pub(crate) topic_id: TopicId,
}

/// Appends whose effect is outstanding, in the order of the log.
#[derive(Debug, Default)]
pub(crate) struct AppendQueue {
    next_id: u64,
    pending: VecDeque<PendingAppend>,
}

#[derive(Debug)]
pub(crate) struct PendingAppend {
    append_id: u64,
    outcome: Option<Result<(), ErrorCode>>,
    pub(crate) group_id: Arc<str>,
    pub(crate) change: Change,
    pub(crate) reply: Option<Reply>,
}

impl AppendQueue {
    fn push(&mut self, group_id: &Arc<str>, change: Change, reply: Option<Reply>) -> u64 {
        let append_id = self.next_id;
        self.next_id += 1;
        self.pending.push_back(PendingAppend {
            append_id,
            outcome: None,
            group_id: group_id.clone(),
            change,
            reply,
        });
        append_id
    }

    /// Notes an outcome. An append that is not pending is none of ours (it was before an unload).
    pub(crate) fn resolve(&mut self, append_id: u64, outcome: Result<(), ErrorCode>) {
        let found = self
            .pending
            .binary_search_by_key(&append_id, |pending| pending.append_id);
        if let Ok(index) = found {
            self.pending[index].outcome.get_or_insert(outcome);
        }
    }

    /// The answer that goes out as it is when the append succeeds, and its token.
    pub(crate) fn answer_on_success(&self, append_id: u64) -> Option<(u64, &Response)> {
        let found = self
            .pending
            .binary_search_by_key(&append_id, |pending| pending.append_id);
        match &self.pending[found.ok()?].reply {
            Some(Reply::Response { token, response }) => Some((*token, response)),
            _ => None,
        }
    }

    /// The next append in the log's order whose outcome is known.
    pub(crate) fn pop_resolved(&mut self) -> Option<(PendingAppend, Result<(), ErrorCode>)> {
        let outcome = self.pending.front()?.outcome?;
        self.pending.pop_front().map(|pending| (pending, outcome))
    }

    /// Everything outstanding, given up.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = PendingAppend> + '_ {
        self.pending.drain(..)
    }

    /// The offsets that outstanding appends of a group touch.
    pub(crate) fn pending_offsets<'a>(
        &'a self,
        group_id: &'a str,
    ) -> impl Iterator<Item = &'a OffsetChange> + 'a {
        self.pending
            .iter()
            .filter(move |pending| &*pending.group_id == group_id)
            .flat_map(|pending| match &pending.change {
                Change::Offsets(changes) | Change::Tombstone(changes) => changes.as_slice(),
                _ => &[],
            })
    }

    pub(crate) fn len(&self) -> usize {
        self.pending.len()
    }
}

/// What an append's failure is to a client that committed or synced (Kafka's own mapping).
pub(crate) fn client_error(append_error: ErrorCode, too_large: ErrorCode) -> ErrorCode {
    match append_error {
        ErrorCode::UnknownTopicOrPartition
        | ErrorCode::NotEnoughReplicas
        | ErrorCode::NotEnoughReplicasAfterAppend
        | ErrorCode::LeaderNotAvailable
        | ErrorCode::RequestTimedOut => ErrorCode::CoordinatorNotAvailable,
        ErrorCode::NotLeaderOrFollower | ErrorCode::KafkaStorageError => ErrorCode::NotCoordinator,
        ErrorCode::MessageTooLarge
        | ErrorCode::RecordListTooLarge
        | ErrorCode::InvalidFetchSize => too_large,
        other => other,
    }
}

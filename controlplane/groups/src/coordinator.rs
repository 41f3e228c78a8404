//! The coordinator of one partition of `__consumer_offsets`.

use crate::command::{Command, Now, Request, RequestContext, Response};
use crate::config::GroupConfig;
use crate::deletions::Deletions;
use crate::group::{Group, Kind};
use crate::refusal::{failed, refused};
use crate::timers::Timers;
use crate::topics::Topics;
use crate::turn::{AppendQueue, Change, PendingAppend, Reply, Turn, client_error};
use precursor_model::{ErrorCode, Offset};
use std::collections::HashMap;
use std::sync::Arc;

/// Groups that one tick looks at for expired offsets.
const EXPIRY_GROUPS_PER_TICK: usize = 1_000;

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
    pub(crate) config: GroupConfig,
    pub(crate) phase: Phase,
    pub(crate) groups: HashMap<Arc<str>, Group>,
    pub(crate) topics: Topics,
    appends: AppendQueue,
    timers: Timers,
    pub(crate) deletions: Deletions,
    expiry: Expiry,
    pub(crate) records_unknown: u64,
}

/// The search for expired offsets.
#[derive(Debug, Default)]
struct Expiry {
    next_check: Option<u64>,
    /// Groups that the present round has still to look at.
    remaining: Vec<Arc<str>>,
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
            timers: Timers::default(),
            deletions: Deletions::default(),
            expiry: Expiry::default(),
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

    /// How many partitions have committed offsets, over all groups.
    pub fn offset_count(&self) -> usize {
        self.groups.values().map(|group| group.offsets.len()).sum()
    }

    /// Appends whose outcome is outstanding.
    pub fn appends_pending(&self) -> usize {
        self.appends.len()
    }

    /// All records were loaded: requests are served from now on.
    pub fn loaded(&mut self, now: Now, out: &mut Vec<Command>) {
        self.phase = Phase::Active;
        self.expiry.next_check =
            Some(now.monotonic_ms + self.config.offsets_retention_check_interval_ms);
        let with_members = self.groups.values().filter(|group| !group.is_empty());
        let mut ids: Vec<Arc<str>> = with_members.map(|group| group.id.clone()).collect();
        ids.sort_unstable();
        for id in ids {
            self.act(&id, now, out, |group, turn| {
                if let Kind::Classic(classic) = &mut group.kind {
                    classic.loaded(turn);
                }
            });
        }
    }

    /// The partition goes away. Parked requests are answered NOT_COORDINATOR, everything is
    /// forgotten, and what is appended still is no longer waited for.
    pub fn unload(&mut self, out: &mut Vec<Command>) {
        self.phase = Phase::Unloaded;
        let mut groups = std::mem::take(&mut self.groups);
        let mut turn = Turn {
            now: Now::default(),
            config: &self.config,
            out,
            appends: &mut self.appends,
            topics: &mut self.topics,
            begun: 0,
        };
        for group in groups.values_mut() {
            if let Kind::Classic(classic) = &mut group.kind {
                classic.abandon(ErrorCode::NotCoordinator, &mut turn);
            }
        }
        for pending in self.appends.drain() {
            if let Some(Reply::Response { token, response }) = pending.reply {
                let response = failed(response, ErrorCode::NotCoordinator);
                out.push(Command::Reply { token, response });
            }
        }
        self.deletions.abandon(ErrorCode::NotCoordinator, out);
        self.topics = Topics::default();
        self.timers.clear();
        self.expiry = Expiry::default();
    }

    /// Takes a request. Exactly one reply comes for its token, now or later.
    pub fn request(&mut self, context: &RequestContext, request: Request, out: &mut Vec<Command>) {
        let error = match self.phase {
            Phase::Active => return self.serve(context, request, out),
            // A member must not be lost to a heartbeat that came too early.
            Phase::Loading if matches!(request, Request::Heartbeat(_)) => ErrorCode::None,
            Phase::Loading => ErrorCode::CoordinatorLoadInProgress,
            Phase::Unloaded => ErrorCode::NotCoordinator,
        };
        let response = refused(&request, context.version, error);
        let token = context.token;
        out.push(Command::Reply { token, response });
    }

    /// The outcome of an append: the offset of its batch, or why it is not in the log.
    pub fn appended(
        &mut self,
        append_id: u64,
        outcome: Result<Offset, ErrorCode>,
        now: Now,
        out: &mut Vec<Command>,
    ) {
        self.appends.resolve(append_id, outcome.map(|_| ()));
        while let Some((pending, outcome)) = self.appends.pop_resolved() {
            self.take_effect(pending, outcome, now, out);
        }
    }

    /// The answer that the success of an append will give as it is, with its request's token: whoever
    /// executes the append may have it go out at that moment, before it calls [`Self::appended`], when
    /// no request that is sent later comes here sooner than that call.
    pub fn answer_on_success(&self, append_id: u64) -> Option<(u64, &Response)> {
        self.appends.answer_on_success(append_id)
    }

    fn take_effect(
        &mut self,
        pending: PendingAppend,
        outcome: Result<(), ErrorCode>,
        now: Now,
        out: &mut Vec<Command>,
    ) {
        let change = pending.change;
        let deletion = self.act(&pending.group_id, now, out, |group, turn| {
            group.appends_pending -= 1;
            let failure = outcome.err();
            if let (Some(deletion), Some(error)) = (&mut group.deletion, failure) {
                deletion.error.get_or_insert(error);
            }
            match change {
                Change::Offsets(changes) if failure.is_none() => {
                    group.change_offsets(changes, turn);
                }
                Change::Tombstone(changes) => {
                    if failure.is_none() {
                        group.change_offsets(changes, turn);
                        group.kind = Kind::Simple;
                    }
                    return group.deletion.take();
                }
                Change::Offsets(_) | Change::Emptied => {}
                Change::Assignment {
                    generation,
                    assignments,
                } => {
                    if let Kind::Classic(classic) = &mut group.kind {
                        classic.assigned(generation, assignments, outcome, turn);
                    }
                }
                Change::Takeover(takeover) => {
                    if let Kind::Classic(classic) = &mut group.kind {
                        classic.took_over(*takeover, outcome, turn);
                    }
                }
            }
            None
        });
        match pending.reply {
            None => {}
            Some(Reply::Response { token, response }) => {
                let response = match outcome {
                    Ok(()) => response,
                    Err(error) => failed(response, error),
                };
                out.push(Command::Reply { token, response });
            }
            Some(Reply::Deletion { token, index }) => {
                let error = deletion.flatten().and_then(|deletion| deletion.error);
                let error = error.map_or(ErrorCode::None, |error| {
                    client_error(error, ErrorCode::UnknownServerError)
                });
                self.deletions.resolve(token, index, error, out);
            }
        }
    }

    /// Does what is due.
    pub fn tick(&mut self, now: Now, out: &mut Vec<Command>) {
        for id in self.timers.take_due(now.monotonic_ms) {
            self.act(&id, now, out, |group, turn| {
                group.wake_at = None;
                group.run_timers(turn);
            });
        }
        if self
            .expiry
            .next_check
            .is_some_and(|at| at <= now.monotonic_ms)
        {
            self.expire_offsets(now, out);
        }
    }

    /// The monotonic time of the next [`GroupCoordinator::tick`], if there is one to come. It may
    /// have passed: then a tick is due at once.
    pub fn next_deadline(&self) -> Option<u64> {
        let timers = self.timers.next();
        timers.into_iter().chain(self.expiry.next_check).min()
    }

    /// A part of a round; the next part is due at once, the next round after the interval.
    fn expire_offsets(&mut self, now: Now, out: &mut Vec<Command>) {
        if self.expiry.remaining.is_empty() {
            self.expiry.remaining = self.groups.keys().cloned().collect();
            self.expiry.remaining.sort_unstable_by(|a, b| b.cmp(a));
        }
        for _ in 0..EXPIRY_GROUPS_PER_TICK {
            let Some(id) = self.expiry.remaining.pop() else {
                break;
            };
            self.act(&id, now, out, Group::expire);
        }
        if self.expiry.remaining.is_empty() {
            self.expiry.remaining = Vec::new();
            self.expiry.next_check =
                Some(now.monotonic_ms + self.config.offsets_retention_check_interval_ms);
        }
    }

    /// Topics were deleted: so are their offsets in every group.
    pub fn topics_deleted(&mut self, names: &[String], now: Now, out: &mut Vec<Command>) {
        if self.phase != Phase::Active {
            return;
        }
        let mut ids: Vec<Arc<str>> = self.groups.keys().cloned().collect();
        ids.sort_unstable();
        for id in ids {
            self.act(&id, now, out, |group, turn| {
                for name in names {
                    group.topic_deleted(name, turn);
                }
            });
        }
    }

    /// Works on one group, then sees to its timers and whether anything is left of it.
    pub(crate) fn act<R>(
        &mut self,
        group_id: &str,
        now: Now,
        out: &mut Vec<Command>,
        work: impl FnOnce(&mut Group, &mut Turn<'_>) -> R,
    ) -> Option<R> {
        let group = self.groups.get_mut(group_id)?;
        let mut turn = Turn {
            now,
            config: &self.config,
            out,
            appends: &mut self.appends,
            topics: &mut self.topics,
            begun: 0,
        };
        let result = work(group, &mut turn);
        group.appends_pending += turn.begun;
        if group.settle(&mut self.timers) {
            self.groups.remove(group_id);
        }
        Some(result)
    }
}

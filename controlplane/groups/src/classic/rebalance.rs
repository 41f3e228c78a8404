//! From one generation to the next.

use super::{ClassicGroup, JoinTimer, State, reply_sync_error};
use crate::command::Response;
use crate::turn::{Change, Turn};
use precursor_model::ErrorCode;

/// Least time between two looks at a group whose members are all static and absent.
const JOIN_RETRY_MS_MIN: u64 = 500;

impl ClassicGroup {
    /// Begins a rebalance, or ends the one that goes on if everybody is there.
    pub(super) fn rebalance_or_complete(&mut self, turn: &mut Turn<'_>) {
        if self.state == State::PreparingRebalance {
            self.complete_if_all_joined(turn);
        } else {
            self.prepare_rebalance(turn);
        }
    }

    pub(super) fn prepare_rebalance(&mut self, turn: &mut Turn<'_>) {
        if self.state == State::CompletingRebalance {
            self.refuse_syncs(ErrorCode::RebalanceInProgress, turn);
        }
        self.sync_timer = None;
        let initial = self.is_empty();
        if initial {
            let delay_ms = u64::from(turn.config.initial_rebalance_delay_ms);
            let remaining_ms = self.rebalance_timeout_ms().saturating_sub(delay_ms);
            let at = turn.now.monotonic_ms + delay_ms;
            self.set_join_timer(JoinTimer::Initial {
                at,
                delay_ms,
                remaining_ms,
            });
        }
        self.transition(State::PreparingRebalance, turn);
        if initial {
            return;
        }
        if self.all_joined() {
            self.complete_join(turn);
        } else {
            let at = turn.now.monotonic_ms + self.rebalance_timeout_ms();
            self.set_join_timer(JoinTimer::Complete { at });
        }
    }

    fn all_joined(&self) -> bool {
        self.joins_parked == self.members.len() && self.pending_joins.is_empty()
    }

    /// Ends a rebalance that everybody has come to; an empty group's first one takes its time.
    pub(super) fn complete_if_all_joined(&mut self, turn: &mut Turn<'_>) {
        if self.state == State::PreparingRebalance
            && self.previous_state != State::Empty
            && self.all_joined()
        {
            self.complete_join(turn);
        }
    }

    /// The first rebalance's delay is over: once more, if members came and time remains.
    pub(super) fn complete_or_extend(
        &mut self,
        delay_ms: u64,
        remaining_ms: u64,
        turn: &mut Turn<'_>,
    ) {
        if !self.member_added || remaining_ms == 0 {
            self.complete_join(turn);
            return;
        }
        self.member_added = false;
        let next_ms = u64::from(turn.config.initial_rebalance_delay_ms).min(remaining_ms);
        self.set_join_timer(JoinTimer::Initial {
            at: turn.now.monotonic_ms + next_ms,
            delay_ms: next_ms,
            remaining_ms: remaining_ms.saturating_sub(delay_ms),
        });
    }

    /// The joining is over: dynamic members that have not come are out, the rest gets the next
    /// generation.
    pub(super) fn complete_join(&mut self, turn: &mut Turn<'_>) {
        self.join_timer = None;
        self.member_added = false;
        let missing: Vec<String> = self
            .members
            .iter()
            .filter(|(_, member)| member.join.is_none() && member.instance_id.is_none())
            .map(|(id, _)| id.clone())
            .collect();
        for member_id in missing {
            self.remove_member(&member_id, turn);
        }
        if !self.members.is_empty() && !self.elect_joined_leader() {
            // Static members alone, and none came: their sessions decide.
            let wait_ms = self.rebalance_timeout_ms().max(JOIN_RETRY_MS_MIN);
            let at = turn.now.monotonic_ms + wait_ms;
            self.set_join_timer(JoinTimer::Complete { at });
            return;
        }
        self.next_generation(turn);
        if self.is_empty() {
            let record = self.record(None);
            turn.append(&self.id, vec![record], Change::Emptied, None);
            return;
        }
        self.answer_joins(turn);
    }

    /// The leader must be one that came.
    fn elect_joined_leader(&mut self) -> bool {
        let came = |id: &String| self.members.get(id).is_some_and(|m| m.join.is_some());
        if self.leader.as_ref().is_some_and(came) {
            return true;
        }
        let joined = self
            .members
            .iter()
            .find(|(_, member)| member.join.is_some());
        let Some((id, _)) = joined else {
            return false;
        };
        self.leader = Some(id.clone());
        true
    }

    fn next_generation(&mut self, turn: &mut Turn<'_>) {
        // After two thousand million rebalances generations begin again; never negative, which
        // would mean "no generation".
        self.generation = self.generation.checked_add(1).unwrap_or(1);
        self.pending_syncs.clear();
        if self.members.is_empty() {
            self.leader = None;
            self.protocol = None;
            self.transition(State::Empty, turn);
        } else {
            self.protocol = self.select_protocol();
            self.transition(State::CompletingRebalance, turn);
        }
        self.subscribed_topics = self.compute_subscribed_topics();
    }

    fn answer_joins(&mut self, turn: &mut Turn<'_>) {
        let ids: Vec<String> = self.members.keys().cloned().collect();
        for id in ids {
            let Some(member) = self.members.get_mut(&id) else {
                continue;
            };
            member.is_new = false;
            let parked = member.join.take();
            if let Some(parked) = parked {
                self.joins_parked -= 1;
                let response = self.joined(&id, parked.version, true);
                turn.reply(parked.token, Response::JoinGroup(response));
            }
            self.restart_session(&id, turn);
            self.pending_syncs.insert(id);
        }
        let at = turn.now.monotonic_ms + self.rebalance_timeout_ms();
        self.sync_timer = Some(at);
        self.wake_by(at);
    }

    /// Members did not sync in time: they are out.
    pub(super) fn expire_syncs(&mut self, turn: &mut Turn<'_>) {
        self.sync_timer = None;
        let in_generation = matches!(self.state, State::CompletingRebalance | State::Stable);
        if !in_generation || self.pending_syncs.is_empty() {
            return;
        }
        for member_id in std::mem::take(&mut self.pending_syncs) {
            self.remove_member(&member_id, turn);
        }
        self.prepare_rebalance(turn);
    }

    /// Forgets the assignment and answers everybody that waits for it.
    pub(super) fn refuse_syncs(&mut self, error: ErrorCode, turn: &mut Turn<'_>) {
        let ids: Vec<String> = self.members.keys().cloned().collect();
        for id in ids {
            let Some(member) = self.members.get_mut(&id) else {
                continue;
            };
            member.assignment.clear();
            if let Some(parked) = member.sync.take() {
                reply_sync_error(turn, parked, error);
                self.restart_session(&id, turn);
            }
        }
    }

    fn set_join_timer(&mut self, timer: JoinTimer) {
        let (JoinTimer::Initial { at, .. } | JoinTimer::Complete { at }) = timer;
        self.join_timer = Some(timer);
        self.wake_by(at);
    }
}

//! What becomes due in a group.

use super::{ClassicGroup, JoinTimer, State};
use crate::turn::Turn;

impl ClassicGroup {
    /// No timer is due before this, monotonic ms.
    pub(crate) fn soonest(&self) -> Option<u64> {
        self.soonest
    }

    /// A timer was set.
    pub(super) fn wake_by(&mut self, at: u64) {
        self.soonest = Some(self.soonest.map_or(at, |soonest| soonest.min(at)));
    }

    /// Does what is due and finds the next time.
    pub(crate) fn run_timers(&mut self, turn: &mut Turn<'_>) {
        let now = turn.now.monotonic_ms;
        match self.join_timer {
            Some(JoinTimer::Complete { at }) if at <= now => self.complete_join(turn),
            Some(JoinTimer::Initial {
                at,
                delay_ms,
                remaining_ms,
            }) if at <= now => self.complete_or_extend(delay_ms, remaining_ms, turn),
            _ => {}
        }
        if self.sync_timer.is_some_and(|at| at <= now) {
            self.expire_syncs(turn);
        }
        self.expire_members(now, turn);
        self.soonest = self.next_due();
    }

    fn expire_members(&mut self, now: u64, turn: &mut Turn<'_>) {
        let pending_before = self.pending_joins.len();
        self.pending_joins.retain(|_, expires_at| *expires_at > now);
        if self.pending_joins.len() != pending_before && self.state == State::PreparingRebalance {
            self.complete_if_all_joined(turn);
        }
        let mut expired = Vec::new();
        for (id, member) in &mut self.members {
            if member.expires_at.is_some_and(|at| at <= now) {
                member.expires_at = None;
                if !member.waits_alive() {
                    expired.push(id.clone());
                }
            }
        }
        for id in &expired {
            self.remove_member(id, turn);
        }
        if !expired.is_empty() {
            self.members_gone(turn);
        }
    }

    fn next_due(&self) -> Option<u64> {
        let join = self.join_timer.map(|timer| match timer {
            JoinTimer::Initial { at, .. } | JoinTimer::Complete { at } => at,
        });
        let members = self.members.values().filter_map(|m| m.expires_at).min();
        let pending = self.pending_joins.values().min().copied();
        [join, self.sync_timer, members, pending]
            .into_iter()
            .flatten()
            .min()
    }
}

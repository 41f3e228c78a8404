//! Heartbeat, and what else proves that a member lives.

use super::{ClassicGroup, State};
use crate::turn::Turn;
use precursor_model::ErrorCode;
use precursor_protocol::messages::HeartbeatRequest;

impl ClassicGroup {
    pub(crate) fn heartbeat(
        &mut self,
        request: &HeartbeatRequest,
        turn: &mut Turn<'_>,
    ) -> ErrorCode {
        let instance_id = request.group_instance_id.as_deref();
        if let Err(error) = self.validate_member(&request.member_id, instance_id) {
            return error;
        }
        if request.generation_id != self.generation {
            return ErrorCode::IllegalGeneration;
        }
        self.restart_session(&request.member_id, turn);
        match self.state {
            State::Empty => ErrorCode::UnknownMemberId,
            State::PreparingRebalance => ErrorCode::RebalanceInProgress,
            // Consumers send heartbeats as soon as they know their generation.
            State::CompletingRebalance | State::Stable => ErrorCode::None,
        }
    }

    /// Whether this member, or a client outside of any group, may commit offsets.
    pub(crate) fn validate_commit(
        &self,
        member_id: &str,
        instance_id: Option<&str>,
        generation: i32,
    ) -> Result<(), ErrorCode> {
        // Administration and consumers without group management commit into empty groups.
        if generation < 0 && self.is_empty() {
            return Ok(());
        }
        if generation < 0 && member_id.is_empty() && instance_id.is_none() {
            return Err(ErrorCode::UnknownMemberId);
        }
        self.validate_member(member_id, instance_id)?;
        if generation != self.generation {
            return Err(ErrorCode::IllegalGeneration);
        }
        if self.state == State::CompletingRebalance {
            return Err(ErrorCode::RebalanceInProgress);
        }
        Ok(())
    }

    /// A commit is a sign of life.
    pub(crate) fn committed(&mut self, member_id: &str, turn: &Turn<'_>) {
        if self.members.contains_key(member_id) {
            self.restart_session(member_id, turn);
        }
    }

    /// The member's session begins anew.
    pub(super) fn restart_session(&mut self, member_id: &str, turn: &Turn<'_>) {
        let Some(member) = self.members.get_mut(member_id) else {
            return;
        };
        let timeout_ms = member.offer.session_timeout_ms.max(0) as u64;
        let expires_at = turn.now.monotonic_ms + timeout_ms;
        member.expires_at = Some(expires_at);
        self.wake_by(expires_at);
    }
}

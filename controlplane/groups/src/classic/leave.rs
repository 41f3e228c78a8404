//! LeaveGroup: one member, or many by id or instance id (KIP-345, KIP-800).

use super::{ClassicGroup, State};
use crate::turn::Turn;
use precursor_model::ErrorCode;
use precursor_protocol::messages::leave_group_request::MemberIdentity;
use precursor_protocol::messages::leave_group_response::MemberResponse;

impl ClassicGroup {
    /// Takes members out; says of each what became of it.
    pub(crate) fn leave(
        &mut self,
        members: &[MemberIdentity],
        turn: &mut Turn<'_>,
    ) -> Vec<MemberResponse> {
        let mut left = false;
        let responses = members.iter().map(|identity| {
            let outcome = self.leave_one(identity, turn);
            left |= outcome.is_ok();
            member_response(identity, outcome.err().unwrap_or(ErrorCode::None))
        });
        let responses = responses.collect();
        if left {
            self.members_gone(turn);
        }
        responses
    }

    fn leave_one(
        &mut self,
        identity: &MemberIdentity,
        turn: &mut Turn<'_>,
    ) -> Result<(), ErrorCode> {
        let instance_id = identity.group_instance_id.as_deref();
        let member_id = if identity.member_id.is_empty() {
            // Administration names the instance alone.
            let known = instance_id.and_then(|id| self.static_members.get(id));
            known.cloned().ok_or(ErrorCode::UnknownMemberId)?
        } else {
            if !self.pending_joins.contains_key(&identity.member_id) {
                self.validate_member(&identity.member_id, instance_id)?;
            }
            identity.member_id.clone()
        };
        self.remove_member(&member_id, turn);
        Ok(())
    }

    /// After members went: the others share anew.
    pub(super) fn members_gone(&mut self, turn: &mut Turn<'_>) {
        match self.state {
            State::Stable | State::CompletingRebalance => self.prepare_rebalance(turn),
            State::PreparingRebalance => self.complete_if_all_joined(turn),
            State::Empty => {}
        }
    }
}

pub(crate) fn member_response(identity: &MemberIdentity, error: ErrorCode) -> MemberResponse {
    MemberResponse {
        member_id: identity.member_id.clone(),
        group_instance_id: identity.group_instance_id.clone(),
        error_code: error.code(),
        ..MemberResponse::default()
    }
}

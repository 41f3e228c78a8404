//! JoinGroup (KIP-345, KIP-394, KIP-814).

use super::{ClassicGroup, Member, Offer, Parked, State, new_member_id, reply_join_error};
use crate::command::{RequestContext, Response};
use crate::turn::{Change, Turn, client_error};
use precursor_model::ErrorCode;
use precursor_protocol::messages::join_group_response::JoinGroupResponseMember;
use precursor_protocol::messages::{JoinGroupRequest, JoinGroupResponse};

/// From this version on a new dynamic member must come back with the id it is given (KIP-394).
const MEMBER_ID_REQUIRED_FROM: i16 = 4;
/// From this version on an answer can tell a leader not to assign (KIP-814).
const SKIP_ASSIGNMENT_FROM: i16 = 9;
/// How long a JoinGroup of a new member is parked: its client may be gone without a trace.
const NEW_MEMBER_JOIN_TIMEOUT_MS: u64 = 5 * 60 * 1_000;

/// A static member that takes over its instance id while the group is stable.
#[derive(Debug)]
pub(crate) struct Takeover {
    member_id: String,
    old_member_id: String,
    old_offer: Offer,
    /// Who led before: told to clients that could not be told to skip the assignment.
    old_leader: Option<String>,
    parked: Parked,
}

impl ClassicGroup {
    /// Takes a JoinGroup whose timeouts and sizes were checked.
    pub(crate) fn join(
        &mut self,
        context: &RequestContext,
        mut request: JoinGroupRequest,
        turn: &mut Turn<'_>,
    ) {
        let parked = Parked {
            token: context.token,
            version: context.version,
        };
        let offer = Offer::take(&mut request, context.version);
        let member_id = request.member_id.as_str();
        if !self.accepts(member_id, &offer, turn) {
            self.remove_member(member_id, turn);
            reply_join_error(turn, parked, "", ErrorCode::GroupMaxSizeReached);
        } else if !self.supports(&request.protocol_type, &offer) {
            reply_join_error(
                turn,
                parked,
                member_id,
                ErrorCode::InconsistentGroupProtocol,
            );
        } else if member_id.is_empty() {
            self.join_new(context, parked, request, offer, turn);
        } else if self.pending_joins.contains_key(member_id) {
            // An id is given out to dynamic members only.
            if request.group_instance_id.is_some() {
                reply_join_error(turn, parked, member_id, ErrorCode::UnknownMemberId);
            } else {
                let member = Member::new(context, None, offer);
                self.add_and_rebalance(member_id, member, &request.protocol_type, parked, turn);
            }
        } else {
            self.join_known(parked, &request, offer, turn);
        }
    }

    /// Whether the group has room: known members always have, up to the size; and bytes count.
    fn accepts(&self, member_id: &str, offer: &Offer, turn: &Turn<'_>) -> bool {
        let limits = &turn.config.limits;
        let size_max = turn.config.group_size_max.min(limits.members_max);
        let known = self.members.get(member_id);
        let known_bytes = known.map_or(0, |member| member.offer.bytes());
        if self.offer_bytes - known_bytes + offer.bytes() > limits.group_bytes_max {
            return false;
        }
        if member_id.is_empty() && self.pending_joins.len() >= limits.members_max {
            return false;
        }
        match self.state {
            State::Empty => true,
            // Those that wait count, not the members: the last to come back are left out.
            State::PreparingRebalance => {
                known.is_some_and(|member| member.join.is_some()) || self.joins_parked < size_max
            }
            State::CompletingRebalance | State::Stable => {
                known.is_some() || self.members.len() < size_max
            }
        }
    }

    fn join_new(
        &mut self,
        context: &RequestContext,
        parked: Parked,
        request: JoinGroupRequest,
        offer: Offer,
        turn: &mut Turn<'_>,
    ) {
        let instance_id = request.group_instance_id;
        let member_id = new_member_id(context, instance_id.as_deref());
        let taken_over = instance_id
            .as_ref()
            .and_then(|instance_id| self.static_members.get(instance_id).cloned());
        if let Some(old_member_id) = taken_over {
            self.take_over(&old_member_id, &member_id, offer, parked, turn);
        } else if instance_id.is_none() && context.version >= MEMBER_ID_REQUIRED_FROM {
            let expires_at = turn.now.monotonic_ms + offer.session_timeout_ms.max(0) as u64;
            self.wake_by(expires_at);
            self.pending_joins.insert(member_id.clone(), expires_at);
            reply_join_error(turn, parked, &member_id, ErrorCode::MemberIdRequired);
        } else {
            let member = Member::new(context, instance_id, offer);
            self.add_and_rebalance(&member_id, member, &request.protocol_type, parked, turn);
        }
    }

    fn add_and_rebalance(
        &mut self,
        member_id: &str,
        mut member: Member,
        protocol_type: &str,
        parked: Parked,
        turn: &mut Turn<'_>,
    ) {
        if self.state == State::PreparingRebalance && self.previous_state == State::Empty {
            // More may come: the first rebalance waits on.
            self.member_added = true;
        }
        let expires_at = turn.now.monotonic_ms + NEW_MEMBER_JOIN_TIMEOUT_MS;
        member.expires_at = Some(expires_at);
        member.join = Some(parked);
        self.wake_by(expires_at);
        self.add_member(member_id, member, protocol_type);
        self.rebalance_or_complete(turn);
    }

    fn join_known(
        &mut self,
        parked: Parked,
        request: &JoinGroupRequest,
        offer: Offer,
        turn: &mut Turn<'_>,
    ) {
        let member_id = request.member_id.as_str();
        let instance_id = request.group_instance_id.as_deref();
        if let Err(error) = self.validate_member(member_id, instance_id) {
            reply_join_error(turn, parked, member_id, error);
            return;
        }
        let same = self.members[member_id].offer.protocols == offer.protocols;
        let answer_again = match self.state {
            // The answer to its JoinGroup may have been lost.
            State::CompletingRebalance => same,
            // A leader that joins again wants a new assignment, whatever its metadata.
            State::Stable => same && !self.is_leader(member_id),
            State::PreparingRebalance | State::Empty => false,
        };
        if answer_again {
            let with_members = self.state == State::CompletingRebalance;
            let response = self.joined(member_id, parked.version, with_members);
            turn.reply(parked.token, Response::JoinGroup(response));
            return;
        }
        self.replace_offer(member_id, offer);
        self.park_join(member_id, parked, turn);
        self.rebalance_or_complete(turn);
    }

    fn replace_offer(&mut self, member_id: &str, offer: Offer) {
        self.count_offer(&offer);
        let Some(member) = self.members.get_mut(member_id) else {
            return;
        };
        let old = std::mem::replace(&mut member.offer, offer);
        self.uncount_offer(&old);
    }

    /// The group's present generation, for one member. `members` are told to the leader alone.
    pub(super) fn joined(
        &self,
        member_id: &str,
        version: i16,
        with_members: bool,
    ) -> JoinGroupResponse {
        let members = if with_members && self.is_leader(member_id) {
            self.members_told()
        } else {
            Vec::new()
        };
        let protocol_name = self.protocol.clone();
        JoinGroupResponse {
            generation_id: self.generation,
            protocol_type: self.protocol_type.clone(),
            protocol_name: protocol_name.or_else(|| (version < 7).then(String::new)),
            leader: self.leader.clone().unwrap_or_default(),
            member_id: member_id.to_owned(),
            members,
            ..JoinGroupResponse::default()
        }
    }

    fn members_told(&self) -> Vec<JoinGroupResponseMember> {
        let protocol = self.protocol.as_deref().unwrap_or_default();
        let members = self
            .members
            .iter()
            .map(|(id, member)| JoinGroupResponseMember {
                member_id: id.clone(),
                group_instance_id: member.instance_id.clone(),
                metadata: member.offer.metadata(protocol).to_vec(),
                ..JoinGroupResponseMember::default()
            });
        members.collect()
    }

    /// KIP-345: an instance came back under its instance id. The old member is fenced; a stable
    /// group whose protocol stays the same goes on without a rebalance.
    fn take_over(
        &mut self,
        old_member_id: &str,
        member_id: &str,
        offer: Offer,
        parked: Parked,
        turn: &mut Turn<'_>,
    ) {
        let old_leader = self.leader.clone();
        self.rename_member(old_member_id, member_id, turn);
        let old_offer = self.members[member_id].offer.clone();
        self.restart_session(member_id, turn);
        self.replace_offer(member_id, offer);
        self.park_join(member_id, parked, turn);
        match self.state {
            State::Stable if self.select_protocol() == self.protocol => {
                let takeover = Takeover {
                    member_id: member_id.to_owned(),
                    old_member_id: old_member_id.to_owned(),
                    old_offer,
                    old_leader,
                    parked,
                };
                let record = self.record(None);
                let change = Change::Takeover(Box::new(takeover));
                turn.append(&self.id, vec![record], change, None);
            }
            // The leader may be assigning to the old id.
            State::Stable | State::CompletingRebalance => self.prepare_rebalance(turn),
            State::PreparingRebalance | State::Empty => self.complete_if_all_joined(turn),
        }
    }

    /// Gives a static member another id; whoever waits under the old one is fenced.
    fn rename_member(&mut self, from: &str, to: &str, turn: &mut Turn<'_>) {
        let Some(mut member) = self.members.remove(from) else {
            return;
        };
        if let Some(parked) = member.join.take() {
            self.joins_parked -= 1;
            reply_join_error(turn, parked, from, ErrorCode::FencedInstanceId);
        }
        if let Some(parked) = member.sync.take() {
            super::reply_sync_error(turn, parked, ErrorCode::FencedInstanceId);
        }
        if let Some(instance_id) = &member.instance_id {
            self.static_members
                .insert(instance_id.clone(), to.to_owned());
        }
        if self.is_leader(from) {
            self.leader = Some(to.to_owned());
        }
        if self.pending_syncs.remove(from) {
            self.pending_syncs.insert(to.to_owned());
        }
        self.members.insert(to.to_owned(), member);
    }

    /// The log has a takeover, or refused it.
    pub(crate) fn took_over(
        &mut self,
        takeover: Takeover,
        outcome: Result<(), ErrorCode>,
        turn: &mut Turn<'_>,
    ) {
        let member_id = takeover.member_id.as_str();
        let waits = self
            .members
            .get(member_id)
            .is_some_and(|member| member.join == Some(takeover.parked));
        // A rebalance that began meanwhile answers it at its end.
        if !waits || self.state != State::Stable {
            return;
        }
        if let Some(member) = self.members.get_mut(member_id) {
            member.join = None;
        }
        self.joins_parked -= 1;
        if let Err(error) = outcome {
            self.replace_offer(member_id, takeover.old_offer);
            self.rename_member(member_id, &takeover.old_member_id, turn);
            self.restart_session(&takeover.old_member_id, turn);
            let error = client_error(error, ErrorCode::UnknownServerError);
            reply_join_error(turn, takeover.parked, "", error);
            return;
        }
        self.restart_session(member_id, turn);
        let skips = takeover.parked.version >= SKIP_ASSIGNMENT_FROM;
        let mut response = self.joined(member_id, takeover.parked.version, skips);
        if skips {
            response.skip_assignment = self.is_leader(member_id);
        } else {
            // A leader of before must not take itself for the leader: nobody waits for it.
            response.leader = takeover.old_leader.unwrap_or_default();
        }
        turn.reply(takeover.parked.token, Response::JoinGroup(response));
    }
}

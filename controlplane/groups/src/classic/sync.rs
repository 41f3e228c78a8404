//! SyncGroup: the leader's assignment, made durable, then given to every member.

use super::{ClassicGroup, Parked, State, reply_sync_error};
use crate::command::{RequestContext, Response};
use crate::turn::{Change, Turn, client_error};
use precursor_model::ErrorCode;
use precursor_protocol::messages::{SyncGroupRequest, SyncGroupResponse};
use std::collections::BTreeMap;

/// From this version on the protocol's type and name must be told.
const PROTOCOL_REQUIRED_FROM: i16 = 5;

/// What the leader assigned, by member.
pub(crate) type Assignments = BTreeMap<String, Vec<u8>>;

impl ClassicGroup {
    pub(crate) fn sync(
        &mut self,
        context: &RequestContext,
        request: SyncGroupRequest,
        turn: &mut Turn<'_>,
    ) {
        let parked = Parked {
            token: context.token,
            version: context.version,
        };
        if let Err(error) = self.validate_sync(&request, context.version) {
            reply_sync_error(turn, parked, error);
            return;
        }
        let member_id = request.member_id.as_str();
        match self.state {
            // A member of an empty group is refused above.
            State::Empty => reply_sync_error(turn, parked, ErrorCode::UnknownMemberId),
            State::PreparingRebalance => {
                reply_sync_error(turn, parked, ErrorCode::RebalanceInProgress);
            }
            State::CompletingRebalance => {
                self.park_sync(member_id, parked, turn);
                self.synced(member_id);
                if self.is_leader(member_id) && self.assignment_pending != Some(self.generation) {
                    self.append_assignment(request, turn);
                }
            }
            State::Stable => {
                self.synced(member_id);
                self.answer_sync(member_id, parked, turn);
            }
        }
    }

    fn validate_sync(&self, request: &SyncGroupRequest, version: i16) -> Result<(), ErrorCode> {
        let told = request.protocol_type.is_some() && request.protocol_name.is_some();
        if version >= PROTOCOL_REQUIRED_FROM && !told {
            return Err(ErrorCode::InconsistentGroupProtocol);
        }
        self.validate_member(&request.member_id, request.group_instance_id.as_deref())?;
        if request.generation_id != self.generation {
            return Err(ErrorCode::IllegalGeneration);
        }
        let differs = |told: &Option<String>, ours: &Option<String>| told.is_some() && told != ours;
        if differs(&request.protocol_type, &self.protocol_type)
            || differs(&request.protocol_name, &self.protocol)
        {
            return Err(ErrorCode::InconsistentGroupProtocol);
        }
        Ok(())
    }

    fn park_sync(&mut self, member_id: &str, parked: Parked, turn: &mut Turn<'_>) {
        if let Some(member) = self.members.get_mut(member_id)
            && let Some(old) = member.sync.replace(parked)
        {
            reply_sync_error(turn, old, ErrorCode::RebalanceInProgress);
        }
    }

    fn synced(&mut self, member_id: &str) {
        self.pending_syncs.remove(member_id);
        if self.pending_syncs.is_empty() {
            self.sync_timer = None;
        }
    }

    /// Members that the leader forgot get an empty assignment; others than members get none.
    fn append_assignment(&mut self, request: SyncGroupRequest, turn: &mut Turn<'_>) {
        let mut assignments: Assignments = self
            .members
            .keys()
            .map(|id| (id.clone(), Vec::new()))
            .collect();
        for assigned in request.assignments {
            if let Some(assignment) = assignments.get_mut(&assigned.member_id) {
                *assignment = assigned.assignment;
            }
        }
        self.assignment_pending = Some(self.generation);
        let record = self.record(Some(&assignments));
        let change = Change::Assignment {
            generation: self.generation,
            assignments,
        };
        turn.append(&self.id, vec![record], change, None);
    }

    /// The log has an assignment, or refused it. It counts for the generation it was made for.
    pub(crate) fn assigned(
        &mut self,
        generation: i32,
        mut assignments: Assignments,
        outcome: Result<(), ErrorCode>,
        turn: &mut Turn<'_>,
    ) {
        if self.assignment_pending == Some(generation) {
            self.assignment_pending = None;
        }
        if self.state != State::CompletingRebalance || generation != self.generation {
            return;
        }
        if let Err(error) = outcome {
            let error = client_error(error, ErrorCode::UnknownServerError);
            self.refuse_syncs(error, turn);
            self.rebalance_or_complete(turn);
            return;
        }
        self.transition(State::Stable, turn);
        let ids: Vec<String> = self.members.keys().cloned().collect();
        for id in ids {
            let Some(member) = self.members.get_mut(&id) else {
                continue;
            };
            member.assignment = assignments.remove(&id).unwrap_or_default();
            if let Some(parked) = member.sync.take() {
                self.answer_sync(&id, parked, turn);
                self.restart_session(&id, turn);
            }
        }
    }

    fn answer_sync(&self, member_id: &str, parked: Parked, turn: &mut Turn<'_>) {
        let assignment = self.members.get(member_id).map(|m| m.assignment.clone());
        let response = SyncGroupResponse {
            protocol_type: self.protocol_type.clone(),
            protocol_name: self.protocol.clone(),
            assignment: assignment.unwrap_or_default(),
            ..SyncGroupResponse::default()
        };
        turn.reply(parked.token, Response::SyncGroup(response));
    }
}

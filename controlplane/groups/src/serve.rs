//! Requests to an active coordinator.

use crate::classic::{ClassicGroup, member_response};
use crate::command::{Command, Request, RequestContext, Response};
use crate::coordinator::GroupCoordinator;
use crate::group::{Group, Kind};
use crate::load::group_or_new;
use crate::offsets;
use crate::refusal::{deletion, described, refused};
use crate::turn::Reply;
use precursor_model::ErrorCode;
use precursor_protocol::messages::describe_groups_response::DescribedGroup;
use precursor_protocol::messages::leave_group_request::MemberIdentity;
use precursor_protocol::messages::leave_group_response::MemberResponse;
use precursor_protocol::messages::list_groups_response::ListedGroup;
use precursor_protocol::messages::{
    HeartbeatResponse, JoinGroupRequest, LeaveGroupRequest, LeaveGroupResponse,
    OffsetCommitRequest, OffsetDeleteRequest,
};

/// From this version on DescribeGroups says that a group does not exist (KIP-1043).
const DESCRIBE_NOT_FOUND_FROM: i16 = 6;
/// From this version on LeaveGroup names many members.
const LEAVE_MANY_FROM: i16 = 3;
/// From this version on OffsetCommit says that a group does not exist (KIP-848).
const COMMIT_NOT_FOUND_FROM: i16 = 9;

impl GroupCoordinator {
    pub(crate) fn serve(
        &mut self,
        context: &RequestContext,
        request: Request,
        out: &mut Vec<Command>,
    ) {
        if let Some(error) = self.refusal(&request) {
            let response = refused(&request, context.version, error);
            return reply(context, response, out);
        }
        match request {
            Request::JoinGroup(request) => self.join_group(context, request, out),
            Request::SyncGroup(request) => {
                let group_id = request.group_id.clone();
                self.act(&group_id, context.now, out, |group, turn| {
                    if let Kind::Classic(classic) = &mut group.kind {
                        classic.sync(context, request, turn);
                    }
                });
            }
            Request::Heartbeat(request) => {
                let error =
                    self.act(
                        &request.group_id,
                        context.now,
                        out,
                        |group, turn| match &mut group.kind {
                            Kind::Classic(classic) => classic.heartbeat(&request, turn),
                            Kind::Simple => ErrorCode::UnknownMemberId,
                        },
                    );
                let response = HeartbeatResponse {
                    error_code: error.unwrap_or(ErrorCode::UnknownMemberId).code(),
                    ..HeartbeatResponse::default()
                };
                reply(context, Response::Heartbeat(response), out);
            }
            Request::LeaveGroup(request) => self.leave_group(context, request, out),
            Request::OffsetCommit(request) => self.offset_commit(context, &request, out),
            Request::OffsetFetch { group, .. } => {
                let known = self.groups.get(group.group_id.as_str());
                let offsets = known.map(|group| &group.offsets);
                let response = offsets::fetch(&group, offsets, &self.topics);
                reply(context, Response::OffsetFetch(response), out);
            }
            Request::OffsetDelete(request) => self.offset_delete(context, &request, out),
            Request::DescribeGroups { group_ids } => {
                let groups = group_ids
                    .iter()
                    .map(|id| self.describe(id, context.version));
                let response = Response::DescribeGroups(groups.collect());
                reply(context, response, out);
            }
            Request::ListGroups {
                states_filter,
                types_filter,
            } => {
                let groups = self.list(&states_filter, &types_filter);
                reply(context, Response::ListGroups(Ok(groups)), out);
            }
            Request::DeleteGroups { group_ids } => self.delete_groups(context, &group_ids, out),
        }
    }

    /// What can be refused without the group's own rules: ids, existence, sizes and timeouts.
    fn refusal(&self, request: &Request) -> Option<ErrorCode> {
        let group_id = match request {
            Request::JoinGroup(request) => return self.join_refusal(request),
            Request::SyncGroup(request) => &request.group_id,
            Request::Heartbeat(request) => &request.group_id,
            Request::LeaveGroup(request) => &request.group_id,
            _ => return None,
        };
        if group_id.is_empty() {
            return Some(ErrorCode::InvalidGroupId);
        }
        match self.groups.get(group_id.as_str()) {
            Some(group) if group.deletion.is_some() => Some(ErrorCode::CoordinatorNotAvailable),
            Some(group) if group.classic().is_some() => None,
            // LeaveGroup says it of every member.
            _ if matches!(request, Request::LeaveGroup(_)) => None,
            _ => Some(ErrorCode::UnknownMemberId),
        }
    }

    fn join_refusal(&self, request: &JoinGroupRequest) -> Option<ErrorCode> {
        let config = &self.config;
        let limits = &config.limits;
        let timeouts = config.session_timeout_ms_min..=config.session_timeout_ms_max;
        let sizes = request.protocols.iter();
        let bytes: usize = sizes.map(|p| p.name.len() + p.metadata.len()).sum();
        if request.group_id.is_empty() {
            return Some(ErrorCode::InvalidGroupId);
        }
        if !timeouts.contains(&request.session_timeout_ms) {
            return Some(ErrorCode::InvalidSessionTimeout);
        }
        if request.protocols.len() > limits.protocols_max || bytes > limits.member_bytes_max {
            return Some(ErrorCode::InvalidRequest);
        }
        match self.groups.get(request.group_id.as_str()) {
            Some(group) if group.deletion.is_some() => Some(ErrorCode::CoordinatorNotAvailable),
            Some(_) => None,
            None if !request.member_id.is_empty() => Some(ErrorCode::UnknownMemberId),
            None if self.groups.len() >= limits.groups_max => Some(ErrorCode::PolicyViolation),
            None => None,
        }
    }

    fn join_group(
        &mut self,
        context: &RequestContext,
        request: JoinGroupRequest,
        out: &mut Vec<Command>,
    ) {
        group_or_new(&mut self.groups, &request.group_id);
        let group_id = request.group_id.clone();
        self.act(&group_id, context.now, out, |group, turn| {
            let classic = group.classic_or_new(context.now.wall_ms);
            classic.join(context, request, turn);
        });
    }

    fn leave_group(
        &mut self,
        context: &RequestContext,
        mut request: LeaveGroupRequest,
        out: &mut Vec<Command>,
    ) {
        let many = context.version >= LEAVE_MANY_FROM;
        if !many {
            request.members = vec![MemberIdentity {
                member_id: request.member_id,
                ..MemberIdentity::default()
            }];
        }
        let answer = |members: Vec<MemberResponse>| {
            let mut response = LeaveGroupResponse::default();
            if many {
                response.members = members;
            } else {
                response.error_code = members.first().map_or(0, |member| member.error_code);
            }
            Response::LeaveGroup(response)
        };
        let done = self.act(&request.group_id, context.now, out, |group, turn| {
            let Kind::Classic(classic) = &mut group.kind else {
                return false;
            };
            let members = classic.leave(&request.members, turn);
            turn.reply_when_durable(context.token, answer(members));
            true
        });
        if done != Some(true) {
            let unknown = |m| member_response(m, ErrorCode::UnknownMemberId);
            let members = request.members.iter().map(unknown).collect();
            reply(context, answer(members), out);
        }
    }

    fn offset_commit(
        &mut self,
        context: &RequestContext,
        request: &OffsetCommitRequest,
        out: &mut Vec<Command>,
    ) {
        let verdict = match self.groups.get(request.group_id.as_str()) {
            Some(group) => group.validate_commit(request),
            None if request.generation_id_or_member_epoch >= 0 => {
                if context.version >= COMMIT_NOT_FOUND_FROM {
                    Err(ErrorCode::GroupIdNotFound)
                } else {
                    Err(ErrorCode::IllegalGeneration)
                }
            }
            None if self.groups.len() >= self.config.limits.groups_max => {
                Err(ErrorCode::PolicyViolation)
            }
            None => Ok(()),
        };
        if let Err(error) = verdict {
            let response = offsets::commit_refused(request, error);
            return reply(context, Response::OffsetCommit(response), out);
        }
        group_or_new(&mut self.groups, &request.group_id);
        self.act(&request.group_id, context.now, out, |group, turn| {
            if let Kind::Classic(classic) = &mut group.kind {
                classic.committed(&request.member_id, turn);
            }
            group.write_offsets(context.token, request, turn);
        });
    }

    fn offset_delete(
        &mut self,
        context: &RequestContext,
        request: &OffsetDeleteRequest,
        out: &mut Vec<Command>,
    ) {
        let done = self.act(&request.group_id, context.now, out, |group, turn| {
            group.delete_offsets(context.token, request, turn);
        });
        if done.is_none() {
            let request = Request::OffsetDelete(request.clone());
            let response = refused(&request, context.version, ErrorCode::GroupIdNotFound);
            reply(context, response, out);
        }
    }

    fn describe(&self, group_id: &str, version: i16) -> DescribedGroup {
        let known = self.groups.get(group_id).filter(|group| !group.is_dead());
        match known {
            Some(group) => match &group.kind {
                Kind::Classic(classic) => classic.describe(),
                Kind::Simple => DescribedGroup {
                    group_state: "Empty".to_owned(),
                    ..described(group_id, ErrorCode::None)
                },
            },
            None => {
                let mut dead = described(group_id, ErrorCode::None);
                dead.group_state = "Dead".to_owned();
                if version >= DESCRIBE_NOT_FOUND_FROM {
                    dead.error_code = ErrorCode::GroupIdNotFound.code();
                    dead.error_message = Some(format!("Group {group_id} not found."));
                }
                dead
            }
        }
    }

    /// In order of the groups' ids.
    fn list(&self, states: &[String], types: &[String]) -> Vec<ListedGroup> {
        let passes = |filter: &[String], value: &str| {
            filter.is_empty() || filter.iter().any(|text| text.eq_ignore_ascii_case(value))
        };
        let groups = self.groups.values().filter(|group| !group.is_dead());
        let listed = groups.filter_map(|group| {
            let classic = group.classic();
            let state = classic.map_or("Empty", |classic| classic.state().name());
            let kind = "classic";
            (passes(states, state) && passes(types, kind)).then(|| ListedGroup {
                group_id: group.id.to_string(),
                protocol_type: classic.map_or("", ClassicGroup::protocol_type).to_owned(),
                group_state: state.to_owned(),
                group_type: kind.to_owned(),
                ..ListedGroup::default()
            })
        });
        let mut listed: Vec<ListedGroup> = listed.collect();
        listed.sort_unstable_by(|a, b| a.group_id.cmp(&b.group_id));
        listed
    }

    fn delete_groups(
        &mut self,
        context: &RequestContext,
        group_ids: &[String],
        out: &mut Vec<Command>,
    ) {
        let token = context.token;
        let mut results = Vec::new();
        let mut outstanding = 0;
        for (index, id) in group_ids.iter().enumerate() {
            let error = match self
                .groups
                .get(id.as_str())
                .filter(|group| !group.is_dead())
            {
                None => ErrorCode::GroupIdNotFound,
                Some(group) if !group.is_empty() => ErrorCode::NonEmptyGroup,
                Some(_) => {
                    self.act(id, context.now, out, |group: &mut Group, turn| {
                        group.delete(Some(Reply::Deletion { token, index }), turn);
                    });
                    outstanding += 1;
                    ErrorCode::None
                }
            };
            results.push(deletion(id, error));
        }
        self.deletions.begin(token, results, outstanding, out);
    }
}

fn reply(context: &RequestContext, response: Response, out: &mut Vec<Command>) {
    let token = context.token;
    out.push(Command::Reply { token, response });
}

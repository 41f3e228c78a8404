//! A group's record: how it is written, and what a replay makes of it.

use super::member::OfferedProtocol;
use super::sync::Assignments;
use super::{ClassicGroup, Member, Offer, State};
use crate::command::Record;
use crate::records::{GroupMemberValue, GroupValue, RecordKey};
use crate::turn::Turn;
use std::sync::Arc;

impl ClassicGroup {
    /// The group's record, with new assignments or those that its members have.
    pub(super) fn record(&self, assignments: Option<&Assignments>) -> Record {
        let protocol = self.protocol.as_deref().unwrap_or_default();
        let members = self.members.iter().map(|(id, member)| GroupMemberValue {
            member_id: id.clone(),
            group_instance_id: member.instance_id.clone(),
            client_id: member.client_id.clone(),
            client_host: member.client_host.clone(),
            rebalance_timeout_ms: member.offer.rebalance_timeout_ms,
            session_timeout_ms: member.offer.session_timeout_ms,
            subscription: member.offer.metadata(protocol).to_vec(),
            assignment: match assignments {
                Some(assignments) => assignments.get(id).cloned().unwrap_or_default(),
                None => member.assignment.clone(),
            },
        });
        let value = GroupValue {
            protocol_type: self.protocol_type.clone().unwrap_or_default(),
            generation: self.generation,
            protocol: self.protocol.clone(),
            leader: self.leader.clone(),
            current_state_timestamp_ms: self.state_since_ms.unwrap_or(-1),
            members: members.collect(),
        };
        let value = value.encode();
        Record {
            key: group_key(&self.id),
            // Every text came out of a message, or was cut where it was made.
            value: Some(value.expect("a group's texts fit into its record")),
        }
    }

    /// The group as a record has it.
    pub(crate) fn from_value(id: Arc<str>, value: GroupValue) -> ClassicGroup {
        let mut group = ClassicGroup::new(id, 0);
        group.state_since_ms =
            Some(value.current_state_timestamp_ms).filter(|timestamp| *timestamp != -1);
        group.generation = value.generation;
        group.state = if value.members.is_empty() {
            State::Empty
        } else {
            State::Stable
        };
        group.previous_state = group.state;
        let protocol = value.protocol.clone().unwrap_or_default();
        for member in value.members {
            let (id, member) = loaded_member(member, &protocol);
            if group.members.contains_key(&id) {
                continue;
            }
            group.add_member(&id, member, &value.protocol_type);
        }
        group.protocol_type = Some(value.protocol_type).filter(|name| !name.is_empty());
        group.protocol = value.protocol;
        group.leader = value.leader;
        group.subscribed_topics = group.compute_subscribed_topics();
        group
    }

    /// The replay is over: sessions begin, and a group that has grown too large for what is
    /// allowed now shares anew.
    pub(crate) fn loaded(&mut self, turn: &mut Turn<'_>) {
        let ids: Vec<String> = self.members.keys().cloned().collect();
        for id in ids {
            self.restart_session(&id, turn);
        }
        let size_max = turn
            .config
            .group_size_max
            .min(turn.config.limits.members_max);
        if self.members.len() > size_max {
            self.prepare_rebalance(turn);
        }
    }
}

fn loaded_member(value: GroupMemberValue, protocol: &str) -> (String, Member) {
    let rebalance_timeout_ms = match value.rebalance_timeout_ms {
        -1 => value.session_timeout_ms,
        timeout => timeout,
    };
    let member = Member {
        instance_id: value.group_instance_id,
        client_id: value.client_id,
        client_host: value.client_host,
        offer: Offer {
            rebalance_timeout_ms,
            session_timeout_ms: value.session_timeout_ms,
            protocols: vec![OfferedProtocol {
                name: protocol.to_owned(),
                metadata: value.subscription,
            }],
        },
        assignment: value.assignment,
        is_new: false,
        join: None,
        sync: None,
        expires_at: None,
    };
    (value.member_id, member)
}

/// The key of a group's record.
pub(crate) fn group_key(group_id: &str) -> Vec<u8> {
    let key = RecordKey::Group { group_id }.encode();
    key.expect("a group's id came out of a message or a record")
}

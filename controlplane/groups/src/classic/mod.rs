//! A group of the classic protocol: members, their votes for a protocol, generations.
//!
//! Everything here decides; answers and appends go out through the [`Turn`].

mod describe;
mod heartbeat;
mod join;
mod leave;
mod log;
mod member;
mod rebalance;
mod subscription;
mod sync;
mod timers;

pub(crate) use join::Takeover;
pub(crate) use leave::member_response;
pub(crate) use log::group_key;
pub(crate) use member::{Member, Offer, Parked, new_member_id};
pub(crate) use sync::Assignments;

use crate::command::Response;
use crate::refusal;
use crate::turn::Turn;
use precursor_model::ErrorCode;
use precursor_protocol::messages::SyncGroupResponse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The type of protocol that consumers speak.
pub(crate) const CONSUMER_PROTOCOL_TYPE: &str = "consumer";

/// Where a group stands. A group that is being deleted, or does not exist, is Kafka's `Dead`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Empty,
    PreparingRebalance,
    CompletingRebalance,
    Stable,
}

/// The timer of a rebalance's joining.
#[derive(Clone, Copy, Debug)]
enum JoinTimer {
    /// The first rebalance of an empty group waits for more members.
    Initial {
        at: u64,
        delay_ms: u64,
        remaining_ms: u64,
    },
    /// Members that have not come by then are left out.
    Complete { at: u64 },
}

#[derive(Debug)]
pub(crate) struct ClassicGroup {
    id: Arc<str>,
    state: State,
    previous_state: State,
    /// Wall-clock ms of the last change of state; None in groups that old brokers wrote.
    state_since_ms: Option<i64>,
    protocol_type: Option<String>,
    protocol: Option<String>,
    generation: i32,
    leader: Option<String>,
    members: BTreeMap<String, Member>,
    /// Instance id to member id (KIP-345).
    static_members: BTreeMap<String, String>,
    /// Ids given out and not come back yet (KIP-394), and when they expire.
    pending_joins: BTreeMap<String, u64>,
    /// Members that got their generation and have not synced.
    pending_syncs: BTreeSet<String>,
    /// How many members offer a protocol.
    offered: BTreeMap<String, usize>,
    joins_parked: usize,
    member_added: bool,
    join_timer: Option<JoinTimer>,
    sync_timer: Option<u64>,
    /// The generation whose assignment is being appended.
    assignment_pending: Option<i32>,
    /// What the members subscribe to; None where that cannot be told.
    subscribed_topics: Option<BTreeSet<String>>,
    /// Bytes of all offers.
    offer_bytes: usize,
    /// No timer is due before this; exact after the timers ran.
    soonest: Option<u64>,
}

impl ClassicGroup {
    pub(crate) fn new(id: Arc<str>, wall_ms: i64) -> ClassicGroup {
        ClassicGroup {
            id,
            state: State::Empty,
            previous_state: State::Empty,
            state_since_ms: Some(wall_ms),
            protocol_type: None,
            protocol: None,
            generation: 0,
            leader: None,
            members: BTreeMap::new(),
            static_members: BTreeMap::new(),
            pending_joins: BTreeMap::new(),
            pending_syncs: BTreeSet::new(),
            offered: BTreeMap::new(),
            joins_parked: 0,
            member_added: false,
            join_timer: None,
            sync_timer: None,
            assignment_pending: None,
            subscribed_topics: None,
            offer_bytes: 0,
            soonest: None,
        }
    }

    pub(crate) fn state(&self) -> State {
        self.state
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.state == State::Empty
    }

    /// Nothing is in it that the log has or a client waits for.
    pub(crate) fn is_blank(&self) -> bool {
        self.is_empty() && self.protocol_type.is_none() && self.pending_joins.is_empty()
    }

    /// Members that come back and have not yet: a deletion would surprise them.
    pub(crate) fn has_pending_joins(&self) -> bool {
        !self.pending_joins.is_empty()
    }

    pub(crate) fn uses_consumer_protocol(&self) -> bool {
        self.protocol_type.as_deref() == Some(CONSUMER_PROTOCOL_TYPE)
    }

    /// Whether a consumer of the group reads the topic. Where that cannot be told, it may.
    pub(crate) fn is_subscribed(&self, topic: &str) -> bool {
        match &self.subscribed_topics {
            Some(topics) => topics.contains(topic),
            None => self.uses_consumer_protocol(),
        }
    }

    /// KIP-211: from when on an offset's retention counts, or None while it must not expire.
    pub(crate) fn retention_base(&self, commit_timestamp_ms: i64) -> Option<i64> {
        match (&self.protocol_type, self.state) {
            (None, _) => Some(commit_timestamp_ms),
            (Some(_), State::Empty) => Some(self.state_since_ms.unwrap_or(commit_timestamp_ms)),
            (Some(_), State::Stable)
                if self.uses_consumer_protocol() && self.subscribed_topics.is_some() =>
            {
                Some(commit_timestamp_ms)
            }
            _ => None,
        }
    }

    /// Answers everything that is parked.
    pub(crate) fn abandon(&mut self, error: ErrorCode, turn: &mut Turn<'_>) {
        for (id, member) in &mut self.members {
            if let Some(parked) = member.join.take() {
                reply_join_error(turn, parked, id, error);
            }
            if let Some(parked) = member.sync.take() {
                reply_sync_error(turn, parked, error);
            }
        }
        self.joins_parked = 0;
    }

    fn transition(&mut self, state: State, turn: &Turn<'_>) {
        self.previous_state = self.state;
        self.state = state;
        self.state_since_ms = Some(turn.now.wall_ms);
    }

    fn is_leader(&self, member_id: &str) -> bool {
        self.leader.as_deref() == Some(member_id)
    }

    /// Whether a member may speak for itself: fenced if another one took over its instance id.
    fn validate_member(&self, member_id: &str, instance_id: Option<&str>) -> Result<(), ErrorCode> {
        if let Some(instance_id) = instance_id {
            match self.static_members.get(instance_id) {
                None => return Err(ErrorCode::UnknownMemberId),
                Some(known) if known != member_id => return Err(ErrorCode::FencedInstanceId),
                Some(_) => {}
            }
        }
        if self.members.contains_key(member_id) {
            Ok(())
        } else {
            Err(ErrorCode::UnknownMemberId)
        }
    }

    fn add_member(&mut self, member_id: &str, member: Member, protocol_type: &str) {
        if self.members.is_empty() {
            self.protocol_type = Some(protocol_type.to_owned());
        }
        if let Some(instance_id) = &member.instance_id {
            let instance_id = instance_id.clone();
            self.static_members
                .insert(instance_id, member_id.to_owned());
        }
        self.leader.get_or_insert_with(|| member_id.to_owned());
        self.count_offer(&member.offer);
        self.joins_parked += usize::from(member.join.is_some());
        self.pending_joins.remove(member_id);
        self.members.insert(member_id.to_owned(), member);
    }

    /// Takes a member out. What it had parked is answered UNKNOWN_MEMBER_ID.
    fn remove_member(&mut self, member_id: &str, turn: &mut Turn<'_>) {
        self.pending_joins.remove(member_id);
        self.pending_syncs.remove(member_id);
        let Some(mut member) = self.members.remove(member_id) else {
            return;
        };
        self.uncount_offer(&member.offer);
        if let Some(instance_id) = &member.instance_id {
            self.static_members.remove(instance_id);
        }
        if let Some(parked) = member.join.take() {
            self.joins_parked -= 1;
            // Without an id, so that the client joins again as somebody new.
            reply_join_error(turn, parked, "", ErrorCode::UnknownMemberId);
        }
        if let Some(parked) = member.sync.take() {
            reply_sync_error(turn, parked, ErrorCode::UnknownMemberId);
        }
        if self.is_leader(member_id) {
            self.leader = self.members.keys().next().cloned();
        }
    }

    fn count_offer(&mut self, offer: &Offer) {
        self.offer_bytes += offer.bytes();
        for protocol in &offer.protocols {
            *self.offered.entry(protocol.name.clone()).or_default() += 1;
        }
    }

    fn uncount_offer(&mut self, offer: &Offer) {
        self.offer_bytes -= offer.bytes();
        for protocol in &offer.protocols {
            if let Some(count) = self.offered.get_mut(&protocol.name) {
                *count -= 1;
                if *count == 0 {
                    self.offered.remove(&protocol.name);
                }
            }
        }
    }

    /// Whether everybody in the group could use one of the protocols.
    fn supports(&self, protocol_type: &str, offer: &Offer) -> bool {
        if self.is_empty() {
            return !protocol_type.is_empty() && !offer.protocols.is_empty();
        }
        self.protocol_type.as_deref() == Some(protocol_type)
            && offer.protocols.iter().any(|p| self.all_offer(&p.name))
    }

    fn all_offer(&self, protocol: &str) -> bool {
        self.offered.get(protocol).copied().unwrap_or(0) == self.members.len()
    }

    /// Every member votes for the first of its protocols that all offer; the leader's preference
    /// breaks a tie.
    fn select_protocol(&self) -> Option<String> {
        let mut votes: BTreeMap<&str, usize> = BTreeMap::new();
        for member in self.members.values() {
            let mut offered = member.offer.protocols.iter();
            if let Some(choice) = offered.find(|p| self.all_offer(&p.name)) {
                *votes.entry(&choice.name).or_default() += 1;
            }
        }
        let most = votes.values().max().copied()?;
        let leader = self.leader.as_ref().and_then(|id| self.members.get(id));
        let preferred = leader
            .into_iter()
            .flat_map(|leader| &leader.offer.protocols)
            .map(|protocol| protocol.name.as_str());
        preferred
            .chain(votes.keys().copied())
            .find(|name| votes.get(name) == Some(&most))
            .map(str::to_owned)
    }

    fn rebalance_timeout_ms(&self) -> u64 {
        let timeouts = self.members.values().map(|m| m.offer.rebalance_timeout_ms);
        timeouts.max().map_or(0, |longest| longest.max(0) as u64)
    }

    /// Parks a JoinGroup. One that the member had parked before was given up by its client.
    fn park_join(&mut self, member_id: &str, parked: Parked, turn: &mut Turn<'_>) {
        let Some(member) = self.members.get_mut(member_id) else {
            return;
        };
        match member.join.replace(parked) {
            None => self.joins_parked += 1,
            Some(old) => reply_join_error(turn, old, member_id, ErrorCode::RebalanceInProgress),
        }
    }
}

pub(crate) fn reply_join_error(
    turn: &mut Turn<'_>,
    parked: Parked,
    member_id: &str,
    error: ErrorCode,
) {
    let response = refusal::join_as(member_id, parked.version, error);
    turn.reply(parked.token, Response::JoinGroup(response));
}

pub(crate) fn reply_sync_error(turn: &mut Turn<'_>, parked: Parked, error: ErrorCode) {
    let response = SyncGroupResponse {
        error_code: error.code(),
        ..SyncGroupResponse::default()
    };
    turn.reply(parked.token, Response::SyncGroup(response));
}

//! One group: committed offsets, and members if it is of a kind that has them.

use crate::classic::ClassicGroup;
use crate::offsets::Offsets;
use crate::timers::Timers;
use crate::turn::Turn;
use precursor_model::ErrorCode;
use precursor_protocol::messages::OffsetCommitRequest;
use std::sync::Arc;

/// A group of any kind.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) id: Arc<str>,
    pub(crate) kind: Kind,
    pub(crate) offsets: Offsets,
    /// Appends of this group whose outcome is outstanding.
    pub(crate) appends_pending: u32,
    /// Its tombstones are being appended: Kafka's state `Dead`.
    pub(crate) deletion: Option<Deletion>,
    /// When it is in the queue of timers.
    pub(crate) wake_at: Option<u64>,
}

/// What a group has besides offsets.
#[derive(Debug)]
pub(crate) enum Kind {
    /// Nothing: its consumers use Kafka to keep offsets alone.
    Simple,
    Classic(Box<ClassicGroup>),
}

/// A deletion under way.
#[derive(Debug, Default)]
pub(crate) struct Deletion {
    /// The first append of it that failed.
    pub(crate) error: Option<ErrorCode>,
}

impl Group {
    pub(crate) fn new(id: Arc<str>) -> Group {
        Group {
            id,
            kind: Kind::Simple,
            offsets: Offsets::default(),
            appends_pending: 0,
            deletion: None,
            wake_at: None,
        }
    }

    /// There is nothing in it that anybody could ask for.
    pub(crate) fn is_blank(&self) -> bool {
        matches!(self.kind, Kind::Simple) && self.offsets.is_empty()
    }

    /// To clients it does not exist.
    pub(crate) fn is_dead(&self) -> bool {
        self.deletion.is_some() || self.is_blank()
    }

    pub(crate) fn is_empty(&self) -> bool {
        match &self.kind {
            Kind::Simple => true,
            Kind::Classic(classic) => classic.is_empty(),
        }
    }

    pub(crate) fn is_subscribed(&self, topic: &str) -> bool {
        match &self.kind {
            Kind::Simple => false,
            Kind::Classic(classic) => classic.is_subscribed(topic),
        }
    }

    pub(crate) fn classic(&self) -> Option<&ClassicGroup> {
        match &self.kind {
            Kind::Simple => None,
            Kind::Classic(classic) => Some(classic),
        }
    }

    /// The classic group, made if there is none.
    pub(crate) fn classic_or_new(&mut self, wall_ms: i64) -> &mut ClassicGroup {
        if matches!(self.kind, Kind::Simple) {
            let classic = ClassicGroup::new(self.id.clone(), wall_ms);
            self.kind = Kind::Classic(Box::new(classic));
        }
        match &mut self.kind {
            Kind::Classic(classic) => classic,
            Kind::Simple => unreachable!("it was made above"),
        }
    }

    /// Whether whoever sends this commit may.
    pub(crate) fn validate_commit(&self, request: &OffsetCommitRequest) -> Result<(), ErrorCode> {
        let generation = request.generation_id_or_member_epoch;
        if self.deletion.is_some() {
            return Err(ErrorCode::CoordinatorNotAvailable);
        }
        match &self.kind {
            Kind::Simple if generation < 0 => Ok(()),
            Kind::Simple => Err(ErrorCode::UnknownMemberId),
            Kind::Classic(classic) => classic.validate_commit(
                &request.member_id,
                request.group_instance_id.as_deref(),
                generation,
            ),
        }
    }

    pub(crate) fn run_timers(&mut self, turn: &mut Turn<'_>) {
        if let Kind::Classic(classic) = &mut self.kind {
            classic.run_timers(turn);
        }
    }

    /// After a turn: timers as they are now. True if nothing is left of the group.
    pub(crate) fn settle(&mut self, timers: &mut Timers) -> bool {
        if self.classic().is_some_and(ClassicGroup::is_blank) {
            self.kind = Kind::Simple;
        }
        let gone = self.is_blank() && self.appends_pending == 0 && self.deletion.is_none();
        let soonest = self.classic().and_then(ClassicGroup::soonest);
        let soonest = soonest.filter(|_| !gone);
        // An entry that is too early does no harm: the group is looked at, and put back.
        let keep = matches!((self.wake_at, soonest), (Some(at), Some(soonest)) if at <= soonest);
        if !keep && self.wake_at != soonest {
            if let Some(at) = self.wake_at {
                timers.remove(at, &self.id);
            }
            if let Some(at) = soonest {
                timers.insert(at, &self.id);
            }
            self.wake_at = soonest;
        }
        gone
    }
}

//! A fetch in the making: its partitions and how far each one is.

use super::session::SessionUse;
use crate::partitions::TopicRef;
use crate::peers::Transferred;
use crate::quotas::Account;
use crate::timer::TimerId;
use precursor_memory::SlabKey as Key;
use precursor_model::{ErrorCode, LogUid, TopicId};
use precursor_protocol::writers::AbortedTransaction;
use precursor_storage::{Gather, LogId, ReadTicket};
use std::rc::Rc;

/// Partitions whose memory a used fetch keeps for its next use.
const ENTRIES_KEPT_MAX: usize = 1024;

/// How far one partition of a fetch is.
#[derive(Debug, Default)]
pub(crate) enum Outcome {
    #[default]
    Unread,
    /// Nothing past the offset yet.
    Nothing,
    Data(Gather),
    /// The disk is asked.
    Reading(ReadTicket),
    /// The owning shard is asked.
    Asked,
    /// Bytes from the owning shard.
    Transferred(Transferred),
    Failed(ErrorCode),
}

/// One partition of a fetch, or of a fetch session between fetches.
#[derive(Debug)]
pub(crate) struct FetchEntry {
    /// Its name, where the request names it so; empty where it names the id.
    pub topic: Rc<str>,
    pub topic_id: TopicId,
    pub partition: i32,
    pub offset: i64,
    pub bytes_max: i32,
    /// The epoch that the client knows; -1: none.
    pub leader_epoch: i32,
    /// To be dropped from its session.
    pub forgotten: bool,
    pub outcome: Outcome,
    pub high_watermark: i64,
    pub last_stable_offset: i64,
    pub log_start_offset: i64,
    /// What the client was last told, for incremental answers; -1 after an error.
    pub told_high_watermark: i64,
    pub told_log_start_offset: i64,
    /// The local log, once found.
    pub log: Option<LogId>,
    /// The log of another shard, once found.
    pub remote: Option<LogUid>,
}

impl FetchEntry {
    pub fn new(topic: Rc<str>, topic_id: TopicId) -> Self {
        FetchEntry {
            topic,
            topic_id,
            partition: 0,
            offset: 0,
            bytes_max: 0,
            leader_epoch: -1,
            forgotten: false,
            outcome: Outcome::Unread,
            high_watermark: -1,
            last_stable_offset: -1,
            log_start_offset: -1,
            told_high_watermark: -1,
            told_log_start_offset: -1,
            log: None,
            remote: None,
        }
    }

    /// `version`: of the request, which names topics by id from 13 on.
    pub fn topic(&self, version: i16) -> TopicRef<'_> {
        if version >= 13 {
            TopicRef::Id(self.topic_id)
        } else {
            TopicRef::Name(&self.topic)
        }
    }

    /// Whether two partitions are of one topic, as their requests name it.
    pub fn same_topic(&self, other: &FetchEntry) -> bool {
        self.topic_id == other.topic_id && self.topic == other.topic
    }
}

/// A fetch from its request to its answer.
#[derive(Debug, Default)]
pub(crate) struct FetchWork {
    pub answer: Option<Key>,
    pub version: i16,
    pub session: Option<SessionUse>,
    /// Read only what no open transaction holds back.
    pub read_committed: bool,
    pub bytes_max: usize,
    pub bytes_min: usize,
    /// When it is answered with whatever there is, in microseconds.
    pub deadline_us: u64,
    pub entries: Vec<FetchEntry>,
    /// The entry that is served first.
    pub rotation: usize,
    /// Entries that wait for the disk or another shard.
    pub outstanding: usize,
    /// Registered with its logs, waiting for appends.
    pub parked: bool,
    /// In the list of fetches to be looked at.
    pub due: bool,
    /// Another shard's log has grown since this round of reads began.
    pub grown: bool,
    /// Bytes that were there when it was parked, and those appended since.
    pub bytes_seen: usize,
    pub timer: Option<TimerId>,
    /// What its answer's bytes are put on.
    pub account: Option<Account>,
    /// The aborted transactions of the partition that is being answered.
    pub aborted: Vec<AbortedTransaction>,
}

impl FetchWork {
    /// Makes a used fetch ready for its next use; gathers must have been released.
    pub fn clear(&mut self) {
        let mut entries = std::mem::take(&mut self.entries);
        entries.clear();
        if entries.capacity() > ENTRIES_KEPT_MAX {
            entries = Vec::new();
        }
        let aborted = std::mem::take(&mut self.aborted);
        *self = FetchWork {
            aborted,
            entries,
            ..FetchWork::default()
        };
    }

    /// Bytes ready to be sent.
    pub fn bytes_ready(&self) -> usize {
        let bytes = self.entries.iter().map(|entry| match &entry.outcome {
            Outcome::Data(gather) => gather.len(),
            Outcome::Transferred(records) => records.length as usize,
            _ => 0,
        });
        bytes.sum()
    }

    /// Whether any partition has an error to tell.
    pub fn has_failure(&self) -> bool {
        let mut entries = self.entries.iter();
        entries.any(|entry| matches!(entry.outcome, Outcome::Failed(_)))
    }
}

//! The response to Fetch, without the record bytes: those travel from where they are.

use super::CurrentLeader;
use super::topics::Topics;
use crate::error::EncodeError;
use crate::write::Writer;
use precursor_model::{ErrorCode, TopicId};

/// What stands before the topics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FetchHead {
    pub throttle_time_ms: i32,
    /// Of the whole request: fetch sessions. From version 7.
    pub error: ErrorCode,
    /// 0: no session. From version 7.
    pub session_id: i32,
}

/// A transaction that a read_committed consumer skips.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AbortedTransaction {
    pub producer_id: i64,
    pub first_offset: i64,
}

/// The answer for one partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FetchPartition<'a> {
    pub index: i32,
    pub error: ErrorCode,
    pub high_watermark: i64,
    pub last_stable_offset: i64,
    /// From version 5.
    pub log_start_offset: i64,
    /// Where the fetcher's log parted from ours: epoch and its end. From version 12.
    pub diverging_epoch: Option<(i32, i64)>,
    /// From version 12.
    pub current_leader: Option<CurrentLeader>,
    /// In order of the first offset; `None` for read_uncommitted.
    pub aborted_transactions: Option<&'a [AbortedTransaction]>,
    /// -1: none. From version 11.
    pub preferred_read_replica: i32,
    /// Bytes of records. Never null on the wire: librdkafka expects a length also with an error.
    pub records_length: usize,
}

impl FetchPartition<'_> {
    /// A refusal.
    pub const fn refused(index: i32, error: ErrorCode) -> Self {
        FetchPartition {
            index,
            error,
            high_watermark: -1,
            last_stable_offset: -1,
            log_start_offset: -1,
            diverging_epoch: None,
            current_leader: None,
            aborted_transactions: None,
            preferred_read_replica: -1,
            records_length: 0,
        }
    }
}

/// A partition's tagged fields, which stand behind its records.
#[derive(Clone, Copy, Debug)]
struct TagsBehindRecords {
    diverging_epoch: Option<(i32, i64)>,
    current_leader: Option<CurrentLeader>,
}

/// Writes a FetchResponse, versions 4 to 18 (without the endpoints of other leaders, a tagged field
/// from version 16).
///
/// After [`FetchResponseWriter::partition`] the records' place is [`FetchResponseWriter::position`]:
/// the caller writes them there with [`FetchResponseWriter::records`], or notes the position and
/// sends them from elsewhere at that point of the frame.
#[derive(Debug)]
pub struct FetchResponseWriter<'a> {
    topics: Topics<'a>,
    behind_records: Option<TagsBehindRecords>,
}

impl<'a> FetchResponseWriter<'a> {
    pub fn new(out: &'a mut Vec<u8>, version: i16, head: &FetchHead, topics: usize) -> Self {
        let mut writer = FetchResponseWriter {
            topics: Topics::new(out, version, version >= 12),
            behind_records: None,
        };
        let w = &mut writer.topics.w;
        w.int32(head.throttle_time_ms);
        if version >= 7 {
            w.int16(head.error.code());
            w.int32(head.session_id);
        }
        writer.topics.begin(topics);
        writer
    }

    /// Begins a topic: named up to version 12, by its id after that.
    pub fn topic(&mut self, name: &str, id: TopicId, partitions: usize) {
        self.end_partition();
        self.topics.topic();
        let w = &mut self.topics.w;
        if w.version() >= 13 {
            w.topic_id(id);
        } else {
            w.string(name);
        }
        self.topics.partitions(partitions);
        if partitions == 0 {
            self.topics.w.no_tags();
        }
    }

    /// Writes everything of a partition that stands before its records.
    pub fn partition(&mut self, partition: &FetchPartition<'_>) {
        self.end_partition();
        self.topics.partition();
        let w = &mut self.topics.w;
        let version = w.version();
        w.int32(partition.index);
        w.int16(partition.error.code());
        w.int64(partition.high_watermark);
        w.int64(partition.last_stable_offset);
        if version >= 5 {
            w.int64(partition.log_start_offset);
        }
        write_aborted(w, partition.aborted_transactions);
        if version >= 11 {
            w.int32(partition.preferred_read_replica);
        }
        w.length(partition.records_length);
        self.behind_records = Some(TagsBehindRecords {
            diverging_epoch: partition.diverging_epoch,
            current_leader: partition.current_leader,
        });
    }

    /// Where in the buffer the next byte goes.
    pub fn position(&self) -> usize {
        self.topics.w.position()
    }

    /// Copies records of the partition just begun into the buffer; as often as it has pieces.
    pub fn records(&mut self, bytes: &[u8]) {
        self.topics.w.raw(bytes);
    }

    fn end_partition(&mut self) {
        let Some(tags) = self.behind_records.take() else {
            return;
        };
        write_tags(&mut self.topics.w, tags);
        if self.topics.topic_is_complete() {
            self.topics.w.no_tags();
        }
    }

    pub fn finish(mut self) -> Result<(), EncodeError> {
        self.end_partition();
        self.topics.end();
        self.topics.w.no_tags();
        self.topics.w.finish()
    }
}

fn write_aborted(w: &mut Writer<'_>, aborted: Option<&[AbortedTransaction]>) {
    let Some(aborted) = aborted else {
        w.option_array::<i32>(None, true, "AbortedTransactions");
        return;
    };
    w.length(aborted.len());
    for transaction in aborted {
        w.int64(transaction.producer_id);
        w.int64(transaction.first_offset);
        w.no_tags();
    }
}

fn write_tags(w: &mut Writer<'_>, behind: TagsBehindRecords) {
    if !w.flexible() {
        return;
    }
    let known =
        u32::from(behind.diverging_epoch.is_some()) + u32::from(behind.current_leader.is_some());
    let mut tags = w.tags(known, &[]);
    if let Some((epoch, end_offset)) = behind.diverging_epoch {
        w.tagged(&mut tags, 0, |w| {
            w.int32(epoch);
            w.int64(end_offset);
            w.no_tags();
        });
    }
    if let Some(leader) = behind.current_leader {
        w.tagged(&mut tags, 1, |w| {
            w.int32(leader.leader_id);
            w.int32(leader.leader_epoch);
            w.no_tags();
        });
    }
}

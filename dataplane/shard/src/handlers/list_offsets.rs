//! ListOffsets, key 2, versions 1–10.

use crate::answer::Waits;
use crate::core::{CloseReason, Core, Handled, Request};
use crate::partitions::{self, Place};
use crate::pool::Key;
use precursor_model::ErrorCode;
use precursor_protocol::views::ListOffsetsRequestView;
use precursor_protocol::views::list_offsets_request::ListOffsetsPartitionView;
use precursor_protocol::writers::{ListOffsetsPartition, ListOffsetsResponseWriter};
use precursor_storage::{LogId, Lookup, LookupTicket, ReadError, TimedOffset};
use std::collections::HashMap;

// Timestamps that stand for something else (ListOffsetsRequest.json; KIP-734, KIP-405, KIP-1005).
const LATEST: i64 = -1;
const EARLIEST: i64 = -2;
const MAX_TIMESTAMP: i64 = -3;
const EARLIEST_LOCAL: i64 = -4;
const LATEST_TIERED: i64 = -5;

/// Bytes between the beginning of a partition in the response and its error code: the index.
const ERROR_PLACE: usize = 4;

/// The place of a partition in an answer that a search on disk is to fill.
#[derive(Clone, Copy)]
struct Hole {
    answer: Key,
    /// Where the partition's error code is in the answer's head.
    at: usize,
    version: i16,
}

/// Searches on disk, and the answers that wait for them.
#[derive(Default)]
pub(crate) struct LookupTable {
    searches: HashMap<LookupTicket, Hole>,
    /// Searches outstanding per answer.
    outstanding: HashMap<Key, usize>,
}

enum Found {
    Now(Result<Option<TimedOffset>, ErrorCode>),
    Later(LookupTicket),
}

pub(crate) fn handle(core: &mut Core, request: &Request<'_>) -> Handled {
    let Ok(view) = ListOffsetsRequestView::parse(request.body, request.version) else {
        return Handled::Close(CloseReason::BadFrame);
    };
    let version = request.version;
    let key = core.begin_answer(request);
    let mut head = std::mem::take(&mut core.answers[key].head);
    let mut w = ListOffsetsResponseWriter::new(&mut head, version, 0, view.topics.len());
    let mut outstanding = 0;
    for topic in view.topics {
        w.topic(topic.name, topic.partitions.len());
        for asked in topic.partitions {
            let found = find(core, topic.name, &asked, version, view.isolation_level == 1);
            let outcome = match found {
                Found::Now(outcome) => outcome,
                Found::Later(ticket) => {
                    let hole = Hole {
                        answer: key,
                        at: w.position() + ERROR_PLACE,
                        version,
                    };
                    core.lookups.searches.insert(ticket, hole);
                    outstanding += 1;
                    Ok(None)
                }
            };
            let (error, found) = fields(outcome);
            w.partition(&ListOffsetsPartition {
                index: asked.partition_index,
                error,
                timestamp: found.timestamp,
                offset: found.offset,
                leader_epoch: found.leader_epoch,
            });
        }
    }
    let written = w.finish();
    core.answers[key].head = head;
    if outstanding > 0 && written.is_ok() {
        core.answers[key].waits = Waits::Lookups;
        core.lookups.outstanding.insert(key, outstanding);
        return Handled::Done;
    }
    super::end(core, key, written)
}

/// What the response says of an outcome: -1 in every field for "no such record".
fn fields(outcome: Result<Option<TimedOffset>, ErrorCode>) -> (ErrorCode, TimedOffset) {
    let nothing = TimedOffset {
        offset: -1,
        timestamp: -1,
        leader_epoch: -1,
    };
    match outcome {
        Ok(found) => (ErrorCode::None, found.unwrap_or(nothing)),
        Err(error) => (error, nothing),
    }
}

fn find(
    core: &mut Core,
    topic: &str,
    asked: &ListOffsetsPartitionView,
    version: i16,
    read_committed: bool,
) -> Found {
    let known = asked.current_leader_epoch;
    let log = match partitions::locate(core, topic, asked.partition_index, known) {
        Ok(Place::Local(log)) => log,
        Ok(Place::Remote { .. }) => return Found::Now(Err(ErrorCode::NotLeaderOrFollower)),
        Err(error) => return Found::Now(Err(error)),
    };
    search(core, log, asked.timestamp, version, read_committed)
}

/// Answers one timestamp, special or not, from a local log.
fn search(core: &mut Core, log: LogId, asked: i64, version: i16, read_committed: bool) -> Found {
    let offsets = core.store.offsets(log);
    let at = |offset: i64| {
        Found::Now(Ok(Some(TimedOffset {
            offset,
            timestamp: -1,
            leader_epoch: offsets.leader_epoch,
        })))
    };
    match asked {
        LATEST if read_committed => at(offsets.last_stable),
        LATEST => at(offsets.high_watermark),
        EARLIEST => at(offsets.start),
        MAX_TIMESTAMP if version >= 7 => Found::Now(Ok(core.store.max_timestamp(log))),
        EARLIEST_LOCAL if version >= 8 => at(offsets.start),
        // Nothing is tiered.
        LATEST_TIERED if version >= 9 => Found::Now(Ok(None)),
        asked if asked < 0 => Found::Now(Err(ErrorCode::UnsupportedVersion)),
        asked => match core.store.offset_for_time(log, asked) {
            Ok(Lookup::Ready(found)) => Found::Now(Ok(found)),
            Ok(Lookup::Pending(ticket)) => Found::Later(ticket),
            Err(error) => Found::Now(Err(refusal(error))),
        },
    }
}

/// A search for which there is no room now is one that the client repeats.
fn refusal(error: ReadError) -> ErrorCode {
    match error {
        ReadError::Busy => ErrorCode::OffsetNotAvailable,
        other => other.code(),
    }
}

/// A search on disk is through: fills its place, and completes the answer with the last one.
pub(crate) fn lookup_ready(core: &mut Core, ticket: LookupTicket) {
    let Some(hole) = core.lookups.searches.remove(&ticket) else {
        return;
    };
    let (error, found) = fields(core.store.take_lookup(ticket).map_err(refusal));
    let Some(answer) = core.answers.get_mut(hole.answer) else {
        return;
    };
    answer.patch_i16(hole.at, error.code());
    answer.patch_i64(hole.at + 2, found.timestamp);
    answer.patch_i64(hole.at + 10, found.offset);
    if hole.version >= 4 {
        answer.patch_i32(hole.at + 18, found.leader_epoch);
    }
    let Some(outstanding) = core.lookups.outstanding.get_mut(&hole.answer) else {
        return;
    };
    *outstanding -= 1;
    if *outstanding == 0 {
        core.lookups.outstanding.remove(&hole.answer);
        core.finish_answer(hole.answer);
    }
}

/// The connection is gone: its searches are called off.
pub(crate) fn abandon(core: &mut Core, answer: Key) {
    core.lookups.outstanding.remove(&answer);
    let store = &mut core.store;
    core.lookups.searches.retain(|ticket, hole| {
        let keep = hole.answer != answer;
        if !keep {
            store.cancel_lookup(*ticket);
        }
        keep
    });
}

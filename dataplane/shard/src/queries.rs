//! Questions about a log that are answered with numbers: ListOffsets, OffsetForLeaderEpoch and
//! DeleteRecords. A search on disk or another shard may answer later; the response is written at
//! once, with a hole for each number that is still to come.

use crate::answer::Waits;
use crate::core::{Core, Handled};
use crate::handlers;
use crate::partitions::{self, Place, TopicRef};
use crate::peers::{Message, Query, Reply, Ticket};
use precursor_memory::{Slab, SlabKey as Key};
use precursor_model::{ErrorCode, Offset};
use precursor_protocol::EncodeError;
use precursor_storage::{LogId, Lookup, LookupTicket, ReadError, TimedOffset};
use std::collections::HashMap;

// Timestamps that stand for something else (ListOffsetsRequest.json; KIP-734, KIP-405, KIP-1005, KIP-1023).
const LATEST: i64 = -1;
const EARLIEST: i64 = -2;
const MAX_TIMESTAMP: i64 = -3;
const EARLIEST_LOCAL: i64 = -4;
const LATEST_TIERED: i64 = -5;
const EARLIEST_PENDING_UPLOAD: i64 = -6;

/// Where an answer has its fields, which differ by API.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Layout {
    /// Error, timestamp, offset, and the epoch from version 4.
    #[default]
    Offset,
    OffsetWithEpoch,
    /// Error, index, epoch, offset.
    EpochEnd,
    /// Offset, error.
    Delete,
}

/// The place of a partition in an answer that is still to be filled.
#[derive(Default)]
pub(crate) struct Hole {
    answer: Option<Key>,
    /// The first byte of the partition's first number.
    at: usize,
    layout: Layout,
}

/// Who waits for a search on disk.
#[derive(Clone, Copy)]
enum Searcher {
    Hole(Key),
    Peer { shard: u16, ticket: Ticket },
}

/// Everything that is still to be answered.
pub(crate) struct Queries {
    holes: Slab<Hole>,
    /// Holes left per answer.
    outstanding: HashMap<Key, usize>,
    /// With the offset that an answer must lie below.
    searches: HashMap<LookupTicket, (Searcher, Offset)>,
}

impl Queries {
    pub fn new() -> Self {
        Queries {
            holes: Slab::new(0),
            outstanding: HashMap::new(),
            searches: HashMap::new(),
        }
    }
}

enum Found {
    Now(Reply),
    /// What is found must lie below the offset.
    Later(LookupTicket, Offset),
}

/// A partition that is asked about.
pub(crate) struct Asked<'a> {
    pub topic: &'a str,
    pub partition: i32,
    pub known_epoch: i32,
    pub query: Query,
    /// The answer that is being written, and where its fields for this partition will be.
    pub answer: Key,
    pub at: usize,
}

/// Whether a timestamp that stands for something else does so in this version of ListOffsets.
fn is_served(timestamp: i64, version: i16) -> bool {
    match timestamp {
        0.. | LATEST | EARLIEST => true,
        MAX_TIMESTAMP => version >= 7,
        EARLIEST_LOCAL => version >= 8,
        LATEST_TIERED => version >= 9,
        EARLIEST_PENDING_UPLOAD => version >= 11,
        _ => false,
    }
}

/// Answers one partition: with the reply, or with one to be written now and filled later.
pub(crate) fn ask(core: &mut Core, asked: &Asked<'_>) -> Reply {
    // Said before it is looked whether the partition exists, as in Kafka.
    if let Query::Offset {
        timestamp, version, ..
    } = asked.query
        && !is_served(timestamp, version)
    {
        return Reply::failed(ErrorCode::UnsupportedVersion);
    }
    let found = partitions::locate(
        core,
        TopicRef::Name(asked.topic),
        asked.partition,
        asked.known_epoch,
    );
    match found {
        Err(error) => Reply::failed(error),
        Ok(Place::Local(log)) => match find(core, log, asked.query) {
            Found::Now(reply) => reply,
            Found::Later(search, below) => {
                let searcher = Searcher::Hole(dig(core, asked));
                core.queries.searches.insert(search, (searcher, below));
                Reply::failed(ErrorCode::None)
            }
        },
        Ok(Place::Remote { shard, log }) => {
            let ticket = Ticket {
                key: dig(core, asked),
                place: 0,
            };
            let query = asked.query;
            core.peers.send(shard, Message::Ask { ticket, log, query });
            Reply::failed(ErrorCode::None)
        }
    }
}

fn dig(core: &mut Core, asked: &Asked<'_>) -> Key {
    let key = core.queries.holes.take();
    core.queries.holes[key] = Hole {
        answer: Some(asked.answer),
        at: asked.at,
        layout: match asked.query {
            Query::Offset { version, .. } if version >= 4 => Layout::OffsetWithEpoch,
            Query::Offset { .. } => Layout::Offset,
            Query::EpochEnd { .. } => Layout::EpochEnd,
            Query::Delete { .. } => Layout::Delete,
        },
    };
    *core.queries.outstanding.entry(asked.answer).or_default() += 1;
    key
}

/// The answer is written: it goes now, or with its last hole.
pub(crate) fn end(core: &mut Core, answer: Key, written: Result<(), EncodeError>) -> Handled {
    if written.is_ok() && core.queries.outstanding.contains_key(&answer) {
        core.answers[answer].waits = Waits::Queries;
        return Handled::Done;
    }
    handlers::end(core, answer, written)
}

/// Answers from a local log.
fn find(core: &mut Core, log: LogId, query: Query) -> Found {
    match query {
        Query::Offset {
            timestamp,
            read_committed,
            ..
        } => find_offset(core, log, timestamp, read_committed),
        Query::EpochEnd { epoch } => {
            let (epoch, offset) = core.store.offset_for_leader_epoch(log, epoch);
            Found::Now(Reply {
                offset,
                epoch,
                ..Reply::failed(ErrorCode::None)
            })
        }
        Query::Delete { before } => Found::Now(match core.store.delete_records(log, before) {
            Ok(offset) => Reply {
                offset,
                ..Reply::failed(ErrorCode::None)
            },
            Err(error) => Reply::failed(error),
        }),
    }
}

fn find_offset(core: &mut Core, log: LogId, timestamp: i64, read_committed: bool) -> Found {
    let offsets = core.store.offsets(log);
    let at = |offset: i64| {
        Found::Now(Reply {
            error: ErrorCode::None,
            offset,
            timestamp: -1,
            epoch: offsets.leader_epoch,
        })
    };
    // What the consumer could not fetch is not found either.
    let below = match read_committed {
        true => offsets.last_stable,
        false => offsets.high_watermark,
    };
    match timestamp {
        LATEST => at(below),
        EARLIEST => at(offsets.start),
        MAX_TIMESTAMP => search(core.store.newest_record(log), below),
        EARLIEST_LOCAL => at(offsets.start),
        // Nothing is tiered.
        LATEST_TIERED | EARLIEST_PENDING_UPLOAD => Found::Now(reply(Ok(None), below)),
        special if special < 0 => Found::Now(Reply::failed(ErrorCode::UnsupportedVersion)),
        time => search(core.store.offset_for_time(log, time), below),
    }
}

fn search(lookup: Result<Lookup, ReadError>, below: Offset) -> Found {
    match lookup {
        Ok(Lookup::Ready(found)) => Found::Now(reply(Ok(found), below)),
        Ok(Lookup::Pending(ticket)) => Found::Later(ticket, below),
        Err(error) => Found::Now(reply(Err(error), below)),
    }
}

/// What the response says of a search: -1 in every field for "no such record".
fn reply(found: Result<Option<TimedOffset>, ReadError>, below: Offset) -> Reply {
    match found.map(|found| found.filter(|found| found.offset < below)) {
        Ok(None) => Reply::failed(ErrorCode::None),
        Ok(Some(found)) => Reply {
            error: ErrorCode::None,
            offset: found.offset,
            timestamp: found.timestamp,
            epoch: found.leader_epoch,
        },
        // A search for which there is no room now is one that the client repeats.
        Err(ReadError::Busy) => Reply::failed(ErrorCode::OffsetNotAvailable),
        Err(error) => Reply::failed(error.code()),
    }
}

/// Another shard asks about a log of this one.
pub(crate) fn asked_by_peer(
    core: &mut Core,
    shard: u16,
    ticket: Ticket,
    log: Result<LogId, ErrorCode>,
    query: Query,
) {
    let found = match log {
        Ok(log) => find(core, log, query),
        Err(error) => Found::Now(Reply::failed(error)),
    };
    match found {
        Found::Now(reply) => core.peers.send(shard, Message::Told { ticket, reply }),
        Found::Later(search, below) => {
            let searcher = Searcher::Peer { shard, ticket };
            core.queries.searches.insert(search, (searcher, below));
        }
    }
}

/// A search on disk is through.
pub(crate) fn lookup_ready(core: &mut Core, search: LookupTicket) {
    let taken = core.store.take_lookup(search);
    let Some((searcher, below)) = core.queries.searches.remove(&search) else {
        return;
    };
    let reply = reply(taken, below);
    match searcher {
        Searcher::Hole(hole) => fill(core, hole, reply),
        Searcher::Peer { shard, ticket } => {
            core.peers.send(shard, Message::Told { ticket, reply });
        }
    }
}

/// Fills a hole, and lets the answer go with its last one.
pub(crate) fn fill(core: &mut Core, key: Key, reply: Reply) {
    let Some(hole) = core.queries.holes.get_mut(key) else {
        return;
    };
    let hole = std::mem::take(hole);
    core.queries.holes.give_back(key);
    let Some(answer_key) = hole.answer else {
        return;
    };
    let Some(answer) = core.answers.get_mut(answer_key) else {
        return;
    };
    let at = hole.at;
    match hole.layout {
        Layout::Offset | Layout::OffsetWithEpoch => {
            answer.patch_i16(at, reply.error.code());
            answer.patch_i64(at + 2, reply.timestamp);
            answer.patch_i64(at + 10, reply.offset);
            if hole.layout == Layout::OffsetWithEpoch {
                answer.patch_i32(at + 18, reply.epoch);
            }
        }
        Layout::EpochEnd => {
            answer.patch_i16(at, reply.error.code());
            answer.patch_i32(at + 6, reply.epoch);
            answer.patch_i64(at + 10, reply.offset);
        }
        Layout::Delete => {
            answer.patch_i64(at, reply.offset);
            answer.patch_i16(at + 8, reply.error.code());
        }
    }
    let Some(outstanding) = core.queries.outstanding.get_mut(&answer_key) else {
        return;
    };
    *outstanding -= 1;
    if *outstanding == 0 {
        core.queries.outstanding.remove(&answer_key);
        core.finish_answer(answer_key);
    }
}

/// The connection is gone: its searches are called off.
pub(crate) fn abandon(core: &mut Core, answer: Key) {
    core.queries.outstanding.remove(&answer);
    let Queries {
        holes, searches, ..
    } = &mut core.queries;
    let store = &mut core.store;
    searches.retain(|search, (searcher, _)| {
        let Searcher::Hole(hole) = *searcher else {
            return true;
        };
        let orphaned = holes.get(hole).is_none_or(|h| h.answer == Some(answer));
        if orphaned {
            store.cancel_lookup(*search);
        }
        !orphaned
    });
    let orphans: Vec<Key> = holes.keys().collect();
    for key in orphans {
        if holes[key].answer == Some(answer) {
            holes.give_back(key);
        }
    }
}

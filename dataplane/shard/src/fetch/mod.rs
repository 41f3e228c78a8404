//! Fetches in the making: read, parked until there is enough, answered.

pub(crate) mod respond;
pub(crate) mod session;
pub(crate) mod work;

pub(crate) use session::SessionCache;
pub(crate) use work::{FetchEntry, FetchWork, Outcome};

use crate::core::{Core, Timer};
use crate::partitions::{self, Place};
use crate::peers::{self, Message, RemoteOffsets, Ticket, Transferred};
use precursor_memory::SlabKey as Key;
use precursor_model::LogUid;
use precursor_protocol::writers::AbortedTransaction;
use precursor_storage::{Gather, LogId, Read, ReadError, ReadOptions, ReadTicket};
use std::collections::HashMap;

/// How long a fetch waits before it reads again when there was no memory to read into.
const RETRY_US: u64 = 1_000;

/// Whose a read from disk is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reader {
    /// A fetch of this shard, and which of its entries.
    Fetch { key: Key, place: u32 },
    /// Another shard's fetch.
    Peer {
        shard: u16,
        ticket: Ticket,
        log: LogId,
    },
}

/// Reads that wait for the disk, and fetches that wait for other shards' logs.
#[derive(Default)]
pub(crate) struct Reads {
    waiting: HashMap<ReadTicket, Reader>,
    /// Parked fetches by the log of another shard.
    remote: HashMap<LogUid, Vec<Key>>,
}

impl Reads {
    pub fn insert(&mut self, ticket: ReadTicket, reader: Reader) {
        self.waiting.insert(ticket, reader);
    }

    /// From the moment that another shard is asked, its word of growth concerns this fetch: it may
    /// come before the fetch is parked.
    fn hear_of(&mut self, log: LogUid, key: Key) {
        let fetches = self.remote.entry(log).or_default();
        if !fetches.contains(&key) {
            fetches.push(key);
        }
    }
}

/// What the response says of the aborted transactions of a read.
pub(crate) fn aborted_of(gather: &Gather) -> impl Iterator<Item = AbortedTransaction> + '_ {
    let aborted = gather.aborted().iter();
    aborted.map(|transaction| AbortedTransaction {
        producer_id: transaction.producer_id,
        first_offset: transaction.first_offset,
    })
}

/// Moves a fetch on as far as it goes: reads what is unread, then answers, parks, or leaves it
/// waiting for the disk.
pub(crate) fn advance(core: &mut Core, key: Key) {
    let Some(slot) = core.fetches.get_mut(key) else {
        return;
    };
    let mut work = std::mem::take(slot);
    work.due = false;
    unpark(core, key, &mut work);
    let wants_retry = read_entries(core, key, &mut work);
    if work.outstanding > 0 {
        core.fetches[key] = work;
        return;
    }
    let bytes = work.bytes_ready();
    let enough = bytes >= work.bytes_min || work.has_failure() || work.entries.is_empty();
    let over = core.now.monotonic_us >= work.deadline_us;
    if wants_retry && bytes == 0 && !work.has_failure() {
        let at = core.now.monotonic_us + RETRY_US;
        core.timers.arm(at, Timer::FetchRetry(key));
        core.fetches[key] = work;
    } else if enough || over {
        if let Some(timer) = work.timer.take() {
            core.timers.cancel(timer);
        }
        leave_remote(core, key, &work);
        respond::respond(core, &mut work);
        work.clear();
        core.fetches[key] = work;
        core.fetches.give_back(key);
    } else {
        park(core, key, &mut work, bytes);
        core.fetches[key] = work;
    }
}

/// Reads every entry that has no outcome. Returns whether one found no memory to read into.
fn read_entries(core: &mut Core, key: Key, work: &mut FetchWork) -> bool {
    let count = work.entries.len();
    let mut budget = work.bytes_max.saturating_sub(work.bytes_ready());
    let mut first = work.bytes_ready() == 0 && work.outstanding == 0;
    let mut wants_retry = false;
    for step in 0..count {
        let place = (work.rotation + step) % count;
        let entry = &mut work.entries[place];
        if !matches!(entry.outcome, Outcome::Unread) {
            continue;
        }
        let ticket = Ticket {
            key,
            place: place as u32,
        };
        let request = (work.version, work.read_committed);
        match read_entry(core, entry, budget, first, ticket, request) {
            Ok(outcome) => entry.outcome = outcome,
            Err(()) => wants_retry = true,
        }
        match &entry.outcome {
            Outcome::Data(gather) => {
                budget = budget.saturating_sub(gather.len());
                first = false;
            }
            Outcome::Reading(ticket) => {
                let place = place as u32;
                core.reads.insert(*ticket, Reader::Fetch { key, place });
                work.outstanding += 1;
                budget = budget.saturating_sub(entry.bytes_max.max(0) as usize);
                first = false;
            }
            Outcome::Asked => {
                work.outstanding += 1;
                budget = budget.saturating_sub(entry.bytes_max.max(0) as usize);
                first = false;
            }
            _ => {}
        }
    }
    wants_retry
}

/// Reads one entry; `Err` when there is no memory for a read from disk now.
fn read_entry(
    core: &mut Core,
    entry: &mut FetchEntry,
    budget: usize,
    first: bool,
    ticket: Ticket,
    (version, committed): (i16, bool),
) -> Result<Outcome, ()> {
    let bytes_max = budget.min(entry.bytes_max.max(0) as usize);
    let topic = entry.topic(version);
    let log = match partitions::locate(core, topic, entry.partition, entry.leader_epoch) {
        Ok(Place::Local(log)) => log,
        Ok(Place::Remote { shard, log }) => {
            entry.remote = Some(log);
            core.reads.hear_of(log, ticket.key);
            let message = Message::Read {
                ticket,
                log,
                offset: entry.offset,
                bytes_max: u32::try_from(bytes_max).unwrap_or(u32::MAX),
                at_least_one: first,
                committed,
            };
            core.peers.send(shard, message);
            return Ok(Outcome::Asked);
        }
        Err(code) => return Ok(Outcome::Failed(code)),
    };
    let offsets = core.store.offsets(log);
    entry.log = Some(log);
    entry.remote = None;
    entry.high_watermark = offsets.high_watermark;
    entry.last_stable_offset = offsets.last_stable;
    entry.log_start_offset = offsets.start;
    let in_range = entry.offset >= offsets.start && entry.offset <= offsets.end;
    let readable_end = match committed {
        true => offsets.last_stable,
        false => offsets.high_watermark,
    };
    if in_range && (entry.offset >= readable_end || (bytes_max == 0 && !first)) {
        return Ok(Outcome::Nothing);
    }
    let options = ReadOptions {
        offset: entry.offset,
        max_bytes: bytes_max,
        at_least_one: first,
        committed,
    };
    match core.store.read(log, options) {
        Ok(Read::Ready(gather)) if gather.is_empty() => {
            core.store.release(gather);
            Ok(Outcome::Nothing)
        }
        Ok(Read::Ready(gather)) => Ok(Outcome::Data(gather)),
        Ok(Read::Pending(ticket)) => Ok(Outcome::Reading(ticket)),
        Err(ReadError::Busy) => Err(()),
        Err(error) => Ok(Outcome::Failed(error.code())),
    }
}

/// A read from disk is through.
pub(crate) fn read_ready(core: &mut Core, ticket: ReadTicket) {
    let Some(reader) = core.reads.waiting.remove(&ticket) else {
        return;
    };
    let taken = core.store.take_read(ticket);
    let (key, place) = match reader {
        Reader::Fetch { key, place } => (key, place),
        Reader::Peer { shard, ticket, log } => {
            return peers::read_done(core, shard, ticket, log, taken);
        }
    };
    let outcome = match taken {
        Ok(gather) if gather.is_empty() => {
            core.store.release(gather);
            Outcome::Nothing
        }
        Ok(gather) => Outcome::Data(gather),
        Err(ReadError::Busy) => Outcome::Unread,
        Err(error) => Outcome::Failed(error.code()),
    };
    let Some(work) = core.fetches.get_mut(key) else {
        release(core, outcome);
        return;
    };
    work.entries[place as usize].outcome = outcome;
    settle_one(core, key);
}

/// One entry that was waited for has its outcome; with the last one the fetch goes on.
fn settle_one(core: &mut Core, key: Key) {
    let work = &mut core.fetches[key];
    work.outstanding -= 1;
    if work.outstanding == 0 && !work.due {
        work.due = true;
        core.due_fetches.push(key);
    }
}

/// Another shard has read, or refused.
pub(crate) fn remote_read_done(
    core: &mut Core,
    ticket: Ticket,
    offsets: RemoteOffsets,
    records: Option<Transferred>,
) {
    let Some(work) = core.fetches.get_mut(ticket.key) else {
        return;
    };
    let Some(entry) = work.entries.get_mut(ticket.place as usize) else {
        return;
    };
    if !matches!(entry.outcome, Outcome::Asked) {
        return;
    }
    entry.high_watermark = offsets.high_watermark;
    entry.last_stable_offset = offsets.last_stable_offset;
    entry.log_start_offset = offsets.log_start_offset;
    entry.outcome = match records {
        Some(records) => Outcome::Transferred(records),
        None if offsets.error.is_error() => Outcome::Failed(offsets.error),
        None => Outcome::Nothing,
    };
    settle_one(core, ticket.key);
}

/// Waits for appends: lets go of what was read, registers with every log, arms the deadline.
fn park(core: &mut Core, key: Key, work: &mut FetchWork, bytes: usize) {
    let has_grown = work.grown || work.entries.iter().any(|entry| has_grown(core, entry));
    work.grown = false;
    work.bytes_seen = bytes;
    if has_grown {
        // While one partition was waited for another has moved: read everything again.
        for entry in &mut work.entries {
            let outcome = std::mem::take(&mut entry.outcome);
            release(core, outcome);
        }
        work.due = true;
        core.due_fetches.push(key);
        return;
    }
    work.parked = true;
    for entry in &mut work.entries {
        let outcome = std::mem::take(&mut entry.outcome);
        release(core, outcome);
        let Some(log) = entry.log else { continue };
        if let Some(waiters) = core.waiters.get_mut(log) {
            waiters.fetches.push(key);
        }
    }
    core.stats.fetches_parked.add(1);
    if work.timer.is_none() {
        work.timer = Some(core.timers.arm(work.deadline_us, Timer::Fetch(key)));
    }
}

/// Whether a local log has more than when its entry was read in this round.
fn has_grown(core: &Core, entry: &FetchEntry) -> bool {
    let read = matches!(entry.outcome, Outcome::Nothing | Outcome::Data(_));
    let local = entry.log.filter(|_| read && entry.remote.is_none());
    local.is_some_and(|log| core.store.offsets(log).high_watermark != entry.high_watermark)
}

/// No more word of other shards' logs is wanted.
fn leave_remote(core: &mut Core, key: Key, work: &FetchWork) {
    for log in work.entries.iter().filter_map(|entry| entry.remote) {
        if let Some(fetches) = core.reads.remote.get_mut(&log) {
            fetches.retain(|fetch| *fetch != key);
        }
    }
}

fn unpark(core: &mut Core, key: Key, work: &mut FetchWork) {
    if !work.parked {
        return;
    }
    work.parked = false;
    work.grown = false;
    core.stats.fetches_parked.subtract(1);
    for entry in &work.entries {
        if let Some(log) = entry.log {
            core.waiters.forget_fetch(log, key);
        }
    }
}

/// Something became visible in a log: fetches that have enough now are due.
pub(crate) fn wake(core: &mut Core, log: LogId, bytes: usize) {
    let Some(waiters) = core.waiters.get_mut(log) else {
        return;
    };
    for key in &waiters.fetches {
        let Some(work) = core.fetches.get_mut(*key) else {
            continue;
        };
        work.bytes_seen = work.bytes_seen.saturating_add(bytes);
        if work.bytes_seen >= work.bytes_min && !work.due {
            work.due = true;
            core.stats.fetches_woken.add(1);
            core.due_fetches.push(*key);
        }
    }
    let Some(uid) = waiters.uid else { return };
    // Once each: a shard that is still interested says so when it reads again.
    for shard in waiters.shards.drain(..) {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        core.peers.send(shard, Message::Grown { log: uid, bytes });
    }
}

/// Something became visible in another shard's log.
pub(crate) fn wake_remote(core: &mut Core, log: LogUid, bytes: usize) {
    let Some(fetches) = core.reads.remote.get(&log) else {
        return;
    };
    for key in fetches {
        let Some(work) = core.fetches.get_mut(*key) else {
            continue;
        };
        work.bytes_seen = work.bytes_seen.saturating_add(bytes);
        work.grown = true;
        // Whether it is enough or not: only reading again keeps the other shard telling.
        if work.parked && !work.due {
            work.due = true;
            core.due_fetches.push(*key);
        }
    }
}

/// Moves every due fetch on.
pub(crate) fn run_due(core: &mut Core) {
    while let Some(key) = core.due_fetches.pop() {
        advance(core, key);
    }
}

/// A fetch's deadline: it is answered with what there is.
pub(crate) fn expire(core: &mut Core, key: Key) {
    if let Some(work) = core.fetches.get_mut(key) {
        work.timer = None;
        work.deadline_us = 0;
        core.stats.fetches_timed_out.add(1);
        if work.outstanding == 0 {
            advance(core, key);
        }
    }
}

fn release(core: &mut Core, outcome: Outcome) {
    match outcome {
        Outcome::Data(gather) => core.store.release(gather),
        Outcome::Reading(ticket) => {
            core.reads.waiting.remove(&ticket);
            core.store.cancel_read(ticket);
        }
        _ => {}
    }
}

/// The connection is gone: gives up the fetch and returns its entries to their session.
pub(crate) fn abandon(core: &mut Core, key: Key) {
    let Some(slot) = core.fetches.get_mut(key) else {
        return;
    };
    let mut work = std::mem::take(slot);
    unpark(core, key, &mut work);
    leave_remote(core, key, &work);
    if let Some(timer) = work.timer.take() {
        core.timers.cancel(timer);
    }
    for entry in &mut work.entries {
        let outcome = std::mem::take(&mut entry.outcome);
        release(core, outcome);
    }
    respond::return_to_session(core, &mut work);
    work.clear();
    core.fetches[key] = work;
    core.fetches.give_back(key);
}

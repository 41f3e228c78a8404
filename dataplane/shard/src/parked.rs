//! Appends that wait for a worker, or behind one that does.
//!
//! A batch that must be decompressed or compressed anew is copied out of its request and goes to the
//! store's workers. Whatever comes for the same log meanwhile waits behind it, so that a log gets its
//! batches in the order in which they came. Bounded in number and bytes: past that, requests wait as
//! they do for memory.

use crate::core::Core;
use crate::handlers::produce::{self, PartitionOutcome};
use crate::maintenance;
use crate::peers::{self, Ticket};
use precursor_shm::Buffer;
use precursor_storage::{AppendError, AppendOptions, LogId, Preparation};
use std::collections::VecDeque;

/// Appends that wait at once.
const PARKED_MAX: usize = 256;
/// Batches with the workers, or back from them and not appended: each may hold a rewritten batch.
const IN_WORK_MAX: usize = 32;

/// Whom to tell what became of an append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waiter {
    /// A produce of this shard.
    Produce(Ticket),
    /// Another shard.
    Peer { shard: u16, ticket: Ticket },
}

/// An append that is to wait.
pub(crate) struct Append {
    pub log: LogId,
    pub waiter: Waiter,
    /// Of the Produce request.
    pub version: i16,
    /// The batch, in the first bytes.
    pub records: Buffer,
    pub length: usize,
}

enum State {
    /// For a worker that is free.
    Unprepared(Buffer),
    WithWorker,
    Prepared(Preparation),
    /// It needs no worker, only those before it to be through.
    Behind(Buffer),
    /// Its batch is on its way from one state to another; never seen outside.
    Moving,
}

struct Parked {
    token: u64,
    log: LogId,
    waiter: Waiter,
    version: i16,
    length: usize,
    /// Of the buffer.
    bytes: usize,
    state: State,
}

/// Every append of one shard that waits, in the order in which they came. Belongs to its thread.
pub(crate) struct ParkedAppends {
    entries: VecDeque<Parked>,
    token: u64,
    bytes: usize,
    bytes_max: usize,
    in_work: usize,
    /// Memory of rewritten batches, for the next ones.
    memory: Vec<Vec<u8>>,
    /// One found no memory to be appended into.
    starved: bool,
    /// While entries are gone through: logs of which one stays.
    held: Vec<LogId>,
}

impl ParkedAppends {
    /// `bytes_max`: of the buffers that wait; a single one may be larger.
    pub fn new(bytes_max: usize) -> Self {
        ParkedAppends {
            entries: VecDeque::with_capacity(PARKED_MAX),
            token: 0,
            bytes: 0,
            bytes_max,
            in_work: 0,
            memory: Vec::with_capacity(IN_WORK_MAX),
            starved: false,
            held: Vec::with_capacity(PARKED_MAX),
        }
    }

    /// Whether an append to the log would overtake one that waits.
    pub fn holds(&self, log: LogId) -> bool {
        self.entries.iter().any(|parked| parked.log == log)
    }

    /// Whether one waits for memory, which may have come.
    pub fn is_starved(&self) -> bool {
        self.starved
    }

    /// Whether one more may wait.
    pub fn has_room(&self, bytes: usize) -> bool {
        self.entries.is_empty()
            || self.entries.len() < PARKED_MAX && self.bytes + bytes <= self.bytes_max
    }

    /// The entry with this token; tokens grow from front to back.
    fn position(&self, token: u64) -> Option<usize> {
        self.entries
            .binary_search_by_key(&token, |parked| parked.token)
            .ok()
    }

    fn remove(&mut self, at: usize) -> Option<Parked> {
        let parked = self.entries.remove(at)?;
        self.bytes -= parked.bytes;
        Some(parked)
    }
}

/// Copies a batch and has it wait; false when there is no room or no memory for it now.
pub(crate) fn copy(
    core: &mut Core,
    log: LogId,
    version: i16,
    records: &[u8],
    ticket: Ticket,
) -> bool {
    let length = records.len();
    let pooled = core.buffers.take(length);
    let Some(mut buffer) = pooled.or_else(|| core.buffers.take_large(length)) else {
        return false;
    };
    buffer[..length].copy_from_slice(records);
    let append = Append {
        log,
        waiter: Waiter::Produce(ticket),
        version,
        records: buffer,
        length,
    };
    park(core, append).is_ok()
}

/// Has an append wait, or gives it back when there is no room.
pub(crate) fn park(core: &mut Core, append: Append) -> Result<(), Append> {
    let parked = &mut core.parked;
    let bytes = append.records.len();
    if !parked.has_room(bytes) {
        return Err(append);
    }
    let needs_worker = core
        .store
        .must_prepare(append.log, &append.records[..append.length]);
    parked.token += 1;
    parked.bytes += bytes;
    parked.entries.push_back(Parked {
        token: parked.token,
        log: append.log,
        waiter: append.waiter,
        version: append.version,
        length: append.length,
        bytes,
        state: match needs_worker {
            true => State::Unprepared(append.records),
            false => State::Behind(append.records),
        },
    });
    core.stats.appends_parked.set(parked.entries.len() as u64);
    hand_out(core);
    Ok(())
}

/// Takes what the workers have done and appends it, and what waited for it. Returns whether there was
/// anything.
pub(crate) fn receive(core: &mut Core) -> bool {
    let mut any = false;
    while let Some(prepared) = core.store.next_prepared() {
        any = true;
        core.stats.batches_prepared.add(1);
        let parked = &mut core.parked;
        if let Some(at) = parked.position(prepared.token) {
            parked.entries[at].state = State::Prepared(prepared);
        }
    }
    if any {
        advance(core);
    }
    any
}

/// Appends what can be appended by now.
pub(crate) fn advance(core: &mut Core) {
    core.parked.held.clear();
    core.parked.starved = false;
    let before = core.parked.entries.len();
    let mut at = 0;
    while at < core.parked.entries.len() {
        if !try_append(core, at) {
            let log = core.parked.entries[at].log;
            core.parked.held.push(log);
            at += 1;
        }
    }
    hand_out(core);
    if core.parked.entries.len() < before {
        let left = core.parked.entries.len() as u64;
        core.stats.appends_parked.set(left);
        maintenance::serve_the_waiting_for_memory(core);
    }
}

/// Appends an entry and tells who waits for it; false when it stays.
fn try_append(core: &mut Core, at: usize) -> bool {
    let Core {
        parked, store, now, ..
    } = core;
    let entry = &mut parked.entries[at];
    if parked.held.contains(&entry.log) {
        return false;
    }
    let options = AppendOptions {
        produce_version: entry.version,
        ..AppendOptions::at(*now)
    };
    let appended = match &entry.state {
        State::Unprepared(_) | State::WithWorker | State::Moving => return false,
        State::Prepared(prepared) => store.append_prepared(entry.log, prepared, *now),
        State::Behind(records) => store.append(entry.log, &records[..entry.length], options),
    };
    match appended {
        Err(AppendError::Busy) => {
            parked.starved = true;
            return false;
        }
        // The topic's options have changed.
        Err(AppendError::Unprepared) => {
            entry.state = match std::mem::replace(&mut entry.state, State::Moving) {
                State::Behind(records) => State::Unprepared(records),
                other => other,
            };
            return false;
        }
        _ => {}
    }
    let Some(gone) = parked.remove(at) else {
        return false;
    };
    let sent = match &gone.state {
        State::Prepared(prepared) => prepared.sent(),
        State::Behind(records) => &records[..gone.length],
        _ => &[],
    };
    let outcome = produce::outcome_of(core, gone.log, gone.version, sent, appended);
    if let State::Prepared(prepared) = gone.state {
        core.parked.in_work -= 1;
        core.parked.memory.push(prepared.into_memory());
    }
    tell(core, gone.waiter, outcome);
    true
}

fn tell(core: &mut Core, waiter: Waiter, outcome: PartitionOutcome) {
    match waiter {
        Waiter::Produce(ticket) => produce::settle_asked(core, ticket, outcome),
        Waiter::Peer { shard, ticket } => peers::tell_appended(core, shard, ticket, &outcome),
    }
}

/// Gives the workers what waits for one, oldest first.
fn hand_out(core: &mut Core) {
    let Core {
        parked, store, now, ..
    } = core;
    for entry in &mut parked.entries {
        if parked.in_work == IN_WORK_MAX {
            return;
        }
        if !matches!(entry.state, State::Unprepared(_)) {
            continue;
        }
        let State::Unprepared(records) = std::mem::replace(&mut entry.state, State::Moving) else {
            continue;
        };
        let memory = parked.memory.pop().unwrap_or_default();
        let options = AppendOptions {
            produce_version: entry.version,
            ..AppendOptions::at(*now)
        };
        let batch = (records, entry.length);
        match store.prepare(entry.log, entry.token, batch, memory, options) {
            Ok(()) => {
                entry.state = State::WithWorker;
                parked.in_work += 1;
            }
            Err((records, memory)) => {
                parked.memory.push(memory);
                if store.must_prepare(entry.log, &records[..entry.length]) {
                    entry.state = State::Unprepared(records);
                } else {
                    // The log is gone, or its options have changed: an append will tell.
                    entry.state = State::Behind(records);
                    parked.starved = true;
                }
                return;
            }
        }
    }
}

//! Batches that were written into memory of the log from afar: what becomes of one when nobody can
//! change it any more.

use crate::core::Core;
use crate::follows::{self, Commit, Waiting};
use crate::handlers::produce::{self, native};
use crate::parked::{self, Append, Waiter};
use precursor_memory::SlabKey as Key;
use precursor_model::ErrorCode;
use precursor_protocol::native::write::{Lent, Room};
use precursor_storage::{AppendOptions, Blank, Written};

/// A batch that is to be copied, and waits for memory or room.
pub(crate) struct Stalled {
    blank: Blank,
    commit: Commit,
}

/// The client can write: tells it where.
pub(crate) fn lent(core: &mut Core, waiting: Waiting, room: Option<Room>) {
    let response = Lent {
        correlation_id: waiting.correlation_id,
        error: ErrorCode::None,
        shard: core.options.shard as i16,
        room,
    };
    write(core, waiting.answer, &response);
}

/// Completes an answer.
pub(crate) fn write(core: &mut Core, key: Key, response: &Lent) {
    follows::complete(core, key, response.error, &response.encode());
}

/// Nobody can write there any more, or nobody could.
pub(crate) fn returned(
    core: &mut Core,
    blank: Blank,
    waiting: Option<Waiting>,
    commit: Option<Commit>,
) {
    match commit {
        Some(commit) => {
            if let Some(stalled) = append(core, blank, commit) {
                core.stats.produces_delayed.add(1);
                core.writes.push_back(stalled);
            }
        }
        None => core.store.return_blank(blank),
    }
    if let Some(waiting) = waiting {
        lent(core, waiting, None);
    }
}

/// Appends a batch where it lies; where the log does not go on there, as any other. What has to wait
/// for memory comes back.
fn append(core: &mut Core, blank: Blank, commit: Commit) -> Option<Stalled> {
    let log = blank.log();
    if core.parked.holds(log) {
        return copy(core, blank, commit);
    }
    let options = AppendOptions {
        produce_version: native::AS_VERSION,
        ..AppendOptions::at(core.now)
    };
    match core.store.append_blank(blank, commit.length, options) {
        Written::Elsewhere(blank) => copy(core, blank, commit),
        Written::Done(appended) => {
            let outcome = match appended {
                Ok(appended) => {
                    core.stats.batches_written_in_place.add(1);
                    core.stats
                        .bytes_written_in_place
                        .add(u64::from(appended.bytes));
                    produce::outcome_of_appended(core, log, commit.length as usize, appended)
                }
                Err(error) => produce::outcome_of_refused(core, error),
            };
            produce::settle_asked(core, commit.ticket, outcome);
            None
        }
    }
}

/// Copies a batch out and has it wait with those that do, if there is memory for it.
fn copy(core: &mut Core, blank: Blank, commit: Commit) -> Option<Stalled> {
    let length = commit.length as usize;
    let buffer = match core.parked.has_room(length) {
        true => {
            let pooled = core.buffers.take(length);
            pooled.or_else(|| core.buffers.take_large(length))
        }
        false => None,
    };
    let Some(mut buffer) = buffer else {
        return Some(Stalled { blank, commit });
    };
    let log = blank.log();
    buffer[..length].copy_from_slice(core.store.blank_bytes(&blank, commit.length));
    core.store.return_blank(blank);
    core.stats.batches_written_copied.add(1);
    let append = Append {
        log,
        waiter: Waiter::Produce(commit.ticket),
        version: native::AS_VERSION,
        records: buffer,
        length,
    };
    if parked::park(core, append).is_err() {
        unreachable!("there was room");
    }
    parked::advance(core);
    None
}

/// Tries again what waits for memory.
pub(crate) fn retry(core: &mut Core) {
    // What has to wait again does so in the same order, and in the same memory.
    for _ in 0..core.writes.len() {
        if let Some(Stalled { blank, commit }) = core.writes.pop_front()
            && let Some(stalled) = append(core, blank, commit)
        {
            core.writes.push_back(stalled);
        }
    }
}

//! What a produce waits for after it was taken: the disk, workers, other shards.

use super::PartitionOutcome;
use super::response::insert_message;
use crate::core::{CloseReason, Core};
use crate::fetch;
use crate::peers::{Message, RemoteAppended, Ticket};
use crate::waiters::{DurableWait, DurableWaiter};
use precursor_memory::SlabKey as Key;
use precursor_model::{ErrorCode, Offset};
use precursor_storage::LogId;

/// A log is durable up to `offset`: answers that waited for it go, fetches see more.
pub(crate) fn durable(core: &mut Core, log: LogId, offset: Offset) {
    while let Some(waiters) = core.waiters.get_mut(log)
        && let Some(wait) = waiters.durable.front().copied()
        && wait.offset <= offset
    {
        waiters.durable.pop_front();
        settle_wait(core, wait.waiter, ErrorCode::None);
    }
    fetch::wake(core, log, usize::MAX);
}

/// A log cannot be served any more: whoever waits for it is told.
pub(crate) fn offline(core: &mut Core, log: LogId, error: ErrorCode) {
    while let Some(waiters) = core.waiters.get_mut(log)
        && let Some(wait) = waiters.durable.pop_front()
    {
        settle_wait(core, wait.waiter, error);
    }
    fetch::wake(core, log, usize::MAX);
}

fn settle_wait(core: &mut Core, waiter: DurableWaiter, error: ErrorCode) {
    match waiter {
        DurableWaiter::Produce { key, place } => fill(core, key, place, error),
        DurableWaiter::Peer {
            shard,
            ticket,
            mut appended,
        } => {
            if error.is_error() {
                appended.error = error;
                appended.base_offset = -1;
            }
            core.peers
                .send(shard, Message::Appended { ticket, appended });
        }
    }
}

/// Another shard has appended, or refused.
pub(crate) fn remote_appended(core: &mut Core, ticket: Ticket, appended: RemoteAppended) {
    let outcome = PartitionOutcome {
        error: appended.error,
        base_offset: appended.base_offset,
        log_append_time_ms: appended.log_append_time_ms,
        log_start_offset: appended.log_start_offset,
        message: appended.message,
        durable: None,
        asked: false,
    };
    settle_asked(core, ticket, outcome);
}

/// What was asked for one partition is known.
pub(crate) fn settle_asked(core: &mut Core, ticket: Ticket, outcome: PartitionOutcome) {
    let Some(work) = core.produces.get_mut(ticket.key) else {
        return;
    };
    if let Some(known) = work.outcomes.get_mut(ticket.place as usize) {
        *known = outcome;
    }
    if let Some(connection) = work.unanswered {
        work.outstanding = work.outstanding.saturating_sub(1);
        let last = work.outstanding == 0;
        if outcome.error.is_error() {
            core.close_later(connection, CloseReason::UnacknowledgedError);
        }
        if last {
            finish(core, ticket.key);
        }
        return;
    }
    // Without an answer yet the request is still at another of its partitions.
    let (Some(answer), version) = (work.answer, work.version) else {
        return;
    };
    let hole = work.holes.get(ticket.place as usize).copied().flatten();
    if let (Some(at), Some(answer)) = (hole, core.answers.get_mut(answer)) {
        let at = at as usize;
        answer.failed |= outcome.error.is_error();
        answer.patch_i16(at, outcome.error.code());
        answer.patch_i64(at + 2, outcome.base_offset);
        answer.patch_i64(at + 10, outcome.log_append_time_ms);
        if version >= 5 {
            answer.patch_i64(at + 18, outcome.log_start_offset);
        }
        if let Some(message) = outcome.message {
            let grown = insert_message(&mut answer.head, at, version, message);
            let behind = work.holes.iter_mut().flatten();
            for hole in behind.filter(|hole| **hole as usize > at) {
                *hole += grown as u32;
            }
        }
    }
    if !wait_for_disk(core, ticket, &outcome) {
        fill(core, ticket.key, ticket.place, ErrorCode::None);
    }
}

/// Has a partition wait for durability; false when there is nothing to wait for.
pub(super) fn wait_for_disk(core: &mut Core, ticket: Ticket, outcome: &PartitionOutcome) -> bool {
    let Some((log, offset)) = outcome.durable else {
        return false;
    };
    if core.store.offsets(log).durable >= offset {
        return false;
    }
    let Some(waiters) = core.waiters.get_mut(log) else {
        return false;
    };
    let Ticket { key, place } = ticket;
    waiters.durable.push_back(DurableWait {
        offset,
        waiter: DurableWaiter::Produce { key, place },
    });
    true
}

/// Settles one partition of a waiting produce, and answers with the last one.
fn fill(core: &mut Core, key: Key, place: u32, error: ErrorCode) {
    let Some(work) = core.produces.get_mut(key) else {
        return;
    };
    let hole = work.holes.get_mut(place as usize);
    let Some(at) = hole.and_then(Option::take) else {
        return;
    };
    work.outstanding -= 1;
    let last = work.outstanding == 0;
    if error.is_error()
        && let Some(answer) = work.answer.and_then(|answer| core.answers.get_mut(answer))
    {
        answer.patch_i16(at as usize, error.code());
        answer.patch_i64(at as usize + 2, -1);
    }
    if last {
        finish(core, key);
    }
}

fn finish(core: &mut Core, key: Key) {
    let work = &mut core.produces[key];
    let (answer, timer) = (work.answer.take(), work.timer.take());
    work.clear();
    core.produces.give_back(key);
    if let Some(timer) = timer {
        core.timers.cancel(timer);
    }
    if let Some(answer) = answer {
        core.finish_answer(answer);
    }
}

/// The client's own timeout is over: what is not durable by now is answered with REQUEST_TIMED_OUT.
pub(crate) fn expire(core: &mut Core, key: Key) {
    let Some(work) = core.produces.get_mut(key) else {
        return;
    };
    work.timer = None;
    if let Some(answer) = work.answer.and_then(|answer| core.answers.get_mut(answer)) {
        for at in work.holes.drain(..).flatten() {
            answer.patch_i16(at as usize, ErrorCode::RequestTimedOut.code());
        }
    }
    finish(core, key);
}

/// The connection is gone; what was appended stays.
pub(crate) fn abandon(core: &mut Core, key: Key) {
    if let Some(work) = core.produces.get_mut(key) {
        if let Some(timer) = work.timer.take() {
            core.timers.cancel(timer);
        }
        work.clear();
        core.produces.give_back(key);
    }
}

//! Produce, key 0, versions 3–13.

use crate::answer::Waits;
use crate::connection::is_own;
use crate::core::{CloseReason, Core, Handled, Request, Timer};
use crate::fetch;
use crate::partitions::{self, Place, TopicRef};
use crate::peers::{Message, RemoteAppended, Ticket};
use crate::pool::Key;
use crate::timer::TimerId;
use crate::waiters::{DurableWait, DurableWaiter};
use precursor_model::{ErrorCode, LogUid, Offset};
use precursor_protocol::views::ProduceRequestView;
use precursor_protocol::views::produce_request::PartitionProduceDataView;
use precursor_storage::{AppendError, AppendOptions, LogId};
use precursor_transport_port::ConnectionId;

mod refusal;
mod response;

/// Kafka lets clients of this id write to internal topics: its tools that move a group's state.
const ADMIN_CLIENT_ID: &str = "__admin_client";

const ACKS_ALL: i16 = -1;
const ACKS_NONE: i16 = 0;
const ACKS_LEADER: i16 = 1;

/// What became of one partition of a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PartitionOutcome {
    pub error: ErrorCode,
    pub base_offset: Offset,
    pub log_append_time_ms: i64,
    pub log_start_offset: Offset,
    /// The log that must be durable up to this offset before the answer may go.
    pub durable: Option<(LogId, Offset)>,
    /// Another shard is asked and has not told yet.
    pub asked: bool,
}

impl PartitionOutcome {
    pub fn failed(error: ErrorCode) -> Self {
        PartitionOutcome {
            error,
            base_offset: -1,
            log_append_time_ms: -1,
            log_start_offset: -1,
            durable: None,
            asked: false,
        }
    }
}

/// A produce that is not answered in one go: stopped before a partition for want of memory, or
/// waiting for durability.
#[derive(Debug, Default)]
pub(crate) struct ProduceWork {
    /// Of the request's partitions, in their order, as far as they were handled.
    outcomes: Vec<PartitionOutcome>,
    answer: Option<Key>,
    version: i16,
    /// With acks=0 there is no answer: the connection to close when another shard refuses.
    unanswered: Option<ConnectionId>,
    /// Where each waiting partition's error code is in the answer's head; `None` once it is settled.
    holes: Vec<Option<u32>>,
    outstanding: usize,
    timer: Option<TimerId>,
}

impl ProduceWork {
    /// Ready for the next use, with its memory.
    pub fn clear(&mut self) {
        self.outcomes.clear();
        self.holes.clear();
        self.answer = None;
        self.unanswered = None;
        self.outstanding = 0;
        self.timer = None;
    }
}

pub(crate) fn handle(core: &mut Core, request: &Request<'_>) -> Handled {
    let Ok(view) = ProduceRequestView::parse(request.body, request.version) else {
        return Handled::Close(CloseReason::BadFrame);
    };
    let key = resume(core, request.connection);
    let mut work = std::mem::take(&mut core.produces[key]);
    work.version = request.version;
    let to_internal = is_own(request.connection) || request.client_id == Some(ADMIN_CLIENT_ID);
    if work.outcomes.is_empty()
        && let Some(error) = refusal::of_everything(&view)
    {
        let partitions = view.topic_data.into_iter().flat_map(|t| t.partition_data);
        let refused = partitions.map(|_| PartitionOutcome::failed(error));
        work.outcomes.extend(refused);
    }
    let handled = if append_all(core, &view, key, &mut work, to_internal) {
        settle(core, request, &view, key, &mut work)
    } else {
        Handled::Blocked
    };
    let keep = work.outstanding > 0 || handled == Handled::Blocked;
    if !keep {
        work.clear();
    }
    core.produces[key] = work;
    match handled {
        Handled::Blocked => pause(core, request.connection, key),
        _ if !keep => core.produces.give_back(key),
        _ => {}
    }
    handled
}

/// The work that a request stopped in, or a fresh one.
fn resume(core: &mut Core, connection: ConnectionId) -> Key {
    let connection = core.connections.get_mut(connection);
    let progress = connection.and_then(|connection| connection.progress.take());
    progress.unwrap_or_else(|| core.produces.take())
}

fn pause(core: &mut Core, id: ConnectionId, work: Key) {
    if let Some(connection) = core.connections.get_mut(id) {
        connection.progress = Some(work);
        core.out_of_memory.push(id);
    }
}

/// Appends what was not appended before; false when there is no memory for the next partition.
fn append_all(
    core: &mut Core,
    view: &ProduceRequestView<'_>,
    key: Key,
    work: &mut ProduceWork,
    to_internal: bool,
) -> bool {
    let done = work.outcomes.len();
    let mut number = 0;
    for topic in view.topic_data {
        let named = if work.version >= 13 {
            TopicRef::Id(topic.topic_id)
        } else {
            TopicRef::Name(topic.name)
        };
        let forbidden = !to_internal && is_internal(core, named);
        for partition in topic.partition_data {
            number += 1;
            if number <= done {
                continue;
            }
            if forbidden {
                let refused = PartitionOutcome::failed(ErrorCode::InvalidTopicException);
                work.outcomes.push(refused);
                continue;
            }
            let ticket = Ticket {
                key,
                place: number as u32 - 1,
            };
            match append(core, view.acks, work.version, named, &partition, ticket) {
                Some(outcome) => work.outcomes.push(outcome),
                None => return false,
            }
        }
    }
    true
}

/// Internal topics are the broker's own to write.
fn is_internal(core: &Core, topic: TopicRef<'_>) -> bool {
    partitions::find_topic(core, topic).is_ok_and(|topic| topic.internal)
}

/// Appends to one partition; `None` when there is no memory now.
fn append(
    core: &mut Core,
    acks: i16,
    version: i16,
    topic: TopicRef<'_>,
    data: &PartitionProduceDataView<'_>,
    ticket: Ticket,
) -> Option<PartitionOutcome> {
    // What does not exist is said before what is wrong with the request, as in Kafka.
    let place = match partitions::locate(core, topic, data.index, -1) {
        Ok(place) => place,
        Err(error) => return Some(PartitionOutcome::failed(error)),
    };
    if !matches!(acks, ACKS_ALL | ACKS_NONE | ACKS_LEADER) {
        let error = refusal::of_shape(data.records, version);
        let error = error.unwrap_or(ErrorCode::InvalidRequiredAcks);
        return Some(PartitionOutcome::failed(error));
    }
    if acks == ACKS_ALL && !enough_replicas(core, topic, data.index) {
        return Some(PartitionOutcome::failed(ErrorCode::NotEnoughReplicas));
    }
    let Some(records) = data.records else {
        return Some(PartitionOutcome::failed(ErrorCode::InvalidRecord));
    };
    match place {
        Place::Local(log) => append_local(core, log, version, records),
        Place::Remote { shard, log } => append_remote(core, (shard, log), version, records, ticket),
    }
}

/// Hands a batch to the shard that owns the log; `None` when there is no memory now.
fn append_remote(
    core: &mut Core,
    (shard, log): (u16, LogUid),
    version: i16,
    records: &[u8],
    ticket: Ticket,
) -> Option<PartitionOutcome> {
    let pooled = core.buffers.take(records.len());
    let mut buffer = pooled.or_else(|| core.buffers.take_large(records.len()))?;
    buffer[..records.len()].copy_from_slice(records);
    let message = Message::Append {
        ticket,
        log,
        version,
        records: buffer,
        length: records.len() as u32,
    };
    core.peers.send(shard, message);
    Some(PartitionOutcome {
        asked: true,
        ..PartitionOutcome::failed(ErrorCode::None)
    })
}

fn enough_replicas(core: &Core, topic: TopicRef<'_>, partition: i32) -> bool {
    let found = partitions::find_partition(core, topic, partition);
    found.is_ok_and(|(topic, partition)| {
        partition.isr.len() >= usize::from(topic.config.min_insync_replicas)
    })
}

/// Appends a batch to a local log and wakes who waits for it; `None` when there is no memory now.
pub(crate) fn append_local(
    core: &mut Core,
    log: LogId,
    version: i16,
    records: &[u8],
) -> Option<PartitionOutcome> {
    let options = AppendOptions {
        now: core.now,
        produce_version: version,
    };
    match core.store.append(log, records, options) {
        Ok(appended) => {
            if appended.duplicate {
                core.stats.batches_duplicate.add(1);
            } else {
                core.stats.records_in.add(u64::from(appended.records));
                core.stats.bytes_in.add(records.len() as u64);
                core.stats.batches_in.add(1);
                core.traffic.batch_in(log, appended.records, records.len());
                if appended.must_be_durable_to.is_none() {
                    fetch::wake(core, log, records.len());
                }
            }
            Some(PartitionOutcome {
                error: ErrorCode::None,
                base_offset: appended.base_offset,
                log_append_time_ms: appended.log_append_time_ms,
                log_start_offset: appended.log_start_offset,
                durable: appended.must_be_durable_to.map(|offset| (log, offset)),
                asked: false,
            })
        }
        Err(AppendError::Busy) => {
            core.stats.produces_delayed.add(1);
            None
        }
        Err(error) => {
            core.stats.batches_refused.add(1);
            let mut outcome = PartitionOutcome::failed(error.code());
            if refusal::tells_log_start(error)
                && refusal::of_shape(Some(records), version).is_none()
            {
                outcome.log_start_offset = core.store.offsets(log).start;
            }
            Some(outcome)
        }
    }
}

/// Everything was tried: answers, or leaves the answer waiting.
fn settle(
    core: &mut Core,
    request: &Request<'_>,
    view: &ProduceRequestView<'_>,
    key: Key,
    work: &mut ProduceWork,
) -> Handled {
    core.stats.produce_requests.add(1);
    if core.throttle_account.is_some() {
        let bytes = request.frame.len() as u64;
        let now_us = core.now.monotonic_us;
        let owed = core.quotas.charge(core.throttle_account, bytes, now_us);
        core.throttle_ms = core.throttle_ms.max(owed);
    }
    if view.acks == ACKS_NONE {
        // There is no answer to carry an error; Kafka closes the connection so that the client
        // notices and asks for metadata again.
        let failed = work.outcomes.iter().any(|outcome| outcome.error.is_error());
        work.outstanding = work.outcomes.iter().filter(|outcome| outcome.asked).count();
        work.unanswered = Some(request.connection);
        return if failed {
            Handled::Close(CloseReason::UnacknowledgedError)
        } else {
            Handled::Done
        };
    }
    let answer = core.begin_answer(request);
    let head = &mut core.answers[answer].head;
    let outcomes = &work.outcomes;
    let throttle_ms = core.throttle_ms;
    let version = request.version;
    let written = response::write(head, version, view, outcomes, &mut work.holes, throttle_ms);
    if written.is_err() {
        return Handled::Close(CloseReason::Unanswerable);
    }
    core.answers[answer].failed = work.outcomes.iter().any(|o| o.error.is_error());
    wait_for_others(core, key, work);
    if work.outstanding == 0 {
        core.finish_answer(answer);
    } else {
        work.answer = Some(answer);
        core.answers[answer].waits = Waits::Produce(key);
        let timeout_us = u64::try_from(view.timeout_ms).unwrap_or(0) * 1_000;
        let deadline = core.now.monotonic_us + timeout_us;
        work.timer = Some(core.timers.arm(deadline, Timer::Produce(key)));
    }
    Handled::Done
}

/// Registers every partition that is not durable yet or is another shard's; others lose their hole.
fn wait_for_others(core: &mut Core, key: Key, work: &mut ProduceWork) {
    for (place, outcome) in work.outcomes.iter().enumerate() {
        if outcome.asked {
            work.outstanding += 1;
            continue;
        }
        let waiting = outcome.durable.filter(|(log, offset)| {
            core.store.offsets(*log).durable < *offset && core.waiters.get_mut(*log).is_some()
        });
        match waiting {
            Some((log, offset)) => {
                work.outstanding += 1;
                if let Some(waiters) = core.waiters.get_mut(log) {
                    let place = place as u32;
                    waiters.durable.push_back(DurableWait {
                        offset,
                        waiter: DurableWaiter::Produce { key, place },
                    });
                }
            }
            None => work.holes[place] = None,
        }
    }
}

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
    let Some(work) = core.produces.get_mut(ticket.key) else {
        return;
    };
    if let Some(outcome) = work.outcomes.get_mut(ticket.place as usize) {
        outcome.asked = false;
        outcome.error = appended.error;
        outcome.base_offset = appended.base_offset;
        outcome.log_append_time_ms = appended.log_append_time_ms;
        outcome.log_start_offset = appended.log_start_offset;
    }
    if let Some(connection) = work.unanswered {
        work.outstanding = work.outstanding.saturating_sub(1);
        let last = work.outstanding == 0;
        if appended.error.is_error() {
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
        answer.patch_i16(at, appended.error.code());
        answer.patch_i64(at + 2, appended.base_offset);
        answer.patch_i64(at + 10, appended.log_append_time_ms);
        if version >= 5 {
            answer.patch_i64(at + 18, appended.log_start_offset);
        }
    }
    fill(core, ticket.key, ticket.place, ErrorCode::None);
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

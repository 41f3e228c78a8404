//! Produce, key 0, versions 3–13.

use crate::answer::Waits;
use crate::connection::is_own;
use crate::core::{CloseReason, Core, Handled, Request, Timer};
use crate::fetch;
use crate::parked;
use crate::partitions::{self, Place, TopicRef};
use crate::peers::{Message, Ticket};
use crate::timer::TimerId;
use precursor_memory::SlabKey as Key;
use precursor_model::{ErrorCode, LogUid, Offset};
use precursor_protocol::views::ProduceRequestView;
use precursor_protocol::views::produce_request::PartitionProduceDataView;
use precursor_storage::{AppendError, AppendOptions, Appended, LogId};
use precursor_transport_port::ConnectionId;

pub(crate) mod native;
mod refusal;
mod response;
mod waits;

pub(crate) use waits::{abandon, durable, expire, offline, remote_appended, settle_asked};

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
    /// What the error's code does not say.
    pub message: Option<&'static str>,
    /// The log that must be durable up to this offset before the answer may go.
    pub durable: Option<(LogId, Offset)>,
    /// Another shard, or a worker, is asked and has not told yet.
    pub asked: bool,
}

impl PartitionOutcome {
    pub fn failed(error: ErrorCode) -> Self {
        PartitionOutcome {
            error,
            base_offset: -1,
            log_append_time_ms: -1,
            log_start_offset: -1,
            message: None,
            durable: None,
            asked: false,
        }
    }
}

/// A produce that is not answered in one go: stopped before a partition for want of memory, or
/// waiting for durability, workers or other shards.
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
        Place::Local(log) => append_local(core, log, version, records, ticket),
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
fn append_local(
    core: &mut Core,
    log: LogId,
    version: i16,
    records: &[u8],
    ticket: Ticket,
) -> Option<PartitionOutcome> {
    if let Some(outcome) = append_now(core, log, version, records) {
        return outcome;
    }
    if !parked::copy(core, log, version, records, ticket) {
        core.stats.produces_delayed.add(1);
        return None;
    }
    Some(PartitionOutcome {
        asked: true,
        ..PartitionOutcome::failed(ErrorCode::None)
    })
}

/// Appends a batch to a local log, unless it is to be parked: then the outer option is `None`. The
/// inner one is `None` when there is no memory now.
pub(crate) fn append_now(
    core: &mut Core,
    log: LogId,
    version: i16,
    records: &[u8],
) -> Option<Option<PartitionOutcome>> {
    if core.parked.holds(log) {
        return None;
    }
    let options = AppendOptions {
        produce_version: version,
        ..AppendOptions::at(core.now)
    };
    match core.store.append(log, records, options) {
        Err(AppendError::Unprepared) => None,
        Err(AppendError::Busy) => {
            core.stats.produces_delayed.add(1);
            Some(None)
        }
        appended => Some(Some(outcome_of(core, log, version, records, appended))),
    }
}

/// Counts an append, wakes who waits for it, and says what to answer. `records` are as they came.
pub(crate) fn outcome_of(
    core: &mut Core,
    log: LogId,
    version: i16,
    records: &[u8],
    appended: Result<Appended, AppendError>,
) -> PartitionOutcome {
    match appended {
        Ok(appended) => outcome_of_appended(core, log, records.len(), appended),
        Err(error) => {
            let mut outcome = outcome_of_refused(core, error);
            if refusal::tells_log_start(error)
                && refusal::of_shape(Some(records), version).is_none()
            {
                outcome.log_start_offset = core.store.offsets(log).start;
            }
            outcome
        }
    }
}

/// Counts an append of so many bytes, wakes who waits for it, and says what to answer.
pub(crate) fn outcome_of_appended(
    core: &mut Core,
    log: LogId,
    bytes: usize,
    appended: Appended,
) -> PartitionOutcome {
    if appended.duplicate {
        core.stats.batches_duplicate.add(1);
    } else {
        core.stats.records_in.add(u64::from(appended.records));
        core.stats.bytes_in.add(bytes as u64);
        core.stats.batches_in.add(1);
        core.traffic.batch_in(log, appended.records, bytes);
        if appended.must_be_durable_to.is_none() {
            fetch::wake(core, log, appended.bytes as usize);
        }
    }
    PartitionOutcome {
        error: ErrorCode::None,
        base_offset: appended.base_offset,
        log_append_time_ms: appended.log_append_time_ms,
        log_start_offset: appended.log_start_offset,
        message: None,
        durable: appended.must_be_durable_to.map(|offset| (log, offset)),
        asked: false,
    }
}

/// Counts a refusal, and says what to answer.
pub(crate) fn outcome_of_refused(core: &mut Core, error: AppendError) -> PartitionOutcome {
    core.stats.batches_refused.add(1);
    PartitionOutcome {
        message: error.message(),
        ..PartitionOutcome::failed(error.code())
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
    charge(core, request);
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
    let timeout_us = u64::try_from(view.timeout_ms).unwrap_or(0) * 1_000;
    finish_or_wait(core, key, work, answer, timeout_us);
    Handled::Done
}

/// Completes an answer that is written, or leaves it to what it waits for.
fn finish_or_wait(core: &mut Core, key: Key, work: &mut ProduceWork, answer: Key, timeout_us: u64) {
    wait_for_others(core, key, work);
    if work.outstanding == 0 {
        core.finish_answer(answer);
    } else {
        work.answer = Some(answer);
        core.answers[answer].waits = Waits::Produce(key);
        let deadline = core.now.monotonic_us + timeout_us;
        work.timer = Some(core.timers.arm(deadline, Timer::Produce(key)));
    }
}

/// Puts the request's bytes on the account of who sends it, if there is one.
fn charge(core: &mut Core, request: &Request<'_>) {
    if core.throttle_account.is_some() {
        let bytes = request.frame.len() as u64;
        let now_us = core.now.monotonic_us;
        let owed = core.quotas.charge(core.throttle_account, bytes, now_us);
        core.throttle_ms = core.throttle_ms.max(owed);
    }
}

/// Registers every partition that is not durable yet or is another shard's; others lose their hole.
fn wait_for_others(core: &mut Core, key: Key, work: &mut ProduceWork) {
    for (place, outcome) in work.outcomes.iter().enumerate() {
        if outcome.asked {
            work.outstanding += 1;
            continue;
        }
        let ticket = Ticket {
            key,
            place: place as u32,
        };
        if waits::wait_for_disk(core, ticket, outcome) {
            work.outstanding += 1;
        } else {
            work.holes[place] = None;
        }
    }
}

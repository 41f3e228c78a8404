//! Produce of single records ([`precursor_protocol::native`]): neighbours for one partition become
//! one batch, which is appended as any client's.

use super::{ACKS_LEADER, PartitionOutcome, append, finish_or_wait};
use crate::core::{CloseReason, Core, Handled, Request};
use crate::handlers::throttle;
use crate::partitions::{self, TopicRef};
use crate::peers::Ticket;
use precursor_model::{ErrorCode, TopicId};
use precursor_protocol::ApiKey;
use precursor_protocol::frame::{self, LENGTH_PREFIX};
use precursor_protocol::native::{self, ProduceOne, ProducedOne};
use precursor_protocol::records::BatchBuilder;
use precursor_protocol::views::produce_request::PartitionProduceDataView;
use precursor_transport_port::ConnectionId;

/// Records that become one batch, at most.
const RECORDS_MAX: usize = 4096;
/// Bytes of a batch of more than one record, at most.
const BATCH_BYTES_MAX: usize = 64 << 10;
/// The version of Produce whose rules hold: all codecs and times.
pub(crate) const AS_VERSION: i16 = 9;
/// How long an answer may wait for the disk or another shard, as a client's `request.timeout.ms`.
const TIMEOUT_US: u64 = 30_000_000;
/// Records of a refused run that are asked alone at a time: each has an answer of its own.
const ALONE_MAX: usize = 32;
/// Memory for a batch that is kept for the next.
const KEPT_BYTES_MAX: usize = 256 << 10;

/// Where a batch is put together. Belongs to the shard's thread.
#[derive(Default)]
pub(crate) struct NativeBatch {
    builder: BatchBuilder,
    bytes: Vec<u8>,
}

/// A run of requests whose correlation ids follow one another, for one partition.
struct Run {
    correlation_id: i32,
    count: u32,
    topic_id: TopicId,
    partition: i32,
    place: Owned,
    /// Of their frames together, lengths included.
    bytes: usize,
}

/// What the image says of the partition, asked once for a run.
#[derive(Clone, Copy)]
struct Owned {
    internal: bool,
    /// The shard that owns it, -1 if there is no such partition.
    shard: i16,
    /// What it takes at once.
    records_max: usize,
    bytes_max: usize,
}

/// Handles the first frame of `bytes`, which is native, and its neighbours. Returns how many bytes
/// are done with.
pub(crate) fn handle(core: &mut Core, id: ConnectionId, bytes: &[u8]) -> (usize, Handled) {
    let (done, handled) = handle_run(core, id, bytes, RECORDS_MAX);
    if handled != Handled::Done || done > 0 {
        return (done, handled);
    }
    // Refused for what is in them: each is asked alone, so that none answers for another.
    let mut done = 0;
    for _ in 0..ALONE_MAX {
        if !bytes
            .get(done + LENGTH_PREFIX..)
            .is_some_and(native::is_native)
        {
            break;
        }
        match handle_run(core, id, &bytes[done..], 1) {
            (0, Handled::Done) => break,
            (more, Handled::Done) => done += more,
            (_, other) => return (done, other),
        }
    }
    (done, Handled::Done)
}

/// Handles a run of at most `records_max`. Nothing is done with, and nothing answered, when several
/// are refused at once.
fn handle_run(
    core: &mut Core,
    id: ConnectionId,
    bytes: &[u8],
    records_max: usize,
) -> (usize, Handled) {
    let mut batch = std::mem::take(&mut core.native);
    let collected = collect(core, &mut batch.builder, bytes, records_max);
    let handled = match collected {
        Some(run) => {
            batch.bytes.clear();
            batch.builder.build(&mut batch.bytes);
            produce(core, id, &run, &bytes[..run.bytes], &batch.bytes)
        }
        // Not a whole frame is not handed here, so this one is none.
        None => (0, Handled::Close(CloseReason::BadFrame)),
    };
    batch.builder.clear();
    if batch.bytes.capacity() > KEPT_BYTES_MAX {
        batch = NativeBatch::default();
    }
    core.native = batch;
    handled
}

/// Takes requests that can be appended together; `None` when the first one is none.
fn collect(
    core: &Core,
    builder: &mut BatchBuilder,
    bytes: &[u8],
    records_max: usize,
) -> Option<Run> {
    let mut run: Option<Run> = None;
    let mut rest = bytes;
    while let Some((whole, request)) = next_request(core, rest) {
        match &mut run {
            None => {
                run = Some(Run {
                    place: owned(core, &request, records_max),
                    correlation_id: request.correlation_id,
                    count: 1,
                    topic_id: request.topic_id,
                    partition: request.partition,
                    bytes: whole,
                });
            }
            Some(run) => {
                let next = run.correlation_id.wrapping_add(run.count as i32);
                let Owned {
                    records_max,
                    bytes_max,
                    ..
                } = run.place;
                let follows = request.correlation_id == next
                    && request.topic_id == run.topic_id
                    && request.partition == run.partition
                    && builder.record_count() < records_max
                    && builder.length() + whole <= bytes_max;
                if !follows {
                    break;
                }
                run.count += 1;
                run.bytes += whole;
            }
        }
        let timestamp = match request.timestamp {
            -1 => core.now.wall_ms,
            timestamp => timestamp,
        };
        builder.append(timestamp, request.key, request.value, &[]);
        rest = &rest[whole..];
    }
    run
}

/// The request at the beginning, and its length.
#[inline]
fn next_request<'a>(core: &Core, bytes: &'a [u8]) -> Option<(usize, ProduceOne<'a>)> {
    let length = frame::frame_length(bytes, core.options.request_bytes_max).ok()??;
    let whole = LENGTH_PREFIX + length;
    let request = ProduceOne::parse(bytes.get(LENGTH_PREFIX..whole)?)?;
    Some((whole, request))
}

/// What another shard owns goes there one by one, for its refusal comes later and could not be told
/// apart.
fn owned(core: &Core, request: &ProduceOne<'_>, records_max: usize) -> Owned {
    let topic = TopicRef::Id(request.topic_id);
    match partitions::find_partition(core, topic, request.partition) {
        Ok((topic, partition)) => {
            let here = partition.shard == core.options.shard;
            Owned {
                internal: topic.internal,
                shard: partition.shard as i16,
                records_max: if here { records_max } else { 1 },
                bytes_max: BATCH_BYTES_MAX.min(topic.config.max_message_bytes as usize),
            }
        }
        Err(_) => Owned {
            internal: false,
            shard: -1,
            records_max: 1,
            bytes_max: 0,
        },
    }
}

/// Appends the batch, and answers the run.
fn produce(
    core: &mut Core,
    id: ConnectionId,
    run: &Run,
    frames: &[u8],
    batch: &[u8],
) -> (usize, Handled) {
    let request = Request {
        connection: id,
        key: ApiKey::Produce,
        version: AS_VERSION,
        correlation_id: run.correlation_id,
        client_id: None,
        frame: frames,
        body: &[],
    };
    if !core.quotas.is_active() {
        return append_and_answer(core, &request, run, batch);
    }
    let mut done = 0;
    let handled = throttle::around(core, &request, |core| {
        let (bytes, handled) = append_and_answer(core, &request, run, batch);
        done = bytes;
        if bytes > 0 {
            super::charge(core, &request);
        }
        handled
    });
    (done, handled)
}

fn append_and_answer(
    core: &mut Core,
    request: &Request<'_>,
    run: &Run,
    batch: &[u8],
) -> (usize, Handled) {
    let key = core.produces.take();
    let topic = TopicRef::Id(run.topic_id);
    let ticket = Ticket { key, place: 0 };
    let data = PartitionProduceDataView {
        index: run.partition,
        records: Some(batch),
    };
    let outcome = match run.place.internal {
        true => Some(PartitionOutcome::failed(ErrorCode::InvalidTopicException)),
        false => append(core, ACKS_LEADER, AS_VERSION, topic, &data, ticket),
    };
    let Some(outcome) = outcome else {
        // No memory now: the same requests come again.
        core.produces.give_back(key);
        core.out_of_memory.push(request.connection);
        return (0, Handled::Blocked);
    };
    if run.count > 1 && outcome.error.is_error() {
        core.produces.give_back(key);
        return (0, Handled::Done);
    }
    core.stats.produce_requests.add(u64::from(run.count));
    answer(core, request, run, outcome, ticket);
    (run.bytes, Handled::Done)
}

/// Answers one request for which something else has to happen first, unless it is refused: whom to
/// tell then.
pub(crate) fn answer_later(
    core: &mut Core,
    request: &Request<'_>,
    shard: i16,
    refused: Option<ErrorCode>,
) -> Option<Ticket> {
    let key = core.produces.take();
    let ticket = Ticket { key, place: 0 };
    let run = Run {
        correlation_id: request.correlation_id,
        count: 1,
        topic_id: TopicId::default(),
        partition: -1,
        place: Owned {
            internal: false,
            shard,
            records_max: 1,
            bytes_max: 0,
        },
        bytes: request.frame.len(),
    };
    let outcome = PartitionOutcome {
        asked: refused.is_none(),
        ..PartitionOutcome::failed(refused.unwrap_or(ErrorCode::None))
    };
    answer(core, request, &run, outcome, ticket);
    refused.is_none().then_some(ticket)
}

fn answer(
    core: &mut Core,
    request: &Request<'_>,
    run: &Run,
    outcome: PartitionOutcome,
    ticket: Ticket,
) {
    let response = ProducedOne {
        correlation_id: run.correlation_id,
        count: run.count,
        error: outcome.error,
        base_offset: outcome.base_offset,
        log_append_time_ms: outcome.log_append_time_ms,
        log_start_offset: outcome.log_start_offset,
        shard: run.place.shard,
    };
    let key = core.begin_forwarded_answer(request);
    let answer = &mut core.answers[key];
    answer.head.clear();
    answer.head.extend_from_slice(&response.encode());
    answer.failed = outcome.error.is_error();
    if !outcome.asked && outcome.durable.is_none() {
        core.produces.give_back(ticket.key);
        core.finish_answer(key);
        return;
    }
    let mut work = std::mem::take(&mut core.produces[ticket.key]);
    work.version = AS_VERSION;
    work.outcomes.push(outcome);
    work.holes.push(Some(native::RESPONSE_ERROR_AT as u32));
    finish_or_wait(core, ticket.key, &mut work, key, TIMEOUT_US);
    let done = work.outstanding == 0;
    if done {
        work.clear();
    }
    core.produces[ticket.key] = work;
    if done {
        core.produces.give_back(ticket.key);
    }
}

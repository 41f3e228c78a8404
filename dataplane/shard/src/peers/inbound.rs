//! Messages of other shards, as they come.

use super::{Message, RemoteAppended, RemoteOffsets, Ticket, Transferred};
use crate::core::Core;
use crate::fetch::{self, Reader};
use crate::handlers::{describe_producers, produce};
use crate::parked::{self, Append, Waiter};
use crate::partitions;
use crate::queries;
use crate::waiters::{DurableWait, DurableWaiter};
use precursor_model::{ErrorCode, LogUid, Offset};
use precursor_shm::Buffer;
use precursor_storage::{Gather, LogId, Read, ReadError, ReadOptions};

/// Messages taken from one peer in one turn.
const MESSAGES_PER_TURN: usize = 64;
/// Most record bytes of one read that travel between shards; one batch may be larger.
const READ_BYTES_MAX: usize = 2 << 20;

/// An append of another shard that found no memory.
pub(crate) struct StalledAppend {
    from: u16,
    ticket: Ticket,
    log: LogUid,
    version: i16,
    records: Buffer,
    length: u32,
}

/// Handles what other shards sent, as far as one turn goes. Returns whether there was anything.
pub(crate) fn receive(core: &mut Core) -> bool {
    let mut any = false;
    for from in 0..core.options.shards {
        for _ in 0..MESSAGES_PER_TURN {
            let Some(message) = core.peers.try_receive(usize::from(from)) else {
                break;
            };
            any = true;
            handle(core, from, message);
        }
    }
    core.peers.pump();
    any
}

/// Appends that found no memory try again, in their order.
pub(crate) fn retry_appends(core: &mut Core) {
    while let Some(stalled) = core.stalled_appends.pop_front() {
        if let Some(stalled) = append(core, stalled) {
            core.stalled_appends.push_front(stalled);
            return;
        }
    }
}

fn handle(core: &mut Core, from: u16, message: Message) {
    match message {
        Message::Append {
            ticket,
            log,
            version,
            records,
            length,
        } => {
            let stalled = StalledAppend {
                from,
                ticket,
                log,
                version,
                records,
                length,
            };
            // Behind those that wait: appends of one producer keep their order.
            let stalled = if core.stalled_appends.is_empty() {
                append(core, stalled)
            } else {
                Some(stalled)
            };
            core.stalled_appends.extend(stalled);
        }
        Message::Appended { ticket, appended } => produce::remote_appended(core, ticket, appended),
        Message::Read {
            ticket,
            log,
            offset,
            bytes_max,
            at_least_one,
            committed,
        } => {
            let options = ReadOptions {
                offset,
                max_bytes: (bytes_max as usize).min(READ_BYTES_MAX),
                at_least_one,
                committed,
            };
            read(core, from, ticket, log, options);
        }
        Message::ReadDone {
            ticket,
            offsets,
            records,
        } => fetch::remote_read_done(core, ticket, offsets, records),
        Message::Grown { log, bytes } => fetch::wake_remote(core, log, bytes as usize),
        Message::Ask { ticket, log, query } => {
            let log = find(core, log);
            queries::asked_by_peer(core, from, ticket, log, query);
        }
        Message::Told { ticket, reply } => queries::fill(core, ticket.key, reply),
        Message::AskProducers { ticket, log } => {
            let log = find(core, log);
            describe_producers::asked_by_peer(core, from, ticket, log);
        }
        Message::ToldProducers { ticket, told } => describe_producers::told(core, ticket, told),
    }
}

fn find(core: &Core, log: LogUid) -> Result<LogId, ErrorCode> {
    let found = core.store.find(log);
    let id = found.ok_or(ErrorCode::NotLeaderOrFollower)?;
    partitions::online(core, id)
}

/// Appends for another shard; gives the append back when there is no memory.
fn append(core: &mut Core, stalled: StalledAppend) -> Option<StalledAppend> {
    let (shard, ticket) = (stalled.from, stalled.ticket);
    let outcome = match find(core, stalled.log) {
        Ok(log) => {
            let records = &stalled.records[..stalled.length as usize];
            match produce::append_now(core, log, stalled.version, records) {
                Some(outcome) => outcome,
                None => return park(core, stalled, log),
            }
        }
        Err(error) => Some(produce::PartitionOutcome::failed(error)),
    };
    let Some(outcome) = outcome else {
        return Some(stalled);
    };
    tell_appended(core, shard, ticket, &outcome);
    None
}

/// Has an append wait for a worker, or behind others of its log.
fn park(core: &mut Core, stalled: StalledAppend, log: LogId) -> Option<StalledAppend> {
    let (from, ticket) = (stalled.from, stalled.ticket);
    let append = Append {
        log,
        waiter: Waiter::Peer {
            shard: from,
            ticket,
        },
        version: stalled.version,
        records: stalled.records,
        length: stalled.length as usize,
    };
    let back = parked::park(core, append).err()?;
    Some(StalledAppend {
        records: back.records,
        ..stalled
    })
}

/// Tells another shard what became of its append, once that is durable where it must be.
pub(crate) fn tell_appended(
    core: &mut Core,
    shard: u16,
    ticket: Ticket,
    outcome: &produce::PartitionOutcome,
) {
    let appended = RemoteAppended {
        error: outcome.error,
        base_offset: outcome.base_offset,
        log_append_time_ms: outcome.log_append_time_ms,
        log_start_offset: outcome.log_start_offset,
        message: outcome.message,
    };
    let waiting = outcome
        .durable
        .filter(|(log, offset)| core.store.offsets(*log).durable < *offset);
    if let Some((log, offset)) = waiting
        && let Some(waiters) = core.waiters.get_mut(log)
    {
        waiters.durable.push_back(DurableWait {
            offset,
            waiter: DurableWaiter::Peer {
                shard,
                ticket,
                appended,
            },
        });
    } else {
        core.peers
            .send(shard, Message::Appended { ticket, appended });
    }
}

/// Reads for another shard, and remembers that it wants to hear of appends.
fn read(core: &mut Core, shard: u16, ticket: Ticket, log: LogUid, options: ReadOptions) {
    let id = match find(core, log) {
        Ok(id) => id,
        Err(error) => return refuse(core, shard, ticket, error),
    };
    if let Some(waiters) = core.waiters.get_mut(id)
        && !waiters.shards.contains(&shard)
    {
        waiters.shards.push(shard);
    }
    let offsets = offsets_of(core, id);
    let in_range = options.offset >= offsets.log_start_offset;
    let readable_end = match options.committed {
        true => offsets.last_stable_offset,
        false => offsets.high_watermark,
    };
    if in_range && (readable_end..=offsets.high_watermark).contains(&options.offset) {
        return tell(core, shard, ticket, offsets, None);
    }
    match core.store.read(id, options) {
        Ok(Read::Ready(gather)) => transfer(core, (shard, ticket), id, offsets, gather),
        Ok(Read::Pending(read)) => {
            let reader = Reader::Peer {
                shard,
                ticket,
                log: id,
            };
            core.reads.insert(read, reader);
        }
        Err(ReadError::Busy) => tell(core, shard, ticket, offsets, None),
        Err(error) => refuse(core, shard, ticket, error.code()),
    }
}

/// A read from disk for another shard is through.
pub(crate) fn read_done(
    core: &mut Core,
    shard: u16,
    ticket: Ticket,
    log: LogId,
    outcome: Result<Gather, ReadError>,
) {
    let offsets = offsets_of(core, log);
    match outcome {
        Ok(gather) => transfer(core, (shard, ticket), log, offsets, gather),
        Err(ReadError::Busy) => tell(core, shard, ticket, offsets, None),
        Err(error) => refuse(core, shard, ticket, error.code()),
    }
}

/// Copies records into a buffer that may leave this thread.
fn transfer(
    core: &mut Core,
    to: (u16, Ticket),
    log: LogId,
    offsets: RemoteOffsets,
    gather: Gather,
) {
    let (shard, ticket) = to;
    let length = gather.len();
    let lent = if length == 0 {
        None
    } else {
        let pooled = core.buffers.take(length);
        pooled.or_else(|| core.buffers.take_large(length))
    };
    let records = lent.map(|mut buffer| {
        let mut at = 0;
        for slice in core.store.slices(&gather) {
            buffer[at..at + slice.len()].copy_from_slice(slice);
            at += slice.len();
        }
        Transferred {
            bytes: buffer,
            length: length as u32,
            aborted: fetch::aborted_of(&gather).collect(),
        }
    });
    core.store.release(gather);
    core.traffic.bytes_out(log, length);
    tell(core, shard, ticket, offsets, records);
}

fn offsets_of(core: &Core, log: LogId) -> RemoteOffsets {
    let offsets = core.store.offsets(log);
    RemoteOffsets {
        error: ErrorCode::None,
        high_watermark: offsets.high_watermark,
        last_stable_offset: offsets.last_stable,
        log_start_offset: offsets.start,
    }
}

fn refuse(core: &mut Core, shard: u16, ticket: Ticket, error: ErrorCode) {
    const NOWHERE: Offset = -1;
    let offsets = RemoteOffsets {
        error,
        high_watermark: NOWHERE,
        last_stable_offset: NOWHERE,
        log_start_offset: NOWHERE,
    };
    tell(core, shard, ticket, offsets, None);
}

fn tell(
    core: &mut Core,
    shard: u16,
    ticket: Ticket,
    offsets: RemoteOffsets,
    records: Option<Transferred>,
) {
    let message = Message::ReadDone {
        ticket,
        offsets,
        records,
    };
    core.peers.send(shard, message);
}

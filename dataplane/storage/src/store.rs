//! The store of one shard.

use crate::api::*;
use precursor_model::{ErrorCode, LogConfig, LogUid, Offset};
use std::os::fd::RawFd;

/// Every log of one shard. Belongs to the shard's thread; no call blocks after `open`.
pub struct Store {
    logs: Vec<HeapLog>,
    events: Vec<StoreEvent>,
    wake: std::io::PipeReader,
    _wake_writer: std::io::PipeWriter,
}

struct HeapLog {
    uid: LogUid,
    config: LogConfig,
    leader_epoch: i32,
    bytes: Vec<u8>,
    /// base offset, last offset, position, length
    batches: Vec<(Offset, Offset, usize, usize)>,
    start: Offset,
    end: Offset,
}

/// Pinned record bytes: whole batches in order. Given back by [`Store::release`].
#[derive(Debug)]
pub struct Gather {
    log: usize,
    position: usize,
    length: usize,
}

impl Gather {
    /// Bytes that the gather holds.
    pub fn len(&self) -> usize {
        self.length
    }

    /// True when there was nothing to read.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }
}

/// The outcome of a read.
#[derive(Debug)]
pub enum Read {
    Ready(Gather),
    Pending(ReadTicket),
}

impl Store {
    /// Opens the store of a shard.
    pub fn open<Pool>(options: StoreOptions, pool: Pool, now: Now) -> Result<Store, OpenError> {
        let _ = (options, pool, now);
        let (wake, writer) = std::io::pipe().map_err(|source| OpenError::System {
            what: "pipe".to_owned(),
            source,
        })?;
        Ok(Store {
            logs: Vec::new(),
            events: Vec::new(),
            wake,
            _wake_writer: writer,
        })
    }

    /// Makes or opens a log; it is usable from `StoreEvent::Online`.
    pub fn ensure_log(&mut self, spec: LogSpec<'_>, _now: Now) -> Result<LogId, StorageError> {
        if let Some(id) = self.find(spec.uid) {
            return Ok(id);
        }
        let id = LogId {
            slot: self.logs.len() as u32,
            generation: 0,
        };
        self.logs.push(HeapLog {
            uid: spec.uid,
            config: spec.config,
            leader_epoch: spec.leader_epoch,
            bytes: Vec::new(),
            batches: Vec::new(),
            start: 0,
            end: 0,
        });
        self.events.push(StoreEvent::Online { log: id });
        Ok(id)
    }

    pub fn find(&self, uid: LogUid) -> Option<LogId> {
        let slot = self.logs.iter().position(|log| log.uid == uid)? as u32;
        Some(LogId {
            slot,
            generation: 0,
        })
    }

    /// Closes a log and deletes its directory.
    pub fn remove_log(&mut self, id: LogId) {
        self.logs[id.slot as usize].uid = LogUid(0);
    }

    pub fn set_config(&mut self, id: LogId, config: LogConfig) {
        self.logs[id.slot as usize].config = config;
    }

    pub fn set_leader_epoch(&mut self, id: LogId, epoch: i32) {
        self.logs[id.slot as usize].leader_epoch = epoch;
    }

    pub fn state(&self, _id: LogId) -> LogState {
        LogState::Online
    }

    pub fn offsets(&self, id: LogId) -> LogOffsets {
        let log = &self.logs[id.slot as usize];
        LogOffsets {
            start: log.start,
            end: log.end,
            high_watermark: log.end,
            last_stable: log.end,
            durable: log.start,
            leader_epoch: log.leader_epoch,
        }
    }

    /// Appends one record batch.
    pub fn append(
        &mut self,
        id: LogId,
        records: &[u8],
        options: AppendOptions,
    ) -> Result<Appended, AppendError> {
        let _ = options;
        let log = &mut self.logs[id.slot as usize];
        if records.len() < 61 || records[16] != 2 {
            return Err(AppendError::Corrupt);
        }
        let count = i32::from_be_bytes([records[57], records[58], records[59], records[60]]);
        if count <= 0 {
            return Err(AppendError::InvalidRecord);
        }
        let base = log.end;
        let last = base + i64::from(count) - 1;
        let position = log.bytes.len();
        log.bytes.extend_from_slice(records);
        log.bytes[position..position + 8].copy_from_slice(&base.to_be_bytes());
        log.bytes[position + 12..position + 16].copy_from_slice(&log.leader_epoch.to_be_bytes());
        log.batches.push((base, last, position, records.len()));
        log.end = last + 1;
        Ok(Appended {
            base_offset: base,
            last_offset: last,
            log_append_time_ms: -1,
            log_start_offset: log.start,
            records: count as u32,
            duplicate: false,
            must_be_durable_to: None,
        })
    }

    /// Reads whole batches from the one that contains `options.offset`.
    pub fn read(&mut self, id: LogId, options: ReadOptions) -> Result<Read, ReadError> {
        let log = &self.logs[id.slot as usize];
        if options.offset < log.start || options.offset > log.end {
            return Err(ReadError::OffsetOutOfRange);
        }
        let mut gather = Gather {
            log: id.slot as usize,
            position: 0,
            length: 0,
        };
        for batch in log.batches.iter().filter(|b| b.1 >= options.offset) {
            let first = gather.length == 0;
            if gather.length + batch.3 > options.max_bytes && !(first && options.at_least_one) {
                break;
            }
            if first {
                gather.position = batch.2;
            }
            gather.length += batch.3;
        }
        Ok(Read::Ready(gather))
    }

    /// The bytes of a gather, in order.
    pub fn slices<'a>(&'a self, gather: &'a Gather) -> impl Iterator<Item = &'a [u8]> + 'a {
        let bytes = &self.logs[gather.log].bytes;
        std::iter::once(&bytes[gather.position..gather.position + gather.length])
    }

    /// Unpins a gather's memory.
    pub fn release(&mut self, gather: Gather) {
        drop(gather);
    }

    /// The outcome of a read that was `Pending`, after `StoreEvent::ReadReady`.
    pub fn take_read(&mut self, _ticket: ReadTicket) -> Result<Gather, ReadError> {
        Err(ReadError::NotOnline(ErrorCode::UnknownServerError))
    }

    pub fn cancel_read(&mut self, _ticket: ReadTicket) {}

    /// The first record with a timestamp of at least `timestamp`.
    pub fn offset_for_time(&mut self, _id: LogId, _timestamp: i64) -> Result<Lookup, ReadError> {
        Ok(Lookup::Ready(None))
    }

    /// The outcome of a lookup that was `Pending`, after `StoreEvent::LookupReady`.
    pub fn take_lookup(&mut self, _ticket: LookupTicket) -> Result<Option<TimedOffset>, ReadError> {
        Err(ReadError::NotOnline(ErrorCode::UnknownServerError))
    }

    pub fn cancel_lookup(&mut self, _ticket: LookupTicket) {}

    /// The record with the largest timestamp (ListOffsets, KIP-734).
    pub fn max_timestamp(&self, _id: LogId) -> Option<TimedOffset> {
        None
    }

    /// The largest epoch up to `epoch` that the log knows, and the offset at which it ended;
    /// (-1, -1) when there is none (KIP-320).
    pub fn offset_for_leader_epoch(&self, id: LogId, epoch: i32) -> (i32, Offset) {
        let log = &self.logs[id.slot as usize];
        (epoch.min(log.leader_epoch), log.end)
    }

    /// Moves the log's start to `before` (-1: the high watermark); returns the new start.
    pub fn delete_records(&mut self, id: LogId, before: Offset) -> Result<Offset, ErrorCode> {
        let log = &mut self.logs[id.slot as usize];
        let before = if before == -1 { log.end } else { before };
        if before < 0 || before > log.end {
            return Err(ErrorCode::OffsetOutOfRange);
        }
        log.start = log.start.max(before);
        Ok(log.start)
    }

    /// Moves everything on; appends what happened. True when there was work.
    pub fn poll(&mut self, _now: Now, events: &mut Vec<StoreEvent>) -> bool {
        let work = !self.events.is_empty();
        events.append(&mut self.events);
        work
    }

    /// Becomes readable when `poll` has something to do. [`Store::drain_wake`] empties it.
    pub fn wake_descriptor(&self) -> RawFd {
        use std::os::fd::AsRawFd;
        self.wake.as_raw_fd()
    }

    /// To be called when a wait ended because of the wake descriptor, before `poll`.
    pub fn drain_wake(&mut self) {}

    /// When `poll` must be called at the latest, in microseconds of `Now::monotonic_us`.
    pub fn deadline(&self) -> Option<u64> {
        None
    }

    /// Writes and syncs everything, blocking, and marks the logs clean.
    pub fn shutdown(self, _now: Now) -> Result<(), OpenError> {
        Ok(())
    }
}

//! The words that a shard and its store exchange: options, outcomes, errors, events.

use crate::coldseg::ColdOptions;
use crate::compaction::CleanerOptions;
use crate::directories::{DirectoriesError, LogDirectories};
use crate::prepare::WorkerOptions;
use precursor_model::{ErrorCode, LogConfig, LogUid, Offset, TopicId};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// The two clocks, read once per turn of the poll loop and handed down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Never goes back; timers use it.
    pub monotonic_us: u64,
    /// Milliseconds since 1970: timestamps of records and ages of segments.
    pub wall_ms: i64,
}

/// Whether segment files are read and written past the page cache (`storage.direct.io`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DirectIo {
    /// Where the file system of the directory can.
    #[default]
    Auto,
    On,
    Off,
}

/// What a [`crate::Store`] is opened with.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// Where the shard's locks are, and partitions where `directories` does not say otherwise.
    pub data_dir: PathBuf,
    /// The directories that hold partitions, which the shards of a node share.
    pub directories: Option<Arc<LogDirectories>>,
    pub shard: u16,
    pub direct_io: DirectIo,
    /// False keeps to a thread that calls pread and pwrite, as where io_uring is forbidden.
    pub io_uring: bool,
    /// Between two writings of the checkpoint files.
    pub checkpoint_interval_ms: u64,
    pub retention_check_interval_ms: u64,
    /// How long an idempotent producer that sends nothing is remembered.
    pub producer_id_expiration_ms: i64,
    /// How long appended bytes may wait in the region for a full block before they are written.
    pub write_behind_ms: u64,
    /// Bytes of a log past its recovery point at which it is synced and the point moved.
    pub recovery_bytes_max: u64,
    pub cleaner: CleanerOptions,
    pub cold: ColdOptions,
    /// Who decompresses and compresses what producers send.
    pub workers: WorkerOptions,
    /// How long a start and a stop wait for a disk that does not answer.
    pub disk_wait: Duration,
}

/// How long a start and a stop wait for a disk that does not answer.
pub const DISK_WAIT: Duration = Duration::from_secs(30);

impl StoreOptions {
    /// Kafka's defaults for a data directory and a shard.
    pub fn new(data_dir: impl Into<PathBuf>, shard: u16) -> Self {
        StoreOptions {
            data_dir: data_dir.into(),
            directories: None,
            shard,
            direct_io: DirectIo::Auto,
            io_uring: true,
            checkpoint_interval_ms: 5_000,
            retention_check_interval_ms: 300_000,
            producer_id_expiration_ms: 86_400_000,
            write_behind_ms: 500,
            recovery_bytes_max: 256 << 20,
            cleaner: CleanerOptions::default(),
            cold: ColdOptions::default(),
            workers: WorkerOptions::default(),
            disk_wait: DISK_WAIT,
        }
    }
}

/// Why a store could not be opened. The text names the culprit.
#[derive(Debug)]
pub enum OpenError {
    /// The operating system refused: what was tried, and its answer.
    System {
        what: String,
        source: std::io::Error,
    },
    /// The directories that are to hold partitions.
    Directories(DirectoriesError),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OpenError::System { what, source } => write!(f, "{what}: {source}"),
            OpenError::Directories(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for OpenError {}

/// Names a log of one store; stale after [`crate::Store::remove_log`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LogId {
    pub slot: u32,
    pub generation: u32,
}

/// A log that the store is to hold.
#[derive(Clone, Debug)]
pub struct LogSpec<'a> {
    pub uid: LogUid,
    pub topic_id: TopicId,
    pub topic: &'a str,
    pub partition: i32,
    pub config: LogConfig,
    pub leader_epoch: i32,
    /// It was never there before. Another that is in no directory that can be read is in one that
    /// cannot, if there is such a one: it is not made anew.
    pub is_new: bool,
}

/// Why a log operation was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StorageError {
    /// The log's directory or files cannot be used.
    Unusable,
    /// The id is stale.
    UnknownLog,
    /// Another log of this store has the same directory.
    DirectoryTaken,
}

/// Where a log is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogState {
    /// Being created or recovered: answer LEADER_NOT_AVAILABLE.
    Opening,
    Online,
    /// Its disk failed: answer this code until the next start.
    Offline(ErrorCode),
}

/// A log's offsets. All but `start` are exclusive: the next offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogOffsets {
    pub start: Offset,
    pub end: Offset,
    pub high_watermark: Offset,
    /// No transaction is open below; at most the high watermark.
    pub last_stable: Offset,
    /// Everything below survives a power cut.
    pub durable: Offset,
    pub leader_epoch: i32,
}

/// What an append is told besides its bytes.
#[derive(Clone, Copy, Debug)]
pub struct AppendOptions {
    pub now: Now,
    /// Version of the Produce request that brought the batch.
    pub produce_version: i16,
    /// The coordinator of its transaction has let the batch in: without that it is refused.
    pub transactional: bool,
}

impl AppendOptions {
    /// As from a request of the newest version.
    pub fn at(now: Now) -> AppendOptions {
        AppendOptions {
            now,
            produce_version: i16::MAX,
            transactional: false,
        }
    }
}

/// A batch that is in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    pub base_offset: Offset,
    pub last_offset: Offset,
    /// The broker's timestamp under LogAppendTime, else -1.
    pub log_append_time_ms: i64,
    pub log_start_offset: Offset,
    pub records: u32,
    /// What the batch takes in the log; 0 of a duplicate.
    pub bytes: u32,
    /// The producer had sent it before: nothing was appended, these are the first one's offsets.
    pub duplicate: bool,
    /// Under `every-write`: answer once `StoreEvent::Durable` reports at least this offset.
    pub must_be_durable_to: Option<Offset>,
}

/// Why a batch was not appended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppendError {
    /// No memory now: try the same bytes again later (`StoreEvent::MemoryFreed`). Never an answer.
    Busy,
    /// The batch needs a worker's time first: see [`crate::Preparation`]. Never an answer.
    Unprepared,
    /// The log is not online; its code says why.
    NotOnline(ErrorCode),
    /// The log's directory has too little room: to be tried again, later.
    NoSpace,
    /// CRC, length or structure are wrong.
    Corrupt,
    /// Well formed, but not what a producer may send (magic, counts, offsets, several batches).
    InvalidRecord,
    /// Larger than max.message.bytes, or than a segment; or it decompresses to too much.
    TooLarge,
    /// A timestamp type that only the broker sets.
    InvalidTimestamp,
    UnsupportedCompression,
    /// A batch of a transaction that its coordinator does not know of, or one outside of the
    /// transaction that its producer has open.
    InvalidTransactionState,
    /// A marker of a coordinator that has a successor.
    TransactionCoordinatorFenced,
    OutOfOrderSequence,
    InvalidProducerEpoch,
}

impl AppendError {
    /// The code for the partition's answer; the bytes of a `Busy` or `Unprepared` append are to be kept
    /// instead.
    pub fn code(self) -> ErrorCode {
        match self {
            AppendError::Busy | AppendError::Unprepared => ErrorCode::RequestTimedOut,
            AppendError::NotOnline(code) => code,
            AppendError::NoSpace => ErrorCode::KafkaStorageError,
            AppendError::Corrupt => ErrorCode::CorruptMessage,
            AppendError::InvalidRecord => ErrorCode::InvalidRecord,
            AppendError::TooLarge => ErrorCode::MessageTooLarge,
            AppendError::InvalidTimestamp => ErrorCode::InvalidTimestamp,
            AppendError::UnsupportedCompression => ErrorCode::UnsupportedCompressionType,
            AppendError::InvalidTransactionState => ErrorCode::InvalidTxnState,
            AppendError::TransactionCoordinatorFenced => ErrorCode::TransactionCoordinatorFenced,
            AppendError::OutOfOrderSequence => ErrorCode::OutOfOrderSequenceNumber,
            AppendError::InvalidProducerEpoch => ErrorCode::InvalidProducerEpoch,
        }
    }

    /// What to tell a producer beside the code, where the code says too little.
    pub fn message(self) -> Option<&'static str> {
        match self {
            AppendError::NoSpace => Some(
                "the partition's log directory has too little free space: records are taken again \
                 when there is more",
            ),
            AppendError::NotOnline(ErrorCode::KafkaStorageError) => {
                Some("the partition is offline: its log directory or file failed")
            }
            _ => None,
        }
    }
}

/// What to read.
#[derive(Clone, Copy, Debug)]
pub struct ReadOptions {
    pub offset: Offset,
    pub max_bytes: usize,
    /// Give the first batch even when it is larger than `max_bytes`.
    pub at_least_one: bool,
    /// Nothing from the last stable offset on, and with it the transactions that were aborted
    /// (`read_committed`).
    pub committed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadError {
    OffsetOutOfRange,
    /// The log is not online, or the disk failed; the code for the answer.
    NotOnline(ErrorCode),
    /// Too many reads are under way, or no memory to read into: try again later.
    Busy,
    /// The batch is larger than the memory for reads from disk (an eighth of the pool).
    TooLarge,
}

impl ReadError {
    /// The code for the partition's answer; a `Busy` read is to be tried again instead.
    pub fn code(self) -> ErrorCode {
        match self {
            ReadError::OffsetOutOfRange => ErrorCode::OffsetOutOfRange,
            ReadError::NotOnline(code) => code,
            ReadError::Busy => ErrorCode::RequestTimedOut,
            ReadError::TooLarge => ErrorCode::MessageTooLarge,
        }
    }
}

/// Names a read that waits for the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ReadTicket {
    pub(crate) slot: u32,
    pub(crate) generation: u32,
}

/// Names a lookup that waits for the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LookupTicket {
    pub(crate) slot: u32,
    pub(crate) generation: u32,
}

/// A record found by its timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimedOffset {
    pub offset: Offset,
    pub timestamp: i64,
    pub leader_epoch: i32,
}

/// The outcome of a search by timestamp; `Ready(None)` when no record is that new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookup {
    Ready(Option<TimedOffset>),
    Pending(LookupTicket),
}

/// What [`crate::Store::poll`] reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreEvent {
    Online {
        log: LogId,
    },
    Offline {
        log: LogId,
        error: ErrorCode,
    },
    /// Every record below `offset` survives a power cut.
    Durable {
        log: LogId,
        offset: Offset,
    },
    ReadReady {
        ticket: ReadTicket,
    },
    LookupReady {
        ticket: LookupTicket,
    },
    /// Appends that were `Busy` may go on.
    MemoryFreed,
}

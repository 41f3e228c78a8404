//! The partition log: tail extents, segments, indexes, recovery, retention.
//!
//! A [`Store`] holds the logs of one shard. Batches are copied once, into extents of the shared
//! region, and are safe from then on from the death of any process; the disk follows behind. What a
//! partition looks like on disk is what Kafka writes.
#![forbid(unsafe_code)]

mod ahead;
mod api;
mod append;
mod appends;
mod batch;
mod blank;
mod cold;
mod cold_check;
mod coldseg;
mod compaction;
mod describe;
mod directories;
mod directory_watch;
mod epochs;
mod find_time;
mod follow;
mod index;
mod index_builder;
mod io;
mod jobs;
mod lanes;
mod layout;
mod log;
mod maintenance;
mod memory;
pub mod offline;
mod open;
mod opened;
mod opens;
mod prepare;
mod producers;
mod quarantine;
mod read;
mod recovery;
mod registry;
mod retention;
mod room;
mod scan;
mod segment_files;
mod segment_walk;
mod shutdown;
mod stock;
mod store;
mod threads;
mod tickets;
mod transactions;
mod write_behind;

pub use api::{
    AppendError, AppendOptions, Appended, DISK_WAIT, DirectIo, LogId, LogOffsets, LogSpec,
    LogState, Lookup, LookupTicket, Now, OpenError, ReadError, ReadOptions, ReadTicket,
    StorageError, StoreEvent, StoreOptions, TimedOffset,
};
pub use blank::{Blank, Written};
pub use coldseg::{ColdFiles, ColdOptions};
pub use compaction::CleanerOptions;
pub use describe::LogSizes;
pub use directories::{
    DirectoriesError, DirectoryError, DirectoryState, LOG_DIRECTORIES_MAX, LogDirectories,
    SpareRoom,
};
pub use directory_watch::DirectoryWatch;
pub use follow::{Followed, Standing};
pub use index::SealedIndex;
pub use io::StoreStats;
pub use prepare::{OpenDevices, Preparation, WorkerOptions};
pub use producers::ActiveProducer;
pub use read::{Gather, Read};
pub use segment_walk::Fault;
pub use store::Store;
pub use transactions::AbortedTransaction;

//! The partition log: tail extents, segments, indexes, recovery, retention.
#![forbid(unsafe_code)]

mod api;
mod store;

pub use api::{
    AppendError, AppendOptions, Appended, DirectIo, LogId, LogOffsets, LogSpec, LogState, Lookup,
    LookupTicket, Now, OpenError, ReadError, ReadOptions, ReadTicket, StorageError, StoreEvent,
    StoreOptions, TimedOffset,
};
pub use store::{Gather, Read, Store};

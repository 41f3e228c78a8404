//! The hot responses, written field by field into a buffer; where the buffer has room nothing is
//! allocated.
//!
//! Each writer writes a response's body: counts are announced first, then as many topics and
//! partitions follow, then `finish`, which gives the first error and in that case leaves the buffer
//! as it was. Header and frame length are the caller's (`header::response_header`,
//! `frame::begin_frame`).

mod delete_records;
mod fetch;
mod list_offsets;
mod metadata;
mod offset_for_leader_epoch;
mod produce;
mod topics;

pub use delete_records::DeleteRecordsResponseWriter;
pub use fetch::{AbortedTransaction, FetchHead, FetchPartition, FetchResponseWriter};
pub use list_offsets::{ListOffsetsPartition, ListOffsetsResponseWriter};
pub use metadata::{MetadataPartition, MetadataResponseWriter, MetadataTopic};
pub use offset_for_leader_epoch::{EpochEnd, OffsetForLeaderEpochResponseWriter};
pub use produce::{ProducePartition, ProduceResponseWriter};

/// Who leads a partition now, for clients that asked the wrong broker (KIP-951).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CurrentLeader {
    pub leader_id: i32,
    pub leader_epoch: i32,
}

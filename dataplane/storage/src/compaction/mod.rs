//! Compaction: of each key only the latest record stays (`cleanup.policy=compact`).
//!
//! The shard chooses a log and a range of its sealed segments ([`schedule`]); a thread of its own
//! reads them and writes what stays into new files ([`run`]); the shard takes those over, and the
//! store's helper gives them their names ([`swap`]). What stays is Kafka's choice (`LogCleaner`,
//! KIP-280, KIP-534), and so is what a cleaned segment looks like. One thing is stricter: the last
//! batch of a cleaned segment stays even when it is empty, so that a segment still ends where the
//! next one begins and recovery can tell a gap that was made from one that was suffered.

mod filter;
mod groups;
mod key_map;
mod keys;
mod pace;
mod run;
mod schedule;
mod segment_reader;
mod segment_writer;
mod swap;
mod transactions;

pub use schedule::CleanerOptions;

pub(crate) use filter::LastBatch;
pub(crate) use keys::check_keys;
pub(crate) use pace::{Pace, nap, sharers};
pub(crate) use run::Plan;
pub(crate) use schedule::Cleaner;
pub(crate) use segment_reader::SegmentReader;
pub(crate) use segment_writer::CleanedSegment;
pub(crate) use swap::{SwapRequest, discard, recover, swap};

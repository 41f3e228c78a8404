//! Runs the engines of consumer groups: one for each partition of `__consumer_offsets` that this
//! broker leads.
//!
//! The engine (`precursor-groups`) decides; here is what it cannot have itself: its log, by way of
//! the broker's own requests to the data plane, the clock, randomness, and who waits for an answer.
//! A partition is a task: it loads its log, then takes requests one after another; records that are
//! to be written while an append is under way go together into the next one, so that an answer
//! waits for two appends at most. Answers that depend on a record come after the data plane has it.
#![forbid(unsafe_code)]

mod coordinator;
mod log;
mod partition;
mod writer;

pub use coordinator::{Client, Coordinator, CoordinatorOptions, Early};
pub use precursor_groups::{CoordinatorLimits, GroupConfig, Request, Response};

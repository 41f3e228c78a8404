//! Consumer groups of the classic protocol and committed offsets, as a pure state machine with the
//! behaviour of Apache Kafka 4: no clock, no input or output, no randomness.
//!
//! One [`GroupCoordinator`] stands for one partition of `__consumer_offsets`; a group belongs to
//! the partition that [`precursor_model::coordinator_partition`] names. Whoever runs it:
//!
//! 1. makes it with [`GroupCoordinator::new`] (it answers COORDINATOR_LOAD_IN_PROGRESS), passes
//!    every record of the partition, in order, to [`GroupCoordinator::load`], then calls
//!    [`GroupCoordinator::loaded`];
//! 2. passes requests to [`GroupCoordinator::request`], each with a token of the caller's choice:
//!    exactly one [`Command::Reply`] with that token comes, at once or later;
//! 3. executes the commands in order. A [`Command::Append`] is one record batch, to be appended
//!    whole or not at all; appends keep the order of their commands in the log. Each outcome goes
//!    to [`GroupCoordinator::appended`]; outcomes may be told in any order and take effect in the
//!    appends' order. What depends on durability is answered, and visible to others, only then;
//! 4. calls [`GroupCoordinator::tick`] at [`GroupCoordinator::next_deadline`] (asked again after
//!    every call; early ticks are harmless, a late one delays what was due);
//! 5. calls [`GroupCoordinator::unload`] when the partition goes away: every parked request is
//!    answered NOT_COORDINATOR, and so is every later one.
//!
//! Time is [`Now`]: monotonic milliseconds for session and rebalance timers, wall-clock
//! milliseconds for what is written to the log. [`records`] is the format of the log.
#![forbid(unsafe_code)]

mod classic;
mod command;
mod config;
mod coordinator;
mod deletions;
mod group;
mod load;
mod offsets;
pub mod records;
mod refusal;
mod serve;
mod timers;
mod topics;
mod turn;

pub use command::{Command, Now, Record, Request, RequestContext, Response};
pub use config::{CoordinatorLimits, GroupConfig};
pub use coordinator::{GroupCoordinator, Phase};

//! Agreement on the cluster's metadata: openraft around the state machine, its log on disk.
//!
//! Everything of openraft stays behind [`Consensus`]: propose a command, read the state, follow its
//! changes. A cluster has one voter in this version; the parts that would speak to others say so.
#![forbid(unsafe_code)]

mod consensus;
mod disk;
mod log_store;
mod network;
mod state_machine;
mod types;

pub use consensus::{Consensus, ConsensusStatus, OpenError, Options, ProposeError};
pub use types::Reply;

#[cfg(test)]
mod store_suite;

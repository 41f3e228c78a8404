//! The poll loop: connections, dispatch, handlers, fetch wait list, control bridge.
//!
//! A [`Shard`] belongs to one thread. In each turn of its loop it takes what its transport, its
//! store, its timers and the control plane have, serves connections that have bytes, and sends
//! what they are owed. Nothing in it locks, blocks or, on the way of records, allocates.
//!
//! - [`Shard`] turns the loop; `serve` receives and finds frames; `handlers` has a file per API key.
//! - `answer` and `send`: what a connection is owed, in order, record bytes by reference.
//! - `fetch`: fetches in the making, parked until an append completes them; fetch sessions.
//! - `follows`, `writes`: extents that are held for who reads or writes them from afar.
//! - `waiters`, `timer`: who waits for a log, and until when.
//! - `peers`: requests for partitions that another shard of the process owns.
//! - `image`, `control`: what the control plane publishes, and what it is asked; `own`: what it
//!   asks of the shard, as the broker itself.
#![forbid(unsafe_code)]

mod answer;
mod clock;
mod connection;
mod control;
mod core;
mod fetch;
mod follows;
mod handlers;
mod idle;
mod image;
mod latency;
mod maintenance;
mod options;
mod own;
mod parked;
mod partitions;
mod peers;
mod queries;
mod quotas;
mod runtime_options;
mod send;
mod serve;
mod shard;
mod stats;
mod timer;
mod traffic;
mod trim;
mod waiters;
mod writes;

pub use connection::IDLE_CONNECTION_BYTES;
pub use options::{IdlePolicy, MemoryOptions, ShardOptions};
pub use peers::{PeerLinks, peer_links};
pub use shard::{Shard, ShardError, ShardParts};

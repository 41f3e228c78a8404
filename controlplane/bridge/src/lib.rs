//! The only place where async meets the ring.
//!
//! One task reads every shard's ring, hands whole requests to the [`Service`] as tasks of their
//! own, and writes answers and metadata images back. The data plane never waits for it: a slow control
//! plane makes only its own answers slow. The other way round, [`DataPlane`] asks a shard as the broker
//! itself, through the same handlers as a client. What comes out of a ring is data of another process:
//! checked, bounded, counted when it is wrong.
#![forbid(unsafe_code)]

mod assembly;
mod bridge;
mod data_plane;
mod descriptions;
mod image;
mod jobs;
mod link;
mod outbound;
mod own;
mod partition;
mod service;
mod view;

pub use bridge::{Bridge, BridgeOptions};
pub use data_plane::{
    DataPlane, HeldResponse, OWN_REQUESTS_PER_SHARD_MAX, OWN_RESPONSE_LENGTH_MAX, OwnCalls,
    OwnError,
};
pub use descriptions::DescribedLogs;
pub use image::NodeOptions;
pub use partition::{PartitionPlace, Read};
pub use precursor_shm::control::{DirectoryDescription, LogDescription};
pub use service::{Answer, Origin, Request, Service, Unanswerable};
pub use view::{BridgeCounts, DataPlaneView, ShardChanges, ShardView};

/// Largest request that is assembled, bytes.
pub const REQUEST_LENGTH_MAX: usize = 16 * 1024 * 1024;
/// Most bytes of requests of one shard that are held at a time: in pieces, waiting or in work.
pub const REQUEST_BYTES_PER_SHARD_MAX: usize = 32 * 1024 * 1024;
/// Most requests of one shard that are in work at a time, or wait for one that is.
pub const REQUESTS_PER_SHARD_MAX: usize = 4_096;
/// Most requests of one shard that wait for other clients (JoinGroup, SyncGroup), with what is
/// behind them on their connections; another one is refused and its connection closed.
pub const PARKED_PER_SHARD_MAX: usize = 65_536;
/// Most bytes of those.
pub const PARKED_BYTES_PER_SHARD_MAX: usize = 64 * 1024 * 1024;
/// A request that takes longer than this is given up and its connection closed; but those that wait
/// for other clients wait as long as the group's timeouts say.
pub const REQUEST_TIME_MAX: std::time::Duration = std::time::Duration::from_secs(60);

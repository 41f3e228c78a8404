//! A native client: one API over shared memory (on the broker's host), RDMA and TCP.
//!
//! ```no_run
//! use precursor_client::{Client, ClientOptions};
//!
//! # fn main() -> Result<(), precursor_client::ClientError> {
//! let mut client = Client::connect(ClientOptions::shm("/var/lib/precursor"))?;
//! client.create_topic("events", 1)?;
//! let offset = client.produce("events", 0, Some(b"key"), b"value")?;
//! let fetched = client.fetch("events", 0, offset, std::time::Duration::from_secs(1))?;
//! assert_eq!(fetched.records[0].value.as_deref(), Some(&b"value"[..]));
//! # Ok(())
//! # }
//! ```
//!
//! A client belongs to one thread; make one for each. Nothing here starts a thread, and nothing but
//! waiting for an answer waits.
#![forbid(unsafe_code)]

mod call;
mod client;
mod error;
mod fetch;
mod follow;
mod link;
mod options;
mod pipeline;
mod produce;
mod write;

pub use call::{Call, Caller, Responder};
pub use client::Client;
pub use error::ClientError;
pub use fetch::{Fetched, FetchedRecord};
pub use follow::{FollowCounts, Follower};
pub use options::{ClientOptions, Transport, Wait};
pub use pipeline::{Acknowledged, Pipeline};
pub use precursor_transport_rdma::{HostReport as RdmaHost, host_report as rdma_host};
pub use produce::Record;
pub use write::WriteCounts;

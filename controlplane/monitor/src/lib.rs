//! What an operator's tools ask for over HTTP: metrics in Prometheus' text format, and health.
//!
//! Everything is read when it is asked for, from where it is kept anyway: the shards' pages in the
//! region, the metadata, the bridge, `/proc`. Nothing here runs between two scrapes, and the data
//! plane does not notice them.
#![forbid(unsafe_code)]

mod families;
mod health;
mod metrics;
mod server;

pub use server::{MonitorOptions, MonitorServer};

//! The gRPC administration server: topics, cluster status, health, reflection.
#![forbid(unsafe_code)]

mod cluster;
mod configs;
mod quotas;
mod server;
mod status;
mod topics;

pub use server::{AdminOptions, AdminServer};

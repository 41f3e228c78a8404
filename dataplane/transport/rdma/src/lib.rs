//! Connections of clients over RDMA: reliable connections by rdma_cm, a stream of bytes in messages.
//!
//! Each shard has one completion queue, which it polls, one shared receive queue, and memory that is
//! registered once, at the start. Both sides send by SEND with immediate data; each side may have
//! [`flow::CREDITS`] messages with the other that were not released, and the immediate data says
//! how many were. So neither side ever sends what the other has no buffer for, and a peer that
//! lies about it is found out and closed. What takes a call that might wait (connecting, creating
//! and destroying queue pairs) happens on the listener's thread, not on a shard.
//!
//! A peer has no access to the broker's memory: nothing is registered for remote reads or writes.
#![deny(unsafe_op_in_unsafe_fn, clippy::undocumented_unsafe_blocks)]

mod beside;
mod client;
mod flow;
mod handshake;
#[cfg(all(test, feature = "lab"))]
mod hostile_tests;
mod lane;
mod listener;
mod porter;
mod queue;
mod sys;
mod transport;

pub use beside::WithRdma;
pub use client::{ConnectError, RdmaConnection};
pub use listener::{RdmaListener, RdmaOptions};
pub use sys::{HostReport, host_report};
pub use transport::RdmaTransport;

//! Connections of clients over RDMA: reliable connections by rdma_cm, a stream of bytes in messages.
//!
//! Each shard has one completion queue, which it polls, one shared receive queue, and memory that is
//! registered once, at the start. Both sides send by SEND with immediate data; each side may have
//! [`flow::CREDITS`] messages with the other that were not released, and the immediate data says
//! how many were. So neither side ever sends what the other has no buffer for, and a peer that
//! lies about it is found out and closed. What takes a call that might wait (connecting, creating
//! and destroying queue pairs) happens on the listener's thread, not on a shard.
//!
//! Where the device has memory windows of type 2B, each client gets memory of its own at the broker:
//! a ring into which it writes what is long, and a shelf from which it reads long answers. A message
//! says where the bytes lie, and counts like any other; the shard copies them once, and looks at the
//! copy only. The windows are that connection's, and end with it or when the shard leaves it
//! ([`grant`]). Nothing else of the broker's memory can be reached.
#![deny(unsafe_op_in_unsafe_fn, clippy::undocumented_unsafe_blocks)]

mod beside;
mod client;
mod connect;
mod flow;
mod grant;
mod handshake;
#[cfg(all(test, feature = "lab"))]
mod hostile_tests;
mod lane;
mod lending;
mod listener;
mod loan;
mod look;
mod memory;
mod porter;
mod put;
mod queue;
mod reach;
mod sys;
mod transport;

pub use beside::WithRdma;
pub use client::RdmaConnection;
pub use connect::ConnectError;
pub use listener::{OneSided, RdmaListener, RdmaOptions};
pub use look::{LOOK_BYTES_MAX, Lent};
pub use put::PUT_BYTES_MAX;
pub use sys::{HostReport, host_report};
pub use transport::RdmaTransport;

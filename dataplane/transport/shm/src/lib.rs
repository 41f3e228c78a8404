//! Connections of clients on the same host, over memory that broker and client share.
//!
//! A client attaches by a Unix socket: the broker looks who it is (`SO_PEERCRED`), makes a memfd of
//! sealed size for it alone, and passes its descriptor. From then on bytes go through two rings in
//! that memory, and the socket is the doorbell of whoever said that it sleeps, and the sign of the
//! other's end. What a client writes is data: its cursors are copied and checked, its bytes are
//! copied before they are looked at, and no call on the broker's side can be made to wait.
#![deny(unsafe_op_in_unsafe_fn, clippy::undocumented_unsafe_blocks)]

#[cfg(not(loom))]
mod beside;
#[cfg(not(loom))]
mod client;
#[cfg(not(loom))]
mod handshake;
#[cfg(not(loom))]
mod listener;
#[cfg(all(test, loom))]
mod loom_tests;
#[cfg(not(loom))]
mod memory;
#[cfg(any(not(loom), test))]
mod pipe;
#[cfg(all(test, not(loom)))]
mod pipe_tests;
#[cfg(not(loom))]
mod sys;
#[cfg(not(loom))]
mod transport;

#[cfg(not(loom))]
pub use beside::WithShm;
#[cfg(not(loom))]
pub use client::{AttachError, ShmConnection};
#[cfg(not(loom))]
pub use listener::{ShmListener, ShmOptions};
#[cfg(not(loom))]
pub use transport::ShmTransport;

/// The socket file's usual name, in the data directory.
pub const SOCKET_NAME: &str = "shm.sock";

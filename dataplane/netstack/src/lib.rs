//! TCP/IP in user space, without I/O and without a clock: frames and the time go in, frames and events
//! come out. It stands between a device for Ethernet frames and a transport of connections.
//!
//! One [`Stack`] belongs to one thread. Its user turns in a loop:
//!
//! 1. [`Stack::receive`] for each frame that the device has;
//! 2. [`Stack::poll_timers`] when [`Stack::next_timeout`] is reached;
//! 3. [`Stack::events`], then [`Stack::recv`], [`Stack::send`], [`Stack::close`] …;
//! 4. [`Stack::transmit`] while [`Stack::wants_transmit`] and the device takes frames.
//!
//! Nothing leaves outside of the fourth step, so one burst of received segments is acknowledged
//! together, and a full device holds nothing but its own connection's turn.
//!
//! An idle connection is a control block and a few links, at most 256 bytes, and owns no buffer;
//! chunks of memory are lent while there is data. The work for a segment does not depend on how many
//! connections there are: a hash table finds it, a timer wheel wakes it.
#![forbid(unsafe_code)]

mod chunks;
mod config;
mod ingress;
mod list;
mod neighbour;
mod replies;
mod sequence;
mod stack;
mod statistics;
mod table;
mod tcp;
#[cfg(test)]
mod test_random;
mod wheel;
mod wire;

pub use config::{CongestionControl, KeepAlive, Limits, Nanos, Offloads, StackConfig, TcpConfig};
pub use precursor_transport_port::{ConnectionId, Event, ReceiveError, SendError};
pub use stack::{ChecksumOffload, Frame, Stack};
pub use statistics::Statistics;
pub use tcp::{Lender, Lent, OpenError};

//! Where bytes reach a shard: the [`Transport`] trait for connections with bytes, and
//! [`FrameDevice`] for bursts of Ethernet frames, out of which a netstack makes a `Transport`.
//!
//! One instance belongs to one shard thread; nothing here is shared, locked or async.
#![forbid(unsafe_code)]

#[cfg(feature = "conformance")]
pub mod conformance;
#[cfg(feature = "conformance")]
pub mod frame_conformance;

use std::fmt;
use std::io::IoSlice;
use std::net::SocketAddr;
use std::os::fd::{BorrowedFd, RawFd};
use std::time::Duration;

/// Names a connection of one transport: a slot and the slot's generation, so that a stale id is
/// recognised after the slot is used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ConnectionId {
    pub slot: u32,
    pub generation: u32,
}

/// What [`Transport::poll`] reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A peer connected to the listener with this number (the order of [`Transport::listen`]).
    /// The connection may hold bytes already: treat it as readable.
    Accepted {
        connection: ConnectionId,
        listener: u32,
        peer: SocketAddr,
    },
    /// Bytes, or the end of the stream, can be received. Reported when that becomes true, not again
    /// while it stays true: whoever stops before [`ReceiveError::WouldBlock`] must remember to go on.
    Readable(ConnectionId),
    /// A send that was not taken whole can go on. Reported once per such send.
    Writable(ConnectionId),
    /// The transport let go of this many further bytes of what it had taken
    /// (only where [`Capabilities::send_holds_memory`]).
    Released {
        connection: ConnectionId,
        bytes: u64,
    },
    /// The connection failed and its id is stale; what it was sent is free. No `close` is needed.
    /// Bytes that came before the failure are reported as [`Event::Readable`] first.
    Failed(ConnectionId),
    /// A watched descriptor became readable ([`Transport::watch`]). Its owner drains it.
    Woken { token: u32 },
    /// A peer may reach what was lent to it ([`Transport::lend`]), each piece by a key. What is sent
    /// from here on comes after it has the right.
    Lent { loan: u32, keys: [u32; 2] },
    /// Nobody reaches it any more, or it could not be lent: the last event of a loan.
    Returned { loan: u32 },
}

/// Loans of one transport at a time: their numbers are below.
pub const LOANS_MAX: u32 = 256;

/// A piece of this process's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub address: usize,
    pub bytes: u32,
}

/// Memory that a peer is to reach from afar, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Reads two pieces.
    Read([Span; 2]),
    /// Writes one; its key is the first.
    Write(Span),
}

impl Event {
    /// The same event where the transport's slots follow `slots` of another one's.
    #[must_use]
    pub fn behind(self, slots: u32) -> Event {
        let shifted = |id: ConnectionId| ConnectionId {
            slot: id.slot + slots,
            ..id
        };
        match self {
            Event::Accepted {
                connection,
                listener,
                peer,
            } => Event::Accepted {
                connection: shifted(connection),
                listener,
                peer,
            },
            Event::Readable(id) => Event::Readable(shifted(id)),
            Event::Writable(id) => Event::Writable(shifted(id)),
            Event::Released { connection, bytes } => Event::Released {
                connection: shifted(connection),
                bytes,
            },
            Event::Failed(id) => Event::Failed(shifted(id)),
            Event::Woken { .. } | Event::Lent { .. } | Event::Returned { .. } => self,
        }
    }
}

/// How long a poll may wait for the first event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Not at all: the busy loop.
    None,
    /// At most this long. Rounded up to the transport's clock.
    AtMost(Duration),
    /// Until something happens.
    Forever,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReceiveError {
    /// Nothing there now; [`Event::Readable`] will tell.
    WouldBlock,
    /// The peer closed its side; everything it sent was received.
    EndOfStream,
    /// The connection is gone and its id stale; no [`Event::Failed`] follows.
    Broken,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendError {
    /// Nothing was taken; [`Event::Writable`] will tell.
    WouldBlock,
    /// The connection is gone and its id stale; no [`Event::Failed`] follows.
    Broken,
}

/// Why a transport could not start or listen. The text names the culprit and the mend.
#[derive(Debug)]
pub enum TransportError {
    /// The address is taken by another process.
    AddressInUse(SocketAddr),
    /// The host cannot do this: what, and why.
    Unsupported { what: &'static str, why: String },
    /// The operating system refused: what was tried, and its answer.
    System {
        what: &'static str,
        source: std::io::Error,
    },
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TransportError::AddressInUse(address) => write!(
                f,
                "cannot listen on {address}: another process does; stop it or choose another \
                 address with --listen"
            ),
            TransportError::Unsupported { what, why } => {
                write!(f, "this host does not offer {what}: {why}")
            }
            TransportError::System { what, source } => write!(f, "{what}: {source}"),
        }
    }
}

impl std::error::Error for TransportError {}

/// What a transport can do, for the shard's choices and for the start report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// For the log line and metrics: "epoll", "io_uring", "afxdp" …
    pub name: &'static str,
    /// Bytes handed to `send` stay referenced until [`Event::Released`]; otherwise they are free
    /// when `send` returns.
    pub send_holds_memory: bool,
    /// Most slices that one `send` looks at; more are left for the next call.
    pub send_slices_max: usize,
}

/// Connections with bytes. Every call returns at once, except `poll` with a [`Wait`].
pub trait Transport {
    fn capabilities(&self) -> Capabilities;

    /// Starts to accept on `address` (port 0 = any free one) and returns the bound address.
    fn listen(&mut self, address: SocketAddr) -> Result<SocketAddr, TransportError>;

    /// Stops accepting on every listener; established connections go on.
    fn stop_listening(&mut self);

    /// Reports `descriptor`'s readability as [`Event::Woken`] with `token`, so that a doorbell or a
    /// disk completion ends a wait. Stays registered until the transport is dropped.
    fn watch(&mut self, descriptor: RawFd, token: u32) -> Result<(), TransportError>;

    /// Appends what happened to `events`, at most as many as `events` has spare capacity for (it is
    /// never grown); the rest is reported by the next call. A wait may end early and without an
    /// event. Errors are the transport's own end.
    fn poll(&mut self, wait: Wait, events: &mut Vec<Event>) -> Result<(), TransportError>;

    /// Receives into `buffer` and returns how many bytes, at least 1. `buffer` must not be empty.
    fn receive(&mut self, id: ConnectionId, buffer: &mut [u8]) -> Result<usize, ReceiveError>;

    /// Hands over bytes in order; returns how many were taken, at least 1. The caller keeps the rest.
    ///
    /// Where [`Capabilities::send_holds_memory`], the caller keeps taken memory alive and unchanged
    /// until it is released.
    fn send(&mut self, id: ConnectionId, slices: &[IoSlice<'_>]) -> Result<usize, SendError>;

    /// Ends the connection: what was taken is still delivered where the peer reads on, the id is
    /// stale at once, no further event names it. Closing a stale id does nothing.
    fn close(&mut self, id: ConnectionId);

    /// Lets a connection's peer read or write memory from afar, and nothing beside it, whenever it
    /// likes, until [`Transport::recall`] or the connection's end. `loan` is the caller's number
    /// for it, of no other loan that was not returned. False where the transport has no such thing, or
    /// the peer may have no more; else [`Event::Returned`] comes in the end, before which the memory
    /// stays where it is, and behind which the peer changes nothing more there; and [`Event::Lent`] before that where it worked.
    fn lend(&mut self, _id: ConnectionId, _loan: u32, _memory: Reach) -> bool {
        false
    }

    /// Takes a loan back: a peer that goes on is refused. A loan that is not there is no matter.
    fn recall(&mut self, _loan: u32) {}

    /// Connections established now.
    fn connection_count(&self) -> usize;

    /// Connections turned away since the start because the limit was reached.
    fn refused_count(&self) -> u64;

    /// What passed where TCP is our own; `None` where it is the kernel's, which counts itself. May
    /// cost system calls: asked about once a second.
    fn wire(&self) -> Option<WireStatistics>;
}

/// What a TCP of our own and its device counted since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WireStatistics {
    pub frames: FrameCounters,
    /// Frames of which no sense could be made, and frames for others.
    pub frames_malformed: u64,
    pub frames_foreign: u64,
    /// Times that the device had no room for a frame.
    pub send_full: u64,
    pub segments_received: u64,
    pub segments_sent: u64,
    pub segments_retransmitted: u64,
    pub retransmission_timeouts: u64,
    pub tail_loss_probes: u64,
    pub fast_recoveries: u64,
    /// Recoveries that were taken back: nothing had been lost.
    pub recoveries_undone: u64,
    pub out_of_order_received: u64,
    pub duplicates_received: u64,
    /// Received payload dropped for want of buffers.
    pub memory_refused: u64,
    pub window_probes_sent: u64,
    pub challenges_sent: u64,
    /// Control blocks now: established, half-open, closing; of them those that hold data.
    pub connections: u64,
    pub connections_with_data: u64,
    pub connections_failed: u64,
    /// Turned away at a limit, or for coming too fast from one address.
    pub connections_refused: u64,
    pub connections_too_fast: u64,
    pub cookies_sent: u64,
    pub cookies_accepted: u64,
    pub cookies_refused: u64,
    pub resets_sent: u64,
    pub resets_received: u64,
    pub time_wait_recycled: u64,
    pub neighbours_unreachable: u64,
    /// Frames that a capture had no room for.
    pub capture_dropped: u64,
}

/// A way Ethernet frames reach the netstack: one or more queue pairs of a device, owned by one
/// shard. A frame is what lies between preamble and checksum: header and payload, without padding
/// that the sender did not write.
pub trait FrameDevice {
    fn capabilities(&self) -> FrameCapabilities;
    /// The device's hardware address.
    fn mac_address(&self) -> [u8; 6];
    /// Largest frame payload, in bytes: what follows the Ethernet header and its tag.
    fn mtu(&self) -> usize;
    /// Calls `take` for up to `frames_max` received frames; returns how many there were. A frame's
    /// memory is the device's own and given back when `take` returns.
    fn receive_burst(&mut self, frames_max: usize, take: &mut dyn FnMut(&[u8])) -> usize;
    /// Frames that can be queued for sending now.
    fn send_capacity(&self) -> usize;
    /// Queues one frame made of `slices`; false when there is no room. The slices are free when it
    /// returns. A frame larger than [`FRAME_HEADER_BYTES_MAX`] plus [`FrameDevice::mtu`] is misuse.
    fn send(&mut self, slices: &[IoSlice<'_>]) -> bool;
    /// As [`FrameDevice::send`], and the device finishes the frame: asked only where its capabilities
    /// say that it can. With `segment_bytes` the frame may be larger than others.
    fn send_offloaded(&mut self, _slices: &[IoSlice<'_>], _offload: SendOffload) -> bool {
        unreachable!("a device is asked for nothing that it does not offer")
    }
    /// Makes queued frames leave, and takes back the room of those that left.
    fn flush(&mut self);
    /// Readable while received frames wait, so that an idle shard can sleep on it; the same for
    /// the device's whole life. `None` where there is nothing to wait on: who idles looks again.
    fn wait_descriptor(&self) -> Option<BorrowedFd<'_>>;
    /// What passed so far.
    fn counters(&self) -> FrameCounters;
    /// Fails when the device is gone for good. Asked now and then, for nothing else may tell.
    fn check(&self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Bytes of an Ethernet header with one VLAN tag.
pub const FRAME_HEADER_BYTES_MAX: usize = 18;

/// What a frame device can do, for the netstack's choices and for the start report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameCapabilities {
    /// For the log line and metrics: "afxdp" …
    pub name: &'static str,
    /// The checksums within received frames need not be looked at: the device did, or the frames
    /// never left this host's memory, where senders leave checksums unfinished.
    pub receive_checksums_trusted: bool,
    /// The device inserts checksums of TCP ([`FrameDevice::send_offloaded`]).
    pub send_checksums: bool,
    /// Most payload bytes of a frame that the device cuts into segments itself; 0: it cannot.
    /// Needs `send_checksums`.
    pub segmentation_bytes_max: usize,
}

/// What a frame leaves to the device. The sum of the pseudo-header lies where the checksum goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SendOffload {
    /// Where TCP begins in the frame.
    pub checksum_start: u16,
    /// Where the checksum goes, from there.
    pub checksum_offset: u16,
    /// Payload bytes of each segment that the device cuts the frame into; 0: it stays whole.
    pub segment_bytes: u16,
}

/// Frames of one device since its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FrameCounters {
    pub received: u64,
    pub sent: u64,
    /// Received frames that the device dropped for want of room, as far as it knows.
    pub receive_dropped: u64,
    /// Frames queued for sending that the device dropped, as far as it knows.
    pub send_dropped: u64,
}

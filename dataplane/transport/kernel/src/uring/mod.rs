//! The io_uring driver: multishot accept and receive into registered buffers. Sending is a plain
//! non-blocking `sendmsg`, which measured no slower than a send by ring.

mod buffers;
mod ring;
#[cfg(test)]
mod tests;

use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::time::{Duration, Instant};

use io_uring::cqueue;
use precursor_transport_port::{
    Capabilities, ConnectionId, Event, ReceiveError, SendError, Transport, TransportError, Wait,
    WireStatistics,
};

use crate::KernelOptions;
use crate::lingering::{LingeringSockets, SWEEP_INTERVAL};
use crate::listener::{self, ACCEPT_REST, Reserve};
use crate::slots::Slots;
use crate::sys::{self, Sent};

use buffers::{BufferRing, Queue};
use ring::Ring;

/// Buffers that one connection may fill before its shard reads them; above, its receive is paused.
/// One burst may still fill more, up to all: then the sockets of the others are read directly.
const BUFFERS_PER_CONNECTION: u16 = 32;

/// What an operation was for: the top byte of its data. Below are slot (24 bits) and generation.
const ACCEPT: u64 = 1 << 56;
const RECEIVE: u64 = 2 << 56;
const WRITABLE: u64 = 3 << 56;
const WATCH: u64 = 4 << 56;
const CANCEL: u64 = 5 << 56;
const KIND: u64 = 0xFF << 56;
const SLOTS_MAX: usize = 1 << 24;

struct Connection {
    socket: OwnedFd,
    queue: Queue,
    /// A multishot receive is under way in the kernel.
    armed: bool,
    /// It was asked to stop because the queue is long.
    pausing: bool,
    ended: bool,
    broken: bool,
    /// A poll for room to send is under way.
    waits_for_room: bool,
}

struct Listener {
    socket: OwnedFd,
    /// Set while no accept is under way for want of descriptors.
    rests_until: Option<Instant>,
}

struct Watched {
    descriptor: RawFd,
    token: u32,
    armed: bool,
}

/// Connections by io_uring. Owned by the shard thread that polls it first.
pub(crate) struct UringTransport {
    // Before `buffers`: the kernel lets go of them when the ring is closed.
    ring: Ring,
    buffers: BufferRing,
    connections: Slots<Connection>,
    listeners: Vec<Listener>,
    watched: Vec<Watched>,
    /// Some watched descriptor was reported and is to be armed again.
    rearm: bool,
    lingering: LingeringSockets,
    reserve: Reserve,
    resting: bool,
    refused: u64,
    options: KernelOptions,
}

fn data(kind: u64, id: ConnectionId) -> u64 {
    kind | u64::from(id.slot) << 32 | u64::from(id.generation)
}

impl UringTransport {
    pub(crate) fn new(options: KernelOptions) -> Result<UringTransport, TransportError> {
        let unsupported = |error: io::Error| TransportError::Unsupported {
            what: "io_uring with multishot receive",
            why: match error.raw_os_error() {
                Some(libc::EPERM) => format!("{error}; it is forbidden to this process"),
                Some(libc::ENOSYS) => format!("{error}; the kernel is built without it"),
                Some(libc::EINVAL) => format!("{error}; it needs Linux 6.1"),
                _ => error.to_string(),
            },
        };
        assert!(options.connections_max < SLOTS_MAX);
        let ring = Ring::new().map_err(unsupported)?;
        let buffers = BufferRing::new().map_err(unsupported)?;
        ring.register(&buffers).map_err(unsupported)?;
        Ok(UringTransport {
            ring,
            buffers,
            connections: Slots::new(options.connections_max),
            listeners: Vec::new(),
            watched: Vec::new(),
            rearm: false,
            lingering: LingeringSockets::new(),
            reserve: Reserve::new(),
            resting: false,
            refused: 0,
            options,
        })
    }

    fn timeout(&self, wait: Wait) -> Option<Duration> {
        let mut timeout = match wait {
            Wait::None => Some(Duration::ZERO),
            Wait::AtMost(duration) => Some(duration),
            Wait::Forever => None,
        };
        if !self.lingering.is_empty() {
            timeout = Some(timeout.unwrap_or(SWEEP_INTERVAL).min(SWEEP_INTERVAL));
        }
        if self.resting {
            timeout = Some(timeout.unwrap_or(ACCEPT_REST).min(ACCEPT_REST));
        }
        timeout
    }

    /// Reports one completion: at most one event.
    fn report(&mut self, completion: (u64, i32, u32), events: &mut Vec<Event>) {
        let (data, result, flags) = completion;
        let low = data as u32;
        let id = ConnectionId {
            slot: (data >> 32) as u32 & (SLOTS_MAX as u32 - 1),
            generation: low,
        };
        match data & KIND {
            RECEIVE => self.received(id, result, flags, events),
            WRITABLE => {
                if let Some(connection) = self.connections.get_mut(id) {
                    connection.waits_for_room = false;
                    events.push(Event::Writable(id));
                }
            }
            ACCEPT => self.accepted(low, result, flags, events),
            WATCH => {
                let watched = &mut self.watched[low as usize];
                watched.armed = false;
                self.rearm = true;
                events.push(Event::Woken {
                    token: watched.token,
                });
            }
            _ => {}
        }
    }

    fn received(&mut self, id: ConnectionId, result: i32, flags: u32, events: &mut Vec<Event>) {
        let buffer = cqueue::buffer_select(flags);
        let Some(connection) = self.connections.get_mut(id) else {
            if let Some(buffer) = buffer {
                self.buffers.discard(buffer);
            }
            return;
        };
        if !cqueue::more(flags) {
            connection.armed = false;
            connection.pausing = false;
        }
        let nothing_queued = connection.queue.is_empty();
        match (result, buffer) {
            (1.., Some(buffer)) => {
                self.buffers
                    .append(&mut connection.queue, buffer, result as usize);
                let long = connection.queue.count() >= BUFFERS_PER_CONNECTION;
                if long && connection.armed && !connection.pausing {
                    connection.pausing = true;
                    self.ring.cancel(data(RECEIVE, id), CANCEL);
                }
            }
            (0, _) => connection.ended = true,
            // Paused, or all buffers are full: `receive` reads the socket itself and arms again.
            (_, _) if matches!(-result, libc::ECANCELED | libc::ENOBUFS | libc::EINTR) => {}
            _ => {
                connection.broken = true;
                if nothing_queued {
                    self.connections.remove(id);
                    events.push(Event::Failed(id));
                    return;
                }
            }
        }
        if nothing_queued || connection.ended {
            events.push(Event::Readable(id));
        }
    }

    fn accepted(&mut self, listener: u32, result: i32, flags: u32, events: &mut Vec<Event>) {
        if result >= 0 {
            // SAFETY: the kernel has just made this descriptor for us; nobody else owns it.
            let socket = unsafe { OwnedFd::from_raw_fd(result) };
            if !self.listeners.is_empty() {
                self.admit(socket, listener, events);
            }
        }
        let Some(entry) = self.listeners.get_mut(listener as usize) else {
            return;
        };
        if cqueue::more(flags) {
            return;
        }
        let error = io::Error::from_raw_os_error(-result.min(0));
        if result < 0 && listener::is_exhausted(&error) {
            self.refused += u64::from(self.reserve.refuse_one(entry.socket.as_fd()));
            entry.rests_until = Some(Instant::now() + ACCEPT_REST);
            self.resting = true;
        } else {
            let descriptor = entry.socket.as_raw_fd();
            self.ring.accept(descriptor, ACCEPT | u64::from(listener));
        }
    }

    fn admit(&mut self, socket: OwnedFd, listener: u32, events: &mut Vec<Event>) {
        listener::prepare(socket.as_fd(), &self.options);
        let peer = sys::peer_address(socket.as_fd());
        let descriptor = socket.as_raw_fd();
        let admitted = self.connections.insert(Connection {
            socket,
            queue: Queue::EMPTY,
            armed: true,
            pausing: false,
            ended: false,
            broken: false,
            waits_for_room: false,
        });
        let Ok(connection) = admitted else {
            self.refused += 1;
            return;
        };
        self.ring.receive(descriptor, data(RECEIVE, connection));
        events.push(Event::Accepted {
            connection,
            listener,
            peer,
        });
    }

    /// Starts to accept again where a rest is over.
    fn end_rests(&mut self) {
        let now = Instant::now();
        self.resting = false;
        for (number, listener) in self.listeners.iter_mut().enumerate() {
            match listener.rests_until {
                Some(until) if now >= until => {
                    listener.rests_until = None;
                    self.ring
                        .accept(listener.socket.as_raw_fd(), ACCEPT | number as u64);
                }
                Some(_) => self.resting = true,
                None => {}
            }
        }
        self.reserve.restore();
    }

    /// Watches again what was reported; its owner has had the time to drain it.
    fn rearm_watched(&mut self) {
        self.rearm = false;
        for (number, watched) in self.watched.iter_mut().enumerate() {
            if !watched.armed {
                watched.armed = true;
                self.ring
                    .poll_once(watched.descriptor, libc::POLLIN, WATCH | number as u64);
            }
        }
    }

    /// Forgets a connection; the kernel lets go of its socket at the next poll.
    fn release(&mut self, id: ConnectionId) -> Option<OwnedFd> {
        let mut connection = self.connections.remove(id)?;
        self.buffers.clear(&mut connection.queue);
        if connection.armed && !connection.pausing {
            self.ring.cancel(data(RECEIVE, id), CANCEL);
        }
        if connection.waits_for_room {
            self.ring.cancel(data(WRITABLE, id), CANCEL);
        }
        Some(connection.socket)
    }

    /// Receives past the ring, while no receive is under way there.
    fn receive_directly(
        &mut self,
        id: ConnectionId,
        buffer: &mut [u8],
    ) -> Result<usize, ReceiveError> {
        let Some(connection) = self.connections.get_mut(id) else {
            return Err(ReceiveError::Broken);
        };
        let received = loop {
            match sys::receive(connection.socket.as_fd(), buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        let drained = match received {
            Ok(0) => {
                connection.ended = true;
                return Err(ReceiveError::EndOfStream);
            }
            Ok(length) => length < buffer.len(),
            Err(ref error) => error.kind() == io::ErrorKind::WouldBlock,
        };
        if drained {
            connection.armed = true;
            let descriptor = connection.socket.as_raw_fd();
            self.ring.receive(descriptor, data(RECEIVE, id));
        }
        match received {
            Ok(length) => Ok(length),
            Err(_) if drained => Err(ReceiveError::WouldBlock),
            Err(_) => {
                self.release(id);
                Err(ReceiveError::Broken)
            }
        }
    }
}

impl Transport for UringTransport {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            name: "io_uring",
            send_holds_memory: false,
            send_slices_max: sys::SLICES_MAX,
        }
    }

    fn listen(&mut self, address: SocketAddr) -> Result<SocketAddr, TransportError> {
        let (socket, bound) = listener::open(address, &self.options)?;
        self.ring
            .accept(socket.as_raw_fd(), ACCEPT | self.listeners.len() as u64);
        self.listeners.push(Listener {
            socket,
            rests_until: None,
        });
        Ok(bound)
    }

    fn stop_listening(&mut self) {
        for number in 0..self.listeners.len() as u64 {
            self.ring.cancel(ACCEPT | number, CANCEL);
        }
        self.listeners.clear();
        self.resting = false;
    }

    fn watch(&mut self, descriptor: RawFd, token: u32) -> Result<(), TransportError> {
        self.watched.push(Watched {
            descriptor,
            token,
            armed: false,
        });
        self.rearm = true;
        Ok(())
    }

    fn poll(&mut self, wait: Wait, events: &mut Vec<Event>) -> Result<(), TransportError> {
        if events.len() == events.capacity() {
            return Ok(());
        }
        self.lingering.sweep();
        if self.resting {
            self.end_rests();
        }
        if self.rearm {
            self.rearm_watched();
        }
        let timeout = self.timeout(wait);
        let entered = self.ring.enable().and_then(|()| self.ring.enter(timeout));
        entered.map_err(|source| TransportError::System {
            what: "waiting for completions",
            source,
        })?;
        while events.len() < events.capacity() {
            let Some(completion) = self.ring.completion() else {
                break;
            };
            self.report(completion, events);
        }
        Ok(())
    }

    fn receive(&mut self, id: ConnectionId, buffer: &mut [u8]) -> Result<usize, ReceiveError> {
        assert!(!buffer.is_empty(), "a receive needs room");
        let Some(connection) = self.connections.get_mut(id) else {
            return Err(ReceiveError::Broken);
        };
        let taken = self.buffers.take(&mut connection.queue, buffer);
        if taken > 0 {
            return Ok(taken);
        }
        if connection.ended {
            return Err(ReceiveError::EndOfStream);
        }
        if connection.broken {
            self.release(id);
            return Err(ReceiveError::Broken);
        }
        if connection.armed {
            return Err(ReceiveError::WouldBlock);
        }
        self.receive_directly(id, buffer)
    }

    fn send(&mut self, id: ConnectionId, slices: &[IoSlice<'_>]) -> Result<usize, SendError> {
        let Some(connection) = self.connections.get_mut(id) else {
            return Err(SendError::Broken);
        };
        let (answer, blocked) = match sys::send_all(connection.socket.as_fd(), slices) {
            Ok(Sent::Whole(taken)) => (Ok(taken), false),
            Ok(Sent::Partly(taken)) => (Ok(taken), true),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                (Err(SendError::WouldBlock), true)
            }
            Err(_) => {
                self.release(id);
                return Err(SendError::Broken);
            }
        };
        if blocked && !connection.waits_for_room {
            connection.waits_for_room = true;
            let descriptor = connection.socket.as_raw_fd();
            self.ring
                .poll_once(descriptor, libc::POLLOUT, data(WRITABLE, id));
        }
        answer
    }

    fn close(&mut self, id: ConnectionId) {
        let Some(socket) = self.release(id) else {
            return;
        };
        if sys::bytes_unacknowledged(socket.as_fd()) > 0 {
            self.lingering.add(socket);
        }
    }

    fn connection_count(&self) -> usize {
        self.connections.len()
    }

    fn refused_count(&self) -> u64 {
        self.refused
    }

    fn wire(&self) -> Option<WireStatistics> {
        None
    }
}

impl Drop for UringTransport {
    fn drop(&mut self) {
        self.ring.cancel_all();
        while let Some((data, result, _)) = self.ring.completion() {
            if data & KIND == ACCEPT && result >= 0 {
                // SAFETY: the kernel made this descriptor for us and nobody has seen it yet.
                drop(unsafe { OwnedFd::from_raw_fd(result) });
            }
        }
    }
}

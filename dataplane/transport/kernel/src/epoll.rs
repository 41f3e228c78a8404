//! The epoll driver: edge-triggered connections, level-triggered listeners.

use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::time::{Duration, Instant};

use precursor_transport_port::{
    Capabilities, ConnectionId, Event, ReceiveError, SendError, Transport, TransportError, Wait,
    WireStatistics,
};

use crate::KernelOptions;
use crate::lingering::{LingeringSockets, SWEEP_INTERVAL};
use crate::listener::{self, ACCEPT_REST, Reserve};
use crate::slots::Slots;
use crate::sys::{self, Sent};

/// Entries taken from the kernel at a time.
const READY_MAX: usize = 256;
/// Connections accepted per listener and turn, so that a storm of them leaves time for the others
/// and for the other shards.
const ACCEPTS_PER_TURN: usize = 16;

/// Slot numbers that name no connection, in an epoll entry's data.
const LISTENER: u32 = u32::MAX;
const WATCHED: u32 = u32::MAX - 1;

const INPUT: u32 = libc::EPOLLIN as u32;
const OUTPUT: u32 = libc::EPOLLOUT as u32;
const PEER_ENDED: u32 = libc::EPOLLRDHUP as u32;
const BROKEN: u32 = (libc::EPOLLERR | libc::EPOLLHUP) as u32;
const CONNECTION_INTEREST: u32 = INPUT | OUTPUT | PEER_ENDED | libc::EPOLLET as u32;
const LISTENER_INTEREST: u32 = INPUT | libc::EPOLLEXCLUSIVE as u32;

struct Connection {
    socket: OwnedFd,
    /// The last receive took everything; an edge will tell of more. Saves asking once per request.
    drained: bool,
    /// The peer ended or broke the connection: its edge is spent, so `drained` must not be believed.
    ended: bool,
    /// The last send was not taken whole.
    send_blocked: bool,
}

struct Listener {
    socket: OwnedFd,
    /// Set while the listener is out of the epoll set for want of descriptors.
    rests_until: Option<Instant>,
}

/// Connections by epoll. Owned by one shard thread.
pub(crate) struct EpollTransport {
    epoll: OwnedFd,
    connections: Slots<Connection>,
    listeners: Vec<Listener>,
    lingering: LingeringSockets,
    /// Entries taken from the kernel; those from `ready_at` on are not reported yet.
    ready: Box<[libc::epoll_event]>,
    ready_at: usize,
    ready_end: usize,
    reserve: Reserve,
    resting: bool,
    refused: u64,
    options: KernelOptions,
}

impl EpollTransport {
    pub(crate) fn new(options: KernelOptions) -> Result<EpollTransport, TransportError> {
        let epoll = sys::epoll_create().map_err(|source| TransportError::System {
            what: "creating an epoll set",
            source,
        })?;
        let nothing = libc::epoll_event { events: 0, u64: 0 };
        Ok(EpollTransport {
            epoll,
            connections: Slots::new(options.connections_max),
            listeners: Vec::new(),
            lingering: LingeringSockets::new(),
            ready: vec![nothing; READY_MAX].into_boxed_slice(),
            ready_at: 0,
            ready_end: 0,
            reserve: Reserve::new(),
            resting: false,
            refused: 0,
            options,
        })
    }

    /// Takes what the kernel has, waiting as asked. Only called when all of `ready` is reported.
    fn take_ready(&mut self, wait: Wait) -> Result<(), TransportError> {
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
        self.ready_at = 0;
        self.ready_end = 0;
        self.ready_end =
            sys::epoll_wait(self.epoll.as_fd(), &mut self.ready, timeout).map_err(|source| {
                TransportError::System {
                    what: "waiting for events",
                    source,
                }
            })?;
        Ok(())
    }

    /// Reports the entry at `ready_at`; false when `events` has no room for all of it.
    fn report(&mut self, events: &mut Vec<Event>) -> bool {
        let entry = self.ready[self.ready_at];
        let (flags, data) = (entry.events, entry.u64);
        let (slot, low) = ((data >> 32) as u32, data as u32);
        match slot {
            LISTENER => {
                self.accept(low, events);
                true
            }
            WATCHED => {
                events.push(Event::Woken { token: low });
                true
            }
            slot => {
                let id = ConnectionId {
                    slot,
                    generation: low,
                };
                let rest = self.report_connection(id, flags, events);
                self.ready[self.ready_at].events = rest;
                rest == 0
            }
        }
    }

    /// Reports what `flags` say of a connection; returns the flags that had no room.
    fn report_connection(&mut self, id: ConnectionId, flags: u32, events: &mut Vec<Event>) -> u32 {
        let Some(connection) = self.connections.get_mut(id) else {
            return 0;
        };
        // Bytes that came before the failure are still received; `receive` then says Broken.
        if flags & BROKEN != 0 && sys::bytes_receivable(connection.socket.as_fd()) == 0 {
            self.connections.remove(id);
            events.push(Event::Failed(id));
            return 0;
        }
        if flags & (PEER_ENDED | BROKEN) != 0 {
            connection.ended = true;
        }
        let writable = flags & OUTPUT != 0 && connection.send_blocked;
        if flags & (INPUT | PEER_ENDED | BROKEN) != 0 {
            connection.drained = false;
            events.push(Event::Readable(id));
            if writable && events.len() == events.capacity() {
                return OUTPUT;
            }
        }
        if writable {
            connection.send_blocked = false;
            events.push(Event::Writable(id));
        }
        0
    }

    /// Accepts while there is room in `events`. The listener is level-triggered: what is left over
    /// is reported by the next poll, to this shard or another.
    fn accept(&mut self, listener: u32, events: &mut Vec<Event>) {
        for _ in 0..ACCEPTS_PER_TURN {
            if events.len() == events.capacity() {
                return;
            }
            let Some(Listener {
                socket,
                rests_until: None,
            }) = self.listeners.get(listener as usize)
            else {
                return;
            };
            match sys::accept(socket.as_fd()) {
                Ok((socket, peer)) => self.admit(socket, listener, peer, events),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if listener::is_exhausted(&error) => {
                    if !self.reserve.refuse_one(socket.as_fd()) {
                        self.rest(listener);
                        return;
                    }
                    self.refused += 1;
                }
                // The connection failed before it was accepted (ECONNABORTED, EPROTO …).
                Err(_) => {}
            }
        }
    }

    fn admit(&mut self, socket: OwnedFd, listener: u32, peer: SocketAddr, events: &mut Vec<Event>) {
        if self.connections.is_full() {
            self.refused += 1;
            return;
        }
        listener::prepare(socket.as_fd(), &self.options);
        let descriptor = socket.as_raw_fd();
        let admitted = self.connections.insert(Connection {
            socket,
            drained: false,
            ended: false,
            send_blocked: false,
        });
        let Ok(connection) = admitted else {
            return;
        };
        let data = u64::from(connection.slot) << 32 | u64::from(connection.generation);
        if sys::epoll_add(self.epoll.as_fd(), descriptor, CONNECTION_INTEREST, data).is_err() {
            self.connections.remove(connection);
            self.refused += 1;
            return;
        }
        events.push(Event::Accepted {
            connection,
            listener,
            peer,
        });
    }

    /// Takes the listener out of the set for a while, lest its readiness make the loop spin.
    fn rest(&mut self, listener: u32) {
        let listener = &mut self.listeners[listener as usize];
        sys::epoll_remove(self.epoll.as_fd(), listener.socket.as_raw_fd());
        listener.rests_until = Some(Instant::now() + ACCEPT_REST);
        self.resting = true;
    }

    /// Puts rested listeners back, and makes the reserve whole.
    fn end_rests(&mut self) {
        let now = Instant::now();
        self.resting = false;
        for (number, listener) in self.listeners.iter_mut().enumerate() {
            let Some(until) = listener.rests_until else {
                continue;
            };
            let data = u64::from(LISTENER) << 32 | number as u64;
            let descriptor = listener.socket.as_raw_fd();
            let rested = now >= until
                && sys::epoll_add(self.epoll.as_fd(), descriptor, LISTENER_INTEREST, data).is_ok();
            if rested {
                listener.rests_until = None;
            } else {
                self.resting = true;
            }
        }
        self.reserve.restore();
    }
}

impl Transport for EpollTransport {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            name: "epoll",
            send_holds_memory: false,
            send_slices_max: sys::SLICES_MAX,
        }
    }

    fn listen(&mut self, address: SocketAddr) -> Result<SocketAddr, TransportError> {
        let (socket, bound) = listener::open(address, &self.options)?;
        let data = u64::from(LISTENER) << 32 | self.listeners.len() as u64;
        let descriptor = socket.as_raw_fd();
        sys::epoll_add(self.epoll.as_fd(), descriptor, LISTENER_INTEREST, data).map_err(
            |source| TransportError::System {
                what: "listening",
                source,
            },
        )?;
        self.listeners.push(Listener {
            socket,
            rests_until: None,
        });
        Ok(bound)
    }

    fn stop_listening(&mut self) {
        // Out of the set first: a shared socket stays open in the other shards.
        for listener in &self.listeners {
            sys::epoll_remove(self.epoll.as_fd(), listener.socket.as_raw_fd());
        }
        self.listeners.clear();
        self.resting = false;
    }

    fn watch(&mut self, descriptor: RawFd, token: u32) -> Result<(), TransportError> {
        let data = u64::from(WATCHED) << 32 | u64::from(token);
        sys::epoll_add(self.epoll.as_fd(), descriptor, INPUT, data).map_err(|source| {
            TransportError::System {
                what: "watching a descriptor",
                source,
            }
        })
    }

    fn poll(&mut self, wait: Wait, events: &mut Vec<Event>) -> Result<(), TransportError> {
        self.lingering.sweep();
        if self.resting {
            self.end_rests();
        }
        if self.ready_at == self.ready_end {
            self.take_ready(wait)?;
        }
        while self.ready_at < self.ready_end && events.len() < events.capacity() {
            if self.report(events) {
                self.ready_at += 1;
            }
        }
        Ok(())
    }

    fn receive(&mut self, id: ConnectionId, buffer: &mut [u8]) -> Result<usize, ReceiveError> {
        assert!(!buffer.is_empty(), "a receive needs room");
        let Some(connection) = self.connections.get_mut(id) else {
            return Err(ReceiveError::Broken);
        };
        if connection.drained {
            return Err(ReceiveError::WouldBlock);
        }
        loop {
            match sys::receive(connection.socket.as_fd(), buffer) {
                Ok(0) => return Err(ReceiveError::EndOfStream),
                Ok(length) => {
                    connection.drained = length < buffer.len() && !connection.ended;
                    return Ok(length);
                }
                Err(error) => match error.kind() {
                    io::ErrorKind::WouldBlock => return Err(ReceiveError::WouldBlock),
                    io::ErrorKind::Interrupted => {}
                    _ => {
                        self.connections.remove(id);
                        return Err(ReceiveError::Broken);
                    }
                },
            }
        }
    }

    fn send(&mut self, id: ConnectionId, slices: &[IoSlice<'_>]) -> Result<usize, SendError> {
        let Some(connection) = self.connections.get_mut(id) else {
            return Err(SendError::Broken);
        };
        match sys::send_all(connection.socket.as_fd(), slices) {
            Ok(Sent::Whole(taken)) => Ok(taken),
            Ok(Sent::Partly(taken)) => {
                connection.send_blocked = true;
                Ok(taken)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                connection.send_blocked = true;
                Err(SendError::WouldBlock)
            }
            Err(_) => {
                self.connections.remove(id);
                Err(SendError::Broken)
            }
        }
    }

    fn close(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.remove(id) else {
            return;
        };
        if sys::bytes_unacknowledged(connection.socket.as_fd()) > 0 {
            sys::epoll_remove(self.epoll.as_fd(), connection.socket.as_raw_fd());
            self.lingering.add(connection.socket);
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

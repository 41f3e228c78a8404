//! Shared-memory clients beside another transport, as one transport.

use std::io::IoSlice;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, RawFd};
use std::time::{Duration, Instant};

use precursor_transport_port::{
    Capabilities, ConnectionId, Event, Reach, ReceiveError, SendError, Transport, TransportError,
    Wait, WireStatistics,
};

use crate::transport::ShmTransport;

/// What the other transport reports when a shared-memory client arrives, rings or leaves.
const WOKEN_BY_CLIENTS: u32 = u32::MAX;

/// While shared-memory clients are at work, the other transport is polled in one of so many turns:
/// for kernel sockets each poll is a system call, which costs more than several turns that find
/// nothing.
const TURNS_PER_POLL: u32 = 256;
/// But not for longer than this: turns that move much for shared-memory clients are long ones.
const POLL_AFTER: Duration = Duration::from_micros(50);
/// In one of so many turns that found something the clock is looked at for that.
const FOUND_PER_LOOK: u32 = 4;
/// Clients that had nothing for so many turns are not at work.
const TURNS_QUIET: u32 = 4096;

/// Two transports of one shard. The first slots are the shared-memory clients', the others' follow.
pub struct WithShm<T> {
    other: T,
    shm: Option<ShmTransport>,
    /// Slots of the shared-memory clients.
    slots: u32,
    /// Turns since a shared-memory client had something.
    quiet: u32,
    /// Turns until the other transport is polled again.
    rest: u32,
    /// When it was polled last.
    polled_at: Instant,
    /// Turns since then in which a shared-memory client had something.
    found: u32,
}

impl<T: Transport> WithShm<T> {
    /// `other`, and shared-memory clients if there are any to be.
    ///
    /// # Errors
    /// The other transport cannot watch them.
    pub fn new(mut other: T, shm: Option<ShmTransport>) -> Result<WithShm<T>, TransportError> {
        if let Some(shm) = &shm {
            assert!(
                !other.capabilities().send_holds_memory,
                "shared-memory clients hold none, and a shard asks for all of its connections"
            );
            other.watch(shm.descriptor().as_raw_fd(), WOKEN_BY_CLIENTS)?;
        }
        Ok(WithShm {
            slots: shm.as_ref().map_or(0, |shm| shm.clients_max() as u32),
            other,
            shm,
            quiet: TURNS_QUIET,
            rest: 0,
            polled_at: Instant::now(),
            found: 0,
        })
    }

    /// The other transport.
    pub fn other(&self) -> &T {
        &self.other
    }

    /// Of a connection of the other transport, its id there.
    fn inner(&self, id: ConnectionId) -> Option<ConnectionId> {
        let slot = id.slot.checked_sub(self.slots)?;
        Some(ConnectionId { slot, ..id })
    }

    /// Polls the other transport; its events are of this one's slots afterwards.
    fn poll_other(&mut self, wait: Wait, events: &mut Vec<Event>) -> Result<(), TransportError> {
        let before = events.len();
        self.other.poll(wait, events)?;
        if self.slots == 0 {
            return Ok(());
        }
        let mut woken = false;
        let mut kept = before;
        for at in before..events.len() {
            let event = events[at];
            if event
                == (Event::Woken {
                    token: WOKEN_BY_CLIENTS,
                })
            {
                woken = true;
            } else {
                events[kept] = event.behind(self.slots);
                kept += 1;
            }
        }
        events.truncate(kept);
        // Whoever has much to do there is not made to wait.
        self.rest = if kept > before { 0 } else { TURNS_PER_POLL };
        self.polled_at = Instant::now();
        self.found = 0;
        match &mut self.shm {
            Some(shm) if woken || shm.has_unreported() => shm.poll_sockets(events),
            _ => Ok(()),
        }
    }

    /// Whether the other transport waits for long already, after a turn that found something; seldom
    /// looked at.
    fn is_late(&mut self) -> bool {
        self.found += 1;
        self.found.is_multiple_of(FOUND_PER_LOOK) && self.polled_at.elapsed() >= POLL_AFTER
    }

    fn poll_both(&mut self, events: &mut Vec<Event>) -> Result<(), TransportError> {
        let found = self.shm.as_mut().is_some_and(|shm| shm.poll_memory(events));
        self.quiet = if found {
            0
        } else {
            self.quiet.saturating_add(1)
        };
        self.rest = self.rest.saturating_sub(1);
        let more = self.shm.as_ref().is_some_and(ShmTransport::has_unreported);
        let due = more || self.rest == 0 || self.quiet >= TURNS_QUIET;
        if due || (found && self.is_late()) {
            return self.poll_other(Wait::None, events);
        }
        Ok(())
    }
}

impl<T: Transport> Transport for WithShm<T> {
    fn capabilities(&self) -> Capabilities {
        self.other.capabilities()
    }

    fn listen(&mut self, address: SocketAddr) -> Result<SocketAddr, TransportError> {
        let bound = self.other.listen(address)?;
        if let Some(shm) = &mut self.shm {
            shm.listen(address)?;
        }
        Ok(bound)
    }

    fn stop_listening(&mut self) {
        self.other.stop_listening();
        if let Some(shm) = &mut self.shm {
            shm.stop_listening();
        }
    }

    fn watch(&mut self, descriptor: RawFd, token: u32) -> Result<(), TransportError> {
        assert_ne!(token, WOKEN_BY_CLIENTS, "a token that is taken");
        self.other.watch(descriptor, token)
    }

    fn poll(&mut self, wait: Wait, events: &mut Vec<Event>) -> Result<(), TransportError> {
        let Some(shm) = &mut self.shm else {
            return self.other.poll(wait, events);
        };
        if wait == Wait::None {
            return self.poll_both(events);
        }
        let may_sleep = shm.announce_sleep();
        let wait = if may_sleep { wait } else { Wait::None };
        let polled = self.poll_other(wait, events);
        if let Some(shm) = &mut self.shm {
            shm.announce_awake();
            shm.poll_memory(events);
        }
        polled
    }

    fn receive(&mut self, id: ConnectionId, buffer: &mut [u8]) -> Result<usize, ReceiveError> {
        match (self.inner(id), &mut self.shm) {
            (Some(id), _) => self.other.receive(id, buffer),
            (None, Some(shm)) => shm.receive(id, buffer),
            (None, None) => Err(ReceiveError::Broken),
        }
    }

    fn send(&mut self, id: ConnectionId, slices: &[IoSlice<'_>]) -> Result<usize, SendError> {
        match (self.inner(id), &mut self.shm) {
            (Some(id), _) => self.other.send(id, slices),
            (None, Some(shm)) => shm.send(id, slices),
            (None, None) => Err(SendError::Broken),
        }
    }

    fn close(&mut self, id: ConnectionId) {
        match (self.inner(id), &mut self.shm) {
            (Some(id), _) => self.other.close(id),
            (None, Some(shm)) => shm.close(id),
            (None, None) => {}
        }
    }

    fn lend(&mut self, id: ConnectionId, loan: u32, memory: Reach) -> bool {
        let inner = self.inner(id);
        inner.is_some_and(|id| self.other.lend(id, loan, memory))
    }

    fn recall(&mut self, loan: u32) {
        self.other.recall(loan);
    }

    fn connection_count(&self) -> usize {
        let clients = self.shm.as_ref().map_or(0, Transport::connection_count);
        self.other.connection_count() + clients
    }

    fn refused_count(&self) -> u64 {
        let refused = self.shm.as_ref().map_or(0, Transport::refused_count);
        self.other.refused_count() + refused
    }

    fn wire(&self) -> Option<WireStatistics> {
        self.other.wire()
    }
}

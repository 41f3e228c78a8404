//! RDMA clients beside another transport, as one transport.

use std::io::IoSlice;
use std::net::SocketAddr;
use std::os::fd::RawFd;
use std::time::{Duration, Instant};

use precursor_transport_port::{
    Capabilities, ConnectionId, Event, Reach, ReceiveError, SendError, Transport, TransportError,
    Wait, WireStatistics,
};

use crate::transport::RdmaTransport;

/// What the other transport reports when there is something of RDMA clients.
const WOKEN_BY_RDMA: u32 = u32::MAX - 1;

/// While RDMA clients are at work, the other transport is polled in one of so many turns: for kernel
/// sockets each poll is a system call, which costs more than several turns that find nothing.
const TURNS_PER_POLL: u32 = 256;
/// But not for longer than this: turns that move much for RDMA clients are long ones.
const POLL_AFTER: Duration = Duration::from_micros(50);
/// In one of so many turns that found something the clock is looked at for that.
const FOUND_PER_LOOK: u32 = 4;
/// Clients that had nothing for so many turns are not at work.
const TURNS_QUIET: u32 = 4096;

/// When the other transport has its turn, while the shard does not sleep.
struct Turns {
    /// Turns since an RDMA client had something.
    quiet: u32,
    /// Turns until the other transport is polled again.
    rest: u32,
    /// When it was polled last.
    polled_at: Instant,
    /// Turns since then in which an RDMA client had something.
    found: u32,
}

impl Turns {
    fn new(now: Instant) -> Turns {
        Turns {
            quiet: TURNS_QUIET,
            rest: 0,
            polled_at: now,
            found: 0,
        }
    }

    /// After a turn of the RDMA clients: whether the other transport is to be polled.
    fn is_due(&mut self, found: bool, now: impl FnOnce() -> Instant) -> bool {
        self.quiet = match found {
            true => 0,
            false => self.quiet.saturating_add(1),
        };
        self.rest = self.rest.saturating_sub(1);
        self.found += u32::from(found);
        let looks = found && self.found.is_multiple_of(FOUND_PER_LOOK);
        self.rest == 0
            || self.quiet >= TURNS_QUIET
            || (looks && now().duration_since(self.polled_at) >= POLL_AFTER)
    }

    /// It was polled. Whoever has much to do there is not made to wait.
    fn polled(&mut self, has_work: bool, now: Instant) {
        self.rest = if has_work { 0 } else { TURNS_PER_POLL };
        self.polled_at = now;
        self.found = 0;
    }
}

/// Two transports of one shard. The first slots are the RDMA clients', the others' follow.
pub struct WithRdma<T> {
    other: T,
    rdma: Option<RdmaTransport>,
    /// Slots of the RDMA clients.
    slots: u32,
    turns: Turns,
}

impl<T: Transport> WithRdma<T> {
    /// `other`, and RDMA clients if there are any to be.
    ///
    /// # Errors
    /// The other transport cannot watch them.
    pub fn new(mut other: T, rdma: Option<RdmaTransport>) -> Result<WithRdma<T>, TransportError> {
        if let Some(rdma) = &rdma {
            assert!(
                !other.capabilities().send_holds_memory,
                "RDMA clients hold none, and a shard asks for all of its connections"
            );
            for descriptor in rdma.descriptors() {
                other.watch(descriptor, WOKEN_BY_RDMA)?;
            }
        }
        Ok(WithRdma {
            slots: rdma.as_ref().map_or(0, RdmaTransport::slot_count),
            other,
            rdma,
            turns: Turns::new(Instant::now()),
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

    /// Polls the other transport; its events are of this one's slots afterwards. Returns whether
    /// RDMA clients woke it.
    fn poll_other(&mut self, wait: Wait, events: &mut Vec<Event>) -> Result<bool, TransportError> {
        let before = events.len();
        self.other.poll(wait, events)?;
        let mut kept = before;
        let woken = Event::Woken {
            token: WOKEN_BY_RDMA,
        };
        for at in before..events.len() {
            if events[at] != woken {
                events[kept] = events[at].behind(self.slots);
                kept += 1;
            }
        }
        let was_woken = kept < events.len();
        events.truncate(kept);
        self.turns.polled(kept > before, Instant::now());
        Ok(was_woken)
    }
}

impl<T: Transport> Transport for WithRdma<T> {
    fn capabilities(&self) -> Capabilities {
        self.other.capabilities()
    }

    fn listen(&mut self, address: SocketAddr) -> Result<SocketAddr, TransportError> {
        let bound = self.other.listen(address)?;
        if let Some(rdma) = &self.rdma {
            rdma.set_open(true);
        }
        Ok(bound)
    }

    fn stop_listening(&mut self) {
        self.other.stop_listening();
        if let Some(rdma) = &self.rdma {
            rdma.set_open(false);
        }
    }

    fn watch(&mut self, descriptor: RawFd, token: u32) -> Result<(), TransportError> {
        assert_ne!(token, WOKEN_BY_RDMA, "a token that is taken");
        self.other.watch(descriptor, token)
    }

    fn poll(&mut self, wait: Wait, events: &mut Vec<Event>) -> Result<(), TransportError> {
        let Some(rdma) = &mut self.rdma else {
            return self.other.poll(wait, events);
        };
        let found = rdma.poll(events);
        // What the clients wake it by is not looked for while they are polled.
        if wait == Wait::None && !self.turns.is_due(found, Instant::now) {
            return Ok(());
        }
        let sleeps = !found && wait != Wait::None && rdma.may_sleep(events);
        let wait = if sleeps { wait } else { Wait::None };
        let woken = self.poll_other(wait, events)?;
        if let Some(rdma) = &mut self.rdma {
            if woken {
                rdma.hear();
            }
            if sleeps {
                rdma.poll(events);
            }
        }
        Ok(())
    }

    fn receive(&mut self, id: ConnectionId, buffer: &mut [u8]) -> Result<usize, ReceiveError> {
        match (self.inner(id), &mut self.rdma) {
            (Some(id), _) => self.other.receive(id, buffer),
            (None, Some(rdma)) => rdma.receive(id, buffer),
            (None, None) => Err(ReceiveError::Broken),
        }
    }

    fn send(&mut self, id: ConnectionId, slices: &[IoSlice<'_>]) -> Result<usize, SendError> {
        match (self.inner(id), &mut self.rdma) {
            (Some(id), _) => self.other.send(id, slices),
            (None, Some(rdma)) => rdma.send(id, slices),
            (None, None) => Err(SendError::Broken),
        }
    }

    fn close(&mut self, id: ConnectionId) {
        match (self.inner(id), &mut self.rdma) {
            (Some(id), _) => self.other.close(id),
            (None, Some(rdma)) => rdma.close(id),
            (None, None) => {}
        }
    }

    fn lend(&mut self, id: ConnectionId, loan: u32, memory: Reach) -> bool {
        match (self.inner(id), &mut self.rdma) {
            (Some(_), _) | (None, None) => false,
            (None, Some(rdma)) => rdma.lend(id, loan, memory),
        }
    }

    fn recall(&mut self, loan: u32) {
        if let Some(rdma) = &mut self.rdma {
            rdma.recall(loan);
        }
    }

    fn connection_count(&self) -> usize {
        let clients = self.rdma.as_ref();
        self.other.connection_count() + clients.map_or(0, RdmaTransport::connection_count)
    }

    fn refused_count(&self) -> u64 {
        let refused = self.rdma.as_ref().map_or(0, RdmaTransport::refused_count);
        self.other.refused_count() + refused
    }

    fn wire(&self) -> Option<WireStatistics> {
        self.other.wire()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Turns of clients at work, each with or without something, until the other one is due.
    fn turns_until_due(turns: &mut Turns, now: Instant, found: bool) -> u32 {
        let mut count = 1;
        while !turns.is_due(found, || now) {
            count += 1;
        }
        count
    }

    #[test]
    fn the_other_transport_rests_while_clients_are_at_work() {
        let start = Instant::now();
        let mut turns = Turns::new(start);
        assert!(turns.is_due(false, || start), "nobody is at work");
        turns.polled(false, start);
        assert!(turns.is_due(false, || start), "nor now");
        turns.polled(false, start);
        assert_eq!(turns_until_due(&mut turns, start, true), TURNS_PER_POLL);
        turns.polled(true, start);
        assert!(turns.is_due(true, || start), "it had something");
        // Long turns: the clock says so.
        turns.polled(false, start);
        assert_eq!(
            turns_until_due(&mut turns, start + POLL_AFTER, true),
            FOUND_PER_LOOK
        );
        // Clients that become quiet: every turn again.
        let mut polls = 0;
        turns.polled(false, start);
        for _ in 0..2 * TURNS_QUIET {
            if turns.is_due(false, || start) {
                polls += 1;
                turns.polled(false, start);
            }
        }
        assert!(polls > TURNS_QUIET, "{polls}");
    }
}

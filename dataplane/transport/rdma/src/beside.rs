//! RDMA clients beside another transport, as one transport.

use std::io::IoSlice;
use std::net::SocketAddr;
use std::os::fd::RawFd;

use precursor_transport_port::{
    Capabilities, ConnectionId, Event, ReceiveError, SendError, Transport, TransportError, Wait,
    WireStatistics,
};

use crate::transport::RdmaTransport;

/// What the other transport reports when there is something of RDMA clients.
const WOKEN_BY_RDMA: u32 = u32::MAX - 1;

/// Two transports of one shard. The first slots are the RDMA clients', the others' follow.
pub struct WithRdma<T> {
    other: T,
    rdma: Option<RdmaTransport>,
    /// Slots of the RDMA clients.
    slots: u32,
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

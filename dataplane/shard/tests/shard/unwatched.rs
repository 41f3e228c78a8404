//! A transport whose own allocations are not counted: the simulated network keeps its bytes on the
//! heap, which says nothing about the shard.

use precursor_memory::CountingAllocator;
use precursor_transport_port::{
    Capabilities, ConnectionId, Event, ReceiveError, SendError, Transport, TransportError, Wait,
    WireStatistics,
};
use precursor_transport_sim::SimTransport;
use std::cell::Cell;
use std::io::IoSlice;
use std::net::SocketAddr;
use std::os::fd::RawFd;

thread_local! {
    static WATCHING: Cell<bool> = const { Cell::new(false) };
    static SEEN: Cell<u64> = const { Cell::new(0) };
}

/// Runs `work` and returns how often it called the allocator, the network's own calls left out.
pub fn counted(work: impl FnOnce()) -> u64 {
    SEEN.set(0);
    WATCHING.set(true);
    CountingAllocator::arm();
    work();
    let rest = CountingAllocator::disarm().total();
    WATCHING.set(false);
    SEEN.get() + rest
}

fn unwatched<R>(call: impl FnOnce() -> R) -> R {
    if !WATCHING.get() {
        return call();
    }
    SEEN.set(SEEN.get() + CountingAllocator::disarm().total());
    let result = call();
    CountingAllocator::arm();
    result
}

pub struct Unwatched(pub SimTransport);

impl Transport for Unwatched {
    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }
    fn listen(&mut self, address: SocketAddr) -> Result<SocketAddr, TransportError> {
        self.0.listen(address)
    }
    fn stop_listening(&mut self) {
        self.0.stop_listening();
    }
    fn watch(&mut self, descriptor: RawFd, token: u32) -> Result<(), TransportError> {
        self.0.watch(descriptor, token)
    }
    fn poll(&mut self, wait: Wait, events: &mut Vec<Event>) -> Result<(), TransportError> {
        unwatched(|| self.0.poll(wait, events))
    }
    fn receive(&mut self, id: ConnectionId, buffer: &mut [u8]) -> Result<usize, ReceiveError> {
        unwatched(|| self.0.receive(id, buffer))
    }
    fn send(&mut self, id: ConnectionId, slices: &[IoSlice<'_>]) -> Result<usize, SendError> {
        unwatched(|| self.0.send(id, slices))
    }
    fn close(&mut self, id: ConnectionId) {
        unwatched(|| self.0.close(id));
    }
    fn connection_count(&self) -> usize {
        self.0.connection_count()
    }

    fn refused_count(&self) -> u64 {
        self.0.refused_count()
    }

    fn wire(&self) -> Option<WireStatistics> {
        self.0.wire()
    }
}

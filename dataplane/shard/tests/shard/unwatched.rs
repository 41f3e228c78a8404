//! A transport whose own allocations are not counted: the simulated network keeps its bytes on the
//! heap, which says nothing about the shard.

use precursor_memory::CountingAllocator;
use precursor_transport_port::{
    Capabilities, ConnectionId, Event, Reach, ReceiveError, SendError, Transport, TransportError,
    Wait, WireStatistics,
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

/// What is lent over it, as far as a test wants it to be: nobody reads.
#[derive(Default)]
pub struct Lends {
    pub offers: bool,
    /// Whether loans come to be as soon as they are asked for.
    pub works: bool,
    pub lent: Vec<(ConnectionId, u32, Reach)>,
    pub recalled: Vec<u32>,
    pub events: Vec<Event>,
}

pub struct Unwatched {
    inner: SimTransport,
    pub lends: Lends,
}

impl Unwatched {
    pub fn new(inner: SimTransport) -> Unwatched {
        Unwatched {
            inner,
            lends: Lends::default(),
        }
    }
}

impl Transport for Unwatched {
    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }
    fn listen(&mut self, address: SocketAddr) -> Result<SocketAddr, TransportError> {
        self.inner.listen(address)
    }
    fn stop_listening(&mut self) {
        self.inner.stop_listening();
    }
    fn watch(&mut self, descriptor: RawFd, token: u32) -> Result<(), TransportError> {
        self.inner.watch(descriptor, token)
    }
    fn poll(&mut self, wait: Wait, events: &mut Vec<Event>) -> Result<(), TransportError> {
        events.append(&mut self.lends.events);
        unwatched(|| self.inner.poll(wait, events))
    }
    fn receive(&mut self, id: ConnectionId, buffer: &mut [u8]) -> Result<usize, ReceiveError> {
        unwatched(|| self.inner.receive(id, buffer))
    }
    fn send(&mut self, id: ConnectionId, slices: &[IoSlice<'_>]) -> Result<usize, SendError> {
        unwatched(|| self.inner.send(id, slices))
    }
    fn close(&mut self, id: ConnectionId) {
        unwatched(|| self.inner.close(id));
    }
    fn lend(&mut self, id: ConnectionId, loan: u32, memory: Reach) -> bool {
        let lends = &mut self.lends;
        if lends.offers {
            lends.lent.push((id, loan, memory));
            if lends.works {
                let keys = [loan * 2, loan * 2 + 1];
                lends.events.push(Event::Lent { loan, keys });
            }
        }
        lends.offers
    }
    fn recall(&mut self, loan: u32) {
        self.lends.recalled.push(loan);
    }
    fn connection_count(&self) -> usize {
        self.inner.connection_count()
    }

    fn refused_count(&self) -> u64 {
        self.inner.refused_count()
    }

    fn wire(&self) -> Option<WireStatistics> {
        self.inner.wire()
    }
}

//! The broker's side: one shard's attached clients.

use std::io::{self, IoSlice};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use precursor_memory::spsc;
use precursor_transport_port::{
    Capabilities, ConnectionId, Event, ReceiveError, SendError, Transport, TransportError, Wait,
    WireStatistics,
};

use crate::listener::{Attached, Door};
use crate::memory::SharedPipe;
use crate::pipe::{Reader, Writer};
use crate::sys;

/// Entries taken from the kernel at a time.
const READY_MAX: usize = 64;
/// Rings of the bell that one client is heard in one look: who rings more is heard again.
const RINGS_MAX: usize = 8;
/// Slices that one `send` looks at.
const SLICES_MAX: usize = 64;

/// Slot numbers that name no client, in an epoll entry's data.
const ARRIVED: u32 = u32::MAX;
const WATCHED: u32 = u32::MAX - 1;

/// Who is at the other end: this host. Shared memory has no ports.
const PEER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

struct Client {
    input: Reader<SharedPipe>,
    output: Writer<SharedPipe>,
    attached: Attached,
    /// Readable was reported, and `receive` has not come to the end since.
    reported: bool,
    /// The last send was not taken whole.
    send_blocked: bool,
    /// The client's socket is closed: it is gone, or never was well.
    gone: bool,
}

#[derive(Default)]
struct Slot {
    generation: u32,
    client: Option<Client>,
}

/// Connections over shared memory. Owned by one shard thread.
pub struct ShmTransport {
    slots: Vec<Slot>,
    free: Vec<u32>,
    /// Slots in use, in no order: what a poll looks at.
    active: Vec<u32>,
    epoll: OwnedFd,
    ready: Box<[libc::epoll_event]>,
    /// Entries that are not reported yet.
    ready_at: usize,
    ready_end: usize,
    door: Arc<Door>,
    arrivals: spsc::Receiver<Attached>,
    leave: spsc::Sender<Attached>,
    /// Where the next look begins, so that nobody is always last.
    look_from: usize,
}

impl ShmTransport {
    pub(crate) fn new(
        door: Arc<Door>,
        arrivals: spsc::Receiver<Attached>,
        leave: spsc::Sender<Attached>,
        clients_max: usize,
    ) -> Result<ShmTransport, TransportError> {
        let system = |source| TransportError::System {
            what: "creating an epoll set",
            source,
        };
        let epoll = sys::epoll_create().map_err(system)?;
        let arrived = u64::from(ARRIVED) << 32;
        sys::epoll_add(epoll.as_fd(), door.arrived.as_raw_fd(), arrived).map_err(system)?;
        let nothing = libc::epoll_event { events: 0, u64: 0 };
        let mut slots = Vec::new();
        slots.resize_with(clients_max, Slot::default);
        Ok(ShmTransport {
            slots,
            free: (0..clients_max as u32).rev().collect(),
            active: Vec::with_capacity(clients_max),
            epoll,
            ready: vec![nothing; READY_MAX].into_boxed_slice(),
            ready_at: 0,
            ready_end: 0,
            door,
            arrivals,
            leave,
            look_from: 0,
        })
    }

    /// Readable when a client arrives, rings or leaves: what a shard that sleeps elsewhere watches,
    /// and answers with [`ShmTransport::poll_sockets`].
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.epoll.as_fd()
    }

    /// Most clients at a time; slots are below.
    pub fn clients_max(&self) -> usize {
        self.slots.len()
    }

    /// Looks at every client's memory, without a system call. Returns whether there was anything.
    pub fn poll_memory(&mut self, events: &mut Vec<Event>) -> bool {
        let count = self.active.len();
        let mut found = false;
        if count == 0 {
            return false;
        }
        self.look_from = if self.look_from + 1 < count {
            self.look_from + 1
        } else {
            0
        };
        let mut seen = 0;
        let mut at = self.look_from;
        while seen < count && events.len() < events.capacity() {
            if at >= self.active.len() {
                at = 0;
            }
            let Some(&slot) = self.active.get(at) else {
                break;
            };
            let (events_more, failed) = self.look_at(slot, events);
            found |= events_more;
            if !failed {
                at += 1;
            }
            seen += 1;
        }
        found
    }

    /// Whether something was reported of a slot's client, and whether it is no more.
    fn look_at(&mut self, slot: u32, events: &mut Vec<Event>) -> (bool, bool) {
        let entry = &mut self.slots[slot as usize];
        let id = ConnectionId {
            slot,
            generation: entry.generation,
        };
        let Some(client) = &mut entry.client else {
            return (false, false);
        };
        let mut found = false;
        if !client.reported {
            let finished = client.input.is_finished();
            match client.input.available() {
                Ok(0) if client.gone && !finished => {
                    self.remove(id);
                    events.push(Event::Failed(id));
                    return (true, true);
                }
                Ok(0) if !finished => {}
                Ok(_) => {
                    client.reported = true;
                    events.push(Event::Readable(id));
                    found = true;
                }
                Err(_) => {
                    self.remove(id);
                    events.push(Event::Failed(id));
                    return (true, true);
                }
            }
        }
        if client.send_blocked && events.len() < events.capacity() {
            match client.output.room() {
                Ok(0) => {}
                Ok(_) => {
                    client.send_blocked = false;
                    events.push(Event::Writable(id));
                    found = true;
                }
                Err(_) => {
                    self.remove(id);
                    events.push(Event::Failed(id));
                    return (true, true);
                }
            }
        }
        (found, false)
    }

    /// Says in every client's memory that this side sleeps; false when one has something already.
    /// Must be followed by [`ShmTransport::announce_awake`].
    pub fn announce_sleep(&mut self) -> bool {
        if self.has_unreported() {
            return false;
        }
        for &slot in &self.active {
            let Some(client) = &mut self.slots[slot as usize].client else {
                continue;
            };
            // What the peer has broken is found by the next look at it.
            if !client.reported && client.input.announce_sleep() != Ok(true) {
                return false;
            }
            if client.send_blocked && client.output.announce_sleep() != Ok(true) {
                return false;
            }
        }
        true
    }

    /// Takes back what [`ShmTransport::announce_sleep`] said.
    pub fn announce_awake(&mut self) {
        for &slot in &self.active {
            if let Some(client) = &mut self.slots[slot as usize].client {
                client.input.announce_awake();
                client.output.announce_awake();
            }
        }
    }

    /// Hears who arrived, rang or left. Nothing here waits.
    ///
    /// # Errors
    /// The kernel refuses to tell.
    pub fn poll_sockets(&mut self, events: &mut Vec<Event>) -> Result<(), TransportError> {
        self.take_ready(Some(Duration::ZERO))?;
        self.report_ready(events);
        Ok(())
    }

    /// Whether [`ShmTransport::poll_sockets`] had no room for everything that it heard.
    pub fn has_unreported(&self) -> bool {
        self.ready_at < self.ready_end
    }

    fn take_ready(&mut self, timeout: Option<Duration>) -> Result<(), TransportError> {
        if self.has_unreported() {
            return Ok(());
        }
        self.ready_at = 0;
        self.ready_end = 0;
        self.ready_end =
            sys::epoll_wait(self.epoll.as_fd(), &mut self.ready, timeout).map_err(|source| {
                TransportError::System {
                    what: "waiting for clients",
                    source,
                }
            })?;
        Ok(())
    }

    fn report_ready(&mut self, events: &mut Vec<Event>) {
        while self.ready_at < self.ready_end && events.len() < events.capacity() {
            let data = self.ready[self.ready_at].u64;
            let (slot, low) = ((data >> 32) as u32, data as u32);
            match slot {
                ARRIVED => {
                    if !self.take_arrivals(events) {
                        return;
                    }
                }
                WATCHED => events.push(Event::Woken { token: low }),
                slot => self.hear(ConnectionId {
                    slot,
                    generation: low,
                }),
            }
            self.ready_at += 1;
        }
    }

    /// Announces who arrived; false when `events` had no room for all.
    fn take_arrivals(&mut self, events: &mut Vec<Event>) -> bool {
        sys::quiet(self.door.arrived.as_fd());
        while events.len() < events.capacity() {
            let Some(attached) = self.arrivals.try_receive() else {
                return true;
            };
            let Some(slot) = self.free.pop() else {
                self.give_back(attached);
                continue;
            };
            let entry = &mut self.slots[slot as usize];
            let generation = entry.generation;
            let data = u64::from(slot) << 32 | u64::from(generation);
            let watched = sys::epoll_add(self.epoll.as_fd(), attached.socket.as_raw_fd(), data);
            if watched.is_err() {
                self.free.push(slot);
                self.give_back(attached);
                continue;
            }
            let (input, output) = attached.memory.broker_ends();
            entry.client = Some(Client {
                input,
                output,
                attached,
                // As accepted, it is treated as readable.
                reported: true,
                send_blocked: false,
                gone: false,
            });
            self.active.push(slot);
            events.push(Event::Accepted {
                connection: ConnectionId { slot, generation },
                listener: 0,
                peer: PEER,
            });
        }
        self.arrivals.is_empty()
    }

    /// A client rang, or is gone.
    fn hear(&mut self, id: ConnectionId) {
        let Some(client) = self.client(id) else {
            return;
        };
        for _ in 0..RINGS_MAX {
            match sys::discard(client.attached.socket.as_fd()) {
                Ok(1..) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(0) | Err(_) => {
                    client.gone = true;
                    let socket = client.attached.socket.as_raw_fd();
                    sys::epoll_remove(self.epoll.as_fd(), socket);
                    return;
                }
            }
        }
    }

    fn client(&mut self, id: ConnectionId) -> Option<&mut Client> {
        let slot = self.slots.get_mut(id.slot as usize)?;
        slot.client
            .as_mut()
            .filter(|_| slot.generation == id.generation)
    }

    /// Takes a client out; its memory goes back to the thread that unmaps it.
    fn remove(&mut self, id: ConnectionId) {
        if self.client(id).is_none() {
            return;
        }
        let slot = &mut self.slots[id.slot as usize];
        slot.generation = slot.generation.wrapping_add(1);
        let client = slot.client.take();
        self.free.push(id.slot);
        self.active.retain(|slot| *slot != id.slot);
        if let Some(client) = client {
            if !client.gone {
                let socket = client.attached.socket.as_raw_fd();
                sys::epoll_remove(self.epoll.as_fd(), socket);
            }
            // The pipes' ends hold the memory too: without them its last holder, who unmaps it, is
            // the thread that it goes to.
            let Client {
                input,
                output,
                attached,
                ..
            } = client;
            drop((input, output));
            self.give_back(attached);
        }
    }

    fn give_back(&mut self, attached: Attached) {
        self.door.clients.fetch_sub(1, Ordering::AcqRel);
        self.door.clients_total.fetch_sub(1, Ordering::AcqRel);
        // Without its thread, or without room, it ends here.
        drop(self.leave.try_send(attached));
        sys::signal(self.door.left.as_fd());
    }
}

/// Wakes a client that said it sleeps. Its socket is ours alone, so that nothing the client does
/// to its own end makes this wait; a full one holds rings that it has not heard.
fn ring(socket: BorrowedFd<'_>) {
    let _ = sys::send(socket, &[1], None);
}

impl Transport for ShmTransport {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            name: "shm",
            send_holds_memory: false,
            send_slices_max: SLICES_MAX,
        }
    }

    /// Lets clients in for this shard. Shared memory has no addresses: the one given is returned.
    fn listen(&mut self, address: SocketAddr) -> Result<SocketAddr, TransportError> {
        self.door.open.store(true, Ordering::Release);
        Ok(address)
    }

    fn stop_listening(&mut self) {
        self.door.open.store(false, Ordering::Release);
    }

    fn watch(&mut self, descriptor: RawFd, token: u32) -> Result<(), TransportError> {
        let data = u64::from(WATCHED) << 32 | u64::from(token);
        sys::epoll_add(self.epoll.as_fd(), descriptor, data).map_err(|source| {
            TransportError::System {
                what: "watching a descriptor",
                source,
            }
        })
    }

    fn poll(&mut self, wait: Wait, events: &mut Vec<Event>) -> Result<(), TransportError> {
        let found = self.poll_memory(events);
        let timeout = match wait {
            Wait::None => Some(Duration::ZERO),
            Wait::AtMost(duration) => Some(duration),
            Wait::Forever => None,
        };
        let may_sleep = !found
            && timeout != Some(Duration::ZERO)
            && events.len() < events.capacity()
            && self.announce_sleep();
        let taken = self.take_ready(if may_sleep {
            timeout
        } else {
            Some(Duration::ZERO)
        });
        self.announce_awake();
        taken?;
        self.report_ready(events);
        if may_sleep {
            self.poll_memory(events);
        }
        Ok(())
    }

    fn receive(&mut self, id: ConnectionId, buffer: &mut [u8]) -> Result<usize, ReceiveError> {
        assert!(!buffer.is_empty(), "a receive needs room");
        let Some(client) = self.client(id) else {
            return Err(ReceiveError::Broken);
        };
        let finished = client.input.is_finished();
        match client.input.read(buffer) {
            Ok((0, _)) if finished => Err(ReceiveError::EndOfStream),
            Ok((0, _)) if !client.gone => {
                client.reported = false;
                Err(ReceiveError::WouldBlock)
            }
            Ok((length, writer_sleeps)) if length > 0 => {
                if writer_sleeps {
                    ring(client.attached.socket.as_fd());
                }
                Ok(length)
            }
            Ok(_) | Err(_) => {
                self.remove(id);
                Err(ReceiveError::Broken)
            }
        }
    }

    fn send(&mut self, id: ConnectionId, slices: &[IoSlice<'_>]) -> Result<usize, SendError> {
        let Some(client) = self.client(id) else {
            return Err(SendError::Broken);
        };
        let mut taken = 0;
        let mut whole = true;
        for slice in slices.iter().filter(|slice| !slice.is_empty()) {
            match client.output.write(slice) {
                Ok(count) => {
                    taken += count;
                    whole = count == slice.len();
                }
                Err(_) => {
                    self.remove(id);
                    return Err(SendError::Broken);
                }
            }
            if !whole {
                break;
            }
        }
        client.send_blocked |= !whole;
        if client.output.publish() {
            ring(client.attached.socket.as_fd());
        }
        if taken == 0 {
            return Err(SendError::WouldBlock);
        }
        Ok(taken)
    }

    /// The client still reads what is in its memory, which is its own as well, and then the end.
    fn close(&mut self, id: ConnectionId) {
        if let Some(client) = self.client(id) {
            client.output.finish();
            self.remove(id);
        }
    }

    fn connection_count(&self) -> usize {
        self.active.len()
    }

    fn refused_count(&self) -> u64 {
        self.door.refused.load(Ordering::Relaxed)
    }

    fn wire(&self) -> Option<WireStatistics> {
        None
    }
}

impl Drop for ShmTransport {
    fn drop(&mut self) {
        self.door.open.store(false, Ordering::Release);
    }
}

//! The server side: [`Transport`] over a simulated network.

use std::io::IoSlice;
use std::net::SocketAddr;
use std::os::fd::RawFd;

use precursor_transport_port::{
    Capabilities, ConnectionId, Event, ReceiveError, SendError, Transport, TransportError, Wait,
    WireStatistics,
};

use crate::network::{Link, SimNetwork, State};
use crate::pipe::Found;

/// How far a poll that may not wait moves time, so that a busy loop meets what is under way.
const BUSY_STEP_US: u64 = 1;

struct Slot {
    generation: u32,
    link: Option<u64>,
}

/// A transport of a [`SimNetwork`]. Owned by one shard.
///
/// A poll that may wait moves the virtual time to the next happening, or by the whole wait when
/// nothing is under way; `Wait::Forever` with nothing under way returns at once and empty.
pub struct SimTransport {
    network: SimNetwork,
    number: usize,
    slots: Vec<Slot>,
    watched: Vec<(RawFd, u32)>,
    refused: u64,
    /// Where the next poll goes on looking, so that a small room for events starves nobody.
    next_slot: usize,
}

impl SimTransport {
    pub(crate) fn new(network: SimNetwork, number: usize, connections_max: usize) -> SimTransport {
        let slots = (0..connections_max)
            .map(|_| Slot {
                generation: 0,
                link: None,
            })
            .collect();
        SimTransport {
            network,
            number,
            slots,
            watched: Vec::new(),
            refused: 0,
            next_slot: 0,
        }
    }

    fn link_number(&self, id: ConnectionId) -> Option<u64> {
        let slot = self.slots.get(id.slot as usize)?;
        slot.link.filter(|_| slot.generation == id.generation)
    }

    fn free(&mut self, slot: usize) {
        self.slots[slot].link = None;
        self.slots[slot].generation = self.slots[slot].generation.wrapping_add(1);
    }

    /// Lets go of a broken connection.
    fn forget(&mut self, state: &mut State, id: ConnectionId, link: u64) {
        self.free(id.slot as usize);
        if let Some(link) = state.links.get_mut(&link) {
            link.server_gone = true;
        }
        state.settle(link);
    }

    fn accept(&mut self, state: &mut State, events: &mut Vec<Event>) {
        while events.len() < events.capacity() {
            let backlog = &mut state.backlogs[self.number];
            let Some(waiting) = backlog.pop_front_if(|waiting| waiting.arrives_at <= state.now_us)
            else {
                return;
            };
            let number = waiting.link;
            let free = self.slots.iter().position(|slot| slot.link.is_none());
            let when = state.arrival();
            let Some(link) = state.links.get_mut(&number) else {
                continue;
            };
            let Some(free) = free else {
                self.refused += 1;
                link.server_gone = true;
                link.to_client.end(when);
                continue;
            };
            let slot = &mut self.slots[free];
            slot.link = Some(number);
            events.push(Event::Accepted {
                connection: ConnectionId {
                    slot: free as u32,
                    generation: slot.generation,
                },
                listener: waiting.listener,
                peer: link.peer,
            });
        }
    }

    fn report_slot(&mut self, state: &mut State, slot: usize, events: &mut Vec<Event>) {
        let Some(number) = self.slots[slot].link else {
            return;
        };
        let id = ConnectionId {
            slot: slot as u32,
            generation: self.slots[slot].generation,
        };
        let Some(link) = state.links.get_mut(&number) else {
            return;
        };
        if link.to_server.has_news() && events.len() < events.capacity() {
            link.to_server.tell();
            events.push(Event::Readable(id));
        }
        // What came before the break is received first; a receive then finds the break.
        if link.broken && link.to_server.available() == 0 {
            if events.len() < events.capacity() {
                events.push(Event::Failed(id));
                self.forget(state, id, number);
            }
            return;
        }
        let writable = link.send_blocked && link.to_client.room() > 0;
        if writable && events.len() < events.capacity() {
            link.send_blocked = false;
            events.push(Event::Writable(id));
        }
    }

    fn report(&mut self, state: &mut State, events: &mut Vec<Event>) {
        for &(descriptor, token) in &self.watched {
            let rung = state.rung.iter().position(|rung| *rung == descriptor);
            if let Some(rung) = rung.filter(|_| events.len() < events.capacity()) {
                state.rung.remove(rung);
                events.push(Event::Woken { token });
            }
        }
        self.accept(state, events);
        for _ in 0..self.slots.len() {
            if events.len() == events.capacity() {
                return;
            }
            let slot = self.next_slot % self.slots.len();
            self.report_slot(state, slot, events);
            self.next_slot = slot + 1;
        }
    }
}

impl Transport for SimTransport {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            name: "sim",
            send_holds_memory: false,
            send_slices_max: 64,
        }
    }

    fn listen(&mut self, address: SocketAddr) -> Result<SocketAddr, TransportError> {
        let mut state = self.network.lock();
        let mut bound = address;
        if bound.port() == 0 {
            bound.set_port(state.free_port());
        }
        let mine = (bound, self.number);
        if state.listeners.contains(&mine) {
            return Err(TransportError::AddressInUse(bound));
        }
        state.listeners.push(mine);
        Ok(bound)
    }

    fn stop_listening(&mut self) {
        let number = self.number;
        let mut state = self.network.lock();
        state
            .listeners
            .retain(|(_, transport)| *transport != number);
        // Clients that were never accepted find their connection reset.
        for waiting in std::mem::take(&mut state.backlogs[number]) {
            if let Some(link) = state.links.get_mut(&waiting.link) {
                link.server_gone = true;
                link.breaks_at.get_or_insert(waiting.arrives_at);
            }
        }
    }

    fn watch(&mut self, descriptor: RawFd, token: u32) -> Result<(), TransportError> {
        self.watched.push((descriptor, token));
        Ok(())
    }

    fn poll(&mut self, wait: Wait, events: &mut Vec<Event>) -> Result<(), TransportError> {
        if events.len() == events.capacity() {
            return Ok(());
        }
        let already = events.len();
        let network = self.network.clone();
        let mut state = network.lock();
        let now = state.now_us;
        state.advance_to(now + BUSY_STEP_US);
        self.report(&mut state, events);
        if events.len() > already || wait == Wait::None {
            return Ok(());
        }
        let limit = match wait {
            Wait::AtMost(duration) => Some(state.now_us + duration.as_micros() as u64),
            _ => None,
        };
        let next = state.next_happening();
        if let Some(until) = next.into_iter().chain(limit).min() {
            state.advance_to(until);
            self.report(&mut state, events);
        }
        Ok(())
    }

    fn receive(&mut self, id: ConnectionId, buffer: &mut [u8]) -> Result<usize, ReceiveError> {
        assert!(!buffer.is_empty(), "a receive needs room");
        let number = self.link_number(id).ok_or(ReceiveError::Broken)?;
        let network = self.network.clone();
        let mut state = network.lock();
        let available = match state.links.get(&number) {
            Some(link) => link.to_server.available().min(buffer.len()),
            None => 0,
        };
        let length = state.receive_fate(available);
        let Some(link) = state.links.get_mut(&number) else {
            return Err(ReceiveError::Broken);
        };
        match link.to_server.read(&mut buffer[..length]) {
            Found::Bytes(length) => Ok(length),
            _ if link.broken => {
                self.forget(&mut state, id, number);
                Err(ReceiveError::Broken)
            }
            Found::End => Err(ReceiveError::EndOfStream),
            Found::Nothing => Err(ReceiveError::WouldBlock),
        }
    }

    fn send(&mut self, id: ConnectionId, slices: &[IoSlice<'_>]) -> Result<usize, SendError> {
        let number = self.link_number(id).ok_or(SendError::Broken)?;
        let network = self.network.clone();
        let mut state = network.lock();
        let offered: usize = slices.iter().map(|slice| slice.len()).sum();
        let room = match state.links.get(&number) {
            Some(link) if !link.broken => link.to_client.room().min(offered),
            _ => {
                self.forget(&mut state, id, number);
                return Err(SendError::Broken);
            }
        };
        let (taken, breaks) = state.send_fate(room);
        let when = state.arrival();
        let Some(link) = state.links.get_mut(&number) else {
            return Err(SendError::Broken);
        };
        link.send_blocked = taken < offered;
        if breaks || link.client_gone {
            link.breaks_at.get_or_insert(when);
        }
        if taken == 0 && offered > 0 {
            return Err(SendError::WouldBlock);
        }
        write_slices(link, slices, taken, when);
        Ok(taken)
    }

    fn close(&mut self, id: ConnectionId) {
        let Some(number) = self.link_number(id) else {
            return;
        };
        self.free(id.slot as usize);
        let mut state = self.network.lock();
        let when = state.arrival();
        if let Some(link) = state.links.get_mut(&number) {
            link.server_gone = true;
            link.to_client.end(when);
        }
        state.settle(number);
    }

    fn connection_count(&self) -> usize {
        self.slots.iter().filter(|slot| slot.link.is_some()).count()
    }

    fn refused_count(&self) -> u64 {
        self.refused
    }

    fn wire(&self) -> Option<WireStatistics> {
        None
    }
}

fn write_slices(link: &mut Link, slices: &[IoSlice<'_>], bytes: usize, when: u64) {
    let mut rest = bytes;
    for slice in slices {
        let part = slice.len().min(rest);
        if part > 0 {
            link.to_client.write(&slice[..part], when);
        }
        rest -= part;
    }
}

impl Drop for SimTransport {
    /// As when a process dies: nobody listens, and every connection is reset.
    fn drop(&mut self) {
        self.stop_listening();
        let mut state = self.network.lock();
        let when = state.arrival();
        for number in self.slots.iter().filter_map(|slot| slot.link) {
            if let Some(link) = state.links.get_mut(&number) {
                link.server_gone = true;
                link.breaks_at.get_or_insert(when);
            }
            state.settle(number);
        }
    }
}

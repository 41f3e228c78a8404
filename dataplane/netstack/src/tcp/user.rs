//! What the user of a stack calls.

use std::io::IoSlice;
use std::net::{IpAddr, SocketAddr};

use precursor_transport_port::{ConnectionId, Event, ReceiveError, SendError};

use super::{Flags, Lent, Listener, State};
use crate::config::Nanos;
use crate::list::NONE;
use crate::sequence::distance;
use crate::stack::Stack;
use crate::table::Key;
use crate::wire::ethernet::Mac;
use crate::wire::ip::Address;

/// Ports for connections of our own and for listeners that do not care (RFC 6335).
const EPHEMERAL: std::ops::RangeInclusive<u16> = 49_152..=65_535;

/// Why a stack does not listen or connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenError {
    /// Another listener or connection has the address and port.
    InUse,
    /// Not an address of this stack, or a peer that no route leads to.
    NoRoute,
    /// All control blocks or ports are in use.
    Exhausted,
}

impl Stack {
    /// Accepts connections to `address` (port 0: any free one; an unspecified IP: any own address
    /// of the family). At most `backlog` half-open ones have a control block; further peers get
    /// cookies. Returns the listener's number and its port.
    pub fn listen(&mut self, address: SocketAddr, backlog: usize) -> Result<(u32, u16), OpenError> {
        let ip = address.ip();
        let own = (!ip.is_unspecified()).then(|| Address::from(ip));
        if own.is_some_and(|own| self.local_index(own).is_none()) {
            return Err(OpenError::NoRoute);
        }
        let v4 = matches!(ip, IpAddr::V4(_));
        let taken = |port: u16| {
            self.listeners.iter().any(|listener| {
                listener.open
                    && listener.port == port
                    && listener.v4 == v4
                    && (own.is_none() || listener.address.is_none() || listener.address == own)
            })
        };
        let port = match address.port() {
            0 => EPHEMERAL
                .rev()
                .find(|port| !taken(*port))
                .ok_or(OpenError::Exhausted)?,
            port if taken(port) => return Err(OpenError::InUse),
            port => port,
        };
        if self.listeners.len() >= usize::from(u16::MAX) {
            return Err(OpenError::Exhausted);
        }
        self.listeners.push(Listener {
            address: own,
            v4,
            port,
            backlog,
            half_open: 0,
            open: true,
        });
        Ok((self.listeners.len() as u32 - 1, port))
    }

    /// Every listener stops; established connections go on.
    pub fn stop_listening(&mut self) {
        self.listeners
            .iter_mut()
            .for_each(|listener| listener.open = false);
    }

    /// Opens a connection to `remote`. [`Event::Writable`] tells that it is established,
    /// [`Event::Failed`] that it will not be.
    pub fn connect(&mut self, remote: SocketAddr, now: Nanos) -> Result<ConnectionId, OpenError> {
        let peer = Address::from(remote.ip());
        let key = self.free_key(peer, remote.port())?;
        self.open(&key, now)
    }

    /// [`Stack::connect`] from a port of the caller's choice.
    pub fn connect_from(
        &mut self,
        local_port: u16,
        remote: SocketAddr,
        now: Nanos,
    ) -> Result<ConnectionId, OpenError> {
        let peer = Address::from(remote.ip());
        let local = self.source_for(peer).ok_or(OpenError::NoRoute)?;
        let key = Key {
            remote: peer,
            remote_port: remote.port(),
            local_port,
            local,
        };
        self.open(&key, now)
    }

    fn open(&mut self, key: &Key, now: Nanos) -> Result<ConnectionId, OpenError> {
        let now = self.clock(now);
        if self.find_connection(key).is_some() {
            return Err(OpenError::InUse);
        }
        let slot = self
            .occupy(key, State::SynSent, now)
            .ok_or(OpenError::Exhausted)?;
        let sequence = self.cookies.initial_sequence(key, now);
        let offset = self.cookies.timestamp_offset(key);
        let mss = self.mss_of(key);
        let connection = &mut self.connections[slot];
        connection.flags.set(Flags::SYN_PENDING);
        connection.mss = mss;
        connection.timestamp_offset = offset;
        connection.send_unacknowledged = sequence;
        connection.send_next = sequence;
        self.ready.push(slot as u32);
        Ok(self.id(slot))
    }

    /// The own address to reach `peer` from.
    fn source_for(&self, peer: Address) -> Option<u8> {
        let fits = |(own, prefix): &(Address, u8)| own.shares_prefix(peer, *prefix);
        let near = self.addresses.iter().position(fits);
        let gateway = if peer.is_v4() {
            self.gateway_v4
        } else {
            self.gateway_v6
        };
        let family = || {
            self.addresses
                .iter()
                .position(|(own, _)| own.is_v4() == peer.is_v4())
        };
        near.or_else(|| gateway.and_then(|_| family()))
            .map(|index| index as u8)
    }

    fn free_key(&mut self, peer: Address, remote_port: u16) -> Result<Key, OpenError> {
        let local = self.source_for(peer).ok_or(OpenError::NoRoute)?;
        for _ in EPHEMERAL {
            self.next_port = self.next_port.wrapping_add(1) | *EPHEMERAL.start();
            let key = Key {
                remote: peer,
                remote_port,
                local_port: self.next_port,
                local,
            };
            if self.find_connection(&key).is_none() {
                return Ok(key);
            }
        }
        Err(OpenError::Exhausted)
    }

    pub(crate) fn id(&self, slot: usize) -> ConnectionId {
        ConnectionId {
            slot: slot as u32,
            generation: self.connections[slot].generation,
        }
    }

    /// The slot that a user may still name.
    fn find(&self, id: ConnectionId) -> Option<usize> {
        let slot = id.slot as usize;
        let connection = self.connections.get(slot)?;
        let valid = connection.generation == id.generation
            && !connection.flags.has(Flags::ORPHAN)
            && !connection.flags.has(Flags::TELL_ACCEPTED);
        valid.then_some(slot)
    }

    /// Appends what happened, at most as many as `events` has spare capacity for; the rest is
    /// told by the next call.
    pub fn events(&mut self, events: &mut Vec<Event>) {
        // Who was told of memory may not have used it: the next in line has his turn.
        if self.can_feed() {
            self.feed_starved();
        }
        while events.len() < events.capacity() {
            let Some(slot) = self.tell.front() else {
                return;
            };
            match self.next_event(slot as usize) {
                Some(event) => events.push(event),
                None => {
                    self.tell.pop();
                }
            }
        }
    }

    fn next_event(&mut self, slot: usize) -> Option<Event> {
        let id = self.id(slot);
        let connection = &mut self.connections[slot];
        if connection.flags.take(Flags::TELL_ACCEPTED) {
            return Some(Event::Accepted {
                connection: id,
                listener: u32::from(connection.listener),
                peer: SocketAddr::new(connection.remote.to_ip(), connection.remote_port),
            });
        }
        if connection.flags.has(Flags::ORPHAN) {
            connection
                .flags
                .clear(Flags::TELL_READABLE | Flags::TELL_WRITABLE);
            return None;
        }
        if connection.state != State::Closed
            && let Some(active) = self.actives.find_mut(connection.active)
            && active.released > 0
        {
            let bytes = std::mem::take(&mut active.released);
            return Some(Event::Released {
                connection: id,
                bytes,
            });
        }
        if connection.flags.take(Flags::TELL_READABLE) {
            return Some(Event::Readable(id));
        }
        if connection.flags.take(Flags::TELL_WRITABLE) {
            return Some(Event::Writable(id));
        }
        if connection.flags.take(Flags::TELL_FAILED) {
            self.vacate(slot);
            return Some(Event::Failed(id));
        }
        None
    }

    /// Receives into `buffer`; returns how many bytes, at least 1.
    pub fn recv(&mut self, id: ConnectionId, buffer: &mut [u8]) -> Result<usize, ReceiveError> {
        let slot = self.find(id).ok_or(ReceiveError::Broken)?;
        let connection = &mut self.connections[slot];
        if let Some(active) = self.actives.find_mut(connection.active)
            && active.receive.unread() > 0
        {
            let count = active.receive.read(buffer, &mut self.chunks);
            self.after_read(slot);
            return Ok(count);
        }
        if connection.flags.has(Flags::PEER_FIN) {
            return Err(ReceiveError::EndOfStream);
        }
        if connection.state == State::Closed {
            self.vacate(slot);
            return Err(ReceiveError::Broken);
        }
        Err(ReceiveError::WouldBlock)
    }

    /// Memory came back; the peer hears of more window when it is worth a segment or two.
    fn after_read(&mut self, slot: usize) {
        self.feed_starved();
        let capacity = self.config.tcp.receive_bytes_max;
        let connection = &self.connections[slot];
        let unread = self
            .active(slot)
            .map_or(0, |active| active.receive.unread());
        let offered = distance(connection.receive_next, connection.receive_edge);
        let more = capacity.saturating_sub(unread).saturating_sub(offered);
        let worth = (2 * u32::from(connection.mss)).min(capacity / 2).max(1);
        let connection = &mut self.connections[slot];
        if more >= worth && connection.state.can_receive() {
            connection.flags.set(Flags::ACK_NOW);
        }
        self.ready.push(slot as u32);
    }

    /// Copies bytes to be sent; returns how many were taken, at least 1.
    pub fn send(&mut self, id: ConnectionId, slices: &[IoSlice<'_>]) -> Result<usize, SendError> {
        let (slot, room) = self.send_room(id)?;
        let offered: usize = slices.iter().map(|slice| slice.len()).sum();
        let connection = &self.connections[slot];
        let Some(active) = self.actives.find_mut(connection.active) else {
            return Err(SendError::WouldBlock);
        };
        let taken = active.send.copy(slices, room, &mut self.chunks);
        if taken < offered {
            self.want_write(slot);
        }
        self.ready.push(slot as u32);
        if taken == 0 && offered > 0 {
            return Err(SendError::WouldBlock);
        }
        Ok(taken)
    }

    /// Appends the handles of lent memory that is no longer looked at, whatever became of its
    /// connection: acknowledged, failed, or closed and then delivered or given up.
    pub fn returned(&mut self, handles: &mut Vec<u64>) {
        handles.append(self.chunks.returned());
    }

    /// Sends memory of the user's without a copy; it stays unchanged until [`Event::Released`]
    /// counts its bytes, or [`Stack::returned`] has its handle.
    /// Returns how many bytes were taken: whole pieces, so the last may exceed the limit.
    pub fn send_lent(&mut self, id: ConnectionId, pieces: &[Lent]) -> Result<usize, SendError> {
        let (slot, room) = self.send_room(id)?;
        let connection = &self.connections[slot];
        let Some(active) = self.actives.find_mut(connection.active) else {
            return Err(SendError::WouldBlock);
        };
        let mut taken = 0;
        let mut count = 0;
        for piece in pieces {
            // A piece of more than the limit is a quarter of the sequence space at most.
            if taken >= room || piece.length > 1 << 30 {
                break;
            }
            count += 1;
            if piece.length > 0 {
                active.send.lend(*piece);
                taken += piece.length as usize;
            }
        }
        if count < pieces.len() {
            self.want_write(slot);
        }
        self.ready.push(slot as u32);
        if taken == 0 && count < pieces.len() {
            return Err(SendError::WouldBlock);
        }
        Ok(taken)
    }

    /// How many bytes a connection may take now, with buffers at hand.
    fn send_room(&mut self, id: ConnectionId) -> Result<(usize, usize), SendError> {
        let slot = self.find(id).ok_or(SendError::Broken)?;
        let connection = &mut self.connections[slot];
        if connection.state == State::Closed {
            self.vacate(slot);
            return Err(SendError::Broken);
        }
        if matches!(connection.state, State::SynSent | State::SynReceived) {
            connection.flags.set(Flags::WANTS_WRITE);
            return Err(SendError::WouldBlock);
        }
        if !connection.state.can_send() {
            return Err(SendError::Broken);
        }
        let limit = self.config.tcp.send_bytes_max as usize;
        let Some(active) = self.activate(slot) else {
            self.want_write(slot);
            return Err(SendError::WouldBlock);
        };
        let room = limit.saturating_sub(active.send.bytes() as usize);
        if room == 0 {
            self.connections[slot].flags.set(Flags::WANTS_WRITE);
            return Err(SendError::WouldBlock);
        }
        Ok((slot, room))
    }

    /// Notes that the user waits; where he waits for memory, he is in the queue for it.
    fn want_write(&mut self, slot: usize) {
        let connection = &mut self.connections[slot];
        let asked = connection.flags.has(Flags::WANTS_WRITE);
        connection.flags.set(Flags::WANTS_WRITE);
        let generation = connection.generation;
        if !asked && (self.chunks.free() == 0 || connection.active == NONE) {
            self.starved.push_back((slot as u32, generation));
        }
    }

    /// No more will be sent; the peer sees the end after all bytes. Receiving goes on.
    pub fn finish_sending(&mut self, id: ConnectionId) {
        if let Some(slot) = self.find(id) {
            self.queue_fin(slot);
        }
    }

    fn queue_fin(&mut self, slot: usize) {
        let connection = &mut self.connections[slot];
        connection.state = match connection.state {
            State::Established => State::FinWait1,
            State::CloseWait => State::LastAck,
            _ => return,
        };
        connection.flags.set(Flags::FIN_QUEUED);
        self.ready.push(slot as u32);
    }

    /// Ends the connection: what was taken is still delivered, the id is stale at once, no further
    /// event names it. Lent memory stays lent until [`Stack::returned`] has its handle.
    pub fn close(&mut self, id: ConnectionId, now: Nanos) {
        let Some(slot) = self.find(id) else {
            return;
        };
        let now = self.clock(now);
        self.queue_fin(slot);
        let connection = &mut self.connections[slot];
        match connection.state {
            State::Closed | State::SynSent => return self.vacate(slot),
            State::SynReceived => {
                self.reset(slot);
                return self.vacate(slot);
            }
            State::FinWait2 => connection.retransmit_at = now + self.config.tcp.fin_wait,
            _ => {}
        }
        connection.flags.set(Flags::ORPHAN);
        connection.generation = connection.generation.wrapping_add(1);
        let generation = connection.generation;
        if connection.state == State::TimeWait {
            // Its place in the queue is under the new name.
            self.time_wait.push_back((slot as u32, generation));
        }
        if connection.flags.take(Flags::COUNTED) {
            self.established -= 1;
        }
        if let Some(active) = self.actives.find_mut(connection.active) {
            active.receive.clear(&mut self.chunks);
            active.early_fin = None;
            active.released = 0;
            self.feed_starved();
        }
        self.ready.push(slot as u32);
    }

    /// Ends the connection at once, by a reset; nothing is delivered any more.
    pub fn abort(&mut self, id: ConnectionId) {
        let Some(slot) = self.find(id) else {
            return;
        };
        let state = self.connections[slot].state;
        if !matches!(state, State::Closed | State::SynSent | State::TimeWait) {
            self.reset(slot);
        }
        self.vacate(slot);
    }

    /// The hardware address of a connection's next hop, where it is known.
    pub(crate) fn known_link(&self, slot: usize) -> Option<Mac> {
        let hop = self.next_hop(self.connections[slot].remote)?;
        self.neighbours.known(hop)
    }
}

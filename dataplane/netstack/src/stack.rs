//! The owner of all state: where frames come in and leave.

use std::collections::VecDeque;
use std::io::IoSlice;

use crate::chunks::Chunks;
use crate::config::{Nanos, StackConfig};
use crate::list::{List, NONE};
use crate::neighbour::Neighbours;
use crate::replies::Replies;
use crate::statistics::Statistics;
use crate::table::{Key, Table};
use crate::tcp::{Active, Actives, Connection, Cookies, Flags, Lender, Listener, RateLimit, State};
use crate::wheel::Wheel;
use crate::wire::ip::Address;

/// A frame that leaves: headers, then payload where it lies.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    pub slices: &'a [IoSlice<'a>],
    /// Where the device inserts the checksum ([`crate::Offloads::transmit_checksum`]).
    pub checksum: Option<ChecksumOffload>,
    /// Payload bytes of each segment that the device cuts the frame into; 0: leave it whole.
    pub segment_bytes: u16,
}

/// The checksum of everything from `start` goes to `start + offset`, where the sum of the
/// pseudo-header is already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChecksumOffload {
    pub start: u16,
    pub offset: u16,
}

/// TCP/IP over one queue of a device, for one thread. See the crate's documentation.
pub struct Stack {
    pub(crate) config: StackConfig,
    pub(crate) addresses: Vec<(Address, u8)>,
    pub(crate) gateway_v4: Option<Address>,
    pub(crate) gateway_v6: Option<Address>,
    pub(crate) connections: Vec<Connection>,
    free: u32,
    pub(crate) in_use: usize,
    pub(crate) established: usize,
    pub(crate) table: Table,
    pub(crate) wheel: Wheel,
    /// Connections that may have something to send.
    pub(crate) ready: List,
    /// Connections that have something to tell the user.
    pub(crate) tell: List,
    pub(crate) actives: Actives,
    pub(crate) chunks: Chunks,
    pub(crate) neighbours: Neighbours,
    pub(crate) listeners: Vec<Listener>,
    pub(crate) replies: Replies,
    pub(crate) cookies: Cookies,
    pub(crate) rate_limit: RateLimit,
    /// In the order in which they end; some may be gone (slot, generation).
    pub(crate) time_wait: VecDeque<(u32, u32)>,
    /// Connections whose users wait for buffer memory.
    pub(crate) starved: VecDeque<(u32, u32)>,
    /// Connections that wait for a neighbour's answer.
    pub(crate) parked: VecDeque<(u32, u32)>,
    pub(crate) identification: u16,
    pub(crate) next_port: u16,
    pub(crate) statistics: Statistics,
    /// The latest time that was told.
    clock: Nanos,
}

/// Frames that a connection may send while others wait.
const QUANTUM: usize = 16;

/// Connections that wait for neighbours at most; others wait for their timers.
pub(crate) const PARKED_MAX: usize = 1_024;

impl Stack {
    /// Makes a stack whose clock stands at `now`. Memory is reserved here; most of it is touched
    /// only when it is used.
    pub fn new(config: StackConfig, now: Nanos) -> Stack {
        let limits = config.limits;
        let capacity = limits.connections_max;
        let key = |salt: u8| -> [u8; 16] {
            let mut key = [0; 16];
            key.copy_from_slice(&config.seed[..16]);
            key.iter_mut().for_each(|byte| *byte ^= salt);
            key
        };
        let mut cookie_key = [0; 16];
        cookie_key.copy_from_slice(&config.seed[16..]);
        let gateway = |v4: bool| {
            let mut all = config
                .gateways
                .iter()
                .map(|gateway| Address::from(*gateway));
            all.find(|gateway| gateway.is_v4() == v4)
        };
        let mut neighbours = Neighbours::new(limits.neighbours_max, key(1));
        for (address, mac) in &config.static_neighbours {
            neighbours.insert_fixed(Address::from(*address), *mac);
        }
        let frame_bytes = config.mtu + crate::wire::ethernet::HEADER_MAX;
        Stack {
            addresses: config
                .addresses
                .iter()
                .take(usize::from(u8::MAX))
                .map(|(address, prefix)| (Address::from(*address), *prefix))
                .collect(),
            gateway_v4: gateway(true),
            gateway_v6: gateway(false),
            connections: Vec::with_capacity(capacity),
            free: NONE,
            in_use: 0,
            established: 0,
            table: Table::new(capacity, key(2)),
            wheel: Wheel::new(capacity, now),
            ready: List::new(capacity),
            tell: List::new(capacity),
            actives: Actives::new(limits.active_max),
            chunks: Chunks::new(limits.chunks_max, limits.chunk_bytes),
            neighbours,
            listeners: Vec::new(),
            replies: Replies::new(limits.replies_max, frame_bytes, limits.replies_per_second),
            cookies: Cookies::new(cookie_key),
            rate_limit: RateLimit::new(limits.connections_per_second, key(3)),
            time_wait: VecDeque::with_capacity(limits.time_wait_max),
            starved: VecDeque::new(),
            parked: VecDeque::with_capacity(PARKED_MAX),
            identification: u16::from_be_bytes([config.seed[0], config.seed[1]]),
            next_port: u16::from_be_bytes([config.seed[2], config.seed[3]]),
            statistics: Statistics::default(),
            clock: now,
            config,
        }
    }

    /// The time as told, which never goes back: timers rely on it.
    pub(crate) fn clock(&mut self, now: Nanos) -> Nanos {
        self.clock = self.clock.max(now);
        self.clock
    }

    /// The latest time that was told.
    pub(crate) fn time(&self) -> Nanos {
        self.clock
    }

    /// Whether [`Stack::transmit`] has something to do.
    pub fn wants_transmit(&self) -> bool {
        !self.replies.is_empty() || self.ready.front().is_some()
    }

    /// Lets connections and replies send: calls `sink` with each frame, at most `frames_max`
    /// times; false from `sink` means that it did not take the frame, and ends the call. Returns
    /// how many frames were taken. `lender` resolves what [`Stack::send_lent`] was given.
    ///
    /// Call it after frames were received, timers polled and user calls made, while
    /// [`Stack::wants_transmit`].
    pub fn transmit_lent(
        &mut self,
        now: Nanos,
        frames_max: usize,
        lender: &dyn Lender,
        sink: &mut dyn FnMut(&Frame<'_>) -> bool,
    ) -> usize {
        let now = self.clock(now);
        let mut sent = 0;
        while sent < frames_max {
            let Some(frame) = self.replies.front() else {
                break;
            };
            let whole = Frame {
                slices: &[IoSlice::new(frame)],
                checksum: None,
                segment_bytes: 0,
            };
            if !sink(&whole) {
                return sent;
            }
            self.replies.pop();
            self.statistics.frames_sent += 1;
            sent += 1;
        }
        while sent < frames_max {
            let Some(slot) = self.ready.front() else {
                break;
            };
            // Others have their turn after some frames.
            let quantum = if self.ready.has_several() {
                QUANTUM
            } else {
                usize::MAX
            };
            let mut room = (frames_max - sent).min(quantum);
            let offered = room;
            self.ready.pop();
            let finished = self.transmit_connection(slot as usize, now, &mut room, lender, sink);
            sent += offered - room;
            self.settle(slot as usize, now);
            if !finished {
                self.ready.push(slot);
                if room > 0 {
                    // The device is full.
                    break;
                }
            }
        }
        sent
    }

    /// [`Stack::transmit_lent`] for users that never lend.
    pub fn transmit(
        &mut self,
        now: Nanos,
        frames_max: usize,
        sink: &mut dyn FnMut(&Frame<'_>) -> bool,
    ) -> usize {
        self.transmit_lent(now, frames_max, &NothingLent, sink)
    }

    /// A control block for `key`, in the table; None where all are in use.
    pub(crate) fn occupy(&mut self, key: &Key, state: State, now: Nanos) -> Option<usize> {
        if self.free == NONE && self.connections.len() >= self.config.limits.connections_max {
            self.recycle_time_wait();
        }
        let slot = if self.free != NONE {
            let slot = self.free;
            let old = self.connections[slot as usize];
            self.free = old.send_next;
            self.connections[slot as usize] = Connection::new(key, state, old.generation);
            slot
        } else if self.connections.len() < self.config.limits.connections_max {
            self.connections.push(Connection::new(key, state, 1));
            self.table.grow();
            self.wheel.grow();
            self.ready.grow();
            self.tell.grow();
            self.connections.len() as u32 - 1
        } else {
            return None;
        };
        self.table.insert(key, slot);
        self.connections[slot as usize].heard_at = now;
        self.in_use += 1;
        Some(slot as usize)
    }

    /// Takes a connection out of the table and gives back its memory; its id stays valid for the
    /// user until [`Stack::vacate`].
    pub(crate) fn detach(&mut self, slot: usize) {
        let connection = &mut self.connections[slot];
        if connection.state == State::Closed {
            return;
        }
        if connection.state == State::SynReceived && connection.flags.has(Flags::PASSIVE) {
            let listener = &mut self.listeners[usize::from(connection.listener)];
            listener.half_open -= 1;
        }
        connection.state = State::Closed;
        if connection.flags.take(Flags::COUNTED) {
            self.established -= 1;
        }
        let key = connection.key();
        self.table.remove(&key, slot as u32);
        self.wheel.remove(slot as u32);
    }

    /// Frees the control block; ids of it are stale.
    pub(crate) fn vacate(&mut self, slot: usize) {
        self.detach(slot);
        self.give_back_active(slot);
        let connection = &mut self.connections[slot];
        connection.generation = connection.generation.wrapping_add(1);
        connection.flags = Flags::default();
        connection.send_next = self.free;
        self.free = slot as u32;
        self.in_use -= 1;
    }

    pub(crate) fn give_back_active(&mut self, slot: usize) {
        let index = std::mem::replace(&mut self.connections[slot].active, NONE);
        if index != NONE {
            self.actives.give_back(index, &mut self.chunks);
            self.feed_starved();
        }
    }

    fn recycle_time_wait(&mut self) {
        while let Some((slot, generation)) = self.time_wait.pop_front() {
            let connection = &self.connections[slot as usize];
            if connection.generation == generation && connection.state == State::TimeWait {
                self.statistics.time_wait_recycled += 1;
                self.vacate(slot as usize);
                return;
            }
        }
    }

    /// The buffers of a connection, taken from the pool where it has none.
    pub(crate) fn activate(&mut self, slot: usize) -> Option<&mut Active> {
        let connection = &mut self.connections[slot];
        if connection.active == NONE {
            connection.active = self.actives.take()?;
            let active = self.actives.find_mut(connection.active)?;
            let fin = u32::from(connection.flags.has(Flags::FIN_SENT));
            active.send.begin(connection.send_next.wrapping_sub(fin));
            if connection.flags.take(Flags::PROBE_UNJUDGED) {
                let end = connection.send_unacknowledged;
                active.rack.start_probe(end, true);
            }
        }
        self.actives.find_mut(connection.active)
    }

    pub(crate) fn active(&self, slot: usize) -> Option<&Active> {
        self.actives.find(self.connections[slot].active)
    }

    /// Somebody waits for memory, and there is some.
    pub(crate) fn can_feed(&self) -> bool {
        !self.starved.is_empty() && self.chunks.free() > 0 && self.actives.has_free()
    }

    /// Memory came back: those whose users wait may go on.
    pub(crate) fn feed_starved(&mut self) {
        while let Some((slot, generation)) = self.starved.pop_front() {
            let connection = &mut self.connections[slot as usize];
            if connection.generation == generation && connection.flags.take(Flags::WANTS_WRITE) {
                connection.flags.set(Flags::TELL_WRITABLE);
                self.tell.push(slot);
                return;
            }
        }
    }

    /// The statistics so far.
    pub fn statistics(&self) -> Statistics {
        let mut statistics = self.statistics;
        statistics.neighbours_learnt = self.neighbours.learnt;
        statistics.neighbours_evicted = self.neighbours.evicted;
        statistics.neighbours_unreachable = self.neighbours.unreachable;
        statistics
    }

    /// Connections established now, with those whose peer has closed its side.
    pub fn connection_count(&self) -> usize {
        self.established
    }

    /// Bytes reserved for connections without data: control blocks, their table, timers and links.
    pub fn connection_bytes(&self) -> usize {
        self.connections.capacity() * size_of::<Connection>()
            + self.table.bytes()
            + self.wheel.bytes()
            + self.ready.bytes()
            + self.tell.bytes()
    }

    /// Control blocks in use: established, half-open and closing connections, and those whose end
    /// the user was not yet told.
    pub fn control_blocks(&self) -> usize {
        self.in_use
    }

    /// Whether all own addresses are of IPv6.
    pub fn is_v6_only(&self) -> bool {
        self.addresses.iter().all(|(address, _)| !address.is_v4())
    }

    /// What is lent at the moment: connections with data, and chunks of buffer memory.
    pub fn memory_lent(&self) -> (usize, usize) {
        (self.actives.lent(), self.chunks.lent())
    }
}

/// For users that never lend.
struct NothingLent;

impl Lender for NothingLent {
    fn bytes(&self, _: u64, _: u32, _: u32) -> &[u8] {
        &[]
    }
}

//! Connections and their answer queues.

use crate::answer::{self, Answer};
use precursor_memory::{Slab, SlabKey as Key};
use precursor_shm::Buffer;
use precursor_storage::Store;
use precursor_transport_port::ConnectionId;
use std::net::SocketAddr;

/// Answers that one connection may be owed before its requests are read on.
///
/// Kafka's own broker works on one request of a connection at a time; clients keep 5 in flight.
pub(crate) const ANSWERS_PER_CONNECTION_MAX: u16 = 64;

/// Bytes that are kept of a client's own name and of its version.
const SOFTWARE_BYTES_MAX: usize = 64;

/// What a client is, in its own words.
#[derive(Debug)]
pub(crate) struct Software {
    pub name: Box<str>,
    pub version: Box<str>,
}

impl Software {
    /// `None` when the client says nothing, or more than anybody's name is long.
    pub fn new(name: &str, version: &str) -> Option<Box<Self>> {
        let kept = !name.is_empty() && name.len().max(version.len()) <= SOFTWARE_BYTES_MAX;
        kept.then(|| {
            Box::new(Software {
                name: name.into(),
                version: version.into(),
            })
        })
    }
}

/// One client. Idle, it costs this struct and nothing else of ours: buffers and answers are lent.
pub(crate) struct Connection {
    pub id: ConnectionId,
    pub peer: SocketAddr,
    /// What it says of itself in ApiVersions (KIP-511).
    pub software: Option<Box<Software>>,
    /// Lent while there are bytes in it.
    pub buffer: Option<Buffer>,
    /// Where the first unhandled byte is, and where the received bytes end.
    pub start: u32,
    pub filled: u32,
    /// The queue of answers, oldest first.
    pub first: Option<Key>,
    last: Option<Key>,
    /// The first answer that was not handed to the transport whole, and how much of it was.
    pub sending: Option<Key>,
    pub sent: u64,
    /// Bytes taken by the transport and not let go of yet, counted from `first`.
    pub released: u64,
    pub answer_count: u16,
    /// Bytes may be waiting in the transport.
    pub readable: bool,
    /// The transport is full; an event will tell.
    pub send_blocked: bool,
    /// In the list of connections to serve.
    pub queued: bool,
    /// In the list of connections with answers to send.
    pub flush_queued: bool,
    /// No more requests are read; gone once the answers have left.
    pub closing: bool,
    /// Stopped before a request that could not be taken yet (memory, answers, control plane).
    pub paused: bool,
    /// Over a quota: not read on before a timer says so (KIP-219).
    pub muted: bool,
    /// How much of the first request in the buffer was handled before it had to wait.
    pub progress: Option<Key>,
    /// Class of the next buffer: grows while receives fill the buffer.
    pub receive_class: u8,
    /// Requests forwarded to the control plane and not answered.
    pub forwarded: u16,
    /// Milliseconds of the monotonic clock when bytes last moved.
    pub active_ms: u64,
}

impl Connection {
    fn new(id: ConnectionId, peer: SocketAddr, now_ms: u64) -> Self {
        Connection {
            id,
            peer,
            software: None,
            buffer: None,
            start: 0,
            filled: 0,
            first: None,
            last: None,
            sending: None,
            sent: 0,
            released: 0,
            answer_count: 0,
            readable: true,
            send_blocked: false,
            queued: false,
            flush_queued: false,
            closing: false,
            paused: false,
            muted: false,
            progress: None,
            receive_class: 0,
            forwarded: 0,
            active_ms: now_ms,
        }
    }

    /// Whether it has never filled the smallest buffer, as one that produces does.
    pub fn sends_little(&self) -> bool {
        self.receive_class == 0
    }

    /// Queues an answer behind those that the connection is owed already.
    pub fn push_answer(&mut self, answers: &mut Slab<Answer>, key: Key) {
        answers[key].connection = Some(self.id);
        match self.last {
            Some(last) => answers[last].next = Some(key),
            None => self.first = Some(key),
        }
        self.last = Some(key);
        if self.sending.is_none() {
            self.sending = Some(key);
            self.sent = 0;
        }
        self.answer_count += 1;
    }

    /// Counts bytes that the transport has let go of, and frees the answers they complete.
    pub fn release(&mut self, answers: &mut Slab<Answer>, store: &mut Store, bytes: u64) {
        self.released += bytes;
        while let Some(key) = self.first {
            // An answer that is still being sent is not complete, whatever a transport claims.
            if self.sending == Some(key) || self.released < answers[key].length {
                break;
            }
            self.released -= answers[key].length;
            self.first = answers[key].next;
            if self.first.is_none() {
                self.last = None;
            }
            self.answer_count -= 1;
            answer::discard(answers, store, key);
        }
    }
}

/// Slots from here on are no transport's: each is one request of the control plane (see `own`).
pub(crate) const OWN_SLOT_FIRST: u32 = 1 << 31;

/// Whether a connection stands for a request of the broker itself.
pub(crate) fn is_own(id: ConnectionId) -> bool {
    id.slot >= OWN_SLOT_FIRST
}

/// Every connection of a shard, by the transport's slot.
pub(crate) struct Connections {
    slots: Vec<Option<Connection>>,
    count: usize,
    /// By slot less [`OWN_SLOT_FIRST`]; not counted and not swept.
    own: Vec<Option<Connection>>,
}

impl Connections {
    /// Reserves address space for `most`; pages are touched as connections come.
    pub fn new(most: usize) -> Self {
        Connections {
            slots: Vec::with_capacity(most),
            count: 0,
            own: Vec::new(),
        }
    }

    pub fn open(&mut self, id: ConnectionId, peer: SocketAddr, now_ms: u64) {
        let slot = id.slot as usize;
        if slot >= self.slots.len() {
            self.slots.resize_with(slot + 1, || None);
        }
        let previous = self.slots[slot].replace(Connection::new(id, peer, now_ms));
        assert!(
            previous.is_none(),
            "a slot is closed before it is used again"
        );
        self.count += 1;
    }

    /// Opens the connection of one own request.
    pub fn open_own(&mut self, id: ConnectionId, now_ms: u64) {
        let slot = (id.slot - OWN_SLOT_FIRST) as usize;
        if slot >= self.own.len() {
            self.own.resize_with(slot + 1, || None);
        }
        let nowhere = SocketAddr::from(([0, 0, 0, 0], 0));
        self.own[slot] = Some(Connection::new(id, nowhere, now_ms));
    }

    pub fn get(&self, id: ConnectionId) -> Option<&Connection> {
        let slot = match id.slot.checked_sub(OWN_SLOT_FIRST) {
            None => self.slots.get(id.slot as usize),
            Some(own) => self.own.get(own as usize),
        };
        slot?.as_ref().filter(|connection| connection.id == id)
    }

    pub fn get_mut(&mut self, id: ConnectionId) -> Option<&mut Connection> {
        let slot = match id.slot.checked_sub(OWN_SLOT_FIRST) {
            None => self.slots.get_mut(id.slot as usize),
            Some(own) => self.own.get_mut(own as usize),
        };
        slot?.as_mut().filter(|connection| connection.id == id)
    }

    pub fn remove(&mut self, id: ConnectionId) -> Option<Connection> {
        self.get(id)?;
        if let Some(own) = id.slot.checked_sub(OWN_SLOT_FIRST) {
            return self.own[own as usize].take();
        }
        self.count -= 1;
        self.slots[id.slot as usize].take()
    }

    pub fn count(&self) -> usize {
        self.count
    }

    pub fn iter(&self) -> impl Iterator<Item = &Connection> {
        self.slots.iter().flatten()
    }
}

/// What one idle connection costs in this process, besides the kernel's socket.
pub const IDLE_CONNECTION_BYTES: usize = size_of::<Option<Connection>>();

const _: () = assert!(IDLE_CONNECTION_BYTES <= 192, "idle connections stay cheap");

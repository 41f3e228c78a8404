//! The broker's side: one shard's connected clients.

use std::collections::HashMap;
use std::io::IoSlice;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, RawFd};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use precursor_memory::spsc;
use precursor_rdma_sys::{WC_SUCCESS, WC_WITH_IMM, WorkCompletion};
use precursor_transport_port::{ConnectionId, Event, ReceiveError, SendError};

use crate::flow::Kind;
use crate::lane::{Completed, Lane};
use crate::lending::Lending;
use crate::listener::{Arrived, Door, ESTABLISHED, FromShard, Left, Shared, TAKEN, ToShard};
use crate::queue::Queue;
use crate::sys;

/// Completions taken at a time.
const BATCH: usize = 32;
/// And in one poll; the rest waits for the next.
const BATCHES_PER_POLL: usize = 8;

pub(crate) struct Client {
    pub lane: Lane,
    /// The thread's name for it.
    pub key: u64,
    number: u32,
    peer: SocketAddr,
    shared: Arc<Shared>,
    /// It was accepted, as far as the shard knows.
    announced: bool,
    /// Readable was reported, and `receive` has not come to the end since.
    reported: bool,
    /// The last send was not taken whole.
    send_blocked: bool,
    /// The peer is gone, or lied.
    pub gone: bool,
    /// The shard has left: the id is stale, and the slot is used until its pair is destroyed.
    pub left: bool,
    /// What it may read of the log's memory, or soon may, or could.
    pub loans: u32,
    /// Requests about that in its send queue.
    pub window_requests: u32,
}

impl Client {
    /// For the thread, which has the clock.
    fn tell_exposed(&self) {
        let exposed = self.lane.exposed();
        self.shared.exposed.store(exposed, Ordering::Relaxed);
    }
}

#[derive(Default)]
pub(crate) struct Slot {
    generation: u32,
    pub client: Option<Client>,
    /// In the list of slots to report of.
    listed: bool,
}

/// Connections over RDMA. Owned by one shard thread. Not a transport of its own: it has nothing to
/// sleep on but two descriptors, which another transport watches ([`crate::WithRdma`]).
pub struct RdmaTransport {
    queue: Arc<Queue>,
    pub(crate) slots: Vec<Slot>,
    free: Vec<u32>,
    /// Of a queue pair's number, the slot.
    numbers: HashMap<u32, u32>,
    /// Slots of which something may have to be reported.
    listed: Vec<u32>,
    connected: usize,
    door: Arc<Door>,
    messages: spsc::Receiver<ToShard>,
    leave: spsc::Sender<FromShard>,
    pub(crate) lending: Lending,
    batch: Box<[WorkCompletion]>,
}

impl RdmaTransport {
    pub(crate) fn new(
        queue: Arc<Queue>,
        door: Arc<Door>,
        messages: spsc::Receiver<ToShard>,
        leave: spsc::Sender<FromShard>,
        slot_count: usize,
    ) -> RdmaTransport {
        let mut slots = Vec::new();
        slots.resize_with(slot_count, Slot::default);
        RdmaTransport {
            queue,
            slots,
            free: (0..slot_count as u32).rev().collect(),
            numbers: HashMap::with_capacity(slot_count * 2),
            listed: Vec::with_capacity(slot_count),
            connected: 0,
            door,
            messages,
            leave,
            lending: Lending::new(),
            batch: vec![WorkCompletion::default(); BATCH].into_boxed_slice(),
        }
    }

    /// What becomes readable when there is something, after [`RdmaTransport::may_sleep`]. Whoever
    /// was woken calls [`RdmaTransport::hear`].
    pub(crate) fn descriptors(&self) -> [RawFd; 2] {
        [self.queue.descriptor(), self.door.arrived.as_raw_fd()]
    }

    /// Slots are below.
    pub(crate) fn slot_count(&self) -> u32 {
        self.slots.len() as u32
    }

    pub(crate) fn set_open(&self, open: bool) {
        self.door.open.store(open, Ordering::Release);
    }

    pub(crate) fn connection_count(&self) -> usize {
        self.connected
    }

    pub(crate) fn refused_count(&self) -> u64 {
        self.door.refused.load(Ordering::Relaxed)
    }

    /// Takes completions and reports what they mean. Returns whether there was anything.
    pub(crate) fn poll(&mut self, events: &mut Vec<Event>) -> bool {
        let mut found = false;
        if self.door.changed.load(Ordering::Relaxed) {
            found = true;
            self.take_messages();
        }
        found |= self.complete(BATCHES_PER_POLL);
        found |= !self.listed.is_empty() || !self.lending.events.is_empty();
        self.report(events);
        found
    }

    /// Whether there is nothing now; what comes then makes a descriptor readable.
    pub(crate) fn may_sleep(&mut self, events: &mut Vec<Event>) -> bool {
        self.queue.arm() && !self.poll(events)
    }

    /// Makes the descriptors not readable.
    pub(crate) fn hear(&mut self) {
        self.queue.hear();
        sys::quiet(self.door.arrived.as_raw_fd());
    }

    /// The thread has told something.
    fn take_messages(&mut self) {
        // Before what it tells of is looked at, so that no later word is lost.
        self.door.changed.swap(false, Ordering::AcqRel);
        while let Some(message) = self.messages.try_receive() {
            match message {
                ToShard::Arrived(arrived) => self.take(arrived),
                ToShard::Freed { slot } => self.free(slot),
                ToShard::Lent { loan, windows } => self.registered(loan, windows),
                ToShard::Returned { loan } => self.returned(loan),
            }
        }
        for slot in 0..self.slots.len() as u32 {
            if let Some(client) = &mut self.slots[slot as usize].client {
                client.gone |= client.shared.gone.load(Ordering::Acquire);
                self.list(slot);
            }
        }
    }

    fn take(&mut self, arrived: Arrived) {
        let Some(slot) = self.free.pop() else {
            // There are as many slots as the thread offers clients for.
            return self.leave(Left {
                key: arrived.key,
                slot: None,
            });
        };
        self.numbers.insert(arrived.number, slot);
        self.slots[slot as usize].client = Some(Client {
            lane: Lane::new(arrived.pair.0, slot, arrived.memory),
            key: arrived.key,
            number: arrived.number,
            peer: arrived.peer,
            shared: arrived.shared.clone(),
            announced: false,
            reported: false,
            send_blocked: false,
            gone: false,
            left: false,
            loans: 0,
            window_requests: 0,
        });
        arrived.shared.stage.store(TAKEN, Ordering::Release);
        self.door.tell_thread();
    }

    /// A slot's pair is destroyed: after what is in the queue already, nothing comes of it.
    fn free(&mut self, slot: u32) {
        self.complete(self.queue.completions_max().div_ceil(BATCH) + 1);
        if let Some(client) = self.slots[slot as usize].client.take() {
            self.numbers.remove(&client.number);
            self.free.push(slot);
        }
    }

    fn complete(&mut self, batches: usize) -> bool {
        let mut found = false;
        for _ in 0..batches {
            let mut batch = std::mem::take(&mut self.batch);
            let count = self.queue.poll(&mut batch);
            for completion in &batch[..count] {
                match Completed::of(completion.user) {
                    Completed::Receive { buffer } => self.received(buffer, completion),
                    Completed::Send { slot, bytes } => self.sent(slot, Some(bytes), completion),
                    Completed::Reach { slot, .. } => self.sent(slot, None, completion),
                    Completed::Loan { slot, loan } => {
                        self.sent(slot, None, completion);
                        self.window_done(slot, loan);
                    }
                }
            }
            self.batch = batch;
            found |= count > 0;
            if count < BATCH {
                break;
            }
        }
        found
    }

    /// A message was sent (with bytes or without), or a window bound or invalidated.
    fn sent(&mut self, slot: u32, bytes: Option<bool>, completion: &WorkCompletion) {
        let entry = self.slots.get_mut(slot as usize);
        let Some(client) = entry.and_then(|entry| entry.client.as_mut()) else {
            return;
        };
        if let Some(bytes) = bytes {
            client.lane.sent(bytes);
        }
        client.gone |= completion.status != WC_SUCCESS;
        if client.left {
            return self.look_whether_drained(slot);
        }
        if client.gone || client.send_blocked {
            self.list(slot);
        } else if client.lane.tell(&self.queue).is_err() {
            client.gone = true;
            self.list(slot);
        }
    }

    /// A client that the shard has left may end when what was sent has arrived.
    fn look_whether_drained(&mut self, slot: u32) {
        if let Some(client) = &self.slots[slot as usize].client
            && !client.lane.is_sending()
        {
            client.shared.drained.store(true, Ordering::Release);
            self.door.tell_thread();
        }
    }

    fn received(&mut self, buffer: u32, completion: &WorkCompletion) {
        let queue = &*self.queue;
        let slot = self.numbers.get(&completion.queue_pair).copied();
        let client = slot.and_then(|slot| self.slots[slot as usize].client.as_mut());
        let (Some(slot), Some(client)) = (slot, client) else {
            queue.post_shared(buffer);
            return;
        };
        let sound = completion.status == WC_SUCCESS && completion.flags & WC_WITH_IMM != 0;
        let immediate = u32::from_be(completion.immediate);
        let kind = match sound && !client.gone {
            true => client
                .lane
                .take(queue, buffer, completion.length, immediate)
                .ok(),
            false => None,
        };
        if kind != Some(Kind::Bytes) {
            queue.post_shared(buffer);
        }
        client.gone |= kind.is_none();
        if client.gone || client.left {
            // A peer that breaks the rules gets nothing more from anything that it sent; of one that
            // was left it counts only what it has taken.
            client.lane.clear(&mut |buffer| {
                queue.post_shared(buffer);
            });
        }
        if client.gone {
            client.lane.revoke(true);
        }
        client.tell_exposed();
        match client.left {
            true => self.look_whether_drained(slot),
            false => self.list(slot),
        }
    }

    pub(crate) fn list(&mut self, slot: u32) {
        let entry = &mut self.slots[slot as usize];
        if !entry.listed {
            entry.listed = true;
            self.listed.push(slot);
        }
    }

    fn report(&mut self, events: &mut Vec<Event>) {
        let room = events.capacity() - events.len();
        let told = self.lending.events.len().min(room);
        events.extend(self.lending.events.drain(..told));
        while let Some(slot) = self.listed.last().copied() {
            if !self.report_of(slot, events) {
                return;
            }
            self.slots[slot as usize].listed = false;
            // Removing a client lists nothing, so that the last is still the same.
            self.listed.pop();
        }
    }

    /// Reports what there is of a slot's client; false when `events` had no room for all.
    fn report_of(&mut self, slot: u32, events: &mut Vec<Event>) -> bool {
        let entry = &mut self.slots[slot as usize];
        let id = ConnectionId {
            slot,
            generation: entry.generation,
        };
        let Some(client) = entry.client.as_mut().filter(|client| !client.left) else {
            return true;
        };
        let has_room = |events: &Vec<Event>| events.len() < events.capacity();
        if !client.announced {
            let heard = client.lane.has_bytes() || client.lane.is_ended();
            if client.gone && !heard {
                self.remove(id);
                return true;
            }
            if !heard && client.shared.stage.load(Ordering::Acquire) != ESTABLISHED {
                return true;
            }
            if !has_room(events) {
                return false;
            }
            client.announced = true;
            client.gone |= client.lane.open(&self.queue).is_err();
            // As accepted, it is treated as readable.
            client.reported = true;
            self.connected += 1;
            events.push(Event::Accepted {
                connection: id,
                listener: 0,
                peer: client.peer,
            });
        }
        let lane = &client.lane;
        let waits = !lane.is_ended() || client.send_blocked;
        if client.gone && !lane.has_bytes() && waits {
            if !has_room(events) {
                return false;
            }
            self.remove(id);
            events.push(Event::Failed(id));
            return true;
        }
        if !client.reported && (lane.has_bytes() || lane.is_ended()) {
            if !has_room(events) {
                return false;
            }
            client.reported = true;
            events.push(Event::Readable(id));
        }
        if client.send_blocked && lane.has_room() {
            if !has_room(events) {
                return false;
            }
            client.send_blocked = false;
            events.push(Event::Writable(id));
        }
        true
    }

    pub(crate) fn client(&mut self, id: ConnectionId) -> Option<&mut Client> {
        let slot = self.slots.get_mut(id.slot as usize)?;
        let here = |client: &&mut Client| !client.left && slot.generation == id.generation;
        slot.client.as_mut().filter(here)
    }

    pub(crate) fn receive(
        &mut self,
        id: ConnectionId,
        buffer: &mut [u8],
    ) -> Result<usize, ReceiveError> {
        assert!(!buffer.is_empty(), "a receive needs room");
        let queue = self.queue.clone();
        let Some(client) = self.client(id) else {
            return Err(ReceiveError::Broken);
        };
        if !client.lane.has_bytes() {
            if client.lane.is_ended() {
                return Err(ReceiveError::EndOfStream);
            }
            if client.gone {
                self.remove(id);
                return Err(ReceiveError::Broken);
            }
            client.reported = false;
            return Err(ReceiveError::WouldBlock);
        }
        let mut release = |buffer| {
            queue.post_shared(buffer);
        };
        let length = client.lane.read(&queue, buffer, &mut release);
        client.gone |= client.lane.tell(&queue).is_err();
        Ok(length)
    }

    pub(crate) fn send(
        &mut self,
        id: ConnectionId,
        slices: &[IoSlice<'_>],
    ) -> Result<usize, SendError> {
        let queue = self.queue.clone();
        let Some(client) = self.client(id) else {
            return Err(SendError::Broken);
        };
        if client.gone {
            self.remove(id);
            return Err(SendError::Broken);
        }
        let Ok(taken) = client.lane.write(&queue, slices) else {
            self.remove(id);
            return Err(SendError::Broken);
        };
        client.tell_exposed();
        client.send_blocked |= taken < slices.iter().map(|slice| slice.len()).sum();
        match taken {
            0 => Err(SendError::WouldBlock),
            taken => Ok(taken),
        }
    }

    /// The peer still receives what was sent, and then the end.
    pub(crate) fn close(&mut self, id: ConnectionId) {
        let queue = self.queue.clone();
        if let Some(client) = self.client(id) {
            // Before the end: who knows of it has no right to write.
            client.lane.revoke(false);
            client.gone |= client.lane.finish(&queue).is_err();
            self.remove(id);
        }
    }

    /// Leaves a client; the thread ends it when what was sent has arrived.
    fn remove(&mut self, id: ConnectionId) {
        let queue = self.queue.clone();
        let Some(client) = self.client(id) else {
            return;
        };
        client.left = true;
        client.lane.revoke(true);
        client.lane.clear(&mut |buffer| {
            queue.post_shared(buffer);
        });
        if client.gone || !client.lane.is_sending() {
            client.shared.drained.store(true, Ordering::Release);
        }
        let (key, announced) = (client.key, client.announced);
        let slot = &mut self.slots[id.slot as usize];
        slot.generation = slot.generation.wrapping_add(1);
        self.connected -= usize::from(announced);
        self.door.clients.fetch_sub(1, Ordering::AcqRel);
        self.door.clients_total.fetch_sub(1, Ordering::AcqRel);
        self.leave(Left {
            key,
            slot: Some(id.slot),
        });
    }

    fn leave(&mut self, left: Left) {
        self.tell_thread(FromShard::Left(left));
    }

    pub(crate) fn tell_thread(&mut self, told: FromShard) {
        // There is room for all; a thread that has ended has ended its connections.
        let _ = self.leave.try_send(told);
        self.door.tell_thread();
    }
}

#[cfg(all(test, feature = "lab"))]
impl RdmaTransport {
    pub(crate) fn raw_region(&self) -> (u64, u32) {
        self.queue.raw_region()
    }
}

impl Drop for RdmaTransport {
    fn drop(&mut self) {
        self.set_open(false);
        self.take_messages();
        for slot in 0..self.slots.len() as u32 {
            let generation = self.slots[slot as usize].generation;
            self.close(ConnectionId { slot, generation });
        }
        self.door.tell_thread();
    }
}

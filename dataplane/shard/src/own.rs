//! Requests of the broker itself: what the control plane asks over its ring, answered by the same
//! handlers as a client's.
//!
//! Each request is a connection of its own, so that one that waits (an append for durability, a
//! fetch for bytes) holds up no other; its answer goes into the control ring, from where it lies.

use crate::connection::{OWN_SLOT_FIRST, is_own};
use crate::control::Pushed;
use crate::core::{Core, Handled};
use crate::handlers;
use crate::send::Slices;
use precursor_protocol::frame::LENGTH_PREFIX;
use precursor_shm::control::{FRAGMENT_LENGTH_MAX, ToControl};
use precursor_transport_port::ConnectionId;

/// Requests that are in work at a time; the control plane keeps to it.
pub(crate) const OWN_REQUESTS_MAX: usize = 256;

/// Memory for a frame that a slot keeps for its next request.
const FRAME_KEPT_BYTES_MAX: usize = 64 << 10;

/// Answers for which the ring had no room look again this often: nobody tells of room.
pub(crate) const RING_RETRY_US: u64 = 500;

#[derive(Default)]
struct Slot {
    id: Option<ConnectionId>,
    token: u64,
    /// Copied out of the ring: what was checked must not change under the handler.
    frame: Vec<u8>,
}

/// The requests of the control plane that are under way. Belongs to the shard's thread.
#[derive(Default)]
pub(crate) struct OwnRequests {
    slots: Vec<Slot>,
    free: Vec<u32>,
    generation: u32,
    /// The slot whose frame has not come whole.
    assembling: Option<u32>,
    /// Answers that wait for room in the ring.
    blocked: Vec<ConnectionId>,
}

impl OwnRequests {
    pub fn is_blocked(&self) -> bool {
        !self.blocked.is_empty()
    }

    fn slot(&mut self, id: ConnectionId) -> Option<&mut Slot> {
        let slot = self.slots.get_mut((id.slot - OWN_SLOT_FIRST) as usize)?;
        (slot.id == Some(id)).then_some(slot)
    }

    /// A free slot; `None` when the control plane asks too much at a time.
    fn open(&mut self, token: u64) -> Option<u32> {
        let index = match self.free.pop() {
            Some(index) => index,
            None if self.slots.len() < OWN_REQUESTS_MAX => {
                self.slots.push(Slot::default());
                // Room for every slot, so that giving back never allocates.
                self.free.reserve(self.slots.len());
                self.blocked.reserve(self.slots.len());
                self.slots.len() as u32 - 1
            }
            None => return None,
        };
        self.generation = self.generation.wrapping_add(1);
        let slot = &mut self.slots[index as usize];
        slot.token = token;
        slot.id = Some(ConnectionId {
            slot: OWN_SLOT_FIRST + index,
            generation: self.generation,
        });
        Some(index)
    }

    /// The request's connection is gone: its slot is free.
    pub fn close(&mut self, id: ConnectionId) {
        let Some(slot) = self.slot(id) else {
            return;
        };
        slot.id = None;
        slot.frame.clear();
        slot.frame.shrink_to(FRAME_KEPT_BYTES_MAX);
        let index = id.slot - OWN_SLOT_FIRST;
        if self.assembling == Some(index) {
            self.assembling = None;
        }
        self.free.push(index);
    }
}

/// Takes a piece of a request, and handles it with the last one.
pub(crate) fn take(core: &mut Core, token: u64, last: bool, bytes: &[u8]) {
    let continued = core
        .own
        .assembling
        .filter(|index| core.own.slots[*index as usize].token == token);
    let Some(index) = continued.or_else(|| begin(core, token)) else {
        core.stats.control_malformed.add(1);
        // Its first piece says that it is refused, its other pieces come to the same.
        core.control.tell(&ToControl::OwnResponse {
            token,
            last: true,
            bytes: &[],
        });
        return;
    };
    let slot = &mut core.own.slots[index as usize];
    let Some(id) = slot.id else {
        return;
    };
    let bytes_max = core.options.request_bytes_max;
    if slot.frame.len() + bytes.len() > bytes_max {
        return refuse(core, id);
    }
    slot.frame.extend_from_slice(bytes);
    core.own.assembling = (!last).then_some(index);
    if last {
        serve(core, id);
    }
}

fn begin(core: &mut Core, token: u64) -> Option<u32> {
    // The pieces of one request come one after another: an unfinished one stays so.
    if let Some(unfinished) = core.own.assembling.take()
        && let Some(id) = core.own.slots[unfinished as usize].id
    {
        core.stats.control_malformed.add(1);
        refuse(core, id);
    }
    let index = core.own.open(token)?;
    let now_ms = core.now_ms();
    if let Some(id) = core.own.slots[index as usize].id {
        core.connections.open_own(id, now_ms);
    }
    Some(index)
}

/// Hands the request to its handler, also again after it had to wait for memory.
pub(crate) fn serve(core: &mut Core, id: ConnectionId) {
    let Some(slot) = core.own.slot(id) else {
        return;
    };
    let frame = std::mem::take(&mut slot.frame);
    let handled = handlers::dispatch(core, id, &frame);
    if let Some(slot) = core.own.slot(id) {
        slot.frame = frame;
    }
    match handled {
        Handled::Done => match core.connections.get(id).map(|connection| connection.first) {
            // What is ready leaves before clients have their turn.
            Some(Some(_)) => flush(core, id),
            // A produce with acks=0.
            _ => refuse(core, id),
        },
        Handled::Blocked => {
            if let Some(connection) = core.connections.get_mut(id) {
                connection.paused = true;
            }
        }
        Handled::Close(_) => refuse(core, id),
    }
}

/// Says that there is no answer.
pub(crate) fn refuse(core: &mut Core, id: ConnectionId) {
    if let Some(slot) = core.own.slot(id) {
        let token = slot.token;
        core.control.tell(&ToControl::OwnResponse {
            token,
            last: true,
            bytes: &[],
        });
    }
    core.forget_connection(id);
}

/// Writes the answer into the control ring, as far as there is room.
pub(crate) fn flush(core: &mut Core, id: ConnectionId) {
    let Some(token) = core.own.slot(id).map(|slot| slot.token) else {
        return;
    };
    let Some(connection) = core.connections.get_mut(id) else {
        return;
    };
    connection.flush_queued = false;
    let Some(key) = connection.first else {
        return;
    };
    let answer = &core.answers[key];
    if !answer.ready {
        return;
    }
    loop {
        let most = FRAGMENT_LENGTH_MAX as u64;
        let mut slices = Slices::within(LENGTH_PREFIX as u64 + connection.sent, most);
        slices.push_answer(answer, &core.store);
        let sent = connection.sent + slices.bytes();
        let last = sent + LENGTH_PREFIX as u64 >= answer.length;
        match core.control.push_own(token, last, slices.list()) {
            Pushed::All => connection.sent = sent,
            Pushed::Full => {
                core.own.blocked.push(id);
                return;
            }
        }
        if last {
            break;
        }
    }
    core.forget_connection(id);
}

/// Answers for which there was no room try again. Returns whether there were any.
pub(crate) fn flush_blocked(core: &mut Core) -> bool {
    let count = core.own.blocked.len();
    for _ in 0..count {
        // Those that stay blocked go to the end.
        let id = core.own.blocked.remove(0);
        flush(core, id);
        if core.own.blocked.last() == Some(&id) {
            break;
        }
    }
    count > 0
}

/// A hello: whatever was asked before is for nobody.
pub(crate) fn forget_all(core: &mut Core) {
    for index in 0..core.own.slots.len() {
        if let Some(id) = core.own.slots[index].id {
            debug_assert!(is_own(id));
            core.forget_connection(id);
        }
    }
    core.own.assembling = None;
    core.own.blocked.clear();
}

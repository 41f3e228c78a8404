//! Requests of the broker itself: what the control plane asks over its ring, answered by the same
//! handlers as a client's.
//!
//! Each request is a connection of its own, so that one that waits (an append for durability, a
//! fetch for bytes) holds up no other; its answer goes into the control ring, from where it lies.

use crate::connection::{OWN_SLOT_FIRST, is_own};
use crate::control::{self, Pushed};
use crate::core::{Core, Handled};
use crate::handlers;
use crate::send::Slices;
use precursor_protocol::frame::LENGTH_PREFIX;
use precursor_protocol::header::parse_response;
use precursor_protocol::messages::ProduceResponse;
use precursor_protocol::{ApiKey, RequestHeader};
use precursor_shm::control::{FRAGMENT_LENGTH_MAX, ToControl};
use precursor_transport_port::ConnectionId;

/// Requests that are in work at a time; the control plane keeps to it.
pub(crate) const OWN_REQUESTS_MAX: usize = 256;

/// Memory for a frame that a slot keeps for its next request.
const FRAME_KEPT_BYTES_MAX: usize = 64 << 10;

/// Held responses at a time, and bytes of each: far more than the control plane has requests.
const HELD_MAX: usize = 8_192;
const HELD_BYTES_MAX: usize = 4 << 20;

/// Answers for which the ring had no room look again this often: nobody tells of room.
pub(crate) const RING_RETRY_US: u64 = 500;

#[derive(Default)]
struct Slot {
    id: Option<ConnectionId>,
    token: u64,
    /// Copied out of the ring: what was checked must not change under the handler.
    frame: Vec<u8>,
}

/// A response to a client that leaves with the success of an own request.
struct Held {
    own: u64,
    token: u64,
    /// All of it is here.
    whole: bool,
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
    held: Vec<Held>,
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
        let token = slot.token;
        // Of a request that failed: the control plane responds.
        self.held.retain(|held| held.own != token);
        let index = id.slot - OWN_SLOT_FIRST;
        if self.assembling == Some(index) {
            self.assembling = None;
        }
        self.free.push(index);
    }
}

/// Takes a piece of a response that is to leave with the success of the own request `own`.
pub(crate) fn hold(core: &mut Core, own: u64, token: u64, last: bool, bytes: &[u8]) {
    let held = &mut core.own.held;
    // The pieces of one response come one after another.
    let continued = held
        .pop_if(|held| held.token == token && held.own == own && !held.whole)
        .map(|held| held.frame);
    let mut frame = continued.unwrap_or_default();
    if held.len() >= HELD_MAX || frame.len() + bytes.len() > HELD_BYTES_MAX {
        core.stats.control_malformed.add(1);
        return control::lost(core, token);
    }
    frame.extend_from_slice(bytes);
    core.own.held.push(Held {
        own,
        token,
        whole: last,
        frame,
    });
}

/// The own request has appended what it brought: what was held for that leaves.
fn let_go(core: &mut Core, own: u64) {
    // In the order in which they came: requests of one connection do. One pass, whatever their number.
    let mut held = std::mem::take(&mut core.own.held);
    for response in held.extract_if(.., |held| held.own == own) {
        if response.whole {
            control::respond(core, response.token, true, &response.frame);
        } else {
            core.stats.control_malformed.add(1);
            control::lost(core, response.token);
        }
    }
    core.own.held = held;
}

/// Whether the answer to an append of one partition says that it was done.
fn has_appended(request: &[u8], answer: &[u8]) -> bool {
    let Ok((header, _)) = RequestHeader::parse(request) else {
        return false;
    };
    let version = header.api_version;
    if header.api_key != ApiKey::Produce as i16 {
        return false;
    }
    let response = parse_response(answer, ApiKey::Produce, version)
        .and_then(|(_, body)| ProduceResponse::decode(body, version));
    response.is_ok_and(|response| {
        let partitions = response
            .responses
            .iter()
            .flat_map(|topic| &topic.partition_responses);
        let mut codes = partitions.map(|partition| partition.error_code);
        codes.next() == Some(0) && codes.next().is_none()
    })
}

/// Takes a piece of a request, and handles it with the last one.
pub(crate) fn take(core: &mut Core, token: u64, last: bool, bytes: &[u8]) {
    let continued = core
        .own
        .assembling
        .filter(|index| core.own.slots[*index as usize].token == token);
    let Some(index) = continued.or_else(|| begin(core, token)) else {
        core.stats.control_malformed.add(1);
        core.own.held.retain(|held| held.own != token);
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
    let holds = core.own.held.iter().any(|held| held.own == token);
    let appended = holds
        && core.own.slot(id).is_some_and(|slot| {
            let bytes = core.answers[key].head.get(LENGTH_PREFIX..);
            bytes.is_some_and(|bytes| has_appended(&slot.frame, bytes))
        });
    loop {
        let most = FRAGMENT_LENGTH_MAX as u64;
        let Some(connection) = core.connections.get_mut(id) else {
            return;
        };
        let answer = &core.answers[key];
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
    // After the control plane was told, which hears of what the client does next by the same ring.
    if appended {
        let_go(core, token);
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
    core.own.held.clear();
}

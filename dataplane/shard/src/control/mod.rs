//! The data plane's side of the control rings.

mod applying;
mod describe;
mod inbound;

pub(crate) use describe::{Describing, go_on as describe_logs};
pub(crate) use inbound::{hello, log_settled, lost, receive, respond};

use self::applying::Applying;
use crate::send::SLICES_MAX;
use precursor_memory::SlabKey as Key;
use precursor_shm::control::{FRAGMENT_LENGTH_MAX, Origin, ToControl};
use precursor_shm::{Doorbell, ring};
use precursor_transport_port::ConnectionId;
use std::collections::{HashMap, VecDeque};
use std::io::IoSlice;

/// Bytes that may wait for a control plane that is away or slow; past it, connections that want to
/// forward more are not read on.
const OUTBOUND_BYTES_MAX: usize = 16 << 20;

/// A message's head, and as many pieces as a list of slices has.
const OWN_PARTS_MAX: usize = 1 + SLICES_MAX;

/// Who waits for an answer of the control plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Caller {
    /// A forwarded request: the answer that is to hold the response.
    Request {
        answer: Key,
        connection: ConnectionId,
    },
    /// A Metadata request that waits for topics to be made.
    Metadata(Key),
    /// Whoever comes again later.
    Nobody,
}

struct Call {
    caller: Caller,
    /// The control plane may have seen it.
    sent: bool,
}

struct Outbound {
    /// The call that it belongs to; 0 for a message without an answer.
    token: u64,
    bytes: Vec<u8>,
}

/// Whether a record found room in the ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pushed {
    All,
    Full,
}

/// Messages to the control plane and the calls that wait for its answers.
pub(crate) struct ControlLink {
    producer: ring::Producer,
    doorbell: Doorbell,
    outbound: VecDeque<Outbound>,
    outbound_bytes: usize,
    calls: HashMap<u64, Call>,
    next_token: u64,
    scratch: Vec<u8>,
    /// Times that the ring had no room.
    pub full_count: u64,
    /// Images not yet reported as applied.
    applying: Applying,
}

impl ControlLink {
    /// `generation` keeps tokens of two lives of the data plane apart.
    pub fn new(producer: ring::Producer, doorbell: Doorbell, generation: u64) -> Self {
        ControlLink {
            producer,
            doorbell,
            outbound: VecDeque::new(),
            outbound_bytes: 0,
            calls: HashMap::new(),
            next_token: (generation << 40) + 1,
            scratch: Vec::with_capacity(64),
            full_count: 0,
            applying: Applying::default(),
        }
    }

    /// Whether one more request may be forwarded now.
    pub fn has_room(&self) -> bool {
        self.outbound_bytes < OUTBOUND_BYTES_MAX
    }

    fn enqueue(&mut self, token: u64, message: &ToControl<'_>) {
        let mut bytes = Vec::new();
        message.encode(&mut bytes);
        self.outbound_bytes += bytes.len();
        self.outbound.push_back(Outbound { token, bytes });
    }

    fn begin_call(&mut self, caller: Caller) -> u64 {
        let token = self.next_token;
        self.next_token += 1;
        let call = Call {
            caller,
            sent: false,
        };
        self.calls.insert(token, call);
        token
    }

    /// Forwards a request frame (without its length prefix).
    pub fn forward(&mut self, caller: Caller, connection: u64, origin: Origin<'_>, frame: &[u8]) {
        let token = self.begin_call(caller);
        let mut fragments = frame.chunks(FRAGMENT_LENGTH_MAX).peekable();
        while let Some(bytes) = fragments.next() {
            let message = ToControl::Request {
                token,
                connection,
                last: fragments.peek().is_none(),
                origin,
                bytes,
            };
            self.enqueue(token, &message);
        }
        self.pump();
    }

    /// Asks for topics to be made.
    pub fn ensure_topics(&mut self, caller: Caller, names: Vec<&str>) {
        let token = self.begin_call(caller);
        self.enqueue(token, &ToControl::EnsureTopics { token, names });
        self.pump();
    }

    /// Sends a message that has no answer.
    pub fn tell(&mut self, message: &ToControl<'_>) {
        self.enqueue(0, message);
        self.pump();
    }

    /// The control plane is new: whatever it is to know first goes in front of the queue. Returns
    /// the callers whose requests the earlier one took with it.
    pub fn begin_anew(&mut self, hello: &ToControl<'_>) -> Vec<Caller> {
        let mut lost = Vec::new();
        self.calls.retain(|_, call| {
            if call.sent {
                lost.push(call.caller);
            }
            !call.sent
        });
        let calls = &self.calls;
        // Messages without an answer are void too: the hello asks for everything again.
        self.outbound
            .retain(|message| calls.contains_key(&message.token));
        let mut bytes = Vec::new();
        hello.encode(&mut bytes);
        self.outbound.push_front(Outbound { token: 0, bytes });
        self.outbound_bytes = self.outbound.iter().map(|m| m.bytes.len()).sum();
        self.pump();
        lost
    }

    /// Moves what waits into the ring as far as there is room. Returns whether any moved.
    pub fn pump(&mut self) -> bool {
        let mut moved = false;
        while let Some(message) = self.outbound.front() {
            if self.producer.try_push(&[&message.bytes]).is_err() {
                self.full_count += 1;
                break;
            }
            if let Some(call) = self.calls.get_mut(&message.token) {
                call.sent = true;
            }
            self.outbound_bytes -= message.bytes.len();
            self.outbound.pop_front();
            moved = true;
        }
        if moved && self.producer.publish() {
            self.doorbell.ring();
        }
        moved
    }

    /// Writes a piece of the answer to an own request, straight from where it lies.
    pub fn push_own(&mut self, token: u64, last: bool, pieces: &[IoSlice<'_>]) -> Pushed {
        self.scratch.clear();
        let head = ToControl::OwnResponse {
            token,
            last,
            bytes: &[],
        };
        head.encode(&mut self.scratch);
        let mut parts: [&[u8]; OWN_PARTS_MAX] = [&[]; OWN_PARTS_MAX];
        parts[0] = &self.scratch;
        for (part, piece) in parts[1..].iter_mut().zip(pieces) {
            *part = piece;
        }
        if self.producer.try_push(&parts[..=pieces.len()]).is_err() {
            self.full_count += 1;
            return Pushed::Full;
        }
        if self.producer.publish() {
            self.doorbell.ring();
        }
        Pushed::All
    }

    /// Whether messages wait for room in the ring.
    pub fn is_backed_up(&self) -> bool {
        !self.outbound.is_empty()
    }

    /// Who waits for `token`; `None` for a call that was given up.
    pub fn caller(&self, token: u64) -> Option<Caller> {
        self.calls.get(&token).map(|call| call.caller)
    }

    /// Ends a call.
    pub fn end_call(&mut self, token: u64) -> Option<Caller> {
        self.calls.remove(&token).map(|call| call.caller)
    }

    /// Gives up every call of a connection that is gone.
    pub fn give_up(&mut self, gone: ConnectionId) {
        self.calls.retain(|_, call| {
            !matches!(call.caller, Caller::Request { connection, .. } if connection == gone)
        });
        let calls = &self.calls;
        // A request of which a part is in the ring goes on: the control plane awaits its last
        // fragment, and drops it by itself when it hears of the closed connection.
        let mut bytes = 0;
        self.outbound.retain(|message| {
            let keep = message.token == 0 || calls.contains_key(&message.token);
            bytes += if keep { message.bytes.len() } else { 0 };
            keep
        });
        self.outbound_bytes = bytes;
        self.tell(&ToControl::ConnectionClosed {
            connection: connection_number(gone),
        });
    }
}

/// A connection's identity on the control rings.
pub(crate) fn connection_number(id: ConnectionId) -> u64 {
    u64::from(id.generation) << 32 | u64::from(id.slot)
}

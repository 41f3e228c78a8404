//! One connection's messages: what is sent and under way, what was received and not taken.

use std::io::IoSlice;

use precursor_rdma_sys::QueuePair;

use crate::flow::{CONTROLS, CREDITS, Flow, Kind, MESSAGE_BYTES, NOTE, Violation, distance};
use crate::lending::WINDOW_REQUESTS;
use crate::memory::Memory;
use crate::queue::Queue;
use crate::reach::{Far, NOTE_BYTES, Note};

/// Requests of one connection's send queue at the broker: messages, two windows that are bound and
/// invalidated, and those of what is lent.
pub(crate) const SENDS: u32 = CREDITS + CONTROLS + 4 + WINDOW_REQUESTS;
/// Reads of what was lent that a client has under way.
pub(crate) const LOOKS_MAX: u32 = 4;
/// And at the client, which writes and reads.
pub(crate) const SENDS_WITH_REACH: u32 = CREDITS + CONTROLS + 2 * CREDITS + LOOKS_MAX + 1;
/// At the client: the number of a loan that is written to, as others are read.
pub(crate) const PUT: u32 = 1;

/// In the number of a request: it was in a send queue. Without it, the number is a receive buffer's.
const SEND: u64 = 1 << 63;
/// It sends bytes.
const BYTES: u64 = 1 << 62;
/// It sends no message: it is about memory.
const REACH: u64 = 1 << 61;
/// Where the number of a loan stands, with one added; 0: it is about none.
const LOAN_AT: u32 = 32;

/// The number of a request about a loan of the connection in a slot.
pub(crate) fn loan_user(slot: u32, loan: u32) -> u64 {
    SEND | REACH | u64::from(loan + 1) << LOAN_AT | u64::from(slot)
}

/// What the number of a completed request says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Completed {
    Receive {
        buffer: u32,
    },
    Send {
        slot: u32,
        bytes: bool,
    },
    /// With `read`, what was read from the peer is here.
    Reach {
        slot: u32,
        read: bool,
    },
    /// At the broker: one of its windows; at the client: a read of what was lent, or [`PUT`].
    Loan {
        slot: u32,
        loan: u32,
    },
}

impl Completed {
    pub fn of(user: u64) -> Completed {
        let (slot, flag) = (user as u32, user & BYTES != 0);
        let loan = (user >> LOAN_AT) as u32 & 0xFFFF;
        match (user & SEND, user & REACH, loan) {
            (0, _, _) => Completed::Receive { buffer: slot },
            (_, 0, _) => Completed::Send { slot, bytes: flag },
            (_, _, 0) => Completed::Reach { slot, read: flag },
            (_, _, loan) => Completed::Loan {
                slot,
                loan: loan - 1,
            },
        }
    }
}

/// The connection is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Broken;

#[derive(Clone, Copy)]
enum Place {
    /// In a receive buffer.
    Buffer(u32),
    /// In the memory, from there on.
    Memory(u32),
}

#[derive(Clone, Copy)]
struct Message {
    place: Place,
    length: u32,
    /// The bytes are here.
    here: bool,
}

impl Message {
    const NONE: Message = Message {
        place: Place::Buffer(0),
        length: 0,
        here: false,
    };
}

pub(crate) struct Lane {
    pair: *mut QueuePair,
    slot: u32,
    flow: Flow,
    /// Where the next message's bytes are put.
    next_buffer: u32,
    bytes_under_way: u32,
    under_way: u32,
    /// Received messages, the oldest at `first`.
    messages: [Message; CREDITS as usize],
    first: u32,
    count: u32,
    /// Bytes of the oldest that were taken.
    taken: u32,
    memory: Option<Box<Memory>>,
    /// What the broker granted, until the client has made its own.
    granted: Option<(Far, Far)>,
}

// SAFETY: a queue pair may be used by several threads; whoever owns the lane posts to it.
unsafe impl Send for Lane {}

/// Bytes to be sent, from slices.
struct Source<'a> {
    slices: std::slice::Iter<'a, IoSlice<'a>>,
    rest: &'a [u8],
    left: usize,
}

impl Source<'_> {
    /// Hands over the next bytes, piece by piece, each with where it begins.
    fn take(&mut self, length: usize, mut put: impl FnMut(usize, &[u8])) {
        let mut at = 0;
        while at < length {
            if self.rest.is_empty() {
                match self.slices.next() {
                    Some(slice) => self.rest = slice,
                    None => return,
                }
                continue;
            }
            let (now, later) = self.rest.split_at(self.rest.len().min(length - at));
            put(at, now);
            at += now.len();
            self.rest = later;
        }
        self.left -= at;
    }
}

impl Lane {
    /// Of a pair on a queue; `slot` is the lane's number there.
    pub fn new(pair: *mut QueuePair, slot: u32, memory: Option<Box<Memory>>) -> Lane {
        Lane {
            pair,
            slot,
            flow: Flow::default(),
            next_buffer: 0,
            bytes_under_way: 0,
            under_way: 0,
            messages: [Message::NONE; CREDITS as usize],
            first: 0,
            count: 0,
            taken: 0,
            memory,
            granted: None,
        }
    }

    pub fn pair(&self) -> *mut QueuePair {
        self.pair
    }

    /// The broker's side, once the connection is there and before anything is sent: gives the client
    /// its rights and tells it.
    pub fn open(&mut self, queue: &Queue) -> Result<(), Broken> {
        let user = SEND | REACH | u64::from(self.slot);
        let Some(memory) = &mut self.memory else {
            return Ok(());
        };
        let note = memory.open(self.pair, user).ok_or(Broken)?;
        self.send_note(queue, note)
    }

    /// The broker's side: the client may not write any more and, with `all`, not read.
    pub fn revoke(&mut self, all: bool) {
        let user = SEND | REACH | u64::from(self.slot);
        if let Some(memory) = &mut self.memory {
            memory.revoke(self.pair, user, all);
        }
    }

    /// The client's side: what was granted, once.
    pub fn take_granted(&mut self) -> Option<(Far, Far)> {
        self.granted.take()
    }

    /// The client's side: its own memory for what was granted.
    pub fn set_memory(&mut self, memory: Memory) {
        self.memory = Some(Box::new(memory));
    }

    /// Bytes that went and came by memory; `None` where none was granted.
    pub fn totals(&self) -> Option<(u64, u64)> {
        self.memory.as_ref().map(|memory| memory.totals)
    }

    /// 0 where the peer has told of all that it had to; else, with so much in memory for it that a
    /// peer that took it would have said so, a number that changes when it does.
    pub fn exposed(&self) -> u64 {
        match &self.memory {
            Some(memory) if memory.owes_word() => u64::from(self.flow.acknowledged()) + 1,
            _ => 0,
        }
    }

    /// Whether bytes can be sent now.
    pub fn has_room(&self) -> bool {
        self.flow.may_send() && self.bytes_under_way < CREDITS
    }

    /// Whether something that was sent is not yet known to have arrived.
    pub fn is_sending(&self) -> bool {
        self.under_way > 0
            || self
                .memory
                .as_ref()
                .is_some_and(|memory| memory.exposed() > 0)
    }

    /// Whether bytes can be taken.
    pub fn has_bytes(&self) -> bool {
        self.count > 0 && self.messages[self.first as usize].here
    }

    /// Whether the peer's end was received: after the bytes that are here, none follow.
    pub fn is_ended(&self) -> bool {
        self.flow.is_ended() && self.count == 0
    }

    /// Sends what there is room for; how many bytes.
    pub fn write(&mut self, queue: &Queue, slices: &[IoSlice<'_>]) -> Result<usize, Broken> {
        let wanted = slices.iter().map(|slice| slice.len()).sum();
        let mut source = Source {
            slices: slices.iter(),
            rest: &[],
            left: wanted,
        };
        while source.left > 0 && self.has_room() {
            if !self.write_to_memory(queue, &mut source)? {
                let buffer = self.slot * CREDITS + self.next_buffer;
                let length = source.left.min(MESSAGE_BYTES);
                source.take(length, |at, bytes| queue.write(buffer, at, bytes));
                self.send_bytes(queue, length, 0)?;
            }
        }
        Ok(wanted - source.left)
    }

    /// Whether a piece went by memory.
    fn write_to_memory(&mut self, queue: &Queue, source: &mut Source) -> Result<bool, Broken> {
        let user = SEND | REACH | u64::from(self.slot);
        let number = self.flow.sent() + 1;
        let Some(memory) = &mut self.memory else {
            return Ok(false);
        };
        let length = memory.room(source.left);
        if length == 0 {
            return Ok(false);
        }
        let position = memory.put(number, length as u32);
        source.take(length, |at, bytes| {
            memory.write(position as usize + at, bytes)
        });
        // Before the note, in the same queue: when the note arrives, the bytes are there.
        if !memory.push(self.pair, user, position, length as u32) {
            return Err(Broken);
        }
        let length = length as u32;
        self.send_note(queue, Note::At { position, length })?;
        Ok(true)
    }

    fn send_note(&mut self, queue: &Queue, note: Note) -> Result<(), Broken> {
        let buffer = self.slot * CREDITS + self.next_buffer;
        queue.write(buffer, 0, &note.encode());
        self.send_bytes(queue, NOTE_BYTES, NOTE)
    }

    /// Sends the next buffer.
    fn send_bytes(&mut self, queue: &Queue, length: usize, flags: u32) -> Result<(), Broken> {
        let buffer = self.slot * CREDITS + self.next_buffer;
        let immediate = self.flow.send() | flags;
        self.post(queue, buffer, length, immediate)?;
        self.next_buffer = (self.next_buffer + 1) % CREDITS;
        Ok(())
    }

    /// Takes received bytes; each buffer that is empty then goes to `release`.
    pub fn read(&mut self, queue: &Queue, into: &mut [u8], release: &mut dyn FnMut(u32)) -> usize {
        let mut total = 0;
        while self.has_bytes() && total < into.len() {
            let message = self.messages[self.first as usize];
            let left = (message.length - self.taken) as usize;
            let now = left.min(into.len() - total);
            let part = &mut into[total..total + now];
            match (message.place, &self.memory) {
                (Place::Buffer(buffer), _) => {
                    let from = self.taken as usize;
                    queue.read(buffer, from..from + now, part);
                }
                (Place::Memory(from), Some(memory)) => memory.read(from + self.taken, part),
                (Place::Memory(_), None) => unreachable!("it was told of by who has it"),
            }
            total += now;
            self.taken += now as u32;
            if self.taken == message.length {
                self.drop_first(release);
            }
        }
        total
    }

    fn drop_first(&mut self, release: &mut dyn FnMut(u32)) {
        let message = self.messages[self.first as usize];
        self.first = (self.first + 1) % CREDITS;
        self.count -= 1;
        self.taken = 0;
        match (message.place, &mut self.memory) {
            // Posted before the peer is told that it may send: a message never meets no buffer.
            (Place::Buffer(buffer), _) => release(buffer),
            (Place::Memory(_), Some(memory)) => memory.release(message.length),
            (Place::Memory(_), None) => {}
        }
        self.flow.release();
    }

    /// Tells the peer of released messages, if it should be told now.
    pub fn tell(&mut self, queue: &Queue) -> Result<(), Broken> {
        // One more is left for the end.
        let has_room = self.under_way - self.bytes_under_way < CONTROLS - 1;
        let last = self.is_ended();
        let memory = self.memory.as_ref().is_some_and(|memory| memory.owes(last));
        let owes = self.flow.owes() || (memory && self.flow.has_untold());
        if !owes || !has_room {
            return Ok(());
        }
        let immediate = self.flow.tell();
        self.post(queue, 0, 0, immediate)
    }

    /// Says that no more bytes will come, once.
    pub fn finish(&mut self, queue: &Queue) -> Result<(), Broken> {
        if self.flow.is_finished() {
            return Ok(());
        }
        let immediate = self.flow.finish();
        self.post(queue, 0, 0, immediate)
    }

    fn post(&mut self, queue: &Queue, buffer: u32, length: usize, imm: u32) -> Result<(), Broken> {
        let bytes = if length > 0 { BYTES } else { 0 };
        let user = SEND | bytes | u64::from(self.slot);
        if let Some(memory) = &mut self.memory {
            // Each message tells of all that was released.
            memory.told();
        }
        if !queue.send(self.pair, user, buffer, length, imm) {
            return Err(Broken);
        }
        self.under_way += 1;
        self.bytes_under_way += u32::from(length > 0);
        Ok(())
    }

    /// A send has completed.
    pub fn sent(&mut self, bytes: bool) {
        self.under_way = self.under_way.saturating_sub(1);
        self.bytes_under_way = self.bytes_under_way.saturating_sub(u32::from(bytes));
    }

    /// A message came. Only one of bytes keeps its buffer.
    pub fn take(
        &mut self,
        queue: &Queue,
        buffer: u32,
        length: u32,
        imm: u32,
    ) -> Result<Kind, Violation> {
        let before = self.flow.acknowledged();
        let kind = self.flow.receive(length, imm)?;
        if let Some(memory) = &mut self.memory {
            for newly in 1..=distance(before, self.flow.acknowledged()) {
                memory.acknowledged(before + newly);
            }
        }
        match kind {
            Kind::Bytes => self.keep(Message {
                place: Place::Buffer(buffer),
                length,
                here: true,
            }),
            Kind::Note => self.take_note(queue, buffer, length)?,
            Kind::Credits | Kind::End => {}
        }
        Ok(kind)
    }

    fn keep(&mut self, message: Message) {
        let at = (self.first + self.count) % CREDITS;
        self.messages[at as usize] = message;
        self.count += 1;
    }

    fn take_note(&mut self, queue: &Queue, buffer: u32, length: u32) -> Result<(), Violation> {
        let mut bytes = [0; NOTE_BYTES];
        if length as usize != NOTE_BYTES {
            return Err(Violation::Place);
        }
        queue.read(buffer, 0..NOTE_BYTES, &mut bytes);
        match (Note::decode(&bytes), &mut self.memory) {
            (Some(Note::At { position, length }), Some(memory)) => {
                let user = SEND | REACH | BYTES | u64::from(self.slot);
                let here = memory.come(self.pair, user, (position, length))?;
                self.keep(Message {
                    place: Place::Memory(position),
                    length,
                    here,
                });
                Ok(())
            }
            // To a client, first of all.
            (Some(Note::Granted { landing, shelf }), None)
                if queue.is_clients() && self.flow.received() == 1 =>
            {
                self.granted = Some((landing, shelf));
                self.flow.release();
                Ok(())
            }
            _ => Err(Violation::Place),
        }
    }

    /// The oldest bytes that were not here are.
    pub fn has_read(&mut self) {
        for at in 0..self.count {
            let message = &mut self.messages[((self.first + at) % CREDITS) as usize];
            if !message.here {
                message.here = true;
                return;
            }
        }
    }

    /// Gives back every buffer that holds received bytes.
    pub fn clear(&mut self, release: &mut dyn FnMut(u32)) {
        while self.count > 0 {
            self.drop_first(release);
        }
    }
}

#[cfg(all(test, feature = "lab"))]
impl Lane {
    pub(crate) fn raw_fars(&self) -> Option<(Far, Far)> {
        self.memory.as_ref().and_then(|memory| memory.raw_fars())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use precursor_transport_port::LOANS_MAX;

    #[test]
    fn a_requests_number_says_what_it_is() {
        assert_eq!(Completed::of(77), Completed::Receive { buffer: 77 });
        let sends = |bytes| Completed::Send { slot: 5, bytes };
        assert_eq!(Completed::of(SEND | BYTES | 5), sends(true));
        assert_eq!(Completed::of(SEND | 5), sends(false));
        let reaches = |read| Completed::Reach { slot: 5, read };
        assert_eq!(Completed::of(SEND | REACH | 5), reaches(false));
        assert_eq!(Completed::of(SEND | REACH | BYTES | 5), reaches(true));
        for loan in [0, 1, LOANS_MAX - 1] {
            let about = Completed::Loan { slot: 5, loan };
            assert_eq!(Completed::of(loan_user(5, loan)), about);
        }
    }
}

//! One connection's messages: what is sent and under way, what was received and not taken.

use std::io::IoSlice;

use precursor_rdma_sys::QueuePair;

use crate::flow::{CONTROLS, CREDITS, Flow, Kind, MESSAGE_BYTES, Violation};
use crate::queue::Queue;

/// Requests of one connection's send queue.
pub(crate) const SENDS: u32 = CREDITS + CONTROLS;

/// In the number of a request: it sends. Without it, the number is a receive buffer's.
const SEND: u64 = 1 << 63;
/// It sends bytes.
const BYTES: u64 = 1 << 62;

/// What the number of a completed request says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Completed {
    Receive { buffer: u32 },
    Send { slot: u32, bytes: bool },
}

impl Completed {
    pub fn of(user: u64) -> Completed {
        match user & SEND {
            0 => Completed::Receive {
                buffer: user as u32,
            },
            _ => Completed::Send {
                slot: user as u32,
                bytes: user & BYTES != 0,
            },
        }
    }
}

/// The connection is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Broken;

#[derive(Clone, Copy, Default)]
struct Message {
    buffer: u32,
    length: u32,
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
}

// SAFETY: a queue pair may be used by several threads; whoever owns the lane posts to it.
unsafe impl Send for Lane {}

impl Lane {
    /// Of a pair on a queue; `slot` is the lane's number there.
    pub fn new(pair: *mut QueuePair, slot: u32) -> Lane {
        Lane {
            pair,
            slot,
            flow: Flow::default(),
            next_buffer: 0,
            bytes_under_way: 0,
            under_way: 0,
            messages: [Message::default(); CREDITS as usize],
            first: 0,
            count: 0,
            taken: 0,
        }
    }

    /// Whether bytes can be sent now.
    pub fn has_room(&self) -> bool {
        self.flow.may_send() && self.bytes_under_way < CREDITS
    }

    /// Whether something that was sent is not yet known to have arrived.
    pub fn is_sending(&self) -> bool {
        self.under_way > 0
    }

    /// Whether bytes can be taken.
    pub fn has_bytes(&self) -> bool {
        self.count > 0
    }

    /// Whether the peer's end was received: after the bytes that are here, none follow.
    pub fn is_ended(&self) -> bool {
        self.flow.is_ended()
    }

    /// Sends what there is room for; how many bytes.
    pub fn write(&mut self, queue: &Queue, slices: &[IoSlice<'_>]) -> Result<usize, Broken> {
        let mut total = 0;
        let mut slices = slices.iter();
        let mut rest: &[u8] = &[];
        while self.has_room() {
            let buffer = self.slot * CREDITS + self.next_buffer;
            let mut length = 0;
            while length < MESSAGE_BYTES {
                if rest.is_empty() {
                    match slices.next() {
                        Some(slice) => rest = slice,
                        None => break,
                    }
                    continue;
                }
                let (now, later) = rest.split_at(rest.len().min(MESSAGE_BYTES - length));
                queue.write(buffer, length, now);
                length += now.len();
                rest = later;
            }
            if length == 0 {
                break;
            }
            let immediate = self.flow.send();
            self.post(queue, buffer, length, immediate)?;
            self.next_buffer = (self.next_buffer + 1) % CREDITS;
            total += length;
        }
        Ok(total)
    }

    /// Takes received bytes; each buffer that is empty then goes to `release`.
    pub fn read(&mut self, queue: &Queue, into: &mut [u8], release: &mut dyn FnMut(u32)) -> usize {
        let mut total = 0;
        while self.count > 0 && total < into.len() {
            let message = self.messages[self.first as usize];
            let left = (message.length - self.taken) as usize;
            let now = left.min(into.len() - total);
            let from = self.taken as usize;
            queue.read(
                message.buffer,
                from..from + now,
                &mut into[total..total + now],
            );
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
        // Posted before the peer is told that it may send: a message never meets no buffer.
        release(message.buffer);
        self.flow.release();
    }

    /// Tells the peer of released messages, if it should be told now.
    pub fn tell(&mut self, queue: &Queue) -> Result<(), Broken> {
        // One more is left for the end.
        let has_room = self.under_way - self.bytes_under_way < CONTROLS - 1;
        if !self.flow.owes() || !has_room {
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
    pub fn take(&mut self, buffer: u32, length: u32, imm: u32) -> Result<Kind, Violation> {
        let kind = self.flow.receive(length, imm)?;
        if kind == Kind::Bytes {
            let at = (self.first + self.count) % CREDITS;
            self.messages[at as usize] = Message { buffer, length };
            self.count += 1;
        }
        Ok(kind)
    }

    /// Gives back every buffer that holds received bytes.
    pub fn clear(&mut self, release: &mut dyn FnMut(u32)) {
        while self.count > 0 {
            self.drop_first(release);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_requests_number_says_what_it_is() {
        assert_eq!(Completed::of(77), Completed::Receive { buffer: 77 });
        let sends = |bytes| Completed::Send { slot: 5, bytes };
        assert_eq!(Completed::of(SEND | BYTES | 5), sends(true));
        assert_eq!(Completed::of(SEND | 5), sends(false));
    }
}

//! Sends what a connection is owed, in order, by reference.

use crate::answer::{Answer, BodyBytes};
use crate::connection::Connections;
use precursor_memory::{Slab, SlabKey as Key};
use precursor_storage::Store;
use precursor_transport_port::{ConnectionId, SendError, Transport};
use std::io::IoSlice;

/// Slices handed over in one call.
pub(crate) const SLICES_MAX: usize = 64;

/// How far a flush came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flushed {
    /// Everything that was ready has left.
    All,
    /// The transport is full.
    Blocked,
    /// The connection is gone.
    Broken,
}

/// A list of slices under construction.
pub(crate) struct Slices<'a> {
    list: [IoSlice<'a>; SLICES_MAX],
    count: usize,
    most: usize,
    bytes: u64,
    bytes_max: u64,
    /// Bytes still to be left out because they were sent before.
    skip: u64,
}

impl<'a> Slices<'a> {
    fn new(skip: u64, most: usize) -> Self {
        Slices {
            list: [IoSlice::new(&[]); SLICES_MAX],
            count: 0,
            most: most.min(SLICES_MAX),
            bytes: 0,
            bytes_max: u64::MAX,
            skip,
        }
    }

    /// At most `bytes_max` bytes, after the first `skip`.
    pub fn within(skip: u64, bytes_max: u64) -> Self {
        Slices {
            bytes_max,
            ..Slices::new(skip, SLICES_MAX)
        }
    }

    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    pub fn list(&self) -> &[IoSlice<'a>] {
        &self.list[..self.count]
    }

    /// Adds one piece; false when the list is full.
    fn push(&mut self, piece: &'a [u8]) -> bool {
        let length = piece.len() as u64;
        if self.skip >= length {
            self.skip -= length;
            return true;
        }
        if self.count == self.most || self.bytes == self.bytes_max {
            return false;
        }
        let mut rest = &piece[self.skip as usize..];
        self.skip = 0;
        let room = self.bytes_max - self.bytes;
        if rest.len() as u64 > room {
            rest = &rest[..room as usize];
        }
        self.list[self.count] = IoSlice::new(rest);
        self.count += 1;
        self.bytes += rest.len() as u64;
        true
    }

    pub fn push_answer(&mut self, answer: &'a Answer, store: &'a Store) -> bool {
        let mut from = 0usize;
        for body in &answer.bodies {
            let at = body.at as usize;
            if !self.push(&answer.head[from..at]) {
                return false;
            }
            from = at;
            let taken = match &body.bytes {
                BodyBytes::Gather(gather) => store.slices(gather).all(|slice| self.push(slice)),
                BodyBytes::Transfer(buffer) => self.push(&buffer[..body.length as usize]),
            };
            if !taken {
                return false;
            }
        }
        self.push(&answer.head[from..])
    }
}

/// Hands ready answers of one connection to the transport until it is full or nothing is ready; and
/// the bytes that it took.
pub(crate) fn flush<T: Transport>(
    transport: &mut T,
    holds_memory: bool,
    connections: &mut Connections,
    answers: &mut Slab<Answer>,
    store: &mut Store,
    id: ConnectionId,
    mut on_sent: impl FnMut(&Answer),
) -> (Flushed, u64) {
    let most = transport.capabilities().send_slices_max;
    let Some(connection) = connections.get_mut(id) else {
        return (Flushed::Broken, 0);
    };
    let mut sent_bytes = 0;
    loop {
        let mut slices = Slices::new(connection.sent, most);
        let mut next: Option<Key> = connection.sending;
        while let Some(key) = next {
            let answer = &answers[key];
            if !answer.ready || !slices.push_answer(answer, store) {
                break;
            }
            next = answer.next;
        }
        if slices.count == 0 {
            return (Flushed::All, sent_bytes);
        }
        let offered = slices.bytes;
        match transport.send(id, &slices.list[..slices.count]) {
            Ok(taken) => {
                sent_bytes += taken as u64;
                connection.sent += taken as u64;
                while let Some(key) = connection.sending {
                    if !answers[key].ready || connection.sent < answers[key].length {
                        break;
                    }
                    connection.sent -= answers[key].length;
                    on_sent(&answers[key]);
                    connection.sending = answers[key].next;
                }
                if !holds_memory {
                    connection.release(answers, store, taken as u64);
                }
                if (taken as u64) < offered {
                    // A short send means a full transport: its event will tell.
                    connection.send_blocked = true;
                    return (Flushed::Blocked, sent_bytes);
                }
            }
            Err(SendError::WouldBlock) => {
                connection.send_blocked = true;
                return (Flushed::Blocked, sent_bytes);
            }
            Err(SendError::Broken) => return (Flushed::Broken, sent_bytes),
        }
    }
}

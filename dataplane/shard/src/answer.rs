//! Answers: what a connection is owed, in the order of its requests.

use precursor_memory::{Slab, SlabKey as Key};
use precursor_shm::Buffer;
use precursor_storage::{Gather, Store};
use precursor_transport_port::ConnectionId;

/// Bytes that a used answer keeps for its next use.
const HEAD_KEPT_BYTES_MAX: usize = 16 * 1024;

/// Record bytes within an answer.
pub(crate) enum BodyBytes {
    /// Pinned in the log; sent from there, released after.
    Gather(Gather),
    /// Copied by another shard of this process, the first `length` bytes.
    Transfer(Buffer),
}

/// Record bytes that stand after the first `at` bytes of the head.
pub(crate) struct Body {
    pub at: u32,
    pub length: u64,
    pub bytes: BodyBytes,
}

/// Who completes an answer that is not ready.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Waits {
    #[default]
    Nothing,
    Fetch(Key),
    Produce(Key),
    Metadata(Key),
    /// Other shards, that are asked for producers.
    Producers(Key),
    /// Searches on disk or questions to other shards, that name this answer.
    Queries,
    /// The transport, that is asked to lend memory: the loan's number.
    Follow(u32),
    Control,
}

/// One response: a head written by us, with record bytes in between by reference.
#[derive(Default)]
pub(crate) struct Answer {
    /// Everything but the record bytes, with the frame's length in front.
    pub head: Vec<u8>,
    pub bodies: Vec<Body>,
    /// The next one of the connection.
    pub next: Option<Key>,
    pub connection: Option<ConnectionId>,
    pub waits: Waits,
    /// Whole, and may leave when its turn has come.
    pub ready: bool,
    /// Head and bodies together, once ready.
    pub length: u64,
    /// The request's key, and when it was taken up, in microseconds.
    pub api_key: i16,
    pub began_us: u64,
    /// It tells of an error.
    pub failed: bool,
    /// It was not ready when its handler was through.
    pub waited: bool,
}

impl Answer {
    fn body_bytes(&self) -> u64 {
        self.bodies.iter().map(|body| body.length).sum()
    }

    /// Completes the answer: writes the frame's length in front.
    pub fn finish(&mut self) {
        self.length = self.head.len() as u64 + self.body_bytes();
        let frame = (self.length - 4) as u32;
        self.head[..4].copy_from_slice(&frame.to_be_bytes());
        self.ready = true;
    }

    /// Overwrites two bytes of the head, for a field that was not known when it was written.
    pub fn patch_i16(&mut self, at: usize, value: i16) {
        self.head[at..at + 2].copy_from_slice(&value.to_be_bytes());
    }

    /// As [`patch_i16`](Self::patch_i16), of eight bytes.
    pub fn patch_i64(&mut self, at: usize, value: i64) {
        self.head[at..at + 8].copy_from_slice(&value.to_be_bytes());
    }

    pub fn patch_i32(&mut self, at: usize, value: i32) {
        self.head[at..at + 4].copy_from_slice(&value.to_be_bytes());
    }

    /// Lets go of pinned memory and makes the answer ready for its next use.
    pub fn clear(&mut self, store: &mut Store) {
        for body in self.bodies.drain(..) {
            match body.bytes {
                BodyBytes::Gather(gather) => store.release(gather),
                BodyBytes::Transfer(buffer) => drop(buffer),
            }
        }
        if self.head.capacity() > HEAD_KEPT_BYTES_MAX {
            self.head = Vec::new();
        }
        self.head.clear();
        self.next = None;
        self.connection = None;
        self.waits = Waits::Nothing;
        self.ready = false;
        self.length = 0;
        self.failed = false;
        self.waited = false;
    }
}

/// Gives an answer back to its pool.
pub(crate) fn discard(answers: &mut Slab<Answer>, store: &mut Store, key: Key) {
    if let Some(answer) = answers.get_mut(key) {
        answer.clear(store);
        answers.give_back(key);
    }
}

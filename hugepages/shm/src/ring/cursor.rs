//! The rings' rules: which bytes are whose, over any memory that has two cursors and bytes. The
//! product runs them over the region, the model checker over its own atomics.

use std::ops::Range;
use std::sync::atomic::Ordering;

use super::{PushError, RingCorrupt};

/// Records and their headers begin at multiples of this.
const ALIGNMENT: u64 = 8;
/// Length and mark, before every record.
pub(super) const HEADER_BYTES: usize = 8;
/// The length of the filler before the end.
const PADDING: u32 = u32::MAX;
/// Mixed into every header, with its position: bytes that lie there for another reason do not match.
const MARK: u32 = 0x5EC0_8D1A;

/// A cursor or a flag that both processes see.
pub(super) trait Cell<T> {
    fn load(&self, order: Ordering) -> T;
    fn store(&self, value: T, order: Ordering);
}

/// What a ring is made of. The bytes between the cursors belong to the reader, the rest to the
/// writer; implementations rely on [`Writer`] and [`Reader`] to keep to that.
pub(super) trait RingMemory {
    type Cursor: Cell<u64>;
    type Flag: Cell<u32>;
    /// Bytes ever written; stored by the writer.
    fn written(&self) -> &Self::Cursor;
    /// Bytes ever read; stored by the reader.
    fn read(&self) -> &Self::Cursor;
    /// Whether the reader sleeps: set by the reader, cleared by either.
    fn sleeping(&self) -> &Self::Flag;
    fn fence(&self);
    /// A power of two.
    fn capacity(&self) -> u64;
    fn header(&self, at: usize) -> (u32, u32);
    fn set_header(&self, at: usize, length: u32, mark: u32);
}

fn mark(position: u64) -> u32 {
    (position as u32) ^ ((position >> 32) as u32) ^ MARK
}

fn record_bytes(length: usize) -> u64 {
    (HEADER_BYTES + length) as u64 + padding_to_alignment(length)
}

fn padding_to_alignment(length: usize) -> u64 {
    (length as u64).wrapping_neg() % ALIGNMENT
}

/// Whether `read` and `written` can be cursors of one ring.
fn plausible(written: u64, read: u64, capacity: u64) -> bool {
    written.is_multiple_of(ALIGNMENT)
        && read.is_multiple_of(ALIGNMENT)
        && written.wrapping_sub(read) <= capacity
}

/// The writer's side.
pub(super) struct Writer<M> {
    memory: M,
    /// Where the next record goes; records before it may be unpublished.
    position: u64,
    published: u64,
    /// The reader's cursor when it was last looked at: it can only have advanced since.
    read_seen: u64,
    /// Where `position` goes when the reserved record is committed.
    reserved: u64,
}

impl<M: RingMemory> Writer<M> {
    /// Goes on where the last writer's published records end.
    pub fn attach(memory: M) -> Writer<M> {
        let written = memory.written().load(Ordering::Acquire);
        let read = memory.read().load(Ordering::Acquire);
        let plausible = plausible(written, read, memory.capacity());
        let mut writer = Writer {
            memory,
            position: written,
            published: written,
            read_seen: read,
            reserved: written,
        };
        if !plausible {
            writer.reset();
        }
        writer
    }

    pub fn memory(&self) -> &M {
        &self.memory
    }

    /// Half the ring, so that a record and the padding before it always fit an empty one.
    pub fn record_length_max(&self) -> usize {
        self.memory.capacity() as usize / 2 - HEADER_BYTES
    }

    /// Room for a record of this length: where its bytes go. It counts once committed.
    pub fn reserve(&mut self, length: usize) -> Result<usize, PushError> {
        if length > self.record_length_max() {
            return Err(PushError::TooLong);
        }
        let capacity = self.memory.capacity();
        let needed = record_bytes(length);
        let offset = self.position & (capacity - 1);
        let to_end = capacity - offset;
        let padding = if needed > to_end { to_end } else { 0 };
        if self.position.wrapping_sub(self.read_seen) + padding + needed > capacity {
            self.look_at_reader()?;
            if self.position.wrapping_sub(self.read_seen) + padding + needed > capacity {
                return Err(PushError::Full);
            }
        }
        let mut start = self.position;
        if padding > 0 {
            self.memory
                .set_header(offset as usize, PADDING, mark(start));
            start = start.wrapping_add(padding);
        }
        let at = (start & (capacity - 1)) as usize;
        self.memory.set_header(at, length as u32, mark(start));
        self.reserved = start.wrapping_add(needed);
        Ok(at + HEADER_BYTES)
    }

    /// The reserved record is complete.
    pub fn commit(&mut self) {
        self.position = self.reserved;
    }

    /// Shows what was committed. True if the reader said that it sleeps; said once per sleep.
    pub fn publish(&mut self) -> bool {
        if self.published == self.position {
            return false;
        }
        self.published = self.position;
        // Release: the reader's Acquire of this cursor (`Reader::peek`) sees the records' bytes.
        self.memory
            .written()
            .store(self.position, Ordering::Release);
        // Pairs with the fence of `Reader::announce_sleep`: of "records published" and "reader
        // sleeps" at least one side sees the other's.
        self.memory.fence();
        let asleep = self.memory.sleeping().load(Ordering::Relaxed) != 0;
        if asleep {
            self.memory.sleeping().store(0, Ordering::Relaxed);
        }
        asleep
    }

    pub fn reset(&mut self) {
        let read = self.memory.read().load(Ordering::Acquire);
        let position = read.wrapping_add(read.wrapping_neg() % ALIGNMENT);
        self.position = position;
        self.published = position;
        self.reserved = position;
        self.read_seen = position;
        self.memory.written().store(position, Ordering::Release);
    }

    fn look_at_reader(&mut self) -> Result<(), PushError> {
        // Acquire: pairs with the Release of `Reader::release`; the reader is done with those bytes.
        let read = self.memory.read().load(Ordering::Acquire);
        let unread = self.position.wrapping_sub(read);
        let unread_before = self.position.wrapping_sub(self.read_seen);
        if !read.is_multiple_of(ALIGNMENT) || unread > unread_before {
            return Err(PushError::Corrupt);
        }
        self.read_seen = read;
        Ok(())
    }
}

/// The reader's side.
pub(super) struct Reader<M> {
    memory: M,
    /// Where the next record begins.
    position: u64,
    /// The writer's cursor when it was last looked at: it can only have advanced since.
    written_seen: u64,
    /// Bytes that the peeked record takes, header included.
    peeked: u64,
}

impl<M: RingMemory> Reader<M> {
    /// Goes on where the last reader released its last record.
    pub fn attach(memory: M) -> Reader<M> {
        let written = memory.written().load(Ordering::Acquire);
        let read = memory.read().load(Ordering::Acquire);
        let plausible = plausible(written, read, memory.capacity());
        let mut reader = Reader {
            memory,
            position: read,
            written_seen: read,
            peeked: 0,
        };
        if !plausible {
            reader.reset();
        }
        reader
    }

    pub fn memory(&self) -> &M {
        &self.memory
    }

    /// Where the oldest record's bytes lie.
    pub fn peek(&mut self) -> Result<Option<Range<usize>>, RingCorrupt> {
        loop {
            if self.position == self.written_seen {
                self.look_at_writer()?;
                if self.position == self.written_seen {
                    return Ok(None);
                }
            }
            let capacity = self.memory.capacity();
            let offset = self.position & (capacity - 1);
            let to_end = capacity - offset;
            let published = self.written_seen.wrapping_sub(self.position);
            // Read once: a hostile writer could change it between the checks and the use.
            let (length, found) = self.memory.header(offset as usize);
            if found != mark(self.position) {
                return Err(RingCorrupt);
            }
            if length == PADDING {
                if to_end > published {
                    return Err(RingCorrupt);
                }
                self.position = self.position.wrapping_add(to_end);
                continue;
            }
            let needed = record_bytes(length as usize);
            if needed > to_end.min(published) {
                return Err(RingCorrupt);
            }
            self.peeked = needed;
            let start = offset as usize + HEADER_BYTES;
            return Ok(Some(start..start + length as usize));
        }
    }

    /// Whether there was a record to let go of.
    pub fn release(&mut self) -> bool {
        if self.peeked == 0 {
            return false;
        }
        self.position = self.position.wrapping_add(self.peeked);
        self.peeked = 0;
        // Release: pairs with the Acquire of `Writer::look_at_reader`; we are done with the bytes.
        self.memory.read().store(self.position, Ordering::Release);
        true
    }

    pub fn announce_sleep(&mut self) -> bool {
        self.memory.sleeping().store(1, Ordering::Relaxed);
        // Pairs with the fence of `Writer::publish`.
        self.memory.fence();
        let written = self.memory.written().load(Ordering::Acquire);
        let nothing_came = written == self.position;
        if !nothing_came {
            self.memory.sleeping().store(0, Ordering::Relaxed);
        }
        nothing_came
    }

    pub fn announce_awake(&mut self) {
        self.memory.sleeping().store(0, Ordering::Relaxed);
    }

    pub fn reset(&mut self) {
        let written = self.memory.written().load(Ordering::Acquire);
        let position = written.wrapping_sub(written % ALIGNMENT);
        self.position = position;
        self.written_seen = position;
        self.peeked = 0;
        self.memory.read().store(position, Ordering::Release);
    }

    fn look_at_writer(&mut self) -> Result<(), RingCorrupt> {
        // Acquire: pairs with the Release of `Writer::publish`; the records' bytes are there.
        let written = self.memory.written().load(Ordering::Acquire);
        if !plausible(written, self.position, self.memory.capacity()) {
            return Err(RingCorrupt);
        }
        self.written_seen = written;
        Ok(())
    }
}

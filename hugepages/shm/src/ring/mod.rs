//! Rings: variable-length records from one process to another, one writer and one reader.
//!
//! Both cursors count bytes ever written and ever read, live in the region, and are all that there is
//! to know: a process that dies resumes from them. Records are contiguous and 8-byte aligned; where
//! one does not fit before the end, padding fills the rest. Nothing is visible before
//! [`Producer::publish`], so a writer that dies half-way through a record leaves no trace of it.

mod cursor;
#[cfg(all(test, loom))]
mod loom_tests;
mod memory;
#[cfg(all(test, not(loom)))]
mod tests;

use std::fmt;
use std::ops::Range;

use crate::region::Claim;
use cursor::{Reader, Writer};
pub(crate) use memory::{RingControl, SharedMemory};

/// Why a record was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PushError {
    /// No room now; there will be when the consumer has read on.
    Full,
    /// Longer than [`Producer::record_length_max`]: never possible.
    TooLong,
    /// The consumer's cursor is impossible. [`Producer::reset`] begins anew from it.
    Corrupt,
}

impl fmt::Display for PushError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PushError::Full => "the ring is full",
            PushError::TooLong => "the record is longer than the ring takes",
            PushError::Corrupt => "the ring's reader left an impossible cursor",
        })
    }
}

impl std::error::Error for PushError {}

/// The producer's cursor, or a record's header, is impossible. [`Consumer::reset`] skips to the
/// producer's cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RingCorrupt;

impl fmt::Display for RingCorrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the ring's writer left an impossible cursor or record")
    }
}

impl std::error::Error for RingCorrupt {}

/// How full a ring is, for who watches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RingUsage {
    /// What it holds at most.
    pub capacity_bytes: u64,
    /// Published and not read yet, with headers and padding.
    pub bytes: u64,
    /// Records of these.
    pub records: u64,
    /// The most bytes that ever waited, looked at when something was published.
    pub bytes_max: u64,
    /// Times that the producer had to wait because there was no room.
    pub stalls: u64,
}

/// The writing end of a ring; one in the world, owned by one thread at a time.
pub struct Producer {
    writer: Writer<SharedMemory>,
    /// Appended and not published yet.
    unpublished: u64,
    /// Whether the last record found no room: it may be tried often, and has stalled once.
    stalled: bool,
    _claim: Claim,
}

impl Producer {
    pub(crate) fn new(memory: SharedMemory, claim: Claim) -> Producer {
        Producer {
            writer: Writer::attach(memory),
            unpublished: 0,
            stalled: false,
            _claim: claim,
        }
    }

    /// Appends one record made of these parts, unseen by the consumer until [`Producer::publish`].
    ///
    /// # Errors
    /// See [`PushError`]; nothing was appended then. What was appended before and not published yet
    /// should be published when the ring is full, or it stays full.
    pub fn try_push(&mut self, parts: &[&[u8]]) -> Result<(), PushError> {
        let length = parts.iter().map(|part| part.len()).sum();
        let reserved = self.writer.reserve(length);
        let full = reserved == Err(PushError::Full);
        if full && !self.stalled {
            self.writer.memory().note_stall();
        }
        self.stalled = full;
        let mut at = reserved?;
        for part in parts {
            self.writer.memory().write(at, part);
            at += part.len();
        }
        self.writer.commit();
        self.unpublished += 1;
        Ok(())
    }

    /// The longest record that this ring takes, in bytes.
    pub fn record_length_max(&self) -> usize {
        self.writer.record_length_max()
    }

    /// Shows all appended records to the consumer. True if it sleeps: ring its doorbell.
    #[must_use = "a sleeping consumer has to be woken"]
    pub fn publish(&mut self) -> bool {
        if self.unpublished == 0 {
            return self.writer.publish();
        }
        let read = self.writer.memory().position_read();
        let asleep = self.writer.publish();
        let records = std::mem::take(&mut self.unpublished);
        self.writer.memory().note_published(records, read);
        asleep
    }

    /// Begins anew at the consumer's cursor; what was published and not read is gone.
    pub fn reset(&mut self) {
        self.writer.reset();
        self.unpublished = 0;
        self.writer.memory().note_all_written();
    }
}

/// The reading end of a ring; one in the world, owned by one thread at a time.
pub struct Consumer {
    reader: Reader<SharedMemory>,
    _claim: Claim,
}

impl Consumer {
    pub(crate) fn new(memory: SharedMemory, claim: Claim) -> Consumer {
        Consumer {
            reader: Reader::attach(memory),
            _claim: claim,
        }
    }

    /// The oldest record that was not released yet, if any.
    ///
    /// # Errors
    /// [`RingCorrupt`], and again each time until [`Consumer::reset`].
    pub fn peek(&mut self) -> Result<Option<&[u8]>, RingCorrupt> {
        let Some(Range { start, end }) = self.reader.peek()? else {
            return Ok(None);
        };
        Ok(Some(self.reader.memory().bytes(start, end - start)))
    }

    /// Lets go of the record that [`Consumer::peek`] returned; without one it does nothing.
    pub fn release(&mut self) {
        if self.reader.release() {
            self.reader.memory().note_released();
        }
    }

    /// Says that this side is about to sleep on its doorbell. False: records came, do not sleep.
    #[must_use = "records may have come"]
    pub fn announce_sleep(&mut self) -> bool {
        self.reader.announce_sleep()
    }

    /// Says that this side is awake again, so that the producer need not ring.
    pub fn announce_awake(&mut self) {
        self.reader.announce_awake();
    }

    /// Skips everything that was published, and begins anew at the producer's cursor.
    pub fn reset(&mut self) {
        self.reader.reset();
        self.reader.memory().note_all_read();
    }
}

impl fmt::Debug for Producer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Producer").finish_non_exhaustive()
    }
}

impl fmt::Debug for Consumer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Consumer").finish_non_exhaustive()
    }
}

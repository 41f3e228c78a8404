//! The rules of one direction: which bytes are whose, over any memory that has two cursors and
//! bytes. The product runs them over shared memory, the model checker over its own atomics.
//!
//! Each side keeps its own cursor to itself and only shows it; the peer's cursor is loaded once,
//! checked against what can be, and used as it was checked.

use std::sync::atomic::Ordering;

/// The peer's cursor says what cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PipeCorrupt;

/// A cursor or a flag that both processes see.
pub(crate) trait Cell<T> {
    fn load(&self, order: Ordering) -> T;
    fn store(&self, value: T, order: Ordering);
}

/// What a pipe is made of. The bytes between the cursors are the reader's, the rest the writer's.
pub(crate) trait PipeMemory {
    type Cursor: Cell<u64>;
    type Flag: Cell<u32>;
    /// Bytes ever written; stored by the writer.
    fn written(&self) -> &Self::Cursor;
    /// Bytes ever read; stored by the reader.
    fn read(&self) -> &Self::Cursor;
    /// The writer has written its last byte; stored by the writer.
    fn finished(&self) -> &Self::Flag;
    /// The reader sleeps until bytes come: set by the reader, cleared by either.
    fn reader_sleeps(&self) -> &Self::Flag;
    /// The writer sleeps until there is room: set by the writer, cleared by either.
    fn writer_sleeps(&self) -> &Self::Flag;
    fn fence(&self);
    /// A power of two.
    fn capacity(&self) -> u64;
    /// Copies into the ring, from `at` and not past its end.
    fn copy_in(&self, at: usize, bytes: &[u8]);
    /// Copies out of the ring, from `at` and not past its end.
    fn copy_out(&self, at: usize, bytes: &mut [u8]);
    /// Bytes from `at` on will be read soon.
    fn will_read(&self, at: usize, bytes: usize);
    /// Bytes from `at` on will be written soon.
    fn will_write(&self, at: usize);
}

/// The writing side; owned by one thread at a time.
pub(crate) struct Writer<M> {
    memory: M,
    position: u64,
    published: u64,
    /// The reader's cursor when it was last looked at: it can only have advanced since.
    read_seen: u64,
}

impl<M: PipeMemory> Writer<M> {
    #[cfg(test)]
    pub fn memory(&self) -> &M {
        &self.memory
    }

    /// Of a pipe that nobody used yet.
    pub fn new(memory: M) -> Writer<M> {
        Writer {
            memory,
            position: 0,
            published: 0,
            read_seen: 0,
        }
    }

    /// How many bytes can be written now.
    pub fn room(&mut self) -> Result<usize, PipeCorrupt> {
        let capacity = self.memory.capacity();
        // Acquire: pairs with the Release of `Reader::read`; the reader is done with those bytes.
        let read = self.memory.read().load(Ordering::Acquire);
        let unread = self.position.wrapping_sub(read);
        if unread > self.position.wrapping_sub(self.read_seen) {
            return Err(PipeCorrupt);
        }
        self.read_seen = read;
        Ok((capacity - unread) as usize)
    }

    /// Room that is known without a look at the reader's cursor.
    fn known_room(&self) -> usize {
        (self.memory.capacity() - self.position.wrapping_sub(self.read_seen)) as usize
    }

    /// Writes as much as there is room for, and returns how much. The reader sees it once it is
    /// published.
    pub fn write(&mut self, bytes: &[u8]) -> Result<usize, PipeCorrupt> {
        let mut room = self.known_room();
        if room < bytes.len() {
            room = self.room()?;
        }
        let taken = room.min(bytes.len());
        let at = (self.position & (self.memory.capacity() - 1)) as usize;
        let to_end = self.memory.capacity() as usize - at;
        let first = taken.min(to_end);
        self.memory.copy_in(at, &bytes[..first]);
        if first < taken {
            self.memory.copy_in(0, &bytes[first..taken]);
        }
        self.position = self.position.wrapping_add(taken as u64);
        Ok(taken)
    }

    /// Shows what was written. True if the reader said that it sleeps; said once per sleep.
    pub fn publish(&mut self) -> bool {
        if self.published == self.position {
            return false;
        }
        self.published = self.position;
        // Release: the reader's Acquire of this cursor (`Reader::available`) sees the bytes.
        self.memory
            .written()
            .store(self.position, Ordering::Release);
        let at = (self.position & (self.memory.capacity() - 1)) as usize;
        self.memory.will_write(at);
        self.reader_must_be_woken()
    }

    /// Says that no more bytes follow. True if the reader said that it sleeps.
    pub fn finish(&mut self) -> bool {
        // Release: who sees this sees every byte's publication (`Reader::is_finished`).
        self.memory.finished().store(1, Ordering::Release);
        self.reader_must_be_woken()
    }

    fn reader_must_be_woken(&self) -> bool {
        // Pairs with the fence of `Reader::announce_sleep`: of "bytes published" and "reader
        // sleeps" at least one side sees the other's.
        self.memory.fence();
        wake(self.memory.reader_sleeps())
    }

    /// Says that the writer sleeps until there is room; false if there is some.
    pub fn announce_sleep(&mut self) -> Result<bool, PipeCorrupt> {
        self.memory.writer_sleeps().store(1, Ordering::Relaxed);
        // Pairs with the fence of `Reader::read`.
        self.memory.fence();
        let full = self.room()? == 0;
        if !full {
            self.announce_awake();
        }
        Ok(full)
    }

    /// The writer does not sleep.
    pub fn announce_awake(&mut self) {
        self.memory.writer_sleeps().store(0, Ordering::Relaxed);
    }
}

/// The reading side; owned by one thread at a time.
pub(crate) struct Reader<M> {
    memory: M,
    position: u64,
    /// The writer's cursor when it was last looked at: it can only have advanced since.
    written_seen: u64,
    /// The own cursor when it was last asked whether the writer sleeps.
    asked_at: u64,
}

impl<M: PipeMemory> Reader<M> {
    /// Of a pipe that nobody used yet.
    pub fn new(memory: M) -> Reader<M> {
        Reader {
            memory,
            position: 0,
            written_seen: 0,
            asked_at: 0,
        }
    }

    /// How many bytes are there.
    pub fn available(&mut self) -> Result<usize, PipeCorrupt> {
        // Acquire: pairs with the Release of `Writer::publish`; the bytes are there.
        let written = self.memory.written().load(Ordering::Acquire);
        let unread = written.wrapping_sub(self.position);
        // It cannot go back either: bytes that were seen would be gone.
        if unread > self.memory.capacity() || unread < self.written_seen.wrapping_sub(self.position)
        {
            return Err(PipeCorrupt);
        }
        if self.written_seen != written {
            let at = (self.position & (self.memory.capacity() - 1)) as usize;
            self.memory.will_read(at, unread as usize);
        }
        self.written_seen = written;
        Ok(unread as usize)
    }

    /// Whether the writer said that no more bytes follow. Asked before `available`, so that an
    /// answer of none is the last word.
    pub fn is_finished(&self) -> bool {
        self.memory.finished().load(Ordering::Acquire) != 0
    }

    /// Copies bytes out, at most what `bytes` holds; returns how many, and whether the writer said
    /// that it sleeps for want of room (said once per sleep).
    pub fn read(&mut self, bytes: &mut [u8]) -> Result<(usize, bool), PipeCorrupt> {
        let available = self.available()?;
        let taken = available.min(bytes.len());
        if taken == 0 {
            return Ok((0, false));
        }
        let at = (self.position & (self.memory.capacity() - 1)) as usize;
        let to_end = self.memory.capacity() as usize - at;
        let first = taken.min(to_end);
        self.memory.copy_out(at, &mut bytes[..first]);
        if first < taken {
            self.memory.copy_out(0, &mut bytes[first..taken]);
        }
        self.position = self.position.wrapping_add(taken as u64);
        // Release: pairs with the Acquire of `Writer::room`; we are done with the bytes.
        self.memory.read().store(self.position, Ordering::Release);
        // A writer sleeps behind a full ring alone. When it was asked last, it saw the cursor of then or
        // was awake; so who sleeps has written a whole ring beyond that cursor. Until that is seen
        // there is nothing to ask, and the fence, which a small message would wait for, can be spared.
        if self.written_seen.wrapping_sub(self.asked_at) < self.memory.capacity() {
            return Ok((taken, false));
        }
        self.asked_at = self.position;
        // Pairs with the fence of `Writer::announce_sleep`.
        self.memory.fence();
        Ok((taken, wake(self.memory.writer_sleeps())))
    }

    /// Says that the reader sleeps until bytes come; false if some are there, or the end.
    pub fn announce_sleep(&mut self) -> Result<bool, PipeCorrupt> {
        self.memory.reader_sleeps().store(1, Ordering::Relaxed);
        // Pairs with the fence of `Writer::reader_must_be_woken`.
        self.memory.fence();
        let nothing_came = !self.is_finished() && self.available()? == 0;
        if !nothing_came {
            self.announce_awake();
        }
        Ok(nothing_came)
    }

    /// The reader does not sleep.
    pub fn announce_awake(&mut self) {
        self.memory.reader_sleeps().store(0, Ordering::Relaxed);
    }
}

/// Takes a sleeper's flag down; true if it was up.
fn wake(flag: &impl Cell<u32>) -> bool {
    let asleep = flag.load(Ordering::Relaxed) != 0;
    if asleep {
        flag.store(0, Ordering::Relaxed);
    }
    asleep
}

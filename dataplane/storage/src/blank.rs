//! Empty extents that somebody writes one batch into from afar, and that become the log's tail as they
//! are, where they still fit to its end.
//!
//! An extent holds whole blocks of its segment's file, so the end of a log that is within a block goes
//! on in a blank only behind the block's first part. That part is copied, less than 4 KiB; the extents
//! before end where the block begins, and what they hold of it stays where it was published. A blank is
//! nobody's until its batch is in it, verified and stamped: then it gets a name in the directory, and
//! one store publishes it, as any append.

use crate::api::{AppendError, AppendOptions, Appended, LogId, Now, ReadError};
use crate::append::{EXTENT_BYTES_MAX, Sound, publish};
use crate::batch::{BatchHeader, HEADER_LENGTH};
use crate::io::Io;
use crate::log::{Log, TailExtent};
use crate::store::Store;
use precursor_disk::BLOCK;
use precursor_model::{ErrorCode, Offset};
use precursor_shm::{ExtentId, ExtentOwner, ExtentState};

/// An extent that is lent to be written; given back by [`Store::return_blank`], or used up by
/// [`Store::append_blank`].
#[derive(Debug)]
pub struct Blank {
    log: LogId,
    id: ExtentId,
    /// Of the log when it was lent.
    leader_epoch: i32,
    /// Where the batch begins, from the extent's first byte.
    begin: u32,
    /// The batch's place: where it lies, and how long it may be.
    pub address: usize,
    pub bytes: u32,
    /// Bytes of the whole extent.
    pub extent_bytes: u32,
}

impl Blank {
    /// For whom it is.
    pub fn log(&self) -> LogId {
        self.log
    }

    /// Tells it from what was lent at the same place before.
    pub fn generation(&self) -> u32 {
        self.id.generation()
    }
}

/// What became of a batch that was written into a blank.
#[derive(Debug)]
pub enum Written {
    /// It is in the log, where it lies, or it was refused; the blank is used up.
    Done(Result<Appended, AppendError>),
    /// The log does not go on there any more, or the batch has to be changed: it is to be appended as
    /// any other.
    Elsewhere(Blank),
}

impl Store {
    /// Lends an empty extent for a batch of so many bytes at the end of a log, if memory has one to
    /// spare. Nobody else may write there until it is given back.
    ///
    /// # Errors
    /// The log is not online.
    pub fn lend_blank(
        &mut self,
        id: LogId,
        bytes: u32,
        now: Now,
    ) -> Result<Option<Blank>, ReadError> {
        self.io.now = now;
        let Some((log, io)) = self.log_and_io(id) else {
            return Err(ReadError::NotOnline(ErrorCode::UnknownTopicOrPartition));
        };
        log.must_be_online()
            .map_err(|error| ReadError::NotOnline(error.code()))?;
        let begin = (log.active().size % BLOCK) as u32;
        let size = (begin as usize)
            .saturating_add(bytes as usize)
            .next_power_of_two();
        if bytes < HEADER_LENGTH as u32 || size > EXTENT_BYTES_MAX {
            return Ok(None);
        }
        // As an append of its own would find it.
        if log.to_be_had(io).min(io.may_hold(log.root)) < size {
            return Ok(None);
        }
        let leader_epoch = log.leader_epoch;
        let mut found = self.io.pool_mut().allocate_cache(size);
        if found.is_none() && self.reclaim(size, Some(id)) > 0 {
            found = self.io.pool_mut().allocate_cache(size);
        }
        Ok(found.map(|extent| Blank {
            log: id,
            id: extent,
            leader_epoch,
            begin,
            address: self.io.pool().address(extent).addr() + begin as usize,
            bytes,
            extent_bytes: self.io.pool().size(extent) as u32,
        }))
    }

    /// Whether a blank's log is as it was: online, and under the same leader.
    pub fn blank_stands(&self, blank: &Blank) -> bool {
        let log = self.log(blank.log).filter(|log| log.is_online());
        log.is_some_and(|log| log.leader_epoch == blank.leader_epoch)
    }

    /// What lies in the first bytes of a blank.
    pub fn blank_bytes(&self, blank: &Blank, length: u32) -> &[u8] {
        let begin = blank.begin as usize;
        &self.io.pool().bytes(blank.id)[begin..][..length.min(blank.bytes) as usize]
    }

    /// Nobody writes there any more, and what was written is of no use.
    pub fn return_blank(&mut self, blank: Blank) {
        self.io.memory_made = true;
        self.io.free(blank.id);
    }

    /// Appends the batch that the first `length` bytes of a blank are, where it lies. Nobody may write
    /// there any more.
    pub fn append_blank(&mut self, blank: Blank, length: u32, options: AppendOptions) -> Written {
        self.io.now = options.now;
        let id = blank.log;
        let Some((log, io)) = self.log_and_io(id) else {
            self.return_blank(blank);
            let code = ErrorCode::UnknownTopicOrPartition;
            return Written::Done(Err(AppendError::NotOnline(code)));
        };
        if log.leader_epoch != blank.leader_epoch {
            self.return_blank(blank);
            return Written::Done(Err(AppendError::NotOnline(ErrorCode::NotLeaderOrFollower)));
        }
        match log.append_in_place(io, &blank, length, options) {
            InPlace::Appended(appended) => {
                self.after_append(id);
                Written::Done(Ok(appended))
            }
            InPlace::Known(appended) => {
                self.return_blank(blank);
                Written::Done(Ok(appended))
            }
            InPlace::Elsewhere => Written::Elsewhere(blank),
            InPlace::Refused(error) => {
                self.return_blank(blank);
                Written::Done(Err(error))
            }
        }
    }
}

enum InPlace {
    Appended(Appended),
    /// The producer has sent it before.
    Known(Appended),
    Elsewhere,
    Refused(AppendError),
}

impl Log {
    fn append_in_place(
        &mut self,
        io: &mut Io,
        blank: &Blank,
        length: u32,
        options: AppendOptions,
    ) -> InPlace {
        let (begin, now_ms) = (blank.begin as usize, options.now.wall_ms);
        if length > blank.bytes {
            return InPlace::Refused(AppendError::Corrupt);
        }
        let records = &io.pool().bytes(blank.id)[begin..][..length as usize];
        let sound = match self.inspect(records, options) {
            Ok(sound) => sound,
            Err(AppendError::Unprepared) => return InPlace::Elsewhere,
            Err(error) => return InPlace::Refused(error),
        };
        let Some(header) = records.first_chunk::<HEADER_LENGTH>() else {
            return InPlace::Refused(AppendError::Corrupt);
        };
        let (mut header, sent) = (*header, BatchHeader::parse(header));
        match self.check_sequence(&sent) {
            Ok(None) => {}
            Ok(Some(duplicate)) => return InPlace::Known(duplicate),
            Err(error) => return InPlace::Refused(error),
        }
        let goes_on = self.active().size % BLOCK == u64::from(blank.begin);
        if !goes_on || self.must_roll_for(records.len(), &sent, &sound, now_ms) {
            return InPlace::Elsewhere;
        }
        let stored = self.stamp(&mut header, &records[HEADER_LENGTH..], &sound);
        io.pool_mut().bytes_mut(blank.id)[begin..][..HEADER_LENGTH].copy_from_slice(&header);
        InPlace::Appended(self.take_blank(io, blank, length, (&stored, &sound), now_ms))
    }

    /// Makes a blank the log's last extent. Its batch is as the log is to hold it.
    fn take_blank(
        &mut self,
        io: &mut Io,
        blank: &Blank,
        length: u32,
        (stored, sound): (&BatchHeader, &Sound),
        now_ms: i64,
    ) -> Appended {
        let (base, size) = (self.active().base, self.active().size);
        let block = size - u64::from(blank.begin);
        self.copy_block(io, blank, (base, block));
        let owner = ExtentOwner {
            log: self.uid,
            segment_base: base,
            file_position: block,
        };
        io.pool_mut().assign(blank.id, owner);
        let mut extent = TailExtent {
            id: blank.id,
            segment_base: base,
            position: block,
            size: blank.extent_bytes,
            used: blank.begin + length,
            first: None,
            referenced: false,
            wiped: false,
        };
        // Before the extents that it stands for are let go of: until then both say the same.
        publish(io, &extent);
        extent.first = self.end_tail_at(io, base, block);
        if self.extents.len() == self.extents.capacity() {
            io.stats.made_in_place += 1;
        }
        io.add_unwritten(self.root, extent.size as usize);
        self.extents.push_back(extent);
        self.note_first(base, size);
        self.take_note(io, stored, None, (u64::from(length), now_ms));
        self.mark_written(io);
        self.appended(stored, sound, length as usize)
    }

    /// The first part of the block in which the log ends, in front of a blank's batch.
    fn copy_block(&mut self, io: &mut Io, blank: &Blank, (base, block): (Offset, u64)) {
        let mut part = [0; BLOCK as usize];
        let part = &mut part[..blank.begin as usize];
        if part.is_empty() {
            return;
        }
        if self.copy_from_extents(io, base, block, part).is_none() {
            let parked = std::mem::take(&mut self.parked_block);
            part.copy_from_slice(&parked[..part.len()]);
            io.return_block(parked);
        }
        io.pool_mut().bytes_mut(blank.id)[..part.len()].copy_from_slice(part);
    }

    /// The tail ends where a block begins: another extent goes on from there. What that is to know of
    /// the first batch in it.
    fn end_tail_at(&mut self, io: &mut Io, base: Offset, block: u64) -> Option<(u64, Offset)> {
        let mut first = None;
        while let Some(last) = self.extents.back().copied()
            && last.segment_base == base
            && last.end() > block
        {
            if last.position >= block {
                first = last.first;
                self.extents.pop_back();
                io.take_unwritten(self.root, last.size as usize);
                io.free(last.id);
                continue;
            }
            let kept = (block - last.position) as u32;
            io.take_unwritten(self.root, (last.size - kept) as usize);
            // Whoever follows it looks for the next.
            io.pool_mut().set_state(last.id, ExtentState::Sealed);
            if let Some(extent) = self.extents.back_mut() {
                (extent.size, extent.used) = (kept, kept);
            }
        }
        first
    }
}

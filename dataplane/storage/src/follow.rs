//! Extents that somebody follows from afar: pinned, told of by where they lie in memory, and read
//! without a request, by what the directory says is committed.

use crate::api::{LogId, LogState, ReadError};
use crate::io::Io;
use crate::log::Log;
use crate::store::Store;
use precursor_model::{ErrorCode, FlushPolicy, Offset};
use precursor_shm::ExtentId;

/// An extent that is held for who reads it; given back by [`Store::unfollow`].
#[derive(Debug)]
pub struct Followed {
    log: LogId,
    id: ExtentId,
    /// Where it lies, and how long it is.
    pub address: usize,
    pub bytes: u32,
    /// Where its words lie ([`precursor_shm::WORDS_BYTES`] of them).
    pub words: usize,
    /// What they say of its generation.
    pub generation: u32,
    /// The segment that it is of, and the position there of its first byte.
    pub segment_base: Offset,
    pub position: u64,
    /// Where to begin, from its first byte: a whole batch does there, or goes on.
    pub begin: u32,
    /// The offset that was asked for.
    offset: Offset,
}

impl Followed {
    /// Whose it is.
    pub fn log(&self) -> LogId {
        self.log
    }
}

/// How an extent that is followed stands to its log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The log's last one: records may come.
    Last,
    /// More are after it.
    Passed,
    /// It is not the log's any more, or what was asked for there was deleted.
    Gone,
}

impl Store {
    /// Holds the extent in which to read on from `offset`: the one that holds its batch, or that the
    /// next batch will be in; with `place`, the one of that segment and position. `None` where memory
    /// has none, or where records may not be shown as soon as they are published.
    ///
    /// # Errors
    /// As [`Store::read`].
    pub fn follow(
        &mut self,
        id: LogId,
        offset: Offset,
        place: Option<(Offset, u64)>,
    ) -> Result<Option<Followed>, ReadError> {
        let Some((log, io)) = self.log_and_io(id) else {
            let code = ErrorCode::UnknownTopicOrPartition;
            return Err(ReadError::NotOnline(code));
        };
        match log.state {
            LogState::Online => {}
            LogState::Opening => return Err(ReadError::NotOnline(ErrorCode::LeaderNotAvailable)),
            LogState::Offline(code) => return Err(ReadError::NotOnline(code)),
        }
        if offset < log.start || offset > log.end {
            return Err(ReadError::OffsetOutOfRange);
        }
        // What a power cut can take back is published and not to be seen.
        if log.config.flush_policy == FlushPolicy::EveryWrite {
            return Ok(None);
        }
        let found = match place {
            Some((base, position)) => log.extent_at(base, position).map(|at| (at, position)),
            None => log.follow_from(io, offset),
        };
        Ok(found.and_then(|(at, position)| log.hold(io, at, position, offset)))
    }

    /// How an extent that is held stands now.
    pub fn standing(&self, followed: &Followed) -> Standing {
        let Some(log) = self.log(followed.log).filter(|log| log.is_online()) else {
            return Standing::Gone;
        };
        let at = log.extent_at(followed.segment_base, followed.position);
        match at {
            Some(at) if log.extents[at].id == followed.id && log.start <= followed.offset => {
                match at + 1 == log.extents.len() {
                    true => Standing::Last,
                    false => Standing::Passed,
                }
            }
            _ => Standing::Gone,
        }
    }

    /// Nobody reads it any more.
    pub fn unfollow(&mut self, followed: Followed) {
        self.io.unpin(followed.id);
    }
}

impl Log {
    /// The extent and the position of the batch that holds an offset, or of the next one's.
    fn follow_from(&self, io: &Io, offset: Offset) -> Option<(usize, u64)> {
        if offset == self.end {
            let (base, position) = (self.active().base, self.active().size);
            return Some((self.extent_at(base, position)?, position));
        }
        let (mut at, mut position) = self.hot_start(self.segment_at(offset), offset)?;
        let mut header = self.header_in_extents(io, at, position)?;
        if header.base_offset > offset {
            return None;
        }
        while header.last_offset() < offset {
            position += header.total_length()? as u64;
            at = self.extent_from(at, position)?;
            header = self.header_in_extents(io, at, position)?;
        }
        Some((at, position))
    }

    /// Pins an extent, whose end is made fit to be seen: memory that was lent before holds bytes of
    /// others.
    fn hold(&mut self, io: &mut Io, at: usize, position: u64, offset: Offset) -> Option<Followed> {
        let log = self.id;
        let extent = self.extents.get_mut(at)?;
        if position > extent.used_end() {
            return None;
        }
        if !std::mem::replace(&mut extent.wiped, true) {
            // What another extent goes on from is published here too (`blank`).
            let published = io.pool().committed(extent.id) as usize;
            io.pool_mut().bytes_mut(extent.id)[published..].fill(0);
        }
        extent.referenced = true;
        io.pin(extent.id);
        let pool = io.pool();
        Some(Followed {
            log,
            id: extent.id,
            address: pool.address(extent.id).addr(),
            bytes: pool.size(extent.id) as u32,
            words: pool.words_address(extent.id).addr(),
            generation: extent.id.generation(),
            segment_base: extent.segment_base,
            position: extent.position,
            begin: (position - extent.position) as u32,
            offset,
        })
    }
}

//! Who reads which extent from afar: what is held for them, and when it is taken back.
//!
//! A hold is a reference to one extent and a loan of the transport with the same number. It ends when
//! its reader goes on to the next extent, leaves, or reads what is not the log's any more or was
//! passed long ago; the extent is let go of when the transport says that nobody reads it.

use crate::core::Core;
use precursor_memory::SlabKey as Key;
use precursor_model::ErrorCode;
use precursor_protocol::native::follow::{Followed as Response, Granted};
use precursor_shm::WORDS_BYTES;
use precursor_storage::{Followed, LogId, Standing};
use precursor_transport_port::{ConnectionId, LOANS_MAX, Span};

/// While memory is short, who has not gone on from an extent for so long loses it.
const PASSED_MS_SHORT: u64 = 100;
/// All holds together have this part of the extents' memory at most.
const SHARE_OF_POOL: usize = 4;

/// An answer that waits for the transport.
#[derive(Clone, Copy)]
struct Waiting {
    answer: Key,
    correlation_id: i32,
}

struct Hold {
    connection: ConnectionId,
    followed: Followed,
    waiting: Option<Waiting>,
    recalled: bool,
    /// When it was first seen to have been passed.
    passed_ms: Option<u64>,
}

/// For whom a loan is, and what it lends: an extent, and the words about it.
type Wanted = (ConnectionId, [Span; 2]);

/// The holds of one shard, by their numbers.
pub(crate) struct Follows {
    holds: Box<[Option<Hold>]>,
    /// Bytes of the extents that are held, and how many may be.
    bytes: usize,
    bytes_max: usize,
    count: usize,
    /// For the transport.
    to_lend: Vec<u32>,
    to_recall: Vec<u32>,
    looked_ms: u64,
}

impl Follows {
    /// For extents of so many bytes at most, of a pool of so many.
    pub fn new(bytes_max: usize, pool_bytes: usize) -> Follows {
        Follows {
            holds: (0..LOANS_MAX).map(|_| None).collect(),
            bytes: 0,
            bytes_max: bytes_max.min(pool_bytes / SHARE_OF_POOL),
            count: 0,
            to_lend: Vec::with_capacity(LOANS_MAX as usize),
            to_recall: Vec::with_capacity(LOANS_MAX as usize),
            looked_ms: 0,
        }
    }

    /// Whether an extent of so many bytes may be held too.
    pub fn has_room(&self, bytes: usize) -> bool {
        self.bytes + bytes <= self.bytes_max && self.count < self.holds.len()
    }

    /// Whether anything may be held at all.
    pub fn is_on(&self) -> bool {
        self.bytes_max > 0
    }

    /// Holds an extent, which there is room for, for who asked; the transport is asked at the end of
    /// the turn.
    pub fn hold(
        &mut self,
        connection: ConnectionId,
        followed: Followed,
        waiting: (Key, i32),
    ) -> u32 {
        let free = self.holds.iter().position(Option::is_none);
        let loan = free.expect("there is room");
        self.bytes += followed.bytes as usize;
        self.count += 1;
        let (answer, correlation_id) = waiting;
        self.holds[loan] = Some(Hold {
            connection,
            followed,
            waiting: Some(Waiting {
                answer,
                correlation_id,
            }),
            recalled: false,
            passed_ms: None,
        });
        self.to_lend.push(loan as u32);
        loan as u32
    }

    /// A reader goes on: what it had of this log ends.
    pub fn pass(&mut self, connection: ConnectionId, log: LogId) {
        self.recall_where(|hold| hold.connection == connection && hold.followed.log() == log);
    }

    fn recall_where(&mut self, mut is_over: impl FnMut(&mut Hold) -> bool) {
        if self.count == 0 {
            return;
        }
        for (loan, hold) in self.holds.iter_mut().enumerate() {
            if let Some(hold) = hold
                && !hold.recalled
                && is_over(hold)
            {
                hold.recalled = true;
                self.to_recall.push(loan as u32);
            }
        }
    }

    /// The next loan to take back, of those that were made.
    pub fn next_recall(&mut self) -> Option<u32> {
        loop {
            let loan = self.to_recall.pop()?;
            if !self.to_lend.contains(&loan) {
                return Some(loan);
            }
        }
    }

    /// The next loan to make: for whom, and what; nothing where it was taken back already.
    pub fn next_loan(&mut self) -> Option<(u32, Option<Wanted>)> {
        let loan = self.to_lend.pop()?;
        let hold = self.holds[loan as usize].as_ref();
        let Some(hold) = hold.filter(|hold| !hold.recalled) else {
            return Some((loan, None));
        };
        let extent = Span {
            address: hold.followed.address,
            bytes: hold.followed.bytes,
        };
        let words = Span {
            address: hold.followed.words,
            bytes: WORDS_BYTES as u32,
        };
        Some((loan, Some((hold.connection, [extent, words]))))
    }

    fn hold_of(&mut self, loan: u32) -> Option<&mut Hold> {
        self.holds.get_mut(loan as usize)?.as_mut()
    }
}

/// The reader has its right.
pub(crate) fn lent(core: &mut Core, loan: u32, [extent_key, words_key]: [u32; 2]) {
    let Some(hold) = core.follows.hold_of(loan) else {
        return;
    };
    let Some(waiting) = hold.waiting.take() else {
        return;
    };
    let followed = &hold.followed;
    let granted = Granted {
        address: followed.address as u64,
        key: extent_key,
        bytes: followed.bytes,
        words_address: followed.words as u64,
        words_key,
        generation: followed.generation,
        begin: followed.begin,
        segment: followed.segment_base,
        position: followed.position,
    };
    answer(core, waiting, Some(granted));
}

/// Nobody reads it any more, or nobody could.
pub(crate) fn returned(core: &mut Core, loan: u32) {
    let place = core.follows.holds.get_mut(loan as usize);
    let Some(hold) = place.and_then(Option::take) else {
        return;
    };
    core.follows.bytes -= hold.followed.bytes as usize;
    core.follows.count -= 1;
    core.store.unfollow(hold.followed);
    if let Some(waiting) = hold.waiting {
        answer(core, waiting, None);
    }
}

/// The answer's connection is gone.
pub(crate) fn abandon(core: &mut Core, loan: u32) {
    if let Some(hold) = core.follows.hold_of(loan) {
        hold.waiting = None;
    }
}

fn answer(core: &mut Core, waiting: Waiting, granted: Option<Granted>) {
    let response = Response {
        correlation_id: waiting.correlation_id,
        error: ErrorCode::None,
        shard: core.options.shard as i16,
        granted,
    };
    write(core, waiting.answer, &response);
}

/// Completes an answer.
pub(crate) fn write(core: &mut Core, key: Key, response: &Response) {
    let Some(answer) = core.answers.get_mut(key) else {
        return;
    };
    answer.head.clear();
    answer.head.extend_from_slice(&response.encode());
    answer.failed = response.error.is_error();
    core.finish_answer(key);
}

/// Takes back what is not to be read any more, and what its reader does not go on from.
pub(crate) fn sweep(core: &mut Core) {
    look(core, core.options.follow_ms_max);
}

/// Memory is short: an extent that is held keeps all of its log that are after it.
pub(crate) fn relieve(core: &mut Core) {
    let due = core.now_ms() >= core.follows.looked_ms + PASSED_MS_SHORT;
    if due && core.store.wants_memory() {
        look(core, PASSED_MS_SHORT);
    }
}

fn look(core: &mut Core, passed_ms_max: u64) {
    let now_ms = core.now_ms();
    let store = &core.store;
    core.follows.looked_ms = now_ms;
    core.follows
        .recall_where(|hold| match store.standing(&hold.followed) {
            Standing::Gone => true,
            Standing::Last => {
                hold.passed_ms = None;
                false
            }
            Standing::Passed => {
                let since = *hold.passed_ms.get_or_insert(now_ms);
                now_ms.saturating_sub(since) >= passed_ms_max
            }
        });
}

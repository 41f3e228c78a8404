//! Who reads or writes which extent from afar: what is held for them, and when it is taken back.
//!
//! A hold is a reference to one extent and a loan of the transport with the same number. It ends when
//! its reader goes on to the next extent, leaves, or reads what is not the log's any more or was
//! passed long ago; the extent is let go of when the transport says that nobody reads it.

use crate::core::Core;
use crate::peers::Ticket;
use crate::writes;
use precursor_memory::SlabKey as Key;
use precursor_model::ErrorCode;
use precursor_protocol::native::follow::{Followed as Response, Granted};
use precursor_protocol::native::write;
use precursor_shm::WORDS_BYTES;
use precursor_storage::{Blank, Followed, LogId, Standing, Store};
use precursor_transport_port::{ConnectionId, LOANS_MAX, Reach, Span};

/// While memory is short, who has not gone on from an extent for so long loses it.
const PASSED_MS_SHORT: u64 = 100;
/// All holds together have this part of the extents' memory at most.
const SHARE_OF_POOL: usize = 4;

/// An answer that waits for the transport.
#[derive(Clone, Copy)]
pub(crate) struct Waiting {
    pub answer: Key,
    pub correlation_id: i32,
}

/// A batch was written: how long it is, and whom to tell what became of it.
#[derive(Clone, Copy)]
pub(crate) struct Commit {
    pub length: u32,
    pub ticket: Ticket,
}

/// What is held.
pub(crate) enum Held {
    /// To be read.
    Followed(Followed),
    /// To be written.
    Blank(Blank),
}

impl Held {
    fn bytes(&self) -> usize {
        match self {
            Held::Followed(followed) => followed.bytes as usize,
            Held::Blank(blank) => blank.extent_bytes as usize,
        }
    }

    fn standing(&self, store: &Store) -> Standing {
        match self {
            Held::Followed(followed) => store.standing(followed),
            Held::Blank(blank) if store.blank_stands(blank) => Standing::Passed,
            Held::Blank(_) => Standing::Gone,
        }
    }
}

struct Hold {
    connection: ConnectionId,
    held: Held,
    /// Of a blank, when its batch was written.
    commit: Option<Commit>,
    waiting: Option<Waiting>,
    recalled: bool,
    /// When it was first seen to have been passed.
    passed_ms: Option<u64>,
}

/// For whom a loan is, and what it lends: an extent and the words about it, or room for a batch.
type Wanted = (ConnectionId, Reach);

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
    pub fn hold(&mut self, connection: ConnectionId, held: Held, waiting: (Key, i32)) -> u32 {
        let free = self.holds.iter().position(Option::is_none);
        let loan = free.expect("there is room");
        self.bytes += held.bytes();
        self.count += 1;
        let (answer, correlation_id) = waiting;
        self.holds[loan] = Some(Hold {
            connection,
            held,
            commit: None,
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
        self.recall_where(|hold| {
            let of = |followed: &Followed| followed.log() == log;
            hold.connection == connection && matches!(&hold.held, Held::Followed(held) if of(held))
        });
    }

    /// A writer asks anew: what it had of this log and did not commit ends.
    pub fn pass_blank(&mut self, connection: ConnectionId, log: LogId) {
        self.recall_where(|hold| {
            let of = |blank: &Blank| blank.log() == log;
            hold.connection == connection && matches!(&hold.held, Held::Blank(held) if of(held))
        });
    }

    /// Whether what a writer says it has written to is lent to it.
    pub fn is_lent(&self, connection: ConnectionId, commit: &write::Commit) -> bool {
        let hold = self
            .holds
            .get(commit.number as usize)
            .and_then(Option::as_ref);
        hold.is_some_and(|hold| {
            let Held::Blank(blank) = &hold.held else {
                return false;
            };
            hold.connection == connection
                && hold.waiting.is_none()
                && !hold.recalled
                && blank.generation() == commit.generation
                && (1..=blank.bytes).contains(&commit.length)
        })
    }

    /// A batch was written to a loan that is lent: first it is taken back.
    pub fn commit(&mut self, loan: u32, ticket: Ticket, length: u32) {
        if let Some(hold) = self.hold_of(loan) {
            hold.commit = Some(Commit { length, ticket });
            hold.recalled = true;
            self.to_recall.push(loan);
        }
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
        let reach = match &hold.held {
            Held::Followed(followed) => {
                let extent = Span {
                    address: followed.address,
                    bytes: followed.bytes,
                };
                let words = Span {
                    address: followed.words,
                    bytes: WORDS_BYTES as u32,
                };
                Reach::Read([extent, words])
            }
            Held::Blank(blank) => Reach::Write(Span {
                address: blank.address,
                bytes: blank.bytes,
            }),
        };
        Some((loan, Some((hold.connection, reach))))
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
    let followed = match &hold.held {
        Held::Followed(followed) => followed,
        Held::Blank(blank) => {
            let room = write::Room {
                number: loan,
                generation: blank.generation(),
                address: blank.address as u64,
                key: extent_key,
                bytes: blank.bytes,
            };
            return writes::lent(core, waiting, Some(room));
        }
    };
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

/// Nobody reaches it any more, or nobody could.
pub(crate) fn returned(core: &mut Core, loan: u32) {
    let place = core.follows.holds.get_mut(loan as usize);
    let Some(hold) = place.and_then(Option::take) else {
        return;
    };
    core.follows.bytes -= hold.held.bytes();
    core.follows.count -= 1;
    match hold.held {
        Held::Followed(followed) => core.store.unfollow(followed),
        Held::Blank(blank) => return writes::returned(core, blank, hold.waiting, hold.commit),
    }
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
    complete(core, key, response.error, &response.encode());
}

/// Completes an answer with a whole frame of our own.
pub(crate) fn complete(core: &mut Core, key: Key, error: ErrorCode, frame: &[u8]) {
    let Some(answer) = core.answers.get_mut(key) else {
        return;
    };
    answer.head.clear();
    answer.head.extend_from_slice(frame);
    answer.failed = error.is_error();
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
        .recall_where(|hold| match hold.held.standing(store) {
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

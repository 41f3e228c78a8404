//! Memory that the helper makes ahead of need and takes back after use, so that the shard's thread
//! calls the allocator neither when a segment is rolled or settled nor when a list grows.
//!
//! A roll always finds its room once a log is at work: it takes one of [`ROOMS`] and orders the next
//! before the new segment's file. At most that many segments wait for the disk, none is written
//! before its file has come, and the helper answers in order. Lists that grow are replaced by longer
//! ones when half full. Where the helper was too slow, or the log is fresh, memory is made in place
//! and counted (`StoreStats::made_in_place`).

use crate::compaction::{CleanedSegment, Plan};
use crate::epochs::LeaderEpochs;
use crate::index::GrowingIndex;
use crate::io::Io;
use crate::jobs::{Job, Snapshot};
use crate::log::{Log, Segment, SegmentIndex, TailExtent};
use crate::producers::{ProducerList, ProducerState};
use crate::read::Gather;
use crate::stock::Delivery;
use crate::transactions::{AbortedTransaction, AbortedWrite};
use precursor_disk::DiskFile;
use std::collections::VecDeque;
use std::sync::Arc;

/// Rooms that a log at work holds: one more than it can have rolls under way.
pub(crate) const ROOMS: usize = crate::append::SEGMENTS_UNWRITTEN_MAX;

/// What the end of a segment takes, or a move of the recovery point within it.
#[derive(Debug)]
pub(crate) struct Room {
    /// The next segment's, or a copy of the active one's.
    pub index: Arc<GrowingIndex>,
    pub producers: ProducerList,
    pub epochs: LeaderEpochs,
    /// The next segment's, or a copy of what the active one's file lacks.
    pub aborted: Arc<Vec<AbortedTransaction>>,
}

/// How much a room holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RoomSize {
    chunks: usize,
    producers: usize,
    epochs: usize,
    aborted: usize,
}

impl Room {
    pub fn make(size: RoomSize) -> Room {
        Room {
            index: Arc::new(GrowingIndex::with_chunks(size.chunks)),
            producers: ProducerList::with_capacity(size.producers),
            epochs: LeaderEpochs::with_capacity(size.epochs),
            aborted: Arc::new(Vec::with_capacity(size.aborted)),
        }
    }

    fn holds(&self, size: RoomSize) -> bool {
        self.index.chunks().1 >= size.chunks
            && self.producers.capacity() >= size.producers
            && self.epochs.capacity() >= size.epochs
            && self.aborted.capacity() >= size.aborted
    }
}

/// What a room is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Roll,
    Settle,
}

/// A list of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum List {
    Segments,
    Extents,
    Producers,
    Index,
    Epochs,
    Aborted,
}

/// An empty list of more capacity.
#[derive(Debug)]
pub(crate) enum Longer {
    Segments(VecDeque<Segment>),
    Extents(VecDeque<TailExtent>),
    Producers(ProducerState),
    Index(GrowingIndex),
    Epochs(LeaderEpochs),
    Aborted(Vec<AbortedTransaction>),
}

impl Longer {
    pub fn make(list: List, capacity: usize) -> Longer {
        match list {
            List::Segments => Longer::Segments(VecDeque::with_capacity(capacity)),
            List::Extents => Longer::Extents(VecDeque::with_capacity(capacity)),
            List::Producers => Longer::Producers(ProducerState::with_capacity(capacity)),
            List::Index => Longer::Index(GrowingIndex::with_chunks(capacity)),
            List::Epochs => Longer::Epochs(LeaderEpochs::with_capacity(capacity)),
            List::Aborted => Longer::Aborted(Vec::with_capacity(capacity)),
        }
    }

    fn list(&self) -> List {
        match self {
            Longer::Segments(_) => List::Segments,
            Longer::Extents(_) => List::Extents,
            Longer::Producers(_) => List::Producers,
            Longer::Index(_) => List::Index,
            Longer::Epochs(_) => List::Epochs,
            Longer::Aborted(_) => List::Aborted,
        }
    }
}

/// What the helper is to free, or to close.
#[expect(dead_code, reason = "held until the helper drops it")]
pub(crate) enum Garbage {
    Index(SegmentIndex),
    File(DiskFile),
    Segment(Segment),
    Snapshot(Snapshot),
    Aborted(Arc<Vec<AbortedTransaction>>),
    Room(Room),
    List(Longer),
    Block(Vec<u8>),
    Gather(Gather),
    Delivery(Delivery),
    Log(Box<Log>),
    Plan(Box<Plan>),
    Cleaned(CleanedSegment),
}

impl std::fmt::Debug for Garbage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Garbage")
    }
}

/// What a log holds of memory made ahead.
#[derive(Default)]
pub(crate) struct Rooms {
    rolls: [Option<Room>; ROOMS],
    ordered: usize,
    settle: Option<Room>,
    settle_ordered: bool,
    /// Lists that were ordered, by [`List`] as a bit.
    lists_ordered: u8,
}

impl Rooms {
    /// Rooms that take this many producers.
    fn for_producers(&self, count: usize) -> usize {
        let rooms = self.rolls.iter().flatten();
        rooms
            .filter(|room| room.producers.capacity() >= count)
            .count()
    }

    /// The largest room.
    fn take(&mut self) -> Option<Room> {
        self.rolls
            .iter_mut()
            .max_by_key(|room| capacity(room))?
            .take()
    }

    /// Keeps a room; returns the smallest when there are too many.
    fn put(&mut self, room: Room) -> Option<Room> {
        let place = self.rolls.iter_mut().min_by_key(|room| capacity(room));
        place?.replace(room)
    }
}

fn capacity(room: &Option<Room>) -> Option<usize> {
    room.as_ref().map(|room| room.producers.capacity())
}

impl Log {
    /// What a room for this log must hold; `ahead` makes it twice that.
    fn room_size(&self, purpose: Purpose, ahead: bool) -> RoomSize {
        let factor = if ahead { 2 } else { 1 };
        let chunks = match (purpose, &self.active().index) {
            (Purpose::Settle, SegmentIndex::Growing(index)) => index.chunks().0,
            // The next segment's index grows when it comes to that.
            _ => 0,
        };
        let aborted = match purpose {
            Purpose::Settle => self.active().aborted.unsettled(),
            Purpose::Roll => 0,
        };
        RoomSize {
            aborted: aborted * factor,
            chunks: chunks * factor,
            producers: (self.producers.room().0 * factor).max(8 * usize::from(ahead)),
            epochs: (self.epochs.room().0 * factor).max(4 * usize::from(ahead)),
        }
    }

    /// Orders what the log will need, when it begins to be used and when a list is half full.
    pub fn order_room(&mut self, io: &mut Io) {
        let half = self.active().size * 2 > u64::from(self.config.segment_bytes);
        let wanted = if half { ROOMS } else { 1 };
        // Those that were made when fewer producers were known will not do.
        let producers = self.producers.room().0 * 3 / 2;
        while self.rooms.for_producers(producers) + self.rooms.ordered < wanted {
            self.order_roll_room(io);
        }
        let (index_used, index_room) = match &self.active().index {
            SegmentIndex::Growing(index) => index.chunks(),
            _ => (0, 1),
        };
        let (producers_used, producers_room) = self.producers.room();
        let (epochs_used, epochs_room) = self.epochs.room();
        let (aborted_used, aborted_room) = self.active().aborted.room();
        // Any transaction that is open may be aborted.
        let aborted_used = aborted_used + self.producers.undecided();
        let lists = [
            (
                List::Segments,
                self.segments.len(),
                self.segments.capacity(),
            ),
            (List::Extents, self.extents.len(), self.extents.capacity()),
            (List::Producers, producers_used, producers_room),
            (List::Index, index_used, index_room),
            (List::Epochs, epochs_used, epochs_room),
            (List::Aborted, aborted_used, aborted_room),
        ];
        for (list, used, room) in lists {
            let bit = 1 << list as u8;
            if used > room / 2 && self.rooms.lists_ordered & bit == 0 {
                self.rooms.lists_ordered |= bit;
                io.job(self.root, Job::Lengthen(self.id, list, room.max(4) * 2));
            }
        }
    }

    /// Orders the room of a later roll.
    pub fn order_roll_room(&mut self, io: &mut Io) {
        self.rooms.ordered += 1;
        let size = self.room_size(Purpose::Roll, true);
        io.job(self.root, Job::MakeRoom(self.id, Purpose::Roll, size));
    }

    /// The room of a roll: one that was made ahead if there is one and it is large enough.
    pub fn roll_room(&mut self, io: &mut Io) -> Room {
        let needed = self.room_size(Purpose::Roll, false);
        let segments_full = self.segments.len() == self.segments.capacity();
        match self.rooms.take() {
            Some(room) if room.holds(needed) && !segments_full => room,
            Some(room) if room.holds(needed) => {
                io.stats.made_in_place += 1;
                room
            }
            other => {
                io.stats.made_in_place += 1;
                if let Some(room) = other {
                    io.discard(Garbage::Room(room));
                }
                Room::make(needed)
            }
        }
    }

    /// The room for moving the recovery point; `None` when it has yet to come.
    pub fn settle_room(&mut self, io: &mut Io) -> Option<Room> {
        let needed = self.room_size(Purpose::Settle, false);
        match self.rooms.settle.take() {
            Some(room) if room.holds(needed) => return Some(room),
            Some(room) => io.discard(Garbage::Room(room)),
            None => {}
        }
        if !std::mem::replace(&mut self.rooms.settle_ordered, true) {
            let size = self.room_size(Purpose::Settle, true);
            io.job(self.root, Job::MakeRoom(self.id, Purpose::Settle, size));
        }
        None
    }

    /// Takes a room that the helper made.
    pub fn take_room(&mut self, io: &mut Io, purpose: Purpose, room: Room) {
        let too_many = match purpose {
            Purpose::Roll => {
                self.rooms.ordered -= 1;
                self.rooms.put(room)
            }
            Purpose::Settle => {
                self.rooms.settle_ordered = false;
                self.rooms.settle.replace(room)
            }
        };
        if let Some(room) = too_many {
            io.discard(Garbage::Room(room));
        }
    }

    /// Moves to a longer list that the helper made.
    pub fn take_longer(&mut self, io: &mut Io, longer: Longer) {
        self.rooms.lists_ordered &= !(1 << longer.list() as u8);
        let shell = match longer {
            Longer::Segments(mut list) if list.capacity() > self.segments.len() => {
                list.extend(self.segments.drain(..));
                Longer::Segments(std::mem::replace(&mut self.segments, list))
            }
            Longer::Extents(mut list) if list.capacity() > self.extents.len() => {
                list.extend(self.extents.drain(..));
                Longer::Extents(std::mem::replace(&mut self.extents, list))
            }
            Longer::Producers(larger) if larger.room().1 > self.producers.room().0 => {
                Longer::Producers(self.producers.move_to(larger))
            }
            Longer::Epochs(larger) if larger.capacity() > self.epochs.room().0 => {
                Longer::Epochs(self.epochs.move_to(larger))
            }
            Longer::Aborted(longer) => Longer::Aborted(self.active_mut().aborted.move_to(longer)),
            Longer::Index(larger) => Longer::Index(self.lengthen_index(larger)),
            // It grew in place meanwhile, past what was ordered.
            late => late,
        };
        io.discard(Garbage::List(shell));
    }

    /// The longer list was meant for a segment that may be rolled by now: then its successor has it.
    fn lengthen_index(&mut self, larger: GrowingIndex) -> GrowingIndex {
        match &mut self.active_mut().index {
            SegmentIndex::Growing(index) if larger.chunks().1 > index.chunks().1 => {
                match Arc::get_mut(index) {
                    Some(index) => index.move_to(larger),
                    None => larger,
                }
            }
            _ => larger,
        }
    }

    /// The log's producers at its end, in a room's lists.
    pub fn snapshot(
        &self,
        mut producers: ProducerList,
        epochs: LeaderEpochs,
        aborted: AbortedWrite,
    ) -> Snapshot {
        self.producers.copy_to(&mut producers);
        Snapshot {
            offset: self.end,
            producers,
            epochs,
            epochs_changed: false,
            aborted,
        }
    }

    /// Puts the leader epochs into a snapshot, when they changed since the last that was written.
    pub fn add_epochs(&mut self, snapshot: &mut Snapshot) {
        if std::mem::take(&mut self.epochs_changed) {
            snapshot.epochs.copy_from(&self.epochs);
            snapshot.epochs_changed = true;
        }
    }
}

//! A pool's memory, chunk by chunk of 2 MiB: taken from the filesystem when those in use do not
//! suffice, so that a full filesystem is an answer and never a signal, and given back when it is not
//! needed. A helper thread does both, ahead of need, so that the pool's owner waits for neither (on
//! the machine where this was measured 0.25 ms for a chunk's memory, 0.7 ms for making a huge page
//! of it, and up to 1 ms for the page faults where that cannot be had).

mod helper;

#[cfg(all(test, not(loom)))]
mod tests;

use std::thread::{self, JoinHandle};

use precursor_memory::spsc::{self, Receiver, Sender};
use precursor_memory::{CHUNK_BYTES, keep_off};

use crate::region::Region;
pub(crate) use helper::Span;
use helper::{Order, Outcome};

/// Orders that the helper can have and not have answered, and one that stops it.
const ORDERS_MAX: usize = 64;
const STACK_BYTES: usize = 64 << 10;

/// What a pool is given of the memory that it may have ([`crate::RegionOptions`] has the maximum).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolOptions {
    /// Taken at the start, and kept when memory is given back; in bytes, rounded up to chunks of
    /// 2 MiB.
    pub initial_bytes: usize,
    /// What a pool grows by, in bytes, rounded up to chunks of 2 MiB.
    pub step_bytes: usize,
    /// Whether the initial memory's pages are brought in too before the pool is first used: no page
    /// fault at the first records.
    pub prewarm: bool,
}

impl Default for PoolOptions {
    fn default() -> PoolOptions {
        PoolOptions {
            initial_bytes: 0,
            step_bytes: CHUNK_BYTES,
            prewarm: false,
        }
    }
}

/// Where a chunk is between the filesystem and the pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// It has no memory that we know of.
    Vacant,
    /// The helper is asked for it.
    Ordered,
    /// It has its memory and waits for the pool.
    Ready,
    InUse,
    /// The helper is giving its memory back.
    Leaving,
}

/// What a supply has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct SupplyCounts {
    /// Times that the owner had to wait for the filesystem.
    pub waits: u64,
    /// Chunks whose memory was given back.
    pub given_back: u64,
    /// Chunks of the pool that lie on a huge page each.
    pub huge: usize,
}

/// The memory of one pool. Owned by the pool's thread; allocates nothing after it was made.
pub(crate) struct ChunkSupply {
    region: Region,
    span: Span,
    states: Box<[State]>,
    huge: Box<[bool]>,
    /// No chunk before this one is vacant.
    lowest_vacant: usize,
    ordered: usize,
    ready: usize,
    /// Orders without an answer yet.
    in_flight: usize,
    /// The filesystem takes nothing back.
    keeps_all: bool,
    step: usize,
    counts: SupplyCounts,
    refusals: u64,
    ask_again_at: u64,
    orders: Sender<Order>,
    outcomes: Receiver<Outcome>,
    /// `None` where no thread could be had: the owner then asks for itself, each time it must.
    thread: Option<JoinHandle<()>>,
}

impl ChunkSupply {
    pub fn new(region: Region, span: Span, name: String) -> ChunkSupply {
        let (orders, to_do) = spsc::channel(ORDERS_MAX);
        let (done, outcomes) = spsc::channel(ORDERS_MAX);
        let its_region = region.clone();
        let thread = thread::Builder::new()
            .name(name)
            .stack_size(STACK_BYTES)
            .spawn(move || {
                keep_off(its_region.taken_processors());
                helper::run(&its_region, span, to_do, done);
            });
        ChunkSupply {
            region,
            span,
            states: vec![State::Vacant; span.chunks].into(),
            huge: vec![false; span.chunks].into(),
            lowest_vacant: 0,
            ordered: 0,
            ready: 0,
            in_flight: 0,
            keeps_all: false,
            step: 1,
            counts: SupplyCounts::default(),
            refusals: 0,
            ask_again_at: 0,
            orders,
            outcomes,
            thread: thread.ok(),
        }
    }

    /// How many chunks are taken at a time.
    pub fn set_step(&mut self, bytes: usize) {
        self.step = bytes.div_ceil(CHUNK_BYTES).max(1);
    }

    /// Takes this chunk: what recovery does with those that hold something. False when the
    /// filesystem has no memory behind it and none for it; it is out of use then.
    pub fn claim(&mut self, chunk: usize) -> bool {
        self.enter(chunk, self.region.is_reserved());
        self.span.ask(&self.region, chunk)
    }

    /// A chunk with its memory, the lowest that can be had at once.
    pub fn next(&mut self) -> Option<usize> {
        self.collect();
        if self.ready > 0
            && let Some(chunk) = self.first(State::Ready)
        {
            self.ready -= 1;
            self.enter(chunk, self.huge[chunk]);
            return Some(chunk);
        }
        if self.refusals < self.ask_again_at {
            self.refusals += 1;
            return None;
        }
        // One that the helper is at may be asked for twice: what has its memory keeps it.
        let chunk = self.vacant().or_else(|| self.first(State::Ordered))?;
        self.counts.waits += 1;
        if !self.span.ask(&self.region, chunk) {
            self.refusals += 1;
            self.ask_again_at = self.refusals + self.span.refusals_between_asks;
            return None;
        }
        if self.states[chunk] == State::Ordered {
            self.ordered -= 1;
        }
        self.enter(chunk, self.region.is_reserved());
        self.order_exactly(self.step - 1);
        Some(chunk)
    }

    /// As [`ChunkSupply::next`], with its pages brought in: slower, for the start.
    pub fn next_warm(&mut self) -> Option<usize> {
        let chunk = self.next()?;
        if !self.huge[chunk] {
            let huge = self.span.bring_in(&self.region, chunk);
            self.note_huge(chunk, huge);
        }
        Some(chunk)
    }

    /// Has the helper make so many chunks ready besides those that it is at; what it has no time for
    /// can be ordered again.
    pub fn order(&mut self, chunks: usize) {
        self.order_exactly(chunks.next_multiple_of(self.step));
    }

    fn order_exactly(&mut self, chunks: usize) {
        if chunks == 0 {
            return;
        }
        for _ in 0..chunks {
            let Some(chunk) = self.vacant() else { break };
            if !self.send(Order::Back(chunk as u32)) {
                break;
            }
            self.states[chunk] = State::Ordered;
            self.ordered += 1;
        }
        self.wake();
    }

    /// Chunks that are ready or will be.
    pub fn coming(&mut self) -> usize {
        self.collect();
        self.ordered + self.ready
    }

    /// Has the helper give a chunk's memory back, which the pool no longer lends. False when it has
    /// no time now, or the memory is reserved for us anyway: the pool goes on with the chunk.
    pub fn give_back(&mut self, chunk: usize) -> bool {
        debug_assert_eq!(self.states[chunk], State::InUse);
        let possible = !self.keeps_all && !self.region.is_reserved();
        let leaves = possible && self.send(Order::GiveBack(chunk as u32));
        if leaves {
            self.note_huge(chunk, false);
            self.states[chunk] = State::Leaving;
            self.wake();
        }
        leaves
    }

    /// Has the helper give the memory of chunks back that are ready but not in the pool;
    /// whether there was any.
    pub fn give_back_ready(&mut self) -> bool {
        self.collect();
        let ready = self.ready;
        while let Some(chunk) = self.first(State::Ready) {
            let huge = self.huge[chunk];
            self.enter(chunk, huge);
            self.ready -= 1;
            if !self.give_back(chunk) {
                self.note_huge(chunk, false);
                self.huge[chunk] = huge;
                self.states[chunk] = State::Ready;
                self.ready += 1;
                break;
            }
        }
        self.ready < ready
    }

    #[cfg(all(test, not(loom)))]
    pub fn ready(&mut self) -> usize {
        self.collect();
        self.ready
    }

    pub fn counts(&self) -> SupplyCounts {
        self.counts
    }

    /// Takes what the helper says.
    pub fn collect(&mut self) {
        while let Some(outcome) = self.outcomes.try_receive() {
            self.in_flight -= 1;
            match outcome {
                Outcome::Backed { chunk, huge } => self.backed(chunk as usize, huge),
                Outcome::Refused(chunk) => {
                    if self.states[chunk as usize] == State::Ordered {
                        self.ordered -= 1;
                        self.vacate(chunk as usize);
                    }
                }
                Outcome::GivenBack(chunk) => {
                    self.counts.given_back += 1;
                    self.vacate(chunk as usize);
                }
                Outcome::Kept(chunk) => {
                    self.keeps_all = true;
                    self.states[chunk as usize] = State::Ready;
                    self.ready += 1;
                }
            }
        }
    }

    fn backed(&mut self, chunk: usize, huge: bool) {
        match self.states[chunk] {
            State::Ordered => {
                self.states[chunk] = State::Ready;
                self.huge[chunk] = huge;
                self.ordered -= 1;
                self.ready += 1;
            }
            // The owner was in a hurry and has it already.
            State::InUse => self.note_huge(chunk, huge),
            _ => {}
        }
    }

    /// The chunk is the pool's from here on.
    fn enter(&mut self, chunk: usize, huge: bool) {
        self.states[chunk] = State::InUse;
        self.huge[chunk] = false;
        self.note_huge(chunk, huge);
    }

    /// False when the helper has enough to do, or there is none.
    fn send(&mut self, order: Order) -> bool {
        let has_room = self.thread.is_some() && self.in_flight + 1 < ORDERS_MAX;
        let sent = has_room && self.orders.try_send(order).is_ok();
        self.in_flight += usize::from(sent);
        sent
    }

    fn note_huge(&mut self, chunk: usize, huge: bool) {
        let before = std::mem::replace(&mut self.huge[chunk], huge);
        self.counts.huge = self.counts.huge + usize::from(huge) - usize::from(before);
    }

    fn vacate(&mut self, chunk: usize) {
        self.states[chunk] = State::Vacant;
        self.lowest_vacant = self.lowest_vacant.min(chunk);
    }

    fn vacant(&mut self) -> Option<usize> {
        let rest = self.states.get(self.lowest_vacant..)?;
        let found = rest.iter().position(|state| *state == State::Vacant);
        self.lowest_vacant = found.map_or(self.states.len(), |at| self.lowest_vacant + at);
        found.map(|_| self.lowest_vacant)
    }

    fn first(&self, state: State) -> Option<usize> {
        self.states.iter().position(|is| *is == state)
    }

    fn wake(&self) {
        if let Some(thread) = &self.thread {
            thread.thread().unpark();
        }
    }
}

impl Drop for ChunkSupply {
    fn drop(&mut self) {
        let Some(thread) = self.thread.take() else {
            return;
        };
        // There is room for it: see `send`.
        let _ = self.orders.try_send(Order::Stop);
        thread.thread().unpark();
        let _ = thread.join();
    }
}

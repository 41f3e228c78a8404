//! The helper thread: asks the filesystem for memory, and gives it back.

use std::thread;

use precursor_memory::CHUNK_BYTES;
use precursor_memory::spsc::{Receiver, Sender};

use crate::region::Region;

/// Where a pool's chunks are in the region.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    /// The pool's first byte.
    pub start: u64,
    pub chunks: usize,
    /// The first byte of what must be there beside each chunk, and its bytes for one chunk.
    pub directory: Option<(u64, u64)>,
    /// A full filesystem is asked for memory again after this many refusals: each asking takes and
    /// gives back whatever little is left there.
    pub refusals_between_asks: u64,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Order {
    Back(u32),
    GiveBack(u32),
    Stop,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Outcome {
    Backed {
        chunk: u32,
        huge: bool,
    },
    Refused(u32),
    GivenBack(u32),
    /// The filesystem cannot give back.
    Kept(u32),
}

impl Span {
    /// Asks the filesystem for a chunk's memory; again is no harm.
    pub fn ask(&self, region: &Region, chunk: usize) -> bool {
        let directory = self.directory.is_none_or(|(start, bytes)| {
            let start = start + chunk as u64 * bytes;
            region.back(start, bytes)
        });
        directory && region.back(self.offset(chunk), CHUNK_BYTES as u64)
    }

    /// Brings a chunk's pages in, as one huge page where that can be had (then it says so), else one
    /// by one; where that fails too they come when they are touched.
    pub fn bring_in(&self, region: &Region, chunk: usize) -> bool {
        let offset = self.offset(chunk) as usize;
        if region.is_reserved() {
            let _ = region.mapping().prefault(offset, CHUNK_BYTES);
            return true;
        }
        let huge = region.mapping().make_huge(offset, CHUNK_BYTES).is_ok();
        if !huge {
            let _ = region.mapping().prefault(offset, CHUNK_BYTES);
        }
        huge
    }

    /// Brings a chunk's pages in while others of the region are written to. Not as a huge page where
    /// none is reserved: making one moves pages and holds up every page fault of the process
    /// meanwhile, which under load costs more than it gains.
    fn bring_in_beside_load(&self, region: &Region, chunk: usize) -> bool {
        let offset = self.offset(chunk) as usize;
        let _ = region.mapping().prefault(offset, CHUNK_BYTES);
        region.is_reserved()
    }

    fn offset(&self, chunk: usize) -> u64 {
        self.start + (chunk * CHUNK_BYTES) as u64
    }
}

pub(super) fn run(
    region: &Region,
    span: Span,
    mut orders: Receiver<Order>,
    mut outcomes: Sender<Outcome>,
) {
    loop {
        let outcome = match orders.try_receive() {
            Some(Order::Back(chunk)) if span.ask(region, chunk as usize) => Outcome::Backed {
                chunk,
                huge: span.bring_in_beside_load(region, chunk as usize),
            },
            Some(Order::Back(chunk)) => Outcome::Refused(chunk),
            Some(Order::GiveBack(chunk)) => {
                match region.give_back(span.offset(chunk as usize), CHUNK_BYTES as u64) {
                    Ok(()) => Outcome::GivenBack(chunk),
                    Err(_) => Outcome::Kept(chunk),
                }
            }
            Some(Order::Stop) => return,
            None if orders.is_closed() => return,
            None => {
                thread::park();
                continue;
            }
        };
        // There is room: no more orders are sent than answers fit.
        if outcomes.try_send(outcome).is_err() {
            return;
        }
    }
}

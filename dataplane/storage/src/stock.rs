//! Small pieces of memory that all logs of a shard take from: made by the helper before they run out,
//! and kept when they come back.

use crate::index::{GrowingIndex, SpareChunks};
use crate::io::Io;
use crate::jobs::Job;
use crate::log::SegmentIndex;
use crate::read::Gather;
use crate::room::Garbage;
use precursor_disk::BLOCK;
use std::sync::Arc;

/// Chunks that a shard keeps at most.
const CHUNKS_MAX: usize = 1024;
/// Blocks for parked tails that a shard keeps.
const BLOCKS: usize = 64;
/// Gathers that are made ahead, and those that a shard keeps at most.
const GATHERS: usize = 64;
const GATHERS_MAX: usize = 256;

/// Memory that every log of the shard takes from.
pub(crate) struct Stock {
    /// For the indexes of active segments.
    pub chunks: SpareChunks,
    /// For the last partial blocks of parked tails.
    pub blocks: Vec<Vec<u8>>,
    /// For reads.
    pub gathers: Vec<Gather>,
    is_ordered: bool,
    chunks_wanted: usize,
}

impl Stock {
    pub fn new() -> Stock {
        let mut stock = Stock {
            chunks: Vec::with_capacity(CHUNKS_MAX),
            blocks: Vec::with_capacity(BLOCKS),
            gathers: Vec::with_capacity(GATHERS_MAX),
            is_ordered: false,
            chunks_wanted: 0,
        };
        stock.expect_logs(0);
        stock
            .chunks
            .append(&mut GrowingIndex::spare_chunks(stock.chunks_wanted));
        stock.blocks.extend(spare_blocks(BLOCKS));
        stock.gathers.extend(spare_gathers(GATHERS));
        stock
    }

    /// Each log may want a chunk at the same time.
    pub fn expect_logs(&mut self, logs: usize) {
        self.chunks_wanted = (64 + logs).min(CHUNKS_MAX);
    }
}

fn spare_blocks(count: usize) -> impl Iterator<Item = Vec<u8>> {
    (0..count).map(|_| Vec::with_capacity(BLOCK as usize))
}

fn spare_gathers(count: usize) -> impl Iterator<Item = Gather> {
    (0..count).map(|_| Gather::with_room())
}

/// How much of a stock is to be made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Order {
    chunks: usize,
    blocks: usize,
    gathers: usize,
}

/// What the helper made for a stock.
pub(crate) struct Delivery {
    chunks: SpareChunks,
    blocks: Vec<Vec<u8>>,
    gathers: Vec<Gather>,
}

impl Delivery {
    pub fn make(order: Order) -> Delivery {
        Delivery {
            chunks: GrowingIndex::spare_chunks(order.chunks),
            blocks: spare_blocks(order.blocks).collect(),
            gathers: spare_gathers(order.gathers).collect(),
        }
    }
}

/// Moves what fits; the rest stays.
fn restock<T>(stock: &mut Vec<T>, delivery: &mut Vec<T>) {
    while stock.len() < stock.capacity()
        && let Some(one) = delivery.pop()
    {
        stock.push(one);
    }
}

impl Io {
    /// Orders what of the stock runs out.
    pub fn order_stock(&mut self) {
        let stock = &mut self.stock;
        let short = stock.chunks.len() < stock.chunks_wanted / 2
            || stock.blocks.len() < BLOCKS / 2
            || stock.gathers.len() < GATHERS / 2;
        if short && !stock.is_ordered {
            stock.is_ordered = true;
            let order = Order {
                chunks: stock.chunks_wanted.saturating_sub(stock.chunks.len()),
                blocks: BLOCKS.saturating_sub(stock.blocks.len()),
                gathers: GATHERS.saturating_sub(stock.gathers.len()),
            };
            self.memory_job(Job::MakeStock(order));
        }
    }

    pub fn take_stock(&mut self, mut delivery: Delivery) {
        let stock = &mut self.stock;
        stock.is_ordered = false;
        restock(&mut stock.chunks, &mut delivery.chunks);
        restock(&mut stock.blocks, &mut delivery.blocks);
        restock(&mut stock.gathers, &mut delivery.gathers);
        self.discard(Garbage::Delivery(delivery));
    }

    /// An empty gather.
    pub fn take_gather(&mut self) -> Gather {
        let made = self.stock.gathers.pop();
        made.unwrap_or_else(|| {
            self.stats.made_in_place += 1;
            Gather::with_room()
        })
    }

    /// Unpins a gather's memory and keeps its list.
    pub fn return_gather(&mut self, mut gather: Gather) {
        for chunk in gather.chunks.drain(..) {
            self.unpin(chunk.extent);
        }
        gather.length = 0;
        gather.aborted.clear();
        if self.stock.gathers.len() < GATHERS_MAX {
            self.stock.gathers.push(gather);
        } else {
            self.discard(Garbage::Gather(gather));
        }
    }

    /// A block for a parked tail.
    pub fn take_block(&mut self) -> Vec<u8> {
        let made = self.stock.blocks.pop();
        made.unwrap_or_else(|| {
            self.stats.made_in_place += 1;
            Vec::with_capacity(BLOCK as usize)
        })
    }

    /// Takes a parked tail's block back.
    pub fn return_block(&mut self, mut block: Vec<u8>) {
        if block.capacity() == 0 {
            return;
        }
        if block.capacity() >= BLOCK as usize && self.stock.blocks.len() < BLOCKS {
            block.clear();
            self.stock.blocks.push(block);
        } else {
            self.discard(Garbage::Block(block));
        }
    }

    /// Keeps the chunks of an index that nobody needs any more; the helper frees the rest.
    pub fn retire_index(&mut self, mut index: SegmentIndex) {
        if let SegmentIndex::Sealing(index) | SegmentIndex::Growing(index) = &mut index
            && let Some(index) = Arc::get_mut(index)
        {
            index.give_back(&mut self.stock.chunks);
        }
        if !matches!(index, SegmentIndex::Absent) {
            self.discard(Garbage::Index(index));
        }
    }

    /// Has a helper free memory: that may block. What has files is for [`Io::close`].
    pub fn discard(&mut self, garbage: Garbage) {
        self.memory_job(Job::Discard(garbage));
    }
}

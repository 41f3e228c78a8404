//! A buddy allocator over offsets: it decides which units of a pool are whose, and never touches them.
//!
//! Memory is lent in blocks of 4 KiB × 2^order inside chunks of 2 MiB. Book-keeping is a bitmap tree of
//! 128 bytes and 512 bytes of block orders per chunk, made at construction and touched only where
//! chunks are in use: the lowest chunk that fits is taken, so that a small load stays on few pages.

/// The smallest block.
pub const UNIT_BYTES: usize = 4096;
/// The largest block, and what a pool grows by.
pub const CHUNK_BYTES: usize = UNIT_BYTES << ORDER_MAX;
/// Units of a chunk.
pub const CHUNK_UNITS: usize = 1 << ORDER_MAX;
/// The order of a block that is a whole chunk.
pub const ORDER_MAX: u8 = 9;

/// Words of a chunk's tree: 512 + 256 + … + 1 = 1023 bits.
const TREE_WORDS: usize = 16;
/// Where in the tree an order's bits begin.
const TREE_STARTS: [u16; ORDER_MAX as usize + 1] =
    [0, 512, 768, 896, 960, 992, 1008, 1016, 1020, 1022];

/// The order of the smallest block that holds `bytes`; `None` if even a chunk does not, or for none.
pub fn order_for(bytes: usize) -> Option<u8> {
    if bytes == 0 || bytes > CHUNK_BYTES {
        return None;
    }
    let units = bytes.div_ceil(UNIT_BYTES).next_power_of_two();
    Some(units.trailing_zeros() as u8)
}

/// Why a certain block could not be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClaimError {
    /// It ends past the pool, is not aligned to its size, or has an unknown order.
    Misplaced,
    /// Its chunk is not part of the pool now, or some of it is taken.
    Taken,
}

/// Which chunks have a free block of one order: bits, and words that have any.
#[derive(Debug)]
struct ChunkSet {
    words: Box<[u64]>,
    summary: Box<[u64]>,
}

impl ChunkSet {
    fn new(chunks: usize) -> ChunkSet {
        let words = chunks.div_ceil(64);
        ChunkSet {
            words: vec![0; words].into(),
            summary: vec![0; words.div_ceil(64)].into(),
        }
    }

    fn insert(&mut self, chunk: usize) {
        self.words[chunk / 64] |= 1 << (chunk % 64);
        self.summary[chunk / 4096] |= 1 << (chunk / 64 % 64);
    }

    fn remove(&mut self, chunk: usize) {
        let word = &mut self.words[chunk / 64];
        *word &= !(1 << (chunk % 64));
        if *word == 0 {
            self.summary[chunk / 4096] &= !(1 << (chunk / 64 % 64));
        }
    }

    fn first(&self) -> Option<usize> {
        let (index, summary) = self
            .summary
            .iter()
            .enumerate()
            .find(|(_, word)| **word != 0)?;
        let word = index * 64 + summary.trailing_zeros() as usize;
        Some(word * 64 + self.words[word].trailing_zeros() as usize)
    }

    fn last(&self) -> Option<usize> {
        let (index, summary) = self
            .summary
            .iter()
            .enumerate()
            .rfind(|(_, word)| **word != 0)?;
        let word = index * 64 + summary.ilog2() as usize;
        Some(word * 64 + self.words[word].ilog2() as usize)
    }
}

/// The allocator. Owned by one thread; allocates nothing after [`BuddyAllocator::new`].
#[derive(Debug)]
pub struct BuddyAllocator {
    chunks: usize,
    /// Per chunk, a bit for every block of every order that is free as a whole and not part of a
    /// larger free block.
    trees: Box<[u64]>,
    /// Per order, the chunks whose tree has a bit of that order.
    with_free: [ChunkSet; ORDER_MAX as usize + 1],
    /// Per unit, 1 + the order of the taken block that begins there, or 0.
    taken: Box<[u8]>,
    units_free: usize,
    units_taken: usize,
    units_taken_max: usize,
    chunks_free: usize,
}

impl BuddyAllocator {
    /// An allocator for up to `bytes` (rounded down to whole chunks), none of which it may lend until
    /// [`BuddyAllocator::add_chunk`] says so.
    pub fn new(bytes: usize) -> BuddyAllocator {
        let chunks = bytes / CHUNK_BYTES;
        BuddyAllocator {
            chunks,
            trees: vec![0; chunks * TREE_WORDS].into(),
            with_free: std::array::from_fn(|_| ChunkSet::new(chunks)),
            taken: vec![0; chunks * CHUNK_UNITS].into(),
            units_free: 0,
            units_taken: 0,
            units_taken_max: 0,
            chunks_free: 0,
        }
    }

    /// Chunks that there can be at most.
    pub fn chunks_max(&self) -> usize {
        self.chunks
    }

    /// Makes a chunk's memory available.
    ///
    /// # Panics
    /// If there is no such chunk, or (in debug builds) if any of it is in the allocator already.
    pub fn add_chunk(&mut self, chunk: usize) {
        assert!(chunk < self.chunks, "chunk {chunk} of {}", self.chunks);
        debug_assert!(
            self.tree(chunk).iter().all(|word| *word == 0),
            "a chunk is added once"
        );
        self.set_free(chunk, ORDER_MAX, 0);
        self.units_free += CHUNK_UNITS;
    }

    /// Takes a wholly free chunk out of the allocator, so that its memory can be given back.
    /// False if some of it is lent, or it was not in.
    pub fn remove_chunk(&mut self, chunk: usize) -> bool {
        let free = chunk < self.chunks && self.is_free(chunk, ORDER_MAX, 0);
        if free {
            self.clear_free(chunk, ORDER_MAX, 0);
            self.units_free -= CHUNK_UNITS;
        }
        free
    }

    /// The highest chunk of which nothing is lent.
    pub fn last_free_chunk(&self) -> Option<usize> {
        self.with_free[usize::from(ORDER_MAX)].last()
    }

    /// Takes a block of this order and returns its first unit, or `None` when no chunk that was added
    /// has such a block left.
    ///
    /// # Panics
    /// If the order is larger than [`ORDER_MAX`].
    pub fn allocate(&mut self, order: u8) -> Option<u32> {
        assert!(order <= ORDER_MAX, "order {order}");
        let (from, chunk) = (order..=ORDER_MAX)
            .find_map(|from| Some((from, self.with_free[usize::from(from)].first()?)))?;
        let index = self.first_free(chunk, from);
        self.clear_free(chunk, from, index);
        // The left half is kept and halved further; every right half stays free.
        let mut index = index;
        for half in (order..from).rev() {
            index *= 2;
            self.set_free(chunk, half, index + 1);
        }
        let unit = chunk * CHUNK_UNITS + (index << order);
        self.take(unit, order);
        Some(unit as u32)
    }

    /// Takes exactly this block, as recovery does.
    ///
    /// # Errors
    /// See [`ClaimError`]; nothing is changed then.
    pub fn claim(&mut self, unit: u32, order: u8) -> Result<(), ClaimError> {
        let unit = unit as usize;
        if order > ORDER_MAX || unit >= self.taken.len() || !unit.is_multiple_of(1 << order) {
            return Err(ClaimError::Misplaced);
        }
        let (chunk, within) = (unit / CHUNK_UNITS, unit % CHUNK_UNITS);
        let from = (order..=ORDER_MAX)
            .find(|from| self.is_free(chunk, *from, within >> from))
            .ok_or(ClaimError::Taken)?;
        self.clear_free(chunk, from, within >> from);
        for half in (order..from).rev() {
            self.set_free(chunk, half, (within >> half) ^ 1);
        }
        self.take(unit, order);
        Ok(())
    }

    /// Gives a block back, and returns its order.
    ///
    /// # Panics
    /// If no taken block begins at this unit.
    pub fn free(&mut self, unit: u32) -> u8 {
        let unit = unit as usize;
        let order = self.taken[unit]
            .checked_sub(1)
            .expect("a block is given back once, by its first unit");
        self.taken[unit] = 0;
        self.units_taken -= 1 << order;
        self.units_free += 1 << order;
        let chunk = unit / CHUNK_UNITS;
        let mut index = (unit % CHUNK_UNITS) >> order;
        let mut merged = order;
        while merged < ORDER_MAX && self.is_free(chunk, merged, index ^ 1) {
            self.clear_free(chunk, merged, index ^ 1);
            index /= 2;
            merged += 1;
        }
        self.set_free(chunk, merged, index);
        order
    }

    /// The order of the taken block that begins at this unit.
    pub fn order(&self, unit: u32) -> Option<u8> {
        self.taken.get(unit as usize)?.checked_sub(1)
    }

    /// Bytes that were added and are not lent.
    pub fn bytes_free(&self) -> usize {
        self.units_free * UNIT_BYTES
    }

    /// Bytes lent.
    pub fn bytes_in_use(&self) -> usize {
        self.units_taken * UNIT_BYTES
    }

    /// The most that was ever lent at once.
    pub fn bytes_in_use_max(&self) -> usize {
        self.units_taken_max * UNIT_BYTES
    }

    /// Of the free bytes, those of chunks of which nothing is lent; the others are fragments.
    pub fn bytes_free_whole(&self) -> usize {
        self.chunks_free * CHUNK_BYTES
    }

    /// The largest block that could be lent without adding a chunk, in bytes.
    pub fn largest_free(&self) -> usize {
        (0..=ORDER_MAX)
            .rev()
            .find(|order| self.with_free[usize::from(*order)].first().is_some())
            .map_or(0, |order| UNIT_BYTES << order)
    }

    fn take(&mut self, unit: usize, order: u8) {
        self.taken[unit] = order + 1;
        self.units_free -= 1 << order;
        self.units_taken += 1 << order;
        self.units_taken_max = self.units_taken_max.max(self.units_taken);
    }

    fn tree(&self, chunk: usize) -> &[u64] {
        &self.trees[chunk * TREE_WORDS..][..TREE_WORDS]
    }

    fn bit(order: u8, index: usize) -> usize {
        usize::from(TREE_STARTS[usize::from(order)]) + index
    }

    fn is_free(&self, chunk: usize, order: u8, index: usize) -> bool {
        let bit = Self::bit(order, index);
        self.trees[chunk * TREE_WORDS + bit / 64] & (1 << (bit % 64)) != 0
    }

    fn set_free(&mut self, chunk: usize, order: u8, index: usize) {
        let bit = Self::bit(order, index);
        self.trees[chunk * TREE_WORDS + bit / 64] |= 1 << (bit % 64);
        self.with_free[usize::from(order)].insert(chunk);
        self.chunks_free += usize::from(order == ORDER_MAX);
    }

    fn clear_free(&mut self, chunk: usize, order: u8, index: usize) {
        let bit = Self::bit(order, index);
        self.trees[chunk * TREE_WORDS + bit / 64] &= !(1 << (bit % 64));
        self.chunks_free -= usize::from(order == ORDER_MAX);
        if self.find_free(chunk, order).is_none() {
            self.with_free[usize::from(order)].remove(chunk);
        }
    }

    fn first_free(&self, chunk: usize, order: u8) -> usize {
        self.find_free(chunk, order)
            .expect("the set of chunks with a free block and the trees agree")
    }

    /// The lowest free block of this order in this chunk's tree. Orders 0 to 3 fill whole words; the
    /// others share the last two, from order 4 on, in masks.
    fn find_free(&self, chunk: usize, order: u8) -> Option<usize> {
        let tree = self.tree(chunk);
        let start = usize::from(TREE_STARTS[usize::from(order)]);
        let blocks = CHUNK_UNITS >> order;
        if blocks < 64 {
            let mask = (1_u64 << blocks) - 1;
            let bits = (tree[start / 64] >> (start % 64)) & mask;
            return (bits != 0).then(|| bits.trailing_zeros() as usize);
        }
        let words = &tree[start / 64..][..blocks / 64];
        let (index, word) = words.iter().enumerate().find(|(_, word)| **word != 0)?;
        Some(index * 64 + word.trailing_zeros() as usize)
    }
}

#[cfg(all(test, not(loom)))]
mod tests;

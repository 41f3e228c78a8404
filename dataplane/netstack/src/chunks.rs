//! The memory of all buffers: equal chunks, lent while there is data.

use crate::list::NONE;

/// A fixed number of chunks. Memory that was never lent was never touched.
pub struct Chunks {
    memory: Vec<u8>,
    size: usize,
    /// Freed chunks, linked; the last freed is lent first.
    next: Vec<u32>,
    free: u32,
    untouched: usize,
    lent: usize,
    /// Handles of the user's own memory that he has back and was not yet told of.
    returned: Vec<u64>,
}

impl Chunks {
    pub fn new(count: usize, size: usize) -> Chunks {
        Chunks {
            memory: vec![0; count * size],
            size,
            next: vec![0; count],
            free: NONE,
            untouched: 0,
            lent: 0,
            returned: Vec::new(),
        }
    }

    pub fn size(&self) -> usize {
        self.size
    }

    pub fn lent(&self) -> usize {
        self.lent
    }

    pub fn free(&self) -> usize {
        self.next.len() - self.lent
    }

    pub fn take(&mut self) -> Option<u32> {
        let chunk = if self.free != NONE {
            let chunk = self.free;
            self.free = self.next[chunk as usize];
            chunk
        } else if self.untouched < self.next.len() {
            self.untouched += 1;
            self.untouched as u32 - 1
        } else {
            return None;
        };
        self.lent += 1;
        Some(chunk)
    }

    pub fn give_back(&mut self, chunk: u32) {
        self.next[chunk as usize] = self.free;
        self.free = chunk;
        self.lent -= 1;
    }

    /// Memory that the user lent is no longer looked at.
    pub fn return_lent(&mut self, handle: u64) {
        self.returned.push(handle);
    }

    pub fn returned(&mut self) -> &mut Vec<u64> {
        &mut self.returned
    }

    pub fn bytes(&self, chunk: u32) -> &[u8] {
        let start = chunk as usize * self.size;
        &self.memory[start..start + self.size]
    }

    pub fn bytes_mut(&mut self, chunk: u32) -> &mut [u8] {
        let start = chunk as usize * self.size;
        &mut self.memory[start..start + self.size]
    }
}

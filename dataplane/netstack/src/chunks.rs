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

    pub fn bytes(&self, chunk: u32) -> &[u8] {
        let start = chunk as usize * self.size;
        &self.memory[start..start + self.size]
    }

    pub fn bytes_mut(&mut self, chunk: u32) -> &mut [u8] {
        let start = chunk as usize * self.size;
        &mut self.memory[start..start + self.size]
    }
}

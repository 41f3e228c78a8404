//! Frames that leave without a connection: answers to ARP and echo, resets, cookies, questions
//! for neighbours. Bounded, built in place.

use std::collections::VecDeque;

use crate::config::{Nanos, SECOND};

/// Frames in the order in which they leave. Buffers are used again.
pub struct Replies {
    waiting: VecDeque<Vec<u8>>,
    spare: Vec<Vec<u8>>,
    /// Frames that may still leave to strangers in this second.
    tokens: u32,
    per_second: u32,
    second: u64,
}

impl Replies {
    pub fn new(frames: usize, frame_bytes: usize, per_second: u32) -> Replies {
        Replies {
            waiting: VecDeque::with_capacity(frames),
            spare: (0..frames)
                .map(|_| Vec::with_capacity(frame_bytes))
                .collect(),
            tokens: per_second,
            per_second,
            second: 0,
        }
    }

    /// Whether a stranger may be answered now; counts the answer.
    pub fn allow(&mut self, now: Nanos) -> bool {
        if now / SECOND != self.second {
            self.second = now / SECOND;
            self.tokens = self.per_second;
        }
        let allowed = self.tokens > 0;
        self.tokens -= u32::from(allowed);
        allowed
    }

    /// Queues a frame that `build` writes; false when there is no room.
    pub fn push(&mut self, build: impl FnOnce(&mut Vec<u8>)) -> bool {
        let Some(mut frame) = self.spare.pop() else {
            return false;
        };
        frame.clear();
        build(&mut frame);
        self.waiting.push_back(frame);
        true
    }

    pub fn front(&self) -> Option<&[u8]> {
        self.waiting.front().map(Vec::as_slice)
    }

    pub fn pop(&mut self) {
        if let Some(frame) = self.waiting.pop_front() {
            self.spare.push(frame);
        }
    }

    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

//! One direction of a connection: bytes on their way, bytes that arrived, the end.

use std::collections::VecDeque;

/// What a pipe's reading end finds.
pub(crate) enum Found {
    Bytes(usize),
    Nothing,
    End,
}

pub(crate) struct Pipe {
    capacity: usize,
    travelling: VecDeque<(u64, Vec<u8>)>,
    travelling_bytes: usize,
    arrived: VecDeque<u8>,
    /// When the last thing written arrives; nothing overtakes it.
    last_arrival: u64,
    ends_at: Option<u64>,
    /// Arrivals (bytes, and one for the end) so far, and those already told of.
    arrivals: u64,
    arrivals_told: u64,
    ended: bool,
}

impl Pipe {
    pub(crate) fn new(capacity: usize) -> Pipe {
        Pipe {
            capacity,
            travelling: VecDeque::new(),
            travelling_bytes: 0,
            arrived: VecDeque::new(),
            last_arrival: 0,
            ends_at: None,
            arrivals: 0,
            arrivals_told: 0,
            ended: false,
        }
    }

    pub(crate) fn room(&self) -> usize {
        self.capacity - self.travelling_bytes - self.arrived.len()
    }

    pub(crate) fn is_ended(&self) -> bool {
        self.ends_at.is_some()
    }

    /// Sends `bytes`, which must have room, to arrive at `when` or after what is ahead of them.
    pub(crate) fn write(&mut self, bytes: &[u8], when: u64) {
        assert!(bytes.len() <= self.room());
        assert!(!self.is_ended());
        self.last_arrival = self.last_arrival.max(when);
        self.travelling_bytes += bytes.len();
        self.travelling
            .push_back((self.last_arrival, bytes.to_vec()));
    }

    pub(crate) fn end(&mut self, when: u64) {
        self.last_arrival = self.last_arrival.max(when);
        self.ends_at.get_or_insert(self.last_arrival);
    }

    /// Lets arrive what is due.
    pub(crate) fn advance(&mut self, now: u64) {
        while self
            .travelling
            .front()
            .is_some_and(|(when, _)| *when <= now)
        {
            if let Some((_, bytes)) = self.travelling.pop_front() {
                self.travelling_bytes -= bytes.len();
                self.arrivals += bytes.len() as u64;
                self.arrived.extend(bytes);
            }
        }
        if !self.ended && self.ends_at.is_some_and(|when| when <= now) {
            self.ended = true;
            self.arrivals += 1;
        }
    }

    /// When the next thing arrives, if anything is on its way.
    pub(crate) fn next_arrival(&self) -> Option<u64> {
        let bytes = self.travelling.front().map(|(when, _)| *when);
        bytes.or(self.ends_at.filter(|_| !self.ended))
    }

    /// Whether something arrived that was not told of.
    pub(crate) fn has_news(&self) -> bool {
        self.arrivals > self.arrivals_told
    }

    pub(crate) fn tell(&mut self) {
        self.arrivals_told = self.arrivals;
    }

    pub(crate) fn available(&self) -> usize {
        self.arrived.len()
    }

    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> Found {
        let length = buffer.len().min(self.arrived.len());
        if length == 0 {
            return if self.ended {
                Found::End
            } else {
                Found::Nothing
            };
        }
        for (byte, place) in self.arrived.drain(..length).zip(buffer) {
            *place = byte;
        }
        Found::Bytes(length)
    }
}

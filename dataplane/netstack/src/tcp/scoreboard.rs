//! The record of segments in flight: when each left, and what is known of its arrival.

use std::collections::VecDeque;

use super::delivery::Stamp;
use crate::config::Nanos;
use crate::sequence::{after, at_least, at_most, before, earlier};
use crate::wire::tcp::SackBlock;

/// A run of payload that left in one piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    pub start: u32,
    pub length: u32,
    /// When it left last.
    pub sent_at: Nanos,
    /// The peer holds it beyond a gap.
    pub sacked: bool,
    /// Taken for lost and not yet sent again.
    pub lost: bool,
    pub retransmitted: bool,
    pub stamp: Stamp,
}

impl Sent {
    pub fn end(&self) -> u32 {
        self.start.wrapping_add(self.length)
    }
}

/// Segments in order of their sequence numbers, without gaps.
#[derive(Default)]
pub struct Scoreboard {
    segments: VecDeque<Sent>,
    /// Bytes neither held by the peer nor lost.
    in_flight: u32,
    sacked: u32,
    sacked_segments: u32,
    lost: u32,
    /// No lost segment ends before this.
    lost_from: u32,
    /// Bytes that a peer without SACK seems to hold, by its duplicate acknowledgments.
    supposed: u32,
}

impl Scoreboard {
    pub fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    pub fn len(&self) -> usize {
        self.segments.len()
    }

    /// Bytes on the way, as RFC 6675's pipe.
    pub fn pipe(&self) -> u32 {
        self.in_flight.saturating_sub(self.supposed)
    }

    pub fn sacked(&self) -> u32 {
        self.sacked
    }

    pub fn sacked_segments(&self) -> u32 {
        self.sacked_segments
    }

    pub fn lost(&self) -> u32 {
        self.lost
    }

    #[cfg(test)]
    fn last(&self) -> Option<&Sent> {
        self.segments.back()
    }

    pub fn get(&self, index: usize) -> Option<&Sent> {
        self.segments.get(index)
    }

    pub fn clear(&mut self) {
        self.segments.clear();
        self.in_flight = 0;
        self.sacked = 0;
        self.sacked_segments = 0;
        self.lost = 0;
        self.supposed = 0;
    }

    /// New data left.
    pub fn push(&mut self, start: u32, length: u32, stamp: Stamp, now: Nanos) {
        self.in_flight += length;
        self.segments.push_back(Sent {
            start,
            length,
            sent_at: now,
            sacked: false,
            lost: false,
            retransmitted: false,
            stamp,
        });
    }

    /// Everything before `acknowledged` arrived: calls `each` for what was not known to have.
    pub fn acknowledge(&mut self, acknowledged: u32, each: &mut dyn FnMut(&Sent)) {
        while let Some(first) = self.segments.front().copied() {
            if !before(first.start, acknowledged) {
                break;
            }
            let mut part = first;
            if after(first.end(), acknowledged) {
                part.length = acknowledged.wrapping_sub(first.start);
                self.segments[0].start = acknowledged;
                self.segments[0].length -= part.length;
            } else {
                self.segments.pop_front();
                self.sacked_segments -= u32::from(first.sacked);
            }
            if part.sacked {
                self.sacked -= part.length;
            } else {
                if part.lost {
                    self.lost -= part.length;
                } else {
                    self.in_flight -= part.length;
                }
                each(&part);
            }
        }
        self.supposed = self.supposed.min(self.in_flight);
    }

    /// The peer holds `block`: calls `each` for what is news. Pieces of segments are told apart
    /// while there are fewer than `limit`; beyond, only whole segments count.
    pub fn sack(&mut self, block: SackBlock, limit: usize, each: &mut dyn FnMut(&Sent)) {
        let mut index = self
            .segments
            .partition_point(|sent| at_most(sent.end(), block.start));
        while let Some(sent) = self.segments.get(index).copied() {
            if at_least(sent.start, block.end) {
                break;
            }
            if sent.sacked {
                index += 1;
                continue;
            }
            if before(sent.start, block.start) {
                self.split(index, block.start, limit);
                index += 1;
                continue;
            }
            if after(sent.end(), block.end) && !self.split(index, block.end, limit) {
                break;
            }
            let sent = &mut self.segments[index];
            sent.sacked = true;
            if std::mem::take(&mut sent.lost) {
                self.lost -= sent.length;
            } else {
                self.in_flight -= sent.length;
            }
            self.sacked += sent.length;
            self.sacked_segments += 1;
            each(&self.segments[index]);
            index += 1;
        }
    }

    /// Cuts a segment at `sequence`, which lies within it.
    fn split(&mut self, index: usize, sequence: u32, limit: usize) -> bool {
        if self.segments.len() >= limit {
            return false;
        }
        let mut rest = self.segments[index];
        let length = sequence.wrapping_sub(rest.start);
        self.segments[index].length = length;
        rest.start = sequence;
        rest.length -= length;
        self.sacked_segments += u32::from(rest.sacked);
        self.segments.insert(index + 1, rest);
        true
    }

    /// The index of the last segment that the peer is not known to hold, cut to its last `length`
    /// bytes.
    pub fn split_tail(&mut self, length: u32) -> Option<usize> {
        let index = self.segments.iter().rposition(|sent| !sent.sacked)?;
        let sent = self.segments[index];
        if sent.length <= length {
            return Some(index);
        }
        let cut = sent.end().wrapping_sub(length);
        self.split(index, cut, usize::MAX);
        Some(index + 1)
    }

    pub fn mark_lost(&mut self, index: usize) {
        let sent = &mut self.segments[index];
        if sent.lost || sent.sacked {
            return;
        }
        sent.lost = true;
        let (start, length) = (sent.start, sent.length);
        self.lost_from = if self.lost == 0 {
            start
        } else {
            earlier(self.lost_from, start)
        };
        self.lost += length;
        self.in_flight -= length;
        self.supposed = self.supposed.min(self.in_flight);
    }

    /// Takes segments for lost that were overtaken (RFC 8985, 6.2 step 5): those sent before
    /// `reference` for which `deadline(sent_at)` is past. Returns the latest deadline to come.
    pub fn mark_overtaken(
        &mut self,
        reference: (Nanos, u32),
        wait: Nanos,
        now: Nanos,
    ) -> Option<Nanos> {
        let mut next = None;
        for index in 0..self.segments.len() {
            let sent = self.segments[index];
            // Segments sent once left in order: all further ones are younger.
            if !sent.retransmitted && sent.sent_at > reference.0 {
                break;
            }
            if sent.sacked || sent.lost || !sent_after(reference, (sent.sent_at, sent.end())) {
                continue;
            }
            let deadline = sent.sent_at + wait;
            if deadline <= now {
                self.mark_lost(index);
            } else {
                next = next.max(Some(deadline));
            }
        }
        next
    }

    /// A timeout: the first segment is lost, and all that left `age` ago or earlier (RFC 8985,
    /// 6.3). A peer that holds what it does not acknowledge has thrown it away: nothing that it
    /// told counts any more (RFC 2018, 8).
    pub fn time_out(&mut self, now: Nanos, age: Nanos) {
        self.supposed = 0;
        if self.segments.front().is_some_and(|first| first.sacked) {
            for sent in self.segments.iter_mut().filter(|sent| sent.sacked) {
                sent.sacked = false;
                self.in_flight += sent.length;
            }
            self.sacked = 0;
            self.sacked_segments = 0;
        }
        for index in 0..self.segments.len() {
            if index == 0 || self.segments[index].sent_at + age <= now {
                self.mark_lost(index);
            }
        }
    }

    /// Nothing is lost after all.
    pub fn forgive(&mut self) {
        for sent in self.segments.iter_mut().filter(|sent| sent.lost) {
            sent.lost = false;
            self.in_flight += sent.length;
        }
        self.lost = 0;
    }

    /// Segments longer than `length` are lost: a hop does not carry them.
    pub fn mark_too_long(&mut self, length: u32) {
        for index in 0..self.segments.len() {
            if self.segments[index].length > length {
                self.mark_lost(index);
            }
        }
    }

    pub fn first_lost(&mut self) -> Option<usize> {
        if self.lost == 0 {
            return None;
        }
        let from = self.lost_from;
        let start = self
            .segments
            .partition_point(|sent| at_most(sent.end(), from));
        let found = (start..self.segments.len()).find(|index| self.segments[*index].lost)?;
        self.lost_from = self.segments[found].start;
        Some(found)
    }

    /// The segment at `index` left again, or its first `length` bytes.
    pub fn sent_again(&mut self, index: usize, length: u32, stamp: Stamp, now: Nanos) {
        let sent = self.segments[index];
        if length < sent.length {
            self.split(index, sent.start.wrapping_add(length), usize::MAX);
        }
        let sent = &mut self.segments[index];
        if std::mem::take(&mut sent.lost) {
            self.lost -= sent.length;
            self.in_flight += sent.length;
        }
        sent.retransmitted = true;
        sent.stamp = stamp;
        sent.sent_at = now;
    }

    /// A duplicate acknowledgment of a peer without SACK: one more segment arrived somewhere.
    pub fn suppose(&mut self, bytes: u32) {
        self.supposed = (self.supposed + bytes).min(self.in_flight);
    }

    /// New data was acknowledged by a peer without SACK: so much less is beyond the gap.
    pub fn suppose_less(&mut self, bytes: u32) {
        self.supposed = self.supposed.saturating_sub(bytes);
    }

    #[cfg(test)]
    fn check(&self) {
        let sum = |of: &dyn Fn(&Sent) -> bool| -> u32 {
            let these = self.segments.iter().filter(|sent| of(sent));
            these.map(|sent| sent.length).sum()
        };
        assert_eq!(self.sacked, sum(&|sent| sent.sacked));
        assert_eq!(self.lost, sum(&|sent| sent.lost));
        assert_eq!(self.in_flight, sum(&|sent| !sent.sacked && !sent.lost));
        let sacked = self.segments.iter().filter(|sent| sent.sacked).count();
        assert_eq!(self.sacked_segments as usize, sacked);
        for pair in self.segments.iter().zip(self.segments.iter().skip(1)) {
            assert_eq!(pair.0.end(), pair.1.start);
            assert!(pair.0.length > 0);
        }
    }
}

/// Whether `a` left after `b`; segments of one moment count in order (RFC 8985, 6.1).
pub fn sent_after(a: (Nanos, u32), b: (Nanos, u32)) -> bool {
    a.0 > b.0 || (a.0 == b.0 && after(a.1, b.1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_random::Random;

    #[test]
    fn sums_hold_over_seeded_histories() {
        for seed in 0..100 {
            let mut random = Random::new(seed);
            let mut board = Scoreboard::default();
            let mut start = random.next() as u32;
            let mut next = start;
            for now in 1..600_u64 {
                match random.below(8) {
                    0..=2 => {
                        let length = 1 + random.below(3000) as u32;
                        board.push(next, length, Stamp::default(), now);
                        next = next.wrapping_add(length);
                    }
                    3 => {
                        start = start.wrapping_add(random.below(4000) as u32);
                        start = earlier(start, next);
                        board.acknowledge(start, &mut |sent| assert!(!sent.sacked));
                    }
                    4 => {
                        let from = start.wrapping_add(random.below(20_000) as u32);
                        let to = from.wrapping_add(random.below(5_000) as u32);
                        let block = SackBlock {
                            start: from,
                            end: to,
                        };
                        board.sack(block, 64, &mut |_| {});
                    }
                    5 => {
                        let last = board.last().copied();
                        let reference = last.map_or((0, 0), |sent| (sent.sent_at, sent.end()));
                        board.mark_overtaken(reference, random.below(30), now);
                    }
                    6 => {
                        if let Some(index) = board.first_lost() {
                            let length = board.get(index).unwrap().length.min(1448);
                            board.sent_again(index, length, Stamp::default(), now);
                        }
                    }
                    _ => match random.below(20) {
                        0 => board.time_out(now, random.below(50)),
                        1 => board.forgive(),
                        2 => board.mark_too_long(1000),
                        _ => board.suppose(100),
                    },
                }
                board.check();
                assert!(board.pipe() <= board.in_flight);
            }
        }
    }

    #[test]
    fn a_throwing_away_peer_is_not_believed() {
        let mut board = Scoreboard::default();
        (0..4).for_each(|i| board.push(i * 10, 10, Stamp::default(), 1));
        board.sack(SackBlock { start: 0, end: 30 }, 100, &mut |_| {});
        assert_eq!(board.sacked(), 30);
        board.time_out(100, 1000);
        assert_eq!((board.sacked(), board.lost()), (0, 10));
    }
}

//! How fast data arrives at the peer (draft-cheng-iccrg-delivery-rate-estimation): each segment
//! carries a note of what had arrived when it left, and its acknowledgment compares.

use super::scoreboard::Sent;
use crate::config::Nanos;
use crate::sequence::{at_least, before};

/// What is noted of the connection when a segment leaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stamp {
    /// Bytes that had arrived, modulo 2³².
    pub delivered: u32,
    /// When the last of them was known to have.
    pub delivered_at: Nanos,
    /// When the first segment of the flight that was measured last had left.
    pub first_sent_at: Nanos,
    /// The user, not the path, held data back.
    pub limited: bool,
}

/// One measurement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// Bytes that arrived from the segment's leaving to its acknowledgment, and how long it took.
    pub bytes: u32,
    pub interval: Nanos,
    /// The segment's own note.
    pub stamp: Stamp,
}

#[derive(Default)]
pub struct Delivery {
    delivered: u32,
    delivered_at: Nanos,
    first_sent_at: Nanos,
    /// Segments that leave until this much has arrived prove nothing of the path.
    limited_until: Option<u32>,
    /// The segment that left last of those that the acknowledgment at hand tells of.
    latest: Option<(Stamp, Nanos)>,
}

impl Delivery {
    pub fn delivered(&self) -> u32 {
        self.delivered
    }

    /// A segment leaves, first or again; `in_flight` is what is on the way before it.
    pub fn stamp(&mut self, in_flight: u32, now: Nanos) -> Stamp {
        if in_flight == 0 {
            self.first_sent_at = now;
            self.delivered_at = now;
        }
        Stamp {
            delivered: self.delivered,
            delivered_at: self.delivered_at,
            first_sent_at: self.first_sent_at,
            limited: self.limited_until.is_some(),
        }
    }

    /// The user has no more to send than what is on the way.
    pub fn limit(&mut self, in_flight: u32) {
        self.limited_until = Some(self.delivered.wrapping_add(in_flight));
    }

    /// A segment arrived.
    pub fn arrived(&mut self, sent: &Sent) {
        self.delivered = self.delivered.wrapping_add(sent.length);
        let later = self.latest.is_none_or(|(latest, at)| {
            at_least(sent.stamp.delivered, latest.delivered) && sent.sent_at >= at
        });
        if later {
            self.latest = Some((sent.stamp, sent.sent_at));
        }
    }

    /// All arrivals of one acknowledgment were told.
    pub fn sample(&mut self, now: Nanos) -> Option<Sample> {
        let (stamp, sent_at) = self.latest.take()?;
        self.delivered_at = now;
        self.first_sent_at = sent_at;
        if self
            .limited_until
            .is_some_and(|until| before(until, self.delivered))
        {
            self.limited_until = None;
        }
        // Acknowledgments that come in a burst would make it too short, sending in a burst also.
        let interval = (sent_at.saturating_sub(stamp.first_sent_at))
            .max(now.saturating_sub(stamp.delivered_at));
        Some(Sample {
            bytes: self.delivered.wrapping_sub(stamp.delivered),
            interval,
            stamp,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(stamp: Stamp, sent_at: Nanos) -> Sent {
        Sent {
            start: 0,
            length: 1_000,
            sent_at,
            sacked: false,
            lost: false,
            retransmitted: false,
            stamp,
        }
    }

    #[test]
    fn the_rate_is_of_what_arrived_while_a_segment_was_on_its_way() {
        let mut delivery = Delivery::default();
        // One segment every 100 µs, each acknowledged 1 ms after it left.
        let mut flight: Vec<Sent> = Vec::new();
        let mut last = None;
        for number in 0..30_usize {
            let now = 1_000_000 + number as u64 * 100_000;
            if number >= 10 {
                delivery.arrived(&flight[number - 10]);
                last = delivery.sample(now);
            }
            let in_flight = number.min(9) as u32 * 1_000;
            flight.push(sent(delivery.stamp(in_flight, now), now));
        }
        let sample = last.expect("one arrived");
        assert_eq!((sample.bytes, sample.interval), (10_000, 1_000_000));
        assert!(!sample.stamp.limited);
    }

    #[test]
    fn what_a_user_held_back_is_marked_until_it_arrived() {
        let mut delivery = Delivery::default();
        delivery.limit(1_000);
        let stamp = delivery.stamp(1_000, 5);
        assert!(stamp.limited);
        delivery.arrived(&sent(stamp, 5));
        delivery.sample(10);
        assert!(delivery.stamp(1_000, 11).limited, "that much, not more");
        delivery.arrived(&sent(stamp, 6));
        delivery.sample(12);
        assert!(!delivery.stamp(1_000, 13).limited);
    }
}

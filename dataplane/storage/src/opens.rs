//! Logs that wait to be opened, and which of them are next.

use crate::api::{LogId, Now};
use crate::recovery::{OpenRequest, RecoveryReport};
use precursor_model::TopicId;
use std::collections::VecDeque;

/// Logs that the helper opens in one job: enough for their syncs to be shared, few enough for what
/// else the helper is asked to do, and for the topics that come after.
const BATCH: usize = 128;

/// A log and what is needed to open it.
pub(crate) type Opening = (LogId, Box<OpenRequest>);

/// What waits for the helper of one directory.
#[derive(Default)]
struct Queue {
    topics: VecDeque<Waiting>,
    /// The helper has a batch.
    under_way: bool,
}

impl Queue {
    fn is_due(&self) -> bool {
        !self.under_way && !self.topics.is_empty()
    }
}

struct Waiting {
    topic: TopicId,
    requests: VecDeque<Opening>,
}

/// Requests by topic. Every topic that waits has a part in each batch, so that a topic of one
/// partition does not wait for those of ten thousand that were asked for before it.
pub(crate) struct Opens {
    /// By directory.
    queues: Vec<Queue>,
    recovered: Recovered,
    begun_us: u64,
    /// The logs that were there at the start are open.
    has_begun: bool,
}

/// What recovery had to do, all logs together that were opened in a row.
#[derive(Default)]
struct Recovered {
    logs: usize,
    report: RecoveryReport,
}

impl Opens {
    pub fn new(directories: usize, now: Now) -> Opens {
        Opens {
            queues: (0..directories).map(|_| Queue::default()).collect(),
            recovered: Recovered::default(),
            begun_us: now.monotonic_us,
            has_begun: false,
        }
    }

    pub fn push(&mut self, root: u16, opening: Opening) {
        let topic = opening.1.topic_id;
        let topics = &mut self.queues[usize::from(root)].topics;
        // A topic that is named again after others has a second turn: that is not worth a search.
        match topics.back_mut() {
            Some(waiting) if waiting.topic == topic => waiting.requests.push_back(opening),
            _ => topics.push_back(Waiting {
                topic,
                requests: VecDeque::from([opening]),
            }),
        }
    }

    /// True when there is a batch to be had.
    pub fn is_due(&self) -> bool {
        self.queues.iter().any(Queue::is_due)
    }

    /// A directory whose helper can have a batch.
    pub fn due(&self) -> Option<u16> {
        let due = self.queues.iter().position(Queue::is_due);
        due.map(|root| root as u16)
    }

    /// The helper of a directory has, or has not, a batch.
    pub fn set_under_way(&mut self, root: u16, under_way: bool) {
        self.queues[usize::from(root)].under_way = under_way;
    }

    /// Counts what recovery had to do for a log.
    pub fn add_recovered(&mut self, report: &RecoveryReport) {
        let Recovered { logs, report: sum } = &mut self.recovered;
        *logs += 1;
        sum.batches_validated += report.batches_validated;
        sum.bytes_rescued += report.bytes_rescued;
        sum.bytes_cut += report.bytes_cut;
        sum.set_aside += report.set_aside;
    }

    /// Says what recovery had to do, once no log waits any more: one line, however many there were.
    /// The first time, gives the microseconds since the start.
    pub fn tell_recovered(&mut self, now: Now) -> Option<u64> {
        let is_busy = |queue: &Queue| queue.under_way || !queue.topics.is_empty();
        if self.queues.iter().any(is_busy) {
            return None;
        }
        let took_us = now.monotonic_us.saturating_sub(self.begun_us);
        let is_first = !std::mem::replace(&mut self.has_begun, true);
        self.log_recovered(took_us);
        is_first.then_some(took_us)
    }

    fn log_recovered(&mut self, took_us: u64) {
        if self.recovered.logs == 0 {
            return;
        }
        let Recovered { logs, report } = std::mem::take(&mut self.recovered);
        tracing::info!(
            logs,
            batches_validated = report.batches_validated,
            bytes_rescued = report.bytes_rescued,
            bytes_cut = report.bytes_cut,
            set_aside = report.set_aside,
            since_start_ms = took_us / 1000,
            "recovered"
        );
    }

    /// A directory's next batch, without logs that are not wanted any more; empty when none waits.
    pub fn next_batch(&mut self, root: u16, is_wanted: impl Fn(LogId) -> bool) -> Vec<Opening> {
        let topics = &mut self.queues[usize::from(root)].topics;
        let mut batch = Vec::new();
        while batch.len() < BATCH
            && let Some(mut waiting) = topics.pop_front()
        {
            batch.extend(
                waiting
                    .requests
                    .pop_front()
                    .filter(|(id, _)| is_wanted(*id)),
            );
            if !waiting.requests.is_empty() {
                topics.push_back(waiting);
            }
        }
        batch
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use precursor_model::LogUid;
    use std::path::PathBuf;

    const NOW: Now = Now {
        monotonic_us: 0,
        wall_ms: 0,
    };

    fn opening(topic: u8, slot: u32) -> Opening {
        let request = OpenRequest {
            data_dir: PathBuf::new(),
            directory: PathBuf::new(),
            uid: LogUid(u64::from(slot)),
            topic_id: TopicId([topic; 16]),
            index_interval: 4096,
            recovery_point: 0,
            log_start: 0,
            leader_epoch: 0,
            memory: Vec::new(),
        };
        let generation = 0;
        (LogId { slot, generation }, Box::new(request))
    }

    fn topics(batch: &[Opening]) -> Vec<u8> {
        batch.iter().map(|(_, r)| r.topic_id.0[0]).collect()
    }

    #[test]
    fn every_topic_has_a_part_in_the_next_batch() {
        let mut opens = Opens::new(1, NOW);
        for slot in 0..1_000 {
            opens.push(0, opening(1, slot));
        }
        assert_eq!(topics(&opens.next_batch(0, |_| true)), [1; BATCH]);
        opens.push(0, opening(2, 1_000));
        opens.push(0, opening(3, 1_001));
        opens.push(0, opening(3, 1_002));
        let batch = topics(&opens.next_batch(0, |_| true));
        assert_eq!(batch[..5], [1, 2, 3, 1, 3]);
        assert_eq!(batch.len(), BATCH);
        let mut left = 0;
        loop {
            match opens.next_batch(0, |_| true).len() {
                0 => break,
                more => left += more,
            }
        }
        assert_eq!(left, 1_003 - 2 * BATCH);
        assert!(!opens.is_due());
    }

    #[test]
    fn logs_that_were_removed_are_left_out() {
        let mut opens = Opens::new(1, NOW);
        for slot in 0..300 {
            opens.push(0, opening(1, slot));
        }
        let batch = opens.next_batch(0, |id| id.slot >= 290);
        let slots: Vec<u32> = batch.iter().map(|(id, _)| id.slot).collect();
        assert_eq!(slots, (290..300).collect::<Vec<_>>());
        assert!(!opens.is_due());
    }
}

//! The helper threads of a store: one for each log directory, so that a disk which never answers
//! holds up the logs on it and no others, and beside several of them one for memory alone.

use crate::jobs::{Job, Outcome};
use precursor_disk::Helper;
use std::collections::VecDeque;

/// Jobs that wait for a helper before its list grows.
const JOBS: usize = 256;
/// Helpers for directories at most; more directories share them.
const DIRECTORY_LANES_MAX: usize = 32;

pub(crate) type JobHelper = Helper<Job, Outcome>;

/// How many helpers so many directories have for themselves.
pub(crate) fn directory_lanes(directories: usize) -> usize {
    directories.clamp(1, DIRECTORY_LANES_MAX)
}

/// How many helpers so many directories have in all.
pub(crate) fn lanes(directories: usize) -> usize {
    match directory_lanes(directories) {
        1 => 1,
        many => many + 1,
    }
}

/// The name of a thread of a shard for one of several lanes.
pub(crate) fn lane_name(what: &str, shard: u16, lane: usize) -> String {
    match lane {
        0 => format!("{what}-{shard}"),
        lane => format!("{what}-{shard}.{lane}"),
    }
}

struct Lane {
    helper: JobHelper,
    jobs: VecDeque<Job>,
    /// When it last gave an outcome, or got a job when it had none.
    since_us: u64,
}

/// Helpers and what waits for them. Jobs of one directory are done in order.
pub(crate) struct Lanes {
    lanes: Box<[Lane]>,
    /// Where the next outcome is looked for first.
    next: usize,
}

impl Lanes {
    /// Takes as many helpers as [`lanes`] says.
    pub fn new(helpers: Vec<JobHelper>) -> Lanes {
        let lane = |helper| Lane {
            helper,
            jobs: VecDeque::with_capacity(JOBS),
            since_us: 0,
        };
        Lanes {
            lanes: helpers.into_iter().map(lane).collect(),
            next: 0,
        }
    }

    fn of_directory(&self, root: u16) -> usize {
        match self.lanes.len() {
            1 => 0,
            many => usize::from(root) % (many - 1),
        }
    }

    /// Queues a job for a directory's helper, or for memory's; false when the list had to grow.
    pub fn push(&mut self, root: Option<u16>, job: Job, now_us: u64) -> bool {
        let at = root.map_or(self.lanes.len() - 1, |root| self.of_directory(root));
        let lane = &mut self.lanes[at];
        let has_room = lane.jobs.len() < lane.jobs.capacity();
        if !lane.helper.is_busy() {
            lane.since_us = now_us;
        }
        lane.jobs.push_back(job);
        lane.send();
        has_room
    }

    /// Takes one outcome of any helper.
    pub fn next_outcome(&mut self, now_us: u64) -> Option<Outcome> {
        for _ in 0..self.lanes.len() {
            let lane = &mut self.lanes[self.next];
            if let Some(outcome) = lane.helper.try_receive() {
                lane.since_us = now_us;
                lane.send();
                return Some(outcome);
            }
            self.next = (self.next + 1) % self.lanes.len();
        }
        None
    }

    pub fn is_busy(&self) -> bool {
        self.lanes.iter().any(Lane::is_busy)
    }

    /// True while a directory's helper owes something.
    pub fn is_busy_with(&self, root: u16) -> bool {
        self.lanes[self.of_directory(root)].is_busy()
    }

    /// True when a directory's helper is so far behind that work which can wait should.
    pub fn is_behind(&self, root: u16) -> bool {
        self.lanes[self.of_directory(root)].jobs.len() >= JOBS / 4
    }

    /// How long a directory's helper has been at one job, in microseconds; 0: it has none.
    pub fn silent_us(&self, root: u16, now_us: u64) -> u64 {
        let lane = &self.lanes[self.of_directory(root)];
        match lane.helper.is_busy() {
            true => now_us.saturating_sub(lane.since_us),
            false => 0,
        }
    }

    /// Makes the lists long enough for this many logs.
    pub fn expect_logs(&mut self, logs: usize) {
        for lane in &mut self.lanes {
            crate::io::reserve(&mut lane.jobs, JOBS + 4 * logs);
        }
    }
}

impl Lane {
    fn is_busy(&self) -> bool {
        self.helper.is_busy() || !self.jobs.is_empty()
    }

    fn send(&mut self) {
        while let Some(job) = self.jobs.pop_front() {
            if let Err(job) = self.helper.try_send(job) {
                self.jobs.push_front(job);
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::room::Garbage;
    use precursor_disk::Wake;
    use std::sync::{Arc, Mutex};

    fn nothing() -> Job {
        Job::Discard(Garbage::Block(Vec::new()))
    }

    /// Outcomes that come within a while, at most `most`.
    fn outcomes(lanes: &mut Lanes, most: usize) -> usize {
        let mut count = 0;
        for _ in 0..1_000 {
            while lanes.next_outcome(0).is_some() {
                count += 1;
            }
            if count >= most {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        count
    }

    #[test]
    fn a_helper_that_hangs_holds_up_its_own_directory_and_no_other() {
        let gate = Arc::new(Mutex::new(()));
        let wake = Arc::new(Wake::new().unwrap());
        let helper = |lane: usize| {
            let gate = gate.clone();
            let run = move |_| {
                let _held = (lane == 0).then(|| gate.lock().unwrap());
                Outcome::Discarded
            };
            Helper::spawn(format!("lane-{lane}"), 4, wake.clone(), run).unwrap()
        };
        let held = gate.lock().unwrap();
        let mut all = Lanes::new((0..lanes(2)).map(helper).collect());
        for _ in 0..100 {
            assert!(all.push(Some(0), nothing(), 0));
        }
        for _ in 0..100 {
            assert!(all.push(Some(1), nothing(), 0));
            assert!(all.push(None, nothing(), 0));
        }
        assert_eq!(outcomes(&mut all, 200), 200);
        assert!(all.is_busy() && all.is_behind(0) && !all.is_behind(1));
        assert_eq!(
            (all.silent_us(0, 7_000), all.silent_us(1, 7_000)),
            (7_000, 0)
        );
        drop(held);
        assert_eq!(outcomes(&mut all, 100), 100);
        assert!(!all.is_busy());
    }

    #[test]
    fn many_directories_share_a_bounded_number_of_helpers() {
        assert_eq!((lanes(1), lanes(2), lanes(32), lanes(256)), (1, 3, 33, 33));
    }
}

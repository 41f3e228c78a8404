//! The requests of one shard that are in work or wait for their turn.

use crate::service::Request;
use crate::{
    PARKED_BYTES_PER_SHARD_MAX, PARKED_PER_SHARD_MAX, REQUEST_BYTES_PER_SHARD_MAX,
    REQUEST_TIME_MAX, REQUESTS_PER_SHARD_MAX,
};
use precursor_protocol::ApiKey;
use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;
use tokio::task::AbortHandle;

/// Longer than any rebalance that a client may ask for: the coordinator's own timers end the wait.
const REBALANCE_TIME_MAX: Duration = Duration::from_millis(i32::MAX as u64 * 2);

/// What is asked.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Work {
    Answer(Request),
    EnsureTopics(Vec<String>),
}

impl Work {
    /// How long it may take.
    pub fn time_max(&self) -> Duration {
        if self.waits_for_others() {
            REBALANCE_TIME_MAX
        } else {
            REQUEST_TIME_MAX
        }
    }

    /// Whether the answer comes when other clients have done something: JoinGroup waits for every
    /// member, SyncGroup for the leader.
    fn waits_for_others(&self) -> bool {
        let Work::Answer(request) = self else {
            return false;
        };
        let key = request.frame.first_chunk();
        let key = key.and_then(|key| ApiKey::from_i16(i16::from_be_bytes(*key)));
        matches!(key, Some(ApiKey::JoinGroup | ApiKey::SyncGroup))
    }
}

/// One request of the shard.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Job {
    pub token: u64,
    pub work: Work,
}

impl Job {
    fn connection(&self) -> Option<u64> {
        match &self.work {
            Work::Answer(request) => Some(request.connection),
            Work::EnsureTopics(_) => None,
        }
    }

    fn bytes(&self) -> usize {
        match &self.work {
            Work::Answer(request) => request.frame.len(),
            Work::EnsureTopics(names) => names.iter().map(String::len).sum(),
        }
    }
}

#[derive(Debug)]
struct Running {
    connection: Option<u64>,
    bytes: usize,
    /// Waits for other clients.
    parked: bool,
    /// Its connection is gone: the answer is for nobody.
    abandoned: bool,
    task: Option<AbortHandle>,
}

impl Drop for Running {
    /// Who waits for others would go on for as long as they like; the rest is soon done by itself.
    fn drop(&mut self) {
        if self.parked
            && let Some(task) = &self.task
        {
            task.abort();
        }
    }
}

/// How many requests, and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Held {
    count: usize,
    bytes: usize,
}

impl Held {
    fn add(&mut self, bytes: usize) {
        self.count += 1;
        self.bytes += bytes;
    }

    fn remove(&mut self, bytes: usize) {
        self.count -= 1;
        self.bytes -= bytes;
    }
}

/// What became of a request that came.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Added {
    Start(Job),
    /// It waits for its turn on its connection.
    Waits,
    /// Too much waits for other clients already.
    Refused(Job),
}

/// Lets requests of one connection run one after another, as Kafka does, and others at once.
///
/// Those that work soon are done: when there are too many, the shard waits. Those that wait for
/// other clients, and what is behind them on their connections, may be there for long: they have
/// bounds of their own, past which they are refused, so that they hold up nobody else.
#[derive(Debug, Default)]
pub(crate) struct Jobs {
    running: HashMap<u64, Running>,
    /// By connection, while one of its requests runs.
    waiting: HashMap<u64, Queue>,
    /// Of all that run or wait.
    tokens: HashSet<u64>,
    active: Held,
    parked: Held,
}

#[derive(Debug, Default)]
struct Queue {
    jobs: VecDeque<Job>,
    /// The one that runs waits for other clients.
    parked: bool,
}

impl Jobs {
    /// Takes a request, whose token is not held.
    pub fn add(&mut self, job: Job) -> Added {
        let Some(connection) = job.connection() else {
            self.tokens.insert(job.token);
            self.active.add(job.bytes());
            return Added::Start(self.start(job));
        };
        let Some(queue) = self.waiting.get_mut(&connection) else {
            if job.work.waits_for_others() && !self.has_room_to_park() {
                return Added::Refused(job);
            }
            self.tokens.insert(job.token);
            self.active.add(job.bytes());
            self.waiting.insert(connection, Queue::default());
            return Added::Start(self.start(job));
        };
        let parked = queue.parked;
        if parked && !self.has_room_to_park() {
            return Added::Refused(job);
        }
        self.tokens.insert(job.token);
        let held = if parked {
            &mut self.parked
        } else {
            &mut self.active
        };
        held.add(job.bytes());
        if let Some(queue) = self.waiting.get_mut(&connection) {
            queue.jobs.push_back(job);
        }
        Added::Waits
    }

    /// Starts a request that is held as one that works.
    fn start(&mut self, job: Job) -> Job {
        let connection = job.connection();
        let parked = job.work.waits_for_others();
        let running = Running {
            connection,
            bytes: job.bytes(),
            parked,
            abandoned: false,
            task: None,
        };
        self.running.insert(job.token, running);
        if parked {
            self.active.remove(job.bytes());
            self.parked.add(job.bytes());
            self.move_queue(connection, true);
        }
        job
    }

    /// The task that works on a request.
    pub fn started(&mut self, token: u64, task: AbortHandle) {
        if let Some(running) = self.running.get_mut(&token) {
            running.task = Some(task);
        }
    }

    /// What waits on a connection is held as its running request is.
    fn move_queue(&mut self, connection: Option<u64>, parked: bool) {
        let Some(queue) = connection.and_then(|connection| self.waiting.get_mut(&connection))
        else {
            return;
        };
        if queue.parked == parked {
            return;
        }
        queue.parked = parked;
        let (from, to) = if parked {
            (&mut self.active, &mut self.parked)
        } else {
            (&mut self.parked, &mut self.active)
        };
        for job in &queue.jobs {
            from.remove(job.bytes());
            to.add(job.bytes());
        }
    }

    /// The request is answered: whether anybody waits for it, and the one that is to start now.
    pub fn finish(&mut self, token: u64) -> (bool, Option<Job>) {
        let Some(done) = self.running.remove(&token) else {
            return (false, None);
        };
        if done.parked {
            self.parked.remove(done.bytes);
            self.move_queue(done.connection, false);
        } else {
            self.active.remove(done.bytes);
        }
        self.tokens.remove(&token);
        let next = done.connection.and_then(|connection| {
            let next = self.waiting.get_mut(&connection)?.jobs.pop_front();
            match next {
                Some(job) => Some(self.start(job)),
                None => {
                    self.waiting.remove(&connection);
                    None
                }
            }
        });
        (!done.abandoned, next)
    }

    /// The connection is gone: what works for it is finished for nobody, what waits is let go.
    pub fn forget_connection(&mut self, connection: u64) {
        let Some(queue) = self.waiting.get_mut(&connection) else {
            return;
        };
        let parked = queue.parked;
        for job in queue.jobs.drain(..) {
            self.tokens.remove(&job.token);
            let held = if queue.parked {
                &mut self.parked
            } else {
                &mut self.active
            };
            held.remove(job.bytes());
        }
        let ours = |running: &Running| running.connection == Some(connection);
        if parked {
            let (gone, tokens) = (&mut self.parked, &mut self.tokens);
            self.running.retain(|token, running| {
                let keep = !ours(running);
                if !keep {
                    gone.remove(running.bytes);
                    tokens.remove(token);
                }
                keep
            });
            self.waiting.remove(&connection);
            return;
        }
        for running in self.running.values_mut() {
            running.abandoned |= ours(running);
        }
    }

    /// Bytes of the requests that work or wait for one that does.
    pub fn bytes(&self) -> usize {
        self.active.bytes
    }

    /// Whether another request may be taken.
    pub fn has_room(&self) -> bool {
        self.active.count < REQUESTS_PER_SHARD_MAX
            && self.active.bytes < REQUEST_BYTES_PER_SHARD_MAX
    }

    fn has_room_to_park(&self) -> bool {
        self.parked.count < PARKED_PER_SHARD_MAX && self.parked.bytes < PARKED_BYTES_PER_SHARD_MAX
    }

    /// Whether this token is taken: a peer that uses it twice at a time is mistaken.
    pub fn holds(&self, token: u64) -> bool {
        self.tokens.contains(&token)
    }

    pub fn clear(&mut self) {
        *self = Jobs::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::Origin;

    fn job(token: u64, connection: u64) -> Job {
        let origin = Origin {
            peer: String::new(),
            listener: String::new(),
            principal: String::new(),
            software_name: String::new(),
            software_version: String::new(),
        };
        Job {
            token,
            work: Work::Answer(Request {
                token,
                shard: 0,
                connection,
                origin,
                frame: vec![0; 10],
            }),
        }
    }

    #[test]
    fn a_connections_requests_run_one_after_another() {
        let mut jobs = Jobs::default();
        assert_eq!(jobs.add(job(1, 7)), Added::Start(job(1, 7)));
        assert_eq!(jobs.add(job(2, 7)), Added::Waits);
        assert_eq!(jobs.add(job(3, 8)), Added::Start(job(3, 8)));
        assert_eq!(jobs.add(job(4, 7)), Added::Waits);
        assert_eq!(jobs.bytes(), 40);
        assert_eq!(jobs.finish(1), (true, Some(job(2, 7))));
        assert_eq!(jobs.finish(2), (true, Some(job(4, 7))));
        assert_eq!(jobs.finish(4), (true, None));
        assert_eq!(jobs.finish(4), (false, None));
        assert_eq!(jobs.finish(3), (true, None));
        assert_eq!(jobs.bytes(), 0);
        assert!(jobs.waiting.is_empty());
    }

    #[test]
    fn a_lost_connection_wants_no_answer_and_frees_what_waited() {
        let mut jobs = Jobs::default();
        jobs.add(job(1, 7));
        jobs.add(job(2, 7));
        jobs.forget_connection(7);
        jobs.forget_connection(8);
        assert_eq!(jobs.bytes(), 10);
        assert_eq!(jobs.finish(1), (false, None));
        assert_eq!(jobs.bytes(), 0);
        assert!(jobs.waiting.is_empty());
    }

    #[test]
    fn the_number_and_the_bytes_are_bounded() {
        let mut jobs = Jobs::default();
        for token in 0..REQUESTS_PER_SHARD_MAX as u64 {
            assert!(jobs.has_room());
            jobs.add(job(token, token % 3));
        }
        assert!(!jobs.has_room());
        jobs.clear();
        assert!(jobs.has_room());
    }

    /// A JoinGroup.
    fn joining(token: u64, connection: u64) -> Job {
        let mut job = job(token, connection);
        if let Work::Answer(request) = &mut job.work {
            request.frame[1] = 11;
        }
        job
    }

    #[test]
    fn who_waits_for_others_holds_up_nobody() {
        let mut jobs = Jobs::default();
        for token in 0..PARKED_PER_SHARD_MAX as u64 {
            assert!(matches!(jobs.add(joining(token, token)), Added::Start(_)));
        }
        assert!(jobs.has_room());
        assert_eq!(jobs.active, Held::default());
        let (next, connection) = (1 << 40, 1 << 40);
        let refused = jobs.add(joining(next, connection));
        assert!(matches!(refused, Added::Refused(_)));
        assert!(!jobs.holds(next));
        let behind = jobs.add(job(next, 5));
        assert!(matches!(behind, Added::Refused(_)), "behind one that waits");
        assert!(matches!(jobs.add(job(next, connection)), Added::Start(_)));
        assert_eq!(jobs.active.count, 1);
    }

    #[test]
    fn a_queue_is_counted_as_its_first() {
        let mut jobs = Jobs::default();
        jobs.add(job(1, 7));
        jobs.add(joining(2, 7));
        jobs.add(job(3, 7));
        assert_eq!((jobs.active.count, jobs.parked.count), (3, 0));
        assert_eq!(jobs.finish(1), (true, Some(joining(2, 7))));
        assert_eq!((jobs.active.count, jobs.parked.count), (0, 2));
        jobs.add(joining(4, 7));
        jobs.add(job(5, 7));
        assert_eq!((jobs.active.count, jobs.parked.count), (0, 4));
        assert_eq!(jobs.finish(2), (true, Some(job(3, 7))));
        assert_eq!((jobs.active.count, jobs.parked.count), (3, 0));
        assert_eq!(jobs.finish(3), (true, Some(joining(4, 7))));
        jobs.forget_connection(7);
        assert_eq!((jobs.active, jobs.parked), Default::default());
        assert!(!jobs.holds(4));
        assert_eq!(jobs.finish(4), (false, None));
        assert_eq!((jobs.active, jobs.parked), Default::default());
    }
}

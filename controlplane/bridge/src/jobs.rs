//! The requests of one shard that are in work or wait for their turn.

use crate::service::{Request, Service};
use crate::{REQUEST_BYTES_PER_SHARD_MAX, REQUEST_TIME_MAX, REQUESTS_PER_SHARD_MAX};
use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

/// What is asked.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Work {
    Answer(Request),
    EnsureTopics(Vec<String>),
}

impl Work {
    /// How long it may take.
    pub fn time_max<S: Service>(&self, service: &S) -> Duration {
        match self {
            Work::Answer(request) => service.time_max(request),
            Work::EnsureTopics(_) => REQUEST_TIME_MAX,
        }
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
    /// Its connection is gone: the answer is for nobody.
    abandoned: bool,
}

/// Lets requests of one connection run one after another, as Kafka does, and others at once.
#[derive(Debug, Default)]
pub(crate) struct Jobs {
    running: HashMap<u64, Running>,
    /// By connection, while one of its requests runs.
    waiting: HashMap<u64, VecDeque<Job>>,
    /// Of all that run or wait.
    tokens: HashSet<u64>,
    bytes: usize,
}

impl Jobs {
    /// Takes a request, whose token is not held; gives it back when it is to be started now.
    pub fn add(&mut self, job: Job) -> Option<Job> {
        self.bytes += job.bytes();
        self.tokens.insert(job.token);
        if let Some(connection) = job.connection() {
            if let Some(queue) = self.waiting.get_mut(&connection) {
                queue.push_back(job);
                return None;
            }
            self.waiting.insert(connection, VecDeque::new());
        }
        self.start(job)
    }

    fn start(&mut self, job: Job) -> Option<Job> {
        let running = Running {
            connection: job.connection(),
            bytes: job.bytes(),
            abandoned: false,
        };
        self.running.insert(job.token, running);
        Some(job)
    }

    /// The request is answered: whether anybody waits for it, and the one that is to start now.
    pub fn finish(&mut self, token: u64) -> (bool, Option<Job>) {
        let Some(done) = self.running.remove(&token) else {
            return (false, None);
        };
        self.bytes -= done.bytes;
        self.tokens.remove(&token);
        let next = done.connection.and_then(|connection| {
            let next = self.waiting.get_mut(&connection)?.pop_front();
            match next {
                Some(job) => self.start(job),
                None => {
                    self.waiting.remove(&connection);
                    None
                }
            }
        });
        (!done.abandoned, next)
    }

    /// The connection is gone: what runs for it is finished for nobody, what waits is let go.
    pub fn forget_connection(&mut self, connection: u64) {
        let Some(queue) = self.waiting.get_mut(&connection) else {
            return;
        };
        for job in queue.drain(..) {
            self.tokens.remove(&job.token);
            self.bytes -= job.bytes();
        }
        for running in self.running.values_mut() {
            running.abandoned |= running.connection == Some(connection);
        }
    }

    /// Bytes of all requests held.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether another request may be taken.
    pub fn has_room(&self) -> bool {
        self.tokens.len() < REQUESTS_PER_SHARD_MAX && self.bytes < REQUEST_BYTES_PER_SHARD_MAX
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
        };
        Job {
            token,
            work: Work::Answer(Request {
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
        assert!(jobs.add(job(1, 7)).is_some());
        assert!(jobs.add(job(2, 7)).is_none());
        assert!(jobs.add(job(3, 8)).is_some());
        assert!(jobs.add(job(4, 7)).is_none());
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
}

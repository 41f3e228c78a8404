//! One thread for what blocks by nature, behind bounded queues.

use crate::Wake;
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

/// Runs jobs of type `J` one after another and gives back outcomes of type `O` in that order.
pub struct Helper<J, O> {
    mode: Mode<J, O>,
    under_way: usize,
    capacity: usize,
}

enum Mode<J, O> {
    Thread {
        jobs: Option<SyncSender<J>>,
        outcomes: Receiver<O>,
        thread: Option<JoinHandle<()>>,
    },
    /// For simulations: a job runs when its outcome is asked for.
    Inline {
        jobs: VecDeque<J>,
        run: Box<dyn FnMut(J) -> O>,
    },
}

impl<J: Send + 'static, O: Send + 'static> Helper<J, O> {
    /// A helper on a thread of its own. `capacity` bounds jobs whose outcome was not received.
    pub fn spawn(
        name: String,
        capacity: usize,
        wake: Arc<Wake>,
        mut run: impl FnMut(J) -> O + Send + 'static,
    ) -> io::Result<Self> {
        let (jobs, inbox) = sync_channel::<J>(capacity);
        let (outbox, outcomes) = sync_channel(capacity);
        let thread = std::thread::Builder::new().name(name).spawn(move || {
            for job in inbox {
                if outbox.send(run(job)).is_err() {
                    return;
                }
                wake.ring();
            }
        })?;
        Ok(Helper {
            mode: Mode::Thread {
                jobs: Some(jobs),
                outcomes,
                thread: Some(thread),
            },
            under_way: 0,
            capacity,
        })
    }

    /// A helper without a thread.
    pub fn inline(capacity: usize, run: impl FnMut(J) -> O + 'static) -> Self {
        Helper {
            mode: Mode::Inline {
                jobs: VecDeque::new(),
                run: Box::new(run),
            },
            under_way: 0,
            capacity,
        }
    }

    /// Jobs that could be sent now.
    pub fn capacity(&self) -> usize {
        self.capacity - self.under_way
    }

    /// True while an outcome is owed.
    pub fn is_busy(&self) -> bool {
        self.under_way > 0
    }

    /// Queues a job, or gives it back when the queue is full.
    pub fn try_send(&mut self, job: J) -> Result<(), J> {
        if self.under_way == self.capacity {
            return Err(job);
        }
        match &mut self.mode {
            Mode::Thread { jobs, .. } => {
                let Some(sender) = jobs else {
                    return Err(job);
                };
                match sender.try_send(job) {
                    Ok(()) => {}
                    Err(TrySendError::Full(job) | TrySendError::Disconnected(job)) => {
                        return Err(job);
                    }
                }
            }
            Mode::Inline { jobs, .. } => jobs.push_back(job),
        }
        self.under_way += 1;
        Ok(())
    }

    /// The next outcome, if a job has ended.
    pub fn try_receive(&mut self) -> Option<O> {
        let outcome = match &mut self.mode {
            Mode::Thread { outcomes, .. } => outcomes.try_recv().ok(),
            Mode::Inline { jobs, run } => jobs.pop_front().map(run),
        }?;
        self.under_way -= 1;
        Some(outcome)
    }
}

impl<J, O> Drop for Helper<J, O> {
    fn drop(&mut self) {
        if let Mode::Thread { jobs, thread, .. } = &mut self.mode {
            *jobs = None;
            if let Some(thread) = thread.take() {
                let _ = thread.join();
            }
        }
    }
}

/// Makes the calling thread give way to others that want a processor. Where the system refuses,
/// nothing changes.
pub fn give_way() {
    // SAFETY: no memory is passed; 0 is the calling thread.
    unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, 10) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_end_in_order_and_the_queue_is_bounded() {
        let wake = Arc::new(Wake::new().unwrap());
        let mut helper = Helper::spawn("test".to_owned(), 4, wake, |n: u32| n * 2).unwrap();
        for n in 0..4 {
            assert_eq!(helper.try_send(n), Ok(()));
        }
        assert_eq!(helper.try_send(9), Err(9));
        let mut outcomes = Vec::new();
        while outcomes.len() < 4 {
            outcomes.extend(helper.try_receive());
        }
        assert_eq!(outcomes, [0, 2, 4, 6]);
        assert!(!helper.is_busy());
    }
}

//! One thread for what blocks by nature, behind bounded queues. The side that asks takes no lock: the
//! queues have none, and a bell wakes the thread.

use crate::Wake;
use precursor_memory::spsc;
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;

/// Runs jobs of type `J` one after another and gives back outcomes of type `O` in that order.
pub struct Helper<J: Send, O: Send> {
    mode: Mode<J, O>,
    under_way: usize,
    capacity: usize,
}

enum Mode<J: Send, O: Send> {
    Thread {
        jobs: Option<spsc::Sender<J>>,
        /// Rung for the thread.
        bell: Arc<Wake>,
        outcomes: spsc::Receiver<O>,
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
        run: impl FnMut(J) -> O + Send + 'static,
    ) -> io::Result<Self> {
        Self::spawn_settled(name, capacity, wake, || {}, run)
    }

    /// As [`spawn`](Self::spawn); the thread begins with `settle`, say to choose its processors.
    pub fn spawn_settled(
        name: String,
        capacity: usize,
        wake: Arc<Wake>,
        settle: impl FnOnce() + Send + 'static,
        run: impl FnMut(J) -> O + Send + 'static,
    ) -> io::Result<Self> {
        let make = move || {
            settle();
            run
        };
        Self::spawn_making(name, capacity, wake, make)
    }

    /// As [`spawn`](Self::spawn); the thread begins with `make`, and what that gives runs the jobs. It
    /// may have what must stay on one thread.
    pub fn spawn_making<R: FnMut(J) -> O>(
        name: String,
        capacity: usize,
        wake: Arc<Wake>,
        make: impl FnOnce() -> R + Send + 'static,
    ) -> io::Result<Self> {
        let (jobs, mut inbox) = spsc::channel::<J>(capacity);
        let (mut outbox, outcomes) = spsc::channel(capacity);
        let bell = Arc::new(Wake::new()?);
        let heard = bell.clone();
        let thread = std::thread::Builder::new().name(name).spawn(move || {
            let mut run = make();
            loop {
                // Looked at first: what was sent before the end is still done.
                let ends = inbox.is_closed();
                while let Some(job) = inbox.try_receive() {
                    if outbox.try_send(run(job)).is_err() {
                        return;
                    }
                    wake.ring();
                }
                if ends {
                    return;
                }
                heard.wait();
            }
        })?;
        Ok(Helper {
            mode: Mode::Thread {
                jobs: Some(jobs),
                bell,
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
            Mode::Thread { jobs, bell, .. } => {
                let Some(sender) = jobs.as_mut().filter(|jobs| !jobs.is_closed()) else {
                    return Err(job);
                };
                sender.try_send(job)?;
                bell.ring();
            }
            Mode::Inline { jobs, .. } => jobs.push_back(job),
        }
        self.under_way += 1;
        Ok(())
    }

    /// The next outcome, if a job has ended.
    pub fn try_receive(&mut self) -> Option<O> {
        let outcome = match &mut self.mode {
            Mode::Thread { outcomes, .. } => outcomes.try_receive(),
            Mode::Inline { jobs, run } => jobs.pop_front().map(run),
        }?;
        self.under_way -= 1;
        Some(outcome)
    }
}

impl<J: Send, O: Send> Drop for Helper<J, O> {
    fn drop(&mut self) {
        if let Mode::Thread {
            jobs, bell, thread, ..
        } = &mut self.mode
        {
            *jobs = None;
            bell.ring();
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

    #[test]
    fn jobs_that_were_sent_are_done_before_the_end_and_a_dead_thread_takes_none() {
        let done = Arc::new(std::sync::atomic::AtomicU32::new(0));
        let (wake, count) = (Arc::new(Wake::new().unwrap()), done.clone());
        let mut helper = Helper::spawn("test".to_owned(), 64, wake.clone(), move |n: u32| {
            std::thread::sleep(std::time::Duration::from_millis(1));
            count.fetch_add(n, std::sync::atomic::Ordering::Relaxed);
        })
        .unwrap();
        for _ in 0..50 {
            helper.try_send(1).unwrap();
        }
        drop(helper);
        assert_eq!(done.load(std::sync::atomic::Ordering::Relaxed), 50);

        let mut helper = Helper::spawn("test".to_owned(), 64, wake, |n: u32| {
            assert!(n == 0, "the thread ends here, which this test is about");
        })
        .unwrap();
        helper.try_send(1).unwrap();
        while helper.try_send(0).is_ok() {
            let _ = helper.try_receive();
            std::thread::yield_now();
        }
    }
}

//! Work that a disk may never end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

/// How much of the wait one look takes at most, however long the whole process stood still.
const LOOK: Duration = Duration::from_millis(50);

/// How far a work has come: one that takes long is waited for as long as it goes on.
#[derive(Clone, Default)]
pub struct Progress(Arc<AtomicU64>);

impl Progress {
    /// The disk has answered once more.
    pub fn step(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn steps(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Does several works at the same time, each on a thread of its own; `None` for one that has neither
/// ended nor made a step for `wait`, or has died. Its thread is left behind: what it waits for
/// answers one day or never.
pub fn within<T: Send + 'static, W: FnOnce(&Progress) -> T + Send + 'static>(
    wait: Duration,
    works: impl IntoIterator<Item = W>,
) -> Vec<Option<T>> {
    let begin = |work: W| {
        let progress = Progress::default();
        let (send, receive) = sync_channel(1);
        let thread = thread::Builder::new().name("directory".to_owned());
        let own = progress.clone();
        let begun = thread.spawn(move || drop(send.send(work(&own))));
        begun.is_ok().then_some((receive, progress))
    };
    let begun: Vec<_> = works.into_iter().map(begin).collect();
    let mut left = wait;
    let end = |outcome: Option<(Receiver<T>, Progress)>| {
        let (outcome, progress) = outcome?;
        let mut steps = 0;
        loop {
            match outcome.recv_timeout(LOOK.min(left)) {
                Ok(outcome) => return Some(outcome),
                Err(RecvTimeoutError::Timeout) if progress.steps() != steps => {
                    steps = progress.steps();
                    left = wait;
                }
                Err(RecvTimeoutError::Timeout) if !left.is_zero() => {
                    left = left.saturating_sub(LOOK);
                }
                Err(_) => return None,
            }
        }
    };
    begun.into_iter().map(end).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn what_does_not_end_is_not_waited_for_and_holds_up_nothing() {
        let begun = Instant::now();
        let work = |milliseconds: u64| {
            move |_: &Progress| {
                thread::sleep(Duration::from_millis(milliseconds));
                milliseconds
            }
        };
        let ended = within(Duration::from_millis(200), [5_000, 1, 4_000, 0].map(work));
        assert_eq!(ended, [None, Some(1), None, Some(0)]);
        assert!(begun.elapsed() < Duration::from_secs(2));
    }

    #[test]
    fn what_goes_on_is_waited_for() {
        let work = |progress: &Progress| {
            for _ in 0..12 {
                thread::sleep(Duration::from_millis(150));
                progress.step();
            }
            7
        };
        assert_eq!(within(Duration::from_secs(1), [work]), [Some(7)]);
    }
}

//! Work that a disk may never end.

use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

/// How much of the wait one look takes at most, however long the whole process stood still.
const LOOK: Duration = Duration::from_millis(50);

/// Does several works at the same time, each on a thread of its own; `None` for one that has not
/// ended after `wait`, or has died. Its thread is left behind: what it waits for answers one day or
/// never.
pub fn within<T: Send + 'static, W: FnOnce() -> T + Send + 'static>(
    wait: Duration,
    works: impl IntoIterator<Item = W>,
) -> Vec<Option<T>> {
    let begin = |work: W| {
        let (send, receive) = sync_channel(1);
        let thread = thread::Builder::new().name("directory".to_owned());
        let begun = thread.spawn(move || drop(send.send(work())));
        begun.is_ok().then_some(receive)
    };
    let begun: Vec<_> = works.into_iter().map(begin).collect();
    let mut left = wait;
    let end = |outcome: Option<Receiver<T>>| {
        let outcome = outcome?;
        loop {
            match outcome.recv_timeout(LOOK.min(left)) {
                Ok(outcome) => return Some(outcome),
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
            move || {
                thread::sleep(Duration::from_millis(milliseconds));
                milliseconds
            }
        };
        let ended = within(Duration::from_millis(200), [5_000, 1, 4_000, 0].map(work));
        assert_eq!(ended, [None, Some(1), None, Some(0)]);
        assert!(begun.elapsed() < Duration::from_secs(2));
    }
}

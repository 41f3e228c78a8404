//! A bounded channel between two threads of one process: one sender, one receiver, no lock, and no
//! allocation after it is made. Shards talk through pairs of these.

use std::fmt;
use std::mem::MaybeUninit;

use crate::sync::{Arc, AtomicBool, AtomicUsize, Ordering, UnsafeCell};

/// Cursors of the two sides lie this far apart, so that neither side's store evicts the other's
/// line (two lines: the neighbour is prefetched with it).
#[repr(align(128))]
struct Line<T>(T);

struct Shared<T> {
    /// Values ever sent. Stored by the sender (Release), loaded by the receiver (Acquire).
    sent: Line<AtomicUsize>,
    /// Values ever received. Stored by the receiver (Release), loaded by the sender (Acquire).
    received: Line<AtomicUsize>,
    sender_gone: AtomicBool,
    receiver_gone: AtomicBool,
    slots: Box<[UnsafeCell<MaybeUninit<T>>]>,
}

// SAFETY: a slot is touched by the sender before `sent` passes it and by the receiver after; the
// Release and Acquire of the cursors order the two. `T` moves between threads, so it must be Send.
unsafe impl<T: Send> Sync for Shared<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Send for Shared<T> {}

impl<T> Drop for Shared<T> {
    fn drop(&mut self) {
        let sent = self.sent.0.load(Ordering::Acquire);
        let mut at = self.received.0.load(Ordering::Acquire);
        while at != sent {
            let index = at & (self.slots.len() - 1);
            // SAFETY: both sides are gone, and slots between the cursors hold values that were
            // sent and not received.
            self.slots[index].with_mut(|slot| unsafe { (*slot).assume_init_drop() });
            at = at.wrapping_add(1);
        }
    }
}

/// The sending side; owned by one thread at a time.
pub struct Sender<T> {
    shared: Arc<Shared<T>>,
    sent: usize,
    /// The receiver's cursor when it was last looked at: it can only have advanced since.
    received_seen: usize,
}

/// The receiving side; owned by one thread at a time.
pub struct Receiver<T> {
    shared: Arc<Shared<T>>,
    received: usize,
    /// The sender's cursor when it was last looked at: it can only have advanced since.
    sent_seen: usize,
}

/// A channel that holds up to `capacity` values, rounded up to a power of two.
///
/// # Panics
/// If `capacity` is zero.
pub fn channel<T: Send>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    assert!(capacity > 0, "a channel holds at least one value");
    let slots = (0..capacity.next_power_of_two())
        .map(|_| UnsafeCell::new(MaybeUninit::uninit()))
        .collect();
    let shared = Arc::new(Shared {
        sent: Line(AtomicUsize::new(0)),
        received: Line(AtomicUsize::new(0)),
        sender_gone: AtomicBool::new(false),
        receiver_gone: AtomicBool::new(false),
        slots,
    });
    let sender = Sender {
        shared: shared.clone(),
        sent: 0,
        received_seen: 0,
    };
    let receiver = Receiver {
        shared,
        received: 0,
        sent_seen: 0,
    };
    (sender, receiver)
}

impl<T: Send> Sender<T> {
    /// Sends a value, or gives it back when the channel is full.
    ///
    /// # Errors
    /// The value, if there is no room.
    pub fn try_send(&mut self, value: T) -> Result<(), T> {
        if self.room() == 0 {
            return Err(value);
        }
        let index = self.sent & (self.shared.slots.len() - 1);
        // SAFETY: `room` saw that the receiver is done with this slot, and `sent` does not cover
        // it yet, so nobody else touches it.
        self.shared.slots[index].with_mut(|slot| unsafe {
            (*slot).write(value);
        });
        self.sent = self.sent.wrapping_add(1);
        self.shared.sent.0.store(self.sent, Ordering::Release);
        Ok(())
    }

    /// How many values can be sent now for certain.
    pub fn room(&mut self) -> usize {
        let capacity = self.shared.slots.len();
        if self.sent.wrapping_sub(self.received_seen) == capacity {
            self.received_seen = self.shared.received.0.load(Ordering::Acquire);
        }
        capacity - self.sent.wrapping_sub(self.received_seen)
    }

    /// Values that the channel can hold.
    pub fn capacity(&self) -> usize {
        self.shared.slots.len()
    }

    /// Whether the receiver was dropped: nothing sent is received any more.
    pub fn is_closed(&self) -> bool {
        self.shared.receiver_gone.load(Ordering::Acquire)
    }
}

impl<T: Send> Receiver<T> {
    /// The oldest value, if any.
    pub fn try_receive(&mut self) -> Option<T> {
        if self.is_empty() {
            return None;
        }
        let index = self.received & (self.shared.slots.len() - 1);
        // SAFETY: `is_empty` saw that `sent` covers this slot, and `received` does not, so it holds
        // a value that is ours to take; the sender leaves it until `received` covers it.
        let value = self.shared.slots[index].with_mut(|slot| unsafe { (*slot).assume_init_read() });
        self.received = self.received.wrapping_add(1);
        self.shared
            .received
            .0
            .store(self.received, Ordering::Release);
        Some(value)
    }

    /// Whether nothing can be received now.
    pub fn is_empty(&mut self) -> bool {
        if self.received == self.sent_seen {
            self.sent_seen = self.shared.sent.0.load(Ordering::Acquire);
        }
        self.received == self.sent_seen
    }

    /// Whether the sender was dropped. What it had sent can still be received.
    pub fn is_closed(&self) -> bool {
        self.shared.sender_gone.load(Ordering::Acquire)
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.shared.sender_gone.store(true, Ordering::Release);
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        self.shared.receiver_gone.store(true, Ordering::Release);
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender")
            .field("sent", &self.sent)
            .finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver")
            .field("received", &self.received)
            .finish_non_exhaustive()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn fills_empties_and_gives_back_what_does_not_fit() {
        let (mut sender, mut receiver) = channel::<String>(3);
        assert_eq!(sender.capacity(), 4);
        for round in 0..10 {
            for index in 0..4 {
                sender.try_send(format!("{round}-{index}")).unwrap();
            }
            assert_eq!(sender.try_send("more".into()), Err("more".into()));
            for index in 0..4 {
                assert_eq!(receiver.try_receive().unwrap(), format!("{round}-{index}"));
            }
            assert_eq!(receiver.try_receive(), None);
        }
    }

    #[test]
    fn drops_what_was_never_received_once() {
        let value = std::sync::Arc::new(());
        let (mut sender, mut receiver) = channel(8);
        for _ in 0..5 {
            sender.try_send(value.clone()).unwrap();
        }
        receiver.try_receive().unwrap();
        assert!(!receiver.is_closed());
        drop(sender);
        assert!(receiver.is_closed());
        assert_eq!(std::sync::Arc::strong_count(&value), 5);
        drop(receiver);
        assert_eq!(std::sync::Arc::strong_count(&value), 1);
    }

    #[test]
    fn two_threads_keep_the_order() {
        const COUNT: u64 = 200_000;
        let (mut sender, mut receiver) = channel(64);
        let thread = std::thread::spawn(move || {
            for value in 0..COUNT {
                while sender.try_send(Box::new(value)).is_err() {
                    std::thread::yield_now();
                }
            }
        });
        for expected in 0..COUNT {
            let value = loop {
                match receiver.try_receive() {
                    Some(value) => break value,
                    None => std::thread::yield_now(),
                }
            };
            assert_eq!(*value, expected);
        }
        thread.join().unwrap();
    }
}

#[cfg(all(test, loom))]
mod loom_tests {
    use super::*;

    /// More values than slots, so that slots are used again while both sides run.
    #[test]
    fn loom_channel_passes_every_value_once_in_order() {
        loom::model(|| {
            let (mut sender, mut receiver) = channel::<Box<u32>>(2);
            let thread = loom::thread::spawn(move || {
                for value in 0..3_u32 {
                    let mut boxed = Box::new(value);
                    while let Err(back) = sender.try_send(boxed) {
                        boxed = back;
                        loom::thread::yield_now();
                    }
                }
            });
            let mut expected = 0;
            while expected < 3 {
                match receiver.try_receive() {
                    Some(value) => {
                        assert_eq!(*value, expected);
                        expected += 1;
                    }
                    None => loom::thread::yield_now(),
                }
            }
            thread.join().unwrap();
        });
    }

    #[test]
    fn loom_channel_drops_what_is_left() {
        loom::model(|| {
            let (mut sender, mut receiver) = channel::<loom::sync::Arc<()>>(2);
            let value = loom::sync::Arc::new(());
            let sent = value.clone();
            let thread = loom::thread::spawn(move || {
                sender.try_send(sent.clone()).unwrap();
                sender.try_send(sent).unwrap();
            });
            drop(receiver.try_receive());
            drop(receiver);
            thread.join().unwrap();
            assert_eq!(loom::sync::Arc::strong_count(&value), 1);
        });
    }
}

//! The rings' rules under every interleaving: `RUSTFLAGS="--cfg loom" cargo test -p precursor-shm
//! --release loom`. Bytes are cells that fail the model when both sides touch one at once.

use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicU32, AtomicU64, fence};
use loom::thread;
use std::sync::atomic::Ordering;

use super::cursor::{Cell, Reader, RingMemory, Writer};
use super::{PushError, RingCorrupt};

impl Cell<u64> for AtomicU64 {
    fn load(&self, order: Ordering) -> u64 {
        AtomicU64::load(self, order)
    }
    fn store(&self, value: u64, order: Ordering) {
        AtomicU64::store(self, value, order);
    }
}

impl Cell<u32> for AtomicU32 {
    fn load(&self, order: Ordering) -> u32 {
        AtomicU32::load(self, order)
    }
    fn store(&self, value: u32, order: Ordering) {
        AtomicU32::store(self, value, order);
    }
}

/// A ring of words: a header or eight bytes of a record each.
struct Words {
    written: AtomicU64,
    read: AtomicU64,
    sleeping: AtomicU32,
    words: Vec<UnsafeCell<u64>>,
}

#[derive(Clone)]
struct Memory(Arc<Words>);

impl Memory {
    /// `start`: where both cursors are, as if the ring had been used before.
    fn new(words: usize, start: u64) -> Memory {
        Memory(Arc::new(Words {
            written: AtomicU64::new(start),
            read: AtomicU64::new(start),
            sleeping: AtomicU32::new(0),
            words: (0..words).map(|_| UnsafeCell::new(0)).collect(),
        }))
    }

    fn set_word(&self, at: usize, value: u64) {
        // SAFETY: loom fails the model if this is not the only access at this moment.
        self.0.words[at / 8].with_mut(|word| unsafe { *word = value });
    }

    fn word(&self, at: usize) -> u64 {
        // SAFETY: loom fails the model if the word is written at this moment.
        self.0.words[at / 8].with(|word| unsafe { *word })
    }
}

impl RingMemory for Memory {
    type Cursor = AtomicU64;
    type Flag = AtomicU32;
    fn written(&self) -> &AtomicU64 {
        &self.0.written
    }
    fn read(&self) -> &AtomicU64 {
        &self.0.read
    }
    fn sleeping(&self) -> &AtomicU32 {
        &self.0.sleeping
    }
    fn fence(&self) {
        fence(Ordering::SeqCst);
    }
    fn capacity(&self) -> u64 {
        self.0.words.len() as u64 * 8
    }
    fn header(&self, at: usize) -> (u32, u32) {
        let word = self.word(at);
        (word as u32, (word >> 32) as u32)
    }
    fn set_header(&self, at: usize, length: u32, mark: u32) {
        self.set_word(at, u64::from(length) | u64::from(mark) << 32);
    }
}

/// A record of `words` words that all hold `value`.
fn push(writer: &mut Writer<Memory>, words: usize, value: u64) -> Result<(), PushError> {
    let at = writer.reserve(words * 8)?;
    for word in 0..words {
        writer.memory().set_word(at + word * 8, value);
    }
    writer.commit();
    Ok(())
}

fn pop(reader: &mut Reader<Memory>) -> Result<Option<(usize, u64)>, RingCorrupt> {
    let Some(range) = reader.peek()? else {
        return Ok(None);
    };
    let value = reader.memory().word(range.start);
    for at in range.clone().step_by(8) {
        assert_eq!(reader.memory().word(at), value, "a torn record");
    }
    reader.release();
    Ok(Some((range.len() / 8, value)))
}

fn model(check: impl Fn() + Send + Sync + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(check);
}

/// Records of different lengths through a ring too small for them all, over its end, with padding.
#[test]
fn loom_every_record_arrives_whole_once_in_order() {
    model(|| {
        // Begins before the end of the ring, so that the second record needs padding.
        let memory = Memory::new(4, 8);
        let mut writer = Writer::attach(memory.clone());
        let mut reader = Reader::attach(memory);
        let lengths = [1, 1, 1];
        let thread = thread::spawn(move || {
            for (value, words) in lengths.into_iter().enumerate() {
                while push(&mut writer, words, value as u64) == Err(PushError::Full) {
                    thread::yield_now();
                }
                let _ = writer.publish();
            }
        });
        for (value, words) in lengths.into_iter().enumerate() {
            let record = loop {
                match pop(&mut reader).unwrap() {
                    Some(record) => break record,
                    None => thread::yield_now(),
                }
            };
            assert_eq!(record, (words, value as u64));
        }
        thread.join().unwrap();
    });
}

/// Two records published at once are both there, or neither.
#[test]
fn loom_a_batch_is_seen_as_one() {
    model(|| {
        let memory = Memory::new(8, 0);
        let mut writer = Writer::attach(memory.clone());
        let mut reader = Reader::attach(memory);
        let thread = thread::spawn(move || {
            push(&mut writer, 1, 1).unwrap();
            push(&mut writer, 1, 2).unwrap();
            let _ = writer.publish();
        });
        if let Some(first) = pop(&mut reader).unwrap() {
            assert_eq!(first, (1, 1));
            assert_eq!(pop(&mut reader).unwrap(), Some((1, 2)));
        }
        thread.join().unwrap();
    });
}

/// A reader that was told to sleep is rung for: no record waits for a reader that nobody wakes.
#[test]
fn loom_no_wake_is_lost() {
    model(|| {
        let memory = Memory::new(8, 0);
        let mut writer = Writer::attach(memory.clone());
        let mut reader = Reader::attach(memory);
        let bell = Arc::new(loom::sync::Notify::new());
        let rung = bell.clone();
        let thread = thread::spawn(move || {
            for value in 1..=2 {
                push(&mut writer, 1, value).unwrap();
                if writer.publish() {
                    rung.notify();
                }
            }
        });
        let mut expected = 1;
        while expected <= 2 {
            match pop(&mut reader).unwrap() {
                Some(record) => {
                    assert_eq!(record, (1, expected));
                    expected += 1;
                }
                // If no ring came, this would wait for ever, and loom reports the deadlock.
                None if reader.announce_sleep() => {
                    bell.wait();
                    reader.announce_awake();
                }
                None => {}
            }
        }
        thread.join().unwrap();
    });
}

/// A writer that dies between two publications leaves nothing of what it had not published, and its
/// successor goes on where it stopped, while the reader reads.
#[test]
fn loom_a_successor_goes_on() {
    model(|| {
        let memory = Memory::new(8, 0);
        let mut reader = Reader::attach(memory.clone());
        let thread = thread::spawn(move || {
            let mut writer = Writer::attach(memory.clone());
            push(&mut writer, 1, 1).unwrap();
            let _ = writer.publish();
            push(&mut writer, 1, 99).unwrap();
            // It dies here; its successor:
            let mut writer = Writer::attach(memory);
            push(&mut writer, 1, 2).unwrap();
            let _ = writer.publish();
        });
        let mut expected = 1;
        while expected <= 2 {
            match pop(&mut reader).unwrap() {
                Some(record) => {
                    assert_eq!(record, (1, expected));
                    expected += 1;
                }
                None => thread::yield_now(),
            }
        }
        thread.join().unwrap();
    });
}

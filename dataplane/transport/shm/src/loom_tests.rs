//! The pipe's rules under every interleaving: `RUSTFLAGS="--cfg loom" cargo test --release -p
//! precursor-transport-shm --lib loom`. Bytes are cells that fail the model when both sides touch
//! one at once.

use std::sync::atomic::Ordering;

use loom::cell::UnsafeCell;
use loom::sync::atomic::{AtomicU32, AtomicU64, fence};
use loom::sync::{Arc, Notify};
use loom::thread;

use crate::pipe::{Cell, PipeMemory, Reader, Writer};

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

struct Cells {
    written: AtomicU64,
    read: AtomicU64,
    finished: AtomicU32,
    reader_sleeps: AtomicU32,
    writer_sleeps: AtomicU32,
    bytes: Vec<UnsafeCell<u8>>,
}

#[derive(Clone)]
struct Memory(Arc<Cells>);

impl Memory {
    fn new(capacity: usize) -> Memory {
        Memory(Arc::new(Cells {
            written: AtomicU64::new(0),
            read: AtomicU64::new(0),
            finished: AtomicU32::new(0),
            reader_sleeps: AtomicU32::new(0),
            writer_sleeps: AtomicU32::new(0),
            bytes: (0..capacity).map(|_| UnsafeCell::new(0)).collect(),
        }))
    }
}

impl PipeMemory for Memory {
    type Cursor = AtomicU64;
    type Flag = AtomicU32;
    fn written(&self) -> &AtomicU64 {
        &self.0.written
    }
    fn read(&self) -> &AtomicU64 {
        &self.0.read
    }
    fn finished(&self) -> &AtomicU32 {
        &self.0.finished
    }
    fn reader_sleeps(&self) -> &AtomicU32 {
        &self.0.reader_sleeps
    }
    fn writer_sleeps(&self) -> &AtomicU32 {
        &self.0.writer_sleeps
    }
    fn fence(&self) {
        fence(Ordering::SeqCst);
    }
    fn capacity(&self) -> u64 {
        self.0.bytes.len() as u64
    }
    fn copy_in(&self, at: usize, bytes: &[u8]) {
        for (cell, byte) in self.0.bytes[at..].iter().zip(bytes) {
            // SAFETY: loom fails the model if this is not the only access at this moment.
            cell.with_mut(|cell| unsafe { *cell = *byte });
        }
    }
    fn copy_out(&self, at: usize, bytes: &mut [u8]) {
        for (cell, byte) in self.0.bytes[at..].iter().zip(bytes) {
            // SAFETY: loom fails the model if the byte is written at this moment.
            *byte = cell.with(|cell| unsafe { *cell });
        }
    }
    fn will_read(&self, _: usize, _: usize) {}
    fn will_write(&self, _: usize) {}
}

fn model(check: impl Fn() + Send + Sync + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(check);
}

/// More bytes than the ring holds, over its end.
#[test]
fn loom_every_byte_arrives_once_in_order() {
    model(|| {
        let memory = Memory::new(2);
        let mut writer = Writer::new(memory.clone());
        let mut reader = Reader::new(memory);
        let thread = thread::spawn(move || {
            let bytes = [1, 2, 3];
            let mut sent = 0;
            while sent < bytes.len() {
                match writer.write(&bytes[sent..]).unwrap() {
                    0 => thread::yield_now(),
                    more => sent += more,
                }
                writer.publish();
            }
        });
        let mut next = 1;
        while next <= 3 {
            let mut bytes = [0; 2];
            let (count, _) = reader.read(&mut bytes).unwrap();
            for byte in &bytes[..count] {
                assert_eq!(*byte, next);
                next += 1;
            }
            if count == 0 {
                thread::yield_now();
            }
        }
        thread.join().unwrap();
    });
}

/// A reader that said it sleeps is rung for, by bytes and by the end: nothing waits for a reader
/// that nobody wakes.
#[test]
fn loom_no_wake_of_a_reader_is_lost() {
    model(|| {
        let memory = Memory::new(4);
        let mut writer = Writer::new(memory.clone());
        let mut reader = Reader::new(memory);
        let bell = Arc::new(Notify::new());
        let rung = bell.clone();
        let thread = thread::spawn(move || {
            assert_eq!(writer.write(&[7]), Ok(1));
            if writer.publish() {
                rung.notify();
            }
            if writer.finish() {
                rung.notify();
            }
        });
        let mut received = 0;
        loop {
            let finished = reader.is_finished();
            let mut byte = [0];
            match reader.read(&mut byte).unwrap() {
                (0, _) if finished => break,
                // If no ring came, this would wait for ever, and loom reports the deadlock.
                (0, _) if reader.announce_sleep().unwrap() => {
                    bell.wait();
                    reader.announce_awake();
                }
                (count, _) => received += count,
            }
        }
        assert_eq!(received, 1, "the end comes after the bytes");
        thread.join().unwrap();
    });
}

/// A writer that sleeps for want of room is rung for when there is some.
#[test]
fn loom_no_wake_of_a_writer_is_lost() {
    a_writer_that_sleeps_is_rung_for(1, 2);
}

/// Also by a reader that does not look at each of its reads.
#[test]
fn loom_no_wake_of_a_writer_of_pieces_is_lost() {
    a_writer_that_sleeps_is_rung_for(2, 4);
}

/// Bytes one by one through a ring of so many.
fn a_writer_that_sleeps_is_rung_for(capacity: usize, bytes: usize) {
    model(move || {
        let memory = Memory::new(capacity);
        let mut writer = Writer::new(memory.clone());
        let mut reader = Reader::new(memory);
        let bell = Arc::new(Notify::new());
        let rung = bell.clone();
        let thread = thread::spawn(move || {
            let mut received = 0;
            while received < bytes {
                let (count, writer_sleeps) = reader.read(&mut [0]).unwrap();
                received += count;
                if writer_sleeps {
                    rung.notify();
                }
                if count == 0 {
                    thread::yield_now();
                }
            }
        });
        let mut sent = 0;
        while sent < bytes {
            sent += writer.write(&[sent as u8]).unwrap();
            writer.publish();
            if sent < bytes && writer.announce_sleep().unwrap() {
                bell.wait();
                writer.announce_awake();
            }
        }
        thread.join().unwrap();
    });
}

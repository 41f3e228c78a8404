//! Rings on the heap: order, wrapping, dead and hostile peers.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::collections::VecDeque;
use std::ptr::NonNull;

use proptest::prelude::*;

use super::cursor::{Reader, Writer};
use super::*;

/// A control block and bytes as they would lie in a region.
struct Heap {
    start: NonNull<u8>,
    layout: Layout,
    capacity: usize,
}

impl Heap {
    fn new(capacity: usize) -> Heap {
        let layout = Layout::from_size_align(4096 + capacity, 4096).unwrap();
        // SAFETY: the layout has a size.
        let start = NonNull::new(unsafe { alloc_zeroed(layout) }).unwrap();
        Heap {
            start,
            layout,
            capacity,
        }
    }

    fn memory(&self) -> SharedMemory {
        // SAFETY: zeroed, large enough, page-aligned memory; every test keeps the heap longest.
        unsafe { SharedMemory::new(self.start.cast(), self.start.add(4096), self.capacity) }
    }

    fn writer(&self) -> Writer<SharedMemory> {
        Writer::attach(self.memory())
    }

    fn reader(&self) -> Reader<SharedMemory> {
        Reader::attach(self.memory())
    }

    /// What a hostile peer could do: any byte of the control block (its first 384) or the ring.
    fn poke(&self, at: usize, value: u8) {
        let at = if at < 384 {
            at
        } else {
            4096 + at % self.capacity
        };
        // SAFETY: within the allocation; nobody else accesses it in single-threaded tests.
        unsafe { self.start.add(at).write(value) };
    }

    fn poke_u64(&self, at: usize, value: u64) {
        for (index, byte) in value.to_le_bytes().into_iter().enumerate() {
            self.poke(at + index, byte);
        }
    }
}

impl Drop for Heap {
    fn drop(&mut self) {
        // SAFETY: allocated with this layout in `new`.
        unsafe { dealloc(self.start.as_ptr(), self.layout) };
    }
}

const WRITTEN: usize = 0;
const READ: usize = 128;

fn push(writer: &mut Writer<SharedMemory>, record: &[u8]) -> Result<(), PushError> {
    let at = writer.reserve(record.len())?;
    writer.memory().write(at, record);
    writer.commit();
    Ok(())
}

fn pop(reader: &mut Reader<SharedMemory>) -> Result<Option<Vec<u8>>, RingCorrupt> {
    let Some(range) = reader.peek()? else {
        return Ok(None);
    };
    let record = reader.memory().bytes(range.start, range.len()).to_vec();
    reader.release();
    Ok(Some(record))
}

#[test]
fn the_longest_record_fits_an_empty_ring_at_every_position() {
    let heap = Heap::new(256);
    let (mut writer, mut reader) = (heap.writer(), heap.reader());
    let longest = vec![7; writer.record_length_max()];
    assert_eq!(longest.len(), 120);
    let longer = vec![7; 121];
    assert_eq!(push(&mut writer, &longer), Err(PushError::TooLong));
    for _ in 0..100 {
        push(&mut writer, b"12345").unwrap();
        let _ = writer.publish();
        assert_eq!(pop(&mut reader).unwrap().unwrap(), b"12345");
        push(&mut writer, &longest).unwrap();
        let _ = writer.publish();
        assert_eq!(pop(&mut reader).unwrap().unwrap(), longest);
        assert_eq!(pop(&mut reader), Ok(None));
    }
}

#[test]
fn nothing_is_seen_before_it_is_published_nor_after_its_writer_died() {
    let heap = Heap::new(1024);
    let mut reader = heap.reader();
    let mut writer = heap.writer();
    push(&mut writer, b"published").unwrap();
    assert_eq!(pop(&mut reader), Ok(None));
    let _ = writer.publish();
    push(&mut writer, b"complete, never published").unwrap();
    let at = writer.reserve(100).unwrap();
    writer.memory().write(at, b"half a rec");
    // The writer dies here; its successor:
    let mut writer = heap.writer();
    push(&mut writer, b"next").unwrap();
    let _ = writer.publish();
    assert_eq!(pop(&mut reader).unwrap().unwrap(), b"published");
    // A reader that dies before it releases has not read.
    assert!(reader.peek().unwrap().is_some());
    let mut reader = heap.reader();
    assert_eq!(pop(&mut reader).unwrap().unwrap(), b"next");
    assert_eq!(pop(&mut reader), Ok(None));
}

#[test]
fn who_sleeps_is_rung_for_once() {
    let heap = Heap::new(1024);
    let (mut writer, mut reader) = (heap.writer(), heap.reader());
    assert!(!writer.publish());
    push(&mut writer, b"a").unwrap();
    assert!(!writer.publish(), "nobody sleeps");
    assert!(!reader.announce_sleep(), "a record is there");
    pop(&mut reader).unwrap();
    assert!(reader.announce_sleep());
    push(&mut writer, b"b").unwrap();
    assert!(writer.publish());
    push(&mut writer, b"c").unwrap();
    assert!(!writer.publish(), "rung already");
    pop(&mut reader).unwrap();
    pop(&mut reader).unwrap();
    assert!(reader.announce_sleep());
    reader.announce_awake();
    push(&mut writer, b"d").unwrap();
    assert!(!writer.publish());
}

#[test]
fn impossible_cursors_are_corrupt_until_reset() {
    for garbage in [1, 7, 4, 8 << 20, u64::MAX, u64::MAX - 7, 1 << 63] {
        let heap = Heap::new(256);
        let (mut writer, mut reader) = (heap.writer(), heap.reader());
        push(&mut writer, b"first").unwrap();
        let _ = writer.publish();
        pop(&mut reader).unwrap();
        heap.poke_u64(WRITTEN, garbage);
        assert_eq!(reader.peek(), Err(RingCorrupt), "{garbage}");
        assert_eq!(reader.peek(), Err(RingCorrupt), "{garbage}");
        // The reader agrees to whatever the writer says now; the writer restores its own cursor by
        // publishing, and then they are apart again: the next writer to attach settles it.
        reader.reset();
        let mut writer = heap.writer();
        push(&mut writer, b"again").unwrap();
        let _ = writer.publish();
        assert_eq!(pop(&mut reader).unwrap().unwrap(), b"again", "{garbage}");

        // A reader ahead of the writer, or further behind than the ring is long.
        let ahead = (garbage & !7).wrapping_add(8000);
        heap.poke_u64(READ, ahead);
        let full = (0..100).find_map(|_| push(&mut writer, &[0; 100]).err());
        assert_eq!(full, Some(PushError::Corrupt), "{garbage}");
        writer.reset();
        let mut reader = heap.reader();
        push(&mut writer, b"once more").unwrap();
        let _ = writer.publish();
        assert_eq!(
            pop(&mut reader).unwrap().unwrap(),
            b"once more",
            "{garbage}"
        );
    }
}

#[test]
fn a_cursor_too_far_ahead_is_corrupt_even_over_a_good_record() {
    let heap = Heap::new(256);
    let (mut writer, mut reader) = (heap.writer(), heap.reader());
    push(&mut writer, b"good, but not published").unwrap();
    for garbage in [2 * 256, 256 + 8, 44, 1 << 40] {
        heap.poke_u64(WRITTEN, garbage);
        assert_eq!(reader.peek(), Err(RingCorrupt), "{garbage}");
    }
}

#[test]
fn a_cursor_that_goes_back_is_corrupt() {
    let heap = Heap::new(256);
    let (mut writer, mut reader) = (heap.writer(), heap.reader());
    for _ in 0..20 {
        push(&mut writer, &[1; 50]).unwrap();
        let _ = writer.publish();
        pop(&mut reader).unwrap();
    }
    heap.poke_u64(WRITTEN, 8);
    assert_eq!(reader.peek(), Err(RingCorrupt));
    heap.poke_u64(READ, 8);
    let refused = (0..10).find_map(|_| push(&mut writer, &[1; 50]).err());
    assert_eq!(refused, Some(PushError::Corrupt));
}

/// Whatever a peer does to the shared bytes, each side stays within them, never panics, and after a
/// reset of both, as when both processes restart, records pass again.
#[test]
fn a_hostile_peer_cannot_lead_either_side_astray() {
    let mut random = Random(0x5EED_0001);
    println!("seed {:#x}", random.0);
    let mut corrupt = 0;
    for _ in 0..3000 {
        let heap = Heap::new(512);
        let (mut writer, mut reader) = (heap.writer(), heap.reader());
        for _ in 0..30 {
            match random.below(4) {
                0 => {
                    let record = vec![random.below(256) as u8; random.below(300)];
                    corrupt += usize::from(push(&mut writer, &record) == Err(PushError::Corrupt));
                }
                1 => {
                    let _ = writer.publish();
                }
                2 => corrupt += usize::from(pop(&mut reader).is_err()),
                _ => {
                    // Cursors and headers more often than the rest.
                    let at = [WRITTEN, READ, 384, 384 + 64, random.below(900)][random.below(5)];
                    heap.poke(at + random.below(8), random.below(256) as u8);
                }
            }
        }
        reader.reset();
        writer.reset();
        let mut reader = heap.reader();
        push(&mut writer, b"well again").unwrap();
        let _ = writer.publish();
        assert_eq!(pop(&mut reader).unwrap().unwrap(), b"well again");
    }
    assert!(corrupt > 1000, "the garbage was hardly noticed: {corrupt}");
}

/// The reader runs against a writer that is pure noise.
#[test]
fn noise_is_never_a_record_for_long() {
    let mut random = Random(0x5EED_0002);
    println!("seed {:#x}", random.0);
    for _ in 0..2000 {
        let heap = Heap::new(256);
        let mut reader = heap.reader();
        for at in 0..384 + 256 {
            if !(8..384).contains(&at) {
                heap.poke(at, random.below(256) as u8);
            }
        }
        heap.poke_u64(WRITTEN, random.below(40) as u64 * 8);
        for _ in 0..10 {
            if pop(&mut reader).is_err() {
                break;
            }
        }
        assert!(
            !matches!(pop(&mut reader), Ok(Some(_))),
            "64 bits of header matched by chance"
        );
    }
}

struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % bound
    }
}

#[derive(Clone, Debug)]
enum Step {
    Push(usize),
    Publish,
    Pop,
    NewWriter,
    NewReader,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => (0..200_usize).prop_map(Step::Push),
        3 => Just(Step::Publish),
        5 => Just(Step::Pop),
        1 => Just(Step::NewWriter),
        1 => Just(Step::NewReader),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..Default::default() })]
    #[test]
    fn a_ring_is_a_queue_with_a_publication(steps in prop::collection::vec(step(), 1..200)) {
        let heap = Heap::new(512);
        let (mut writer, mut reader) = (heap.writer(), heap.reader());
        let (mut unpublished, mut queue) = (VecDeque::new(), VecDeque::new());
        for (index, step) in steps.into_iter().enumerate() {
            match step {
                Step::Push(length) => {
                    let record = vec![index as u8; length];
                    match push(&mut writer, &record) {
                        Ok(()) => unpublished.push_back(record),
                        // With padding a record needs at most twice its own room.
                        Err(PushError::Full) => prop_assert!(
                            queue.iter().chain(&unpublished).map(|r: &Vec<u8>| r.len() + 16).sum::<usize>()
                                + 2 * (length + 16) > 256
                        ),
                        Err(error) => prop_assert!(false, "{error}"),
                    }
                }
                Step::Publish => {
                    let _ = writer.publish();
                    queue.append(&mut unpublished);
                }
                Step::Pop => prop_assert_eq!(pop(&mut reader).unwrap(), queue.pop_front()),
                Step::NewWriter => {
                    writer = heap.writer();
                    unpublished.clear();
                }
                Step::NewReader => reader = heap.reader(),
            }
        }
    }
}

#[test]
fn two_threads_pass_a_million_bytes_unchanged() {
    let heap = Heap::new(4096);
    let (mut writer, mut reader) = (heap.writer(), heap.reader());
    let mut random = Random(0x5EED_0003);
    let lengths: Vec<usize> = (0..20_000).map(|_| random.below(100)).collect();
    let expected = lengths.clone();
    let thread = std::thread::spawn(move || {
        for (index, length) in lengths.into_iter().enumerate() {
            let record = vec![index as u8; length];
            while push(&mut writer, &record).is_err() {
                let _ = writer.publish();
                std::thread::yield_now();
            }
            if index % 3 == 0 {
                let _ = writer.publish();
            }
        }
        let _ = writer.publish();
    });
    for (index, length) in expected.into_iter().enumerate() {
        let record = loop {
            match pop(&mut reader).unwrap() {
                Some(record) => break record,
                None => std::thread::yield_now(),
            }
        };
        assert_eq!(record, vec![index as u8; length]);
    }
    thread.join().unwrap();
    assert_eq!(pop(&mut reader), Ok(None));
}

//! One thread at both ends, and a peer that lies.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::memory::{Memory, SharedPipe};
use crate::pipe::{PipeCorrupt, PipeMemory, Reader, Writer};

const RING: u32 = 4096;

fn pipe() -> (Arc<Memory>, Writer<SharedPipe>, Reader<SharedPipe>) {
    let (memory, _descriptor) = Memory::create(RING).unwrap();
    let (_, writer) = memory.client_ends();
    let (reader, _) = memory.broker_ends();
    (memory, writer, reader)
}

/// The cursors of the client's pipe to the broker, as a liar would write them.
fn lie(memory: &Arc<Memory>, change: impl FnOnce(&SharedPipe)) {
    change(memory.client_ends().1.memory());
}

#[test]
fn bytes_go_round_and_round() {
    let (_memory, mut writer, mut reader) = pipe();
    let mut sent = 0u32;
    let mut expected = 0u32;
    for round in 0..5000usize {
        let bytes: Vec<u8> = (0..round * 37 % 5000)
            .map(|at| (sent as usize + at) as u8)
            .collect();
        sent = sent.wrapping_add(writer.write(&bytes).unwrap() as u32);
        writer.publish();
        let mut buffer = vec![0; round * 53 % 6000];
        let (count, _) = reader.read(&mut buffer).unwrap();
        for byte in &buffer[..count] {
            assert_eq!(*byte, expected as u8);
            expected = expected.wrapping_add(1);
        }
    }
    assert!(expected > 1_000_000);
}

#[test]
fn what_is_not_published_is_not_there() {
    let (_memory, mut writer, mut reader) = pipe();
    assert_eq!(writer.write(b"torn"), Ok(4));
    assert_eq!(reader.available(), Ok(0));
    assert!(!writer.publish());
    assert_eq!(reader.available(), Ok(4));
}

#[test]
fn a_full_pipe_takes_nothing_more_until_it_is_read() {
    let (_memory, mut writer, mut reader) = pipe();
    let bytes = vec![1; RING as usize + 10];
    assert_eq!(writer.write(&bytes), Ok(RING as usize));
    writer.publish();
    assert_eq!(writer.write(&bytes), Ok(0));
    assert_eq!(writer.announce_sleep(), Ok(true));
    assert_eq!(reader.read(&mut [0; 100]), Ok((100, true)));
    assert_eq!(reader.read(&mut [0; 100]), Ok((100, false)), "said once");
    assert_eq!(writer.announce_sleep(), Ok(false));
    assert_eq!(writer.write(&bytes), Ok(200));
}

#[test]
fn impossible_cursors_are_found_before_a_byte_is_believed() {
    for written in [u64::MAX, u64::from(RING) + 1, 1 << 63] {
        let (memory, _writer, mut reader) = pipe();
        lie(&memory, |pipe| {
            pipe.written().store(written, Ordering::Release)
        });
        assert_eq!(reader.available(), Err(PipeCorrupt), "{written}");
        assert_eq!(reader.read(&mut [0; 8]), Err(PipeCorrupt));
        assert_eq!(reader.announce_sleep(), Err(PipeCorrupt));
    }
    let (memory, mut writer, mut reader) = pipe();
    writer.write(&[1; 100]).unwrap();
    writer.publish();
    assert_eq!(reader.available(), Ok(100));
    lie(&memory, |pipe| pipe.written().store(50, Ordering::Release));
    assert_eq!(
        reader.available(),
        Err(PipeCorrupt),
        "a cursor that goes back"
    );
    for read in [u64::MAX, 101, 1 << 63] {
        let (memory, mut writer, _reader) = pipe();
        writer.write(&[1; 100]).unwrap();
        lie(&memory, |pipe| pipe.read().store(read, Ordering::Release));
        assert_eq!(writer.room(), Err(PipeCorrupt), "{read}");
        assert_eq!(writer.announce_sleep(), Err(PipeCorrupt));
    }
    let (memory, mut writer, mut reader) = pipe();
    writer.write(&[1; 100]).unwrap();
    writer.publish();
    reader.read(&mut [0; 100]).unwrap();
    writer.room().unwrap();
    lie(&memory, |pipe| pipe.read().store(10, Ordering::Release));
    assert_eq!(writer.room(), Err(PipeCorrupt), "a cursor that goes back");
}

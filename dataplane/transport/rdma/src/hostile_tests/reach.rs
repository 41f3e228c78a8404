//! Clients that reach further than they may, or lie about what they reached.

use super::*;
use crate::flow::NOTE;
use crate::reach::{Far, NOTE_BYTES, Note};

/// Of what was granted: what is asked, where, by which key.
type Reach = fn(Far, Far) -> (c_int, u64, u32);

/// What a client may write to, and read, once it was told.
fn granted(client: &mut RdmaConnection) -> (Far, Far) {
    let start = Instant::now();
    loop {
        client.check().expect("the broker is there");
        if let Some(fars) = client.raw_fars() {
            return fars;
        }
        assert!(start.elapsed() < PATIENCE, "nothing was granted");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Sends a note as it stands, as a client's first message.
fn say(client: &RdmaConnection, note: &[u8]) {
    let queue = client.raw_queue();
    queue.write(0, 0, note);
    // It has taken the broker's first message.
    assert!(queue.send(client.raw_pair(), 0, 0, note.len(), NOTE | 1));
}

fn sends(client: &mut RdmaConnection, mut bytes: &[u8]) {
    let start = Instant::now();
    while !bytes.is_empty() {
        let sent = client.try_send(bytes).unwrap();
        bytes = &bytes[sent..];
        assert!(start.elapsed() < PATIENCE, "{} left", bytes.len());
    }
}

/// Waits for a message of the broker whose immediate data has the bit, and takes none as a client
/// would.
fn hears(client: &RdmaConnection, bit: u32) {
    let (mut batch, start) = ([WorkCompletion::default()], Instant::now());
    loop {
        let count = client.raw_queue().poll(&mut batch);
        let receive = batch[0].user & (1 << 63) == 0;
        if count > 0 && receive && u32::from_be(batch[0].immediate) & bit != 0 {
            return;
        }
        assert!(start.elapsed() < PATIENCE, "never heard");
    }
}

#[test]
fn what_is_granted_serves() {
    let echo = Echo::start(4);
    let mut client = echo.connect();
    let (landing, shelf) = granted(&mut client);
    assert_eq!((landing.bytes, shelf.bytes), (ACCESS_BYTES, ACCESS_BYTES));
    for _ in 0..8 {
        must_echo(&mut client);
    }
    let (written, read) = client.one_sided().unwrap();
    assert!(written >= 400_000 && read >= 100_000, "{written} {read}");
    println!("{written} bytes were written, {read} read, of 800000");
}

#[test]
fn without_a_grant_nothing_is_reached() {
    let echo = Echo::granting(4, 0, PATIENCE);
    let mut honest = echo.connect();
    must_echo(&mut honest);
    assert_eq!(honest.one_sided(), None);
    let liar = echo.connect();
    let note = Note::At {
        position: 0,
        length: 100,
    };
    liar.raw_queue().write(0, 0, &note.encode());
    let length = NOTE_BYTES;
    assert!(liar.raw_queue().send(liar.raw_pair(), 0, 0, length, NOTE));
    echo.must_have_failed(1);
    must_echo(&mut honest);
}

/// Beyond either end, and each with the other's right.
#[test]
fn whatever_else_is_reached_for_is_refused() {
    let echo = Echo::start(4);
    let mut honest = echo.connect();
    let reaches: [Reach; 8] = [
        |landing, _| {
            let end = landing.address + u64::from(landing.bytes);
            (WR_RDMA_WRITE, end - 32, landing.key)
        },
        |landing, _| (WR_RDMA_WRITE, landing.address - 32, landing.key),
        |landing, _| (WR_RDMA_WRITE, u64::MAX - 32, landing.key),
        |landing, shelf| (WR_RDMA_WRITE, shelf.address, landing.key),
        |_, shelf| (WR_RDMA_WRITE, shelf.address, shelf.key),
        |landing, _| (WR_RDMA_READ, landing.address, landing.key),
        |_, shelf| {
            let end = shelf.address + u64::from(shelf.bytes);
            (WR_RDMA_READ, end - 32, shelf.key)
        },
        // A key that was never bound.
        |landing, _| (WR_RDMA_WRITE, landing.address, landing.key ^ 0x80),
    ];
    for (at, reach) in reaches.iter().enumerate() {
        let mut thief = echo.connect();
        let (landing, shelf) = granted(&mut thief);
        let (opcode, address, key) = reach(landing, shelf);
        let refusal = reached(&thief, opcode, address, key, 64);
        assert_eq!(refusal, WC_REMOTE_ACCESS, "{at}");
        drop(thief);
        echo.must_have_failed(at as u64 + 1);
    }
    must_echo(&mut honest);
    echo.must_serve();
}

#[test]
fn anothers_grant_is_refused_and_harms_not_its_owner() {
    let echo = Echo::start(4);
    let mut owner = echo.connect();
    let (landing, shelf) = granted(&mut owner);
    let reaches = [(WR_RDMA_WRITE, landing), (WR_RDMA_READ, shelf)];
    for (ended, (opcode, far)) in (1..).zip(reaches) {
        let mut thief = echo.connect();
        granted(&mut thief);
        let refusal = reached(&thief, opcode, far.address, far.key, 64);
        assert_eq!(refusal, WC_REMOTE_ACCESS, "{opcode}");
        drop(thief);
        echo.must_have_failed(ended);
    }
    must_echo(&mut owner);
}

#[test]
fn lies_about_what_was_written_end_the_liar_alone() {
    let echo = Echo::start(4);
    let mut honest = echo.connect();
    let at = |position, length| Note::At { position, length }.encode();
    let far = Far {
        address: 1,
        key: 1,
        bytes: ACCESS_BYTES,
    };
    let granted_by_client = Note::Granted {
        landing: far,
        shelf: far,
    };
    let lies: [Vec<u8>; 9] = [
        at(1, 100).into(),
        at(ACCESS_BYTES, 100).into(),
        at(u32::MAX, 100).into(),
        at(0, 0).into(),
        at(0, ACCESS_BYTES + 1).into(),
        at(0, u32::MAX).into(),
        granted_by_client.encode().into(),
        vec![0xFF; NOTE_BYTES],
        at(0, 100)[..12].into(),
    ];
    for (ended, lie) in (1..).zip(&lies) {
        let mut liar = echo.connect();
        granted(&mut liar);
        say(&liar, lie);
        echo.must_have_failed(ended);
    }
    must_echo(&mut honest);
    echo.must_serve();
}

/// A shard works on what it has copied: whoever writes to what lies there already changes nothing
/// that was taken, and nothing of anybody else.
#[test]
fn bytes_that_change_meanwhile_are_their_writers_harm_alone() {
    let echo = Echo::start(4);
    let mut honest = echo.connect();
    let mut fickle = echo.connect();
    let (landing, _) = granted(&mut fickle);
    let bytes = vec![1; 64 << 10];
    for _ in 0..4 {
        sends(&mut fickle, &bytes);
        // Over what was told of, and is perhaps just being copied.
        let mut slice: Slice = fickle.raw_queue().raw_slice(64 << 10);
        let mut request = SendRequest::EMPTY;
        (request.opcode, request.flags) = (WR_RDMA_WRITE, SEND_SIGNALED);
        (request.slices, request.slice_count) = (&mut slice, 1);
        (request.remote_address, request.remote_key) = (landing.address, landing.key);
        let (pair, start) = (fickle.raw_pair(), Instant::now());
        request.user = 1 << 63 | 1 << 61;
        assert!(crate::grant::post(pair, &mut request));
        let (mut echoed, mut buffer) = (0, vec![0; 64 << 10]);
        while echoed < bytes.len() {
            match fickle.try_receive(&mut buffer).unwrap() {
                Some(length) => echoed += length,
                None => assert!(start.elapsed() < PATIENCE, "{echoed}"),
            }
        }
    }
    must_echo(&mut honest);
    echo.must_serve();
}

/// What the shard has left may not be written to, while what it told of may still be read; then
/// nothing is.
#[test]
fn rights_end_with_the_connection() {
    let echo = Echo::start(4);
    let mut honest = echo.connect();
    let mut client = echo.connect();
    let (landing, shelf) = granted(&mut client);
    sends(&mut client, &[7; 64 << 10]);
    hears(&client, NOTE);
    let read = reached(&client, WR_RDMA_READ, shelf.address, shelf.key, 64);
    assert_eq!(read, WC_SUCCESS);
    client.finish_sending();
    // Its end: what was exposed is still not taken, so that the pair is there for a while.
    hears(&client, 1 << 31);
    let read = reached(&client, WR_RDMA_READ, shelf.address, shelf.key, 64);
    assert_eq!(read, WC_SUCCESS, "what it was told of");
    let write = reached(&client, WR_RDMA_WRITE, landing.address, landing.key, 64);
    assert_eq!(write, WC_REMOTE_ACCESS, "after the end");
    drop(client);
    must_echo(&mut honest);
    echo.must_serve();
}

#[test]
fn who_never_reads_what_waits_is_ended() {
    let echo = Echo::granting(4, ACCESS_BYTES, Duration::from_millis(500));
    let mut idle = echo.connect();
    granted(&mut idle);
    sends(&mut idle, &[7; 200_000]);
    echo.must_have_failed(1);
    // One that has nothing to read may rest, and one that reads is served.
    let mut honest = echo.connect();
    must_echo(&mut honest);
    std::thread::sleep(Duration::from_secs(2));
    must_echo(&mut honest);
}

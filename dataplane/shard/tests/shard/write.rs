//! Batches that are written into memory of the log from afar: who may, what becomes of them, and what
//! of a writer that lies, goes, or never says a word.

use crate::harness::{Broker, Client, FakeControl, batch, stored};
use crate::quotas::quota;
use crate::unwatched::Lends;
use precursor_model::ErrorCode;
use precursor_protocol::native::ProducedOne;
use precursor_protocol::native::write::{Commit, Lend, Lent, Room};
use precursor_shard::ShardOptions;
use precursor_shm::control::QuotaLimits;
use precursor_transport_port::{Event, Reach};
use precursor_transport_sim::SimFaults;
use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;

const HELD_MAX: usize = 2 << 20;

fn start() -> (Broker, Client) {
    start_with(60_000)
}

fn start_with(follow_ms_max: u64) -> (Broker, Client) {
    start_so(move |options| options.follow_ms_max = follow_ms_max)
}

fn start_so(set: impl Fn(&mut ShardOptions)) -> (Broker, Client) {
    let mut broker = Broker::start_with(&[("t", 2)], 1, SimFaults::default(), |options| {
        options.follow_bytes_max = HELD_MAX;
        set(options);
    });
    let lends = lends(&mut broker);
    (lends.offers, lends.works) = (true, true);
    let client = broker.connect();
    (broker, client)
}

fn lends(broker: &mut Broker) -> &mut Lends {
    &mut broker.shard.transport().lends
}

fn answer<A>(broker: &mut Broker, client: &mut Client, parse: fn(&[u8]) -> Option<A>) -> A {
    let mut frame = None;
    broker.until("an answer", |_| {
        frame = client.take_frame();
        frame.is_some()
    });
    parse(&frame.unwrap()).expect("an answer to it")
}

fn ask(broker: &mut Broker, client: &mut Client, partition: i32, bytes: u32) -> Lent {
    let request = Lend {
        correlation_id: 7,
        topic_id: FakeControl::topic_id("t"),
        partition,
        bytes,
    };
    client.send_bytes(broker, &request.encode());
    let lent = answer(broker, client, Lent::parse);
    assert_eq!(lent.correlation_id, 7);
    lent
}

fn room(broker: &mut Broker, client: &mut Client, bytes: usize) -> Room {
    let lent = ask(broker, client, 0, bytes as u32);
    assert_eq!((lent.error, lent.shard), (ErrorCode::None, 0));
    lent.room.expect("there is memory")
}

/// As a device does it.
fn write(room: &Room, bytes: &[u8]) {
    let memory = OpenOptions::new().write(true).open("/proc/self/mem");
    memory.unwrap().write_all_at(bytes, room.address).unwrap();
}

fn send_commit(broker: &mut Broker, client: &mut Client, commit: Commit) {
    client.send_bytes(broker, &commit.encode());
}

fn commit_of(room: &Room, length: usize) -> Commit {
    Commit {
        correlation_id: 8,
        number: room.number,
        generation: room.generation,
        length: length as u32,
    }
}

fn returned(broker: &mut Broker, loan: u32) {
    lends(broker).events.push(Event::Returned { loan });
    broker.turns(3);
}

/// The whole way: asks, writes, says so, and is answered when nobody can write there any more.
fn produce(broker: &mut Broker, client: &mut Client, sent: &[u8]) -> ProducedOne {
    let room = room(broker, client, sent.len());
    write(&room, sent);
    committed(broker, client, &room, sent.len())
}

fn committed(broker: &mut Broker, client: &mut Client, room: &Room, length: usize) -> ProducedOne {
    let recalled = lends(broker).recalled.len();
    send_commit(broker, client, commit_of(room, length));
    broker.until("it is taken back", |broker| {
        lends(broker).recalled.len() > recalled
    });
    broker.turns(10);
    assert!(client.take_frame().is_none(), "while it can change");
    assert_eq!(lends(broker).recalled.last(), Some(&room.number));
    returned(broker, room.number);
    answer(broker, client, ProducedOne::parse)
}

fn must_be_refused(broker: &mut Broker, client: &mut Client, commit: Commit) {
    send_commit(broker, client, commit);
    let told = answer(broker, client, ProducedOne::parse);
    assert_eq!(told.error, ErrorCode::InvalidRequest, "{commit:?}");
}

fn long(byte: u8) -> Vec<u8> {
    batch(&[&vec![byte; 300_000], b"two"])
}

fn in_use(broker: &Broker) -> (u64, u64) {
    let stats = broker.region.stats(0);
    (
        stats.batches_written_in_place.get(),
        stats.batches_written_copied.get(),
    )
}

fn held(broker: &mut Broker, client: &mut Client) -> Vec<u8> {
    let fetched = broker.fetch(client, 11, "t", 0, 0);
    let records = fetched.responses[0].partitions[0].records.clone();
    records.expect("there are some")
}

#[test]
fn a_batch_that_is_written_is_in_the_log_where_it_lies() {
    let (mut broker, mut client) = start();
    let (first, second, third) = (batch(&[b"one"]), long(1), long(2));
    broker.produce(&mut client, 9, "t", 0, &first);
    let told = produce(&mut broker, &mut client, &second);
    assert_eq!(
        (told.error, told.base_offset, told.count),
        (ErrorCode::None, 1, 1)
    );
    let told = produce(&mut broker, &mut client, &third);
    assert_eq!(
        (told.error, told.base_offset, told.shard),
        (ErrorCode::None, 3, 0)
    );
    assert_eq!(in_use(&broker), (2, 0));
    let expected = [
        stored(&first, 0, 0),
        stored(&second, 1, 0),
        stored(&third, 3, 0),
    ]
    .concat();
    let held = held(&mut broker, &mut client);
    assert!(held[..] == expected[..held.len()] && held.len() > second.len());
}

#[test]
fn where_somebody_else_was_first_it_is_copied() {
    let (mut broker, mut client) = start();
    let (first, sent) = (batch(&[b"one"]), long(1));
    let room = room(&mut broker, &mut client, sent.len());
    write(&room, &sent);
    let mut other = broker.connect();
    broker.produce(&mut other, 9, "t", 0, &first);
    let told = committed(&mut broker, &mut client, &room, sent.len());
    assert_eq!((told.error, told.base_offset), (ErrorCode::None, 1));
    assert_eq!(in_use(&broker), (0, 1));
    let expected = [stored(&first, 0, 0), stored(&sent, 1, 0)].concat();
    assert!(held(&mut broker, &mut client) == expected);
    // An extent of 512 KiB for the batch, and none beside it.
    broker.until("what was lent is given back", |broker| {
        (300_000..1 << 20).contains(&broker.region.stats(0).pool_bytes_in_use.get())
    });
}

/// One whose request does not come whole, and holds memory for it.
fn holder(broker: &mut Broker, bytes: usize) -> Client {
    let mut frame = vec![0; bytes];
    frame[..4].copy_from_slice(&(bytes as u32).to_be_bytes());
    let mut client = broker.connect();
    client.send_bytes(broker, &frame);
    broker.turns(20);
    client
}

/// Also when its client has gone meanwhile: what was said is done.
#[test]
fn what_is_to_be_copied_waits_for_memory() {
    for goes in [false, true] {
        let (mut broker, mut client) = start_so(|options| {
            options.follow_ms_max = 60_000;
            options.large_request_bytes_max = 0;
        });
        let (first, sent) = (batch(&[b"one"]), long(1));
        let room = room(&mut broker, &mut client, sent.len());
        write(&room, &sent);
        let mut other = broker.connect();
        broker.produce(&mut other, 9, "t", 0, &first);
        // Of 16 MiB less than 512 KiB is left.
        let holders = (0..63).map(|_| holder(&mut broker, 250_000));
        let mut holders: Vec<Client> = holders.collect();
        send_commit(&mut broker, &mut client, commit_of(&room, sent.len()));
        broker.turns(10);
        returned(&mut broker, room.number);
        broker.turns(20);
        assert!(client.take_frame().is_none(), "nothing was decided");
        assert_eq!(in_use(&broker), (0, 0));
        let delayed = broker.region.stats(0).produces_delayed.get();
        assert_eq!(delayed, 1, "however often it is tried");
        let mut asker = match goes {
            true => {
                drop(client);
                broker.turns(20);
                None
            }
            false => Some(client),
        };
        holders.truncate(holders.len() - 4);
        broker.until("it is copied", |broker| in_use(broker) == (0, 1));
        if let Some(client) = &mut asker {
            let told = answer(&mut broker, client, ProducedOne::parse);
            assert_eq!((told.error, told.base_offset), (ErrorCode::None, 1));
        }
        drop(holders);
        let expected = [stored(&first, 0, 0), stored(&sent, 1, 0)].concat();
        assert!(held(&mut broker, &mut other) == expected, "once");
    }
}

#[test]
fn what_is_not_sound_is_refused() {
    let (mut broker, mut client) = start();
    let mut torn = long(1);
    torn[1000] ^= 1;
    let told = produce(&mut broker, &mut client, &torn);
    assert_eq!(
        (told.error, told.base_offset),
        (ErrorCode::CorruptMessage, -1)
    );
    let told = produce(&mut broker, &mut client, &long(1));
    assert_eq!((told.error, told.base_offset), (ErrorCode::None, 0));
}

/// Another's, twice the same, of an earlier life, more than there is, none.
#[test]
fn who_names_what_was_not_lent_to_it_gets_nothing() {
    let (mut broker, mut client) = start();
    let sent = long(1);
    let mut thief = broker.connect();
    let own = room(&mut broker, &mut client, sent.len());
    write(&own, &sent);
    let commit = commit_of(&own, sent.len());
    must_be_refused(&mut broker, &mut thief, commit);
    for lie in [
        Commit {
            number: 255,
            ..commit
        },
        Commit {
            number: u32::MAX,
            ..commit
        },
        Commit {
            generation: commit.generation + 1,
            ..commit
        },
        Commit {
            length: commit.length + 1,
            ..commit
        },
        Commit {
            length: 0,
            ..commit
        },
    ] {
        must_be_refused(&mut broker, &mut client, lie);
    }
    assert!(lends(&mut broker).recalled.is_empty());
    send_commit(&mut broker, &mut client, commit);
    send_commit(&mut broker, &mut client, commit);
    broker.turns(5);
    returned(&mut broker, own.number);
    let told = answer(&mut broker, &mut client, ProducedOne::parse);
    assert_eq!((told.error, told.base_offset), (ErrorCode::None, 0));
    let again = answer(&mut broker, &mut client, ProducedOne::parse);
    assert_eq!(again.error, ErrorCode::InvalidRequest);
    must_be_refused(&mut broker, &mut client, commit);
    assert!(
        held(&mut broker, &mut client) == stored(&sent, 0, 0),
        "once"
    );
}

#[test]
fn what_is_lent_has_a_bound_and_comes_back_from_who_goes() {
    let (mut broker, mut client) = start();
    let mut others: Vec<Client> = (0..5).map(|_| broker.connect()).collect();
    // Extents of 512 KiB.
    let rooms: Vec<Room> = others[..4]
        .iter_mut()
        .map(|other| room(&mut broker, other, 300_000))
        .collect();
    let none = ask(&mut broker, &mut client, 0, 300_000);
    assert_eq!((none.error, none.room), (ErrorCode::None, None), "it sends");
    // One that asks anew gives back what it had; one that goes has nothing.
    ask(&mut broker, &mut others[0], 0, 300_000);
    assert_eq!(lends(&mut broker).recalled, [rooms[0].number]);
    returned(&mut broker, rooms[0].number);
    drop(others.remove(1));
    broker.turns(20);
    returned(&mut broker, rooms[1].number);
    assert!(ask(&mut broker, &mut client, 0, 300_000).room.is_some());
    assert!(ask(&mut broker, &mut others[3], 0, 300_000).room.is_some());
    let sum: u64 = broker.region.stats(0).batches_in.get();
    assert_eq!(sum, 0, "nothing was published");
}

/// Its client dies behind its word: what was said is done, as of any produce.
#[test]
fn who_dies_after_its_commit_has_committed() {
    let (mut broker, mut client) = start();
    let sent = long(3);
    let room = room(&mut broker, &mut client, sent.len());
    write(&room, &sent);
    send_commit(&mut broker, &mut client, commit_of(&room, sent.len()));
    broker.turns(5);
    drop(client);
    broker.until("it is gone", |broker| broker.shard.connection_count() == 0);
    returned(&mut broker, room.number);
    let mut other = broker.connect();
    assert!(held(&mut broker, &mut other) == stored(&sent, 0, 0));
}

#[test]
fn who_never_commits_loses_it_and_so_does_who_writes_for_a_topic_that_is_gone() {
    let (mut broker, mut client) = start_with(0);
    let lost = room(&mut broker, &mut client, 300_000);
    broker.until("it is taken back", |broker| {
        lends(broker).recalled == [lost.number]
    });
    must_be_refused(&mut broker, &mut client, commit_of(&lost, 300_000));
    returned(&mut broker, lost.number);
    let (mut broker, mut client) = start();
    let sent = long(1);
    let (gone, late) = (
        room(&mut broker, &mut client, sent.len()),
        ask(&mut broker, &mut client, 1, sent.len() as u32)
            .room
            .unwrap(),
    );
    write(&late, &sent);
    send_commit(&mut broker, &mut client, commit_of(&late, sent.len()));
    broker.turns(5);
    broker.control.topics.clear();
    broker.publish();
    broker.until("both are taken back", |broker| {
        lends(broker).recalled.contains(&gone.number)
    });
    returned(&mut broker, late.number);
    let told = answer(&mut broker, &mut client, ProducedOne::parse);
    assert_eq!(told.error, ErrorCode::UnknownTopicOrPartition);
}

#[test]
fn what_cannot_be_lent_is_sent() {
    let (mut broker, mut client) = start();
    for bytes in [0, 60, (2 << 20) + 1, u32::MAX] {
        let lent = ask(&mut broker, &mut client, 0, bytes);
        assert_eq!((lent.error, lent.room), (ErrorCode::None, None), "{bytes}");
    }
    let lent = ask(&mut broker, &mut client, 7, 300_000);
    assert_eq!(lent.error, ErrorCode::UnknownTopicOrPartition);
    // A transport that has no such thing, and one that fails.
    lends(&mut broker).offers = false;
    assert_eq!(ask(&mut broker, &mut client, 0, 300_000).room, None);
    (lends(&mut broker).offers, lends(&mut broker).works) = (true, false);
    let request = Lend {
        correlation_id: 7,
        topic_id: FakeControl::topic_id("t"),
        partition: 0,
        bytes: 300_000,
    };
    client.send_bytes(&mut broker, &request.encode());
    broker.until("it was asked", |broker| !lends(broker).lent.is_empty());
    let (_, loan, Reach::Write(span)) = lends(&mut broker).lent[0] else {
        panic!("it is to be written");
    };
    assert_eq!(span.bytes, 300_000);
    returned(&mut broker, loan);
    assert_eq!(answer(&mut broker, &mut client, Lent::parse).room, None);
    assert_eq!(broker.region.stats(0).pool_bytes_in_use.get(), 0);
    let limits = QuotaLimits {
        producer_byte_rate: Some(1e9),
        ..QuotaLimits::default()
    };
    broker.control.more = vec![quota("somebody", limits)];
    broker.publish();
    lends(&mut broker).works = true;
    assert_eq!(ask(&mut broker, &mut client, 0, 300_000).room, None);
}

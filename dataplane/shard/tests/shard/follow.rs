//! The right to read a partition where it lies: who gets it, for how long, and what is held for it.

use crate::harness::{Broker, Client, FakeControl, batch};
use crate::quotas::quota;
use crate::unwatched::Lends;
use precursor_model::{ErrorCode, TopicId};
use precursor_protocol::native::follow::{Follow, Followed};
use precursor_shm::control::QuotaLimits;
use precursor_transport_port::{Event, Reach};
use precursor_transport_sim::SimFaults;

const HELD_MAX: usize = 64 << 10;

fn start(works: bool) -> (Broker, Client) {
    let mut broker = Broker::start_with(&[("t", 2)], 1, SimFaults::default(), |options| {
        options.follow_bytes_max = HELD_MAX;
        options.follow_ms_max = 0;
    });
    let lends = lends(&mut broker);
    (lends.offers, lends.works) = (true, works);
    let mut client = broker.connect();
    for partition in 0..2 {
        broker.produce(&mut client, 9, "t", partition, &batch(&[b"one", b"two"]));
    }
    (broker, client)
}

fn lends(broker: &mut Broker) -> &mut Lends {
    &mut broker.shard.transport().lends
}

fn send(broker: &mut Broker, client: &mut Client, topic_id: TopicId, partition: i32, offset: i64) {
    let request = Follow {
        correlation_id: offset as i32,
        topic_id,
        partition,
        offset,
        place: None,
    };
    client.send_bytes(broker, &request.encode());
}

fn answer(broker: &mut Broker, client: &mut Client) -> Followed {
    let mut frame = None;
    broker.until("an answer", |_| {
        frame = client.take_frame();
        frame.is_some()
    });
    Followed::parse(&frame.unwrap()).expect("an answer to it")
}

fn follow(broker: &mut Broker, client: &mut Client, partition: i32, offset: i64) -> Followed {
    send(
        broker,
        client,
        FakeControl::topic_id("t"),
        partition,
        offset,
    );
    answer(broker, client)
}

fn returned(broker: &mut Broker, loan: u32) {
    lends(broker).events.push(Event::Returned { loan });
    broker.turns(3);
}

#[test]
fn an_extent_is_lent_and_told_of() {
    let (mut broker, mut client) = start(true);
    let told = follow(&mut broker, &mut client, 0, 1);
    assert_eq!(
        (told.error, told.shard, told.correlation_id),
        (ErrorCode::None, 0, 1)
    );
    let granted = told.granted.expect("it is in memory");
    let (_, loan, Reach::Read([extent, words])) = lends(&mut broker).lent[0] else {
        panic!("it is to be read");
    };
    assert_eq!(
        (granted.address, granted.bytes),
        (extent.address as u64, extent.bytes)
    );
    assert_eq!(
        (granted.words_address, words.bytes),
        (words.address as u64, 16)
    );
    assert_eq!((granted.key, granted.words_key), (loan * 2, loan * 2 + 1));
    assert_eq!(
        (granted.segment, granted.position, granted.begin),
        (0, 0, 0)
    );
    let end = follow(&mut broker, &mut client, 0, 2)
        .granted
        .expect("it is in memory");
    assert!(end.begin > 0 && end.generation == granted.generation);
}

#[test]
fn who_goes_on_gives_back_what_it_had() {
    let (mut broker, mut client) = start(true);
    follow(&mut broker, &mut client, 0, 1);
    follow(&mut broker, &mut client, 1, 1);
    assert!(
        lends(&mut broker).recalled.is_empty(),
        "one of each partition"
    );
    follow(&mut broker, &mut client, 0, 2);
    assert_eq!(lends(&mut broker).recalled, [0]);
    let mut other = broker.connect();
    follow(&mut broker, &mut other, 0, 2);
    assert_eq!(
        lends(&mut broker).recalled,
        [0],
        "another client's is its own"
    );
}

/// Until nobody reads it any more, an extent is held, and counts.
#[test]
fn what_is_held_has_a_bound() {
    let (mut broker, mut client) = start(true);
    // Extents of 16 KiB.
    let mut others: Vec<Client> = (0..5).map(|_| broker.connect()).collect();
    for other in &mut others[..4] {
        assert!(follow(&mut broker, other, 0, 0).granted.is_some());
    }
    let refused = follow(&mut broker, &mut others[4], 0, 0);
    assert_eq!(
        (refused.error, refused.granted),
        (ErrorCode::None, None),
        "it fetches"
    );
    follow(&mut broker, &mut others[0], 0, 1);
    assert_eq!(lends(&mut broker).recalled, [0]);
    let still = follow(&mut broker, &mut client, 0, 0);
    assert_eq!(still.granted, None, "taken back is not yet returned");
    returned(&mut broker, 0);
    assert!(follow(&mut broker, &mut client, 0, 0).granted.is_some());
}

#[test]
fn what_cannot_be_lent_is_fetched() {
    let (mut broker, mut client) = start(false);
    send(&mut broker, &mut client, FakeControl::topic_id("t"), 0, 0);
    broker.until("it was asked", |broker| !lends(broker).lent.is_empty());
    broker.turns(10);
    assert!(
        client.take_frame().is_none(),
        "an answer waits for the transport"
    );
    returned(&mut broker, 0);
    let told = answer(&mut broker, &mut client);
    assert_eq!((told.error, told.granted), (ErrorCode::None, None));
    // A transport that has no such thing.
    lends(&mut broker).offers = false;
    let told = follow(&mut broker, &mut client, 0, 0);
    assert_eq!((told.error, told.granted), (ErrorCode::None, None));
    // Nothing stays held.
    lends(&mut broker).offers = true;
    lends(&mut broker).works = true;
    for _ in 0..4 {
        let mut other = broker.connect();
        assert!(follow(&mut broker, &mut other, 0, 0).granted.is_some());
    }
}

/// A client that sends requests without waiting for their answers has what it asked for last.
#[test]
fn of_two_requests_at_once_the_later_holds() {
    let (mut broker, mut client) = start(true);
    let topic = FakeControl::topic_id("t");
    let frames: Vec<u8> = [1, 2]
        .iter()
        .flat_map(|offset| {
            let request = Follow {
                correlation_id: *offset as i32,
                topic_id: topic,
                partition: 0,
                offset: *offset,
                place: None,
            };
            request.encode()
        })
        .collect();
    client.send_bytes(&mut broker, &frames);
    let (first, second) = (
        answer(&mut broker, &mut client),
        answer(&mut broker, &mut client),
    );
    assert_eq!((first.correlation_id, second.correlation_id), (1, 2));
    assert!(second.granted.is_some());
    let (lent, recalled) = (
        lends(&mut broker).lent.len(),
        lends(&mut broker).recalled.len(),
    );
    assert_eq!(lent - recalled, 1, "one is held");
}

#[test]
fn a_client_that_leaves_before_its_answer_leaves_nothing() {
    let (mut broker, mut client) = start(false);
    send(&mut broker, &mut client, FakeControl::topic_id("t"), 0, 0);
    broker.until("it was asked", |broker| !lends(broker).lent.is_empty());
    drop(client);
    broker.until("it is gone", |broker| broker.shard.connection_count() == 0);
    lends(&mut broker).events.push(Event::Lent {
        loan: 0,
        keys: [1, 2],
    });
    broker.turns(3);
    returned(&mut broker, 0);
    lends(&mut broker).works = true;
    for _ in 0..4 {
        let mut other = broker.connect();
        assert!(follow(&mut broker, &mut other, 0, 0).granted.is_some());
    }
}

/// Its topic was deleted: within the second of a sweep.
#[test]
fn what_is_gone_is_taken_back() {
    let (mut broker, mut client) = start(true);
    follow(&mut broker, &mut client, 0, 0);
    follow(&mut broker, &mut client, 1, 0);
    broker.control.topics.clear();
    broker.publish();
    broker.until("both are taken back", |broker| {
        lends(broker).recalled.len() == 2
    });
    let told = follow(&mut broker, &mut client, 0, 0);
    assert_eq!((told.error, told.shard), (ErrorCode::UnknownTopicId, -1));
}

/// `follow_ms_max` is 0 here: what was passed is taken back by the next sweep, what was not stays.
#[test]
fn who_does_not_go_on_loses_its_extent() {
    let (mut broker, mut client) = start(true);
    follow(&mut broker, &mut client, 0, 0);
    follow(&mut broker, &mut client, 1, 0);
    for _ in 0..5 {
        broker.produce(&mut client, 9, "t", 1, &batch(&[&[7; 9_000]]));
    }
    broker.until("it is taken back", |broker| {
        !lends(broker).recalled.is_empty()
    });
    broker.turns(100);
    assert_eq!(lends(&mut broker).recalled, [1]);
}

#[test]
fn errors_are_those_of_a_fetch() {
    let (mut broker, mut client) = start(true);
    let refused = follow(&mut broker, &mut client, 0, 99);
    assert_eq!(refused.error, ErrorCode::OffsetOutOfRange);
    let refused = follow(&mut broker, &mut client, 7, 0);
    assert_eq!(refused.error, ErrorCode::UnknownTopicOrPartition);
    send(&mut broker, &mut client, TopicId([9; 16]), 0, 0);
    let refused = answer(&mut broker, &mut client);
    assert_eq!(refused.error, ErrorCode::UnknownTopicId);
    assert!(lends(&mut broker).lent.is_empty());
    let mut lie = Follow {
        correlation_id: 1,
        topic_id: FakeControl::topic_id("t"),
        partition: 0,
        offset: 0,
        place: Some((0, 5)),
    }
    .encode();
    lie[40..48].copy_from_slice(&(-9_i64).to_be_bytes());
    client.send_bytes(&mut broker, &lie);
    client.expect_close(&mut broker);
}

/// What is read from afar cannot be counted.
#[test]
fn where_clients_have_quotas_they_fetch() {
    let (mut broker, mut client) = start(true);
    let limits = QuotaLimits {
        consumer_byte_rate: Some(1e9),
        ..QuotaLimits::default()
    };
    broker.control.more = vec![quota("somebody", limits)];
    broker.publish();
    let told = follow(&mut broker, &mut client, 0, 0);
    assert_eq!((told.error, told.granted), (ErrorCode::None, None));
}

#[test]
fn another_shards_partition_is_told_of() {
    let mut broker = Broker::start_shards(&[("t", 2)], 2);
    let mut client = broker.connect();
    let told = [0, 1].map(|partition| follow(&mut broker, &mut client, partition, 0));
    let mut errors = told.map(|told| (told.error, told.shard));
    errors.sort_by_key(|(error, _)| error.code());
    assert_eq!(errors[0].0, ErrorCode::None);
    assert_eq!(errors[1].0, ErrorCode::NotLeaderOrFollower);
    assert_ne!(errors[0].1, errors[1].1);
}

//! What changes while a shard runs, and what it tells of itself.

use crate::harness::{Broker, FakeTopic, batch, fetch_body};
use precursor_model::ErrorCode;
use precursor_protocol::ApiKey;
use precursor_shm::control::{LogDescription, ToData};
use std::time::Duration;

fn option(name: &'static str, value: &'static str) -> ToData<'static> {
    ToData::NodeOption { name, value }
}

#[test]
fn changed_options_of_the_node_are_in_force_and_a_whole_image_without_them_takes_them_back() {
    let mut broker = Broker::start(&[("t", 1), ("own", 1)]);
    broker.control.topics[1].options = vec![("max.message.bytes".into(), "100000".into())];
    let mut client = broker.connect();
    let large = batch(&[&[7; 2_000]]);
    broker.control.more = vec![
        option("topic.max.message.bytes", "1000"),
        option("connections.max", "2"),
        option("no.such.option", "1"),
    ];
    broker.publish();
    assert_eq!(broker.region.stats(0).options_ignored.get(), 1);
    let mut error_of = |broker: &mut Broker, topic| {
        let answer = broker.produce(&mut client, 9, topic, 0, &large);
        answer.responses[0].partition_responses[0].error_code
    };
    let too_large = ErrorCode::MessageTooLarge.code();
    assert_eq!(error_of(&mut broker, "t"), too_large);
    assert_eq!(error_of(&mut broker, "own"), 0, "the topic's own option");
    broker.control.topics.push(FakeTopic {
        name: "later".into(),
        partitions: 1,
        options: Vec::new(),
    });
    broker.publish();
    broker.until("the log", |b| b.control.online.len() == 3);
    assert_eq!(error_of(&mut broker, "later"), too_large);

    let _second = broker.connect();
    broker.until("the second", |b| b.shard.connection_count() == 2);
    let mut third = broker.connect();
    third.expect_close(&mut broker);

    broker.control.more.clear();
    broker.publish();
    assert_eq!(error_of(&mut broker, "t"), 0);
    let _fourth = broker.connect();
    broker.until("one more", |b| b.shard.connection_count() == 3);
}

#[test]
fn logs_are_described_in_pieces_with_what_went_in_and_out() {
    let mut broker = Broker::start(&[("a", 1), ("b", 300)]);
    let mut client = broker.connect();
    let records = batch(&[b"one", b"two"]);
    broker.produce(&mut client, 9, "a", 0, &records);
    broker.produce(&mut client, 9, "a", 0, &records);
    broker.fetch(&mut client, 12, "a", 0, 2);
    broker.control.send(&ToData::DescribeLogs { token: 5 });
    broker.control.send(&ToData::DescribeLogs { token: 6 });
    broker.until("both answers", |b| {
        b.control.descriptions.iter().filter(|d| d.1).count() == 2
    });
    for token in [5, 6] {
        let pieces = broker.control.descriptions.iter().filter(|d| d.0 == token);
        assert!(pieces.clone().count() > 1);
        let logs: Vec<LogDescription> = pieces.flat_map(|d| d.2.clone()).collect();
        assert_eq!(logs.len(), 301);
        let length = records.len() as u64;
        let first = logs.iter().find(|log| log.log.0 == 1).unwrap();
        assert_eq!(
            (
                first.log_start_offset,
                first.high_watermark,
                first.log_end_offset
            ),
            (0, 4, 4)
        );
        assert_eq!((first.size_bytes, first.segments), (2 * length, 1));
        assert!(first.memory_bytes >= first.size_bytes);
        assert_eq!((first.records_in, first.batches_in), (4, 2));
        assert_eq!((first.bytes_in, first.bytes_out), (2 * length, length));
        let rest: u64 = logs.iter().map(|log| log.records_in).sum();
        assert_eq!(rest, 4, "nothing elsewhere");
        let of_token = |d: &&(u64, Vec<_>)| d.0 == token;
        let directories = broker.control.directories.iter().find(of_token).unwrap();
        let [directory] = directories.1[..] else {
            panic!("one directory");
        };
        assert_eq!((directory.error, directory.partitions), (0, 301));
        assert!(directory.total_bytes >= directory.usable_bytes && directory.usable_bytes > 0);
        assert_eq!(first.directory, 0);
    }
}

#[test]
fn bytes_that_left_through_another_shard_count_where_the_log_is() {
    let mut broker = Broker::start_shards(&[("a", 2)], 2);
    let mut clients = [broker.connect(), broker.connect()];
    let records = batch(&[b"one"]);
    for partition in 0..2 {
        broker.produce(&mut clients[0], 9, "a", partition, &records);
        for client in &mut clients {
            broker.fetch(client, 12, "a", partition, 0);
        }
    }
    broker.control.send(&ToData::DescribeLogs { token: 1 });
    broker.until("both shards", |b| b.control.descriptions.len() == 2);
    for (_, _, logs) in &broker.control.descriptions {
        assert_eq!(logs.len(), 1);
        assert_eq!(logs[0].bytes_out, 2 * records.len() as u64);
        assert_eq!(logs[0].batches_in, 1);
    }
}

#[test]
fn request_times_are_counted_by_key_once_for_each_answer() {
    let mut broker = Broker::start(&[("t", 1)]);
    let mut client = broker.connect();
    let records = batch(&[b"one"]);
    for _ in 0..5 {
        broker.produce(&mut client, 9, "t", 0, &records);
    }
    broker.produce(&mut client, 9, "none", 0, &records);
    broker.fetch(&mut client, 12, "t", 0, 0);
    // One that waits for what another client appends.
    let body = fetch_body(12, 5_000, 1, &[("t", 0, 5)]);
    let id = client.send(&mut broker, ApiKey::Fetch, 12, &body);
    let mut other = broker.connect();
    std::thread::sleep(Duration::from_millis(20));
    broker.produce(&mut other, 9, "t", 0, &records);
    client.expect(&mut broker, ApiKey::Fetch, 12, id);
    let latency = broker.region.latency(0);
    let produce = latency.key(ApiKey::Produce.code()).unwrap();
    assert_eq!((produce.count(), produce.errors.get()), (7, 1));
    assert_eq!(produce.waited.get(), 0);
    let fetch = latency.key(ApiKey::Fetch.code()).unwrap();
    assert_eq!((fetch.count(), fetch.errors.get()), (2, 0));
    assert_eq!(fetch.waited.get(), 1);
    assert!(fetch.waited_us.get() >= 20_000);
    assert!(fetch.total_us.get() >= fetch.waited_us.get());
    let keys: Vec<i16> = latency.keys().map(|(code, _)| code).collect();
    assert_eq!(keys, [0, 1]);
}

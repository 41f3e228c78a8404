//! Topics whose batches the broker compresses: appends wait for workers, in their order.

use crate::harness::{Broker, Client, batch, fetch_body, produce_body, producer_batch};
use crate::unwatched::counted;
use precursor_compression::{compress, decompress};
use precursor_model::ErrorCode;
use precursor_protocol::ApiKey;
use precursor_protocol::messages::{FetchResponse, ProduceResponse};
use precursor_protocol::records::{
    BatchBuilder, BatchHeaderMut, BatchView, Codec, HEADER_LENGTH, Records, split_batches,
};
use precursor_transport_port::Wait;
use std::time::{Duration, Instant};

fn set(broker: &mut Broker, topic: &str, options: &[(&str, &str)]) {
    let topics = &mut broker.control.topics;
    let topic = topics.iter_mut().find(|known| known.name == topic).unwrap();
    for (name, value) in options {
        topic
            .options
            .push(((*name).to_owned(), (*value).to_owned()));
    }
    broker.publish();
}

/// An uncompressed batch in another codec.
fn packed(plain: &[u8], codec: Codec) -> Vec<u8> {
    let mut out = plain[..HEADER_LENGTH].to_vec();
    out.extend(compress(codec, &plain[HEADER_LENGTH..]).unwrap());
    let mut header = BatchHeaderMut::of_rewritten(&mut out);
    header.set_codec(codec);
    header.update_crc();
    out
}

fn values_of(batch: &BatchView<'_>) -> Vec<Vec<u8>> {
    let plain = decompress(batch.codec(), batch.record_bytes()).unwrap();
    Records::new(&plain, batch.record_count())
        .map(|record| record.unwrap().value.unwrap().to_vec())
        .collect()
}

/// Every batch of a partition: codec and values.
fn fetch_all(broker: &mut Broker, topic: &str, partition: i32) -> Vec<(Codec, Vec<Vec<u8>>)> {
    let mut client = broker.connect();
    let (mut batches, mut offset) = (Vec::new(), 0);
    loop {
        let response = broker.fetch(&mut client, 12, topic, partition, offset);
        let found = &response.responses[0].partitions[0];
        assert_eq!(found.error_code, 0);
        let records = found.records.clone().unwrap_or_default();
        if records.is_empty() {
            return batches;
        }
        for batch in split_batches(&records).map(Result::unwrap) {
            assert!(batch.crc_is_right());
            assert_eq!(batch.base_offset(), offset);
            offset = batch.last_offset() + 1;
            batches.push((batch.codec(), values_of(&batch)));
        }
    }
}

fn outcome(broker: &mut Broker, client: &mut Client, id: i32) -> (i16, i64) {
    let body = client.expect(broker, ApiKey::Produce, 9, id);
    let response = ProduceResponse::decode(&body, 9).unwrap();
    let partition = &response.responses[0].partition_responses[0];
    (partition.error_code, partition.base_offset)
}

/// Something that a worker needs a while for.
fn long_value() -> Vec<u8> {
    let mut state = 1u64;
    let mut letter = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        b'a' + ((state >> 60) as u8)
    };
    (0..200_000).map(|_| letter()).collect()
}

#[test]
fn a_later_produce_overtakes_no_earlier_one_of_any_connection() {
    let mut broker = Broker::start(&[("t", 1), ("other", 1)]);
    set(
        &mut broker,
        "t",
        &[
            ("compression.type", "zstd"),
            ("compression.zstd.level", "19"),
        ],
    );
    let (mut first, mut second) = (broker.connect(), broker.connect());
    let slow = batch(&[&long_value(), b"slow"]);
    let mut expected = 0;
    for round in 0..3 {
        let parked = |broker: &Broker| broker.region.stats(0).appends_parked.get();
        let body = produce_body(9, 1, &[("t", 0, &slow)]);
        let slow = first.send(&mut broker, ApiKey::Produce, 9, &body);
        broker.until("a batch with a worker", |broker| parked(broker) > 0);
        // One that needs no worker, of another connection.
        let quick = packed(&batch(&[b"quick"]), Codec::Zstd);
        let body = produce_body(9, 1, &[("t", 0, &quick)]);
        let quick = second.send(&mut broker, ApiKey::Produce, 9, &body);
        broker.until("both", |broker| parked(broker) == 2);
        // Other logs go on meanwhile, behind the same connection's answers too.
        let body = produce_body(9, 1, &[("other", 0, &batch(&[b"x"]))]);
        let mut third = broker.connect();
        let other = third.send(&mut broker, ApiKey::Produce, 9, &body);
        assert_eq!(outcome(&mut broker, &mut third, other), (0, round));
        assert_eq!(outcome(&mut broker, &mut second, quick), (0, expected + 2));
        assert_eq!(outcome(&mut broker, &mut first, slow), (0, expected));
        assert_eq!(parked(&broker), 0);
        expected += 3;
    }
    let all = fetch_all(&mut broker, "t", 0);
    assert_eq!(all.len(), 6);
    for (number, (codec, values)) in all.iter().enumerate() {
        let last: &[u8] = if number % 2 == 0 { b"slow" } else { b"quick" };
        assert_eq!(
            (*codec, values.last().unwrap().as_slice()),
            (Codec::Zstd, last)
        );
    }
}

#[test]
fn pipelined_idempotent_batches_keep_their_sequence_whatever_their_codec() {
    let mut broker = Broker::start_shards(&[("t", 2)], 2);
    set(
        &mut broker,
        "t",
        &[("compression.type", "lz4"), ("compression.lz4.level", "17")],
    );
    // One connection per shard: each partition is local to one and remote to the other.
    let mut clients = [broker.connect(), broker.connect()];
    let codecs = [
        Codec::None,
        Codec::Lz4,
        Codec::Zstd,
        Codec::Snappy,
        Codec::Lz4,
        Codec::Gzip,
    ];
    for (number, client) in clients.iter_mut().enumerate() {
        for partition in 0..2 {
            let producer = 10 + number as i64 * 2 + i64::from(partition);
            let mut asked = Vec::new();
            for sequence in 0..30 {
                let value =
                    format!("{producer}-{sequence}").repeat(1 + 37 * (sequence as usize % 5));
                let plain = producer_batch(&[value.as_bytes()], producer, 0, sequence);
                let records = match codecs[sequence as usize % codecs.len()] {
                    Codec::None => plain,
                    codec => packed(&plain, codec),
                };
                let body = produce_body(9, -1, &[("t", partition, &records)]);
                asked.push(client.send(&mut broker, ApiKey::Produce, 9, &body));
            }
            let base = 30 * number as i64;
            for (at, id) in (0..).zip(asked) {
                assert_eq!(outcome(&mut broker, client, id), (0, base + at));
            }
        }
    }
    for partition in 0..2 {
        let all = fetch_all(&mut broker, "t", partition);
        assert_eq!(all.len(), 60);
        for (at, (codec, values)) in all.iter().enumerate() {
            let producer = 10 + at / 30 * 2 + partition as usize;
            let text = String::from_utf8(values[0].clone()).unwrap();
            assert_eq!(*codec, Codec::Lz4);
            assert!(
                text.starts_with(&format!("{producer}-{}", at % 30)),
                "{at}: {text}"
            );
        }
    }
}

#[test]
fn one_request_waits_for_all_of_its_partitions_and_for_the_disk() {
    let mut broker = Broker::start(&[("t", 4), ("plain", 1)]);
    set(
        &mut broker,
        "t",
        &[
            ("compression.type", "gzip"),
            ("flush.policy", "every-write"),
        ],
    );
    let mut client = broker.connect();
    let good = batch(&[b"good"; 3].map(|value| &value[..]));
    // Its records end before they should, under a checksum that is right.
    let mut builder = BatchBuilder::new();
    builder.append(1, None, Some(b"x"), &[]);
    let mut bad = Vec::new();
    builder.build_with(&mut bad, Codec::Zstd, |_, out| {
        out.extend_from_slice(b"no zstd")
    });
    for round in 0..20i64 {
        let parts: [(&str, i32, &[u8]); 5] = [
            ("t", 0, &good),
            ("t", 1, &bad),
            ("plain", 0, &good),
            ("t", 2, &good),
            ("t", 3, &good),
        ];
        let body = broker.call(
            &mut client,
            ApiKey::Produce,
            9,
            &produce_body(9, -1, &parts),
        );
        let response = ProduceResponse::decode(&body, 9).unwrap();
        let outcomes: Vec<(i16, i64)> = response
            .responses
            .iter()
            .map(|topic| &topic.partition_responses[0])
            .map(|partition| (partition.error_code, partition.base_offset))
            .collect();
        let ok = (0, 3 * round);
        let refused = (ErrorCode::InvalidRecord.code(), -1);
        assert_eq!(outcomes, [ok, refused, ok, ok, ok]);
    }
    for partition in [0, 2, 3] {
        let all = fetch_all(&mut broker, "t", partition);
        assert!(all.len() == 20 && all.iter().all(|(codec, _)| *codec == Codec::Gzip));
    }
}

#[test]
fn more_than_may_wait_holds_its_connections_back_and_loses_nothing() {
    let mut broker = Broker::start(&[("t", 1)]);
    set(
        &mut broker,
        "t",
        &[
            ("compression.type", "zstd"),
            ("compression.zstd.level", "19"),
        ],
    );
    let mut clients: Vec<Client> = (0..12).map(|_| broker.connect()).collect();
    let slow = batch(&[&long_value()]);
    let quick = packed(&batch(&[b"quick"]), Codec::Zstd);
    let mut asked = Vec::new();
    let mut parked_max = 0;
    // 256 may wait. Each round begins with some that take long, behind which 300 more wait; where the
    // workers were through with them sooner than those were sent, there is another round.
    for _ in 0..20 {
        for number in 0..300 {
            let at = number % clients.len();
            let records = if number < 4 { &slow } else { &quick };
            let body = produce_body(9, 1, &[("t", 0, records)]);
            let (id, frame) = clients[at].frame(ApiKey::Produce, 9, &body);
            clients[at].send_bytes(&mut broker, &frame);
            asked.push((at, id));
            parked_max = parked_max.max(broker.region.stats(0).appends_parked.get());
        }
        broker.turns(10);
        if broker.region.stats(0).produces_delayed.get() > 0 {
            break;
        }
    }
    let mut offsets = Vec::new();
    for (at, id) in asked {
        let (error, offset) = outcome(&mut broker, &mut clients[at], id);
        assert_eq!(error, 0);
        offsets.push(offset);
    }
    assert!(
        (1..=256).contains(&parked_max),
        "{parked_max} waited at most"
    );
    assert!(
        broker.region.stats(0).produces_delayed.get() > 0,
        "none was held back"
    );
    offsets.sort_unstable();
    assert_eq!(offsets, (0..offsets.len() as i64).collect::<Vec<i64>>());
}

#[test]
fn what_waits_is_told_when_its_topic_goes_or_changes() {
    let mut broker = Broker::start(&[("u", 1), ("t", 1)]);
    for topic in ["t", "u"] {
        set(
            &mut broker,
            topic,
            &[
                ("compression.type", "zstd"),
                ("compression.zstd.level", "19"),
            ],
        );
    }
    let mut client = broker.connect();
    let slow = batch(&[&long_value()]);
    let quick = packed(&batch(&[b"quick"]), Codec::Zstd);
    let mut ids = Vec::new();
    for topic in ["t", "u"] {
        for records in [&slow, &quick] {
            let body = produce_body(9, 1, &[(topic, 0, records)]);
            ids.push(client.send(&mut broker, ApiKey::Produce, 9, &body));
        }
    }
    broker.until("all parked", |broker| {
        broker.region.stats(0).appends_parked.get() == 4
    });
    broker.control.topics.remove(1);
    set(&mut broker, "u", &[("compression.type", "gzip")]);
    let gone = ErrorCode::UnknownTopicOrPartition.code();
    let outcomes: Vec<(i16, i64)> = ids
        .into_iter()
        .map(|id| outcome(&mut broker, &mut client, id))
        .collect();
    assert_eq!(outcomes, [(gone, -1), (gone, -1), (0, 0), (0, 1)]);
    // The second came to its turn under the new option.
    let all = fetch_all(&mut broker, "u", 0);
    assert_eq!(
        all.iter().map(|(codec, _)| *codec).collect::<Vec<_>>(),
        [Codec::Zstd, Codec::Gzip]
    );
}

#[test]
fn without_acknowledgement_a_batch_that_a_worker_refuses_closes_the_connection() {
    let mut broker = Broker::start(&[("t", 1)]);
    set(&mut broker, "t", &[("cleanup.policy", "compact")]);
    let mut client = broker.connect();
    // No key.
    let body = produce_body(9, 0, &[("t", 0, &packed(&batch(&[b"x"]), Codec::Gzip))]);
    client.send(&mut broker, ApiKey::Produce, 9, &body);
    client.expect_close(&mut broker);
}

#[test]
fn a_connection_that_goes_leaves_its_appends_to_their_end() {
    let mut broker = Broker::start(&[("t", 1)]);
    set(
        &mut broker,
        "t",
        &[
            ("compression.type", "zstd"),
            ("compression.zstd.level", "19"),
        ],
    );
    let mut client = broker.connect();
    let body = produce_body(9, 1, &[("t", 0, &batch(&[&long_value()]))]);
    for _ in 0..3 {
        client.send(&mut broker, ApiKey::Produce, 9, &body);
    }
    broker.until("parked", |broker| {
        broker.region.stats(0).appends_parked.get() == 3
    });
    drop(client);
    broker.until("done", |broker| {
        broker.region.stats(0).appends_parked.get() == 0
    });
    assert_eq!(fetch_all(&mut broker, "t", 0).len(), 3);
}

/// Turns the shard armed until the client has a response; calls of the allocator.
fn counted_until_answered(broker: &mut Broker, client: &mut Client) -> u64 {
    let (mut total, begun) = (0, Instant::now());
    loop {
        total += counted(|| {
            broker.shard.turn(Wait::AtMost(Duration::ZERO)).unwrap();
        });
        broker.network.advance(Duration::from_micros(1));
        if client.take_frame().is_some() {
            return total;
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "no answer");
    }
}

#[test]
fn the_shards_thread_allocates_nothing_for_what_workers_do() {
    let mut broker = Broker::start(&[("t", 1), ("keyed", 1)]);
    set(&mut broker, "t", &[("compression.type", "lz4")]);
    set(&mut broker, "keyed", &[("cleanup.policy", "compact")]);
    let (mut writer, mut reader) = (broker.connect(), broker.connect());
    let plain = batch(&[&[1; 100][..]; 1_000]);
    let mut builder = BatchBuilder::new();
    for _ in 0..1_000 {
        builder.append(1, Some(b"key"), Some(&[1; 100]), &[]);
    }
    let mut keyed = Vec::new();
    builder.build_with(&mut keyed, Codec::Zstd, |plain, out| {
        out.extend(compress(Codec::Zstd, plain).unwrap());
    });
    let requests = [
        produce_body(9, 1, &[("t", 0, &plain)]),
        produce_body(9, 1, &[("t", 0, &packed(&plain, Codec::Zstd))]),
        // Passed on as it is.
        produce_body(9, 1, &[("t", 0, &packed(&plain, Codec::Lz4))]),
        produce_body(9, 1, &[("keyed", 0, &keyed)]),
    ];
    let mut next = 0;
    let mut round = |broker: &mut Broker| {
        let mut calls = 0;
        for body in &requests {
            let (_, frame) = writer.frame(ApiKey::Produce, 9, body);
            assert_eq!(writer.socket.send(&frame), frame.len());
            calls += counted_until_answered(broker, &mut writer);
        }
        let fetch = fetch_body(12, 0, 1, &[("t", 0, next)]);
        let (_, frame) = reader.frame(ApiKey::Fetch, 12, &fetch);
        assert_eq!(reader.socket.send(&frame), frame.len());
        calls += counted_until_answered(broker, &mut reader);
        next += 3_000;
        calls
    };
    for _ in 0..400 {
        round(&mut broker);
    }
    let calls: Vec<u64> = (0..200).map(|_| round(&mut broker)).collect();
    // An index that doubles is one call of the helper's; everything else is none.
    assert_eq!(
        calls.iter().sum::<u64>(),
        0,
        "calls of the allocator per round: {calls:?}"
    );
    assert!(broker.region.stats(0).batches_prepared.get() >= 1_800);
}

#[test]
fn log_append_time_is_the_brokers_in_batches_that_it_compresses() {
    let mut broker = Broker::start(&[("t", 1)]);
    let options = [
        ("compression.type", "snappy"),
        ("message.timestamp.type", "LogAppendTime"),
    ];
    set(&mut broker, "t", &options);
    let mut client = broker.connect();
    for records in [batch(&[b"a"]), packed(&batch(&[b"b"]), Codec::Snappy)] {
        let response = broker.produce(&mut client, 9, "t", 0, &records);
        let partition = &response.responses[0].partition_responses[0];
        let (stamped, offset) = (partition.log_append_time_ms, partition.base_offset);
        assert!(stamped > 1_700_000_000_000, "{stamped}");
        let body = fetch_body(12, 0, 1, &[("t", 0, offset)]);
        let body = broker.call(&mut client, ApiKey::Fetch, 12, &body);
        let response = FetchResponse::decode(&body, 12).unwrap();
        let found = response.responses[0].partitions[0].records.clone().unwrap();
        assert_eq!(BatchView::parse(&found).unwrap().max_timestamp(), stamped);
    }
}

//! What a topic's `compression.type` makes of produced batches.

use crate::support::Bench;
use precursor_compression::{Recipe, compress, compress_with, decompress};
use precursor_model::{CleanupPolicy, LogConfig, TimestampType};
use precursor_protocol::records::{
    BatchBuilder, BatchView, Codec, HEADER_LENGTH, Records, split_batches,
};
use precursor_storage::{AppendError, AppendOptions, ReadOptions};

const CODECS: [Codec; 5] = [
    Codec::None,
    Codec::Gzip,
    Codec::Snappy,
    Codec::Lz4,
    Codec::Zstd,
];
const TYPES: [(&str, Option<Codec>); 6] = [
    ("producer", None),
    ("uncompressed", Some(Codec::None)),
    ("gzip", Some(Codec::Gzip)),
    ("snappy", Some(Codec::Snappy)),
    ("lz4", Some(Codec::Lz4)),
    ("zstd", Some(Codec::Zstd)),
];
const FIRST_MS: i64 = 1_600_000_000_000;

fn config(options: &[(&str, &str)]) -> LogConfig {
    let mut config = LogConfig::default();
    for (name, value) in options {
        config.set(name, value).unwrap();
    }
    config
}

fn build(builder: &BatchBuilder, codec: Codec) -> Vec<u8> {
    let mut batch = Vec::new();
    builder.build_with(&mut batch, codec, |plain, out| {
        out.extend(compress(codec, plain).unwrap());
    });
    batch
}

/// Records of all kinds: headers, no value, empty key, timestamps that go back, one that is long.
fn varied(keys: bool) -> BatchBuilder {
    let mut builder = BatchBuilder::new();
    let long = b"a long value, said again and again. ".repeat(9_000);
    let headers: [(&str, Option<&[u8]>); 2] = [("h", Some(b"1")), ("", None)];
    let key = |key| keys.then_some(key);
    builder.append(FIRST_MS, key(&b"a"[..]), Some(b"one"), &headers);
    builder.append(FIRST_MS + 70, key(b""), None, &[]);
    builder.append(FIRST_MS - 9, key(b"c"), Some(&long), &headers[..1]);
    builder.append(FIRST_MS + 8, key(b"d"), Some(b""), &[]);
    for number in 0..2_000 {
        let value = format!("record number {number}");
        builder.append(
            FIRST_MS + number % 50,
            key(b"e"),
            Some(value.as_bytes()),
            &[],
        );
    }
    builder
}

/// One record as it is compared: timestamp, key, value, headers.
type Entry = (
    i64,
    Option<Vec<u8>>,
    Option<Vec<u8>>,
    Vec<(String, Option<Vec<u8>>)>,
);

fn entries(batch: &BatchView<'_>) -> Vec<Entry> {
    let plain = decompress(batch.codec(), batch.record_bytes()).unwrap();
    let records = Records::new(&plain, batch.record_count()).map(Result::unwrap);
    let entry = |(index, record): (i32, precursor_protocol::records::Record<'_>)| {
        assert_eq!(record.offset_delta, index);
        let headers = record
            .headers
            .map(|h| (h.key.to_owned(), h.value.map(<[u8]>::to_vec)));
        (
            batch.base_timestamp() + record.timestamp_delta,
            record.key.map(<[u8]>::to_vec),
            record.value.map(<[u8]>::to_vec),
            headers.collect(),
        )
    };
    (0..).zip(records).map(entry).collect()
}

fn read_all(bench: &mut Bench, id: precursor_storage::LogId) -> Vec<Vec<u8>> {
    let end = bench.store().offsets(id).end;
    let (mut batches, mut offset) = (Vec::new(), 0);
    while offset < end {
        let options = ReadOptions {
            offset,
            max_bytes: 1 << 20,
            at_least_one: true,
            committed: false,
        };
        let bytes = bench.read(id, options).unwrap();
        for batch in split_batches(&bytes).map(Result::unwrap) {
            offset = batch.last_offset() + 1;
            batches.push(batch.bytes().to_vec());
        }
    }
    batches
}

#[test]
fn every_codec_becomes_the_topics_and_nothing_else_changes() {
    let mut bench = Bench::new(8 << 20, 1);
    let mut uid = 0;
    for (name, target) in TYPES {
        for policy in ["delete", "compact"] {
            for time in ["CreateTime", "LogAppendTime"] {
                uid += 1;
                let config = config(&[
                    ("compression.type", name),
                    ("cleanup.policy", policy),
                    ("message.timestamp.type", time),
                ]);
                let id = bench.open_log(uid, &format!("t{uid}"), &config);
                let mut sent = Vec::new();
                let mut sequence = 0;
                for codec in CODECS {
                    let mut builder = varied(policy == "compact");
                    builder.set_producer(77, 3, sequence);
                    sequence += builder.record_count() as i32;
                    let batch = build(&builder, codec);
                    let appended = bench.append_all(id, &batch);
                    let by_broker = time == "LogAppendTime";
                    let now = bench.now.wall_ms;
                    let stamped = if by_broker { now } else { -1 };
                    assert_eq!(appended.log_append_time_ms, stamped);
                    assert_eq!(appended.records as usize, builder.record_count());
                    sent.push((codec, batch));
                }
                let stored = read_all(&mut bench, id);
                assert_eq!(stored.len(), sent.len());
                let mut offset = 0;
                for ((codec, sent), stored) in sent.iter().zip(&stored) {
                    let context = format!("{name} {policy} {time} {codec:?}");
                    let (sent, stored) = (
                        BatchView::parse(sent).unwrap(),
                        BatchView::parse(stored).unwrap(),
                    );
                    assert!(stored.crc_is_right(), "{context}");
                    assert_eq!(stored.codec(), target.unwrap_or(*codec), "{context}");
                    assert_eq!(stored.base_offset(), offset, "{context}");
                    offset = stored.last_offset() + 1;
                    assert_eq!(stored.leader_epoch(), 3, "{context}");
                    assert_eq!(stored.producer_id(), 77, "{context}");
                    assert_eq!(stored.producer_epoch(), 3, "{context}");
                    assert_eq!(stored.base_sequence(), sent.base_sequence(), "{context}");
                    assert_eq!(stored.base_timestamp(), sent.base_timestamp(), "{context}");
                    let by_broker = stored.timestamp_type() == TimestampType::LogAppendTime;
                    assert_eq!(by_broker, time == "LogAppendTime", "{context}");
                    let newest = if by_broker {
                        bench.now.wall_ms
                    } else {
                        FIRST_MS + 70
                    };
                    assert_eq!(stored.max_timestamp(), newest, "{context}");
                    assert_eq!(entries(&stored), entries(&sent), "{context}");
                    if target.is_none_or(|target| target == *codec) {
                        assert_eq!(stored.record_bytes(), sent.record_bytes(), "{context}");
                    }
                }
            }
        }
    }
}

#[test]
fn levels_are_obeyed() {
    let mut bench = Bench::new(8 << 20, 2);
    let levels = [
        ("gzip", Codec::Gzip, ["1", "9", "-1"]),
        ("lz4", Codec::Lz4, ["9", "1", "17"]),
        ("zstd", Codec::Zstd, ["-50", "3", "19"]),
    ];
    let mut uid = 0;
    for (name, codec, levels) in levels {
        let mut sizes = Vec::new();
        for level in levels {
            uid += 1;
            let option = format!("compression.{name}.level");
            let config = config(&[("compression.type", name), (&option, level)]);
            let id = bench.open_log(uid, &format!("t{uid}"), &config);
            let batch = build(&varied(false), Codec::None);
            bench.append_all(id, &batch);
            let stored = read_all(&mut bench, id).remove(0);
            let level = level.parse().unwrap();
            let plain = &batch[HEADER_LENGTH..];
            let expected = compress_with(Recipe { codec, level }, plain).unwrap();
            assert_eq!(stored[HEADER_LENGTH..], expected, "{name} {level}");
            sizes.push(stored.len());
        }
        assert!(sizes[0] != sizes[1], "{name}: {sizes:?}");
    }
}

#[test]
fn a_duplicate_is_told_after_recompression_too_and_gaps_are_refused() {
    let mut bench = Bench::new(8 << 20, 3);
    let id = bench.open_log(1, "t", &config(&[("compression.type", "zstd")]));
    let batch = |sequence| {
        let mut builder = BatchBuilder::new();
        builder.append(1, None, Some(b"value"), &[]);
        builder.set_producer(5, 0, sequence);
        build(&builder, Codec::Lz4)
    };
    assert_eq!(bench.append(id, &batch(0)).unwrap().base_offset, 0);
    assert_eq!(bench.append(id, &batch(1)).unwrap().base_offset, 1);
    let again = bench.append(id, &batch(0)).unwrap();
    assert!(again.duplicate && again.base_offset == 0);
    let gap = bench.append(id, &batch(3));
    assert_eq!(gap, Err(AppendError::OutOfOrderSequence));
}

#[test]
fn what_grows_past_the_largest_message_is_refused() {
    let mut bench = Bench::new(8 << 20, 4);
    let options = [
        ("compression.type", "uncompressed"),
        ("max.message.bytes", "10000"),
    ];
    let id = bench.open_log(1, "t", &config(&options));
    let mut builder = BatchBuilder::new();
    builder.append(1, None, Some(&[b'x'; 9_900]), &[]);
    assert!(bench.append(id, &build(&builder, Codec::Zstd)).is_ok());
    builder.append(1, None, Some(&[b'x'; 100]), &[]);
    let refused = bench.append(id, &build(&builder, Codec::Zstd));
    assert_eq!(refused, Err(AppendError::TooLarge));
    assert_eq!(bench.store().offsets(id).end, 1);
    // Noise does not become smaller: the codec's own bytes are too many.
    let options = [("compression.type", "gzip"), ("max.message.bytes", "10000")];
    let id = bench.open_log(2, "u", &config(&options));
    let mut state = 9u64;
    let mut noise = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 56) as u8
    };
    let noise: Vec<u8> = (0..9_925).map(|_| noise()).collect();
    let mut builder = BatchBuilder::new();
    builder.append(1, None, Some(&noise), &[]);
    let batch = build(&builder, Codec::None);
    assert!(batch.len() <= 10_000);
    assert_eq!(bench.append(id, &batch), Err(AppendError::TooLarge));
}

/// A batch whose header and checksum are right, around whatever bytes.
fn wrap(codec: Codec, count: i32, records: &[u8]) -> Vec<u8> {
    let mut builder = BatchBuilder::new();
    for _ in 0..count {
        builder.append(1, Some(b"k"), Some(b"v"), &[]);
    }
    let mut batch = Vec::new();
    builder.build_with(&mut batch, codec, |_, out| out.extend_from_slice(records));
    batch
}

/// The plain bytes of one record whose value is zeros, as a stream of pieces.
fn record_of_zeros(value_bytes: usize, mut piece: impl FnMut(&[u8])) {
    let varint = |mut zigzag: u64, out: &mut Vec<u8>| {
        while zigzag >= 0x80 {
            out.push(zigzag as u8 | 0x80);
            zigzag >>= 7;
        }
        out.push(zigzag as u8);
    };
    let mut value_length = Vec::new();
    varint(2 * value_bytes as u64, &mut value_length);
    let mut front = Vec::new();
    // Attributes, both deltas, the key and the count of headers take six bytes.
    varint(
        2 * (value_bytes + value_length.len() + 6) as u64,
        &mut front,
    );
    front.extend_from_slice(&[0, 0, 0, 2, b'k']);
    front.extend_from_slice(&value_length);
    piece(&front);
    let zeros = vec![0; 1 << 20];
    let mut left = value_bytes;
    while left > 0 {
        let count = left.min(zeros.len());
        piece(&zeros[..count]);
        left -= count;
    }
    piece(&[0]);
}

fn stream(codec: Codec, write: impl FnOnce(&mut dyn FnMut(&[u8]))) -> Vec<u8> {
    use std::io::Write;
    let mut out = Vec::new();
    let mut contexts = precursor_compression::Contexts::default();
    let recipe = Recipe::of(codec);
    let encoder =
        precursor_compression::Encoder::new(recipe, None, &mut out, usize::MAX, &mut contexts);
    let mut encoder = encoder.unwrap();
    write(&mut |bytes| encoder.write_all(bytes).unwrap());
    encoder.finish().unwrap();
    out
}

/// The process's memory in bytes: what it has now, and the most it had since the last reset.
fn memory() -> (u64, u64) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let field = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        let kib: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        kib << 10
    };
    (field("VmRSS:"), field("VmHWM:"))
}

#[test]
fn bombs_are_refused_in_little_time_and_memory() {
    // In a process of its own: what other tests take meanwhile is not to be seen.
    const ALONE: &str = "PRECURSOR_TEST_ALONE";
    if std::env::var_os(ALONE).is_none() {
        let name = "compression::bombs_are_refused_in_little_time_and_memory";
        let mut test = std::process::Command::new(std::env::current_exe().unwrap());
        let test = test.args(["--exact", name, "--nocapture"]).env(ALONE, "1");
        assert!(test.status().unwrap().success());
        return;
    }
    let mut bench = Bench::new(8 << 20, 5);
    let uncompressed = [
        ("compression.type", "uncompressed"),
        ("max.message.bytes", "104857600"),
    ];
    let usual = bench.open_log(1, "usual", &config(&[("compression.type", "uncompressed")]));
    let large = bench.open_log(2, "large", &config(&uncompressed));
    let keyed = bench.open_log(3, "keyed", &config(&[("cleanup.policy", "compact")]));
    for codec in [Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd] {
        let zeros = stream(codec, |write| {
            let piece = vec![0; 1 << 20];
            (0..256).for_each(|_| write(&piece));
        });
        let record = stream(codec, |write| record_of_zeros(1 << 28, write));
        println!("{codec:?}: {} and {} bytes", zeros.len(), record.len());
        let (zeros, record) = (wrap(codec, 1_000, &zeros), wrap(codec, 1, &record));
        std::fs::write("/proc/self/clear_refs", "5").unwrap();
        let before = memory().0;
        for log in [usual, large, keyed] {
            let began = std::time::Instant::now();
            // A record of no bytes is none: the rest is never looked at.
            let refused = bench.append(log, &zeros).unwrap_err();
            let of_size = zeros.len() > 1_048_588 && log != large;
            let expected = match of_size {
                true => AppendError::TooLarge,
                false => AppendError::InvalidRecord,
            };
            assert_eq!(refused, expected, "{codec:?}");
            // One record of 256 MiB: its length alone says too much.
            let refused = bench.append(log, &record);
            assert_eq!(refused, Err(AppendError::TooLarge), "{codec:?}");
            assert!(began.elapsed().as_secs() < 5, "{codec:?}");
        }
        let grown = memory().1.saturating_sub(before);
        // The batches themselves are copied; what they decompress to is not there.
        let most = (zeros.len() + record.len()) as u64 + (64 << 20);
        assert!(grown < most, "{codec:?}: {grown} bytes more");
    }
}

#[test]
fn many_records_of_nothing_are_bounded_too() {
    let mut bench = Bench::new(8 << 20, 6);
    // Nothing is written anew here that could become too long itself.
    let options = [
        ("cleanup.policy", "compact"),
        ("max.message.bytes", "20000"),
    ];
    let id = bench.open_log(1, "t", &config(&options));
    let value = vec![0; 80 << 10];
    let batch = |records: usize| {
        let mut builder = BatchBuilder::new();
        for _ in 0..records {
            builder.append(1, Some(b"key"), Some(&value), &[]);
        }
        build(&builder, Codec::Zstd)
    };
    // 80 MiB in a thousand records: more than 64 MiB, the least that every topic takes.
    let bomb = batch(1_024);
    assert!(bomb.len() < 20_000, "{} bytes", bomb.len());
    assert_eq!(bench.append(id, &bomb), Err(AppendError::TooLarge));
    // Half of it is taken, though it is two thousand times the largest message.
    assert!(bench.append(id, &batch(512)).is_ok());
}

#[test]
fn a_batch_of_a_transaction_is_compressed_anew_and_stays_one() {
    let mut bench = Bench::new(8 << 20, 7);
    let id = bench.open_log(1, "t", &config(&[("compression.type", "zstd")]));
    let mut sent = Vec::new();
    let mut builder = varied(false);
    builder.set_producer(77, 5, 40);
    builder.set_transactional(true);
    builder.build_with(&mut sent, Codec::Gzip, |plain, out| {
        out.extend(compress(Codec::Gzip, plain).unwrap());
    });
    // Nobody has let it in.
    let refused = bench.append(id, &sent);
    assert_eq!(refused, Err(AppendError::InvalidTransactionState));
    let options = AppendOptions {
        transactional: true,
        ..AppendOptions::at(bench.now)
    };
    let first = bench.append_with(id, &sent, options).unwrap();
    // A second time it is the same one.
    let again = bench.append_with(id, &sent, options).unwrap();
    assert!(again.duplicate && again.base_offset == first.base_offset);
    let bytes = bench.read_from(id, 0, 1 << 20);
    let stored = BatchView::parse(&bytes).unwrap();
    let was = BatchView::parse(&sent).unwrap();
    assert_eq!((was.codec(), stored.codec()), (Codec::Gzip, Codec::Zstd));
    let producer = |batch: &BatchView<'_>| {
        let of = (
            batch.producer_id(),
            batch.producer_epoch(),
            batch.base_sequence(),
        );
        (of, batch.is_transactional(), batch.is_control())
    };
    assert_eq!(producer(&stored), ((77, 5, 40), true, false));
    assert_eq!(producer(&stored), producer(&was));
    let plain = |batch: &BatchView<'_>| decompress(batch.codec(), batch.record_bytes()).unwrap();
    assert_eq!(plain(&stored), plain(&was));
    // It is open: readers of what is committed wait for its end.
    let offsets = bench.store().offsets(id);
    assert_eq!(
        (offsets.last_stable, offsets.end),
        (0, i64::from(was.record_count()))
    );
    let now = bench.now;
    bench
        .store()
        .append_marker(id, (77, 5), true, 0, now)
        .unwrap();
    let offsets = bench.store().offsets(id);
    assert_eq!(offsets.last_stable, offsets.end);
}

#[test]
fn nested_frames_wide_windows_and_lies_are_refused() {
    let mut bench = Bench::new(8 << 20, 7);
    let id = bench.open_log(1, "t", &config(&[("compression.type", "snappy")]));
    let honest = varied(false);
    let mut plain = Vec::new();
    honest.build(&mut plain);
    let plain = &plain[HEADER_LENGTH..];
    let count = honest.record_count() as i32;
    let mut bad: Vec<(&str, Vec<u8>)> = Vec::new();
    let inner = compress(Codec::Zstd, plain).unwrap();
    let nested = compress(Codec::Zstd, &inner).unwrap();
    bad.push(("zstd in zstd", wrap(Codec::Zstd, count, &nested)));
    let window = [0x28, 0xb5, 0x2f, 0xfd, 0, (31 - 10) << 3, 1, 0, 0];
    bad.push(("a window of 2 GiB", wrap(Codec::Zstd, count, &window)));
    let mut gzip = compress(Codec::Gzip, plain).unwrap();
    gzip.extend_from_slice(b"garbage");
    bad.push(("garbage behind gzip", wrap(Codec::Gzip, count, &gzip)));
    let mut lz4 = compress(Codec::Lz4, plain).unwrap();
    lz4.truncate(lz4.len() - 9);
    bad.push(("an lz4 frame that is cut", wrap(Codec::Lz4, count, &lz4)));
    let mut snappy = snap_block(plain);
    snappy[0] ^= 1;
    bad.push((
        "a snappy length that lies",
        wrap(Codec::Snappy, count, &snappy),
    ));
    let zstd = compress(Codec::Zstd, plain).unwrap();
    bad.push(("a record too few", wrap(Codec::Zstd, count + 1, &zstd)));
    bad.push(("a record too many", wrap(Codec::Zstd, count - 1, &zstd)));
    bad.push((
        "no records",
        wrap(Codec::Zstd, 1, &compress(Codec::Zstd, b"").unwrap()),
    ));
    let mut other = plain.to_vec();
    other[0] ^= 1;
    let other = compress(Codec::Zstd, &other).unwrap();
    bad.push((
        "a record of another length",
        wrap(Codec::Zstd, count, &other),
    ));
    for (name, batch) in bad {
        // As a topic of snappy takes it, and as one that looks for keys only.
        let refused = bench.append(id, &batch);
        if name != "a snappy length that lies" {
            assert_eq!(refused, Err(AppendError::InvalidRecord), "{name}");
        }
        let keyed = bench.open_log(2, "k", &config(&[("cleanup.policy", "compact")]));
        let refused = bench.append(keyed, &batch);
        assert_eq!(refused, Err(AppendError::InvalidRecord), "{name}");
    }
    // librdkafka's form is read.
    let gzip = bench.open_log(3, "g", &config(&[("compression.type", "gzip")]));
    let raw = wrap(Codec::Snappy, count, &snap_block(plain));
    assert!(bench.append(gzip, &raw).is_ok());
    let stored = read_all(&mut bench, gzip).remove(0);
    assert_eq!(
        entries(&BatchView::parse(&stored).unwrap()).len(),
        count as usize
    );
}

fn snap_block(plain: &[u8]) -> Vec<u8> {
    // The stream form of less than a block is its header, a length, and the block.
    let short = compress(Codec::Snappy, &plain[..plain.len().min(32 << 10)]).unwrap();
    assert_eq!(&short[1..7], b"SNAPPY");
    snap::raw::Encoder::new().compress_vec(plain).unwrap()
}

#[test]
fn each_record_of_a_compacted_topic_needs_a_key_in_every_codec() {
    let mut bench = Bench::new(8 << 20, 8);
    for (uid, (name, _)) in (1..).zip(TYPES) {
        let options = [("cleanup.policy", "compact"), ("compression.type", name)];
        let id = bench.open_log(uid, &format!("t{uid}"), &config(&options));
        for codec in CODECS {
            let mut builder = BatchBuilder::new();
            builder.append(1, Some(b"a"), Some(b"value"), &[]);
            builder.append(1, Some(b""), Some(b"value"), &[]);
            assert!(bench.append(id, &build(&builder, codec)).is_ok());
            builder.append(1, None, Some(b"value"), &[]);
            let refused = bench.append(id, &build(&builder, codec));
            assert_eq!(refused, Err(AppendError::InvalidRecord), "{name} {codec:?}");
        }
    }
}

/// A search by time within a compressed batch that only the region holds is the helper's, and finds
/// the record itself.
#[test]
fn searches_by_time_look_into_compressed_batches_off_the_thread() {
    let mut bench = Bench::new(8 << 20, 10);
    let id = bench.open_log(1, "t", &LogConfig::default());
    let mut expected = Vec::new();
    for (round, codec) in (0i64..).zip(CODECS.into_iter().cycle().take(20)) {
        let mut builder = BatchBuilder::new();
        for record in 0..10 {
            let time = FIRST_MS + 1_000 * round + 10 * record;
            builder.append(time, None, Some(b"value"), &[]);
            expected.push((time, 10 * round + record, codec));
        }
        bench.append_all(id, &build(&builder, codec));
    }
    for (time, offset, codec) in expected {
        for asked in [time, time - 3] {
            let pending = matches!(
                bench.store().offset_for_time(id, asked),
                Ok(precursor_storage::Lookup::Pending(_))
            );
            assert_eq!(pending, codec != Codec::None, "{codec:?}");
            let found = bench.find_time(id, asked).unwrap();
            assert_eq!((found.offset, found.timestamp), (offset, time), "{codec:?}");
        }
    }
    assert_eq!(bench.find_time(id, FIRST_MS + 1_000_000), None);
}

/// What a worker is needed for is a question of the header alone.
#[test]
fn batches_that_stay_as_they_are_need_no_worker() {
    let mut bench = Bench::new(8 << 20, 9);
    let batch = |codec| build(&varied(true), codec);
    for (uid, (name, target)) in (1..).zip(TYPES) {
        let id = bench.open_log(
            uid,
            &format!("t{uid}"),
            &config(&[("compression.type", name)]),
        );
        for codec in CODECS {
            let options = AppendOptions::at(bench.now);
            let appended = bench.store().append(id, &batch(codec), options);
            let stays = target.is_none_or(|target| target == codec);
            assert_eq!(appended.is_ok(), stays, "{name} {codec:?}");
            assert!(stays || appended == Err(AppendError::Unprepared));
        }
    }
    let compacted = LogConfig {
        cleanup_policy: CleanupPolicy::Compact,
        ..LogConfig::default()
    };
    let id = bench.open_log(9, "compacted", &compacted);
    for codec in CODECS {
        let options = AppendOptions::at(bench.now);
        let appended = bench.store().append(id, &batch(codec), options);
        assert_eq!(appended.is_ok(), codec == Codec::None, "{codec:?}");
    }
}

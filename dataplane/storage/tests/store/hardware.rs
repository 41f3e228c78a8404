//! Devices that compress for the workers, by doubles: what they take, and what becomes of their
//! failures.

use crate::support::Bench;
use precursor_compression::{
    Format, HARDWARE_BYTES_MAX, HardwareCodec, Recipe, compress, compress_with,
};
use precursor_model::LogConfig;
use precursor_protocol::records::{BatchBuilder, BatchView, Codec};
use precursor_storage::{AppendError, LogId, OpenDevices, ReadOptions};
use std::cell::Cell;
use std::io;

const GZIP_1: Recipe = Recipe {
    codec: Codec::Gzip,
    level: 1,
};

thread_local! {
    static ASKED: Cell<u32> = const { Cell::new(0) };
}

/// gzip, at level 1, which nobody else has here: by its output it is known. Or it fails, or takes
/// much room.
enum Double {
    Sound,
    Failing,
    Longwinded,
}

impl HardwareCodec for Double {
    fn name(&self) -> &'static str {
        "a double"
    }

    fn format(&self) -> Format {
        Format::Gzip
    }

    fn reads_all(&self) -> bool {
        false
    }

    fn compress(&mut self, plain: &[u8]) -> io::Result<Vec<u8>> {
        ASKED.set(ASKED.get() + 1);
        assert!(plain.len() <= HARDWARE_BYTES_MAX);
        match self {
            Double::Sound => compress_with(GZIP_1, plain),
            Double::Failing => Err(io::ErrorKind::TimedOut.into()),
            Double::Longwinded => Ok(vec![0; 2 << 20]),
        }
    }

    fn decompress(&mut self, _: &[u8], _: usize) -> io::Result<Vec<u8>> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// A store whose worker, which runs within `poll`, has these devices.
fn bench(devices: OpenDevices) -> Bench {
    ASKED.set(0);
    let mut bench = Bench::new(64 << 20, 1);
    bench.options.workers.devices = devices;
    bench.crash();
    bench.start(1);
    bench
}

fn open(bench: &mut Bench, uid: u64, options: &[(&str, &str)]) -> LogId {
    let mut config = LogConfig::default();
    for (name, value) in options {
        config.set(name, value).unwrap();
    }
    bench.open_log(uid, &format!("t{uid}"), &config)
}

/// A batch of so many records of some hundred bytes, and its records before compression.
fn batch(codec: Codec, records: usize) -> (Vec<u8>, Vec<u8>) {
    let mut builder = BatchBuilder::new();
    for number in 0..records {
        let value = format!("record {number} of {}, ", number * 7919 % 1009).repeat(6);
        builder.append(1, Some(b"key"), Some(value.as_bytes()), &[]);
    }
    let (mut batch, mut all) = (Vec::new(), Vec::new());
    builder.build_with(&mut batch, codec, |plain, out| {
        all.extend_from_slice(plain);
        out.extend(compress(codec, plain).unwrap());
    });
    (batch, all)
}

/// The compressed records of the last batch.
fn last(bench: &mut Bench, id: LogId) -> Vec<u8> {
    let options = ReadOptions {
        offset: bench.store().offsets(id).end - 1,
        max_bytes: 1,
        at_least_one: true,
        committed: false,
    };
    let bytes = bench.read(id, options).unwrap();
    let batch = BatchView::parse(&bytes).unwrap();
    assert!(batch.crc_is_right());
    batch.record_bytes().to_vec()
}

fn counts(bench: &mut Bench) -> (u64, u64) {
    let stats = bench.store().stats();
    (stats.hardware_batches, stats.hardware_failures)
}

#[test]
fn a_device_compresses_what_it_has_a_format_for_at_the_level_that_nobody_chose() {
    let mut bench = bench(|| vec![Box::new(Double::Sound)]);
    let gzip = ("compression.type", "gzip");
    let delete = open(&mut bench, 1, &[gzip]);
    let compact = open(&mut bench, 2, &[gzip, ("cleanup.policy", "compact")]);
    for (n, (id, sent)) in [
        (delete, Codec::None),
        (delete, Codec::Zstd),
        (compact, Codec::Lz4),
    ]
    .into_iter()
    .enumerate()
    {
        let (batch, plain) = batch(sent, 300);
        bench.append_all(id, &batch);
        let by_device = compress_with(GZIP_1, &plain).unwrap();
        assert_eq!(last(&mut bench, id), by_device, "{sent:?}");
        assert_eq!(counts(&mut bench), (n as u64 + 1, 0));
    }
    // A level, another codec, few bytes: the processor's.
    let level = open(&mut bench, 3, &[gzip, ("compression.gzip.level", "6")]);
    let zstd = open(&mut bench, 4, &[("compression.type", "zstd")]);
    for (id, codec, records) in [
        (level, Codec::Gzip, 300),
        (zstd, Codec::Zstd, 300),
        (delete, Codec::Gzip, 3),
    ] {
        let (batch, plain) = batch(Codec::None, records);
        bench.append_all(id, &batch);
        assert_eq!(last(&mut bench, id), compress(codec, &plain).unwrap());
    }
    assert_eq!((counts(&mut bench), ASKED.get()), ((3, 0), 3));
}

#[test]
fn what_a_device_does_not_take_goes_by_software_as_a_stream() {
    let mut bench = bench(|| vec![Box::new(Double::Sound)]);
    let size = (64 << 20).to_string();
    let options = [("compression.type", "gzip"), ("max.message.bytes", &size)];
    let id = open(&mut bench, 1, &options);
    let mut builder = BatchBuilder::new();
    let long = vec![b'x'; HARDWARE_BYTES_MAX];
    builder.append(1, None, Some(&long), &[]);
    let mut batch = Vec::new();
    builder.build_with(&mut batch, Codec::Zstd, |plain, out| {
        out.extend(compress(Codec::Zstd, plain).unwrap());
    });
    bench.append_all(id, &batch);
    assert_eq!((counts(&mut bench), ASKED.get()), ((0, 0), 0));
    let stored = precursor_compression::decompress(Codec::Gzip, &last(&mut bench, id)).unwrap();
    assert!(stored.len() > HARDWARE_BYTES_MAX && stored.ends_with(b"xxx\0"));
}

#[test]
fn software_does_what_a_device_fails_at_until_it_is_not_asked_any_more() {
    let mut bench = bench(|| vec![Box::new(Double::Failing)]);
    let id = open(&mut bench, 1, &[("compression.type", "gzip")]);
    let (batch, plain) = batch(Codec::Lz4, 300);
    let by_software = compress(Codec::Gzip, &plain).unwrap();
    for _ in 0..20 {
        bench.append_all(id, &batch);
        assert_eq!(last(&mut bench, id), by_software);
    }
    assert_eq!((counts(&mut bench), ASKED.get()), ((0, 16), 16));
}

#[test]
fn what_a_device_makes_too_long_software_makes_again() {
    let mut bench = bench(|| vec![Box::new(Double::Longwinded)]);
    let id = open(&mut bench, 1, &[("compression.type", "gzip")]);
    let (batch, plain) = batch(Codec::None, 300);
    bench.append_all(id, &batch);
    assert_eq!(last(&mut bench, id), compress(Codec::Gzip, &plain).unwrap());
    assert_eq!((counts(&mut bench), ASKED.get()), ((0, 0), 1));
    // And what is too long even so is refused.
    let options = [("compression.type", "gzip"), ("max.message.bytes", "1000")];
    let id = open(&mut bench, 2, &options);
    let (batch, _) = self::batch(Codec::Zstd, 300);
    let (compressed, refused) = (batch.len(), bench.append(id, &batch));
    assert_eq!(refused, Err(AppendError::TooLarge), "{compressed} bytes");
}

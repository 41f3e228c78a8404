use super::batch::add_sequence;
use super::record::{Record, RecordError};
use super::walk::check_records;
use super::*;
use precursor_model::{ErrorCode, TimestampType};

const LIMITS: Limits = Limits {
    batch_bytes_max: 1 << 20,
    produce_version: 11,
};

/// SplitMix64: random numbers from a seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }
}

fn batch() -> Vec<u8> {
    let mut builder = BatchBuilder::new();
    builder.append(1000, Some(b"k"), Some(b"value"), &[]);
    builder.append(990, None, None, &[("h", Some(b"1")), ("i", None)]);
    builder.append(1005, Some(b""), Some(b""), &[]);
    let mut out = Vec::new();
    builder.build(&mut out);
    out
}

/// The batch after `change`, its CRC right again.
fn changed(change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut bytes = batch();
    change(&mut bytes);
    let crc = precursor_memory::crc32c(&bytes[21..]);
    bytes[17..21].copy_from_slice(&crc.to_be_bytes());
    bytes
}

fn code(bytes: &[u8]) -> ErrorCode {
    match validate_produce(Some(bytes), &LIMITS) {
        Ok(_) => ErrorCode::None,
        Err(error) => error.code(),
    }
}

#[test]
fn what_is_built_is_read() {
    let bytes = batch();
    let valid = validate_produce(Some(&bytes), &LIMITS).unwrap();
    assert_eq!((valid.records, valid.max_timestamp), (3, 1005));
    let view = valid.batch;
    assert_eq!(view.bytes(), bytes);
    assert_eq!(view.magic(), 2);
    assert_eq!(view.last_offset_delta(), 2);
    assert_eq!(view.max_timestamp(), 1005);
    assert_eq!(view.codec(), Codec::None);
    assert_eq!(view.timestamp_type(), TimestampType::CreateTime);
    assert!(!view.has_producer_id() && !view.is_control() && !view.is_transactional());
    let records: Vec<Record<'_>> = view.records().map(Result::unwrap).collect();
    assert_eq!(records[0].key, Some(b"k".as_slice()));
    assert_eq!(records[1].value, None);
    assert_eq!(records[1].timestamp_delta, -10);
    let headers: Vec<Header<'_>> = records[1].headers.collect();
    assert_eq!(headers[0].key, "h");
    assert_eq!(headers[0].value, Some(b"1".as_slice()));
    assert_eq!(headers[1].value, None);
    assert_eq!(records[2].offset_delta, 2);
    assert_eq!(records[2].value, Some(b"".as_slice()));
}

#[test]
fn each_defect_has_kafkas_error() {
    use ErrorCode::{
        CorruptMessage, InvalidRecord, InvalidTimestamp, MessageTooLarge, None,
        UnsupportedCompressionType,
    };
    let whole = batch();
    assert_eq!(code(&whole), None);
    // Not there, cut off, or more than one.
    assert_eq!(
        validate_produce(Option::None, &LIMITS).unwrap_err().code(),
        InvalidRecord
    );
    assert_eq!(code(&[]), InvalidRecord);
    assert_eq!(code(&whole[..whole.len() - 1]), InvalidRecord);
    assert_eq!(code(&[whole.as_slice(), &whole].concat()), InvalidRecord);
    // Lengths that no batch has; other formats.
    let with =
        |at: usize, field: &[u8]| changed(|b| b[at..at + field.len()].copy_from_slice(field));
    assert_eq!(code(&with(8, &13i32.to_be_bytes())), CorruptMessage);
    assert_eq!(code(&with(8, &48i32.to_be_bytes())), CorruptMessage);
    assert_eq!(code(&with(8, &(-1i32).to_be_bytes())), CorruptMessage);
    assert_eq!(code(&with(16, &[1])), InvalidRecord);
    assert_eq!(code(&with(16, &[3])), CorruptMessage);
    // Damage anywhere under the CRC, whatever it makes of the field.
    for at in 21..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x20;
        assert_eq!(code(&damaged), CorruptMessage, "byte {at}");
    }
    // The broker assigns offsets.
    assert_eq!(code(&with(0, &7i64.to_be_bytes())), InvalidRecord);
    // Attributes.
    assert_eq!(
        code(&with(21, &5i16.to_be_bytes())),
        UnsupportedCompressionType
    );
    assert_eq!(code(&with(21, &0x08i16.to_be_bytes())), InvalidTimestamp);
    assert_eq!(code(&with(21, &0x20i16.to_be_bytes())), InvalidRecord);
    assert_eq!(code(&with(21, &0x10i16.to_be_bytes())), InvalidRecord);
    // Counts.
    assert_eq!(code(&with(23, &3i32.to_be_bytes())), InvalidRecord);
    assert_eq!(code(&with(57, &0i32.to_be_bytes())), InvalidRecord);
    assert_eq!(code(&with(57, &i32::MIN.to_be_bytes())), InvalidRecord);
    let fewer = changed(|b| {
        b[23..27].copy_from_slice(&1i32.to_be_bytes());
        b[57..61].copy_from_slice(&2i32.to_be_bytes());
    });
    assert_eq!(code(&fewer), InvalidRecord);
    let more = changed(|b| {
        b[23..27].copy_from_slice(&3i32.to_be_bytes());
        b[57..61].copy_from_slice(&4i32.to_be_bytes());
    });
    assert_eq!(code(&more), InvalidRecord);
    // Producer id without a sequence.
    assert_eq!(code(&with(43, &9i64.to_be_bytes())), InvalidRecord);
    // The first record's offset delta, then its length.
    assert_eq!(code(&with(HEADER_LENGTH + 3, &[2])), InvalidRecord);
    assert_eq!(code(&with(HEADER_LENGTH, &[0x01])), InvalidRecord);
    // Too large.
    let small = Limits {
        batch_bytes_max: whole.len() - 1,
        ..LIMITS
    };
    let error = validate_produce(Some(&whole), &small).unwrap_err();
    assert_eq!(error.code(), MessageTooLarge);
}

#[test]
fn damage_is_found_wherever_the_checksum_stops_for_the_walk() {
    let mut builder = BatchBuilder::new();
    for _ in 0..1_000 {
        builder.append(5, None, Some(&[7; 100]), &[]);
    }
    let mut bytes = Vec::new();
    builder.build(&mut bytes);
    assert_eq!(code(&bytes), ErrorCode::None);
    for at in (HEADER_LENGTH..bytes.len()).step_by(997) {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x01;
        assert_eq!(code(&damaged), ErrorCode::CorruptMessage, "byte {at}");
    }
}

#[test]
fn what_is_assigned_keeps_the_checksum_right() {
    let sent = batch();
    let claims_less = changed(|b| b[35..43].copy_from_slice(&7i64.to_be_bytes()));
    for (sent, time) in [(&sent, None), (&sent, Some(77)), (&claims_less, None)] {
        let valid = validate_produce(Some(sent), &LIMITS).unwrap();
        let mut header = *valid.header();
        let assignment = Assignment {
            base_offset: 42,
            leader_epoch: 7,
            log_append_time_ms: time,
            max_timestamp: valid.max_timestamp,
        };
        assignment.write(&mut header, &sent[HEADER_LENGTH..]);
        let stored = [&header[..], &sent[HEADER_LENGTH..]].concat();
        let header = BatchHeader::parse(&header);
        assert!(header.checksum_holds(&stored));
        assert_eq!((header.base_offset, header.last_offset()), (42, 44));
        assert_eq!(header.leader_epoch, 7);
        assert_eq!(header.max_timestamp, time.unwrap_or(1005));
        assert_eq!(header.is_log_append_time(), time.is_some());
    }
}

#[test]
fn zstd_is_newer_than_some_versions() {
    let mut bytes = Vec::new();
    let mut builder = BatchBuilder::new();
    builder.append(1, None, None, &[]);
    builder.build_with(&mut bytes, Codec::Zstd, |_, out| {
        out.extend_from_slice(b"whatever")
    });
    // What is compressed is not looked into.
    assert_eq!(code(&bytes), ErrorCode::None);
    let old = Limits {
        produce_version: 6,
        ..LIMITS
    };
    let error = validate_produce(Some(&bytes), &old).unwrap_err();
    assert_eq!(error.code(), ErrorCode::UnsupportedCompressionType);
}

#[test]
fn the_broker_assigns() {
    let mut bytes = batch();
    let mut header = BatchHeaderMut::parse(&mut bytes).unwrap();
    header.set_base_offset(1 << 40);
    header.set_leader_epoch(7);
    let view = header.view();
    assert!(view.crc_is_right());
    assert_eq!((view.base_offset(), view.leader_epoch()), (1 << 40, 7));
    assert_eq!(view.last_offset(), (1 << 40) + 2);
    header.set_log_append_time(5000);
    let view = header.view();
    assert!(view.crc_is_right());
    assert_eq!(view.max_timestamp(), 5000);
    assert_eq!(view.base_timestamp(), 1000);
    assert_eq!(view.timestamp_type(), TimestampType::LogAppendTime);
    header.set_producer(3, 1, i32::MAX - 1);
    assert!(header.view().crc_is_right());
    assert_eq!(header.view().last_sequence(), 0);
    bytes.push(0);
    assert!(BatchHeaderMut::parse(&mut bytes).is_err());
}

#[test]
fn sequences_wrap_to_zero() {
    assert_eq!(add_sequence(5, 3), 8);
    assert_eq!(add_sequence(i32::MAX, 0), i32::MAX);
    assert_eq!(add_sequence(i32::MAX, 1), 0);
    assert_eq!(add_sequence(i32::MAX - 2, 5), 2);
}

/// The verdict of reading every record properly.
fn read_properly(bytes: &[u8], count: i32) -> Result<i64, InvalidBatch> {
    let mut timestamp_delta_max = i64::MIN;
    for (index, record) in (0..).zip(Records::new(bytes, count)) {
        let record = record.map_err(InvalidBatch::Record)?;
        if record.offset_delta != index {
            return Err(InvalidBatch::OffsetDelta { index });
        }
        timestamp_delta_max = timestamp_delta_max.max(record.timestamp_delta);
    }
    Ok(timestamp_delta_max)
}

/// The fast walk's verdict; its checksum goes on over every byte, whatever the verdict.
fn checked(bytes: &[u8], count: i32) -> Result<i64, InvalidBatch> {
    let (verdict, crc) = check_records(bytes, count, 77);
    assert_eq!(crc, precursor_memory::crc32c_append(77, bytes));
    verdict
}

#[test]
fn the_fast_walk_gives_the_verdict_of_the_proper_one() {
    let mut random = Random(7);
    let (mut good, mut bad) = (0, 0);
    for _ in 0..2_000 {
        let mut builder = BatchBuilder::new();
        let count = 1 + random.below(6) + if random.below(200) == 0 { 9000 } else { 0 };
        let same = random.below(2) == 0;
        for _ in 0..count {
            let lengths = [0, 1, 5, 62, 63, 64, 200, 9000];
            let value = vec![7; lengths[random.below(if count > 9 { 6 } else { 8 })]];
            let value = if same { vec![1; 40] } else { value };
            let key = [None, Some(b"key".as_slice()), Some(b"")][random.below(3)];
            let headers: &[(&str, Option<&[u8]>)] = &[("name", Some(b"text")), ("n", None)];
            let headers = if random.below(8) == 0 { headers } else { &[] };
            let timestamp = 1000 + (random.next() >> 8 >> random.below(50)) as i64;
            let value = (random.below(9) != 0).then_some(value);
            builder.append(timestamp, key, value.as_deref(), headers);
        }
        let mut bytes = Vec::new();
        builder.build(&mut bytes);
        let mut records = bytes[HEADER_LENGTH..].to_vec();
        let count = count as i32;
        let expected = read_properly(&records, count);
        assert!(expected.is_ok());
        assert_eq!(checked(&records, count), expected);
        good += 1;
        for _ in 0..5 {
            let at = random.below(records.len().min(60));
            let before = records[at];
            records[at] = [before ^ 1, before ^ 0x80, random.next() as u8][random.below(3)];
            let cut = random.below(records.len() + 1);
            for bytes in [&records[..], &records[..cut]] {
                let expected = read_properly(bytes, count);
                bad += i32::from(expected.is_err());
                assert_eq!(checked(bytes, count), expected);
            }
            records[at] = before;
        }
    }
    assert!(good == 2_000 && bad > 5_000, "{good} good, {bad} bad");
}

#[test]
fn records_stop_at_the_first_defect() {
    let bytes = batch();
    let records = &bytes[HEADER_LENGTH..];
    let mut walk = Records::new(records, 2);
    assert!(walk.next().unwrap().is_ok() && walk.next().unwrap().is_ok());
    assert_eq!(walk.next().unwrap().unwrap_err(), RecordError::MoreRecords);
    assert!(walk.next().is_none());
    let mut walk = Records::new(&records[..5], 3);
    assert_eq!(
        walk.next().unwrap().unwrap_err(),
        RecordError::UnexpectedEnd
    );
    assert!(walk.next().is_none());
}

#[test]
fn batches_are_split() {
    let two = [batch(), batch()].concat();
    assert_eq!(split_batches(&two).filter(Result::is_ok).count(), 2);
    let mut torn = split_batches(&two[..two.len() - 1]);
    assert!(torn.next().unwrap().is_ok());
    assert_eq!(torn.next(), Some(Err(BatchError::Truncated)));
    assert_eq!(torn.next(), None);
    assert_eq!(BatchView::length_at(&two[..16]), Ok(None));
    assert_eq!(BatchView::length_at(&two[..17]), Ok(Some(two.len() / 2)));
}

#[test]
fn a_batch_written_again_keeps_offsets_and_times() {
    let mut builder = BatchBuilder::new();
    builder.set_producer(7, 2, 40);
    for n in 0..4i64 {
        let value = format!("value {n}");
        let headers = [("h", Some(b"x".as_slice())), ("null", None)];
        builder.append(
            1_000 + n,
            Some(&[n as u8]),
            Some(value.as_bytes()),
            &headers,
        );
    }
    let mut bytes = Vec::new();
    builder.build(&mut bytes);
    let original = BatchView::parse(&bytes).unwrap();
    let mut rewriter = BatchRewriter::default();
    for horizon in [None, Some(5_000)] {
        rewriter.begin(horizon);
        for record in original.records().map(Result::unwrap) {
            if record.offset_delta % 2 == 1 {
                rewriter.append(&original, &record);
            }
        }
        let mut out = Vec::new();
        let plain = |_, records: &[u8], out: &mut Vec<u8>| {
            out.extend_from_slice(records);
            Ok(())
        };
        rewriter.finish(&original, &mut out, plain).unwrap();
        let again = BatchView::parse(&out).unwrap();
        assert!(again.crc_is_right());
        assert_eq!(again.delete_horizon_ms(), horizon);
        assert_eq!(again.record_count(), 2);
        assert_eq!(again.last_offset_delta(), 3);
        assert_eq!(again.max_timestamp(), 1_003);
        assert_eq!(again.base_sequence(), 40);
        let kept: Vec<_> = again.records().map(Result::unwrap).collect();
        assert_eq!(kept[0].offset_delta, 1);
        assert_eq!(kept[1].offset_delta, 3);
        assert_eq!(again.timestamp_of(&kept[0]), 1_001);
        assert_eq!(again.timestamp_of(&kept[1]), 1_003);
        assert_eq!(kept[1].key, Some(&[3u8][..]));
        assert_eq!(kept[1].value, Some(b"value 3".as_slice()));
        assert_eq!(kept[1].headers.count(), 2);
    }
    let mut empty = Vec::new();
    write_emptied(&original, &mut empty);
    let empty = BatchView::parse(&empty).unwrap();
    assert!(empty.crc_is_right());
    assert_eq!((empty.bytes().len(), empty.record_count()), (61, 0));
    assert_eq!((empty.last_offset_delta(), empty.last_sequence()), (3, 43));
    assert_eq!(empty.producer_epoch(), 2);
}

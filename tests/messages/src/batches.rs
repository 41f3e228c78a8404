//! Record batches against `kafka-protocol`: each reads what the other builds.

use crate::random::Source;
use bytes::Bytes;
use kafka_protocol::protocol::StrBytes;
use kafka_protocol::records::{
    Compression, Record, RecordBatchDecoder, RecordBatchEncoder, RecordEncodeOptions, TimestampType,
};
use precursor_protocol::records::{BatchBuilder, Limits, validate_produce};

const LIMITS: Limits = Limits {
    batch_bytes_max: 1 << 20,
    produce_version: 11,
};

/// Records of one batch, as the oracle has them.
fn random_records(s: &mut Source) -> Vec<Record> {
    let producer_id = if s.bool() { 7 } else { -1 };
    (0..1 + s.below(20) as i64)
        .map(|offset| Record {
            transactional: producer_id == 7,
            control: false,
            delete_horizon: false,
            partition_leader_epoch: -1,
            producer_id,
            producer_epoch: if producer_id == 7 { 3 } else { -1 },
            timestamp_type: TimestampType::Creation,
            offset,
            // The oracle counts on from the base also where there is none.
            sequence: if producer_id == 7 { 50 } else { -1 } + offset as i32,
            timestamp: 1_700_000_000_000 + s.below(1 << 20) as i64,
            key: s.option(true, Source::bytes).map(Bytes::from),
            value: s.option(true, Source::bytes).map(Bytes::from),
            headers: (0..s.below(3))
                .map(|index| {
                    let name = StrBytes::from_string(format!("{index}{}", s.string()));
                    (name, s.option(true, Source::bytes).map(Bytes::from))
                })
                .collect(),
        })
        .collect()
}

fn built_by_us(records: &[Record]) -> Vec<u8> {
    let mut builder = BatchBuilder::new();
    let first = &records[0];
    builder.set_producer(first.producer_id, first.producer_epoch, first.sequence);
    builder.set_transactional(first.transactional);
    for record in records {
        let headers: Vec<(&str, Option<&[u8]>)> = record
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_deref()))
            .collect();
        let (key, value) = (record.key.as_deref(), record.value.as_deref());
        builder.append(record.timestamp, key, value, &headers);
    }
    let mut out = Vec::new();
    builder.build(&mut out);
    out
}

fn built_by_the_oracle(records: &[Record]) -> Vec<u8> {
    let options = RecordEncodeOptions {
        version: 2,
        compression: Compression::None,
    };
    let mut out = bytes::BytesMut::new();
    RecordBatchEncoder::encode(&mut out, records, &options).expect("the oracle encodes");
    out.to_vec()
}

/// What we read in a batch is `records`.
fn assert_read_by_us(bytes: &[u8], records: &[Record], about: &str) {
    let valid = validate_produce(Some(bytes), &LIMITS).expect(about);
    let batch = valid.batch;
    assert_eq!(valid.records as usize, records.len(), "{about}");
    assert_eq!(
        valid.max_timestamp,
        records.iter().map(|r| r.timestamp).max().expect("some"),
        "{about}"
    );
    assert_eq!(batch.max_timestamp(), valid.max_timestamp, "{about}");
    assert_eq!(batch.producer_id(), records[0].producer_id, "{about}");
    assert_eq!(batch.producer_epoch(), records[0].producer_epoch, "{about}");
    assert_eq!(batch.base_sequence(), records[0].sequence, "{about}");
    assert_eq!(
        batch.is_transactional(),
        records[0].transactional,
        "{about}"
    );
    for (ours, theirs) in batch.records().zip(records) {
        let ours = ours.expect(about);
        let timestamp = batch.base_timestamp() + ours.timestamp_delta;
        assert_eq!(timestamp, theirs.timestamp, "{about}");
        assert_eq!(i64::from(ours.offset_delta), theirs.offset, "{about}");
        assert_eq!(ours.key, theirs.key.as_deref(), "{about}");
        assert_eq!(ours.value, theirs.value.as_deref(), "{about}");
        let headers: Vec<_> = ours.headers.map(|h| (h.key, h.value)).collect();
        let expected: Vec<_> = theirs
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_deref()))
            .collect();
        assert_eq!(headers, expected, "{about}");
    }
}

#[test]
fn batches_are_read_both_ways() {
    for seed in 0..2_000 {
        let about = format!("seed {seed}");
        let records = random_records(&mut Source::new(seed));
        let ours = built_by_us(&records);
        assert_read_by_us(&ours, &records, &about);
        let read = RecordBatchDecoder::decode(&mut Bytes::from(ours)).expect(&about);
        assert!(read.records == records, "{about}");
        assert_read_by_us(&built_by_the_oracle(&records), &records, &about);
    }
}

//! What is done with bytes that nobody vouches for, and what must hold whatever they are. Shared
//! by the fuzzer (tests/fuzz) and by the test beside this file.

use precursor_protocol::api::{self, API_KEYS};
use precursor_protocol::frame::frame_length;
use precursor_protocol::native::{ProduceOne, ProducedOne};
use precursor_protocol::records::{
    BatchHeaderMut, BatchView, Limits, Records, split_batches, validate_produce,
};
use precursor_protocol::{Message, RequestHeader, every_message, every_view, messages, views};

/// A byte stream as a connection gives it: frames, headers, bodies.
pub fn frames(data: &[u8]) {
    let mut rest = data;
    while let Ok(Some(length)) = frame_length(rest, 1 << 20) {
        let Some(frame) = rest[4..].get(..length) else {
            return;
        };
        rest = &rest[4 + length..];
        let Ok((header, body)) = RequestHeader::parse(frame) else {
            continue;
        };
        assert!(body.len() <= frame.len());
        if api::find_served(header.api_key).is_some() {
            message(header.api_key, 0, header.api_version, body);
        }
    }
}

/// Any message: two bytes choose which and in which version, the rest is its body.
pub fn messages(data: &[u8]) {
    let [which, version, body @ ..] = data else {
        return;
    };
    let facts = &API_KEYS[usize::from(which >> 1) % API_KEYS.len()];
    let versions = (facts.version_max - facts.version_min + 1) as u8;
    let version = facts.version_min + i16::from(version % versions);
    message(facts.key.code(), which & 1, version, body);
}

fn message(key: i16, direction: u8, version: i16, body: &[u8]) {
    macro_rules! owned {
        ($name:ident) => {
            if messages::$name::KEY.code() == key
                && stringify!($name).ends_with("Response") == (direction == 1)
            {
                round_trip::<messages::$name>(version, body);
            }
        };
    }
    every_message!(owned);
    if direction == 1 {
        return;
    }
    macro_rules! borrowed {
        ($name:ident, $view:ident) => {
            if messages::$name::KEY.code() == key {
                let owned = messages::$name::decode(body, version);
                let view = views::$view::parse(body, version);
                assert_eq!(owned.as_ref().err(), view.as_ref().err());
                if let (Ok(owned), Ok(view)) = (owned, view) {
                    same_but_for_tags(&owned, &view.to_message(), version);
                }
            }
        };
    }
    every_view!(borrowed);
}

/// What was read is written, and what was written is read as the same.
fn round_trip<M: Message>(version: i16, body: &[u8]) {
    let Ok((message, rest)) = M::decode_prefix(body, version) else {
        return;
    };
    let mut once = Vec::new();
    message
        .encode(&mut once, version)
        .expect("what was read in a version can be written in it");
    // Ours is the shortest form of it.
    assert!(once.len() <= body.len() - rest.len());
    let (again, rest) = M::decode_prefix(&once, version).expect("we read what we write");
    assert!(rest.is_empty());
    let mut twice = Vec::new();
    again
        .encode(&mut twice, version)
        .expect("and write it again");
    assert_eq!(once, twice);
}

/// Views drop unknown tagged fields, which only lengthen the owned message's bytes.
fn same_but_for_tags<M: Message>(owned: &M, viewed: &M, version: i16) {
    let (mut a, mut b) = (Vec::new(), Vec::new());
    owned.encode(&mut a, version).expect("read before");
    viewed.encode(&mut b, version).expect("read before");
    assert!(a == b || a.len() > b.len());
}

/// A produce request's records.
pub fn batches(data: &[u8]) {
    let limits = Limits {
        batch_bytes_max: 1 << 20,
        produce_version: 11,
    };
    let mut walked = 0;
    for batch in split_batches(data) {
        let Ok(batch) = batch else {
            break;
        };
        walked += batch.bytes().len();
        for record in batch.records().flatten() {
            assert!(record.headers.count() <= data.len());
        }
    }
    assert!(walked <= data.len());
    if let Ok(valid) = validate_produce(Some(data), &limits) {
        let batch = valid.batch;
        assert_eq!(batch.bytes(), data);
        assert_eq!(valid.records as i32, batch.record_count());
        if batch.attributes() & 7 == 0 {
            assert_eq!(
                batch.records().filter(Result::is_ok).count(),
                valid.records as usize
            );
            assert_eq!(batch.records().filter(Result::is_err).count(), 0);
        }
        let mut bytes = data.to_vec();
        let mut header = BatchHeaderMut::parse(&mut bytes).expect("it is one batch");
        header.set_base_offset(i64::MAX - 5);
        header.set_leader_epoch(9);
        assert!(header.view().crc_is_right());
        header.set_log_append_time(1);
        assert!(header.view().crc_is_right());
    }
    // The CRC stops nearly all that a fuzzer makes: also with a right one.
    let mut bytes = data.to_vec();
    if let Ok(mut header) = BatchHeaderMut::parse(&mut bytes) {
        header.update_crc();
        let batch = header.view();
        let proper = (0..)
            .zip(Records::new(batch.record_bytes(), batch.record_count()))
            .all(|(index, record)| record.is_ok_and(|r| r.offset_delta == index));
        if validate_produce(Some(batch.bytes()), &limits).is_ok() && batch.attributes() & 7 == 0 {
            assert!(proper);
        }
    }
    let _ = BatchView::length_at(data);
}

/// A single record's frames: what can be read is written as it was.
pub fn native(data: &[u8]) {
    if let Some(request) = ProduceOne::parse(data) {
        let mut frame = Vec::new();
        assert!(request.encode(&mut frame), "it came within a frame");
        assert_eq!(&frame[4..], data);
    }
    if let Some(response) = ProducedOne::parse(data) {
        let again = ProducedOne::parse(&response.encode()[4..]);
        assert_eq!(again, Some(response));
    }
}

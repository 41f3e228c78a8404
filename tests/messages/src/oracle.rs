//! Every message in every version, against `kafka-protocol` (Kafka 4.1's messages).

use crate::random::{Random, Source};
use bytes::Bytes;
use kafka_protocol::messages::{BrokerId, GroupId, ProducerId, TopicName, TransactionalId};
use kafka_protocol::protocol::{Decodable, Encodable, Message as TheirMessage, StrBytes};
use precursor_model::TopicId;
use precursor_protocol::{Message, TaggedField, every_message};
use std::collections::BTreeMap;
use uuid::Uuid;

/// The oracle's twin of one of our values, in a version.
pub trait ToOracle<T> {
    fn to_oracle(&self, version: i16) -> T;
}

macro_rules! same {
    ($($type:ty),*) => {$(
        impl ToOracle<$type> for $type {
            fn to_oracle(&self, _: i16) -> $type {
                *self
            }
        }
    )*};
}

same!(bool, i8, i16, u16, i32, i64, f64);

macro_rules! wrapped {
    ($($ours:ty => $theirs:ty, |$value:ident| $make:expr;)*) => {$(
        impl ToOracle<$theirs> for $ours {
            fn to_oracle(&self, _: i16) -> $theirs {
                let $value = self;
                $make
            }
        }
    )*};
}

wrapped! {
    i32 => BrokerId, |id| BrokerId(*id);
    i64 => ProducerId, |id| ProducerId(*id);
    String => StrBytes, |text| StrBytes::from_string(text.clone());
    String => TopicName, |text| TopicName(StrBytes::from_string(text.clone()));
    String => GroupId, |text| GroupId(StrBytes::from_string(text.clone()));
    String => TransactionalId, |text| TransactionalId(StrBytes::from_string(text.clone()));
    [u8; 16] => Uuid, |id| Uuid::from_bytes(*id);
    TopicId => Uuid, |id| Uuid::from_bytes(id.0);
    Vec<u8> => Bytes, |bytes| Bytes::from(bytes.clone());
    // ShareFetch's records, which the oracle lets be null in a version that is gone.
    Vec<u8> => Option<Bytes>, |bytes| Some(Bytes::from(bytes.clone()));
}

impl<A: ToOracle<B>, B> ToOracle<Option<B>> for Option<A> {
    fn to_oracle(&self, version: i16) -> Option<B> {
        self.as_ref().map(|value| value.to_oracle(version))
    }
}

impl<A: ToOracle<B>, B> ToOracle<Vec<B>> for Vec<A> {
    fn to_oracle(&self, version: i16) -> Vec<B> {
        self.iter().map(|value| value.to_oracle(version)).collect()
    }
}

/// The oracle keeps unknown tagged fields in a map.
pub fn tags(fields: &[TaggedField]) -> BTreeMap<i32, Bytes> {
    fields
        .iter()
        .map(|field| (field.tag as i32, Bytes::from(field.data.clone())))
        .collect()
}

/// A string as it stands in a tagged field.
pub fn compact_string(text: &str) -> Bytes {
    let mut length = text.len() + 1;
    let mut bytes = Vec::new();
    while length >= 0x80 {
        bytes.push(length as u8 | 0x80);
        length >>= 7;
    }
    bytes.push(length as u8);
    bytes.extend_from_slice(text.as_bytes());
    Bytes::from(bytes)
}

/// Random messages in each version that both have: our bytes are theirs, and each reads the
/// other's. Gives the number of versions compared.
fn compare<Ours, Theirs>(rounds: u64) -> usize
where
    Ours: Message + Random + ToOracle<Theirs>,
    Theirs: TheirMessage + Encodable + Decodable + PartialEq + std::fmt::Debug,
{
    let low = Ours::VERSION_MIN.max(Theirs::VERSIONS.min);
    let high = Ours::VERSION_MAX.min(Theirs::VERSIONS.max);
    for version in low..=high {
        for round in 0..rounds {
            let seed = round << 32 | (Ours::KEY.code() as u64) << 8 | version as u64;
            let about = format!("{:?} version {version} seed {seed}", Ours::KEY);
            let ours = Ours::random(&mut Source::new(seed), version);
            let theirs: Theirs = ours.to_oracle(version);
            let (mut our_bytes, mut their_bytes) = (Vec::new(), Vec::new());
            ours.encode(&mut our_bytes, version).expect(&about);
            theirs.encode(&mut their_bytes, version).expect(&about);
            if let Some(at) = first_difference(&our_bytes, &their_bytes) {
                panic!("{about}: byte {at} differs: {ours:?}");
            }

            let (decoded, rest) = Ours::decode_prefix(&their_bytes, version).expect(&about);
            assert!(decoded == ours, "{about}");
            assert!(rest.is_empty(), "{about}");
            let mut their_input = Bytes::from(our_bytes);
            let decoded = Theirs::decode(&mut their_input, version).expect(&about);
            assert!(decoded == theirs, "{about}");
            assert!(their_input.is_empty(), "{about}");
        }
    }
    usize::try_from(high - low + 1).expect("both have a version")
}

fn first_difference(a: &[u8], b: &[u8]) -> Option<usize> {
    let shared = a.iter().zip(b).position(|(a, b)| a != b);
    shared.or((a.len() != b.len()).then_some(a.len().min(b.len())))
}

#[test]
fn every_message_is_byte_equal_with_the_oracle() {
    let mut compared = 0;
    macro_rules! visit {
        ($name:ident) => {
            compared +=
                compare::<precursor_protocol::messages::$name, kafka_protocol::messages::$name>(60);
        };
    }
    every_message!(visit);
    println!("{compared} message versions compared");
    assert!(compared > 400, "{compared}");
}

//! Records that Apache Kafka wrote (`tests/vectors/record-offsets-topic`): read, written again to
//! the same bytes, and replayed.

use precursor_groups::records::{GroupValue, OffsetValue, RecordKey};
use precursor_groups::{
    Command, GroupConfig, GroupCoordinator, Now, Request, RequestContext, Response,
};
use precursor_model::TopicId;
use precursor_protocol::messages::offset_fetch_request::OffsetFetchRequestGroup;

const VECTORS: &str = include_str!("../../../../tests/vectors/kafka-4.3.1-offsets-topic.txt");

struct Logged {
    partition: i32,
    key: Vec<u8>,
    value: Option<Vec<u8>>,
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits = hex.as_bytes().chunks(2);
    digits
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn logged() -> impl Iterator<Item = Logged> {
    VECTORS.lines().filter_map(|line| {
        let mut words = line.split(' ');
        (words.next() == Some("log")).then(|| Logged {
            partition: words.next().unwrap().parse().unwrap(),
            key: bytes(words.next().unwrap()),
            value: Some(words.next().unwrap())
                .filter(|hex| *hex != "-")
                .map(bytes),
        })
    })
}

#[test]
fn what_kafka_logged_is_read_and_written_to_the_same_bytes() {
    let mut seen = [0; 3];
    for record in logged() {
        let key = RecordKey::decode(&record.key).unwrap();
        assert_eq!(key.encode().unwrap(), record.key);
        let (RecordKey::Offset { group_id, .. } | RecordKey::Group { group_id }) = key else {
            panic!("{key:?}")
        };
        assert_eq!(
            precursor_model::coordinator_partition(group_id, 50) as i32,
            record.partition
        );
        match (key, record.value) {
            (_, None) => seen[0] += 1,
            (RecordKey::Offset { .. }, Some(value)) => {
                let offset = OffsetValue::decode(&value).unwrap();
                assert_ne!(offset.topic_id, TopicId::ZERO);
                assert_eq!(offset.encode().unwrap(), value);
                seen[1] += 1;
            }
            (_, Some(value)) => {
                let group = GroupValue::decode(&value).unwrap();
                assert_eq!(group.encode().unwrap(), value);
                seen[2] += 1;
            }
        }
    }
    assert_eq!(seen, [2, 5, 2]);
}

#[test]
fn values_of_every_version_are_read() {
    let mut versions = 0;
    for line in VECTORS.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let ["value", kind, version, hex] = words[..] else {
            continue;
        };
        versions += 1;
        let version: i16 = version.parse().unwrap();
        let value = bytes(hex);
        if kind == "OffsetCommitValue" {
            let offset = OffsetValue::decode(&value).unwrap();
            assert_eq!((offset.offset, offset.metadata), (11, "m"));
            assert_eq!(offset.commit_timestamp_ms, 1_700_000_000_000);
            assert_eq!(offset.leader_epoch, if version >= 3 { 5 } else { -1 });
            let expires = if version == 1 { 1_800_000_000_000 } else { -1 };
            assert_eq!(offset.expire_timestamp_ms, expires);
            if matches!(version, 1 | 3 | 4) {
                assert_eq!(offset.encode().unwrap(), value);
            }
            continue;
        }
        let group = GroupValue::decode(&value).unwrap();
        assert_eq!(
            (group.generation, group.protocol.as_deref()),
            (9, Some("range"))
        );
        assert_eq!(group.current_state_timestamp_ms != -1, version >= 2);
        let member = &group.members[0];
        assert_eq!(member.client_host, "/192.0.2.1");
        assert_eq!(member.session_timeout_ms, 45_000);
        assert_eq!(
            member.rebalance_timeout_ms,
            if version >= 1 { 300_000 } else { -1 }
        );
        assert_eq!(member.group_instance_id.is_some(), version >= 3);
        assert_eq!(
            (&member.subscription[..], &member.assignment[..]),
            (&[1, 2][..], &[3][..])
        );
        if version == 3 {
            assert_eq!(group.encode().unwrap(), value);
        }
    }
    assert_eq!(versions, 10);
}

#[test]
fn a_log_of_kafkas_is_replayed() {
    let mut coordinator = GroupCoordinator::new(GroupConfig::default());
    for record in logged() {
        coordinator
            .load(&record.key, record.value.as_deref())
            .unwrap();
    }
    let mut out = Vec::new();
    coordinator.loaded(Now::default(), &mut out);
    // "deleted" was.
    assert_eq!(
        (coordinator.group_count(), coordinator.offset_count()),
        (2, 4)
    );
    let context = RequestContext {
        version: 6,
        ..RequestContext::default()
    };
    let describe = Request::DescribeGroups {
        group_ids: vec!["my-group".into()],
    };
    coordinator.request(&context, describe, &mut out);
    let fetch = Request::OffsetFetch {
        group: OffsetFetchRequestGroup {
            group_id: "my-group".into(),
            topics: None,
            ..OffsetFetchRequestGroup::default()
        },
        require_stable: true,
    };
    coordinator.request(&context, fetch, &mut out);
    let [
        Command::Reply {
            response: Response::DescribeGroups(groups),
            ..
        },
        Command::Reply {
            response: Response::OffsetFetch(offsets),
            ..
        },
    ] = &out[..]
    else {
        panic!("{out:?}")
    };
    assert_eq!(groups[0].group_state, "Stable");
    assert_eq!(groups[0].members.len(), 2);
    assert!(
        groups[0]
            .members
            .iter()
            .all(|m| !m.member_assignment.is_empty())
    );
    let partitions = &offsets.topics[0].partitions;
    assert_eq!(partitions.len(), 3);
    for partition in partitions {
        assert_eq!(
            (partition.committed_offset, partition.committed_leader_epoch),
            (7, 3)
        );
        assert_eq!(partition.metadata.as_deref(), Some("größe"));
    }
}

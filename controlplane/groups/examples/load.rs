//! How long 100,000 groups with 1,000,000 offsets take to load, and how much memory they are:
//!
//! ```text
//! cargo run --release -p precursor-groups --example load
//! ```
#![forbid(unsafe_code)]

use precursor_groups::records::{GroupMemberValue, GroupValue, OffsetValue, RecordKey};
use precursor_groups::{GroupConfig, GroupCoordinator, Now};
use precursor_model::TopicId;
use std::time::Instant;

const GROUPS: usize = 100_000;
const OFFSETS_PER_GROUP: i32 = 10;
const TOPICS: usize = 1_000;

fn main() {
    let before = resident_bytes();
    let mut coordinator = GroupCoordinator::new(GroupConfig::default());
    let mut spent = std::time::Duration::ZERO;
    for group in 0..GROUPS {
        // Made outside of what is measured, and dropped: memory is the coordinator's alone.
        let records = records(group);
        let start = Instant::now();
        for (key, value) in &records {
            coordinator.load(key, Some(value)).expect("a record");
        }
        spent += start.elapsed();
    }
    let start = Instant::now();
    let now = Now::default();
    coordinator.loaded(now, &mut Vec::new());
    spent += start.elapsed();
    let bytes = resident_bytes().saturating_sub(before);
    let offsets = coordinator.offset_count();
    println!(
        "{} groups, {offsets} offsets: loaded in {} ms, {} MiB, {} bytes per offset (groups included)",
        coordinator.group_count(),
        spent.as_millis(),
        bytes >> 20,
        bytes / offsets.max(1),
    );
    let start = Instant::now();
    let names: Vec<String> = vec!["orders-1".into()];
    coordinator.topics_deleted(&names, now, &mut Vec::new());
    println!("a topic's deletion: {} ms", start.elapsed().as_millis());
}

fn records(group: usize) -> Vec<(Vec<u8>, Vec<u8>)> {
    let group_id = format!("consumer-group-{group:06}");
    let mut records = Vec::new();
    for partition in 0..OFFSETS_PER_GROUP {
        let topic = format!("orders-{}", group % TOPICS);
        let key = RecordKey::Offset {
            group_id: &group_id,
            topic: &topic,
            partition,
        };
        let value = OffsetValue {
            offset: 1_000_000,
            leader_epoch: 1,
            metadata: "",
            commit_timestamp_ms: 1_700_000_000_000,
            expire_timestamp_ms: -1,
            topic_id: TopicId([(group % TOPICS) as u8 + 1; 16]),
        };
        records.push((key.encode().expect("short"), value.encode().expect("short")));
    }
    // Every tenth group has a member; the others are empty or simple.
    if group.is_multiple_of(10) {
        let value = GroupValue {
            protocol_type: "consumer".into(),
            generation: 5,
            protocol: Some("range".into()),
            leader: Some("member-1".into()),
            current_state_timestamp_ms: 1_700_000_000_000,
            members: vec![GroupMemberValue {
                member_id: "member-1".into(),
                client_id: "client".into(),
                client_host: "/192.0.2.1".into(),
                rebalance_timeout_ms: 300_000,
                session_timeout_ms: 45_000,
                subscription: vec![0; 64],
                assignment: vec![0; 128],
                ..GroupMemberValue::default()
            }],
        };
        let key = RecordKey::Group {
            group_id: &group_id,
        };
        records.push((key.encode().expect("short"), value.encode().expect("short")));
    }
    records
}

/// Resident memory of this process; 0 where /proc does not tell.
fn resident_bytes() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm
        .split(' ')
        .nth(1)
        .and_then(|text| text.parse::<usize>().ok());
    pages.unwrap_or(0) * 4_096
}

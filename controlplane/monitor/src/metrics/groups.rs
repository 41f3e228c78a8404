//! Consumer groups that this broker coordinates: states, committed offsets, lag.

use super::logs::Logs;
use crate::families::{Families, Kind};
use crate::server::MonitorOptions;
use precursor_coordinator::{Client, Request, Response};
use precursor_protocol::messages::offset_fetch_request::OffsetFetchRequestGroup;
use precursor_protocol::messages::offset_fetch_response::OffsetFetchResponseGroup;
use std::collections::BTreeMap;

/// Most committed offsets that are told one by one.
const OFFSETS_MAX: usize = 20_000;
/// The version of ListGroups and OffsetFetch whose answers are read here.
const LIST_VERSION: i16 = 5;
const FETCH_VERSION: i16 = 9;

/// One committed offset.
struct Committed {
    group: String,
    topic: String,
    partition: i32,
    offset: i64,
}

pub(super) async fn add(families: &mut Families, options: &MonitorOptions, logs: &Logs) {
    let groups = list(options).await;
    let mut by_state: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, state) in &groups {
        *by_state.entry(state).or_default() += 1;
    }
    let mut family = families.begin(Kind::Gauge, "groups", "Groups coordinated here, by state.");
    for (state, count) in by_state {
        family.sample(&[("state", state)], count as f64);
    }
    families.add(family);
    families.add_single(
        Kind::Gauge,
        "group_partitions_loading",
        "Partitions of __consumer_offsets that are being read.",
        options.coordinator.loading() as f64,
    );
    let (committed, left_out) = committed(options, groups).await;
    add_offsets(families, &committed, logs);
    families.add_single(
        Kind::Gauge,
        "metrics_groups_left_out",
        "Groups whose offsets are not told here, because there are too many.",
        left_out as f64,
    );
}

fn add_offsets(families: &mut Families, committed: &[Committed], logs: &Logs) {
    let mut offsets = families.begin(
        Kind::Gauge,
        "group_committed_offset",
        "The offset that a group has committed for a partition.",
    );
    let mut lags = families.begin(
        Kind::Gauge,
        "group_lag",
        "Records between a group's committed offset and the partition's high watermark.",
    );
    for committed in committed {
        let partition = committed.partition.to_string();
        let labels = [
            ("group", &*committed.group),
            ("topic", &*committed.topic),
            ("partition", &*partition),
        ];
        offsets.sample(&labels, committed.offset as f64);
        // Without its log here the end is not known, and no lag is better than a wrong one.
        if let Some(end) = logs.end_offset(&committed.topic, committed.partition) {
            lags.sample(&labels, (end - committed.offset).max(0) as f64);
        }
    }
    families.add(offsets);
    families.add(lags);
}

/// Id and state of every group that is coordinated here.
async fn list(options: &MonitorOptions) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for partition in options.coordinator.partitions_led() {
        let asked = Request::ListGroups {
            states_filter: Vec::new(),
            types_filter: Vec::new(),
        };
        let client = Client::default();
        let answer = options
            .coordinator
            .ask(partition, client, LIST_VERSION, asked);
        // A partition that is still loading is listed with the next scrape.
        if let Ok(Response::ListGroups(Ok(groups))) = answer.await {
            let named = groups.into_iter().map(|g| (g.group_id, g.group_state));
            all.extend(named);
        }
    }
    all
}

/// Committed offsets, as many as are told, and how many groups are left out.
async fn committed(
    options: &MonitorOptions,
    groups: Vec<(String, String)>,
) -> (Vec<Committed>, usize) {
    let mut all = Vec::new();
    let mut left = groups.len();
    for (group_id, _) in groups {
        if all.len() >= OFFSETS_MAX {
            break;
        }
        left -= 1;
        let asked = Request::OffsetFetch {
            group: OffsetFetchRequestGroup {
                group_id: group_id.clone(),
                topics: None,
                ..OffsetFetchRequestGroup::default()
            },
            require_stable: false,
        };
        let client = Client::default();
        let answer = options
            .coordinator
            .ask_group(&group_id, client, FETCH_VERSION, asked);
        if let Ok(Response::OffsetFetch(fetched)) = answer.await {
            take_offsets(&group_id, fetched, &mut all);
        }
    }
    (all, left)
}

fn take_offsets(group: &str, fetched: OffsetFetchResponseGroup, all: &mut Vec<Committed>) {
    for topic in fetched.topics {
        for partition in topic.partitions {
            if partition.committed_offset >= 0 && all.len() < OFFSETS_MAX {
                all.push(Committed {
                    group: group.to_owned(),
                    topic: topic.name.clone(),
                    partition: partition.partition_index,
                    offset: partition.committed_offset,
                });
            }
        }
    }
}

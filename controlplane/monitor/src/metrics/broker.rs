//! The node as a whole: what runs, what is agreed on, what the bridge has seen.

use crate::families::{Families, Kind};
use crate::health;
use crate::server::MonitorOptions;
use precursor_shm::Region;
use precursor_shm::ring::RingUsage;

pub(super) fn add(families: &mut Families, options: &MonitorOptions) {
    let mut info = families.begin(Kind::Gauge, "info", "Always 1; its labels say what runs.");
    let cluster = options
        .consensus
        .read(|state| state.cluster_id().unwrap_or_default().to_owned());
    let node = options.node_id.to_string();
    info.sample(
        &[
            ("version", options.version),
            ("cluster_id", &cluster),
            ("node_id", &node),
        ],
        1.0,
    );
    families.add(info);
    families.add_single(
        Kind::Gauge,
        "ready",
        "1 while clients are served, as /readyz says it.",
        f64::from(u8::from(health::obstacles(options).is_empty())),
    );
    add_consensus(families, options);
    add_bridge(families, options);
    add_region(families, options);
}

fn add_consensus(families: &mut Families, options: &MonitorOptions) {
    let status = options.consensus.status();
    let leads = status.leader == Some(status.node_id);
    let gauges = [
        (
            "raft_is_leader",
            "1 while this node leads the metadata.",
            f64::from(u8::from(leads)),
        ),
        (
            "raft_has_leader",
            "1 while the metadata has a leader that this node knows.",
            f64::from(u8::from(status.leader.is_some())),
        ),
        ("raft_term", "The present term.", status.term as f64),
        (
            "raft_last_log_index",
            "Index of the last entry of the metadata log.",
            status.last_log_index.unwrap_or(0) as f64,
        ),
        (
            "raft_last_applied_index",
            "Index of the last entry that was carried out.",
            status.last_applied_index.unwrap_or(0) as f64,
        ),
        (
            "raft_voters",
            "Nodes that decide.",
            status.voters.len() as f64,
        ),
    ];
    for (name, help, value) in gauges {
        families.add_single(Kind::Gauge, name, help, value);
    }
}

fn add_bridge(families: &mut Families, options: &MonitorOptions) {
    let counts = options.view.counts();
    let counters = [
        (
            "control_requests_answered",
            "Requests of clients that the control plane answered.",
            counts.requests_answered,
        ),
        (
            "control_requests_refused",
            "Requests of clients that the control plane could not answer.",
            counts.requests_refused,
        ),
        (
            "control_messages_malformed",
            "Messages of the data plane that could not be read.",
            counts.messages_malformed,
        ),
        (
            "control_rings_reset",
            "Times that a ring from the data plane had to be begun anew.",
            counts.rings_reset,
        ),
    ];
    for (name, help, value) in counters {
        families.add_single(Kind::Counter, name, help, value as f64);
    }
}

fn add_region(families: &mut Families, options: &MonitorOptions) {
    let region = &options.region;
    families.add_single(
        Kind::Gauge,
        "region_bytes",
        "Size of the memory that both processes share.",
        region.bytes() as f64,
    );
    families.add_single(
        Kind::Gauge,
        "region_pool_bytes",
        "The part of the region that holds records and buffers.",
        region.pool_bytes() as f64,
    );
    add_rings(families, region);
    let status = region.status();
    let mut starts = families.begin(
        Kind::Counter,
        "process_starts",
        "Times that a process was started on this region.",
    );
    let generations = [
        ("data-plane", status.data_generation()),
        ("control-plane", status.control_generation()),
    ];
    for (process, generation) in generations {
        starts.sample(&[("process", process)], generation as f64);
    }
    families.add(starts);
}

/// What one family tells of a ring.
type Told = (Kind, &'static str, &'static str, fn(&RingUsage) -> u64);

const RING_FAMILIES: [Told; 5] = [
    (
        Kind::Gauge,
        "control_ring_bytes_max",
        "What a ring between a shard and the control plane holds at most.",
        |ring| ring.capacity_bytes,
    ),
    (
        Kind::Gauge,
        "control_ring_bytes_in_use",
        "Bytes that wait in a ring between a shard and the control plane.",
        |ring| ring.bytes,
    ),
    (
        Kind::Gauge,
        "control_ring_messages",
        "Messages that wait in a ring between a shard and the control plane.",
        |ring| ring.records,
    ),
    (
        Kind::Gauge,
        "control_ring_bytes_in_use_max",
        "The most bytes that ever waited in a ring between a shard and the control plane.",
        |ring| ring.bytes_max,
    ),
    (
        Kind::Counter,
        "control_ring_stalls",
        "Times that a message had to wait for room in a ring between a shard and the control plane.",
        |ring| ring.stalls,
    ),
];

fn add_rings(families: &mut Families, region: &Region) {
    let rings: Vec<_> = (0..region.shards())
        .map(|shard| (shard.to_string(), region.ring_usage(shard)))
        .collect();
    for (kind, name, help, value) in RING_FAMILIES {
        let mut family = families.begin(kind, name, help);
        for (shard, (to_control, to_data)) in &rings {
            for (to, ring) in [("control-plane", to_control), ("data-plane", to_data)] {
                family.sample(&[("shard", shard), ("to", to)], value(ring) as f64);
            }
        }
        families.add(family);
    }
}

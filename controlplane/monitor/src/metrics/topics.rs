//! Topics and partitions, as the metadata has them.

use crate::families::{Families, Kind};
use crate::server::MonitorOptions;

pub(super) fn add(families: &mut Families, options: &MonitorOptions) {
    let (topics, partitions, leaderless) = options.consensus.read(|state| {
        let of_all = state.topics().flat_map(|topic| &topic.partitions);
        let leaderless = of_all.filter(|partition| partition.leader < 0).count();
        (state.topics().len(), state.partition_count(), leaderless)
    });
    let gauges = [
        ("topics", "Topics of the cluster.", topics),
        (
            "partitions",
            "Partitions of the cluster's topics.",
            partitions,
        ),
        (
            "partitions_without_leader",
            "Partitions that nobody serves.",
            leaderless,
        ),
        (
            "logs_unserved",
            "Logs of this node that cannot be served, as their shards said.",
            options.view.logs_offline_count(),
        ),
    ];
    for (name, help, value) in gauges {
        families.add_single(Kind::Gauge, name, help, value as f64);
    }
}

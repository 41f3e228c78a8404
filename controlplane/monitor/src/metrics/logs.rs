//! Topics and partitions that this broker holds logs of: offsets, sizes, what went in and out.

use crate::families::{Families, Family, Kind};
use crate::server::MonitorOptions;
use precursor_bridge::{DirectoryDescription, LogDescription};
use precursor_model::LogUid;
use std::collections::{BTreeMap, HashMap};

/// Most partitions that have lines of their own; sums by topic are always whole.
const PARTITIONS_MAX: usize = 10_000;

/// What the shards say of this broker's logs, by topic's name and partition.
#[derive(Default)]
pub(crate) struct Logs {
    partitions: BTreeMap<(String, i32), LogDescription>,
    /// By path, in the order of the configuration.
    directories: Vec<(String, DirectoryDescription)>,
}

impl Logs {
    /// The next offset of a partition, if its log is here.
    pub fn end_offset(&self, topic: &str, partition: i32) -> Option<i64> {
        // A map by owned names is asked with one.
        let description = self.partitions.get(&(topic.to_owned(), partition))?;
        Some(description.high_watermark)
    }
}

/// Asks every shard. What cannot be asked now is left out.
pub(crate) async fn describe(options: &MonitorOptions) -> Logs {
    let Ok(described) = options.data_plane.describe_logs().await else {
        return Logs::default();
    };
    let mut by_log: HashMap<LogUid, LogDescription> = described
        .logs
        .into_iter()
        .map(|log| (log.log, log))
        .collect();
    let paths = options.log_directories.iter();
    let mut logs = Logs {
        directories: paths.cloned().zip(described.directories).collect(),
        ..Logs::default()
    };
    options.consensus.read(|state| {
        for topic in state.topics() {
            for (partition, index) in topic.partitions.iter().zip(0..) {
                let own = partition.replicas.iter();
                let own = own.filter(|replica| replica.broker == options.node_id);
                if let Some(description) = own.filter_map(|own| by_log.remove(&own.log)).next() {
                    let place = (topic.name.clone(), index);
                    logs.partitions.insert(place, description);
                }
            }
        }
    });
    logs
}

/// A number of a log, and how it is told.
struct Row {
    name: &'static str,
    help: &'static str,
    kind: Kind,
    read: fn(&LogDescription) -> u64,
}

const OF_TOPICS: &[Row] = &[
    Row {
        name: "topic_records_in",
        help: "Records appended to the topic since the data plane started.",
        kind: Kind::Counter,
        read: |log| log.records_in,
    },
    Row {
        name: "topic_bytes_in",
        help: "Bytes of record batches appended to the topic since the data plane started.",
        kind: Kind::Counter,
        read: |log| log.bytes_in,
    },
    Row {
        name: "topic_bytes_out",
        help: "Bytes of record batches fetched from the topic since the data plane started.",
        kind: Kind::Counter,
        read: |log| log.bytes_out,
    },
    Row {
        name: "topic_size_bytes",
        help: "Bytes of the topic's segments on this broker.",
        kind: Kind::Gauge,
        read: |log| log.size_bytes,
    },
];

const OF_PARTITIONS: &[Row] = &[
    Row {
        name: "partition_log_start_offset",
        help: "The first offset that can be fetched.",
        kind: Kind::Gauge,
        read: |log| log.log_start_offset.max(0) as u64,
    },
    Row {
        name: "partition_high_watermark",
        help: "The offset up to which consumers are shown records.",
        kind: Kind::Gauge,
        read: |log| log.high_watermark.max(0) as u64,
    },
    Row {
        name: "partition_log_end_offset",
        help: "The offset that the next record gets.",
        kind: Kind::Gauge,
        read: |log| log.log_end_offset.max(0) as u64,
    },
    Row {
        name: "partition_size_bytes",
        help: "Bytes of the partition's segments on this broker.",
        kind: Kind::Gauge,
        read: |log| log.size_bytes,
    },
    Row {
        name: "partition_memory_bytes",
        help: "Bytes of the region that hold the partition's tail.",
        kind: Kind::Gauge,
        read: |log| log.memory_bytes,
    },
    Row {
        name: "partition_segments",
        help: "Segments of the partition on this broker.",
        kind: Kind::Gauge,
        read: |log| u64::from(log.segments),
    },
];

/// A number of a log directory, and how it is told.
struct DirectoryRow {
    name: &'static str,
    help: &'static str,
    read: fn(&DirectoryDescription) -> u64,
}

const OF_DIRECTORIES: &[DirectoryRow] = &[
    DirectoryRow {
        name: "log_directory_total_bytes",
        help: "Size of the file system of a log directory.",
        read: |directory| directory.total_bytes,
    },
    DirectoryRow {
        name: "log_directory_usable_bytes",
        help: "Bytes that may still be written to the file system of a log directory.",
        read: |directory| directory.usable_bytes,
    },
    DirectoryRow {
        name: "log_directory_partitions",
        help: "Partitions in a log directory.",
        read: |directory| u64::from(directory.partitions),
    },
    DirectoryRow {
        name: "log_directory_failed",
        help: "1 while a log directory cannot be used and its partitions are offline, else 0.",
        read: |directory| u64::from(directory.error != 0),
    },
    DirectoryRow {
        name: "log_directory_full",
        help: "1 while producers are refused because a log directory has too little room, else 0.",
        read: |directory| u64::from(directory.is_full),
    },
];

fn add_directories(families: &mut Families, logs: &Logs) {
    for row in OF_DIRECTORIES {
        let mut family = families.begin(Kind::Gauge, row.name, row.help);
        for (path, directory) in &logs.directories {
            family.sample(&[("directory", path)], (row.read)(directory) as f64);
        }
        families.add(family);
    }
}

pub(super) fn add(families: &mut Families, logs: &Logs) {
    add_directories(families, logs);
    for row in OF_TOPICS {
        let mut sums: BTreeMap<&str, u64> = BTreeMap::new();
        for ((topic, _), log) in &logs.partitions {
            *sums.entry(topic).or_default() += (row.read)(log);
        }
        let mut family = families.begin(row.kind, row.name, row.help);
        for (topic, sum) in sums {
            family.sample(&[("topic", topic)], sum as f64);
        }
        families.add(family);
    }
    for row in OF_PARTITIONS {
        let mut family = families.begin(row.kind, row.name, row.help);
        for ((topic, partition), log) in logs.partitions.iter().take(PARTITIONS_MAX) {
            add_partition(&mut family, topic, *partition, (row.read)(log) as f64);
        }
        families.add(family);
    }
    let left_out = logs.partitions.len().saturating_sub(PARTITIONS_MAX);
    families.add_single(
        Kind::Gauge,
        "metrics_partitions_left_out",
        "Partitions without lines of their own here, because there are too many.",
        left_out as f64,
    );
}

fn add_partition(family: &mut Family, topic: &str, partition: i32, value: f64) {
    let partition = partition.to_string();
    family.sample(&[("topic", topic), ("partition", &partition)], value);
}

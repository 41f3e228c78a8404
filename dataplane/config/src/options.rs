//! The table of options. Names are Kafka's where Kafka has the option.

mod cold;
mod log_directories;
mod memory;
mod network;
mod rdma;
mod shm;

use std::path::PathBuf;

use precursor_model::ValueKind;

use crate::node::{NodeConfig, SHARDS_MAX};
use crate::values::{
    CodecHardware, Endpoint, IdlePolicy, LogFormat, LogLevel, Rate, Switch, bytes, cpu_list,
    integer,
};

/// What a value counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    None,
    Bytes,
    Milliseconds,
    Microseconds,
    Count,
}

/// One option of a node.
pub struct NodeOption {
    pub name: &'static str,
    pub kind: ValueKind,
    pub unit: Unit,
    pub default: &'static str,
    /// What a value may be, with its bounds: for messages and documents.
    pub accepts: &'static str,
    /// Whether a change needs a restart of the node. Otherwise it can be set while the node runs,
    /// for the node or for the whole cluster, and is in force at once.
    pub restart: bool,
    pub doc: &'static str,
    pub(crate) apply: fn(&mut NodeConfig, &str) -> Option<()>,
    show: fn(&NodeConfig) -> String,
}

impl NodeOption {
    /// The option's value within a configuration, in the spelling that the loader reads.
    pub fn value_in(&self, config: &NodeConfig) -> String {
        (self.show)(config)
    }
}

/// A day, in milliseconds.
const DAY_MS: u64 = 86_400_000;

/// The highest processor number that Linux knows (`CONFIG_NR_CPUS` at its largest).
const CPU_MAX: usize = 8191;

fn directory(text: &str) -> Option<PathBuf> {
    let sane = !text.is_empty() && !text.contains('\0');
    sane.then(|| PathBuf::from(text))
}

/// An option that may be absent, in the spelling that the loader reads.
fn shown(value: Option<&impl ToString>) -> String {
    value.map_or_else(String::new, ToString::to_string)
}

/// Every option that a node has, in order of name. Topic options are not repeated here: each is set
/// for the whole node as `topic.<option>`.
pub const OPTIONS: &[NodeOption] = &[
    NodeOption {
        name: "admin.listen",
        kind: ValueKind::Text,
        unit: Unit::None,
        default: "127.0.0.1:0",
        accepts: "HOST:PORT, with port 0 for any free one",
        restart: true,
        doc: "Where the control plane serves administration (gRPC).",
        apply: |c, v| Endpoint::parse(v).map(|e| c.admin_listen = e),
        show: |c| c.admin_listen.to_string(),
    },
    NodeOption {
        name: "advertised.listener",
        kind: ValueKind::Text,
        unit: Unit::None,
        default: "",
        accepts: "HOST:PORT with a port from 1, or '' for the address that is listened on",
        restart: true,
        doc: "The address that clients are told to connect to.",
        apply: |c, v| {
            c.advertised_listener = match v {
                "" => None,
                text => Some(Endpoint::parse(text).filter(|e| e.port > 0)?),
            };
            Some(())
        },
        show: |c| {
            c.advertised_listener
                .as_ref()
                .map_or_else(String::new, Endpoint::to_string)
        },
    },
    NodeOption {
        name: "auto.create.topics.enable",
        kind: ValueKind::Boolean,
        unit: Unit::None,
        default: "true",
        accepts: "true or false",
        restart: false,
        doc: "Whether asking for the metadata of an unknown topic makes it.",
        apply: |c, v| v.parse().ok().map(|b| c.auto_create_topics = b),
        show: |c| c.auto_create_topics.to_string(),
    },
    NodeOption {
        name: "connections.max",
        kind: ValueKind::Int,
        unit: Unit::Count,
        default: "16384",
        accepts: "a count from 1 to 1000000",
        restart: false,
        doc: "Connections that are open at a time; one more is closed at once.",
        apply: |c, v| integer(v, 1, 1_000_000).map(|n| c.connections_max = n),
        show: |c| c.connections_max.to_string(),
    },
    NodeOption {
        name: "connections.max.idle.ms",
        kind: ValueKind::Long,
        unit: Unit::Milliseconds,
        default: "600000",
        accepts: "milliseconds from 1000 to 2147483647",
        restart: false,
        doc: "A connection without a request for this long is closed.",
        apply: |c, v| integer(v, 1000, i32::MAX as u64).map(|n| c.connections_idle_ms_max = n),
        show: |c| c.connections_idle_ms_max.to_string(),
    },
    NodeOption {
        name: "data.dir",
        kind: ValueKind::Text,
        unit: Unit::None,
        default: "./data",
        accepts: "a directory, made where it is missing",
        restart: true,
        doc: "Where metadata are kept, and partitions where log.dirs names no other place.",
        apply: |c, v| directory(v).map(|d| c.data_dir = d),
        show: |c| c.data_dir.display().to_string(),
    },
    NodeOption {
        name: "dataplane.codec.hardware",
        kind: ValueKind::Text,
        unit: Unit::None,
        default: "auto",
        accepts: "'auto' or 'off'",
        restart: true,
        doc: "Whether devices (Intel QAT, Intel IAA, GPUs) compress for topics that name no level \
              where they are there; what one fails at is done in software.",
        apply: |c, v| CodecHardware::parse(v).map(|h| c.dataplane_codec_hardware = h),
        show: |c| c.dataplane_codec_hardware.to_string(),
    },
    NodeOption {
        name: "dataplane.codec.workers",
        kind: ValueKind::Int,
        unit: Unit::Count,
        default: "0",
        accepts: "a count from 1 to 256, or 0 for one per shard",
        restart: true,
        doc: "Threads that decompress and compress what producers send where a topic asks for it; \
              each shard has at least one.",
        apply: |c, v| integer(v, 0, SHARDS_MAX as u16).map(|n| c.dataplane_codec_workers = n),
        show: |c| c.dataplane_codec_workers.to_string(),
    },
    NodeOption {
        name: "dataplane.cpus",
        kind: ValueKind::List,
        unit: Unit::None,
        default: "",
        accepts: "processors such as '1' or '0,4-7', or '' to leave the choice to the kernel",
        restart: true,
        doc: "Processors that the shards are pinned to, one after the other.",
        apply: |c, v| cpu_list(v, CPU_MAX).map(|l| c.dataplane_cpus = l),
        show: |c| {
            let cpus: Vec<String> = c.dataplane_cpus.iter().map(usize::to_string).collect();
            cpus.join(",")
        },
    },
    NodeOption {
        name: "dataplane.idle",
        kind: ValueKind::Text,
        unit: Unit::None,
        default: "adaptive",
        accepts: "'adaptive', 'busy' or 'sleep'",
        restart: false,
        doc: "What a shard does when it has nothing to do: spin a while and then sleep, never \
              sleep, or sleep at once.",
        apply: |c, v| IdlePolicy::parse(v).map(|p| c.dataplane_idle = p),
        show: |c| c.dataplane_idle.to_string(),
    },
    NodeOption {
        name: "dataplane.shards",
        kind: ValueKind::Int,
        unit: Unit::Count,
        default: "0",
        accepts: "a count from 1 to 256, or 0 for one less than the processors",
        restart: true,
        doc: "Threads of the data plane; partitions are spread over them.",
        apply: |c, v| integer(v, 0, SHARDS_MAX as u16).map(|n| c.dataplane_shards = n),
        show: |c| c.dataplane_shards.to_string(),
    },
    NodeOption {
        name: "dataplane.spin.us",
        kind: ValueKind::Int,
        unit: Unit::Microseconds,
        default: "50",
        accepts: "microseconds from 0 to 1000000",
        restart: false,
        doc: "How long a shard spins before it sleeps, when dataplane.idle is adaptive.",
        apply: |c, v| integer(v, 0, 1_000_000).map(|n| c.dataplane_spin_us = n),
        show: |c| c.dataplane_spin_us.to_string(),
    },
    NodeOption {
        name: "dataplane.watchdog.ms",
        kind: ValueKind::Long,
        unit: Unit::Milliseconds,
        default: "10000",
        accepts: "milliseconds from 100 to 3600000, or 0 for never",
        restart: true,
        doc: "How long a shard may take no turn before the data plane ends itself and is started \
              anew; a shard takes two a second when nothing happens.",
        apply: |c, v| {
            let limit = integer(v, 0, 3_600_000).filter(|ms| !(1..100).contains(ms));
            limit.map(|ms| c.dataplane_watchdog_ms = ms)
        },
        show: |c| c.dataplane_watchdog_ms.to_string(),
    },
    NodeOption {
        name: "default.replication.factor",
        kind: ValueKind::Int,
        unit: Unit::Count,
        default: "1",
        accepts: "a count from 1 to 32767",
        restart: false,
        doc: "Replicas of a topic that does not say how many.",
        apply: |c, v| integer(v, 1, i16::MAX).map(|n| c.default_replication_factor = n),
        show: |c| c.default_replication_factor.to_string(),
    },
    NodeOption {
        name: "delete.topic.enable",
        kind: ValueKind::Boolean,
        unit: Unit::None,
        default: "true",
        accepts: "true or false",
        restart: false,
        doc: "Whether topics can be deleted.",
        apply: |c, v| v.parse().ok().map(|b| c.delete_topics = b),
        show: |c| c.delete_topics.to_string(),
    },
    NodeOption {
        name: "follower.replication.throttled.rate",
        kind: ValueKind::Long,
        unit: Unit::Bytes,
        default: "9223372036854775807",
        accepts: "bytes per second from 0 to 9223372036854775807",
        restart: false,
        doc: "Kept for reassignments that throttle replicas; no effect on one node.",
        apply: |c, v| integer(v, 0, i64::MAX).map(|n| c.replication_rates_max[0] = n),
        show: |c| c.replication_rates_max[0].to_string(),
    },
    NodeOption {
        name: "group.initial.rebalance.delay.ms",
        kind: ValueKind::Int,
        unit: Unit::Milliseconds,
        default: "3000",
        accepts: "milliseconds from 0 to 3600000",
        restart: true,
        doc: "How long the first rebalance of an empty group waits for more members.",
        apply: |c, v| integer(v, 0, 3_600_000).map(|n| c.group_initial_rebalance_delay_ms = n),
        show: |c| c.group_initial_rebalance_delay_ms.to_string(),
    },
    NodeOption {
        name: "group.max.session.timeout.ms",
        kind: ValueKind::Int,
        unit: Unit::Milliseconds,
        default: "1800000",
        accepts: "milliseconds from 1 to 2147483647",
        restart: true,
        doc: "The longest session timeout that a member of a group may ask for.",
        apply: |c, v| integer(v, 1, i32::MAX).map(|n| c.group_session_timeout_ms_max = n),
        show: |c| c.group_session_timeout_ms_max.to_string(),
    },
    NodeOption {
        name: "group.max.size",
        kind: ValueKind::Int,
        unit: Unit::Count,
        default: "2147483647",
        accepts: "a count from 1 to 2147483647",
        restart: true,
        doc: "Members that one group may have.",
        apply: |c, v| integer(v, 1, i32::MAX).map(|n| c.group_size_max = n),
        show: |c| c.group_size_max.to_string(),
    },
    NodeOption {
        name: "group.min.session.timeout.ms",
        kind: ValueKind::Int,
        unit: Unit::Milliseconds,
        default: "6000",
        accepts: "milliseconds from 1 to 2147483647",
        restart: true,
        doc: "The shortest session timeout that a member of a group may ask for.",
        apply: |c, v| integer(v, 1, i32::MAX).map(|n| c.group_session_timeout_ms_min = n),
        show: |c| c.group_session_timeout_ms_min.to_string(),
    },
    NodeOption {
        name: "leader.replication.throttled.rate",
        kind: ValueKind::Long,
        unit: Unit::Bytes,
        default: "9223372036854775807",
        accepts: "bytes per second from 0 to 9223372036854775807",
        restart: false,
        doc: "Kept for reassignments that throttle replicas; no effect on one node.",
        apply: |c, v| integer(v, 0, i64::MAX).map(|n| c.replication_rates_max[1] = n),
        show: |c| c.replication_rates_max[1].to_string(),
    },
    NodeOption {
        name: "listen",
        kind: ValueKind::Text,
        unit: Unit::None,
        default: "127.0.0.1:9092",
        accepts: "HOST:PORT, with port 0 for any free one",
        restart: true,
        doc: "Where Kafka clients connect.",
        apply: |c, v| Endpoint::parse(v).map(|e| c.listen = e),
        show: |c| c.listen.to_string(),
    },
    NodeOption {
        name: "log.cleaner.backoff.ms",
        kind: ValueKind::Long,
        unit: Unit::Milliseconds,
        default: "15000",
        accepts: "milliseconds from 1 to 86400000",
        restart: true,
        doc: "Time between two looks for logs to compact when there was none.",
        apply: |c, v| integer(v, 1, DAY_MS).map(|n| c.log_cleaner_backoff_ms = n),
        show: |c| c.log_cleaner_backoff_ms.to_string(),
    },
    NodeOption {
        name: "log.cleaner.dedupe.buffer.size",
        kind: ValueKind::Long,
        unit: Unit::Bytes,
        default: "134217728",
        accepts: "bytes from 1048576 (1MiB) to 68719476736 (64GiB)",
        restart: true,
        doc: "Memory for the keys of logs that are being compacted, all shards and log directories \
              together: 24 bytes each; a log with more keys is compacted in several passes.",
        apply: |c, v| bytes(v, 1 << 20, 64 << 30).map(|n| c.log_cleaner_dedupe_buffer_bytes = n),
        show: |c| c.log_cleaner_dedupe_buffer_bytes.to_string(),
    },
    NodeOption {
        name: "log.cleaner.enable",
        kind: ValueKind::Boolean,
        unit: Unit::None,
        default: "true",
        accepts: "true or false",
        restart: true,
        doc: "Whether compacted topics are compacted.",
        apply: |c, v| v.parse().ok().map(|b| c.log_cleaner_enable = b),
        show: |c| c.log_cleaner_enable.to_string(),
    },
    NodeOption {
        name: "log.cleaner.io.max.bytes.per.second",
        kind: ValueKind::Double,
        unit: Unit::Bytes,
        default: "1.7976931348623157E308",
        accepts: "a number of bytes from 1024",
        restart: true,
        doc: "What compaction reads and writes at most, all shards together.",
        apply: |c, v| Rate::parse(v).map(|r| c.log_cleaner_io_bytes_per_second_max = r),
        show: |c| c.log_cleaner_io_bytes_per_second_max.to_string(),
    },
    log_directories::DIRECTORIES,
    log_directories::FREE_BYTES,
    log_directories::FREE_PERCENT,
    NodeOption {
        name: "log.flush.offset.checkpoint.interval.ms",
        kind: ValueKind::Int,
        unit: Unit::Milliseconds,
        default: "5000",
        accepts: "milliseconds from 100 to 3600000",
        restart: true,
        doc: "Time between two recovery checkpoints.",
        apply: |c, v| integer(v, 100, 3_600_000).map(|n| c.log_checkpoint_interval_ms = n),
        show: |c| c.log_checkpoint_interval_ms.to_string(),
    },
    NodeOption {
        name: "log.format",
        kind: ValueKind::Text,
        unit: Unit::None,
        default: "text",
        accepts: "'text' or 'json'",
        restart: true,
        doc: "The form of the lines on standard error.",
        apply: |c, v| LogFormat::parse(v).map(|f| c.log_format = f),
        show: |c| c.log_format.to_string(),
    },
    NodeOption {
        name: "log.level",
        kind: ValueKind::Text,
        unit: Unit::None,
        default: "info",
        accepts: "'error', 'warn', 'info', 'debug' or 'trace'",
        restart: false,
        doc: "The least severe line that is written.",
        apply: |c, v| LogLevel::parse(v).map(|l| c.log_level = l),
        show: |c| c.log_level.to_string(),
    },
    NodeOption {
        name: "log.retention.check.interval.ms",
        kind: ValueKind::Long,
        unit: Unit::Milliseconds,
        default: "300000",
        accepts: "milliseconds from 1 to 86400000",
        restart: true,
        doc: "Time between two looks for segments that are past retention.",
        apply: |c, v| integer(v, 1, DAY_MS).map(|n| c.log_retention_check_interval_ms = n),
        show: |c| c.log_retention_check_interval_ms.to_string(),
    },
    NodeOption {
        name: "max.incremental.fetch.session.cache.slots",
        kind: ValueKind::Int,
        unit: Unit::Count,
        default: "1000",
        accepts: "a count from 0 to 100000",
        restart: true,
        doc: "Incremental fetch sessions that are kept; without a slot a client sends full requests.",
        apply: |c, v| integer(v, 0, 100_000).map(|n| c.fetch_session_slots_max = n),
        show: |c| c.fetch_session_slots_max.to_string(),
    },
    memory::BUFFERS_BYTES,
    memory::CHUNK_BYTES,
    memory::GC_THRESHOLD,
    memory::HUGEPAGES,
    memory::INITIAL_BYTES,
    memory::PREWARM,
    memory::REGION_BYTES,
    memory::REGION_DIR,
    NodeOption {
        name: "metrics.listen",
        kind: ValueKind::Text,
        unit: Unit::None,
        default: "127.0.0.1:0",
        accepts: "HOST:PORT, with port 0 for any free one",
        restart: true,
        doc: "Where the control plane serves metrics and health (HTTP: /metrics, /healthz, /readyz).",
        apply: |c, v| Endpoint::parse(v).map(|e| c.metrics_listen = e),
        show: |c| c.metrics_listen.to_string(),
    },
    network::ADDRESS,
    network::AFXDP_BUSY_POLL,
    network::AFXDP_COPY,
    network::AFXDP_MODE,
    network::AFXDP_RING,
    network::CAPTURE,
    network::DPDK_ARGS,
    network::DRIVER,
    network::GATEWAY,
    network::INTERFACE,
    network::TCP_CONGESTION,
    network::VLAN,
    NodeOption {
        name: "node.id",
        kind: ValueKind::Int,
        unit: Unit::None,
        default: "1",
        accepts: "a number from 0 to 2147483647",
        restart: true,
        doc: "This node's broker id; no two nodes of a cluster share one.",
        apply: |c, v| integer(v, 0, i32::MAX).map(|n| c.node_id = n),
        show: |c| c.node_id.to_string(),
    },
    NodeOption {
        name: "num.partitions",
        kind: ValueKind::Int,
        unit: Unit::Count,
        default: "1",
        accepts: "a count from 1 to 100000",
        restart: false,
        doc: "Partitions of a topic that does not say how many.",
        apply: |c, v| integer(v, 1, 100_000).map(|n| c.num_partitions = n),
        show: |c| c.num_partitions.to_string(),
    },
    NodeOption {
        name: "offset.metadata.max.bytes",
        kind: ValueKind::Int,
        unit: Unit::Bytes,
        default: "4096",
        accepts: "bytes from 0 to 1048576",
        restart: true,
        doc: "Longest metadata that may be committed with an offset.",
        apply: |c, v| integer(v, 0, 1 << 20).map(|n| c.offset_metadata_bytes_max = n),
        show: |c| c.offset_metadata_bytes_max.to_string(),
    },
    NodeOption {
        name: "offsets.retention.check.interval.ms",
        kind: ValueKind::Long,
        unit: Unit::Milliseconds,
        default: "600000",
        accepts: "milliseconds from 1 to 86400000",
        restart: true,
        doc: "Time between two looks for committed offsets that are past their retention.",
        apply: |c, v| integer(v, 1, DAY_MS).map(|n| c.offsets_retention_check_interval_ms = n),
        show: |c| c.offsets_retention_check_interval_ms.to_string(),
    },
    NodeOption {
        name: "offsets.retention.minutes",
        kind: ValueKind::Int,
        unit: Unit::None,
        default: "10080",
        accepts: "minutes from 1 to 2147483647",
        restart: true,
        doc: "How long the committed offsets of a group without members are kept.",
        apply: |c, v| integer(v, 1, i32::MAX).map(|n| c.offsets_retention_minutes = n),
        show: |c| c.offsets_retention_minutes.to_string(),
    },
    NodeOption {
        name: "offsets.topic.num.partitions",
        kind: ValueKind::Int,
        unit: Unit::Count,
        default: "50",
        accepts: "a count from 1 to 1000",
        restart: true,
        doc: "Partitions of __consumer_offsets, when it is made.",
        apply: |c, v| integer(v, 1, 1_000).map(|n| c.offsets_topic_partitions = n),
        show: |c| c.offsets_topic_partitions.to_string(),
    },
    NodeOption {
        name: "offsets.topic.replication.factor",
        kind: ValueKind::Short,
        unit: Unit::Count,
        default: "3",
        accepts: "a count from 1 to 32767",
        restart: true,
        doc: "Replicas of __consumer_offsets, when it is made; fewer where there are fewer brokers.",
        apply: |c, v| integer(v, 1, i16::MAX).map(|n| c.offsets_topic_replication_factor = n),
        show: |c| c.offsets_topic_replication_factor.to_string(),
    },
    NodeOption {
        name: "offsets.topic.segment.bytes",
        kind: ValueKind::Int,
        unit: Unit::Bytes,
        default: "104857600",
        accepts: "bytes from 1048576 (1MiB) to 2147483647",
        restart: true,
        doc: "Size of a segment of __consumer_offsets, when it is made.",
        apply: |c, v| {
            bytes(v, 1 << 20, i32::MAX as u64).map(|n| c.offsets_topic_segment_bytes = n as u32)
        },
        show: |c| c.offsets_topic_segment_bytes.to_string(),
    },
    cold::BACKOFF,
    cold::CPU,
    cold::RATE,
    NodeOption {
        name: "producer.id.expiration.ms",
        kind: ValueKind::Int,
        unit: Unit::Milliseconds,
        default: "86400000",
        accepts: "milliseconds from 1 to 31536000000",
        restart: true,
        doc: "How long the sequence numbers of a silent idempotent producer are remembered.",
        apply: |c, v| integer(v, 1, 365 * DAY_MS).map(|n| c.producer_id_expiration_ms = n),
        show: |c| c.producer_id_expiration_ms.to_string(),
    },
    rdma::ACCESS_BYTES,
    rdma::ACCESS_TIMEOUT_MS,
    rdma::CLIENTS_MAX,
    rdma::FOLLOW_BYTES,
    rdma::LISTEN,
    NodeOption {
        name: "replica.alter.log.dirs.io.max.bytes.per.second",
        kind: ValueKind::Long,
        unit: Unit::Bytes,
        default: "9223372036854775807",
        accepts: "bytes per second from 0 to 9223372036854775807",
        restart: false,
        doc: "Kept for reassignments that throttle replicas; no effect on one node.",
        apply: |c, v| integer(v, 0, i64::MAX).map(|n| c.replication_rates_max[2] = n),
        show: |c| c.replication_rates_max[2].to_string(),
    },
    shm::CLIENTS_MAX,
    shm::ENABLED,
    shm::GROUP,
    shm::RING_BYTES,
    shm::SOCKET,
    NodeOption {
        name: "socket.request.max.bytes",
        kind: ValueKind::Int,
        unit: Unit::Bytes,
        default: "104857600",
        accepts: "bytes from 1024 to 1073741824 (1GiB)",
        restart: false,
        doc: "The longest request; a connection that announces a longer one is closed.",
        apply: |c, v| {
            let size = bytes(v, 1024, 1 << 30)?;
            c.socket_request_bytes_max = u32::try_from(size).ok()?;
            Some(())
        },
        show: |c| c.socket_request_bytes_max.to_string(),
    },
    NodeOption {
        name: "storage.direct.io",
        kind: ValueKind::Text,
        unit: Unit::None,
        default: "auto",
        accepts: "'auto', 'on' or 'off'",
        restart: true,
        doc: "Whether segments are written past the page cache: where it works, always, never.",
        apply: |c, v| Switch::parse(v).map(|s| c.storage_direct_io = s),
        show: |c| c.storage_direct_io.to_string(),
    },
    NodeOption {
        name: "telemetry.max.bytes",
        kind: ValueKind::Int,
        unit: Unit::Bytes,
        default: "1048576",
        accepts: "bytes from 1 to 16777216 (16MiB)",
        restart: false,
        doc: "The longest push of a client's metrics, as it is sent: mostly compressed.",
        apply: |c, v| {
            c.telemetry_bytes_max = u32::try_from(bytes(v, 1, 16 << 20)?).ok()?;
            Some(())
        },
        show: |c| c.telemetry_bytes_max.to_string(),
    },
];

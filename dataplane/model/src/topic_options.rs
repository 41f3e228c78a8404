//! The topic-level options, as one table: name, type, default, bounds, one sentence.

use crate::ValueKind;
use crate::log_config::{
    CleanupPolicy, ColdCompression, CompressionType, Effect, FlushPolicy, Ratio, TimestampType,
    TopicOption,
};

fn integer<T: std::str::FromStr + PartialOrd>(text: &str, low: T, high: T) -> Option<T> {
    text.trim()
        .parse::<T>()
        .ok()
        .filter(|n| *n >= low && *n <= high)
}

/// A value that is checked and that [`LogConfig`] does not hold.
fn only<T>(value: Option<T>) -> Option<()> {
    value.map(drop)
}

fn boolean(text: &str) -> Option<()> {
    only(text.trim().parse::<bool>().ok())
}

/// A codec's level, or -1 for its own.
fn level(text: &str, low: i32, high: i32) -> Option<i32> {
    integer(text, low, high).or_else(|| integer(text, -1, -1))
}

/// Kafka's list of replicas to throttle: `0:101,0:102`, `*` for all, empty for none.
fn throttled_replicas(text: &str) -> Option<()> {
    let number = |text: &str| integer::<i32>(text, 0, i32::MAX);
    let pair = |item: &str| {
        let (partition, broker) = item.split_once(':')?;
        only(number(partition).zip(number(broker)))
    };
    match text.trim() {
        "" | "*" | "none" => Some(()),
        pairs => pairs
            .split(',')
            .all(|item| pair(item).is_some())
            .then_some(()),
    }
}

/// Every topic-level option that is served, in order of name.
pub const TOPIC_OPTIONS: &[TopicOption] = &[
    TopicOption {
        name: "cleanup.policy",
        kind: ValueKind::List,
        effect: Effect::InForce,
        default: "delete",
        accepts: "'delete', 'compact', both with a comma, or '' to keep everything",
        doc: "What becomes of old records: segments past retention are removed, all but the latest record of each key are removed, or both.",
        apply: |c, v| CleanupPolicy::parse(v).map(|policy| c.cleanup_policy = policy),
        show: |c| c.cleanup_policy.name().to_owned(),
    },
    TopicOption {
        name: "compression.gzip.level",
        kind: ValueKind::Int,
        effect: Effect::InForce,
        default: "-1",
        accepts: "a level from 1 to 9, or -1 for the codec's own",
        doc: "Level of gzip when the broker compresses.",
        apply: |c, v| level(v, 1, 9).map(|n| c.compression_gzip_level = n),
        show: |c| c.compression_gzip_level.to_string(),
    },
    TopicOption {
        name: "compression.lz4.level",
        kind: ValueKind::Int,
        effect: Effect::InForce,
        default: "9",
        accepts: "a level from 1 to 17",
        doc: "Level of lz4 when the broker compresses: 9 is the fast compressor, all others the high one.",
        apply: |c, v| integer(v, 1, 17).map(|n| c.compression_lz4_level = n),
        show: |c| c.compression_lz4_level.to_string(),
    },
    TopicOption {
        name: "compression.type",
        kind: ValueKind::Text,
        effect: Effect::InForce,
        default: "producer",
        accepts: "'producer', 'uncompressed', 'gzip', 'snappy', 'lz4' or 'zstd'",
        doc: "The codec of stored batches: what comes in another one the broker compresses anew; 'producer' keeps what the client sent.",
        apply: |c, v| CompressionType::parse(v).map(|t| c.compression_type = t),
        show: |c| c.compression_type.name().to_owned(),
    },
    TopicOption {
        name: "compression.zstd.level",
        kind: ValueKind::Int,
        effect: Effect::InForce,
        default: "3",
        accepts: "a level from -131072 to 22",
        doc: "Level of zstd when the broker compresses.",
        apply: |c, v| integer(v, -131_072, 22).map(|n| c.compression_zstd_level = n),
        show: |c| c.compression_zstd_level.to_string(),
    },
    TopicOption {
        name: "delete.retention.ms",
        kind: ValueKind::Long,
        effect: Effect::InForce,
        default: "86400000",
        accepts: "milliseconds from 0",
        doc: "How long a tombstone stays after compaction first met it.",
        apply: |c, v| integer(v, 0, i64::MAX).map(|n| c.delete_retention_ms = n),
        show: |c| c.delete_retention_ms.to_string(),
    },
    TopicOption {
        name: "file.delete.delay.ms",
        kind: ValueKind::Long,
        effect: Effect::Void,
        default: "60000",
        accepts: "milliseconds from 0",
        doc: "How long Kafka keeps a removed file; here it goes at once.",
        apply: |_, v| only(integer(v, 0, i64::MAX)),
        show: |_| "60000".to_owned(),
    },
    TopicOption {
        name: "flush.messages",
        kind: ValueKind::Long,
        effect: Effect::InForce,
        default: "9223372036854775807",
        accepts: "9223372036854775807 alone: flush.policy, flush.ms and precursor.flush.bytes say when a log is synced",
        doc: "Records after which a log is synced.",
        apply: |_, v| (v.trim() == "9223372036854775807").then_some(()),
        show: |_| "9223372036854775807".to_owned(),
    },
    TopicOption {
        name: "flush.ms",
        kind: ValueKind::Long,
        effect: Effect::InForce,
        default: "1000",
        accepts: "milliseconds from 1",
        doc: "Longest time between two fdatasyncs of a log under the interval policy.",
        apply: |c, v| integer(v, 1, i64::MAX).map(|n| c.flush_interval_ms = n),
        show: |c| c.flush_interval_ms.to_string(),
    },
    TopicOption {
        name: "flush.policy",
        kind: ValueKind::Text,
        effect: Effect::InForce,
        default: "os",
        accepts: "'every-write', 'interval' or 'os'",
        doc: "When an append is answered relative to the disk; 'os' is what Kafka does.",
        apply: |c, v| {
            c.flush_policy = match v.trim() {
                "every-write" => FlushPolicy::EveryWrite,
                "interval" => FlushPolicy::Interval,
                "os" => FlushPolicy::Os,
                _ => return None,
            };
            Some(())
        },
        show: |c| {
            match c.flush_policy {
                FlushPolicy::EveryWrite => "every-write",
                FlushPolicy::Interval => "interval",
                FlushPolicy::Os => "os",
            }
            .to_owned()
        },
    },
    TopicOption {
        name: "follower.replication.throttled.replicas",
        kind: ValueKind::List,
        effect: Effect::Void,
        default: "",
        accepts: "PARTITION:BROKER pairs with commas, '*' or ''",
        doc: "Replicas whose catching up is throttled on the follower's side.",
        apply: |_, v| throttled_replicas(v),
        show: |_| "".to_owned(),
    },
    TopicOption {
        name: "index.interval.bytes",
        kind: ValueKind::Int,
        effect: Effect::InForce,
        default: "4096",
        accepts: "bytes from 0 to 2147483647",
        doc: "Bytes of log between two entries of the offset index.",
        apply: |c, v| integer(v, 0, i32::MAX as u32).map(|n| c.index_interval_bytes = n),
        show: |c| c.index_interval_bytes.to_string(),
    },
    TopicOption {
        name: "leader.replication.throttled.replicas",
        kind: ValueKind::List,
        effect: Effect::Void,
        default: "",
        accepts: "PARTITION:BROKER pairs with commas, '*' or ''",
        doc: "Replicas whose catching up is throttled on the leader's side.",
        apply: |_, v| throttled_replicas(v),
        show: |_| "".to_owned(),
    },
    TopicOption {
        name: "local.retention.bytes",
        kind: ValueKind::Long,
        effect: Effect::Void,
        default: "-2",
        accepts: "bytes from 0, -1 for no limit or -2 for retention.bytes",
        doc: "Size that stays on the node when older segments are on a remote tier.",
        apply: |_, v| only(integer(v, -2, i64::MAX)),
        show: |_| "-2".to_owned(),
    },
    TopicOption {
        name: "local.retention.ms",
        kind: ValueKind::Long,
        effect: Effect::Void,
        default: "-2",
        accepts: "milliseconds from 0, -1 for no limit or -2 for retention.ms",
        doc: "Age that stays on the node when older segments are on a remote tier.",
        apply: |_, v| only(integer(v, -2, i64::MAX)),
        show: |_| "-2".to_owned(),
    },
    TopicOption {
        name: "max.compaction.lag.ms",
        kind: ValueKind::Long,
        effect: Effect::InForce,
        default: "9223372036854775807",
        accepts: "milliseconds from 1",
        doc: "Longest time that a record of a compacted topic stays out of compaction's reach.",
        apply: |c, v| integer(v, 1, i64::MAX).map(|n| c.max_compaction_lag_ms = n),
        show: |c| c.max_compaction_lag_ms.to_string(),
    },
    TopicOption {
        name: "max.message.bytes",
        kind: ValueKind::Int,
        effect: Effect::InForce,
        default: "1048588",
        accepts: "bytes from 0 to 104857600",
        doc: "Largest record batch, with its header, that the topic takes.",
        apply: |c, v| integer(v, 0, 104_857_600).map(|n| c.max_message_bytes = n),
        show: |c| c.max_message_bytes.to_string(),
    },
    TopicOption {
        name: "message.timestamp.after.max.ms",
        kind: ValueKind::Long,
        effect: Effect::InForce,
        default: "3600000",
        accepts: "3600000 alone: records are not refused by their timestamps yet",
        doc: "How far in the future a record's timestamp may lie.",
        apply: |_, v| (v.trim() == "3600000").then_some(()),
        show: |_| "3600000".to_owned(),
    },
    TopicOption {
        name: "message.timestamp.before.max.ms",
        kind: ValueKind::Long,
        effect: Effect::InForce,
        default: "9223372036854775807",
        accepts: "9223372036854775807 alone: records are not refused by their timestamps yet",
        doc: "How far in the past a record's timestamp may lie.",
        apply: |_, v| (v.trim() == "9223372036854775807").then_some(()),
        show: |_| "9223372036854775807".to_owned(),
    },
    TopicOption {
        name: "message.timestamp.type",
        kind: ValueKind::Text,
        effect: Effect::InForce,
        default: "CreateTime",
        accepts: "'CreateTime' or 'LogAppendTime'",
        doc: "Whether timestamps are the producer's or the broker's.",
        apply: |c, v| {
            c.message_timestamp_type = match v.trim() {
                "CreateTime" => TimestampType::CreateTime,
                "LogAppendTime" => TimestampType::LogAppendTime,
                _ => return None,
            };
            Some(())
        },
        show: |c| format!("{:?}", c.message_timestamp_type),
    },
    TopicOption {
        name: "min.cleanable.dirty.ratio",
        kind: ValueKind::Double,
        effect: Effect::InForce,
        default: "0.5",
        accepts: "a share from 0 to 1",
        doc: "Share of a log that was never compacted at which it is.",
        apply: |c, v| {
            v.trim()
                .parse()
                .ok()
                .and_then(Ratio::new)
                .map(|r| c.min_cleanable_dirty_ratio = r)
        },
        show: |c| format!("{:?}", c.min_cleanable_dirty_ratio.value()),
    },
    TopicOption {
        name: "min.compaction.lag.ms",
        kind: ValueKind::Long,
        effect: Effect::InForce,
        default: "0",
        accepts: "milliseconds from 0",
        doc: "How long a record stays out of compaction's reach.",
        apply: |c, v| integer(v, 0, i64::MAX).map(|n| c.min_compaction_lag_ms = n),
        show: |c| c.min_compaction_lag_ms.to_string(),
    },
    TopicOption {
        name: "min.insync.replicas",
        kind: ValueKind::Int,
        effect: Effect::InForce,
        default: "1",
        accepts: "a count from 1 to 32767",
        doc: "Replicas that must hold a record before acks=all is answered.",
        apply: |c, v| integer(v, 1, 32_767).map(|n| c.min_insync_replicas = n),
        show: |c| c.min_insync_replicas.to_string(),
    },
    TopicOption {
        name: "preallocate",
        kind: ValueKind::Boolean,
        effect: Effect::Void,
        default: "false",
        accepts: "true or false",
        doc: "Whether Kafka makes segment files at full size; here files grow in large steps always.",
        apply: |_, v| boolean(v),
        show: |_| "false".to_owned(),
    },
    TopicOption {
        name: "precursor.cold.compression.chunk.bytes",
        kind: ValueKind::Int,
        effect: Effect::InForce,
        default: "65536",
        accepts: "bytes from 4096 (4KiB) to 1048576 (1MiB)",
        doc: "Bytes of a cold segment that are compressed together, and decompressed together when one of them is read.",
        apply: |c, v| integer(v, 4 << 10, 1 << 20).map(|n| c.cold_compression_chunk_bytes = n),
        show: |c| c.cold_compression_chunk_bytes.to_string(),
    },
    TopicOption {
        name: "precursor.cold.compression.level",
        kind: ValueKind::Int,
        effect: Effect::InForce,
        default: "-1",
        accepts: "a level from 0 to 22, or -1 for the codec's own",
        doc: "Level of cold compression: zstd to 22, brotli to 11, lzma to 9, higher ones count as these; adaptive has its own.",
        apply: |c, v| level(v, 0, 22).map(|n| c.cold_compression_level = n),
        show: |c| c.cold_compression_level.to_string(),
    },
    TopicOption {
        name: "precursor.cold.compression.min.age.ms",
        kind: ValueKind::Long,
        effect: Effect::InForce,
        default: "3600000",
        accepts: "milliseconds from 0",
        doc: "Age of a segment's newest record from which on the segment is cold.",
        apply: |c, v| integer(v, 0, i64::MAX).map(|n| c.cold_compression_min_age_ms = n),
        show: |c| c.cold_compression_min_age_ms.to_string(),
    },
    TopicOption {
        name: "precursor.cold.compression.type",
        kind: ValueKind::Text,
        effect: Effect::InForce,
        default: "none",
        accepts: "'none', 'zstd', 'zstd-dict', 'brotli', 'lzma' or 'adaptive'",
        doc: "What sealed segments are compressed with in the background once they are cold; clients get the batches as they were. Compacted topics are left out.",
        apply: |c, v| ColdCompression::parse(v).map(|t| c.cold_compression = t),
        show: |c| c.cold_compression.name().to_owned(),
    },
    TopicOption {
        name: "precursor.flush.bytes",
        kind: ValueKind::Long,
        effect: Effect::InForce,
        default: "9223372036854775807",
        accepts: "bytes from 1",
        doc: "Bytes not synced yet at which the interval policy syncs a log before flush.ms is over.",
        apply: |c, v| integer(v, 1, i64::MAX).map(|n| c.flush_bytes = n),
        show: |c| c.flush_bytes.to_string(),
    },
    TopicOption {
        name: "remote.log.copy.disable",
        kind: ValueKind::Boolean,
        effect: Effect::Void,
        default: "false",
        accepts: "true or false",
        doc: "Whether segments stop being copied to a remote tier.",
        apply: |_, v| boolean(v),
        show: |_| "false".to_owned(),
    },
    TopicOption {
        name: "remote.log.delete.on.disable",
        kind: ValueKind::Boolean,
        effect: Effect::Void,
        default: "false",
        accepts: "true or false",
        doc: "Whether a remote tier is emptied when it is turned off.",
        apply: |_, v| boolean(v),
        show: |_| "false".to_owned(),
    },
    TopicOption {
        name: "remote.storage.enable",
        kind: ValueKind::Boolean,
        effect: Effect::InForce,
        default: "false",
        accepts: "false alone: there is no remote tier yet",
        doc: "Whether old segments move to a remote tier.",
        apply: |_, v| (v.trim() == "false").then_some(()),
        show: |_| "false".to_owned(),
    },
    TopicOption {
        name: "retention.bytes",
        kind: ValueKind::Long,
        effect: Effect::InForce,
        default: "-1",
        accepts: "bytes from 0, or -1 for no limit",
        doc: "Size of a partition past which its oldest segments are removed.",
        apply: |c, v| integer(v, -1, i64::MAX).map(|n| c.retention_bytes = n),
        show: |c| c.retention_bytes.to_string(),
    },
    TopicOption {
        name: "retention.ms",
        kind: ValueKind::Long,
        effect: Effect::InForce,
        default: "604800000",
        accepts: "milliseconds from 0, or -1 for no limit",
        doc: "Age past which a segment is removed, by its newest record's timestamp.",
        apply: |c, v| integer(v, -1, i64::MAX).map(|n| c.retention_ms = n),
        show: |c| c.retention_ms.to_string(),
    },
    TopicOption {
        name: "segment.bytes",
        kind: ValueKind::Int,
        effect: Effect::InForce,
        default: "1073741824",
        accepts: "bytes from 1048576 to 2147483647",
        doc: "Size at which a segment is closed and the next begun.",
        apply: |c, v| integer(v, 1 << 20, i32::MAX as u32).map(|n| c.segment_bytes = n),
        show: |c| c.segment_bytes.to_string(),
    },
    TopicOption {
        name: "segment.index.bytes",
        kind: ValueKind::Int,
        effect: Effect::InForce,
        default: "10485760",
        accepts: "bytes from 4 to 2147483647",
        doc: "Size of an offset index at which its segment is closed.",
        apply: |c, v| integer(v, 4, i32::MAX as u32).map(|n| c.segment_index_bytes = n),
        show: |c| c.segment_index_bytes.to_string(),
    },
    TopicOption {
        name: "segment.jitter.ms",
        kind: ValueKind::Long,
        effect: Effect::InForce,
        default: "0",
        accepts: "0 alone: segments are not closed at random times",
        doc: "Random time by which a segment is closed earlier.",
        apply: |_, v| (v.trim() == "0").then_some(()),
        show: |_| "0".to_owned(),
    },
    TopicOption {
        name: "segment.ms",
        kind: ValueKind::Long,
        effect: Effect::InForce,
        default: "604800000",
        accepts: "milliseconds from 1",
        doc: "Age at which a segment is closed even when it is small.",
        apply: |c, v| integer(v, 1, i64::MAX).map(|n| c.segment_ms = n),
        show: |c| c.segment_ms.to_string(),
    },
    TopicOption {
        name: "unclean.leader.election.enable",
        kind: ValueKind::Boolean,
        effect: Effect::Void,
        default: "false",
        accepts: "true or false",
        doc: "Whether a replica that is behind may become the leader.",
        apply: |_, v| boolean(v),
        show: |_| "false".to_owned(),
    },
];

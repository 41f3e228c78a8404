//! The topic-level options, as one table: name, unit, default, bounds, one sentence.

use crate::{ValueKind, nearest_name};
use std::fmt;

/// Whose clock a batch's timestamps are (`message.timestamp.type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimestampType {
    CreateTime,
    LogAppendTime,
}

/// What becomes of old records (`cleanup.policy`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CleanupPolicy {
    /// Remove segments past retention.
    Delete,
    /// Keep the latest record of each key.
    Compact,
    CompactAndDelete,
    /// Keep everything.
    Keep,
}

impl CleanupPolicy {
    /// Whether segments past retention are removed.
    pub fn deletes(self) -> bool {
        matches!(
            self,
            CleanupPolicy::Delete | CleanupPolicy::CompactAndDelete
        )
    }

    /// Whether superseded records are removed, and every record must have a key.
    pub fn compacts(self) -> bool {
        matches!(
            self,
            CleanupPolicy::Compact | CleanupPolicy::CompactAndDelete
        )
    }

    /// Kafka's list: policies in any order, each at most once; empty keeps everything.
    fn parse(text: &str) -> Option<CleanupPolicy> {
        let (mut compacts, mut deletes) = (false, false);
        for word in text.split(',').map(str::trim) {
            let seen = match word {
                "compact" => &mut compacts,
                "delete" => &mut deletes,
                "" if text.trim().is_empty() => break,
                _ => return None,
            };
            if std::mem::replace(seen, true) {
                return None;
            }
        }
        Some(match (compacts, deletes) {
            (true, true) => CleanupPolicy::CompactAndDelete,
            (true, false) => CleanupPolicy::Compact,
            (false, true) => CleanupPolicy::Delete,
            (false, false) => CleanupPolicy::Keep,
        })
    }

    fn name(self) -> &'static str {
        match self {
            CleanupPolicy::Delete => "delete",
            CleanupPolicy::Compact => "compact",
            CleanupPolicy::CompactAndDelete => "compact,delete",
            CleanupPolicy::Keep => "",
        }
    }
}

/// A share from 0 to 1; never NaN.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Ratio(f64);

impl Eq for Ratio {}

impl Ratio {
    /// `None` outside 0 to 1.
    pub fn new(share: f64) -> Option<Ratio> {
        (0.0..=1.0).contains(&share).then_some(Ratio(share))
    }

    pub fn value(self) -> f64 {
        self.0
    }
}

/// When an append is answered relative to the disk (`flush.policy`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlushPolicy {
    /// The answer waits for one fdatasync shared by all that wait.
    EveryWrite,
    /// Answered at publication; fdatasync at least every `flush.ms`.
    Interval,
    /// Answered at publication; written soon, synced when the operating system likes.
    Os,
}

/// What setting an option does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It is part of [`LogConfig`] and obeyed.
    InForce,
    /// Taken, kept and shown; what it governs in Kafka does not exist here (yet): replicas on other
    /// nodes, tiers, files that linger. [`LogConfig`] does not hold it.
    Void,
}

/// One topic-level option.
pub struct TopicOption {
    pub name: &'static str,
    pub kind: ValueKind,
    pub effect: Effect,
    pub default: &'static str,
    /// What a value may be: for messages and documents.
    pub accepts: &'static str,
    pub doc: &'static str,
    apply: fn(&mut LogConfig, &str) -> Option<()>,
    show: fn(&LogConfig) -> String,
}

impl TopicOption {
    /// The option's value within a configuration, as Kafka would print it.
    pub fn value_in(&self, config: &LogConfig) -> String {
        (self.show)(config)
    }
}

/// A topic's options in force, one plain struct for the data plane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogConfig {
    pub cleanup_policy: CleanupPolicy,
    pub delete_retention_ms: i64,
    pub flush_policy: FlushPolicy,
    pub flush_interval_ms: i64,
    pub index_interval_bytes: u32,
    pub max_compaction_lag_ms: i64,
    pub max_message_bytes: u32,
    pub message_timestamp_type: TimestampType,
    pub min_cleanable_dirty_ratio: Ratio,
    pub min_compaction_lag_ms: i64,
    pub min_insync_replicas: u16,
    /// -1 keeps everything.
    pub retention_bytes: i64,
    /// -1 keeps everything.
    pub retention_ms: i64,
    pub segment_bytes: u32,
    pub segment_index_bytes: u32,
    pub segment_ms: i64,
}

/// A refused option or value: names the option, the value and what would be accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigError {
    UnknownOption {
        name: String,
        nearest: &'static str,
    },
    BadValue {
        name: &'static str,
        value: String,
        accepts: &'static str,
    },
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ConfigError::UnknownOption { name, nearest } => {
                write!(
                    f,
                    "unknown topic option '{name}'; did you mean '{nearest}'?"
                )
            }
            ConfigError::BadValue {
                name,
                value,
                accepts,
            } => {
                write!(
                    f,
                    "topic option '{name}' cannot be '{value}': it takes {accepts}"
                )
            }
        }
    }
}

impl std::error::Error for ConfigError {}

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
        effect: Effect::Void,
        default: "-1",
        accepts: "a level from 1 to 9, or -1 for the codec's own",
        doc: "Level of gzip when the broker compresses; it keeps what the producer sent.",
        apply: |_, v| only(level(v, 1, 9)),
        show: |_| "-1".to_owned(),
    },
    TopicOption {
        name: "compression.lz4.level",
        kind: ValueKind::Int,
        effect: Effect::Void,
        default: "9",
        accepts: "a level from 1 to 17",
        doc: "Level of lz4 when the broker compresses; it keeps what the producer sent.",
        apply: |_, v| only(integer(v, 1, 17)),
        show: |_| "9".to_owned(),
    },
    TopicOption {
        name: "compression.type",
        kind: ValueKind::Text,
        effect: Effect::InForce,
        default: "producer",
        accepts: "'producer'",
        doc: "The codec of stored batches; 'producer' keeps what the client sent.",
        apply: |_, v| (v.trim() == "producer").then_some(()),
        show: |_| "producer".to_owned(),
    },
    TopicOption {
        name: "compression.zstd.level",
        kind: ValueKind::Int,
        effect: Effect::Void,
        default: "3",
        accepts: "a level from -131072 to 22",
        doc: "Level of zstd when the broker compresses; it keeps what the producer sent.",
        apply: |_, v| only(integer(v, -131_072, 22)),
        show: |_| "3".to_owned(),
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
        accepts: "9223372036854775807 alone: flush.policy and flush.ms say when a log is synced",
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

impl Default for LogConfig {
    fn default() -> Self {
        let mut config = LogConfig {
            cleanup_policy: CleanupPolicy::Delete,
            delete_retention_ms: 0,
            flush_policy: FlushPolicy::Os,
            flush_interval_ms: 0,
            index_interval_bytes: 0,
            max_compaction_lag_ms: 0,
            max_message_bytes: 0,
            message_timestamp_type: TimestampType::CreateTime,
            min_cleanable_dirty_ratio: Ratio(0.0),
            min_compaction_lag_ms: 0,
            min_insync_replicas: 0,
            retention_bytes: 0,
            retention_ms: 0,
            segment_bytes: 0,
            segment_index_bytes: 0,
            segment_ms: 0,
        };
        for option in TOPIC_OPTIONS {
            let applied = (option.apply)(&mut config, option.default);
            assert!(
                applied.is_some(),
                "the default of {} is out of its own bounds",
                option.name
            );
        }
        config
    }
}

impl LogConfig {
    /// Sets one option by its Kafka name.
    ///
    /// # Errors
    /// The name is not in [`TOPIC_OPTIONS`] or the value is outside the option's bounds.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), ConfigError> {
        let Some(option) = TOPIC_OPTIONS.iter().find(|option| option.name == name) else {
            let nearest = nearest_name(name, TOPIC_OPTIONS.iter().map(|o| o.name));
            return Err(ConfigError::UnknownOption {
                name: name.to_owned(),
                nearest,
            });
        };
        (option.apply)(self, value).ok_or_else(|| ConfigError::BadValue {
            name: option.name,
            value: value.to_owned(),
            accepts: option.accepts,
        })
    }
}

impl LogConfig {
    /// The age at which a segment is closed: a record that must be compacted soon must leave the
    /// active segment first.
    pub fn segment_age_ms_max(&self) -> i64 {
        match self.cleanup_policy.compacts() {
            true => self.segment_ms.min(self.max_compaction_lag_ms),
            false => self.segment_ms,
        }
    }
}

impl TopicOption {
    /// The option of this name.
    pub fn find(name: &str) -> Option<&'static TopicOption> {
        TOPIC_OPTIONS.iter().find(|option| option.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_shows_its_default_and_names_are_sorted() {
        let config = LogConfig::default();
        for option in TOPIC_OPTIONS {
            assert_eq!(option.value_in(&config), option.default, "{}", option.name);
        }
        assert!(
            TOPIC_OPTIONS
                .windows(2)
                .all(|pair| pair[0].name < pair[1].name)
        );
    }

    #[test]
    fn errors_name_the_culprit() {
        let mut config = LogConfig::default();
        let error = config.set("retention.mss", "1").unwrap_err().to_string();
        assert!(error.contains("'retention.ms'"), "{error}");
        let error = config.set("segment.bytes", "12").unwrap_err().to_string();
        assert!(error.contains("1048576"), "{error}");
        assert_eq!(config.set("retention.ms", "-1"), Ok(()));
        assert_eq!(config.retention_ms, -1);
    }

    #[test]
    fn cleanup_policies_are_a_list() {
        let mut config = LogConfig::default();
        for (given, policy, shown) in [
            ("compact", CleanupPolicy::Compact, "compact"),
            ("delete", CleanupPolicy::Delete, "delete"),
            (
                " delete , compact",
                CleanupPolicy::CompactAndDelete,
                "compact,delete",
            ),
            ("", CleanupPolicy::Keep, ""),
        ] {
            assert_eq!(config.set("cleanup.policy", given), Ok(()), "{given}");
            assert_eq!(config.cleanup_policy, policy);
            assert_eq!(TOPIC_OPTIONS[0].value_in(&config), shown);
        }
        for bad in [
            "compact,",
            "delete,delete",
            "Compact",
            "none",
            "compact,,delete",
        ] {
            assert!(config.set("cleanup.policy", bad).is_err(), "{bad}");
        }
        for bad in ["1.5", "-0.1", "NaN", "half"] {
            assert!(
                config.set("min.cleanable.dirty.ratio", bad).is_err(),
                "{bad}"
            );
        }
    }
}

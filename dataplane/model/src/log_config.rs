//! The topic-level options, as one table: name, unit, default, bounds, one sentence.

use crate::topic_options::TOPIC_OPTIONS;
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
    pub(crate) fn parse(text: &str) -> Option<CleanupPolicy> {
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

    pub(crate) fn name(self) -> &'static str {
        match self {
            CleanupPolicy::Delete => "delete",
            CleanupPolicy::Compact => "compact",
            CleanupPolicy::CompactAndDelete => "compact,delete",
            CleanupPolicy::Keep => "",
        }
    }
}

/// The codec of stored batches (`compression.type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompressionType {
    /// Whatever the producer chose.
    Producer,
    Uncompressed,
    Gzip,
    Snappy,
    Lz4,
    Zstd,
}

impl CompressionType {
    pub(crate) fn parse(text: &str) -> Option<CompressionType> {
        Some(match text.trim() {
            "producer" => CompressionType::Producer,
            "uncompressed" => CompressionType::Uncompressed,
            "gzip" => CompressionType::Gzip,
            "snappy" => CompressionType::Snappy,
            "lz4" => CompressionType::Lz4,
            "zstd" => CompressionType::Zstd,
            _ => return None,
        })
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            CompressionType::Producer => "producer",
            CompressionType::Uncompressed => "uncompressed",
            CompressionType::Gzip => "gzip",
            CompressionType::Snappy => "snappy",
            CompressionType::Lz4 => "lz4",
            CompressionType::Zstd => "zstd",
        }
    }
}

/// What sealed segments are compressed with once they are cold (`precursor.cold.compression.type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColdCompression {
    /// They stay as they are.
    None,
    Zstd,
    /// zstd with a dictionary that is trained on the partition's own batches.
    ZstdDict,
    Brotli,
    Lzma,
    /// Whatever gains most for its time of a processor, by trial.
    Adaptive,
}

impl ColdCompression {
    pub(crate) fn parse(text: &str) -> Option<ColdCompression> {
        Some(match text.trim() {
            "none" => ColdCompression::None,
            "zstd" => ColdCompression::Zstd,
            "zstd-dict" => ColdCompression::ZstdDict,
            "brotli" => ColdCompression::Brotli,
            "lzma" => ColdCompression::Lzma,
            "adaptive" => ColdCompression::Adaptive,
            _ => return None,
        })
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            ColdCompression::None => "none",
            ColdCompression::Zstd => "zstd",
            ColdCompression::ZstdDict => "zstd-dict",
            ColdCompression::Brotli => "brotli",
            ColdCompression::Lzma => "lzma",
            ColdCompression::Adaptive => "adaptive",
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
    /// Answered at publication; fdatasync at least every `flush.ms`, and every
    /// `precursor.flush.bytes` where more comes in that time.
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
    pub(crate) apply: fn(&mut LogConfig, &str) -> Option<()>,
    pub(crate) show: fn(&LogConfig) -> String,
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
    pub cold_compression: ColdCompression,
    pub cold_compression_chunk_bytes: u32,
    /// -1: the codec's own; see [`LogConfig::cold_compression_level`].
    pub cold_compression_level: i32,
    pub cold_compression_min_age_ms: i64,
    /// Levels count where the broker compresses (KIP-390). -1: gzip's own.
    pub compression_gzip_level: i32,
    pub compression_lz4_level: i32,
    pub compression_type: CompressionType,
    pub compression_zstd_level: i32,
    pub delete_retention_ms: i64,
    pub flush_policy: FlushPolicy,
    pub flush_interval_ms: i64,
    /// Bytes that are not synced yet at which the interval policy syncs before its time.
    pub flush_bytes: i64,
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

impl Default for LogConfig {
    fn default() -> Self {
        let mut config = LogConfig {
            cleanup_policy: CleanupPolicy::Delete,
            cold_compression: ColdCompression::None,
            cold_compression_chunk_bytes: 0,
            cold_compression_level: 0,
            cold_compression_min_age_ms: 0,
            compression_gzip_level: 0,
            compression_lz4_level: 0,
            compression_type: CompressionType::Producer,
            compression_zstd_level: 0,
            delete_retention_ms: 0,
            flush_policy: FlushPolicy::Os,
            flush_interval_ms: 0,
            flush_bytes: 0,
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
    /// The level that was asked for; `None` leaves it to the codec.
    pub fn cold_compression_level(&self) -> Option<i32> {
        (self.cold_compression_level >= 0).then_some(self.cold_compression_level)
    }

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
    fn compression_types_and_levels_are_kafkas() {
        let mut config = LogConfig::default();
        for name in ["producer", "uncompressed", "gzip", "snappy", "lz4", "zstd"] {
            assert_eq!(config.set("compression.type", name), Ok(()));
            let option = TopicOption::find("compression.type").unwrap();
            assert_eq!(option.value_in(&config), name);
        }
        for bad in ["none", "brotli", "GZIP", ""] {
            assert!(config.set("compression.type", bad).is_err(), "{bad}");
        }
        let bounds = [
            (
                "compression.gzip.level",
                &["-1", "1", "9"][..],
                &["0", "10", "-2"][..],
            ),
            ("compression.lz4.level", &["1", "17"], &["0", "18", "-1"]),
            (
                "compression.zstd.level",
                &["-131072", "0", "22"],
                &["23", "-131073"],
            ),
        ];
        for (name, good, bad) in bounds {
            for level in good {
                assert_eq!(config.set(name, level), Ok(()), "{name} {level}");
                let option = TopicOption::find(name).unwrap();
                assert_eq!(option.value_in(&config), *level);
            }
            for level in bad {
                assert!(config.set(name, level).is_err(), "{name} {level}");
            }
        }
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

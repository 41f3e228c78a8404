//! Differences that are meant, each named in docs/differences.md.

use crate::compare::{Difference, without_numbers};
use precursor_protocol::ApiKey;

/// A difference that is meant.
pub struct Known {
    /// What docs/differences.md says of it under "where", word for word.
    pub name: &'static str,
    pub key: ApiKey,
    /// The field, without numbers of list entries.
    pub field: &'static str,
    /// Whether these two values are the difference that is meant, and no other.
    is_meant: fn(kafka: &str, ours: &str) -> bool,
}

/// All of them.
pub const KNOWN: &[Known] = &[
    Known {
        name: "before version 7 with a compression codec that does not exist",
        key: ApiKey::Produce,
        field: "responses[].partition_responses[].error_code",
        is_meant: |kafka, ours| (kafka, ours) == ("-1", "76"),
    },
    Known {
        name: "which records of a batch have no key though their topic is compacted",
        key: ApiKey::Produce,
        field: "responses[].partition_responses[].record_errors",
        is_meant: |kafka, ours| (kafka, ours) == ("", "[]"),
    },
    Known {
        name: "which records of a batch have no key though their topic is compacted",
        key: ApiKey::Produce,
        field: "responses[].partition_responses[].record_errors[].batch_index",
        is_meant: |_, ours| ours.is_empty(),
    },
    Known {
        name: "a limit that falls into a batch behind the first",
        key: ApiKey::Fetch,
        field: "responses[].partitions[].records[]",
        is_meant: |kafka, ours| {
            kafka.len() > ours.len() && !ours.is_empty() && kafka.starts_with(ours)
        },
    },
    Known {
        name: "the default of `flush.ms`",
        key: ApiKey::DescribeConfigs,
        field: "results[].configs[].value[]",
        is_meant: |kafka, ours| (kafka, ours) == (r#""9223372036854775807""#, r#""1000""#),
    },
    Known {
        name: "an operation that does not exist",
        key: ApiKey::IncrementalAlterConfigs,
        field: "responses[].error_code",
        is_meant: |kafka, ours| (kafka, ours) == ("-1", "42"),
    },
    Known {
        name: SYNONYMS_OF_DEFAULTS,
        key: ApiKey::DescribeConfigs,
        field: "results[].configs[].synonyms",
        is_meant: |kafka, ours| (kafka, ours) == ("[]", ""),
    },
    Known {
        name: SYNONYMS_OF_DEFAULTS,
        key: ApiKey::DescribeConfigs,
        field: "results[].configs[].synonyms[].name",
        is_meant: |kafka, ours| {
            let of_times = [
                "log.retention.ms",
                "log.roll.ms",
                "log.roll.jitter.ms",
                "log.flush.interval.ms",
            ];
            kafka.is_empty() && of_times.contains(&ours.trim_matches('"'))
        },
    },
    Known {
        name: SYNONYMS_OF_DEFAULTS,
        key: ApiKey::DescribeConfigs,
        field: "results[].configs[].synonyms[].value[]",
        is_meant: |kafka, ours| kafka.is_empty() && !ours.is_empty(),
    },
    Known {
        name: SYNONYMS_OF_DEFAULTS,
        key: ApiKey::DescribeConfigs,
        field: "results[].configs[].synonyms[].source",
        is_meant: |kafka, ours| (kafka, ours) == ("", "5"),
    },
];

const SYNONYMS_OF_DEFAULTS: &str =
    "the default of a topic's `retention.ms`, `segment.ms`, `segment.jitter.ms`, `flush.ms`";

/// The name of the known difference that this is.
pub fn find(key: ApiKey, difference: &Difference) -> Option<&'static str> {
    let field = without_numbers(&difference.field);
    let kafka = difference.kafka.as_deref().unwrap_or_default();
    let ours = difference.ours.as_deref().unwrap_or_default();
    let known = KNOWN
        .iter()
        .find(|known| known.key == key && known.field == field && (known.is_meant)(kafka, ours));
    known.map(|known| known.name)
}

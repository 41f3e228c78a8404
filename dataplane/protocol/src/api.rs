//! The API keys: which exist, which are served, in which versions, and by whom.

pub use crate::generated::api_keys::{API_KEYS, ApiKey, ApiKeyFacts};

/// Which process answers a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnsweredBy {
    /// The shard that the connection is on, with what other shards own.
    DataPlane,
    /// The control plane: the shard passes the frame over a ring and its answer back.
    ControlPlane,
}

/// One served API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Served {
    pub key: ApiKey,
    /// What ApiVersions says; may be lower than what is really taken.
    pub version_min_advertised: i16,
    /// Versions below are refused with UNSUPPORTED_VERSION.
    pub version_min: i16,
    pub version_max: i16,
    pub answered_by: AnsweredBy,
}

const fn served(key: ApiKey, version_min: i16, version_max: i16, by: AnsweredBy) -> Served {
    Served {
        key,
        version_min_advertised: version_min,
        version_min,
        version_max,
        answered_by: by,
    }
}

use AnsweredBy::{ControlPlane, DataPlane};

/// Every served API, in order of the key: the one list that dispatch, ApiVersions and the protocol
/// matrix in the documents are made of.
pub const SERVED: &[Served] = &[
    // Advertised from 0 because old librdkafka gives up compressed produce otherwise
    // (KAFKA-18659); the versions below 3 carry message formats that nobody may write any more.
    // Versions 12 and 13 are for whoever uses transactions too; what decides over their second
    // version is the feature `transaction.version`, which is not offered.
    Served {
        version_min_advertised: 0,
        ..served(ApiKey::Produce, 3, 13, DataPlane)
    },
    served(ApiKey::Fetch, 4, 18, DataPlane),
    served(ApiKey::ListOffsets, 1, 11, DataPlane),
    served(ApiKey::Metadata, 0, 13, DataPlane),
    served(ApiKey::OffsetCommit, 2, 10, ControlPlane),
    served(ApiKey::OffsetFetch, 1, 10, ControlPlane),
    served(ApiKey::FindCoordinator, 0, 6, DataPlane),
    served(ApiKey::JoinGroup, 0, 9, ControlPlane),
    served(ApiKey::Heartbeat, 0, 4, ControlPlane),
    served(ApiKey::LeaveGroup, 0, 5, ControlPlane),
    served(ApiKey::SyncGroup, 0, 5, ControlPlane),
    served(ApiKey::DescribeGroups, 0, 6, ControlPlane),
    served(ApiKey::ListGroups, 0, 5, ControlPlane),
    served(ApiKey::ApiVersions, 0, 5, DataPlane),
    served(ApiKey::CreateTopics, 2, 7, ControlPlane),
    served(ApiKey::DeleteTopics, 1, 6, ControlPlane),
    served(ApiKey::DeleteRecords, 0, 2, DataPlane),
    served(ApiKey::InitProducerId, 0, 5, ControlPlane),
    served(ApiKey::OffsetForLeaderEpoch, 2, 4, DataPlane),
    served(ApiKey::DescribeConfigs, 1, 4, ControlPlane),
    served(ApiKey::AlterConfigs, 0, 2, ControlPlane),
    served(ApiKey::DescribeLogDirs, 1, 5, ControlPlane),
    served(ApiKey::CreatePartitions, 0, 3, ControlPlane),
    served(ApiKey::DeleteGroups, 0, 3, ControlPlane),
    served(ApiKey::ElectLeaders, 0, 2, ControlPlane),
    served(ApiKey::IncrementalAlterConfigs, 0, 1, ControlPlane),
    served(ApiKey::AlterPartitionReassignments, 0, 1, ControlPlane),
    served(ApiKey::ListPartitionReassignments, 0, 0, ControlPlane),
    served(ApiKey::OffsetDelete, 0, 0, ControlPlane),
    served(ApiKey::DescribeClientQuotas, 0, 1, ControlPlane),
    served(ApiKey::AlterClientQuotas, 0, 1, ControlPlane),
    served(ApiKey::DescribeCluster, 0, 2, ControlPlane),
    served(ApiKey::DescribeProducers, 0, 0, DataPlane),
    served(ApiKey::GetTelemetrySubscriptions, 0, 0, ControlPlane),
    served(ApiKey::PushTelemetry, 0, 0, ControlPlane),
    served(ApiKey::ListConfigResources, 0, 1, ControlPlane),
    served(ApiKey::DescribeTopicPartitions, 0, 0, ControlPlane),
];

/// The entry of [`SERVED`] for a key from the wire.
pub fn find_served(api_key: i16) -> Option<&'static Served> {
    SERVED.iter().find(|served| served.key.code() == api_key)
}

/// Whether a request and its response have compact lengths and tagged fields (KIP-482).
#[inline]
pub fn flexible(key: ApiKey, version: i16) -> bool {
    version >= key.facts().flexible_from
}

/// Whether a response's header ends in tagged fields: never for ApiVersions (KIP-511).
#[inline]
pub fn flexible_response_header(key: ApiKey, version: i16) -> bool {
    key != ApiKey::ApiVersions && flexible(key, version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn served_is_sorted_and_within_what_can_be_decoded() {
        assert!(SERVED.is_sorted_by_key(|served| served.key.code()));
        for served in SERVED {
            let facts = served.key.facts();
            assert!(served.version_min <= served.version_max, "{served:?}");
            assert!(served.version_min >= facts.version_min, "{served:?}");
            assert!(served.version_max <= facts.version_max, "{served:?}");
            assert!(served.version_min_advertised <= served.version_min);
        }
    }

    #[test]
    fn keys_round_trip() {
        for facts in API_KEYS {
            assert_eq!(ApiKey::from_i16(facts.key.code()), Some(facts.key));
            assert_eq!(facts.key.facts(), facts);
        }
        assert_eq!(ApiKey::from_i16(-1), None);
        assert_eq!(ApiKey::from_i16(i16::MAX), None);
    }
}

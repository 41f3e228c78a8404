// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! ApiVersionsResponse as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::api_versions_response as theirs;
use precursor_protocol::messages::api_versions_response as ours;

impl ToOracle<theirs::ApiVersionsResponse> for ours::ApiVersionsResponse {
    fn to_oracle(&self, version: i16) -> theirs::ApiVersionsResponse {
        let mut theirs = theirs::ApiVersionsResponse::default();
        theirs.error_code = self.error_code.to_oracle(version);
        theirs.api_keys = self.api_keys.to_oracle(version);
        if version >= 1 {
            theirs.throttle_time_ms = self.throttle_time_ms.to_oracle(version);
        }
        if version >= 3 {
            theirs.supported_features = self.supported_features.to_oracle(version);
        }
        if version >= 3 {
            theirs.finalized_features_epoch = self.finalized_features_epoch.to_oracle(version);
        }
        if version >= 3 {
            theirs.finalized_features = self.finalized_features.to_oracle(version);
        }
        if version >= 3 {
            theirs.zk_migration_ready = self.zk_migration_ready.to_oracle(version);
        }
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::ApiVersion> for ours::ApiVersion {
    fn to_oracle(&self, version: i16) -> theirs::ApiVersion {
        let mut theirs = theirs::ApiVersion::default();
        theirs.api_key = self.api_key.to_oracle(version);
        theirs.min_version = self.min_version.to_oracle(version);
        theirs.max_version = self.max_version.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::SupportedFeatureKey> for ours::SupportedFeatureKey {
    fn to_oracle(&self, version: i16) -> theirs::SupportedFeatureKey {
        let mut theirs = theirs::SupportedFeatureKey::default();
        theirs.name = self.name.to_oracle(version);
        theirs.min_version = self.min_version.to_oracle(version);
        theirs.max_version = self.max_version.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::FinalizedFeatureKey> for ours::FinalizedFeatureKey {
    fn to_oracle(&self, version: i16) -> theirs::FinalizedFeatureKey {
        let mut theirs = theirs::FinalizedFeatureKey::default();
        theirs.name = self.name.to_oracle(version);
        theirs.max_version_level = self.max_version_level.to_oracle(version);
        theirs.min_version_level = self.min_version_level.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random ApiVersionsResponse.

use crate::random::{Random, Source};
use precursor_protocol::messages::api_versions_response::*;

impl Random for ApiVersionsResponse {
    fn random(s: &mut Source, version: i16) -> Self {
        let error_code = s.int16();
        let api_keys = s.array(|s| ApiVersion::random(s, version));
        let throttle_time_ms = if version >= 1 { s.int32() } else { 0 };
        let supported_features = if version >= 3 {
            if s.bool() {
                s.array(|s| SupportedFeatureKey::random(s, version))
            } else {
                Vec::new()
            }
        } else {
            Vec::new()
        };
        let finalized_features_epoch = if version >= 3 {
            if s.bool() { s.int64() } else { -1 }
        } else {
            -1
        };
        let finalized_features = if version >= 3 {
            if s.bool() {
                s.array(|s| FinalizedFeatureKey::random(s, version))
            } else {
                Vec::new()
            }
        } else {
            Vec::new()
        };
        let zk_migration_ready = if version >= 3 {
            if s.bool() { s.bool() } else { false }
        } else {
            false
        };
        let unknown_tagged_fields = s.tags(version >= 3, 4);
        ApiVersionsResponse {
            error_code,
            api_keys,
            throttle_time_ms,
            supported_features,
            finalized_features_epoch,
            finalized_features,
            zk_migration_ready,
            unknown_tagged_fields,
        }
    }
}

impl Random for ApiVersion {
    fn random(s: &mut Source, version: i16) -> Self {
        let api_key = s.int16();
        let min_version = s.int16();
        let max_version = s.int16();
        let unknown_tagged_fields = s.tags(version >= 3, 0);
        ApiVersion {
            api_key,
            min_version,
            max_version,
            unknown_tagged_fields,
        }
    }
}

impl Random for SupportedFeatureKey {
    fn random(s: &mut Source, _version: i16) -> Self {
        let name = s.string();
        let min_version = s.int16();
        let max_version = s.int16();
        let unknown_tagged_fields = s.tags(true, 0);
        SupportedFeatureKey {
            name,
            min_version,
            max_version,
            unknown_tagged_fields,
        }
    }
}

impl Random for FinalizedFeatureKey {
    fn random(s: &mut Source, _version: i16) -> Self {
        let name = s.string();
        let max_version_level = s.int16();
        let min_version_level = s.int16();
        let unknown_tagged_fields = s.tags(true, 0);
        FinalizedFeatureKey {
            name,
            max_version_level,
            min_version_level,
            unknown_tagged_fields,
        }
    }
}

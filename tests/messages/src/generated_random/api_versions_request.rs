// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random ApiVersionsRequest.

use crate::random::{Random, Source};
use precursor_protocol::messages::api_versions_request::*;

impl Random for ApiVersionsRequest {
    fn random(s: &mut Source, version: i16) -> Self {
        let client_software_name = if version >= 3 {
            s.string()
        } else {
            String::new()
        };
        let client_software_version = if version >= 3 {
            s.string()
        } else {
            String::new()
        };
        let cluster_id = if version >= 5 {
            s.option(true, |s| s.string())
        } else {
            None
        };
        let node_id = if version >= 5 { s.int32() } else { -1 };
        let unknown_tagged_fields = s.tags(version >= 3, 0);
        ApiVersionsRequest {
            client_software_name,
            client_software_version,
            cluster_id,
            node_id,
            unknown_tagged_fields,
        }
    }
}

// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random ListConfigResourcesRequest.

use crate::random::{Random, Source};
use precursor_protocol::messages::list_config_resources_request::*;

impl Random for ListConfigResourcesRequest {
    fn random(s: &mut Source, version: i16) -> Self {
        let resource_types = if version >= 1 {
            s.array(|s| s.int8())
        } else {
            Vec::new()
        };
        let unknown_tagged_fields = s.tags(true, 0);
        ListConfigResourcesRequest {
            resource_types,
            unknown_tagged_fields,
        }
    }
}

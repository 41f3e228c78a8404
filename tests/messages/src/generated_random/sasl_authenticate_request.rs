// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random SaslAuthenticateRequest.

use crate::random::{Random, Source};
use precursor_protocol::messages::sasl_authenticate_request::*;

impl Random for SaslAuthenticateRequest {
    fn random(s: &mut Source, version: i16) -> Self {
        let auth_bytes = s.bytes();
        let unknown_tagged_fields = s.tags(version >= 2, 0);
        SaslAuthenticateRequest {
            auth_bytes,
            unknown_tagged_fields,
        }
    }
}

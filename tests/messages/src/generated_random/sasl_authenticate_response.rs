// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random SaslAuthenticateResponse.

use crate::random::{Random, Source};
use precursor_protocol::messages::sasl_authenticate_response::*;

impl Random for SaslAuthenticateResponse {
    fn random(s: &mut Source, version: i16) -> Self {
        let error_code = s.int16();
        let error_message = s.option(true, |s| s.string());
        let auth_bytes = s.bytes();
        let session_lifetime_ms = if version >= 1 { s.int64() } else { 0 };
        let unknown_tagged_fields = s.tags(version >= 2, 0);
        SaslAuthenticateResponse {
            error_code,
            error_message,
            auth_bytes,
            session_lifetime_ms,
            unknown_tagged_fields,
        }
    }
}

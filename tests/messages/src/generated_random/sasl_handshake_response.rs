// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random SaslHandshakeResponse.

use crate::random::{Random, Source};
use precursor_protocol::messages::sasl_handshake_response::*;

impl Random for SaslHandshakeResponse {
    fn random(s: &mut Source, _version: i16) -> Self {
        let error_code = s.int16();
        let mechanisms = s.array(|s| s.string());
        SaslHandshakeResponse {
            error_code,
            mechanisms,
        }
    }
}

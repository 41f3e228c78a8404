// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random SaslHandshakeRequest.

use crate::random::{Random, Source};
use precursor_protocol::messages::sasl_handshake_request::*;

impl Random for SaslHandshakeRequest {
    fn random(s: &mut Source, _version: i16) -> Self {
        let mechanism = s.string();
        SaslHandshakeRequest { mechanism }
    }
}

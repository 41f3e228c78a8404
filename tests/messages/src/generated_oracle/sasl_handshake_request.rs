// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! SaslHandshakeRequest as the oracle has it.

use crate::oracle::ToOracle;
use kafka_protocol::messages::sasl_handshake_request as theirs;
use precursor_protocol::messages::sasl_handshake_request as ours;

impl ToOracle<theirs::SaslHandshakeRequest> for ours::SaslHandshakeRequest {
    fn to_oracle(&self, version: i16) -> theirs::SaslHandshakeRequest {
        let mut theirs = theirs::SaslHandshakeRequest::default();
        theirs.mechanism = self.mechanism.to_oracle(version);
        theirs
    }
}

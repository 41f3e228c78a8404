// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! SaslHandshakeResponse as the oracle has it.

use crate::oracle::ToOracle;
use kafka_protocol::messages::sasl_handshake_response as theirs;
use precursor_protocol::messages::sasl_handshake_response as ours;

impl ToOracle<theirs::SaslHandshakeResponse> for ours::SaslHandshakeResponse {
    fn to_oracle(&self, version: i16) -> theirs::SaslHandshakeResponse {
        let mut theirs = theirs::SaslHandshakeResponse::default();
        theirs.error_code = self.error_code.to_oracle(version);
        theirs.mechanisms = self.mechanisms.to_oracle(version);
        theirs
    }
}

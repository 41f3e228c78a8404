// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! SaslAuthenticateResponse as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::sasl_authenticate_response as theirs;
use precursor_protocol::messages::sasl_authenticate_response as ours;

impl ToOracle<theirs::SaslAuthenticateResponse> for ours::SaslAuthenticateResponse {
    fn to_oracle(&self, version: i16) -> theirs::SaslAuthenticateResponse {
        let mut theirs = theirs::SaslAuthenticateResponse::default();
        theirs.error_code = self.error_code.to_oracle(version);
        theirs.error_message = self.error_message.to_oracle(version);
        theirs.auth_bytes = self.auth_bytes.to_oracle(version);
        if version >= 1 {
            theirs.session_lifetime_ms = self.session_lifetime_ms.to_oracle(version);
        }
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! SaslAuthenticateRequest as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::sasl_authenticate_request as theirs;
use precursor_protocol::messages::sasl_authenticate_request as ours;

impl ToOracle<theirs::SaslAuthenticateRequest> for ours::SaslAuthenticateRequest {
    fn to_oracle(&self, version: i16) -> theirs::SaslAuthenticateRequest {
        let mut theirs = theirs::SaslAuthenticateRequest::default();
        theirs.auth_bytes = self.auth_bytes.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

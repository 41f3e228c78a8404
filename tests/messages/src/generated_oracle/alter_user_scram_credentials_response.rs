// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! AlterUserScramCredentialsResponse as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::alter_user_scram_credentials_response as theirs;
use precursor_protocol::messages::alter_user_scram_credentials_response as ours;

impl ToOracle<theirs::AlterUserScramCredentialsResponse>
    for ours::AlterUserScramCredentialsResponse
{
    fn to_oracle(&self, version: i16) -> theirs::AlterUserScramCredentialsResponse {
        let mut theirs = theirs::AlterUserScramCredentialsResponse::default();
        theirs.throttle_time_ms = self.throttle_time_ms.to_oracle(version);
        theirs.results = self.results.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::AlterUserScramCredentialsResult> for ours::AlterUserScramCredentialsResult {
    fn to_oracle(&self, version: i16) -> theirs::AlterUserScramCredentialsResult {
        let mut theirs = theirs::AlterUserScramCredentialsResult::default();
        theirs.user = self.user.to_oracle(version);
        theirs.error_code = self.error_code.to_oracle(version);
        theirs.error_message = self.error_message.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

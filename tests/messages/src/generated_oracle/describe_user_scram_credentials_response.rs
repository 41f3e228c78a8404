// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! DescribeUserScramCredentialsResponse as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::describe_user_scram_credentials_response as theirs;
use precursor_protocol::messages::describe_user_scram_credentials_response as ours;

impl ToOracle<theirs::DescribeUserScramCredentialsResponse>
    for ours::DescribeUserScramCredentialsResponse
{
    fn to_oracle(&self, version: i16) -> theirs::DescribeUserScramCredentialsResponse {
        let mut theirs = theirs::DescribeUserScramCredentialsResponse::default();
        theirs.throttle_time_ms = self.throttle_time_ms.to_oracle(version);
        theirs.error_code = self.error_code.to_oracle(version);
        theirs.error_message = self.error_message.to_oracle(version);
        theirs.results = self.results.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::DescribeUserScramCredentialsResult>
    for ours::DescribeUserScramCredentialsResult
{
    fn to_oracle(&self, version: i16) -> theirs::DescribeUserScramCredentialsResult {
        let mut theirs = theirs::DescribeUserScramCredentialsResult::default();
        theirs.user = self.user.to_oracle(version);
        theirs.error_code = self.error_code.to_oracle(version);
        theirs.error_message = self.error_message.to_oracle(version);
        theirs.credential_infos = self.credential_infos.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::CredentialInfo> for ours::CredentialInfo {
    fn to_oracle(&self, version: i16) -> theirs::CredentialInfo {
        let mut theirs = theirs::CredentialInfo::default();
        theirs.mechanism = self.mechanism.to_oracle(version);
        theirs.iterations = self.iterations.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

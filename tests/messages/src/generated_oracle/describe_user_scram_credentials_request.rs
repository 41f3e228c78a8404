// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! DescribeUserScramCredentialsRequest as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::describe_user_scram_credentials_request as theirs;
use precursor_protocol::messages::describe_user_scram_credentials_request as ours;

impl ToOracle<theirs::DescribeUserScramCredentialsRequest>
    for ours::DescribeUserScramCredentialsRequest
{
    fn to_oracle(&self, version: i16) -> theirs::DescribeUserScramCredentialsRequest {
        let mut theirs = theirs::DescribeUserScramCredentialsRequest::default();
        theirs.users = self.users.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::UserName> for ours::UserName {
    fn to_oracle(&self, version: i16) -> theirs::UserName {
        let mut theirs = theirs::UserName::default();
        theirs.name = self.name.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

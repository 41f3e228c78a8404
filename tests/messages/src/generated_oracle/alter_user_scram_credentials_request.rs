// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! AlterUserScramCredentialsRequest as the oracle has it.

use crate::oracle::{ToOracle, tags};
use kafka_protocol::messages::alter_user_scram_credentials_request as theirs;
use precursor_protocol::messages::alter_user_scram_credentials_request as ours;

impl ToOracle<theirs::AlterUserScramCredentialsRequest> for ours::AlterUserScramCredentialsRequest {
    fn to_oracle(&self, version: i16) -> theirs::AlterUserScramCredentialsRequest {
        let mut theirs = theirs::AlterUserScramCredentialsRequest::default();
        theirs.deletions = self.deletions.to_oracle(version);
        theirs.upsertions = self.upsertions.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::ScramCredentialDeletion> for ours::ScramCredentialDeletion {
    fn to_oracle(&self, version: i16) -> theirs::ScramCredentialDeletion {
        let mut theirs = theirs::ScramCredentialDeletion::default();
        theirs.name = self.name.to_oracle(version);
        theirs.mechanism = self.mechanism.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

impl ToOracle<theirs::ScramCredentialUpsertion> for ours::ScramCredentialUpsertion {
    fn to_oracle(&self, version: i16) -> theirs::ScramCredentialUpsertion {
        let mut theirs = theirs::ScramCredentialUpsertion::default();
        theirs.name = self.name.to_oracle(version);
        theirs.mechanism = self.mechanism.to_oracle(version);
        theirs.iterations = self.iterations.to_oracle(version);
        theirs.salt = self.salt.to_oracle(version);
        theirs.salted_password = self.salted_password.to_oracle(version);
        theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);
        theirs
    }
}

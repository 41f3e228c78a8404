// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random AlterUserScramCredentialsRequest.

use crate::random::{Random, Source};
use precursor_protocol::messages::alter_user_scram_credentials_request::*;

impl Random for AlterUserScramCredentialsRequest {
    fn random(s: &mut Source, version: i16) -> Self {
        let deletions = s.array(|s| ScramCredentialDeletion::random(s, version));
        let upsertions = s.array(|s| ScramCredentialUpsertion::random(s, version));
        let unknown_tagged_fields = s.tags(true, 0);
        AlterUserScramCredentialsRequest {
            deletions,
            upsertions,
            unknown_tagged_fields,
        }
    }
}

impl Random for ScramCredentialDeletion {
    fn random(s: &mut Source, _version: i16) -> Self {
        let name = s.string();
        let mechanism = s.int8();
        let unknown_tagged_fields = s.tags(true, 0);
        ScramCredentialDeletion {
            name,
            mechanism,
            unknown_tagged_fields,
        }
    }
}

impl Random for ScramCredentialUpsertion {
    fn random(s: &mut Source, _version: i16) -> Self {
        let name = s.string();
        let mechanism = s.int8();
        let iterations = s.int32();
        let salt = s.bytes();
        let salted_password = s.bytes();
        let unknown_tagged_fields = s.tags(true, 0);
        ScramCredentialUpsertion {
            name,
            mechanism,
            iterations,
            salt,
            salted_password,
            unknown_tagged_fields,
        }
    }
}

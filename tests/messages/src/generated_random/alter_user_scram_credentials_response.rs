// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random AlterUserScramCredentialsResponse.

use crate::random::{Random, Source};
use precursor_protocol::messages::alter_user_scram_credentials_response::*;

impl Random for AlterUserScramCredentialsResponse {
    fn random(s: &mut Source, version: i16) -> Self {
        let throttle_time_ms = s.int32();
        let results = s.array(|s| AlterUserScramCredentialsResult::random(s, version));
        let unknown_tagged_fields = s.tags(true, 0);
        AlterUserScramCredentialsResponse {
            throttle_time_ms,
            results,
            unknown_tagged_fields,
        }
    }
}

impl Random for AlterUserScramCredentialsResult {
    fn random(s: &mut Source, _version: i16) -> Self {
        let user = s.string();
        let error_code = s.int16();
        let error_message = s.option(true, |s| s.string());
        let unknown_tagged_fields = s.tags(true, 0);
        AlterUserScramCredentialsResult {
            user,
            error_code,
            error_message,
            unknown_tagged_fields,
        }
    }
}

// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random DescribeUserScramCredentialsResponse.

use crate::random::{Random, Source};
use precursor_protocol::messages::describe_user_scram_credentials_response::*;

impl Random for DescribeUserScramCredentialsResponse {
    fn random(s: &mut Source, version: i16) -> Self {
        let throttle_time_ms = s.int32();
        let error_code = s.int16();
        let error_message = s.option(true, |s| s.string());
        let results = s.array(|s| DescribeUserScramCredentialsResult::random(s, version));
        let unknown_tagged_fields = s.tags(true, 0);
        DescribeUserScramCredentialsResponse {
            throttle_time_ms,
            error_code,
            error_message,
            results,
            unknown_tagged_fields,
        }
    }
}

impl Random for DescribeUserScramCredentialsResult {
    fn random(s: &mut Source, version: i16) -> Self {
        let user = s.string();
        let error_code = s.int16();
        let error_message = s.option(true, |s| s.string());
        let credential_infos = s.array(|s| CredentialInfo::random(s, version));
        let unknown_tagged_fields = s.tags(true, 0);
        DescribeUserScramCredentialsResult {
            user,
            error_code,
            error_message,
            credential_infos,
            unknown_tagged_fields,
        }
    }
}

impl Random for CredentialInfo {
    fn random(s: &mut Source, _version: i16) -> Self {
        let mechanism = s.int8();
        let iterations = s.int32();
        let unknown_tagged_fields = s.tags(true, 0);
        CredentialInfo {
            mechanism,
            iterations,
            unknown_tagged_fields,
        }
    }
}

// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.

//! Random DescribeUserScramCredentialsRequest.

use crate::random::{Random, Source};
use precursor_protocol::messages::describe_user_scram_credentials_request::*;

impl Random for DescribeUserScramCredentialsRequest {
    fn random(s: &mut Source, version: i16) -> Self {
        let users = s.option(true, |s| s.array(|s| UserName::random(s, version)));
        let unknown_tagged_fields = s.tags(true, 0);
        DescribeUserScramCredentialsRequest {
            users,
            unknown_tagged_fields,
        }
    }
}

impl Random for UserName {
    fn random(s: &mut Source, _version: i16) -> Self {
        let name = s.string();
        let unknown_tagged_fields = s.tags(true, 0);
        UserName {
            name,
            unknown_tagged_fields,
        }
    }
}

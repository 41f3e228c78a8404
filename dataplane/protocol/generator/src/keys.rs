//! The enum of API keys.

use crate::schema::{Direction, Message};
use std::fmt::Write;

/// The file of the API keys; `messages` in order of the key.
pub fn emit(messages: &[Message]) -> String {
    let requests: Vec<&Message> = messages
        .iter()
        .filter(|m| m.direction == Direction::Request)
        .collect();
    check_twins(messages, &requests);
    let mut out = format!(
        "{}//! The API keys whose messages we know.\n\n",
        crate::HEADING
    );
    emit_enum(&requests, &mut out);
    emit_facts(&requests, &mut out);
    emit_methods(&requests, &mut out);
    out
}

/// A request and its response have the same versions.
fn check_twins(messages: &[Message], requests: &[&Message]) {
    for request in requests {
        let twin = messages
            .iter()
            .find(|m| m.direction == Direction::Response && m.key == request.key)
            .unwrap_or_else(|| panic!("{}: no response", request.name));
        assert_eq!(
            (twin.versions, twin.flexible_from),
            (request.versions, request.flexible_from),
            "{}: its response has other versions",
            request.name
        );
    }
}

fn emit_enum(requests: &[&Message], out: &mut String) {
    out.push_str(
        "/// An API of the Kafka protocol.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(i16)]
        pub enum ApiKey {\n",
    );
    for m in requests {
        let _ = writeln!(out, "{} = {},", m.api(), m.key);
    }
}

fn emit_facts(requests: &[&Message], out: &mut String) {
    out.push_str(
        "}

        /// What is known of a key.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct ApiKeyFacts {
            pub key: ApiKey,
            pub name: &'static str,
            /// The versions that can be read and written; those that are served may be fewer.
            pub version_min: i16,
            pub version_max: i16,
            /// The first version with compact lengths and tagged fields; `i16::MAX` for none.
            pub flexible_from: i16,
        }

        const fn facts(
            key: ApiKey,
            name: &'static str,
            version_min: i16,
            version_max: i16,
            flexible_from: i16,
        ) -> ApiKeyFacts {
            ApiKeyFacts { key, name, version_min, version_max, flexible_from }
        }

        /// Every key, in order.
        pub const API_KEYS: &[ApiKeyFacts] = &[\n",
    );
    for m in requests {
        let flexible = if m.flexible_from == i16::MAX {
            "i16::MAX".to_owned()
        } else {
            m.flexible_from.to_string()
        };
        let _ = writeln!(
            out,
            "facts(ApiKey::{0}, \"{0}\", {1}, {2}, {flexible}),",
            m.api(),
            m.versions.low,
            m.versions.high
        );
    }
}

fn emit_methods(requests: &[&Message], out: &mut String) {
    out.push_str(
        "];

        impl ApiKey {
            /// The key on the wire.
            pub const fn code(self) -> i16 { self as i16 }

            /// The key for a number from the wire.
            #[inline]
            pub const fn from_i16(code: i16) -> Option<ApiKey> {
                Some(match code {\n",
    );
    for m in requests {
        let _ = writeln!(out, "{} => ApiKey::{},", m.key, m.api());
    }
    out.push_str(
        "_ => return None,
                })
            }

            #[inline]
            pub const fn facts(self) -> &'static ApiKeyFacts {
                &API_KEYS[match self {\n",
    );
    for (index, m) in requests.iter().enumerate() {
        let _ = writeln!(out, "ApiKey::{} => {index},", m.api());
    }
    out.push_str("}] }\n\n/// Kafka's name.\npub const fn name(self) -> &'static str { self.facts().name } }\n");
}

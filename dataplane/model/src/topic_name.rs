//! Kafka's rule for topic names.

use std::fmt;

/// Kafka's bound: the directory `<topic>-<partition>` must stay under 255 bytes.
pub const TOPIC_NAME_LENGTH_MAX: usize = 249;

/// Why a topic name is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidTopicName {
    Empty,
    TooLong,
    DotOrDotDot,
    BadCharacter,
}

impl fmt::Display for InvalidTopicName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            InvalidTopicName::Empty => "a topic name must not be empty",
            InvalidTopicName::TooLong => "a topic name must not be longer than 249 characters",
            InvalidTopicName::DotOrDotDot => "a topic name must not be '.' or '..'",
            InvalidTopicName::BadCharacter => {
                "a topic name may hold only ASCII letters and digits, '.', '_' and '-'"
            }
        })
    }
}

impl std::error::Error for InvalidTopicName {}

/// Checks a topic name by Kafka's rules (`org.apache.kafka.common.internals.Topic`).
pub fn validate_topic_name(name: &str) -> Result<(), InvalidTopicName> {
    if name.is_empty() {
        return Err(InvalidTopicName::Empty);
    }
    if name == "." || name == ".." {
        return Err(InvalidTopicName::DotOrDotDot);
    }
    if name.len() > TOPIC_NAME_LENGTH_MAX {
        return Err(InvalidTopicName::TooLong);
    }
    let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    if !name.bytes().all(legal) {
        return Err(InvalidTopicName::BadCharacter);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for good in ["a", "A.b_c-9", &"x".repeat(249)] {
            assert_eq!(validate_topic_name(good), Ok(()));
        }
        for (bad, why) in [
            ("", InvalidTopicName::Empty),
            (".", InvalidTopicName::DotOrDotDot),
            ("..", InvalidTopicName::DotOrDotDot),
            ("a/b", InvalidTopicName::BadCharacter),
            ("a b", InvalidTopicName::BadCharacter),
            ("é", InvalidTopicName::BadCharacter),
            (&"x".repeat(250), InvalidTopicName::TooLong),
        ] {
            assert_eq!(validate_topic_name(bad), Err(why), "{bad}");
        }
    }
}

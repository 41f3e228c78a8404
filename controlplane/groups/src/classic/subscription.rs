//! What consumers subscribe to, out of their metadata (`ConsumerProtocolSubscription`).

use super::ClassicGroup;
use precursor_protocol::DecodeError;
use precursor_protocol::read::Reader;
use std::collections::BTreeSet;

/// The topics at the head of a subscription; every version has them there.
fn topics(metadata: &[u8]) -> Result<impl Iterator<Item = &str>, DecodeError> {
    let mut r = Reader::new(metadata, 0, false);
    let version = r.int16()?;
    if version < 0 {
        return Err(DecodeError::UnsupportedVersion { version });
    }
    r.items::<&str>()
}

impl ClassicGroup {
    /// None: not a consumer group, or a member's metadata cannot be read.
    pub(super) fn compute_subscribed_topics(&self) -> Option<BTreeSet<String>> {
        if !self.uses_consumer_protocol() {
            return None;
        }
        if self.members.is_empty() {
            return Some(BTreeSet::new());
        }
        let protocol = self.protocol.as_deref()?;
        let mut subscribed = BTreeSet::new();
        for member in self.members.values() {
            for topic in topics(member.offer.metadata(protocol)).ok()? {
                if !subscribed.contains(topic) {
                    subscribed.insert(topic.to_owned());
                }
            }
        }
        Some(subscribed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_read_whatever_follows() {
        let metadata = [0, 3, 0, 0, 0, 2, 0, 1, b'a', 0, 2, b'b', b'c', 0xff];
        assert_eq!(topics(&metadata).unwrap().collect::<Vec<_>>(), ["a", "bc"]);
        for end in 0..13 {
            assert!(topics(&metadata[..end]).is_err(), "{end}");
        }
        assert!(topics(&[0xff, 0xff, 0, 0, 0, 0]).is_err());
        assert!(topics(&[0, 0, 0x7f, 0xff, 0xff, 0xff]).is_err());
    }
}

//! A group of the classic protocol.

use super::value_reader;
use precursor_protocol::read::{Read, Reader};
use precursor_protocol::write::{Write, Writer};
use precursor_protocol::{DecodeError, EncodeError};

const VERSION_MAX: i16 = 4;
const FLEXIBLE_FROM: i16 = 4;
/// The highest version without tagged fields, which is what Kafka 4 writes.
const VERSION_DEFAULT: i16 = 3;

/// `GroupMetadataValue`, versions 0 to 4; written as version 3.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupValue {
    /// Empty for a group of simple consumers.
    pub protocol_type: String,
    pub generation: i32,
    pub protocol: Option<String>,
    pub leader: Option<String>,
    /// -1: not told.
    pub current_state_timestamp_ms: i64,
    pub members: Vec<GroupMemberValue>,
}

/// One member in a [`GroupValue`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupMemberValue {
    pub member_id: String,
    pub group_instance_id: Option<String>,
    pub client_id: String,
    pub client_host: String,
    /// -1: not told.
    pub rebalance_timeout_ms: i32,
    pub session_timeout_ms: i32,
    /// The member's metadata for the group's protocol.
    pub subscription: Vec<u8>,
    pub assignment: Vec<u8>,
}

impl GroupValue {
    /// Reads a value of any version.
    ///
    /// # Errors
    /// When the bytes are not such a value.
    pub fn decode(value: &[u8]) -> Result<GroupValue, DecodeError> {
        let mut r = value_reader(value, VERSION_MAX, FLEXIBLE_FROM)?;
        let value = GroupValue {
            protocol_type: r.string()?,
            generation: r.int32()?,
            protocol: r.option_string(true)?,
            leader: r.option_string(true)?,
            current_state_timestamp_ms: if r.version() >= 2 { r.int64()? } else { -1 },
            members: r.array()?,
        };
        r.skip_tags()?;
        Ok(value)
    }

    /// The value's bytes, version 3.
    ///
    /// # Errors
    /// A text is longer than Kafka's strings can be.
    pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        let mut out = Vec::with_capacity(128);
        out.extend_from_slice(&VERSION_DEFAULT.to_be_bytes());
        let mut w = Writer::new(&mut out, VERSION_DEFAULT, false);
        w.string(&self.protocol_type);
        w.int32(self.generation);
        w.option_string(self.protocol.as_deref(), true, "protocol");
        w.option_string(self.leader.as_deref(), true, "leader");
        w.int64(self.current_state_timestamp_ms);
        w.array(&self.members);
        w.finish()?;
        Ok(out)
    }
}

impl Read for GroupMemberValue {
    fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let version = r.version();
        let member = GroupMemberValue {
            member_id: r.string()?,
            group_instance_id: if version >= 3 {
                r.option_string(true)?
            } else {
                None
            },
            client_id: r.string()?,
            client_host: r.string()?,
            rebalance_timeout_ms: if version >= 1 { r.int32()? } else { -1 },
            session_timeout_ms: r.int32()?,
            subscription: r.bytes()?,
            assignment: r.bytes()?,
        };
        r.skip_tags()?;
        Ok(member)
    }
}

impl Write for GroupMemberValue {
    fn write(&self, w: &mut Writer<'_>) {
        w.string(&self.member_id);
        w.option_string(self.group_instance_id.as_deref(), true, "groupInstanceId");
        w.string(&self.client_id);
        w.string(&self.client_host);
        w.int32(self.rebalance_timeout_ms);
        w.int32(self.session_timeout_ms);
        w.bytes(&self.subscription);
        w.bytes(&self.assignment);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_survives_and_damage_is_an_error() {
        let value = GroupValue {
            protocol_type: "consumer".into(),
            generation: 5,
            protocol: Some("range".into()),
            leader: Some("m-1".into()),
            current_state_timestamp_ms: 12,
            members: vec![GroupMemberValue {
                member_id: "m-1".into(),
                group_instance_id: Some("i".into()),
                client_id: "c".into(),
                client_host: "/h".into(),
                rebalance_timeout_ms: 300_000,
                session_timeout_ms: 45_000,
                subscription: vec![1, 2],
                assignment: vec![],
            }],
        };
        let bytes = value.encode().unwrap();
        assert_eq!(GroupValue::decode(&bytes).unwrap(), value);
        for end in 0..bytes.len() {
            assert!(GroupValue::decode(&bytes[..end]).is_err(), "{end}");
        }
    }

    #[test]
    fn version_0_has_no_timeouts_but_the_session() {
        let mut bytes = vec![0, 0, 0, 1, b'c', 0, 0, 0, 2, 0xff, 0xff, 0xff, 0xff];
        bytes.extend_from_slice(&1_i32.to_be_bytes());
        bytes.extend_from_slice(&[0, 1, b'm', 0, 1, b'c', 0, 1, b'h', 0, 0, 0, 9]);
        bytes.extend_from_slice(&[0, 0, 0, 0, 0, 0, 0, 0]);
        let value = GroupValue::decode(&bytes).unwrap();
        assert_eq!(value.current_state_timestamp_ms, -1);
        assert_eq!(value.members[0].rebalance_timeout_ms, -1);
        assert_eq!(value.members[0].session_timeout_ms, 9);
    }
}

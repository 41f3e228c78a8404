//! One member of a classic group.

use crate::command::RequestContext;
use precursor_protocol::messages::JoinGroupRequest;

/// Longest client id that goes into a member's id, and longest host that is kept, bytes.
const CLIENT_TEXT_MAX: usize = 1_024;

/// A request that waits for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Parked {
    pub(crate) token: u64,
    pub(crate) version: i16,
}

/// A protocol that a member offers, and the member's metadata for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OfferedProtocol {
    pub(crate) name: String,
    pub(crate) metadata: Vec<u8>,
}

/// What a JoinGroup says about its member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Offer {
    pub(crate) rebalance_timeout_ms: i32,
    pub(crate) session_timeout_ms: i32,
    /// In the order of preference; no name twice.
    pub(crate) protocols: Vec<OfferedProtocol>,
}

#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) instance_id: Option<String>,
    pub(crate) client_id: String,
    pub(crate) client_host: String,
    pub(crate) offer: Offer,
    pub(crate) assignment: Vec<u8>,
    /// Has not got an answer to a JoinGroup yet, so it cannot send heartbeats.
    pub(crate) is_new: bool,
    pub(crate) join: Option<Parked>,
    pub(crate) sync: Option<Parked>,
    /// When its session ends, monotonic ms. None while it waits for the group.
    pub(crate) expires_at: Option<u64>,
}

impl Offer {
    /// Takes the message's protocols. A name that comes twice counts once, as in Kafka.
    pub(crate) fn take(request: &mut JoinGroupRequest, version: i16) -> Offer {
        let session_timeout_ms = request.session_timeout_ms;
        // Version 0 has no rebalance timeout: the session's takes its place.
        let rebalance_timeout_ms = if version == 0 || request.rebalance_timeout_ms < 0 {
            session_timeout_ms
        } else {
            request.rebalance_timeout_ms
        };
        let mut protocols: Vec<OfferedProtocol> = Vec::new();
        for protocol in std::mem::take(&mut request.protocols) {
            if !protocols.iter().any(|known| known.name == protocol.name) {
                protocols.push(OfferedProtocol {
                    name: protocol.name,
                    metadata: protocol.metadata,
                });
            }
        }
        Offer {
            rebalance_timeout_ms,
            session_timeout_ms,
            protocols,
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        let sizes = self
            .protocols
            .iter()
            .map(|p| p.name.len() + p.metadata.len());
        sizes.sum()
    }

    pub(crate) fn metadata(&self, protocol: &str) -> &[u8] {
        let found = self.protocols.iter().find(|p| p.name == protocol);
        found.map_or(&[], |found| &found.metadata)
    }
}

impl Member {
    pub(crate) fn new(
        context: &RequestContext,
        instance_id: Option<String>,
        offer: Offer,
    ) -> Member {
        Member {
            instance_id,
            client_id: context.client_id.clone(),
            client_host: cut(&context.client_host).to_owned(),
            offer,
            assignment: Vec::new(),
            is_new: true,
            join: None,
            sync: None,
            expires_at: None,
        }
    }

    /// Waiting for the group satisfies the session, but for a new member: it could never tell
    /// that it is gone.
    pub(crate) fn waits_alive(&self) -> bool {
        !self.is_new && (self.join.is_some() || self.sync.is_some())
    }
}

/// A member's id, as Kafka forms it: the instance's or the client's id, a dash, a UUID.
pub(crate) fn new_member_id(context: &RequestContext, instance_id: Option<&str>) -> String {
    let mut bytes = context.uuid;
    // RFC 9562: version 4, variant 1.
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let hex = format!("{:032x}", u128::from_be_bytes(bytes));
    let prefix = cut(instance_id.unwrap_or(&context.client_id));
    format!(
        "{prefix}-{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    )
}

/// At most [`CLIENT_TEXT_MAX`] bytes of a text, whole characters.
fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(CLIENT_TEXT_MAX)]
}

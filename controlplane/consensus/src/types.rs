//! openraft's types, filled in.

use precursor_metadata::{Command, Outcome};
use serde::{Deserialize, Serialize};

/// What a proposer learns when its command has been carried out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    pub outcome: Outcome,
    /// The state's version after the command.
    pub version: u64,
}

openraft::declare_raft_types!(
    pub(crate) TypeConfig:
        D = Command,
        R = Reply,
        NodeId = u64,
        Node = openraft::BasicNode,
        // The leader of Raft's paper: at most one in a term.
        LeaderId = openraft::impls::leader_id_std::LeaderId<Self::Term, Self::NodeId>,
);

pub(crate) use openraft::type_config::alias;
pub(crate) type LogId = alias::LogIdOf<TypeConfig>;
pub(crate) type Vote = alias::VoteOf<TypeConfig>;
pub(crate) type Entry = alias::EntryOf<TypeConfig>;
pub(crate) type StoredMembership = alias::StoredMembershipOf<TypeConfig>;
pub(crate) type SnapshotMeta = alias::SnapshotMetaOf<TypeConfig>;
/// A snapshot's bytes are the state machine's JSON, small enough to be held in memory.
pub(crate) type Snapshot = alias::SnapshotOf<TypeConfig, Vec<u8>>;

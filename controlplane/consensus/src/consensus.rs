//! The one handle that the rest of the control plane holds.

use crate::disk::{Disk, DiskError};
use crate::log_store::LogStore;
use crate::network::NoPeers;
use crate::state_machine::{SharedState, StateMachine};
use crate::types::{Reply, TypeConfig};
use openraft::async_runtime::WatchReceiver;
use openraft::errors::{ClientWriteError, RaftError};
use openraft::{BasicNode, Config, Raft, ReadPolicy, SnapshotPolicy};
use precursor_metadata::{Change, Command, Metadata};
use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast;

/// The log's file within the directory.
const FILE: &str = "metadata.redb";
/// How long a single voter may take to lead: it needs one vote, its own.
const LEADERSHIP_WAIT: Duration = Duration::from_secs(10);
const SNAPSHOT_EVERY_ENTRIES: u64 = 1_000;
const ENTRIES_KEPT_AFTER_SNAPSHOT: u64 = 100;

/// Where and as whom to take part.
#[derive(Clone, Debug)]
pub struct Options {
    /// Holds the log; made when missing.
    pub directory: PathBuf,
    pub node_id: u64,
}

/// Why the metadata cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("the metadata log {path} cannot be opened: {source}")]
    Disk { path: String, source: DiskError },
    #[error("the metadata in {path} cannot be loaded: {source}")]
    State { path: String, source: io::Error },
    #[error(
        "the metadata log belongs to a cluster of nodes {found:?}; this version runs clusters of \
         one voter"
    )]
    OtherVoters { found: Vec<u64> },
    #[error("consensus did not start: {0}")]
    Start(String),
}

/// Why a command was not carried out, or perhaps was and nobody knows yet.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ProposeError {
    /// Another node may know; with one voter this lasts only while it starts.
    #[error("this node does not lead the cluster")]
    NotLeader,
    /// The log cannot be written any more; the process has to start anew.
    #[error("consensus has stopped: {0}")]
    Stopped(String),
}

/// A view of the Raft node for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsensusStatus {
    pub node_id: u64,
    pub leader: Option<u64>,
    pub term: u64,
    pub last_log_index: Option<u64>,
    pub last_applied_index: Option<u64>,
    pub snapshot_index: Option<u64>,
    pub voters: Vec<u64>,
}

/// Agreement on the metadata; clones share it.
#[derive(Clone)]
pub struct Consensus {
    raft: Raft<TypeConfig, StateMachine>,
    shared: Arc<SharedState>,
}

impl Consensus {
    /// Opens the log, restores the state and waits until this node leads.
    ///
    /// # Errors
    /// The log is in use, unreadable, another node's, or of a cluster with more voters.
    pub async fn open(options: &Options) -> Result<Self, OpenError> {
        let path = options.directory.join(FILE);
        let text = path.display().to_string();
        let disk_error = |source: DiskError| OpenError::Disk {
            path: text.clone(),
            source,
        };
        std::fs::create_dir_all(&options.directory).map_err(|e| disk_error(e.into()))?;
        let disk = Disk::open(&path, options.node_id).map_err(disk_error)?;
        let state_machine =
            StateMachine::open(disk.clone()).map_err(|source| OpenError::State {
                path: text.clone(),
                source,
            })?;
        let shared = state_machine.shared();
        let config = raft_config().validate().map_err(start_error)?;
        let raft = Raft::new(
            options.node_id,
            Arc::new(config),
            NoPeers,
            LogStore::new(disk),
            state_machine,
        )
        .await
        .map_err(start_error)?;
        let consensus = Consensus { raft, shared };
        consensus.lead(options.node_id).await?;
        Ok(consensus)
    }

    async fn lead(&self, node_id: u64) -> Result<(), OpenError> {
        if !self.raft.is_initialized().await.map_err(start_error)? {
            let members = BTreeMap::from([(node_id, BasicNode::default())]);
            self.raft.initialize(members).await.map_err(start_error)?;
        }
        let voters = self
            .raft
            .with_raft_state(|state| state.membership_state.effective().voter_ids().collect())
            .await
            .map_err(start_error)?;
        let voters: Vec<u64> = voters;
        if voters != [node_id] {
            return Err(OpenError::OtherVoters { found: voters });
        }
        if !self.raft.is_leader() {
            // The only voter need not wait whether somebody else leads.
            self.raft.trigger().elect(true).await.map_err(start_error)?;
        }
        self.raft
            .wait(Some(LEADERSHIP_WAIT))
            .metrics(|m| m.state.is_leader(), "the single voter leads")
            .await
            .map_err(start_error)?;
        // Everything that was agreed on before is applied when this returns.
        self.raft
            .ensure_linearizable(ReadPolicy::ReadIndex)
            .await
            .map_err(start_error)?;
        Ok(())
    }

    /// Has `command` agreed on, written durably and carried out.
    ///
    /// # Errors
    /// It was not accepted, or the log failed while it was written (then it may show later).
    pub async fn propose(&self, command: Command) -> Result<Reply, ProposeError> {
        match self.raft.client_write(command).await {
            Ok(response) => Ok(response.data),
            Err(RaftError::APIError(ClientWriteError::ForwardToLeader(_))) => {
                Err(ProposeError::NotLeader)
            }
            Err(error) => Err(ProposeError::Stopped(error.to_string())),
        }
    }

    /// Reads the state. `read` is short and does not wait for anything.
    pub fn read<T>(&self, read: impl FnOnce(&Metadata) -> T) -> T {
        self.shared.read(read)
    }

    /// The changes of every command applied from now on. A subscriber that falls too far behind
    /// is told by the channel, and then reads everything.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<[Change]>> {
        self.shared.subscribe()
    }

    pub fn status(&self) -> ConsensusStatus {
        let metrics = self.raft.metrics();
        let metrics = metrics.borrow_watched();
        ConsensusStatus {
            node_id: metrics.id,
            leader: metrics.current_leader,
            term: metrics.current_term,
            last_log_index: metrics.last_log_index,
            last_applied_index: metrics.last_applied.map(|log_id| log_id.index),
            snapshot_index: metrics.snapshot.map(|log_id| log_id.index),
            voters: self.raft.voter_ids().collect(),
        }
    }

    /// Returns when consensus cannot go on (a failed disk, for instance), with the reason.
    pub async fn stopped(&self) -> String {
        let mut metrics = self.raft.metrics();
        loop {
            if let Err(fatal) = &metrics.borrow_and_update().running_state {
                return fatal.to_string();
            }
            if metrics.changed().await.is_err() {
                return "its task has ended".into();
            }
        }
    }

    /// Ends the node; every accepted command is durable already.
    pub async fn shutdown(&self) {
        if let Err(error) = self.raft.shutdown().await {
            tracing::warn!(%error, "consensus did not end cleanly");
        }
    }
}

fn raft_config() -> Config {
    Config {
        cluster_name: "precursor".into(),
        // A lone voter needs no heartbeats, and leads without waiting for an election's time (see
        // `lead`): slow ones let an idle process sleep, which wakes five times for each.
        heartbeat_interval: 5_000,
        election_timeout_min: 15_000,
        election_timeout_max: 30_000,
        enable_pre_vote: Some(true),
        snapshot_policy: SnapshotPolicy::LogsSinceLast(SNAPSHOT_EVERY_ENTRIES),
        max_in_snapshot_log_to_keep: ENTRIES_KEPT_AFTER_SNAPSHOT,
        purge_batch_size: 256,
        api_channel_size: Some(1_024),
        notification_channel_size: Some(1_024),
        state_machine_channel_size: Some(256),
        ..Config::default()
    }
}

fn start_error(error: impl std::fmt::Display) -> OpenError {
    OpenError::Start(error.to_string())
}

//! What every handler works with.

use crate::dispatch;
use crate::producer_ids::ProducerIds;
use precursor_bridge::{
    Answer, DataPlane, DataPlaneView, NodeOptions, Request, Service, Unanswerable,
};
use precursor_config::{Dynamic, NodeConfig};
use precursor_consensus::{Consensus, ProposeError, Reply};
use precursor_coordinator::Coordinator;
use precursor_metadata::{Command, ConfigResource, Metadata, Refusal};
use precursor_model::ErrorCode;
use precursor_telemetry::Telemetry;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Semaphore;

/// A client's patience, as it states it, is taken within these.
const PATIENCE_MIN: Duration = Duration::from_secs(1);
const PATIENCE_MAX: Duration = Duration::from_secs(30);
/// How long a change of options or quotas may take, whose requests state no time.
pub(crate) const CHANGE_PATIENCE: Duration = Duration::from_secs(30);
/// How long an answer waits until every shard serves the change that it speaks of.
pub(crate) const IMAGE_WAIT: Duration = Duration::from_secs(5);

/// Pushes of metrics that are read at a time.
const PUSHES_READ_MAX: usize = 2;

/// The options of the node that requests depend on.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Shards of this node's data plane.
    pub shards: u16,
    /// The configuration as it was when the node started.
    pub node: NodeConfig,
}

impl Settings {
    /// What was set for this node while it ran.
    pub(crate) fn dynamic<'a>(&self, state: &'a Metadata) -> Dynamic<'a> {
        let id = self.node.node_id;
        Dynamic {
            node: state.configs(&ConfigResource::Broker { id }),
            cluster: state.configs(&ConfigResource::Brokers),
        }
    }

    /// What the shards are told of the options in force.
    pub fn data_plane_options(&self) -> NodeOptions {
        let settings = self.clone();
        Arc::new(move |state| settings.in_force(state).data_plane_values())
    }

    /// The configuration in force.
    pub fn in_force(&self, state: &Metadata) -> NodeConfig {
        self.node.with_dynamic(self.dynamic(state))
    }
}

/// Where this node is reached, at the moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Addresses {
    /// Host and port that Kafka clients are told; `None` while the data plane is not up.
    pub kafka: Option<(String, u16)>,
    /// `host:port` of the gRPC listener.
    pub admin: Option<String>,
    /// `host:port` of the HTTP listener for metrics and health.
    pub metrics: Option<String>,
}

/// Answers Kafka requests. Shared by all tasks; holds no state of its own but a block of producer
/// ids.
pub struct Api {
    pub(crate) consensus: Consensus,
    pub(crate) view: DataPlaneView,
    /// What shards are asked about their logs through.
    pub(crate) logs: DataPlane,
    pub(crate) settings: Settings,
    pub(crate) addresses: Arc<dyn Fn() -> Addresses + Send + Sync>,
    pub(crate) producer_ids: ProducerIds,
    pub(crate) coordinator: Coordinator,
    pub(crate) telemetry: Arc<Mutex<Telemetry>>,
    /// Pushes of metrics that are read at a time: each may take megabytes until then.
    pub(crate) reading_pushes: Semaphore,
    /// Held by who changes options.
    pub(crate) altering: tokio::sync::Mutex<()>,
}

impl Api {
    pub fn new(
        consensus: Consensus,
        view: DataPlaneView,
        logs: DataPlane,
        settings: Settings,
        addresses: Arc<dyn Fn() -> Addresses + Send + Sync>,
        coordinator: Coordinator,
        telemetry: Arc<Mutex<Telemetry>>,
    ) -> Self {
        Api {
            consensus,
            view,
            logs,
            settings,
            addresses,
            producer_ids: ProducerIds::default(),
            coordinator,
            telemetry,
            reading_pushes: Semaphore::new(PUSHES_READ_MAX),
            altering: tokio::sync::Mutex::default(),
        }
    }

    pub fn consensus(&self) -> &Consensus {
        &self.consensus
    }

    pub fn data_plane(&self) -> &DataPlaneView {
        &self.view
    }

    /// The coordinators of groups on this broker.
    pub fn coordinator(&self) -> &Coordinator {
        &self.coordinator
    }

    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// This node's configuration in force.
    pub fn node_config(&self) -> NodeConfig {
        self.consensus.read(|state| self.settings.in_force(state))
    }

    pub fn addresses(&self) -> Addresses {
        (self.addresses)()
    }

    /// Has a command agreed on within `limit`.
    pub(crate) async fn propose(
        &self,
        command: Command,
        limit: Duration,
    ) -> Result<Reply, Refusal> {
        match tokio::time::timeout(limit, self.consensus.propose(command)).await {
            Ok(Ok(reply)) => Ok(reply),
            // Clients look for the controller again and retry, which is what mends both.
            Ok(Err(error @ (ProposeError::NotLeader | ProposeError::Stopped(_)))) => {
                Err(Refusal::new(ErrorCode::NotController, error.to_string()))
            }
            Err(_) => Err(Refusal::new(
                ErrorCode::RequestTimedOut,
                "The change was not agreed on in time; it may still come.",
            )),
        }
    }

    /// Waits until every shard serves the image of `version`. A shard that takes too long has it
    /// later: the change itself is durable.
    pub(crate) async fn shown(&self, version: u64) {
        if !self.view.image_applied(version, IMAGE_WAIT).await {
            tracing::warn!(version, "not every shard serves the image in time");
        }
    }
}

/// A request's `timeout_ms` as the time that is taken for it.
pub(crate) fn patience(timeout_ms: i32) -> Duration {
    let stated = Duration::from_millis(u64::try_from(timeout_ms).unwrap_or(0));
    stated.clamp(PATIENCE_MIN, PATIENCE_MAX)
}

impl Service for Api {
    async fn answer(&self, request: Request) -> Result<Answer, Unanswerable> {
        dispatch::answer(self, &request).await
    }

    async fn ensure_topics(&self, names: Vec<String>) -> Vec<ErrorCode> {
        self.ensure(names).await
    }
}

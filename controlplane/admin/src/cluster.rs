//! The service `Cluster`.

use precursor_admin_api::v1;
use precursor_admin_api::v1::cluster_server::Cluster;
use precursor_kafka_api::Api;
use precursor_shm::{ProcessState, Region, RegionKind};
use std::sync::Arc;
use tonic::{Request, Response, Status};

pub(crate) struct ClusterService {
    pub api: Arc<Api>,
    pub region: Region,
    pub version: &'static str,
}

#[tonic::async_trait]
impl Cluster for ClusterService {
    async fn get_status(
        &self,
        _request: Request<v1::GetStatusRequest>,
    ) -> Result<Response<v1::GetStatusResponse>, Status> {
        let consensus = self.api.consensus().status();
        let response = self.api.consensus().read(|state| v1::GetStatusResponse {
            cluster_id: state.cluster_id().unwrap_or_default().to_owned(),
            version: self.version.to_owned(),
            metadata_version: state.version(),
            topics: state.topics().len() as u32,
            partitions: state.partition_count() as u32,
            brokers: state
                .brokers()
                .map(|broker| v1::Broker {
                    id: broker.id,
                    host: broker.host.clone(),
                    port: u32::from(broker.port),
                    rack: broker.rack.clone(),
                })
                .collect(),
            consensus: Some(v1::Consensus {
                leader: consensus.leader,
                term: consensus.term,
                last_log_index: consensus.last_log_index,
                last_applied_index: consensus.last_applied_index,
                snapshot_index: consensus.snapshot_index,
                voters: consensus.voters.clone(),
            }),
            node: Some(self.node()),
        });
        Ok(Response::new(self.with_bound_address(response)))
    }
}

impl ClusterService {
    fn node(&self) -> v1::Node {
        let addresses = self.api.addresses();
        let kafka = addresses.kafka.map(|(host, port)| format!("{host}:{port}"));
        let status = self.region.status();
        let view = self.api.data_plane();
        let counts = view.counts();
        let shards = (0u32..).zip(view.shards()).map(|(shard, view)| v1::Shard {
            shard,
            image_version: view.image_version,
        });
        v1::Node {
            id: self.api.settings().node.node_id,
            kafka_address: kafka.unwrap_or_default(),
            admin_address: addresses.admin.unwrap_or_default(),
            data_plane: Some(v1::DataPlane {
                state: state_text(status.data_state()).to_owned(),
                process_id: status.data_pid(),
                generation: status.data_generation(),
                shards: shards.collect(),
                logs_offline: view.logs_offline_count() as u32,
            }),
            control_plane: Some(v1::ControlPlane {
                process_id: std::process::id(),
                generation: status.control_generation(),
                requests_answered: counts.requests_answered,
                requests_refused: counts.requests_refused,
                messages_malformed: counts.messages_malformed + counts.rings_reset,
            }),
            region_kind: kind_text(self.region.kind()).to_owned(),
            region_path: self.region.path().display().to_string(),
            metrics_address: addresses.metrics.unwrap_or_default(),
        }
    }

    /// Our own broker's address where the metadata leaves it to what is bound.
    fn with_bound_address(&self, mut response: v1::GetStatusResponse) -> v1::GetStatusResponse {
        let own = self.api.settings().node.node_id;
        if let Some((host, port)) = self.api.addresses().kafka {
            let mut brokers = response.brokers.iter_mut();
            if let Some(broker) = brokers.find(|broker| broker.id == own && broker.port == 0) {
                broker.host = host;
                broker.port = u32::from(port);
            }
        }
        response
    }
}

fn state_text(state: ProcessState) -> &'static str {
    match state {
        ProcessState::Absent => "down",
        ProcessState::Starting => "starting",
        ProcessState::Ready => "ready",
        ProcessState::Stopping => "stopping",
    }
}

fn kind_text(kind: RegionKind) -> &'static str {
    match kind {
        RegionKind::Hugetlbfs => "hugetlbfs",
        RegionKind::Tmpfs => "tmpfs",
        RegionKind::File => "file",
        RegionKind::Memfd => "memfd",
    }
}

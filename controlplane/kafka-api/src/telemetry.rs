//! What clients push of their own metrics (KIP-714): the operations behind keys 71 and 72.

use crate::api::Api;
use precursor_bridge::Origin;
use precursor_metadata::ConfigResource;
use precursor_model::ErrorCode;
use precursor_telemetry::{Client, Granted, Push, Telemetry, decode};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

/// Who pushes.
pub(crate) struct Reporter {
    id: String,
    software_name: String,
    software_version: String,
    address: String,
    port: String,
}

impl Reporter {
    pub fn new(client_id: Option<&str>, origin: &Origin) -> Self {
        let peer = origin.peer.parse::<SocketAddr>().ok();
        let text = |part: Option<String>| part.unwrap_or_default();
        Reporter {
            id: client_id.unwrap_or_default().to_owned(),
            software_name: origin.software_name.clone(),
            software_version: origin.software_version.clone(),
            address: text(peer.map(|peer| peer.ip().to_string())),
            port: text(peer.map(|peer| peer.port().to_string())),
        }
    }

    fn client(&self) -> Client<'_> {
        Client {
            id: &self.id,
            software_name: &self.software_name,
            software_version: &self.software_version,
            address: &self.address,
            port: &self.port,
        }
    }
}

impl Api {
    /// What a client is to push; one without an id is given one.
    pub(crate) fn telemetry_subscription(
        &self,
        reporter: &Reporter,
        instance_id: [u8; 16],
    ) -> Result<Granted, ErrorCode> {
        let id = match instance_id {
            [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0] => *uuid::Uuid::new_v4().as_bytes(),
            known => known,
        };
        self.telemetry().ask(id, &reporter.client(), now_ms())
    }

    /// Keeps what a client pushes.
    pub(crate) async fn push_telemetry(
        &self,
        reporter: &Reporter,
        push: Push,
        metrics: Vec<u8>,
    ) -> Result<(), ErrorCode> {
        let bytes_max = self.node_config().telemetry_bytes_max as usize;
        let codec = self
            .telemetry()
            .admit(&push, bytes_max, &reporter.client(), now_ms())?;
        if metrics.is_empty() {
            return Ok(());
        }
        let Ok(_permit) = self.reading_pushes.acquire().await else {
            return Err(ErrorCode::UnknownServerError);
        };
        let reading = tokio::task::spawn_blocking(move || decode(codec, &metrics, bytes_max));
        match reading.await {
            Ok(Ok(decoded)) => {
                self.telemetry().record(push.instance_id, &decoded);
                Ok(())
            }
            Ok(Err(_)) | Err(_) => {
                self.telemetry().unreadable(push.instance_id);
                Err(ErrorCode::InvalidRecord)
            }
        }
    }

    /// Subscriptions and clients, with the subscriptions as the metadata has them now.
    fn telemetry(&self) -> MutexGuard<'_, Telemetry> {
        let mut telemetry = self
            .telemetry
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        self.consensus.read(|state| {
            if telemetry.is_of(state.version()) {
                return;
            }
            let mut options = BTreeMap::new();
            for (resource, set) in state.config_resources() {
                if let ConfigResource::ClientMetrics { name } = resource {
                    options.insert(name.clone(), set.clone());
                }
            }
            telemetry.subscribe(state.version(), options);
        });
        telemetry
    }
}

/// Milliseconds of a clock that never goes back.
fn now_ms() -> u64 {
    static ORIGIN: OnceLock<Instant> = OnceLock::new();
    ORIGIN.get_or_init(Instant::now).elapsed().as_millis() as u64
}

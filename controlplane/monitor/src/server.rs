//! The HTTP server.

use crate::health;
use crate::metrics;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use precursor_bridge::{DataPlane, DataPlaneView};
use precursor_consensus::Consensus;
use precursor_coordinator::Coordinator;
use precursor_shm::Region;
use precursor_telemetry::Telemetry;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

/// Scrapes at work at a time; more are told to come again.
const SCRAPES_MAX: usize = 4;

/// What the pages are made of.
pub struct MonitorOptions {
    pub region: Region,
    pub consensus: Consensus,
    pub view: DataPlaneView,
    pub data_plane: DataPlane,
    pub coordinator: Coordinator,
    pub telemetry: Arc<Mutex<Telemetry>>,
    pub node_id: i32,
    /// Paths of the directories that hold partitions, in the order of the configuration.
    pub log_directories: Vec<String>,
    /// The program's version.
    pub version: &'static str,
}

/// A bound listener, not served yet.
pub struct MonitorServer {
    listener: TcpListener,
    address: SocketAddr,
}

struct Shared {
    options: MonitorOptions,
    scrapes: Semaphore,
}

impl MonitorServer {
    /// Binds the listener, so that its port can be told before it is served.
    ///
    /// # Errors
    /// The address is in use or not ours.
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        Ok(MonitorServer { listener, address })
    }

    /// The bound address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop` is ready.
    ///
    /// # Errors
    /// The listener fails.
    pub async fn serve(
        self,
        options: MonitorOptions,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<()> {
        let shared = Arc::new(Shared {
            options,
            scrapes: Semaphore::new(SCRAPES_MAX),
        });
        let pages = Router::new()
            .route("/metrics", get(show_metrics))
            .route("/healthz", get(show_health))
            .route("/readyz", get(show_readiness))
            .with_state(shared);
        axum::serve(self.listener, pages)
            .with_graceful_shutdown(stop)
            .await
    }
}

async fn show_metrics(State(shared): State<Arc<Shared>>) -> Response {
    let Ok(_permit) = shared.scrapes.try_acquire() else {
        let sentence = "Too many scrapes at a time; try again.\n";
        return (StatusCode::SERVICE_UNAVAILABLE, sentence).into_response();
    };
    match metrics::gather(&shared.options).await.encode() {
        Ok(text) => {
            let kind = "text/plain; version=0.0.4; charset=utf-8";
            ([(header::CONTENT_TYPE, kind)], text).into_response()
        }
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response(),
    }
}

/// This process answers: nothing else is asked, so that nobody restarts it for another's trouble.
async fn show_health() -> &'static str {
    "alive\n"
}

async fn show_readiness(State(shared): State<Arc<Shared>>) -> Response {
    let obstacles = health::obstacles(&shared.options);
    if obstacles.is_empty() {
        return "ready\n".into_response();
    }
    let text = obstacles.join("\n") + "\n";
    (StatusCode::SERVICE_UNAVAILABLE, text).into_response()
}

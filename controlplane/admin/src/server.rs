//! The server and what it needs.

use crate::cluster::ClusterService;
use crate::configs::ConfigsService;
use crate::quotas::QuotasService;
use crate::topics::TopicsService;
use precursor_admin_api::FILE_DESCRIPTOR_SET;
use precursor_admin_api::v1::cluster_server::ClusterServer;
use precursor_admin_api::v1::configs_server::ConfigsServer;
use precursor_admin_api::v1::quotas_server::QuotasServer;
use precursor_admin_api::v1::topics_server::TopicsServer;
use precursor_kafka_api::Api;
use precursor_shm::Region;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server;

/// Requests under way on one connection.
const REQUESTS_PER_CONNECTION_MAX: usize = 64;
/// A request that takes longer is given up; changes have their own, shorter patience.
const REQUEST_TIME_MAX: Duration = Duration::from_secs(60);
/// A connection whose peer is gone without a word is noticed within these.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// What the services show and work on.
pub struct AdminOptions {
    pub api: Arc<Api>,
    pub region: Region,
    /// The program's version.
    pub version: &'static str,
}

/// A bound listener, not served yet.
pub struct AdminServer {
    listener: TcpListener,
    address: SocketAddr,
}

impl AdminServer {
    /// Binds the listener, so that its port can be told before it is served.
    ///
    /// # Errors
    /// The address is in use or not ours.
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        Ok(AdminServer { listener, address })
    }

    /// The bound address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop` is ready.
    ///
    /// # Errors
    /// The services cannot be set up, or the listener fails.
    pub async fn serve(
        self,
        options: AdminOptions,
        stop: impl Future<Output = ()>,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let topics = TopicsServer::new(TopicsService {
            api: Arc::clone(&options.api),
        });
        let configs = ConfigsServer::new(ConfigsService {
            api: Arc::clone(&options.api),
        });
        let quotas = QuotasServer::new(QuotasService {
            api: Arc::clone(&options.api),
        });
        let cluster = ClusterServer::new(ClusterService {
            api: options.api,
            region: options.region,
            version: options.version,
        });
        let (health_reporter, health) = tonic_health::server::health_reporter();
        health_reporter
            .set_serving::<TopicsServer<TopicsService>>()
            .await;
        health_reporter
            .set_serving::<ClusterServer<ClusterService>>()
            .await;
        health_reporter
            .set_serving::<ConfigsServer<ConfigsService>>()
            .await;
        health_reporter
            .set_serving::<QuotasServer<QuotasService>>()
            .await;
        let reflection = tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            .build_v1()?;
        Server::builder()
            .concurrency_limit_per_connection(REQUESTS_PER_CONNECTION_MAX)
            .timeout(REQUEST_TIME_MAX)
            .http2_keepalive_interval(Some(KEEPALIVE))
            .tcp_nodelay(true)
            .add_service(topics)
            .add_service(cluster)
            .add_service(configs)
            .add_service(quotas)
            .add_service(health)
            .add_service(reflection)
            .serve_with_incoming_shutdown(TcpListenerStream::new(self.listener), stop)
            .await?;
        Ok(())
    }
}

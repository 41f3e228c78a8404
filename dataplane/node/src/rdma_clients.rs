//! Native clients that come over RDMA: where they connect.

use std::net::SocketAddr;
use std::time::Duration;

use precursor_config::{NetworkDriver, NodeConfig};
use precursor_transport_rdma::{OneSided, RdmaListener, RdmaOptions, RdmaTransport};

/// The listener, and one transport for each shard; both empty where the configuration wants none.
/// `bound` is where Kafka clients are served.
///
/// # Errors
/// One sentence that says why clients could not connect.
pub fn open(
    config: &NodeConfig,
    bound: SocketAddr,
) -> Result<(Option<RdmaListener>, Vec<RdmaTransport>), String> {
    let driver = config.network_driver;
    let (asked, address) = match &config.rdma_listen {
        Some(listen) => {
            let asked = format!("rdma.listen={listen}");
            let resolved = listen.resolve();
            let address = resolved.map_err(|error| format!("{asked} cannot start: {error}"))?;
            (asked, address)
        }
        None if driver == NetworkDriver::Rdma => (format!("network.driver={driver}"), bound),
        None => return Ok((None, Vec::new())),
    };
    let options = RdmaOptions {
        address,
        clients_max: config.rdma_clients_max as usize,
        access_bytes: config.rdma_access_bytes,
        access_timeout: Duration::from_millis(config.rdma_access_timeout_ms),
    };
    let (listener, transports) = RdmaListener::start(&options, config.shard_count())
        .map_err(|error| format!("{asked} cannot start: {error}"))?;
    let address = listener.address();
    let how = match listener.one_sided() {
        OneSided::Granted(bytes) => format!("each writes into and reads from {bytes} bytes here"),
        OneSided::NoWindows => "by SEND alone: the device has no memory windows".to_owned(),
        OneSided::Off => "by SEND alone, as rdma.access.bytes=0 says".to_owned(),
    };
    tracing::info!("RDMA clients connect at {address}; {how}");
    Ok((Some(listener), transports))
}

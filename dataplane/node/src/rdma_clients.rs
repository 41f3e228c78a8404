//! Native clients that come over RDMA: where they connect.

use std::net::SocketAddr;

use precursor_config::{NetworkDriver, NodeConfig};
use precursor_transport_rdma::{RdmaListener, RdmaOptions, RdmaTransport};

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
    };
    let (listener, transports) = RdmaListener::start(&options, config.shard_count())
        .map_err(|error| format!("{asked} cannot start: {error}"))?;
    Ok((Some(listener), transports))
}

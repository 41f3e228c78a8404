//! Clients on this host that come over shared memory: the socket that they attach by.

use precursor_config::NodeConfig;
use precursor_transport_shm::{SOCKET_NAME, ShmListener, ShmOptions, ShmTransport};

/// The listener, and one transport for each shard; both empty where the configuration wants none.
///
/// # Errors
/// One sentence that says why clients could not attach.
pub fn open(config: &NodeConfig) -> Result<(Option<ShmListener>, Vec<ShmTransport>), String> {
    if !config.shm_enabled {
        return Ok((None, Vec::new()));
    }
    let usual = || config.data_dir.join(SOCKET_NAME);
    let options = ShmOptions {
        socket: config.shm_socket.clone().unwrap_or_else(usual),
        clients_max: config.shm_clients_max as usize,
        ring_bytes: config.shm_ring_bytes,
        group: config.shm_group,
    };
    let (listener, transports) =
        ShmListener::start(&options, config.shard_count()).map_err(|error| {
            let socket = options.socket.display();
            format!("{error} ({socket}); choose another with shm.socket, or shm.enabled=false")
        })?;
    Ok((Some(listener), transports))
}

//! Which transport the shards get: kernel sockets, or the netstack past the kernel.

use std::hash::{BuildHasher, RandomState};
use std::io::IoSlice;
use std::net::SocketAddr;
use std::os::fd::RawFd;

use precursor_config::{Bypass, NetworkDriver, NodeConfig};
use precursor_transport_afxdp::{AfXdpDevice, AfXdpInterface, AfXdpOptions, Redirection};
use precursor_transport_bypass::{BypassOptions, BypassTransport};
use precursor_transport_kernel::{Driver, KernelOptions, KernelTransport, SharedListener};
use precursor_transport_port::{
    Capabilities, ConnectionId, Event, ReceiveError, SendError, Transport, TransportError, Wait,
};

/// What the shards' transports are made of, opened once for all of them, so that whatever is in the
/// way is found out before a shard starts.
pub struct Network {
    address: SocketAddr,
    report: Option<String>,
    parts: Vec<TransportPlan>,
}

/// What one shard's transport is made of. Moved to the shard's thread, which builds it.
pub enum TransportPlan {
    Kernel(KernelOptions),
    Bypass(Box<(AfXdpDevice, BypassOptions)>),
}

impl Network {
    /// Opens what the configuration asks for.
    ///
    /// # Errors
    /// One sentence that says why clients cannot be served.
    pub fn open(config: &NodeConfig) -> Result<Network, String> {
        let Some(bypass) = config.bypass()? else {
            return Network::open_kernel(config);
        };
        match Network::open_bypass(config, &bypass) {
            Err(refusal) if !bypass.forced => {
                let mut network = Network::open_kernel(config)
                    .map_err(|kernels| format!("AF_XDP cannot start: {refusal}; and {kernels}"))?;
                network.report = Some(format!("kernel sockets instead of AF_XDP: {refusal}"));
                Ok(network)
            }
            Err(refusal) => Err(format!("network.driver=afxdp cannot start: {refusal}")),
            opened => opened,
        }
    }

    fn open_kernel(config: &NodeConfig) -> Result<Network, String> {
        let address = config.listen.resolve().map_err(|error| {
            let listen = &config.listen;
            format!("cannot listen on {listen}: {error}; choose another address with --listen")
        })?;
        let listener = SharedListener::bind(address).map_err(|error| error.to_string())?;
        let options = KernelOptions {
            driver: match config.network_driver {
                NetworkDriver::Auto | NetworkDriver::AfXdp => Driver::Auto,
                NetworkDriver::Epoll => Driver::Epoll,
                NetworkDriver::IoUring => Driver::IoUring,
            },
            connections_max: connections_max(config),
            shared_listener: Some(listener.clone()),
            ..KernelOptions::default()
        };
        let shards = usize::from(config.shard_count());
        Ok(Network {
            address: listener.local_address(),
            report: None,
            parts: vec![options; shards]
                .into_iter()
                .map(TransportPlan::Kernel)
                .collect(),
        })
    }

    fn open_bypass(config: &NodeConfig, bypass: &Bypass) -> Result<Network, String> {
        let mut address = bypass.listen;
        if address.port() == 0 {
            address.set_port(any_port());
        }
        let redirection = Redirection {
            addresses: vec![address.ip()],
            ports: vec![address.port()],
            vlan: None,
        };
        let options = AfXdpOptions::new(&bypass.interface, redirection);
        let mut interface = AfXdpInterface::open(options).map_err(|error| error.to_string())?;
        let shards = usize::from(config.shard_count());
        let devices = interface
            .devices(shards)
            .map_err(|error| error.to_string())?;
        let options = BypassOptions {
            gateway: bypass.gateway,
            connections_max: connections_max(config),
            ..BypassOptions::new(address.ip(), bypass.network.prefix)
        };
        let plan = |device| TransportPlan::Bypass(Box::new((device, options.clone())));
        Ok(Network {
            address,
            report: Some(interface.report()),
            parts: devices.into_iter().map(plan).collect(),
        })
    }

    /// Where clients connect.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// One sentence for the start log, where it is not the transports that tell.
    pub fn report(&self) -> Option<&str> {
        self.report.as_deref()
    }

    /// One plan per shard, in their order.
    pub fn into_plans(self) -> Vec<TransportPlan> {
        self.parts
    }
}

/// A shard's share of the node's connections.
fn connections_max(config: &NodeConfig) -> usize {
    (config.connections_max as usize).div_ceil(usize::from(config.shard_count()))
}

/// A port of the range that kernels choose from as well. Nobody else has the address.
fn any_port() -> u16 {
    const PORTS: std::ops::Range<u64> = 32_768..60_999;
    let random = RandomState::new().hash_one(std::process::id());
    (PORTS.start + random % (PORTS.end - PORTS.start)) as u16
}

/// A shard's transport.
// One of them exists per shard, so their sizes do not matter.
#[allow(clippy::large_enum_variant)]
pub enum NodeTransport {
    Kernel(KernelTransport),
    Bypass(BypassTransport<AfXdpDevice>),
}

impl NodeTransport {
    /// Builds it, on the thread that will own it.
    ///
    /// # Errors
    /// What the transport says.
    pub fn new(plan: TransportPlan) -> Result<NodeTransport, TransportError> {
        Ok(match plan {
            TransportPlan::Kernel(options) => NodeTransport::Kernel(KernelTransport::new(options)?),
            TransportPlan::Bypass(parts) => {
                let (device, options) = *parts;
                NodeTransport::Bypass(BypassTransport::new(device, options)?)
            }
        })
    }

    /// One sentence for the start log: what carries this shard's connections, and why.
    pub fn report(&self) -> String {
        match self {
            NodeTransport::Kernel(transport) => transport.report().to_owned(),
            NodeTransport::Bypass(transport) => match transport.device().queue_count() {
                0 => String::from(
                    "no queue of the interface is left for this shard: it serves its partitions \
                     through the others",
                ),
                1 => String::from("our own TCP on one queue of the interface"),
                queues => format!("our own TCP on {queues} queues of the interface"),
            },
        }
    }

    fn transport(&self) -> &dyn Transport {
        match self {
            NodeTransport::Kernel(transport) => transport,
            NodeTransport::Bypass(transport) => transport,
        }
    }
}

/// Calls a method of the transport that it is, without a virtual call.
macro_rules! transport {
    ($self:ident, $method:ident($($argument:expr),*)) => {
        match $self {
            NodeTransport::Kernel(transport) => transport.$method($($argument),*),
            NodeTransport::Bypass(transport) => transport.$method($($argument),*),
        }
    };
}

impl Transport for NodeTransport {
    fn capabilities(&self) -> Capabilities {
        self.transport().capabilities()
    }

    fn listen(&mut self, address: SocketAddr) -> Result<SocketAddr, TransportError> {
        transport!(self, listen(address))
    }

    fn stop_listening(&mut self) {
        transport!(self, stop_listening());
    }

    fn watch(&mut self, descriptor: RawFd, token: u32) -> Result<(), TransportError> {
        transport!(self, watch(descriptor, token))
    }

    fn poll(&mut self, wait: Wait, events: &mut Vec<Event>) -> Result<(), TransportError> {
        transport!(self, poll(wait, events))
    }

    fn receive(&mut self, id: ConnectionId, buffer: &mut [u8]) -> Result<usize, ReceiveError> {
        transport!(self, receive(id, buffer))
    }

    fn send(&mut self, id: ConnectionId, slices: &[IoSlice<'_>]) -> Result<usize, SendError> {
        transport!(self, send(id, slices))
    }

    fn close(&mut self, id: ConnectionId) {
        transport!(self, close(id));
    }

    fn connection_count(&self) -> usize {
        self.transport().connection_count()
    }

    fn refused_count(&self) -> u64 {
        self.transport().refused_count()
    }
}

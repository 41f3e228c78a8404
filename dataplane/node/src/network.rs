//! Which transport the shards get: kernel sockets, or the netstack past the kernel.

use std::hash::{BuildHasher, RandomState};
use std::io::IoSlice;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::RawFd;

use precursor_config::{
    Bypass, BypassWay, CongestionControl as Configured, FrameCopy, NetworkDriver, NodeConfig,
    XdpMode,
};
use precursor_transport_afxdp::{
    AfXdpDevice, AfXdpInterface, AfXdpOptions, AttachMode, CopyMode, Redirection,
};
use precursor_transport_bypass::{BypassOptions, BypassTransport, CongestionControl};
use precursor_transport_dpdk::{DpdkDevice, DpdkInterface, DpdkOptions, LogLevel};
use precursor_transport_kernel::{Driver, KernelOptions, KernelTransport, SharedListener};
use precursor_transport_port::{
    Capabilities, ConnectionId, Event, ReceiveError, SendError, Transport, TransportError, Wait,
    WireStatistics,
};

/// In the data directory: what DPDK would leave behind if this process were killed.
const DPDK_NOTE: &str = "dpdk-attached";

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
    AfXdp(Box<(AfXdpDevice, BypassOptions)>),
    Dpdk(Box<(DpdkDevice, BypassOptions)>),
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
        let mut refusals = Vec::new();
        for way in &bypass.ways {
            let opened = match way {
                BypassWay::Dpdk => Network::open_dpdk(config, &bypass),
                BypassWay::AfXdp => Network::open_afxdp(config, &bypass),
            };
            match opened {
                Ok(mut network) => {
                    network.add_refusals(&refusals);
                    return Ok(network);
                }
                Err(refusal) if bypass.forced => {
                    let driver = config.network_driver;
                    return Err(format!("network.driver={driver} cannot start: {refusal}"));
                }
                Err(refusal) => refusals.push((*way, refusal)),
            }
        }
        let mut network = Network::open_kernel(config).map_err(|kernels| {
            let refusals = refusals
                .iter()
                .map(|(way, why)| format!("{way} cannot start: {why}"));
            format!("{}; and {kernels}", refusals.collect::<Vec<_>>().join("; "))
        })?;
        network.report = Some(String::from("kernel sockets"));
        network.add_refusals(&refusals);
        Ok(network)
    }

    /// Says what would have been better, and why it is not.
    fn add_refusals(&mut self, refusals: &[(BypassWay, String)]) {
        for (way, why) in refusals {
            let report = self.report.take().unwrap_or_default();
            self.report = Some(format!("{report} instead of {way}: {why}"));
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
                NetworkDriver::Auto
                | NetworkDriver::AfXdp
                | NetworkDriver::Dpdk
                | NetworkDriver::Rdma => Driver::Auto,
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

    fn open_afxdp(config: &NodeConfig, bypass: &Bypass) -> Result<Network, String> {
        let address = listen_address(bypass);
        let redirection = Redirection {
            addresses: vec![address.ip()],
            ports: vec![address.port()],
            vlan: vlan(config),
        };
        let options = afxdp_options(config, &bypass.interface, redirection);
        let mut interface = AfXdpInterface::open(options).map_err(|error| error.to_string())?;
        let devices = interface.devices(usize::from(config.shard_count()));
        let devices = devices.map_err(|error| error.to_string())?;
        let options = bypass_options(config, bypass)?;
        let plan = |(shard, device)| {
            TransportPlan::AfXdp(Box::new((device, of_shard(&options, config, shard))))
        };
        Ok(Network {
            address,
            report: Some(interface.report()),
            parts: devices.into_iter().enumerate().map(plan).collect(),
        })
    }

    fn open_dpdk(config: &NodeConfig, bypass: &Bypass) -> Result<Network, String> {
        let address = listen_address(bypass);
        if let Some(interface) = kernels_interface(address.ip()) {
            let address = address.ip();
            return Err(format!(
                "the kernel has {address} on `{interface}` itself; take it off with `ip address \
                 del`, or choose an address that only the broker has"
            ));
        }
        let options = DpdkOptions {
            vlan: vlan(config),
            note: Some(config.data_dir.join(DPDK_NOTE)),
            log: log_dpdk,
            ..DpdkOptions::new(&bypass.interface, config.network_dpdk_args.clone())
        };
        let shards = usize::from(config.shard_count());
        let interface = DpdkInterface::open(&options, shards).map_err(|error| error.to_string())?;
        let report = interface.report();
        let devices = interface
            .devices(shards)
            .map_err(|error| error.to_string())?;
        let options = bypass_options(config, bypass)?;
        let plan = |(shard, device)| {
            TransportPlan::Dpdk(Box::new((device, of_shard(&options, config, shard))))
        };
        Ok(Network {
            address,
            report: Some(report),
            parts: devices.into_iter().enumerate().map(plan).collect(),
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

fn listen_address(bypass: &Bypass) -> SocketAddr {
    let mut address = bypass.listen;
    if address.port() == 0 {
        address.set_port(any_port());
    }
    address
}

fn vlan(config: &NodeConfig) -> Option<u16> {
    (config.network_vlan != 0).then_some(config.network_vlan)
}

fn afxdp_options(config: &NodeConfig, interface: &str, redirection: Redirection) -> AfXdpOptions {
    let wanted = &config.network_afxdp;
    AfXdpOptions {
        attach: match wanted.mode {
            XdpMode::Auto => AttachMode::Auto,
            XdpMode::Native => AttachMode::Native,
            XdpMode::Skb => AttachMode::Skb,
        },
        copy: match wanted.copy {
            FrameCopy::Auto => CopyMode::Auto,
            FrameCopy::ZeroCopy => CopyMode::ZeroCopy,
            FrameCopy::Copy => CopyMode::Copy,
        },
        ring_frames: wanted.ring_frames,
        busy_poll_us: wanted.busy_poll_us,
        ..AfXdpOptions::new(interface, redirection)
    }
}

/// What all shards' TCPs have in common.
///
/// # Errors
/// The directory of captures cannot be had.
fn bypass_options(config: &NodeConfig, bypass: &Bypass) -> Result<BypassOptions, String> {
    if let Some(directory) = &config.network_capture_dir {
        std::fs::create_dir_all(directory).map_err(|error| {
            let directory = directory.display();
            format!("network.capture.dir={directory} cannot be made: {error}")
        })?;
    }
    Ok(BypassOptions {
        gateway: bypass.gateway,
        connections_max: connections_max(config),
        congestion_control: congestion_control(config.network_tcp_congestion),
        vlan: vlan(config),
        ..BypassOptions::new(bypass.network.address, bypass.network.prefix)
    })
}

fn of_shard(options: &BypassOptions, config: &NodeConfig, shard: usize) -> BypassOptions {
    let directory = config.network_capture_dir.as_ref();
    BypassOptions {
        capture: directory.map(|directory| directory.join(format!("capture-{shard}.pcap"))),
        ..options.clone()
    }
}

fn congestion_control(configured: Configured) -> CongestionControl {
    match configured {
        Configured::Cubic => CongestionControl::Cubic,
        Configured::Bbr => CongestionControl::Bbr,
        Configured::NewReno => CongestionControl::NewReno,
    }
}

/// The interface on which the kernel has an address: it would answer there as well.
fn kernels_interface(address: IpAddr) -> Option<String> {
    let held = nix::ifaddrs::getifaddrs().ok()?;
    let mut held = held.filter_map(|held| Some((held.interface_name, held.address?)));
    let found = held.find(|(_, held)| match address {
        IpAddr::V4(address) => held
            .as_sockaddr_in()
            .is_some_and(|held| held.ip() == address),
        IpAddr::V6(address) => held
            .as_sockaddr_in6()
            .is_some_and(|held| held.ip() == address),
    });
    found.map(|(interface, _)| interface)
}

fn log_dpdk(level: LogLevel, line: &str) {
    match level {
        LogLevel::Error | LogLevel::Warning => tracing::warn!("{line}"),
        LogLevel::Notice => tracing::info!("{line}"),
        LogLevel::Debug => tracing::debug!("{line}"),
    }
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
    AfXdp(BypassTransport<AfXdpDevice>),
    Dpdk(BypassTransport<DpdkDevice>),
}

impl NodeTransport {
    /// Builds it, on the thread that will own it.
    ///
    /// # Errors
    /// What the transport says.
    pub fn new(plan: TransportPlan) -> Result<NodeTransport, TransportError> {
        Ok(match plan {
            TransportPlan::Kernel(options) => NodeTransport::Kernel(KernelTransport::new(options)?),
            TransportPlan::AfXdp(parts) => {
                let (device, options) = *parts;
                NodeTransport::AfXdp(BypassTransport::new(device, options)?)
            }
            TransportPlan::Dpdk(parts) => {
                let (device, options) = *parts;
                NodeTransport::Dpdk(BypassTransport::new(device, options)?)
            }
        })
    }

    /// One sentence for the start log: what carries this shard's connections, and why.
    pub fn report(&self) -> String {
        let queues = match self {
            NodeTransport::Kernel(transport) => return transport.report().to_owned(),
            NodeTransport::AfXdp(transport) => transport.device().queue_count(),
            NodeTransport::Dpdk(transport) => transport.device().queue_count(),
        };
        match queues {
            0 => String::from(
                "no queue of the interface is left for this shard: it serves its partitions \
                 through the others",
            ),
            1 => String::from("our own TCP on one queue of the interface"),
            queues => format!("our own TCP on {queues} queues of the interface"),
        }
    }

    fn transport(&self) -> &dyn Transport {
        match self {
            NodeTransport::Kernel(transport) => transport,
            NodeTransport::AfXdp(transport) => transport,
            NodeTransport::Dpdk(transport) => transport,
        }
    }
}

/// Calls a method of the transport that it is, without a virtual call.
macro_rules! transport {
    ($self:ident, $method:ident($($argument:expr),*)) => {
        match $self {
            NodeTransport::Kernel(transport) => transport.$method($($argument),*),
            NodeTransport::AfXdp(transport) => transport.$method($($argument),*),
            NodeTransport::Dpdk(transport) => transport.$method($($argument),*),
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

    fn wire(&self) -> Option<WireStatistics> {
        self.transport().wire()
    }
}

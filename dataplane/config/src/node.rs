//! A node's options in force.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use precursor_model::LogConfig;

use crate::setting::Setting;
use crate::values::{
    CodecHardware, CongestionControl, Endpoint, FrameCopy, IdlePolicy, LogFormat, LogLevel,
    NetworkAddress, NetworkDriver, Part, Rate, Switch, XdpMode,
};

/// A node's options in force: one plain struct, read-only after start. Each field is described by
/// its line in [`crate::OPTIONS`]; times and sizes carry their unit in the name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeConfig {
    pub node_id: i32,
    pub data_dir: PathBuf,
    /// Empty: see [`NodeConfig::log_directories`].
    pub log_dirs: Vec<PathBuf>,
    pub log_dirs_free_bytes_min: u64,
    pub log_dirs_free_percent_min: u8,
    pub listen: Endpoint,
    /// `None`: clients are told the address that the listener is bound to.
    pub advertised_listener: Option<Endpoint>,
    pub admin_listen: Endpoint,
    pub metrics_listen: Endpoint,
    /// 0: see [`NodeConfig::shard_count`].
    pub dataplane_shards: u16,
    pub dataplane_idle: IdlePolicy,
    /// 0: one per shard.
    pub dataplane_codec_hardware: CodecHardware,
    pub dataplane_codec_workers: u16,
    /// Empty: shards are not pinned by configuration.
    pub dataplane_cpus: Vec<usize>,
    pub dataplane_spin_us: u32,
    /// 0: shards are not watched.
    pub dataplane_watchdog_ms: u64,
    pub network_driver: NetworkDriver,
    /// Empty: no interface is driven past the kernel.
    pub network_interface: String,
    pub network_address: Option<NetworkAddress>,
    pub network_gateway: Option<IpAddr>,
    /// 0: none.
    pub network_vlan: u16,
    pub network_afxdp: AfXdpConfig,
    pub network_tcp_congestion: CongestionControl,
    /// `None`: no captures.
    pub network_capture_dir: Option<PathBuf>,
    /// `None`: nowhere, or with [`NetworkDriver::Rdma`] where Kafka clients are served.
    pub rdma_listen: Option<Endpoint>,
    /// All shards together.
    pub rdma_clients_max: u32,
    /// Each way, of each client; 0: none.
    pub rdma_access_bytes: u32,
    pub rdma_access_timeout_ms: u64,
    /// Bytes of the log's memory held for RDMA clients that read it, all shards together; 0: none.
    pub rdma_follow_bytes: u32,
    pub shm_enabled: bool,
    /// `None`: in the data directory.
    pub shm_socket: Option<PathBuf>,
    /// All shards together.
    pub shm_clients_max: u32,
    pub shm_ring_bytes: u32,
    pub shm_group: Option<u32>,
    /// Words for DPDK's environment.
    pub network_dpdk_args: Vec<String>,
    /// 0: chosen from the machine's memory.
    pub memory_region_bytes: u64,
    /// `None`: hugetlbfs when pages are reserved, otherwise tmpfs.
    pub memory_region_dir: Option<PathBuf>,
    pub memory_hugepages: Switch,
    /// 0: chosen from the region's size.
    pub memory_buffers_bytes: u64,
    pub memory_chunk_bytes: u64,
    pub memory_gc_threshold: Part,
    pub memory_initial_bytes: u64,
    pub memory_prewarm: bool,
    pub connections_max: u32,
    pub connections_idle_ms_max: u64,
    pub socket_request_bytes_max: u32,
    pub auto_create_topics: bool,
    pub delete_topics: bool,
    pub num_partitions: i32,
    pub default_replication_factor: i16,
    pub group_initial_rebalance_delay_ms: u32,
    pub group_session_timeout_ms_min: i32,
    pub group_session_timeout_ms_max: i32,
    pub group_size_max: i32,
    pub offset_metadata_bytes_max: u32,
    pub offsets_retention_minutes: i32,
    pub offsets_retention_check_interval_ms: u64,
    pub offsets_topic_partitions: i32,
    pub offsets_topic_replication_factor: i16,
    pub offsets_topic_segment_bytes: u32,
    pub fetch_session_slots_max: u32,
    pub producer_id_expiration_ms: u64,
    pub log_retention_check_interval_ms: u64,
    pub log_checkpoint_interval_ms: u64,
    pub log_cleaner_enable: bool,
    pub log_cleaner_backoff_ms: u64,
    /// All shards together.
    pub log_cleaner_dedupe_buffer_bytes: u64,
    /// All shards together.
    pub log_cleaner_io_bytes_per_second_max: Rate,
    pub cold_compression_backoff_ms: u64,
    /// Of one processor, for each shard.
    pub cold_compression_cpu_percent_max: u32,
    /// All shards together.
    pub cold_compression_io_bytes_per_second_max: Rate,
    pub storage_direct_io: Switch,
    pub log_format: LogFormat,
    pub log_level: LogLevel,
    pub telemetry_bytes_max: u32,
    /// Of followers, leaders and moves between directories, in bytes per second: kept, no effect.
    pub replication_rates_max: [i64; 3],
    /// What a topic has where it does not set an option itself.
    pub topic_defaults: LogConfig,
    /// What configuration file, environment and command line set, as they set it.
    pub(crate) stated: Vec<Stated>,
    /// Environment variables that begin like ours and name no option: ignored, worth a warning.
    pub ignored_environment: Vec<String>,
}

/// How clients are served past the kernel ([`NodeConfig::bypass`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bypass {
    pub interface: String,
    pub network: NetworkAddress,
    /// The way to clients outside of the network.
    pub gateway: Option<IpAddr>,
    /// The network's address, with the listener's port (0: any).
    pub listen: SocketAddr,
    /// What is tried, the best first; at least one.
    pub ways: Vec<BypassWay>,
    /// Kernel sockets may not take its place.
    pub forced: bool,
}

/// How an interface is opened by AF_XDP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AfXdpConfig {
    pub mode: XdpMode,
    pub copy: FrameCopy,
    /// A power of two.
    pub ring_frames: u32,
    /// 0: the kernel does not poll.
    pub busy_poll_us: u32,
}

/// What carries frames past the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BypassWay {
    Dpdk,
    AfXdp,
}

impl fmt::Display for BypassWay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BypassWay::Dpdk => "DPDK",
            BypassWay::AfXdp => "AF_XDP",
        })
    }
}

/// One name that was set, by one of the sources.
#[derive(Clone)]
pub(crate) struct Stated {
    pub setting: &'static Setting,
    /// In the option's normal form.
    pub value: String,
    /// Of the source: the higher one wins.
    pub rank: u8,
}

impl PartialEq for Stated {
    fn eq(&self, other: &Self) -> bool {
        (&self.setting.name, &self.value, self.rank)
            == (&other.setting.name, &other.value, other.rank)
    }
}

impl Eq for Stated {}

impl fmt::Debug for Stated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={} ({})", self.setting.name, self.value, self.rank)
    }
}

impl NodeConfig {
    /// What was stated for an option, under all of its names, the one in force first.
    pub(crate) fn stated_for(&self, setting: &Setting) -> Vec<&Stated> {
        let stated = self.stated.iter();
        let mut stated: Vec<_> = stated.filter(|s| s.setting.same_option(setting)).collect();
        stated.sort_by_key(|s| (std::cmp::Reverse(s.rank), s.setting.precedence));
        stated
    }

    /// The number of shards: as configured, or one less than the processors that this process may
    /// use, at least one. Every process of a node computes the same number.
    pub fn shard_count(&self) -> u16 {
        if self.dataplane_shards > 0 {
            return self.dataplane_shards;
        }
        let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
        u16::try_from(cores.saturating_sub(1).clamp(1, SHARDS_MAX)).unwrap_or(1)
    }

    /// The directories that hold partitions: as configured, or the data directory alone.
    pub fn log_directories(&self) -> Vec<PathBuf> {
        match self.log_dirs.as_slice() {
            [] => vec![self.data_dir.clone()],
            directories => directories.to_vec(),
        }
    }

    /// What the options ask of a way past the kernel; `None` where they ask for kernel sockets.
    ///
    /// # Errors
    /// The options do not fit together: one sentence that names them.
    pub fn bypass(&self) -> Result<Option<Bypass>, String> {
        let driver = self.network_driver;
        let (ways, forced) = match driver {
            NetworkDriver::Epoll | NetworkDriver::IoUring | NetworkDriver::Rdma => {
                return Ok(None);
            }
            NetworkDriver::AfXdp => (vec![BypassWay::AfXdp], true),
            NetworkDriver::Dpdk => (vec![BypassWay::Dpdk], true),
            NetworkDriver::Auto => (self.bypass_ways(), false),
        };
        if self.network_interface.is_empty() {
            return match forced {
                true => Err(format!(
                    "network.driver={driver} needs an interface: set network.interface"
                )),
                false => Ok(None),
            };
        }
        let interface = &self.network_interface;
        let Some(network) = self.network_address else {
            return Err(format!(
                "network.interface={interface} needs an address that only the broker has: set \
                 network.address, as 10.0.0.2/24"
            ));
        };
        let listen = match self.listen.host.parse::<IpAddr>() {
            Ok(address) if address == network.address => SocketAddr::new(address, self.listen.port),
            _ => {
                return Err(format!(
                    "listen={} is not the address that the broker has on {interface} \
                     (network.address={network}): set one of them to the other's address",
                    self.listen
                ));
            }
        };
        if let Some(gateway) = self.network_gateway
            && gateway.is_ipv4() != network.address.is_ipv4()
        {
            return Err(format!(
                "network.gateway={gateway} is of another family than network.address={network}"
            ));
        }
        Ok(Some(Bypass {
            interface: interface.clone(),
            network,
            gateway: self.network_gateway,
            listen,
            ways,
            forced,
        }))
    }

    /// What `network.driver=auto` tries. A PCI address has no interface that AF_XDP could take, and
    /// an interface of the kernel is DPDK's only where something names a device for it.
    fn bypass_ways(&self) -> Vec<BypassWay> {
        let is_card = self.network_interface.contains(':');
        match (is_card, self.network_dpdk_args.is_empty()) {
            (true, _) => vec![BypassWay::Dpdk],
            (false, false) => vec![BypassWay::Dpdk, BypassWay::AfXdp],
            (false, true) => vec![BypassWay::AfXdp],
        }
    }

    /// What clients are told, given the address that the listener is bound to.
    pub fn advertised(&self, bound: SocketAddr) -> Endpoint {
        self.advertised_listener.clone().unwrap_or(Endpoint {
            host: bound.ip().to_string(),
            port: bound.port(),
        })
    }
}

/// More shards than this on one node is a mistake, not a machine.
pub(crate) const SHARDS_MAX: usize = 256;

//! What a shard is told when it starts.

use precursor_model::LogConfig;
use precursor_shm::PoolOptions;
use std::net::SocketAddr;

/// What a shard does when there is nothing to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdlePolicy {
    /// Asks again at once: the lowest latency, a whole core.
    Busy,
    /// Spins, then yields, then sleeps until something wakes it.
    Adaptive,
    /// Sleeps at once.
    Sleep,
}

/// How a shard takes memory, and when it gives some back. Its share of what the node has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemoryOptions {
    pub extents: PoolOptions,
    pub buffers: PoolOptions,
    /// Bytes of the extent pool that may have memory while there is little to do; above it, it goes
    /// back to its initial memory (`memory.gc.threshold`). `None`: never.
    pub extents_bytes_kept: Option<usize>,
    /// The same for the buffer pool.
    pub buffers_bytes_kept: Option<usize>,
}

/// How a shard behaves. Limits are per shard where a node has several.
#[derive(Clone, Debug)]
pub struct ShardOptions {
    pub shard: u16,
    pub shards: u16,
    pub node_id: i32,
    /// Counts the data plane's lives; keeps its tokens apart.
    pub generation: u64,
    pub idle: IdlePolicy,
    /// How long `Adaptive` spins before it sleeps, in microseconds.
    pub spin_us: u64,
    /// Longest request frame taken (`socket.request.max.bytes`).
    pub request_bytes_max: usize,
    /// Bytes of requests larger than a pooled buffer that may be in the making at once.
    pub large_request_bytes_max: usize,
    pub memory: MemoryOptions,
    pub connections_max: usize,
    /// A connection that moves no byte for this long is closed (`connections.max.idle.ms`).
    pub connections_idle_ms_max: u64,
    pub auto_create_topics: bool,
    pub fetch_session_slots_max: usize,
    /// Bytes of extents that are held for who reads them from afar (`rdma.follow.bytes`); 0: none.
    pub follow_bytes_max: usize,
    /// How long such an extent is held after the log has gone on (`rdma.access.timeout.ms`).
    pub follow_ms_max: u64,
    /// What topics have where they do not set an option.
    pub topic_defaults: LogConfig,
    /// What clients are told when the image does not name this broker's address.
    pub advertised_host: String,
    pub advertised_port: u16,
    /// The name of the listener, for the control plane.
    pub listener_name: String,
    /// Sets the least severe line that the process writes (`log.level`), where it can be set.
    pub set_log_level: Option<fn(&str) -> bool>,
}

impl ShardOptions {
    /// Kafka's defaults for the only shard of a node that is reached at `address`.
    pub fn new(address: SocketAddr) -> Self {
        ShardOptions {
            shard: 0,
            shards: 1,
            node_id: 1,
            generation: 1,
            idle: IdlePolicy::Adaptive,
            spin_us: 50,
            request_bytes_max: 104_857_600,
            large_request_bytes_max: 512 << 20,
            memory: MemoryOptions::default(),
            connections_max: 16_384,
            connections_idle_ms_max: 600_000,
            auto_create_topics: true,
            fetch_session_slots_max: 1_000,
            follow_bytes_max: 0,
            follow_ms_max: 60_000,
            topic_defaults: LogConfig::default(),
            advertised_host: address.ip().to_string(),
            advertised_port: address.port(),
            listener_name: "PLAINTEXT".to_owned(),
            set_log_level: None,
        }
    }
}

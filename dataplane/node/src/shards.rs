//! The shards' threads.

use crate::hardware;
use crate::network::{Network, NodeTransport, TransportPlan};
use precursor_config::{CodecHardware, IdlePolicy, NodeConfig, Part, Switch};
use precursor_memory::numa;
use precursor_shard::{MemoryOptions, PeerLinks, Shard, ShardOptions, ShardParts, peer_links};
use precursor_shm::{PoolOptions, Region};
use precursor_storage::{
    CleanerOptions, ColdOptions, DirectIo, LogDirectories, StoreOptions, WorkerOptions,
};
use precursor_transport_rdma::{RdmaTransport, WithRdma};
use precursor_transport_shm::{ShmTransport, WithShm};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// A shard's calls are shallow; memory that is not touched is not counted, but it is bounded.
const STACK_BYTES: usize = 512 << 10;
/// Longest sleep of a shard: how long a wish to stop may go unheard.
const SLEEP_MAX: Duration = Duration::from_millis(500);

/// What the main thread and the shards tell each other.
#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    listening: AtomicUsize,
}

/// What serves native clients beside the network, one of each kind for each shard, or none.
pub struct Beside {
    pub shm: Vec<ShmTransport>,
    pub rdma: Vec<RdmaTransport>,
}

/// All running shards.
pub struct Shards {
    threads: Vec<JoinHandle<Result<(), String>>>,
    shared: Arc<Shared>,
    region: Region,
}

impl Shards {
    /// Starts one thread per shard.
    ///
    /// # Errors
    /// A thread cannot be started.
    pub fn start(
        config: &NodeConfig,
        region: &Region,
        generation: u64,
        network: Network,
        beside: Beside,
        directories: &Arc<LogDirectories>,
    ) -> Result<Shards, String> {
        region.set_taken_processors(&config.dataplane_cpus);
        let shared = Arc::new(Shared::default());
        let mut threads = Vec::new();
        let links = peer_links(config.shard_count());
        let listen = network.address();
        let plans = network.into_plans();
        let (mut shm, mut rdma) = (beside.shm.into_iter(), beside.rdma.into_iter());
        for ((shard, peers), transport) in (0..config.shard_count()).zip(links).zip(plans) {
            let plan = Plan {
                options: shard_options(config, listen, shard, generation, region),
                store: store_options(config, shard, directories),
                transport,
                shm: shm.next(),
                rdma: rdma.next(),
                listen,
                region: region.clone(),
                cpu: config.dataplane_cpus.get(usize::from(shard)).copied(),
                peers,
                shared: shared.clone(),
            };
            let thread = std::thread::Builder::new()
                .name(format!("shard-{shard}"))
                .stack_size(STACK_BYTES)
                .spawn(move || plan.run())
                .map_err(|error| format!("starting the thread of shard {shard}: {error}"))?;
            threads.push(thread);
        }
        Ok(Shards {
            threads,
            shared,
            region: region.clone(),
        })
    }

    /// Whether every shard accepts clients.
    pub fn all_listening(&self) -> bool {
        self.shared.listening.load(Ordering::Acquire) == self.threads.len()
    }

    /// Whether a shard has ended without being asked.
    pub fn any_ended(&self) -> bool {
        self.threads.iter().any(JoinHandle::is_finished)
    }

    /// How many turns each shard has taken.
    pub fn turns(&self) -> impl Iterator<Item = u64> {
        let stats = |shard| self.region.stats(shard as u16);
        (0..self.threads.len()).map(move |shard| stats(shard).loop_turns.get())
    }

    /// Why the first one ended.
    pub fn first_failure(&mut self) -> String {
        let ended = self.threads.iter().position(JoinHandle::is_finished);
        let outcome = ended.map(|at| self.threads.swap_remove(at).join());
        match outcome {
            Some(Ok(Err(sentence))) => sentence,
            _ => "a shard ended unexpectedly".to_owned(),
        }
    }

    /// Asks every shard to stop, and waits until all have written their logs to disk.
    ///
    /// # Errors
    /// What could not be written.
    pub fn stop(self) -> Result<(), String> {
        self.shared.stop.store(true, Ordering::Release);
        for shard in 0..self.threads.len() {
            let name = precursor_shm::DoorbellName::Shard(shard as u16);
            // A bell that cannot be rung only means a later end of a sleep.
            if let Ok(bell) = self.region.doorbell(name) {
                bell.ring();
            }
        }
        let mut outcome = Ok(());
        for thread in self.threads {
            let ended = thread.join();
            let ended = ended.unwrap_or_else(|_| Err("a shard panicked".to_owned()));
            outcome = outcome.and(ended);
        }
        outcome
    }
}

/// Everything that a shard's thread needs to make its shard.
struct Plan {
    options: ShardOptions,
    store: StoreOptions,
    transport: TransportPlan,
    shm: Option<ShmTransport>,
    rdma: Option<RdmaTransport>,
    listen: SocketAddr,
    region: Region,
    cpu: Option<usize>,
    peers: PeerLinks,
    shared: Arc<Shared>,
}

impl Plan {
    fn run(self) -> Result<(), String> {
        let number = self.options.shard;
        if let Some(cpu) = self.cpu
            && !core_affinity::set_for_current(core_affinity::CoreId { id: cpu })
        {
            tracing::warn!(shard = number, "cannot be pinned to processor {cpu}");
        }
        place_memory(&self.region, number, self.cpu);
        let transport = NodeTransport::new(self.transport).map_err(|e| e.to_string())?;
        tracing::info!(shard = number, "{}", transport.report());
        let transport = WithRdma::new(transport, self.rdma).map_err(|e| e.to_string())?;
        let transport = WithShm::new(transport, self.shm).map_err(|e| e.to_string())?;
        let parts = ShardParts {
            transport,
            region: self.region,
            store: self.store,
            listen: self.listen,
            peers: self.peers,
        };
        let mut shard = Shard::new(self.options, parts).map_err(|e| e.to_string())?;
        let mut told = false;
        while !self.shared.stop.load(Ordering::Relaxed) {
            shard.run_once(SLEEP_MAX).map_err(|e| e.to_string())?;
            if !told && shard.is_listening() {
                told = true;
                self.shared.listening.fetch_add(1, Ordering::Release);
            }
        }
        shard.shut_down().map_err(|e| e.to_string())
    }
}

/// Where a machine has several NUMA nodes, a shard's pools and its thread's own memory come from the
/// one that its processor is near.
fn place_memory(region: &Region, shard: u16, cpu: Option<usize>) {
    let topology = numa::Topology::detect();
    if topology.count() == 1 {
        if shard == 0 {
            tracing::info!("one NUMA node: all memory is near every shard");
        }
        return;
    }
    let Some(node) = cpu.and_then(|cpu| topology.node_of(cpu)) else {
        let nodes = topology.count();
        tracing::warn!(
            shard,
            "memory is not placed on one of {nodes} NUMA nodes: dataplane.cpus does not pin the shard"
        );
        return;
    };
    match numa::prefer_node(node).and_then(|()| region.prefer_node(shard, node)) {
        Ok(()) => tracing::info!(shard, "memory comes from NUMA node {node}"),
        Err(error) => tracing::warn!(
            shard,
            "memory cannot be placed on NUMA node {node}: {error}"
        ),
    }
}

fn shard_options(
    config: &NodeConfig,
    listen: SocketAddr,
    shard: u16,
    generation: u64,
    region: &Region,
) -> ShardOptions {
    let shards = config.shard_count();
    let advertised = config.advertised(listen);
    let share = |whole: u32| (whole as usize).div_ceil(usize::from(shards));
    ShardOptions {
        shard,
        shards,
        node_id: config.node_id,
        generation,
        idle: match config.dataplane_idle {
            IdlePolicy::Adaptive => precursor_shard::IdlePolicy::Adaptive,
            IdlePolicy::Busy => precursor_shard::IdlePolicy::Busy,
            IdlePolicy::Sleep => precursor_shard::IdlePolicy::Sleep,
        },
        spin_us: u64::from(config.dataplane_spin_us),
        memory: memory_options(config, region),
        request_bytes_max: config.socket_request_bytes_max as usize,
        connections_max: share(config.connections_max),
        connections_idle_ms_max: config.connections_idle_ms_max,
        auto_create_topics: config.auto_create_topics,
        fetch_session_slots_max: share(config.fetch_session_slots_max),
        follow_bytes_max: share(config.rdma_follow_bytes),
        follow_ms_max: config.rdma_access_timeout_ms,
        topic_defaults: config.topic_defaults.clone(),
        advertised_host: advertised.host,
        advertised_port: advertised.port,
        set_log_level: Some(crate::logger::set_level),
        ..ShardOptions::new(listen)
    }
}

/// A shard's share of the initial memory: of the buffers a quarter of that of the extents, as their
/// pool has where nobody says otherwise.
fn memory_options(config: &NodeConfig, region: &Region) -> MemoryOptions {
    let shards = u64::from(config.shard_count());
    let bytes = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
    let pool = |initial: u64| PoolOptions {
        initial_bytes: bytes(initial.div_ceil(shards)),
        step_bytes: bytes(config.memory_chunk_bytes),
        prewarm: config.memory_prewarm,
    };
    let part = config.memory_gc_threshold;
    let kept = |pool: u64| (part < Part::WHOLE).then(|| part.of(bytes(pool)));
    MemoryOptions {
        extents: pool(config.memory_initial_bytes),
        buffers: pool(config.memory_initial_bytes / 4),
        extents_bytes_kept: kept(region.pool_bytes()),
        buffers_bytes_kept: kept(region.buffer_bytes()),
    }
}

/// What the configuration asks of a shard's store.
pub fn store_options(
    config: &NodeConfig,
    shard: u16,
    directories: &Arc<LogDirectories>,
) -> StoreOptions {
    StoreOptions {
        directories: Some(directories.clone()),
        direct_io: match config.storage_direct_io {
            Switch::Auto => DirectIo::Auto,
            Switch::On => DirectIo::On,
            Switch::Off => DirectIo::Off,
        },
        checkpoint_interval_ms: config.log_checkpoint_interval_ms,
        retention_check_interval_ms: config.log_retention_check_interval_ms,
        producer_id_expiration_ms: i64::try_from(config.producer_id_expiration_ms)
            .unwrap_or(i64::MAX),
        cleaner: cleaner_options(config),
        cold: cold_options(config),
        workers: worker_options(config),
        ..StoreOptions::new(&config.data_dir, shard)
    }
}

/// The cleaners of each shard have their share of what the node may use.
fn cleaner_options(config: &NodeConfig) -> CleanerOptions {
    let shards = config.shard_count();
    let buffer = config.log_cleaner_dedupe_buffer_bytes / u64::from(shards);
    let rate = config.log_cleaner_io_bytes_per_second_max;
    CleanerOptions {
        enabled: config.log_cleaner_enable,
        dedupe_buffer_bytes: usize::try_from(buffer).unwrap_or(usize::MAX),
        io_bytes_per_second_max: rate.bytes_per_second() / f64::from(shards),
        backoff_ms: config.log_cleaner_backoff_ms,
    }
}

/// The threads of each shard have their share of the disk.
fn cold_options(config: &NodeConfig) -> ColdOptions {
    let rate = config.cold_compression_io_bytes_per_second_max;
    ColdOptions {
        io_bytes_per_second_max: rate.bytes_per_second() / f64::from(config.shard_count()),
        cpu_percent_max: config.cold_compression_cpu_percent_max,
        backoff_ms: config.cold_compression_backoff_ms,
    }
}

/// The node's workers, shared out; shards keep the processors that they are pinned to.
fn worker_options(config: &NodeConfig) -> WorkerOptions {
    let shards = usize::from(config.shard_count());
    WorkerOptions {
        workers: usize::from(config.dataplane_codec_workers)
            .div_ceil(shards)
            .max(1),
        taken_cpus: config.dataplane_cpus.clone(),
        devices: match config.dataplane_codec_hardware {
            CodecHardware::Auto => hardware::devices,
            CodecHardware::Off => Vec::new,
        },
    }
}

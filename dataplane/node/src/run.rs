//! The life of the process: claim, attach, bind, run shards, stop.

use crate::data_dir;
use crate::log_directories;
use crate::network::Network;
use crate::rdma_clients;
use crate::shards::{Beside, Shards};
use crate::shm_clients;
use crate::signals::Signals;
use crate::watchdog::Watchdog;
use precursor_config::{NodeConfig, Switch};
use precursor_shm::{Hugepages, ProcessState, Region, RegionOptions};
use std::time::{Duration, Instant};

/// How often the main thread looks at its shards while they start.
const START_POLL: Duration = Duration::from_millis(1);
/// How often it wakes up when neither a supervisor nor shards are watched.
const NOTHING_TO_WATCH_POLL: Duration = Duration::from_secs(5);
/// How often it looks at its shards, and whether its supervisor is still there.
const WATCH_POLL: Duration = Duration::from_millis(500);

/// What the configuration asks of the region. Every process of a node asks for the same.
pub fn region_options(config: &NodeConfig) -> RegionOptions {
    RegionOptions {
        directory: config.memory_region_dir.clone(),
        hugepages: match config.memory_hugepages {
            Switch::Auto => Hugepages::Auto,
            Switch::On => Hugepages::On,
            Switch::Off => Hugepages::Off,
        },
        shards: config.shard_count(),
        pool_bytes: config.memory_region_bytes,
        buffer_bytes: config.memory_buffers_bytes,
        ..RegionOptions::new(config.node_id, &config.data_dir)
    }
}

/// Runs until asked to stop, or until a supervisor that started us is gone.
///
/// # Errors
/// One sentence that says why it cannot start, or what could not be written at the end.
pub fn run(
    config: &NodeConfig,
    supervised_by: Option<u32>,
    mut signals: Signals,
) -> Result<(), String> {
    let _lock = data_dir::claim(&config.data_dir)?;
    let opened = log_directories::open(config)?;
    let (region, _) =
        Region::create_or_attach(&region_options(config)).map_err(|error| error.to_string())?;
    let status = region.status();
    let generation = status.begin_data(std::process::id());
    let network = Network::open(config)?;
    if let Some(report) = network.report() {
        tracing::info!("{report}");
    }
    let bound = network.address();
    status.set_kafka_port(bound.port());
    end_process_on_panic();
    let (shm_clients, shm) = shm_clients::open(config)?;
    if let Some(listener) = &shm_clients {
        tracing::info!(
            "shared-memory clients attach at {}",
            listener.path().display()
        );
    }
    let (rdma_clients, rdma) = rdma_clients::open(config, bound)?;
    let directories = &opened.directories;
    let beside = Beside { shm, rdma };
    let mut shards = Shards::start(config, &region, generation, network, beside, directories)?;
    let _watch = log_directories::watch(directories)?;
    let orphaned = || supervised_by.is_some_and(|pid| std::os::unix::process::parent_id() != pid);
    let limit = Duration::from_millis(config.dataplane_watchdog_ms);
    let mut watchdog = Watchdog::new(limit, usize::from(config.shard_count()));
    let mut announced = false;
    loop {
        let ready = shards.all_listening();
        if ready && !announced {
            announced = true;
            status.set_data_state(ProcessState::Ready);
            tracing::info!("serving on {bound}");
            report_pages(&region);
            // Parsing options and recovering logs are behind us; polling needs little of the text.
            precursor_memory::release_start_text();
        }
        // Without a supervisor and without shards to watch there is nothing to wake up for.
        let watch = match supervised_by {
            Some(_) => WATCH_POLL,
            None => watchdog.interval().unwrap_or(NOTHING_TO_WATCH_POLL),
        };
        let poll = if ready { watch } else { START_POLL };
        if signals.wait(poll) {
            tracing::info!("asked to stop");
            break;
        }
        if orphaned() {
            tracing::warn!("the supervisor is gone: stopping");
            break;
        }
        if ready && let Some(shard) = watchdog.look(Instant::now(), shards.turns()) {
            end_process_that_is_stuck(shard, limit);
        }
        if shards.any_ended() {
            status.set_data_state(ProcessState::Absent);
            return Err(shards.first_failure());
        }
    }
    status.set_data_state(ProcessState::Stopping);
    drop(shm_clients);
    let stopped = shards.stop();
    drop(rdma_clients);
    // All devices went with their shards.
    precursor_transport_dpdk::shut_down();
    status.set_data_state(ProcessState::Absent);
    stopped
}

/// What the region lies on, as the kernel tells: what was asked for is not always had.
fn report_pages(region: &Region) {
    const MEBIBYTE: u64 = 1 << 20;
    let of = region.bytes() / MEBIBYTE;
    match region.huge_bytes() {
        Ok(0) => tracing::info!("region: pages of 4 KiB so far, {of} MiB at most"),
        Ok(huge) => {
            let huge = huge / MEBIBYTE;
            tracing::info!("region: {huge} MiB on huge pages so far, {of} MiB at most");
        }
        Err(error) => tracing::warn!("region: its pages cannot be told: {error}"),
    }
}

/// A shard that takes no turns cannot be asked to stop. What it had acknowledged is in the region or
/// on disk, as when the process is killed.
fn end_process_that_is_stuck(shard: usize, limit: Duration) -> ! {
    let ms = limit.as_millis() as u64;
    tracing::error!(
        shard,
        "a shard has taken no turn for {ms} ms (dataplane.watchdog.ms): the process ends, to be started anew"
    );
    // Leaves a core file where the host keeps such, which says where the shard was.
    std::process::abort()
}

/// A shard that panics has broken an invariant of its own. The process ends, so that the supervisor
/// starts it anew and recovery looks at everything; going on with half a node helps nobody.
fn end_process_on_panic() {
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        print(panic);
        std::process::exit(101);
    }));
}

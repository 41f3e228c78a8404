//! The life of the process: claim, attach, lead, serve, stop.

use crate::data_dir;
use crate::logger::Levels;
use crate::register::register;
use precursor_admin::{AdminOptions, AdminServer};
use precursor_bridge::{Bridge, BridgeOptions, DataPlane, DataPlaneView};
use precursor_config::{NodeConfig, Switch};
use precursor_consensus::{Consensus, Options};
use precursor_coordinator::{Coordinator, CoordinatorOptions, GroupConfig};
use precursor_kafka_api::{Addresses, Api, Settings};
use precursor_monitor::{MonitorOptions, MonitorServer};
use precursor_shm::{Hugepages, ProcessState, Region, RegionOptions};
use precursor_telemetry::Telemetry;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;

/// How often it looks whether its supervisor is still there.
const SUPERVISOR_POLL: Duration = Duration::from_millis(500);
/// How long administrators' calls may go on after the process was asked to stop.
const STOP_PATIENCE: Duration = Duration::from_secs(2);

/// What the configuration asks of the region. Every process of a node asks for the same.
fn region_options(config: &NodeConfig) -> RegionOptions {
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
/// One sentence that says why it cannot start or go on.
pub async fn run(
    config: &NodeConfig,
    supervised_by: Option<u32>,
    levels: Levels,
) -> Result<(), String> {
    let mut signals = Signals::new()?;
    let directory = data_dir::claim(&config.data_dir)?;
    let (region, _) =
        Region::create_or_attach(&region_options(config)).map_err(|error| error.to_string())?;
    let generation = region.status().begin_control(std::process::id());
    let served = serve(
        config,
        supervised_by,
        &mut signals,
        &region,
        generation,
        &directory.path,
        levels,
    );
    let result = served.await;
    region.status().set_control_state(ProcessState::Absent);
    result
}

async fn serve(
    config: &NodeConfig,
    supervised_by: Option<u32>,
    signals: &mut Signals,
    region: &Region,
    generation: u64,
    directory: &std::path::Path,
    levels: Levels,
) -> Result<(), String> {
    let consensus = open_metadata(config, directory).await?;
    register(&consensus, config, region.shards()).await?;
    let view = DataPlaneView::new(region.shards());
    let (data_plane, calls) = DataPlane::new(region.shards());
    let (admin, monitor) = bind(config).await?;
    let coordinator = Coordinator::new(
        coordinator_options(config, region),
        consensus.clone(),
        data_plane.clone(),
        view.clone(),
    );
    let settings = settings(config, region);
    let telemetry: Arc<Mutex<Telemetry>> = Arc::default();
    let node_options = settings.data_plane_options();
    let api = Arc::new(Api::new(
        consensus.clone(),
        view.clone(),
        data_plane.clone(),
        settings,
        addresses(config, region, admin.address(), monitor.address()),
        coordinator.clone(),
        telemetry.clone(),
    ));
    // Ends with the runtime; nobody waits for it.
    tokio::spawn(follow_log_level(Arc::clone(&api), levels));
    let bridge = Bridge::new(BridgeOptions {
        region: region.clone(),
        consensus: consensus.clone(),
        node_id: config.node_id,
        node_options,
        generation,
        view: view.clone(),
        calls,
    })
    .map_err(|error| format!("the rings cannot be used: {error}"))?;
    region.status().set_admin_port(admin.address().port());
    region.status().set_control_state(ProcessState::Ready);
    tracing::info!(admin = %admin.address(), metrics = %monitor.address(), generation, "serving");

    let stop = watch::Sender::new(false);
    let bridge = bridge.run(Arc::clone(&api), stopped(stop.subscribe()));
    let admin_options = AdminOptions {
        api,
        region: region.clone(),
        version: env!("CARGO_PKG_VERSION"),
    };
    let monitor_options = MonitorOptions {
        region: region.clone(),
        consensus: consensus.clone(),
        view,
        data_plane,
        coordinator: coordinator.clone(),
        telemetry,
        node_id: config.node_id,
        log_directories: log_directories(config),
        version: env!("CARGO_PKG_VERSION"),
    };
    let coordinating = coordinator.run(stopped(stop.subscribe()));
    // On tasks of their own: a panic in one is an error here, and the process ends.
    let mut bridge = tokio::spawn(bridge);
    let mut coordinating = tokio::spawn(coordinating);
    let mut admin = tokio::spawn(admin.serve(admin_options, stopped(stop.subscribe())));
    let mut monitor = tokio::spawn(monitor.serve(monitor_options, stopped(stop.subscribe())));
    let ended = tokio::select! {
        () = signals.asked_to_stop() => {
            tracing::info!("asked to stop");
            Ok(())
        }
        () = orphaned(supervised_by) => {
            tracing::warn!("the supervisor is gone: stopping");
            Ok(())
        }
        reason = consensus.stopped() => Err(format!("consensus has stopped: {reason}")),
        ended = &mut bridge => Err(format!("the bridge has ended: {ended:?}")),
        ended = &mut coordinating => Err(format!("the coordination of groups has ended: {ended:?}")),
        ended = &mut admin => Err(format!("the administration has ended: {ended:?}")),
        ended = &mut monitor => Err(format!("the metrics endpoint has ended: {ended:?}")),
    };
    if ended.is_ok() {
        region.status().set_control_state(ProcessState::Stopping);
        stop.send_replace(true);
        let all = async {
            let _ = admin.await;
            let _ = monitor.await;
            let _ = bridge.await;
        };
        give_time_to_end(all).await;
        consensus.shutdown().await;
    }
    ended
}

/// Keeps what is written at the level that is in force.
async fn follow_log_level(api: Arc<Api>, levels: Levels) {
    let mut changes = api.consensus().subscribe();
    let mut present = api.settings().node.log_level;
    loop {
        let wanted = api.node_config().log_level;
        if wanted != present {
            levels.set(wanted);
            tracing::info!(%wanted, "log.level changes");
            present = wanted;
        }
        // One that missed changes reads what is there now, like any other.
        if let Err(RecvError::Closed) = changes.recv().await {
            return;
        }
    }
}

/// Opens the metadata log and leads it.
async fn open_metadata(
    config: &NodeConfig,
    directory: &std::path::Path,
) -> Result<Consensus, String> {
    let options = Options {
        directory: directory.to_owned(),
        // Never negative: the option's bounds.
        node_id: u64::from(config.node_id.unsigned_abs()),
    };
    let consensus = Consensus::open(&options).await;
    consensus.map_err(|error| error.to_string())
}

fn coordinator_options(config: &NodeConfig, region: &Region) -> CoordinatorOptions {
    CoordinatorOptions {
        node_id: config.node_id,
        shards: region.shards(),
        groups: GroupConfig {
            initial_rebalance_delay_ms: config.group_initial_rebalance_delay_ms,
            session_timeout_ms_min: config.group_session_timeout_ms_min,
            session_timeout_ms_max: config.group_session_timeout_ms_max,
            // Never negative: the option's bounds.
            group_size_max: config.group_size_max.unsigned_abs() as usize,
            offset_metadata_length_max: config.offset_metadata_bytes_max as usize,
            offsets_retention_ms: i64::from(config.offsets_retention_minutes) * 60_000,
            offsets_retention_check_interval_ms: config.offsets_retention_check_interval_ms,
            ..GroupConfig::default()
        },
    }
}

fn settings(config: &NodeConfig, region: &Region) -> Settings {
    Settings {
        shards: region.shards(),
        node: config.clone(),
    }
}

async fn give_time_to_end(tasks: impl Future<Output = ()>) {
    if tokio::time::timeout(STOP_PATIENCE, tasks).await.is_err() {
        tracing::info!("calls that are still open are given up");
    }
}

async fn bind(config: &NodeConfig) -> Result<(AdminServer, MonitorServer), String> {
    Ok((bind_admin(config).await?, bind_monitor(config).await?))
}

async fn bind_admin(config: &NodeConfig) -> Result<AdminServer, String> {
    let listen = &config.admin_listen;
    let address = listen
        .resolve()
        .map_err(|error| format!("admin.listen={listen} cannot be used: {error}"))?;
    AdminServer::bind(address).await.map_err(|error| {
        format!("cannot listen on {listen}: {error}; choose another: admin.listen")
    })
}

async fn bind_monitor(config: &NodeConfig) -> Result<MonitorServer, String> {
    let listen = &config.metrics_listen;
    let address = listen
        .resolve()
        .map_err(|error| format!("metrics.listen={listen} cannot be used: {error}"))?;
    MonitorServer::bind(address).await.map_err(|error| {
        format!("cannot listen on {listen}: {error}; choose another: metrics.listen")
    })
}

/// Where this node is reached, asked anew each time: the data plane may come and go.
fn addresses(
    config: &NodeConfig,
    region: &Region,
    admin: SocketAddr,
    metrics: SocketAddr,
) -> Arc<dyn Fn() -> Addresses + Send + Sync> {
    let (config, region) = (config.clone(), region.clone());
    // Resolved once: a name server must not be in the way of an answer.
    let listen = config.listen.resolve().ok();
    Arc::new(move || {
        let port = region.status().kafka_port();
        let bound = listen.filter(|_| port != 0);
        let kafka = bound.map(|address| config.advertised(SocketAddr::new(address.ip(), port)));
        let reached = |bound: SocketAddr| {
            // Reachable under any of the node's addresses, so also under the one that is known.
            let host = match &kafka {
                _ if !bound.ip().is_unspecified() => bound.ip().to_string(),
                Some(kafka) => kafka.host.clone(),
                None => return None,
            };
            let port = bound.port();
            Some(precursor_config::Endpoint { host, port }.to_string())
        };
        Addresses {
            admin: reached(admin),
            metrics: reached(metrics),
            kafka: kafka.map(|endpoint| (endpoint.host, endpoint.port)),
        }
    })
}

/// Ready when the value becomes true, or nobody is left to set it.
async fn stopped(mut stop: watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Ready when the process that started us is no longer our parent.
async fn orphaned(supervised_by: Option<u32>) {
    let Some(supervisor) = supervised_by else {
        return std::future::pending().await;
    };
    while std::os::unix::process::parent_id() == supervisor {
        tokio::time::sleep(SUPERVISOR_POLL).await;
    }
}

struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn new() -> Result<Self, String> {
        let receive = |kind| signal(kind).map_err(|error| format!("receiving signals: {error}"));
        Ok(Signals {
            interrupt: receive(SignalKind::interrupt())?,
            terminate: receive(SignalKind::terminate())?,
        })
    }

    async fn asked_to_stop(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// The directories that hold partitions, as they are told.
fn log_directories(config: &NodeConfig) -> Vec<String> {
    let absolute = |path: PathBuf| std::path::absolute(&path).unwrap_or(path);
    let paths = config.log_directories().into_iter().map(absolute);
    paths.map(|path| path.display().to_string()).collect()
}

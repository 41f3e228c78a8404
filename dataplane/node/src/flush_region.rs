//! `--flush-region`: writes what a dead data plane left in the region to disk, without serving
//! anybody, and removes the region. What a new version that cannot read the region asks for.

use crate::{data_dir, log_directories, run, shards};
use precursor_config::NodeConfig;
use precursor_model::{LogConfig, LogUid, TopicId};
use precursor_shm::Region;
use precursor_storage::{LogSpec, LogState, Now, Store, StoreOptions};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A partition's directory, as its `partition.metadata` tells.
struct Found {
    uid: LogUid,
    topic_id: TopicId,
    topic: String,
    partition: i32,
}

/// Recovers every log of the data directory, writes what only the region had, and unlinks it.
///
/// # Errors
/// One sentence: there is no region, or what could not be written. The region is kept then.
pub fn run(config: &NodeConfig) -> Result<(), String> {
    let _lock = data_dir::claim(&config.data_dir)?;
    let options = run::region_options(config);
    let region = Region::attach_existing(&options).map_err(|error| error.to_string())?;
    let opened = log_directories::open(config)?;
    let directories = &opened.directories;
    if let Some(failed) = directories.failed() {
        let path = directories.path(failed).display();
        return Err(format!("{path} cannot be used; the region is kept"));
    }
    let mut found = Vec::new();
    for path in directories.paths() {
        found.extend(partitions(path)?);
    }
    for shard in 0..region.shards() {
        let options = shards::store_options(config, shard, directories);
        flush_shard(options, &region, shard, &found)?;
    }
    region
        .unlink()
        .map_err(|error| format!("removing {}: {error}", region.path().display()))?;
    println!("precursor-dataplane: everything is written to disk, the region is removed");
    Ok(())
}

fn flush_shard(
    options: StoreOptions,
    region: &Region,
    shard: u16,
    found: &[Found],
) -> Result<(), String> {
    let pool = region.extent_pool(shard);
    let mut clock = Clock(Instant::now());
    let mut store = Store::open(options, pool, clock.now()).map_err(|error| error.to_string())?;
    let mut logs = Vec::new();
    // Which logs have bytes in the region is the store's to find out: all are opened.
    for partition in found {
        let spec = LogSpec {
            uid: partition.uid,
            topic_id: partition.topic_id,
            topic: &partition.topic,
            partition: partition.partition,
            config: LogConfig::default(),
            leader_epoch: 0,
            is_new: false,
        };
        let log = store.ensure_log(spec, clock.now());
        let name = format!("{}-{}", partition.topic, partition.partition);
        logs.push((log.map_err(|error| format!("{name}: {error:?}"))?, name));
    }
    let mut events = Vec::new();
    while logs
        .iter()
        .any(|(log, _)| store.state(*log) == LogState::Opening)
    {
        events.clear();
        if !store.poll(clock.now(), &mut events) {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    for (log, name) in &logs {
        if let LogState::Offline(error) = store.state(*log) {
            return Err(format!(
                "{name} cannot be recovered: {error}; the region is kept"
            ));
        }
    }
    store
        .shutdown(clock.now())
        .map_err(|error| error.to_string())
}

/// Every partition directory that carries a log's number.
fn partitions(directory: &Path) -> Result<Vec<Found>, String> {
    let unreadable = |error: std::io::Error| format!("{}: {error}", directory.display());
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        let split = name.and_then(|name| name.rsplit_once('-'));
        let Some((topic, Ok(partition))) = split.map(|(t, p)| (t, p.parse::<i32>())) else {
            continue;
        };
        let Ok(text) = std::fs::read_to_string(path.join("partition.metadata")) else {
            continue;
        };
        let value = |key: &str| {
            let mut lines = text.lines();
            lines.find_map(|line| line.strip_prefix(key)?.strip_prefix(": "))
        };
        let topic_id = value("topic_id").and_then(|id| id.parse().ok());
        let uid = value("log_uid").and_then(|uid| uid.parse().ok());
        if let (Some(topic_id), Some(uid)) = (topic_id, uid) {
            found.push(Found {
                uid: LogUid(uid),
                topic_id,
                topic: topic.to_owned(),
                partition,
            });
        }
    }
    Ok(found)
}

struct Clock(Instant);

impl Clock {
    fn now(&mut self) -> Now {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH);
        Now {
            monotonic_us: self.0.elapsed().as_micros() as u64,
            wall_ms: wall.map_or(0, |wall| wall.as_millis() as i64),
        }
    }
}

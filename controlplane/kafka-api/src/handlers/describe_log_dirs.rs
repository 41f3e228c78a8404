//! DescribeLogDirs, key 35, versions 1 to 5: the directories of this node and the logs in each.

use crate::api::Api;
use precursor_bridge::{DescribedLogs, LogDescription};
use precursor_model::{ErrorCode, LogUid};
pub(crate) use precursor_protocol::messages::DescribeLogDirsRequest as Request;
use precursor_protocol::messages::DescribeLogDirsResponse;
use precursor_protocol::messages::describe_log_dirs_response::{
    DescribeLogDirsPartition, DescribeLogDirsResult, DescribeLogDirsTopic,
};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

pub(crate) async fn handle(api: &Api, _version: i16, request: Request) -> DescribeLogDirsResponse {
    let directories = api.settings.node.log_directories();
    let described = api.logs.describe_logs().await;
    if let Err(error) = &described {
        tracing::warn!(%error, "the logs cannot be described");
    }
    // Null asks for everything.
    let wanted = request.topics.map(|topics| {
        let mut wanted = Wanted::new();
        for topic in topics {
            let partitions = wanted.entry(topic.topic).or_default();
            partitions.extend(topic.partitions);
        }
        wanted
    });
    let numbered = (0u16..).zip(&directories);
    let results = numbered
        .map(|(number, directory)| {
            let directory = std::path::absolute(directory).unwrap_or_else(|_| directory.clone());
            let described = described.as_ref().ok();
            result(api, &directory, described, number, wanted.as_ref())
        })
        .collect();
    DescribeLogDirsResponse {
        results,
        ..DescribeLogDirsResponse::default()
    }
}

/// Partitions by topic.
type Wanted = BTreeMap<String, BTreeSet<i32>>;

/// What is said of one directory; of one that failed, only that, as Kafka does.
fn result(
    api: &Api,
    directory: &Path,
    described: Option<&DescribedLogs>,
    number: u16,
    wanted: Option<&Wanted>,
) -> DescribeLogDirsResult {
    let mut result = DescribeLogDirsResult {
        log_dir: directory.display().to_string(),
        total_bytes: -1,
        usable_bytes: -1,
        ..DescribeLogDirsResult::default()
    };
    let has_failed = |described: &&DescribedLogs| {
        let state = described.directories.get(usize::from(number));
        state.is_some_and(|state| state.error != 0)
    };
    match described.filter(|described| !has_failed(described)) {
        Some(described) => {
            (result.total_bytes, result.usable_bytes) = volume(directory);
            let here = |log: &&LogDescription| log.directory == number;
            let sizes = described.logs.iter().filter(here);
            let sizes = sizes.map(|log| (log.log, log.size_bytes)).collect();
            result.topics = topics(api, wanted, &sizes);
        }
        None => result.error_code = ErrorCode::KafkaStorageError.code(),
    }
    result
}

fn topics(
    api: &Api,
    wanted: Option<&Wanted>,
    sizes: &HashMap<LogUid, u64>,
) -> Vec<DescribeLogDirsTopic> {
    let own = api.settings.node.node_id;
    api.consensus.read(|state| {
        let mut topics = Vec::new();
        for topic in state.topics() {
            let named = wanted.map(|wanted| wanted.get(&topic.name));
            if named == Some(None) {
                continue;
            }
            let mut partitions = Vec::new();
            for (index, partition) in (0i32..).zip(&topic.partitions) {
                let taken = named.flatten().is_none_or(|named| named.contains(&index));
                let local = partition
                    .replicas
                    .iter()
                    .find(|replica| replica.broker == own);
                let size = local.and_then(|replica| sizes.get(&replica.log));
                if let (true, Some(size)) = (taken, size) {
                    partitions.push(DescribeLogDirsPartition {
                        partition_index: index,
                        partition_size: i64::try_from(*size).unwrap_or(i64::MAX),
                        ..DescribeLogDirsPartition::default()
                    });
                }
            }
            if !partitions.is_empty() {
                topics.push(DescribeLogDirsTopic {
                    name: topic.name.clone(),
                    partitions,
                    ..DescribeLogDirsTopic::default()
                });
            }
        }
        topics
    })
}

/// Bytes of the volume and those that may still be written; -1 where it does not tell.
fn volume(directory: &Path) -> (i64, i64) {
    let bytes =
        |blocks: u64, size: u64| i64::try_from(blocks.saturating_mul(size)).unwrap_or(i64::MAX);
    match nix::sys::statvfs::statvfs(directory) {
        Ok(volume) => {
            let size = volume.fragment_size();
            let (all, free) = (volume.blocks(), volume.blocks_available());
            (bytes(all, size), bytes(free, size))
        }
        Err(_) => (-1, -1),
    }
}

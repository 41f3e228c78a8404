//! DescribeLogDirs, key 35, versions 1 to 5: the one directory of this node and its logs.

use crate::api::Api;
use precursor_model::{ErrorCode, LogUid};
pub(crate) use precursor_protocol::messages::DescribeLogDirsRequest as Request;
use precursor_protocol::messages::DescribeLogDirsResponse;
use precursor_protocol::messages::describe_log_dirs_response::{
    DescribeLogDirsPartition, DescribeLogDirsResult, DescribeLogDirsTopic,
};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

pub(crate) async fn handle(api: &Api, _version: i16, request: Request) -> DescribeLogDirsResponse {
    let directory = &api.settings.node.data_dir;
    let directory = std::path::absolute(directory).unwrap_or_else(|_| directory.clone());
    let (total_bytes, usable_bytes) = volume(&directory);
    let mut result = DescribeLogDirsResult {
        log_dir: directory.display().to_string(),
        total_bytes,
        usable_bytes,
        ..DescribeLogDirsResult::default()
    };
    match api.logs.describe_logs().await {
        Ok(logs) => {
            let sizes = logs
                .into_iter()
                .map(|log| (log.log, log.size_bytes))
                .collect();
            result.topics = topics(api, request, &sizes);
        }
        Err(error) => {
            tracing::warn!(%error, "the logs cannot be described");
            result.error_code = ErrorCode::KafkaStorageError.code();
        }
    }
    DescribeLogDirsResponse {
        results: vec![result],
        ..DescribeLogDirsResponse::default()
    }
}

fn topics(api: &Api, request: Request, sizes: &HashMap<LogUid, u64>) -> Vec<DescribeLogDirsTopic> {
    // Null asks for everything.
    let wanted = request.topics.map(|topics| {
        let mut wanted: BTreeMap<String, BTreeSet<i32>> = BTreeMap::new();
        for topic in topics {
            wanted
                .entry(topic.topic)
                .or_default()
                .extend(topic.partitions);
        }
        wanted
    });
    let own = api.settings.node.node_id;
    api.consensus.read(|state| {
        let mut topics = Vec::new();
        for topic in state.topics() {
            let named = wanted.as_ref().map(|wanted| wanted.get(&topic.name));
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

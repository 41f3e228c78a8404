//! `precursor cluster`: what the cluster is and how it does.

use precursor_admin_api::v1::{GetStatusResponse, Node};
use serde_json::{Value, json};

use crate::admin::Admin;
use crate::common::{CommonArguments, counted};
use crate::failure::Failure;
use crate::output::{Field, Output, Tone};

/// The arguments of `precursor cluster`.
#[derive(Debug, clap::Args)]
#[command(arg_required_else_help = true)]
pub struct ClusterArguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Brokers, metadata, and the processes of the node that answers
    Status,
}

/// Runs one action.
///
/// # Errors
/// The control plane does not answer.
pub fn run(
    arguments: &ClusterArguments,
    common: &CommonArguments,
    output: Output,
) -> Result<(), Failure> {
    let Action::Status = arguments.action;
    let status = Admin::connect(common)?.status()?;
    match output.json() {
        true => output.value(&to_json(&status)),
        false => print(&status, output),
    }
}

fn print(status: &GetStatusResponse, output: Output) -> Result<(), Failure> {
    output.line(&format!(
        "cluster {} with {} and {} at metadata version {}",
        status.cluster_id,
        counted(status.topics.into(), "topic"),
        counted(status.partitions.into(), "partition"),
        status.metadata_version
    ))?;
    if let Some(consensus) = &status.consensus {
        let leader = consensus.leader;
        let leader = leader.map_or("nobody".to_owned(), |leader| format!("node {leader}"));
        output.line(&format!(
            "decisions are led by {leader}, term {}, applied {} of {}",
            consensus.term,
            consensus.last_applied_index.unwrap_or(0),
            consensus.last_log_index.unwrap_or(0)
        ))?;
    }
    let rows: Vec<Vec<String>> = status
        .brokers
        .iter()
        .map(|broker| {
            let place = format!("{}:{}", broker.host, broker.port);
            vec![broker.id.to_string(), place, broker.rack.clone()]
        })
        .collect();
    output.table(&["broker", "address", "rack"], &rows)?;
    let rows: Vec<Vec<Field>> = status.node.iter().flat_map(node_rows).collect();
    output.table(&["of this node", ""], &rows)
}

fn node_rows(node: &Node) -> Vec<Vec<Field>> {
    let data = node.data_plane.clone().unwrap_or_default();
    let control = node.control_plane.unwrap_or_default();
    let tone = |good: bool| if good { Tone::Good } else { Tone::Bad };
    let offline = Field::toned(data.logs_offline.to_string(), tone(data.logs_offline == 0));
    let state = format!(
        "{}, process {}, start {}",
        data.state, data.process_id, data.generation
    );
    let row = |name: &str, value: Field| vec![name.into(), value];
    vec![
        row("kafka", node.kafka_address.clone().into()),
        row("administration (gRPC)", node.admin_address.clone().into()),
        row("metrics (HTTP)", node.metrics_address.clone().into()),
        row(
            "data plane",
            Field::toned(state, tone(data.state == "ready")),
        ),
        row("shards", data.shards.len().into()),
        row("logs that cannot be served", offline),
        row(
            "control plane",
            format!(
                "process {}, start {}",
                control.process_id, control.generation
            )
            .into(),
        ),
        row(
            "region",
            format!("{} at {}", node.region_kind, node.region_path).into(),
        ),
    ]
}

fn to_json(status: &GetStatusResponse) -> Value {
    let brokers = status.brokers.iter().map(|broker| {
        json!({ "id": broker.id, "host": broker.host, "port": broker.port, "rack": broker.rack })
    });
    let consensus = status.consensus.as_ref().map(|consensus| {
        json!({
            "leader": consensus.leader,
            "term": consensus.term,
            "last_log_index": consensus.last_log_index,
            "last_applied_index": consensus.last_applied_index,
            "snapshot_index": consensus.snapshot_index,
            "voters": consensus.voters,
        })
    });
    json!({
        "cluster_id": status.cluster_id,
        "version": status.version,
        "metadata_version": status.metadata_version,
        "topics": status.topics,
        "partitions": status.partitions,
        "brokers": brokers.collect::<Vec<_>>(),
        "consensus": consensus,
        "node": status.node.as_ref().map(node_json),
    })
}

fn node_json(node: &Node) -> Value {
    let data = node.data_plane.as_ref().map(|data| {
        let shards = data
            .shards
            .iter()
            .map(|shard| json!({ "shard": shard.shard, "image_version": shard.image_version }));
        json!({
            "state": data.state,
            "process_id": data.process_id,
            "generation": data.generation,
            "logs_offline": data.logs_offline,
            "shards": shards.collect::<Vec<_>>(),
        })
    });
    let control = node.control_plane.as_ref().map(|control| {
        json!({
            "process_id": control.process_id,
            "generation": control.generation,
            "requests_answered": control.requests_answered,
            "requests_refused": control.requests_refused,
            "messages_malformed": control.messages_malformed,
        })
    });
    json!({
        "id": node.id,
        "kafka_address": node.kafka_address,
        "admin_address": node.admin_address,
        "metrics_address": node.metrics_address,
        "data_plane": data,
        "control_plane": control,
        "region_kind": node.region_kind,
        "region_path": node.region_path,
    })
}

//! `precursor group`: consumer groups, their members, offsets and lag.

mod describe;
mod reset;

use precursor_model::ErrorCode;
use precursor_protocol::messages::DeleteGroupsRequest;
use serde_json::{Value, json};

use crate::client::cluster::Cluster;
use crate::client::coordinator::{Coordinator, group_failure};
use crate::client::parse_endpoint;
use crate::client::topic::error_of;
use crate::common::CommonArguments;
use crate::consent::Consent;
use crate::failure::Failure;
use crate::output::Output;

/// The arguments of `precursor group`.
#[derive(Debug, clap::Args)]
#[command(arg_required_else_help = true)]
pub struct GroupArguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// All groups and their states
    List,
    /// A group's members, and where it stands in each partition
    Describe {
        #[arg(value_name = "GROUP")]
        group: String,
    },
    /// Move a group's offsets; shows what would be done until --execute is given
    ResetOffsets(reset::ResetArguments),
    /// Delete groups with their offsets; only groups without members can go
    Delete {
        #[arg(required = true, value_name = "GROUP")]
        groups: Vec<String>,
        #[command(flatten)]
        consent: Consent,
    },
}

/// Runs one action.
///
/// # Errors
/// No broker, or the group's coordinator refuses.
pub fn run(
    arguments: &GroupArguments,
    common: &CommonArguments,
    output: Output,
) -> Result<(), Failure> {
    let bootstrap = parse_endpoint("--bootstrap", &common.bootstrap)?;
    match &arguments.action {
        Action::List => list(Cluster::open(&bootstrap)?, output),
        Action::Describe { group } => describe::run(&bootstrap, group, output),
        Action::ResetOffsets(reset) => reset::run(&bootstrap, reset, output),
        Action::Delete { groups, consent } => {
            consent.to(&format!(
                "delete {} with all committed offsets",
                groups.join(", ")
            ))?;
            groups
                .iter()
                .try_for_each(|group| delete(Coordinator::find(&bootstrap, group)?, output))
        }
    }
}

fn list(mut cluster: Cluster, output: Output) -> Result<(), Failure> {
    let groups = cluster.groups()?;
    if output.json() {
        let groups = groups.iter().map(|(_, group)| {
            json!({
                "group": group.group_id,
                "state": group.group_state,
                "type": group.group_type,
                "protocol_type": group.protocol_type,
            })
        });
        return output.value(&Value::Array(groups.collect()));
    }
    let rows: Vec<Vec<String>> = groups
        .into_iter()
        .map(|(_, group)| {
            vec![
                group.group_id,
                group.group_state,
                group.group_type,
                group.protocol_type,
            ]
        })
        .collect();
    output.table(&["group", "state", "type", "protocol"], &rows)
}

fn delete(mut coordinator: Coordinator, output: Output) -> Result<(), Failure> {
    let group = coordinator.group().to_owned();
    let request = DeleteGroupsRequest {
        groups_names: vec![group.clone()],
        ..DeleteGroupsRequest::default()
    };
    let (error, _) = coordinator.call_patiently(&request, |response| {
        let result = response.results.first();
        result.map_or(ErrorCode::UnknownServerError, |result| {
            error_of(result.error_code)
        })
    })?;
    if error != ErrorCode::None {
        return Err(group_failure(&group, error));
    }
    if output.json() {
        return output.value(&json!({ "group": group, "deleted": true }));
    }
    output.line(&format!("group {group} deleted"))
}

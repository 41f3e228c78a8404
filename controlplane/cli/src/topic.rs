//! `precursor topic`: create, list, describe, delete.

use std::collections::HashMap;

use clap::Subcommand;
use precursor_admin_api::v1::delete_topic_request::Topic as Named;
use precursor_admin_api::v1::{
    CreatePartitionsRequest, CreateTopicRequest, DeleteTopicRequest, DescribeTopicRequest,
    DescribeTopicResponse, ListTopicsRequest, Partition, TopicSummary,
};
use serde_json::{Value, json};

use crate::admin::Admin;
use crate::client::parse_endpoint;
use crate::common::{CommonArguments, counted, key_value};
use crate::config::{self, Owner};
use crate::consent::Consent;
use crate::failure::Failure;
use crate::output::Output;

/// The arguments of `precursor topic`.
#[derive(Debug, clap::Args)]
#[command(arg_required_else_help = true)]
pub struct TopicArguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a topic
    Create(CreateArguments),
    /// Names and shapes of all topics
    List {
        /// Only topics whose name begins so
        #[arg(long, default_value = "")]
        prefix: String,
        /// Internal topics as well
        #[arg(long)]
        internal: bool,
    },
    /// A topic's partitions and options
    Describe { name: String },
    /// Delete topics with all their records
    Delete {
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
        #[command(flatten)]
        consent: Consent,
    },
    /// Change a topic's options
    Alter {
        name: String,
        /// Set an option, as often as needed
        #[arg(long = "config", value_name = "KEY=VALUE", value_parser = key_value, required_unless_present = "unset")]
        configs: Vec<(String, String)>,
        /// Give an option its default back, as often as needed
        #[arg(long, value_name = "KEY")]
        unset: Vec<String>,
    },
    /// Raise a topic's number of partitions
    AddPartitions {
        name: String,
        /// How many it is to have in all
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
        total: u32,
    },
}

#[derive(Debug, clap::Args)]
struct CreateArguments {
    name: String,
    /// Number of partitions [default: the broker's num.partitions]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    partitions: Option<u32>,
    /// Replicas of each partition [default: the broker's default.replication.factor]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    replication_factor: Option<u32>,
    /// Topic options, for instance retention.ms=3600000
    #[arg(long = "config", value_name = "KEY=VALUE", num_args = 1.., value_parser = key_value)]
    configs: Vec<(String, String)>,
    /// Only check whether the topic could be made
    #[arg(long)]
    validate_only: bool,
}

/// Runs one action.
///
/// # Errors
/// The control plane does not answer, or refuses.
pub fn run(
    arguments: &TopicArguments,
    common: &CommonArguments,
    output: Output,
) -> Result<(), Failure> {
    let connect = || Admin::connect(common);
    match &arguments.action {
        Action::Create(create) => create_topic(&connect()?, create, output),
        Action::List { prefix, internal } => list_topics(&connect()?, prefix, *internal, output),
        Action::Describe { name } => describe_topic(&connect()?, name, output),
        Action::Alter {
            name,
            configs,
            unset,
        } => alter_topic(common, name, configs, unset, output),
        Action::AddPartitions { name, total } => add_partitions(&connect()?, name, *total, output),
        Action::Delete { names, consent } => {
            consent.to(&format!("delete {} with all records", names.join(", ")))?;
            let admin = connect()?;
            names
                .iter()
                .try_for_each(|name| delete_topic(&admin, name, output))
        }
    }
}

fn create_topic(admin: &Admin, create: &CreateArguments, output: Output) -> Result<(), Failure> {
    let request = CreateTopicRequest {
        name: create.name.clone(),
        partitions: create.partitions,
        replication_factor: create.replication_factor,
        configs: create.configs.iter().cloned().collect::<HashMap<_, _>>(),
        validate_only: create.validate_only,
    };
    let made = admin.wait(admin.topics().create_topic(request))?;
    if output.json() {
        return output.value(&json!({
            "name": create.name,
            "topic_id": made.topic_id,
            "partitions": made.partitions,
            "replication_factor": made.replication_factor,
            "created": !create.validate_only,
        }));
    }
    let done = if create.validate_only {
        "could be created"
    } else {
        "created"
    };
    output.line(&format!(
        "topic {} {done} with {}",
        create.name,
        counted(made.partitions.into(), "partition")
    ))
}

fn list_topics(admin: &Admin, prefix: &str, internal: bool, output: Output) -> Result<(), Failure> {
    let mut topics: Vec<TopicSummary> = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = ListTopicsRequest {
            prefix: prefix.to_owned(),
            include_internal: internal,
            page_size: 0,
            page_token,
        };
        let page = admin.wait(admin.topics().list_topics(request))?;
        topics.extend(page.topics);
        if page.next_page_token.is_empty() {
            break;
        }
        page_token = page.next_page_token;
    }
    if output.json() {
        let topics: Vec<Value> = topics.iter().map(summary_json).collect();
        return output.value(&Value::Array(topics));
    }
    let rows: Vec<Vec<String>> = topics
        .iter()
        .map(|topic| {
            vec![
                topic.name.clone(),
                topic.partitions.to_string(),
                topic.replication_factor.to_string(),
                topic.topic_id.clone(),
            ]
        })
        .collect();
    output.table(&["topic", "partitions", "replicas", "id"], &rows)
}

fn describe_topic(admin: &Admin, name: &str, output: Output) -> Result<(), Failure> {
    let request = DescribeTopicRequest {
        name: name.to_owned(),
    };
    let described = admin.wait(admin.topics().describe_topic(request))?;
    if output.json() {
        return output.value(&description_json(&described));
    }
    let summary = described.topic.unwrap_or_default();
    output.line(&format!("topic {} (id {})", summary.name, summary.topic_id))?;
    let rows: Vec<Vec<String>> = described.partitions.iter().map(partition_row).collect();
    let header = [
        "partition",
        "leader",
        "epoch",
        "replicas",
        "in sync",
        "error",
    ];
    output.table(&header, &rows)?;
    let rows: Vec<Vec<String>> = described
        .configs
        .iter()
        .map(|config| {
            let origin = if config.is_default {
                "default"
            } else {
                "topic"
            };
            vec![config.name.clone(), config.value.clone(), origin.to_owned()]
        })
        .collect();
    output.table(&["option", "value", "from"], &rows)
}

fn partition_row(partition: &Partition) -> Vec<String> {
    let list = |nodes: &[i32]| {
        let nodes: Vec<String> = nodes.iter().map(i32::to_string).collect();
        nodes.join(",")
    };
    vec![
        partition.partition.to_string(),
        partition.leader.to_string(),
        partition.leader_epoch.to_string(),
        list(&partition.replicas),
        list(&partition.in_sync_replicas),
        partition.error.clone(),
    ]
}

fn delete_topic(admin: &Admin, name: &str, output: Output) -> Result<(), Failure> {
    let request = DeleteTopicRequest {
        topic: Some(Named::Name(name.to_owned())),
    };
    admin.wait(admin.topics().delete_topic(request))?;
    if output.json() {
        return output.value(&json!({ "name": name, "deleted": true }));
    }
    output.line(&format!("topic {name} deleted"))
}

fn alter_topic(
    common: &CommonArguments,
    name: &str,
    configs: &[(String, String)],
    unset: &[String],
    output: Output,
) -> Result<(), Failure> {
    let bootstrap = parse_endpoint("--bootstrap", &common.bootstrap)?;
    let set = configs.iter();
    let set = set.map(|(name, value)| (name.as_str(), Some(value.as_str())));
    let unset = unset.iter().map(|name| (name.as_str(), None));
    let changes: Vec<_> = set.chain(unset).collect();
    config::alter(&bootstrap, &Owner::topic(name), &changes, false)?;
    if output.json() {
        let names: Vec<&str> = changes.iter().map(|(name, _)| *name).collect();
        return output.value(&json!({ "name": name, "changed": names }));
    }
    output.line(&format!(
        "topic {name} has {} changed",
        counted(changes.len() as u64, "option")
    ))
}

fn add_partitions(admin: &Admin, name: &str, total: u32, output: Output) -> Result<(), Failure> {
    let request = CreatePartitionsRequest {
        name: name.to_owned(),
        partitions: total,
    };
    admin.wait(admin.topics().create_partitions(request))?;
    if output.json() {
        return output.value(&json!({ "name": name, "partitions": total }));
    }
    output.line(&format!("topic {name} has {total} partitions now"))
}

fn summary_json(topic: &TopicSummary) -> Value {
    json!({
        "name": topic.name,
        "topic_id": topic.topic_id,
        "partitions": topic.partitions,
        "replication_factor": topic.replication_factor,
        "internal": topic.internal,
    })
}

fn description_json(described: &DescribeTopicResponse) -> Value {
    let mut value = summary_json(&described.topic.clone().unwrap_or_default());
    let partitions = described.partitions.iter().map(|partition| {
        json!({
            "partition": partition.partition,
            "leader": partition.leader,
            "leader_epoch": partition.leader_epoch,
            "replicas": partition.replicas,
            "in_sync_replicas": partition.in_sync_replicas,
            "error": (!partition.error.is_empty()).then_some(&partition.error),
        })
    });
    // A topic's summary counts its partitions; its description lists them under the same name.
    value["partitions"] = partitions.collect();
    let configs = described.configs.iter().map(|config| {
        (
            config.name.clone(),
            json!({ "value": config.value, "is_default": config.is_default }),
        )
    });
    value["configs"] = configs.collect::<serde_json::Map<_, _>>().into();
    value
}

//! `precursor config`: options of topics, brokers, groups and client metrics, while they run.

use clap::Subcommand;
use precursor_config::Endpoint;
use precursor_model::ErrorCode;
use precursor_protocol::messages::describe_configs_request::DescribeConfigsResource;
use precursor_protocol::messages::describe_configs_response::DescribeConfigsResourceResult;
use precursor_protocol::messages::incremental_alter_configs_request::{
    AlterConfigsResource, AlterableConfig,
};
use precursor_protocol::messages::{DescribeConfigsRequest, IncrementalAlterConfigsRequest};
use serde_json::{Value, json};

use crate::client::topic::{error_of, topic_failure};
use crate::client::{Connection, parse_endpoint};
use crate::common::{CommonArguments, key_value};
use crate::failure::Failure;
use crate::output::{Field, Output, Tone};

/// IncrementalAlterConfigs' operations (KIP-339).
const SET: i8 = 0;
const DELETE: i8 = 1;

/// The arguments of `precursor config`.
#[derive(Debug, clap::Args)]
#[command(arg_required_else_help = true)]
pub struct ConfigArguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// The options in force, where each comes from, and whether it can be changed while it runs
    Describe {
        #[command(flatten)]
        owner: Owner,
        /// Only these options
        #[arg(value_name = "OPTION")]
        options: Vec<String>,
        /// Only options that were set, not defaults
        #[arg(long)]
        changed: bool,
        /// What each option does, too
        #[arg(long)]
        documentation: bool,
    },
    /// Set options
    Set {
        #[command(flatten)]
        owner: Owner,
        #[arg(required = true, value_name = "KEY=VALUE", value_parser = key_value)]
        values: Vec<(String, String)>,
        /// Only check whether they could be set
        #[arg(long)]
        validate_only: bool,
    },
    /// Give options their defaults back
    Unset {
        #[command(flatten)]
        owner: Owner,
        #[arg(required = true, value_name = "OPTION")]
        options: Vec<String>,
    },
}

/// Whose options.
#[derive(Clone, Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub struct Owner {
    /// A topic
    #[arg(long, value_name = "NAME")]
    topic: Option<String>,
    /// A broker by its id, or 'all' for what holds for every broker
    #[arg(long, value_name = "ID|all", value_parser = parse_broker)]
    broker: Option<String>,
    /// A group
    #[arg(long, value_name = "NAME")]
    group: Option<String>,
    /// A subscription of client metrics (KIP-714)
    #[arg(long, value_name = "NAME")]
    client_metrics: Option<String>,
}

fn parse_broker(text: &str) -> Result<String, String> {
    match text {
        // Kafka's name for the entity that all brokers share is the empty one.
        "all" => Ok(String::new()),
        id if id.parse::<u32>().is_ok() => Ok(id.to_owned()),
        _ => Err("it takes a broker's id or 'all'".to_owned()),
    }
}

impl Owner {
    /// Options of this topic.
    pub fn topic(name: &str) -> Owner {
        Owner {
            topic: Some(name.to_owned()),
            broker: None,
            group: None,
            client_metrics: None,
        }
    }

    /// Kafka's number for the kind, and the name.
    fn resource(&self) -> (i8, &str) {
        let kinds = [
            (2, &self.topic),
            (4, &self.broker),
            (32, &self.group),
            (16, &self.client_metrics),
        ];
        let mut named = kinds
            .into_iter()
            .filter_map(|(kind, name)| name.as_deref().map(|name| (kind, name)));
        // The group of arguments requires one of them.
        named.next().unwrap_or((2, ""))
    }

    fn kind(&self) -> &'static str {
        match self.resource().0 {
            4 => "broker",
            16 => "client-metrics",
            32 => "group",
            _ => "topic",
        }
    }

    fn sentence(&self) -> String {
        match self.resource() {
            (4, "") => "all brokers".to_owned(),
            (_, name) => format!("{} {name}", self.kind()),
        }
    }
}

/// Runs one action.
///
/// # Errors
/// No broker, or it refuses.
pub fn run(
    arguments: &ConfigArguments,
    common: &CommonArguments,
    output: Output,
) -> Result<(), Failure> {
    let bootstrap = parse_endpoint("--bootstrap", &common.bootstrap)?;
    match &arguments.action {
        Action::Describe {
            owner,
            options,
            changed,
            documentation,
        } => {
            let mut found = describe(&bootstrap, owner, options)?;
            if *changed {
                found.retain(|option| !is_default(option));
            }
            show(owner, &found, *documentation, output)
        }
        Action::Set {
            owner,
            values,
            validate_only,
        } => {
            let values = values.iter();
            let changes = values.map(|(name, value)| (name.as_str(), Some(value.as_str())));
            alter(
                &bootstrap,
                owner,
                &changes.collect::<Vec<_>>(),
                *validate_only,
            )?;
            done(
                owner,
                if *validate_only {
                    "could be changed"
                } else {
                    "changed"
                },
                output,
            )
        }
        Action::Unset { owner, options } => {
            let changes = options.iter().map(|name| (name.as_str(), None));
            alter(&bootstrap, owner, &changes.collect::<Vec<_>>(), false)?;
            done(owner, "changed", output)
        }
    }
}

fn done(owner: &Owner, what: &str, output: Output) -> Result<(), Failure> {
    if output.json() {
        let changed = what == "changed";
        return output.value(&json!({
            "kind": owner.kind(),
            "name": owner.resource().1,
            "changed": changed,
        }));
    }
    output.line(&format!("options of {} {what}", owner.sentence()))
}

fn describe(
    bootstrap: &Endpoint,
    owner: &Owner,
    options: &[String],
) -> Result<Vec<DescribeConfigsResourceResult>, Failure> {
    let (resource_type, name) = owner.resource();
    let request = DescribeConfigsRequest {
        resources: vec![DescribeConfigsResource {
            resource_type,
            resource_name: name.to_owned(),
            configuration_keys: (!options.is_empty()).then(|| options.to_vec()),
            ..DescribeConfigsResource::default()
        }],
        include_documentation: true,
        ..DescribeConfigsRequest::default()
    };
    let response = Connection::open(bootstrap)?.call(&request)?;
    let result = response.results.into_iter().next();
    let result = result.ok_or_else(|| {
        Failure::refused("the broker left its answer empty").next("Look at its standard error")
    })?;
    refusal(owner, result.error_code, result.error_message.as_deref())?;
    let mut found = result.configs;
    found.sort_by(|a, b| a.name.cmp(&b.name));
    if let Some(missing) = options
        .iter()
        .find(|name| !found.iter().any(|option| option.name == **name))
    {
        return Err(
            Failure::refused(format!("{} has no option '{missing}'", owner.sentence()))
                .next("Leave the names out to see all options"),
        );
    }
    Ok(found)
}

/// Sets options, or with no value gives them their defaults back.
///
/// # Errors
/// No broker, or it refuses one of them; then none is changed.
pub fn alter(
    bootstrap: &Endpoint,
    owner: &Owner,
    changes: &[(&str, Option<&str>)],
    validate_only: bool,
) -> Result<(), Failure> {
    let (resource_type, name) = owner.resource();
    let changes = changes.iter().map(|(name, value)| AlterableConfig {
        name: (*name).to_owned(),
        config_operation: if value.is_some() { SET } else { DELETE },
        value: value.map(str::to_owned),
        ..AlterableConfig::default()
    });
    let request = IncrementalAlterConfigsRequest {
        resources: vec![AlterConfigsResource {
            resource_type,
            resource_name: name.to_owned(),
            configs: changes.collect(),
            ..AlterConfigsResource::default()
        }],
        validate_only,
        ..IncrementalAlterConfigsRequest::default()
    };
    let response = Connection::open(bootstrap)?.call(&request)?;
    response
        .responses
        .iter()
        .try_for_each(|result| refusal(owner, result.error_code, result.error_message.as_deref()))
}

fn refusal(owner: &Owner, code: i16, message: Option<&str>) -> Result<(), Failure> {
    let error = error_of(code);
    if error == ErrorCode::None {
        return Ok(());
    }
    if let (ErrorCode::UnknownTopicOrPartition, Some(topic)) = (error, &owner.topic) {
        return Err(topic_failure(topic, error));
    }
    let sentence = match message {
        Some(message) => format!("{message} ({})", error.name()),
        None => format!("{}: {error}", owner.sentence()),
    };
    Err(Failure::refused(sentence).next(format!(
        "See the options there are and their values: precursor config describe --{} {}",
        owner.kind(),
        match owner.resource().1 {
            "" => "all",
            name => name,
        }
    )))
}

/// DescribeConfigs' names for where a value comes from (KIP-226), as this program prints them.
fn source(option: &DescribeConfigsResourceResult) -> &'static str {
    match option.config_source {
        1 => "topic",
        2 => "broker",
        3 => "all brokers",
        4 => "started with",
        5 => "default",
        7 => "client-metrics",
        8 => "group",
        _ => "unknown",
    }
}

fn is_default(option: &DescribeConfigsResourceResult) -> bool {
    option.config_source == 5
}

fn show(
    owner: &Owner,
    found: &[DescribeConfigsResourceResult],
    documentation: bool,
    output: Output,
) -> Result<(), Failure> {
    if output.json() {
        let options = found.iter().map(|option| {
            json!({
                "name": option.name,
                "value": option.value,
                "source": source(option),
                "is_default": is_default(option),
                "read_only": option.read_only,
                "sensitive": option.is_sensitive,
                "documentation": option.documentation,
            })
        });
        return output.value(&json!({
            "kind": owner.kind(),
            "name": owner.resource().1,
            "options": options.collect::<Vec<Value>>(),
        }));
    }
    let rows: Vec<Vec<Field>> = found
        .iter()
        .map(|option| {
            let value = match &option.value {
                Some(value) => value.clone(),
                None if option.is_sensitive => "(secret)".to_owned(),
                None => String::new(),
            };
            let tone = match is_default(option) {
                true => Tone::Plain,
                false => Tone::Good,
            };
            let change = if option.read_only {
                "restart"
            } else {
                "at once"
            };
            let mut row = vec![
                option.name.clone().into(),
                Field::toned(value, tone),
                source(option).into(),
                change.into(),
            ];
            row.extend(
                documentation.then(|| option.documentation.clone().unwrap_or_default().into()),
            );
            row
        })
        .collect();
    let mut header = vec!["option", "value", "from", "changes"];
    header.extend(documentation.then_some("what it does"));
    output.table(&header, &rows)
}

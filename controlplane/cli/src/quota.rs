//! `precursor quota`: what users and clients may take of a broker.

use precursor_config::Endpoint;
use precursor_model::ErrorCode;
use precursor_protocol::messages::alter_client_quotas_request::{
    EntityData as AlteredEntity, EntryData as AlteredEntry, OpData,
};
use precursor_protocol::messages::describe_client_quotas_request::ComponentData;
use precursor_protocol::messages::describe_client_quotas_response::EntryData;
use precursor_protocol::messages::{AlterClientQuotasRequest, DescribeClientQuotasRequest};
use serde_json::{Map, Value, json};

use crate::client::topic::error_of;
use crate::client::{Connection, parse_endpoint};
use crate::common::CommonArguments;
use crate::failure::Failure;
use crate::output::Output;

/// Kafka's names of the quotas, and ours of their options.
const QUOTAS: [(&str, &str); 3] = [
    ("producer_byte_rate", "--produce-bytes"),
    ("consumer_byte_rate", "--consume-bytes"),
    ("request_percentage", "--request-percent"),
];

/// DescribeClientQuotas' ways of matching (KIP-546).
const MATCH_EXACT: i8 = 0;
const MATCH_DEFAULT: i8 = 1;

/// The arguments of `precursor quota`.
#[derive(Debug, clap::Args)]
#[command(arg_required_else_help = true)]
pub struct QuotaArguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// All quotas, or those of the users and clients that are named
    List {
        #[command(flatten)]
        entity: Entity,
    },
    /// Set quotas of a user, a client, or a client of a user
    Set {
        #[command(flatten)]
        entity: Entity,
        /// Bytes per second that may be produced
        #[arg(long, value_name = "BYTES", value_parser = rate)]
        produce_bytes: Option<f64>,
        /// Bytes per second that may be consumed
        #[arg(long, value_name = "BYTES", value_parser = rate)]
        consume_bytes: Option<f64>,
        /// Share of a shard's time that requests may take, in percent
        #[arg(long, value_name = "PERCENT", value_parser = rate)]
        request_percent: Option<f64>,
    },
    /// Take quotas away: those that are named, or all
    Unset {
        #[command(flatten)]
        entity: Entity,
        /// Bytes per second that may be produced
        #[arg(long)]
        produce_bytes: bool,
        /// Bytes per second that may be consumed
        #[arg(long)]
        consume_bytes: bool,
        /// Share of a shard's time
        #[arg(long)]
        request_percent: bool,
    },
}

/// Whose quota.
#[derive(Clone, Debug, clap::Args)]
struct Entity {
    /// A user
    #[arg(long, value_name = "NAME", conflicts_with = "default_user")]
    user: Option<String>,
    /// Every user that has no quota of its own
    #[arg(long)]
    default_user: bool,
    /// A client id
    #[arg(long, value_name = "ID", conflicts_with = "default_client_id")]
    client_id: Option<String>,
    /// Every client id that has no quota of its own
    #[arg(long)]
    default_client_id: bool,
}

impl Entity {
    /// Kafka's entity types with their names; no name is the default's.
    fn parts(&self) -> Vec<(&'static str, Option<String>)> {
        let mut parts = Vec::new();
        if self.user.is_some() || self.default_user {
            parts.push(("user", self.user.clone()));
        }
        if self.client_id.is_some() || self.default_client_id {
            parts.push(("client-id", self.client_id.clone()));
        }
        parts
    }

    fn required(&self) -> Result<Vec<(&'static str, Option<String>)>, Failure> {
        let parts = self.parts();
        match parts.is_empty() {
            false => Ok(parts),
            true => Err(Failure::usage("it is not said whose quota is meant").next(
                "Add --user NAME, --client-id ID, both, or --default-user, --default-client-id",
            )),
        }
    }
}

fn rate(text: &str) -> Result<f64, String> {
    let number = text.parse().ok();
    let number = number.filter(|number: &f64| number.is_finite() && *number > 0.0);
    number.ok_or_else(|| "it takes a number above 0".to_owned())
}

/// Runs one action.
///
/// # Errors
/// No broker, or it refuses.
pub fn run(
    arguments: &QuotaArguments,
    common: &CommonArguments,
    output: Output,
) -> Result<(), Failure> {
    let bootstrap = parse_endpoint("--bootstrap", &common.bootstrap)?;
    match &arguments.action {
        Action::List { entity } => {
            let entries = list(&bootstrap, &entity.parts())?;
            show(&entries, output)
        }
        Action::Set {
            entity,
            produce_bytes,
            consume_bytes,
            request_percent,
        } => {
            let entity = entity.required()?;
            let values = [*produce_bytes, *consume_bytes, *request_percent];
            let named = QUOTAS.iter().zip(values);
            let changes: Vec<(&str, Option<f64>)> = named
                .filter(|(_, value)| value.is_some())
                .map(|((name, _), value)| (*name, value))
                .collect();
            if changes.is_empty() {
                let options: Vec<&str> = QUOTAS.iter().map(|(_, option)| *option).collect();
                return Err(Failure::usage("no quota was named")
                    .next(format!("Add one of {}", options.join(", "))));
            }
            alter(&bootstrap, &entity, &changes)?;
            show_one(&bootstrap, &entity, output)
        }
        Action::Unset {
            entity,
            produce_bytes,
            consume_bytes,
            request_percent,
        } => {
            let entity = entity.required()?;
            let chosen = [*produce_bytes, *consume_bytes, *request_percent];
            let all = chosen.iter().all(|chosen| !chosen);
            let named = QUOTAS.iter().zip(chosen);
            let changes: Vec<(&str, Option<f64>)> = named
                .filter(|(_, chosen)| *chosen || all)
                .map(|((name, _), _)| (*name, None))
                .collect();
            alter(&bootstrap, &entity, &changes)?;
            show_one(&bootstrap, &entity, output)
        }
    }
}

/// Quotas of entities that have at least these parts.
fn list(
    bootstrap: &Endpoint,
    parts: &[(&'static str, Option<String>)],
) -> Result<Vec<EntryData>, Failure> {
    let components = parts.iter().map(|(kind, name)| ComponentData {
        entity_type: (*kind).to_owned(),
        match_type: if name.is_some() {
            MATCH_EXACT
        } else {
            MATCH_DEFAULT
        },
        r#match: name.clone(),
        ..ComponentData::default()
    });
    let request = DescribeClientQuotasRequest {
        components: components.collect(),
        ..DescribeClientQuotasRequest::default()
    };
    let response = Connection::open(bootstrap)?.call(&request)?;
    refusal(response.error_code, response.error_message.as_deref())?;
    Ok(response.entries.unwrap_or_default())
}

fn alter(
    bootstrap: &Endpoint,
    parts: &[(&'static str, Option<String>)],
    changes: &[(&str, Option<f64>)],
) -> Result<(), Failure> {
    let entity = parts.iter().map(|(kind, name)| AlteredEntity {
        entity_type: (*kind).to_owned(),
        entity_name: name.clone(),
        ..AlteredEntity::default()
    });
    let changes = changes.iter().map(|(key, value)| OpData {
        key: (*key).to_owned(),
        value: value.unwrap_or(0.0),
        remove: value.is_none(),
        ..OpData::default()
    });
    let request = AlterClientQuotasRequest {
        entries: vec![AlteredEntry {
            entity: entity.collect(),
            ops: changes.collect(),
            ..AlteredEntry::default()
        }],
        ..AlterClientQuotasRequest::default()
    };
    let response = Connection::open(bootstrap)?.call(&request)?;
    response
        .entries
        .iter()
        .try_for_each(|entry| refusal(entry.error_code, entry.error_message.as_deref()))
}

fn refusal(code: i16, message: Option<&str>) -> Result<(), Failure> {
    match (error_of(code), message) {
        (ErrorCode::None, _) => Ok(()),
        (error, Some(message)) => Err(Failure::refused(format!("{message} ({})", error.name()))
            .next("See what is set: precursor quota list")),
        (error, None) => Err(Failure::refused(format!("the broker refuses: {error}"))
            .next("See what is set: precursor quota list")),
    }
}

/// What an entity has after a change.
fn show_one(
    bootstrap: &Endpoint,
    parts: &[(&'static str, Option<String>)],
    output: Output,
) -> Result<(), Failure> {
    let mut entries = list(bootstrap, parts)?;
    // Others have these parts and more.
    entries.retain(|entry| entry.entity.len() == parts.len());
    if entries.is_empty() && !output.json() {
        return output.line("no quota is left");
    }
    show(&entries, output)
}

fn show(entries: &[EntryData], output: Output) -> Result<(), Failure> {
    if output.json() {
        return output.value(&Value::Array(entries.iter().map(to_json).collect()));
    }
    let rows: Vec<Vec<String>> = entries
        .iter()
        .map(|entry| {
            let part = |kind: &str| {
                let part = entry.entity.iter().find(|part| part.entity_type == kind);
                part.map_or(String::new(), |part| {
                    part.entity_name
                        .clone()
                        .unwrap_or_else(|| "(default)".to_owned())
                })
            };
            let value = |key: &str| {
                let value = entry.values.iter().find(|value| value.key == key);
                value.map_or("-".to_owned(), |value| value.value.to_string())
            };
            let values = QUOTAS.iter().map(|(key, _)| value(key));
            [part("user"), part("client-id")]
                .into_iter()
                .chain(values)
                .collect()
        })
        .collect();
    let header = [
        "user",
        "client id",
        "produce bytes/s",
        "consume bytes/s",
        "request %",
    ];
    output.table(&header, &rows)
}

fn to_json(entry: &EntryData) -> Value {
    let entity: Map<String, Value> = entry
        .entity
        .iter()
        .map(|part| {
            (
                part.entity_type.replace('-', "_"),
                part.entity_name.clone().into(),
            )
        })
        .collect();
    let values: Map<String, Value> = entry
        .values
        .iter()
        .map(|value| (value.key.clone(), value.value.into()))
        .collect();
    json!({ "entity": entity, "quotas": values })
}

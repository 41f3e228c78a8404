//! DescribeConfigs, key 32, versions 1 to 4: options of topics and of this node.

use super::error_fields;
use crate::api::{Api, NodeOptionValue};
use crate::topic_config::{ConfigSource, TopicConfigValue, topic_config_values};
use crate::topics::unknown_topic;
use precursor_metadata::Refusal;
use precursor_model::{ErrorCode, validate_topic_name};
pub(crate) use precursor_protocol::messages::DescribeConfigsRequest as Request;
use precursor_protocol::messages::DescribeConfigsResponse;
use precursor_protocol::messages::describe_configs_request::DescribeConfigsResource;
use precursor_protocol::messages::describe_configs_response::{
    DescribeConfigsResourceResult, DescribeConfigsResult, DescribeConfigsSynonym,
};

/// Kafka's `ConfigResource.Type`.
const TOPIC: i8 = 2;
const BROKER: i8 = 4;
/// Kafka's `ConfigType`: the options' values are texts to us.
const TYPE_STRING: i8 = 2;

/// What a client wants of each option.
#[derive(Clone, Copy)]
struct Detail {
    synonyms: bool,
    documentation: bool,
}

pub(crate) async fn handle(api: &Api, version: i16, request: Request) -> DescribeConfigsResponse {
    let detail = Detail {
        synonyms: request.include_synonyms,
        documentation: version >= 3 && request.include_documentation,
    };
    let mut results = Vec::new();
    for resource in request.resources {
        let outcome = describe(api, &resource, detail);
        let (configs, (error_code, error_message)) = match outcome {
            Ok(configs) => (configs, (0, None)),
            Err(refusal) => (Vec::new(), error_fields(refusal)),
        };
        results.push(DescribeConfigsResult {
            error_code,
            error_message,
            resource_type: resource.resource_type,
            resource_name: resource.resource_name,
            configs,
            ..DescribeConfigsResult::default()
        });
        // A request may name very many.
        tokio::task::yield_now().await;
    }
    DescribeConfigsResponse {
        results,
        ..DescribeConfigsResponse::default()
    }
}

fn describe(
    api: &Api,
    resource: &DescribeConfigsResource,
    detail: Detail,
) -> Result<Vec<DescribeConfigsResourceResult>, Refusal> {
    let name = &resource.resource_name;
    let wanted = |option: &str| match &resource.configuration_keys {
        None => true,
        // Some clients send an empty list for "all" (Kafka reads it so, too).
        Some(keys) => keys.is_empty() || keys.iter().any(|key| key == option),
    };
    match resource.resource_type {
        TOPIC => {
            validate_topic_name(name).map_err(|invalid| {
                Refusal::new(ErrorCode::InvalidTopicException, invalid.to_string())
            })?;
            let values = api.consensus.read(|state| {
                let topic = state.topic_named(name).ok_or_else(unknown_topic)?;
                Ok::<_, Refusal>(topic_config_values(topic, &api.settings.topic_defaults))
            })?;
            let values = values.iter().filter(|value| wanted(value.option.name));
            Ok(values.map(|value| topic_option(value, detail)).collect())
        }
        // An empty name asks for defaults of the whole cluster: there are none to be set.
        BROKER if name.is_empty() => Ok(Vec::new()),
        BROKER if name.parse() == Ok(api.settings.node_id) => {
            let options = api.settings.node_options.iter();
            let options = options.filter(|option| wanted(option.name));
            Ok(options.map(|option| node_option(option, detail)).collect())
        }
        BROKER => Err(Refusal::new(
            ErrorCode::InvalidRequest,
            format!(
                "Unexpected broker id, expected {} or empty string, but received {name}",
                api.settings.node_id
            ),
        )),
        other => Err(Refusal::new(
            ErrorCode::InvalidRequest,
            format!("There is nothing to describe for resources of type {other}"),
        )),
    }
}

fn topic_option(value: &TopicConfigValue, detail: Detail) -> DescribeConfigsResourceResult {
    let synonym = |text: &str, source: ConfigSource| DescribeConfigsSynonym {
        name: value.option.name.to_owned(),
        value: Some(text.to_owned()),
        source: source as i8,
        ..DescribeConfigsSynonym::default()
    };
    let mut synonyms = Vec::new();
    if detail.synonyms {
        if value.source != ConfigSource::Default {
            synonyms.push(synonym(&value.value, value.source));
        }
        synonyms.push(synonym(value.option.default, ConfigSource::Default));
    }
    DescribeConfigsResourceResult {
        name: value.option.name.to_owned(),
        value: Some(value.value.clone()),
        config_source: value.source as i8,
        synonyms,
        config_type: TYPE_STRING,
        documentation: detail.documentation.then(|| value.option.doc.to_owned()),
        ..DescribeConfigsResourceResult::default()
    }
}

fn node_option(option: &NodeOptionValue, detail: Detail) -> DescribeConfigsResourceResult {
    let source = if option.is_default {
        ConfigSource::Default
    } else {
        ConfigSource::StaticBroker
    };
    DescribeConfigsResourceResult {
        name: option.name.to_owned(),
        value: Some(option.value.clone()),
        // Changed in the configuration, with a restart.
        read_only: true,
        config_source: source as i8,
        config_type: TYPE_STRING,
        documentation: detail.documentation.then(|| option.doc.to_owned()),
        ..DescribeConfigsResourceResult::default()
    }
}

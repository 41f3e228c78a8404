//! DescribeConfigs, key 32, versions 1 to 4: options of topics, brokers, loggers and client metrics.

use super::error_fields;
use crate::api::Api;
use crate::configs::{ConfigTarget, ConfigValue, TopicDefaults};
use precursor_metadata::Refusal;
use precursor_model::ErrorCode;
pub(crate) use precursor_protocol::messages::DescribeConfigsRequest as Request;
use precursor_protocol::messages::DescribeConfigsResponse;
use precursor_protocol::messages::describe_configs_request::DescribeConfigsResource;
use precursor_protocol::messages::describe_configs_response::{
    DescribeConfigsResourceResult, DescribeConfigsResult, DescribeConfigsSynonym,
};
use std::collections::{BTreeMap, BTreeSet};

/// Bytes of values that one answer holds, roughly: a short request must not ask for gigabytes.
/// Every topic of a cluster of 10,000 fits in.
const ANSWER_BYTES_MAX: usize = 64 << 20;

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
    let defaults = api
        .consensus
        .read(|state| TopicDefaults::new(&api.settings, state));
    let mut results = Vec::new();
    let mut answered = BTreeMap::new();
    let mut bytes = 0;
    for resource in request.resources {
        let key = (resource.resource_type, resource.resource_name.clone());
        // Asked for many times is told once.
        if answered.insert(key, ()).is_some() {
            continue;
        }
        let outcome = if bytes > ANSWER_BYTES_MAX {
            Err(Refusal::new(
                ErrorCode::PolicyViolation,
                "The request asks for too much at once.",
            ))
        } else {
            describe(api, &defaults, &resource, detail)
        };
        let (configs, (error_code, error_message)) = match outcome {
            Ok(configs) => (configs, (0, None)),
            Err(refusal) => (Vec::new(), error_fields(refusal)),
        };
        bytes += configs.iter().map(size).sum::<usize>();
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
    defaults: &TopicDefaults,
    resource: &DescribeConfigsResource,
    detail: Detail,
) -> Result<Vec<DescribeConfigsResourceResult>, Refusal> {
    let target = ConfigTarget::read(resource.resource_type, &resource.resource_name)?;
    let keys = resource.configuration_keys.as_ref();
    // Some clients send an empty list for "all" (Kafka reads it so, too).
    let keys: Option<BTreeSet<&String>> =
        keys.filter(|k| !k.is_empty()).map(|k| k.iter().collect());
    let values = api
        .consensus
        .read(|state| api.describe_in(state, defaults, &target))?;
    let wanted = |value: &ConfigValue| keys.as_ref().is_none_or(|keys| keys.contains(&value.name));
    let values = values.into_iter().filter(wanted);
    Ok(values.map(|value| result(value, detail)).collect())
}

fn result(value: ConfigValue, detail: Detail) -> DescribeConfigsResourceResult {
    let sensitive = value.kind.is_sensitive();
    let visible = |text: String| (!sensitive).then_some(text);
    let layers = value.layers.into_iter().filter(|_| detail.synonyms);
    let synonyms = layers.map(|layer| DescribeConfigsSynonym {
        name: layer.name,
        value: visible(layer.value),
        source: layer.source as i8,
        ..DescribeConfigsSynonym::default()
    });
    DescribeConfigsResourceResult {
        synonyms: synonyms.collect(),
        name: value.name,
        value: visible(value.value),
        read_only: value.read_only,
        config_source: value.source as i8,
        is_sensitive: sensitive,
        config_type: value.kind as i8,
        documentation: detail.documentation.then(|| value.doc.to_owned()),
        ..DescribeConfigsResourceResult::default()
    }
}

/// Roughly what an option takes in the answer.
fn size(result: &DescribeConfigsResourceResult) -> usize {
    let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    let synonyms = result.synonyms.iter();
    let synonyms: usize = synonyms.map(|s| s.name.len() + text(&s.value) + 8).sum();
    result.name.len() + text(&result.value) + text(&result.documentation) + synonyms + 16
}

//! IncrementalAlterConfigs, key 44, versions 0 and 1 (KIP-339).

use super::error_fields;
use crate::api::{Api, CHANGE_PATIENCE};
use crate::configs::{ConfigChange, ConfigOperation, ConfigTarget};
use precursor_metadata::Refusal;
use precursor_model::ErrorCode;
pub(crate) use precursor_protocol::messages::IncrementalAlterConfigsRequest as Request;
use precursor_protocol::messages::IncrementalAlterConfigsResponse;
use precursor_protocol::messages::incremental_alter_configs_request::{
    AlterConfigsResource, AlterableConfig,
};
use precursor_protocol::messages::incremental_alter_configs_response::AlterConfigsResourceResponse;
use std::collections::BTreeMap;

/// Kafka's `AlterConfigOp.OpType`.
const SET: i8 = 0;
const DELETE: i8 = 1;
const APPEND: i8 = 2;
const SUBTRACT: i8 = 3;

pub(crate) async fn handle(
    api: &Api,
    _version: i16,
    request: Request,
) -> IncrementalAlterConfigsResponse {
    let mut times: BTreeMap<(i8, String), usize> = BTreeMap::new();
    for resource in &request.resources {
        let key = (resource.resource_type, resource.resource_name.clone());
        *times.entry(key).or_default() += 1;
    }
    let (mut changes, mut accepted, mut responses) = (Vec::new(), Vec::new(), Vec::new());
    for resource in request.resources {
        let key = (resource.resource_type, resource.resource_name.clone());
        let change = match times.insert(key.clone(), 0) {
            // Told already.
            Some(0) => continue,
            Some(1) => read(resource),
            _ => Err(Refusal::new(
                ErrorCode::InvalidRequest,
                "Each resource must appear at most once.",
            )),
        };
        match change {
            Ok(change) => {
                changes.push(change);
                accepted.push(key);
            }
            Err(refusal) => responses.push(response(key, Err(refusal))),
        }
    }
    let outcomes = api
        .alter_configs(&changes, request.validate_only, CHANGE_PATIENCE)
        .await;
    responses.extend(
        accepted
            .into_iter()
            .zip(outcomes)
            .map(|(key, o)| response(key, o)),
    );
    IncrementalAlterConfigsResponse {
        responses,
        ..IncrementalAlterConfigsResponse::default()
    }
}

fn read(resource: AlterConfigsResource) -> Result<ConfigChange, Refusal> {
    let target = ConfigTarget::read(resource.resource_type, &resource.resource_name)?;
    let operations = resource.configs.into_iter().map(operation);
    Ok(ConfigChange {
        target,
        operations: operations.collect::<Result<_, _>>()?,
        replace: false,
    })
}

fn operation(config: AlterableConfig) -> Result<(String, ConfigOperation), Refusal> {
    let invalid = |message: String| Refusal::new(ErrorCode::InvalidRequest, message);
    if config.config_operation == DELETE {
        return Ok((config.name, ConfigOperation::Delete));
    }
    let make = match config.config_operation {
        SET => ConfigOperation::Set,
        APPEND => ConfigOperation::Append,
        SUBTRACT => ConfigOperation::Subtract,
        other => return Err(invalid(format!("Unknown operation type {other}"))),
    };
    let value = config
        .value
        .ok_or_else(|| invalid(format!("Null value not supported for : {}", config.name)))?;
    Ok((config.name, make(value)))
}

fn response(
    (resource_type, resource_name): (i8, String),
    outcome: Result<(), Refusal>,
) -> AlterConfigsResourceResponse {
    let (error_code, error_message) = outcome.err().map_or((0, None), error_fields);
    AlterConfigsResourceResponse {
        error_code,
        error_message,
        resource_type,
        resource_name,
        ..AlterConfigsResourceResponse::default()
    }
}

//! IncrementalAlterConfigs, key 44, versions 0 and 1 (KIP-339).

use super::alteration::{Alteration, alter, invalid};
use crate::api::Api;
use crate::configs::ConfigOperation;
use precursor_metadata::Refusal;
pub(crate) use precursor_protocol::messages::IncrementalAlterConfigsRequest as Request;
use precursor_protocol::messages::IncrementalAlterConfigsResponse;
use precursor_protocol::messages::incremental_alter_configs_request::{
    AlterConfigsResource, AlterableConfig,
};
use precursor_protocol::messages::incremental_alter_configs_response::AlterConfigsResourceResponse;

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
    let alterations = request.resources.into_iter().map(read).collect();
    let outcomes = alter(api, alterations, request.validate_only).await;
    let responses = outcomes
        .into_iter()
        .map(|outcome| AlterConfigsResourceResponse {
            error_code: outcome.error_code,
            error_message: outcome.error_message,
            resource_type: outcome.resource_type,
            resource_name: outcome.resource_name,
            ..AlterConfigsResourceResponse::default()
        });
    IncrementalAlterConfigsResponse {
        responses: responses.collect(),
        ..IncrementalAlterConfigsResponse::default()
    }
}

fn read(resource: AlterConfigsResource) -> Alteration {
    Alteration {
        resource_type: resource.resource_type,
        resource_name: resource.resource_name,
        operations: resource.configs.into_iter().map(operation).collect(),
        replace: false,
    }
}

fn operation(config: AlterableConfig) -> Result<(String, ConfigOperation), Refusal> {
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

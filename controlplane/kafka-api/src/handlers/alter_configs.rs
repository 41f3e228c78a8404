//! AlterConfigs, key 33, versions 0 to 2: replaces everything that is set on a resource.

use super::alteration::{Alteration, alter, invalid};
use crate::api::Api;
use crate::configs::ConfigOperation;
pub(crate) use precursor_protocol::messages::AlterConfigsRequest as Request;
use precursor_protocol::messages::AlterConfigsResponse;
use precursor_protocol::messages::alter_configs_request::AlterConfigsResource;
use precursor_protocol::messages::alter_configs_response::AlterConfigsResourceResponse;

pub(crate) async fn handle(api: &Api, _version: i16, request: Request) -> AlterConfigsResponse {
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
    AlterConfigsResponse {
        responses: responses.collect(),
        ..AlterConfigsResponse::default()
    }
}

fn read(resource: AlterConfigsResource) -> Alteration {
    let operations = resource.configs.into_iter();
    let operations = operations.map(|config| match config.value {
        Some(value) => Ok((config.name, ConfigOperation::Set(value))),
        None => Err(invalid(format!(
            "Null value not supported for : {}",
            config.name
        ))),
    });
    Alteration {
        resource_type: resource.resource_type,
        resource_name: resource.resource_name,
        operations: operations.collect(),
        replace: true,
    }
}

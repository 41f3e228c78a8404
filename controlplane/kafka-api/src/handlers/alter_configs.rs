//! AlterConfigs, key 33, versions 0 to 2: replaces everything that is set on a resource.

use super::error_fields;
use crate::api::{Api, CHANGE_PATIENCE};
use crate::configs::{ConfigChange, ConfigOperation, ConfigTarget};
use precursor_metadata::Refusal;
use precursor_model::ErrorCode;
pub(crate) use precursor_protocol::messages::AlterConfigsRequest as Request;
use precursor_protocol::messages::AlterConfigsResponse;
use precursor_protocol::messages::alter_configs_request::AlterConfigsResource;
use precursor_protocol::messages::alter_configs_response::AlterConfigsResourceResponse;
use std::collections::BTreeMap;

pub(crate) async fn handle(api: &Api, _version: i16, request: Request) -> AlterConfigsResponse {
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
    AlterConfigsResponse {
        responses,
        ..AlterConfigsResponse::default()
    }
}

fn read(resource: AlterConfigsResource) -> Result<ConfigChange, Refusal> {
    let target = ConfigTarget::read(resource.resource_type, &resource.resource_name)?;
    let operations = resource
        .configs
        .into_iter()
        .map(|config| match config.value {
            Some(value) => Ok((config.name, ConfigOperation::Set(value))),
            None => Err(Refusal::new(
                ErrorCode::InvalidRequest,
                format!("Null value not supported for : {}", config.name),
            )),
        });
    Ok(ConfigChange {
        target,
        operations: operations.collect::<Result<_, _>>()?,
        replace: true,
    })
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

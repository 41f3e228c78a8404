//! The service `Configs`.

use crate::status::status;
use precursor_admin_api::v1;
use precursor_admin_api::v1::config_resource::Resource;
use precursor_admin_api::v1::configs_server::Configs;
use precursor_kafka_api::{
    Api, ConfigChange, ConfigOperation, ConfigTarget, ConfigValue, ResourceType,
};
use precursor_metadata::ConfigResource;
use std::sync::Arc;
use std::time::Duration;
use tonic::{Request, Response, Status};

/// How long a change may take to be agreed on.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct ConfigsService {
    pub api: Arc<Api>,
}

#[tonic::async_trait]
impl Configs for ConfigsService {
    async fn describe_configs(
        &self,
        request: Request<v1::DescribeConfigsRequest>,
    ) -> Result<Response<v1::DescribeConfigsResponse>, Status> {
        let request = request.into_inner();
        let target = target(request.resource)?;
        let values = self.api.describe_configs(&target);
        let values = values.map_err(|refusal| status(&refusal))?.into_iter();
        let wanted = |v: &ConfigValue| request.names.is_empty() || request.names.contains(&v.name);
        let configs = values.filter(wanted).map(entry).collect();
        Ok(Response::new(v1::DescribeConfigsResponse { configs }))
    }

    async fn alter_configs(
        &self,
        request: Request<v1::AlterConfigsRequest>,
    ) -> Result<Response<v1::AlterConfigsResponse>, Status> {
        let request = request.into_inner();
        let operations = request.operations.into_iter().map(operation);
        let change = ConfigChange {
            target: target(request.resource)?,
            operations: operations.collect::<Result<_, _>>()?,
            replace: false,
        };
        change_one(&self.api, change, request.validate_only).await?;
        Ok(Response::new(v1::AlterConfigsResponse {}))
    }

    async fn list_config_resources(
        &self,
        _request: Request<v1::ListConfigResourcesRequest>,
    ) -> Result<Response<v1::ListConfigResourcesResponse>, Status> {
        let resources = self.api.consensus().read(|state| {
            let resources = state.config_resources().filter_map(|(resource, _)| {
                let resource = match resource {
                    ConfigResource::Broker { id } => Resource::Broker(*id),
                    ConfigResource::Brokers => Resource::Brokers(v1::AllBrokers {}),
                    ConfigResource::ClientMetrics { name } => Resource::ClientMetrics(name.clone()),
                    ConfigResource::Group { name } => Resource::Group(name.clone()),
                    // Topics are listed as topics.
                    ConfigResource::Topic { .. } => return None,
                };
                Some(v1::ConfigResource {
                    resource: Some(resource),
                })
            });
            resources.collect()
        });
        Ok(Response::new(v1::ListConfigResourcesResponse { resources }))
    }
}

/// Makes one change.
pub(crate) async fn change_one(
    api: &Api,
    change: ConfigChange,
    validate_only: bool,
) -> Result<(), Status> {
    let outcomes = api.alter_configs(&[change], validate_only, PATIENCE).await;
    let outcome = outcomes.into_iter().next();
    let outcome = outcome.ok_or_else(|| Status::internal("one request has one outcome"))?;
    outcome.map_err(|refusal| status(&refusal))
}

fn target(resource: Option<v1::ConfigResource>) -> Result<ConfigTarget, Status> {
    match resource.and_then(|resource| resource.resource) {
        Some(Resource::Topic(name)) => Ok(ConfigTarget::Topic(name)),
        Some(Resource::Broker(id)) => Ok(ConfigTarget::Broker(id)),
        Some(Resource::Brokers(_)) => Ok(ConfigTarget::Brokers),
        Some(Resource::ClientMetrics(name)) => read(ResourceType::ClientMetrics, &name),
        Some(Resource::Group(name)) => read(ResourceType::Group, &name),
        None => Err(Status::invalid_argument("a resource is needed")),
    }
}

fn read(kind: ResourceType, name: &str) -> Result<ConfigTarget, Status> {
    ConfigTarget::read(kind as i8, name).map_err(|refusal| status(&refusal))
}

fn operation(stated: v1::ConfigOperation) -> Result<(String, ConfigOperation), Status> {
    use v1::config_operation::Operation;
    let operation = match stated.operation {
        Some(Operation::Set(value)) => ConfigOperation::Set(value),
        Some(Operation::Unset(_)) => ConfigOperation::Delete,
        Some(Operation::Append(items)) => ConfigOperation::Append(items),
        Some(Operation::Subtract(items)) => ConfigOperation::Subtract(items),
        None => {
            let name = stated.name;
            return Err(Status::invalid_argument(format!(
                "what is to become of '{name}' is not said"
            )));
        }
    };
    Ok((stated.name, operation))
}

pub(crate) fn entry(value: ConfigValue) -> v1::ConfigEntry {
    let sensitive = value.kind.is_sensitive();
    let visible = |text: String| if sensitive { String::new() } else { text };
    let synonyms = value.layers.into_iter().map(|layer| v1::ConfigSynonym {
        name: layer.name,
        value: visible(layer.value),
        source: i32::from(layer.source as i8),
    });
    v1::ConfigEntry {
        synonyms: synonyms.collect(),
        name: value.name,
        value: visible(value.value),
        source: i32::from(value.source as i8),
        r#type: value.kind.name().to_owned(),
        read_only: value.read_only,
        sensitive,
        documentation: value.doc.to_owned(),
        accepts: value.accepts,
    }
}

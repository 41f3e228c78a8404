//! ListConfigResources, key 74, versions 0 and 1 (KIP-1142): what options are set on.

use crate::api::Api;
use crate::configs::ResourceType;
use precursor_metadata::ConfigResource as Kept;
use precursor_model::ErrorCode;
pub(crate) use precursor_protocol::messages::ListConfigResourcesRequest as Request;
use precursor_protocol::messages::ListConfigResourcesResponse;
use precursor_protocol::messages::list_config_resources_response::ConfigResource;
use std::collections::BTreeSet;

pub(crate) async fn handle(
    api: &Api,
    version: i16,
    request: Request,
) -> ListConfigResourcesResponse {
    let types: Option<BTreeSet<ResourceType>> = if version == 0 {
        // Version 0 was ListClientMetricsResources.
        Some(BTreeSet::from([ResourceType::ClientMetrics]))
    } else {
        let types = request.resource_types.iter();
        types.map(|code| ResourceType::from_code(*code)).collect()
    };
    let Some(types) = types else {
        return ListConfigResourcesResponse {
            error_code: ErrorCode::UnsupportedVersion.code(),
            ..ListConfigResourcesResponse::default()
        };
    };
    // No type named: all of them.
    let wanted = |kind: ResourceType| types.is_empty() || types.contains(&kind);
    let mut config_resources = Vec::new();
    let mut add = |kind: ResourceType, name: &str| {
        config_resources.push(ConfigResource {
            resource_name: name.to_owned(),
            resource_type: kind as i8,
            ..ConfigResource::default()
        });
    };
    api.consensus.read(|state| {
        if wanted(ResourceType::Topic) {
            state
                .topics()
                .for_each(|topic| add(ResourceType::Topic, &topic.name));
        }
        for kind in [ResourceType::Broker, ResourceType::BrokerLogger] {
            if wanted(kind) {
                state
                    .brokers()
                    .for_each(|broker| add(kind, &broker.id.to_string()));
            }
        }
        for (resource, _) in state.config_resources() {
            match resource {
                Kept::ClientMetrics { name } if wanted(ResourceType::ClientMetrics) => {
                    add(ResourceType::ClientMetrics, name);
                }
                Kept::Group { name } if wanted(ResourceType::Group) => {
                    add(ResourceType::Group, name);
                }
                _ => {}
            }
        }
    });
    ListConfigResourcesResponse {
        config_resources,
        ..ListConfigResourcesResponse::default()
    }
}

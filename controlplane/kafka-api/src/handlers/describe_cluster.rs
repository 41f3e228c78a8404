//! DescribeCluster, key 60, versions 0 to 2. Its answer carries, as a tagged field that other
//! clients skip, the address of the gRPC administration.

use super::error_fields;
use crate::api::Api;
use precursor_metadata::Refusal;
use precursor_model::{ErrorCode, Operations};
pub(crate) use precursor_protocol::messages::DescribeClusterRequest as Request;
use precursor_protocol::messages::DescribeClusterResponse;
use precursor_protocol::messages::describe_cluster_response::DescribeClusterBroker;

/// KIP-919: whom the request means to ask.
const BROKERS: i8 = 1;
const CONTROLLERS: i8 = 2;

pub(crate) async fn handle(api: &Api, _version: i16, request: Request) -> DescribeClusterResponse {
    let refusal = match request.endpoint_type {
        BROKERS => None,
        CONTROLLERS => Some(Refusal::new(
            ErrorCode::MismatchedEndpointType,
            "The request was sent to an endpoint of type BROKER, but we wanted an endpoint of \
             type CONTROLLER",
        )),
        other => Some(Refusal::new(
            ErrorCode::UnsupportedEndpointType,
            format!("Unsupported endpoint type {other}"),
        )),
    };
    if let Some(refusal) = refusal {
        let (error_code, error_message) = error_fields(refusal);
        return DescribeClusterResponse {
            error_code,
            error_message,
            endpoint_type: request.endpoint_type,
            ..DescribeClusterResponse::default()
        };
    }
    let addresses = api.addresses();
    let node_id = api.settings.node.node_id;
    api.consensus.read(|state| {
        let brokers = state.brokers().map(|broker| {
            // Our own address is the one that is bound; before that there is nothing to tell.
            let own = (broker.id == node_id)
                .then(|| addresses.kafka.clone())
                .flatten();
            let (host, port) = own.unwrap_or_else(|| (broker.host.clone(), broker.port));
            DescribeClusterBroker {
                broker_id: broker.id,
                host,
                port: i32::from(port),
                rack: Some(broker.rack.clone()).filter(|rack| !rack.is_empty()),
                ..DescribeClusterBroker::default()
            }
        });
        DescribeClusterResponse {
            cluster_id: state.cluster_id().unwrap_or_default().to_owned(),
            controller_id: node_id,
            brokers: brokers.filter(|broker| broker.port != 0).collect(),
            cluster_authorized_operations: if request.include_cluster_authorized_operations {
                Operations::CLUSTER
            } else {
                Operations::UNKNOWN
            },
            admin_address: addresses.admin.clone(),
            ..DescribeClusterResponse::default()
        }
    })
}

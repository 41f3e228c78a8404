//! What programs that know nothing of the gRPC interface find out about it.

use std::collections::BTreeSet;

use tonic::transport::Channel;
use tonic::{Code, Streaming};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
use tonic_reflection::pb::v1::{ServerReflectionRequest, ServerReflectionResponse};

use crate::broker::Broker;
use crate::options::{endpoint, run};

/// Each with one of its calls.
const SERVICES: [(&str, &str); 4] = [
    ("Topics", "AlterTopicConfig"),
    ("Configs", "ListConfigResources"),
    ("Quotas", "AlterQuota"),
    ("Cluster", "GetStatus"),
];

async fn channel(endpoint: String) -> Channel {
    let endpoint = Channel::from_shared(endpoint).unwrap();
    endpoint.connect().await.unwrap()
}

async fn reflected(
    client: &mut ServerReflectionClient<Channel>,
    ask: MessageRequest,
) -> MessageResponse {
    let request = ServerReflectionRequest {
        message_request: Some(ask),
        ..ServerReflectionRequest::default()
    };
    let answers = client
        .server_reflection_info(tokio_stream::once(request))
        .await;
    let mut answers: Streaming<ServerReflectionResponse> = answers.unwrap().into_inner();
    answers
        .message()
        .await
        .unwrap()
        .unwrap()
        .message_response
        .unwrap()
}

#[test]
fn every_service_describes_itself() {
    let broker = Broker::start();
    let endpoint = endpoint(&broker);
    run(async {
        let mut client = ServerReflectionClient::new(channel(endpoint).await);
        let list = MessageRequest::ListServices(String::new());
        let MessageResponse::ListServicesResponse(listed) = reflected(&mut client, list).await
        else {
            panic!("no list of services")
        };
        let listed: BTreeSet<String> = listed.service.into_iter().map(|s| s.name).collect();
        assert!(listed.contains("grpc.health.v1.Health"), "{listed:?}");
        for (service, call) in SERVICES {
            let name = format!("precursor.admin.v1.{service}");
            assert!(listed.contains(&name), "{name}: {listed:?}");
            let file = MessageRequest::FileContainingSymbol(name.clone());
            let MessageResponse::FileDescriptorResponse(files) = reflected(&mut client, file).await
            else {
                panic!("{name} is not described")
            };
            // Names stand in a descriptor as they are.
            let text: String = files
                .file_descriptor_proto
                .iter()
                .map(|file| String::from_utf8_lossy(file))
                .collect();
            assert!(text.contains(service) && text.contains(call), "{name}");
        }
    });
}

#[test]
fn every_service_says_that_it_serves() {
    let broker = Broker::start();
    let endpoint = endpoint(&broker);
    run(async {
        let mut client = HealthClient::new(channel(endpoint).await);
        let services = SERVICES.map(|(service, _)| format!("precursor.admin.v1.{service}"));
        // The empty name asks for the whole server.
        for service in services.into_iter().chain([String::new()]) {
            let request = HealthCheckRequest {
                service: service.clone(),
            };
            let answer = client.check(request).await.unwrap().into_inner();
            assert_eq!(answer.status(), ServingStatus::Serving, "'{service}'");
        }
        let service = "precursor.admin.v1.Absent".to_owned();
        let refused = client
            .check(HealthCheckRequest { service })
            .await
            .unwrap_err();
        assert_eq!(refused.code(), Code::NotFound);
    });
}

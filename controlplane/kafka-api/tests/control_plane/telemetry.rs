//! Subscriptions to clients' metrics and pushes over the protocol (KIP-714).

use crate::configs::{alter_one, described, resource};
use crate::plane::{FakeShard, Ground, Plane, call, settle, shards};
use precursor_model::ErrorCode;
use precursor_protocol::ApiKey;
use precursor_protocol::messages::{
    GetTelemetrySubscriptionsRequest, GetTelemetrySubscriptionsResponse, PushTelemetryRequest,
    PushTelemetryResponse,
};
use std::time::{Duration, Instant};

const CLIENT_METRICS: i8 = 16;
const GROUP: i8 = 32;
const SET: i8 = 0;
const DELETE: i8 = 1;
/// `MetricsData` with one gauge `m` of 1.5.
const ONE_GAUGE: &[u8] = &[
    0x0a, 0x14, 0x12, 0x12, 0x12, 0x10, 0x0a, 0x01, b'm', 0x2a, 0x0b, 0x0a, 0x09, 0x21, 0, 0, 0, 0,
    0, 0, 0xf8, 0x3f,
];

pub fn ask(shards: &mut [FakeShard], id: [u8; 16]) -> GetTelemetrySubscriptionsResponse {
    let request = GetTelemetrySubscriptionsRequest {
        client_instance_id: id,
        ..GetTelemetrySubscriptionsRequest::default()
    };
    let body = call(shards, ApiKey::GetTelemetrySubscriptions, 0, |out| {
        request.encode(out, 0).unwrap();
    });
    GetTelemetrySubscriptionsResponse::decode(&body, 0).unwrap()
}

fn push(shards: &mut [FakeShard], request: &PushTelemetryRequest) -> ErrorCode {
    let body = call(shards, ApiKey::PushTelemetry, 0, |out| {
        request.encode(out, 0).unwrap();
    });
    let code = PushTelemetryResponse::decode(&body, 0).unwrap().error_code;
    ErrorCode::from_code(code).unwrap()
}

#[test]
fn a_client_is_subscribed_pushes_and_is_refused_in_kafkas_codes() {
    let ground = Ground::new();
    let plane = Plane::start(&ground, true);
    let mut shards = shards(&ground);
    settle(&plane, &mut shards);
    let options = [
        ("metrics", SET, Some("*")),
        ("interval.ms", SET, Some("100")),
        (
            "match",
            SET,
            Some("client_software_name=tests,client_id=t.*"),
        ),
    ];
    let (error, message) = alter_one(&mut shards, resource(CLIENT_METRICS, "s", &options));
    assert_eq!(error, ErrorCode::None, "{message}");

    let granted = ask(&mut shards, [0; 16]);
    assert_eq!(granted.error_code, 0);
    assert_eq!(
        (granted.push_interval_ms, granted.delta_temporality),
        (100, true)
    );
    assert_eq!(granted.requested_metrics, ["*"]);
    assert_eq!(granted.accepted_compression_types, [4, 3, 1, 2]);
    assert_eq!(granted.telemetry_max_bytes, 1 << 20);
    assert_ne!(granted.client_instance_id, [0; 16]);
    let good = PushTelemetryRequest {
        client_instance_id: granted.client_instance_id,
        subscription_id: granted.subscription_id,
        metrics: ONE_GAUGE.to_vec(),
        ..PushTelemetryRequest::default()
    };
    // Whole intervals apart from here on, but for what comes too early.
    let mut spaced = |request: &PushTelemetryRequest| {
        std::thread::sleep(Duration::from_millis(110));
        push(&mut shards, request)
    };
    assert_eq!(spaced(&good), ErrorCode::None);
    let unknown = PushTelemetryRequest {
        subscription_id: 1,
        ..good.clone()
    };
    assert_eq!(spaced(&unknown), ErrorCode::UnknownSubscriptionId);
    let codec = PushTelemetryRequest {
        compression_type: 9,
        ..good.clone()
    };
    assert_eq!(spaced(&codec), ErrorCode::UnsupportedCompressionType);
    let large = PushTelemetryRequest {
        metrics: vec![0; (1 << 20) + 1],
        ..good.clone()
    };
    assert_eq!(spaced(&large), ErrorCode::TelemetryTooLarge);
    let garbage = PushTelemetryRequest {
        metrics: b"no metrics".to_vec(),
        ..good.clone()
    };
    assert_eq!(spaced(&garbage), ErrorCode::InvalidRecord);
    let garbage = PushTelemetryRequest {
        compression_type: 1,
        ..good.clone()
    };
    // The one before is counted 110 ms from here or later, and the next comes too early.
    let began = Instant::now();
    assert_eq!(spaced(&garbage), ErrorCode::InvalidRecord);
    let soon = push(&mut shards, &good);
    if began.elapsed() < Duration::from_millis(110 + 90) {
        assert_eq!(soon, ErrorCode::ThrottlingQuotaExceeded);
    }
    let nobody = PushTelemetryRequest {
        client_instance_id: [0; 16],
        ..good.clone()
    };
    assert_eq!(push(&mut shards, &nobody), ErrorCode::InvalidRequest);
    let last = PushTelemetryRequest {
        terminating: true,
        ..good.clone()
    };
    assert_eq!(push(&mut shards, &last), ErrorCode::None);
    assert_eq!(push(&mut shards, &good), ErrorCode::InvalidRequest);
}

#[test]
fn options_of_subscriptions_and_groups_are_kept_and_described() {
    let ground = Ground::new();
    let plane = Plane::start(&ground, true);
    let mut shards = shards(&ground);
    settle(&plane, &mut shards);
    let interval = |value| resource(CLIENT_METRICS, "s", &[("interval.ms", SET, Some(value))]);
    assert_eq!(
        alter_one(&mut shards, interval("99")).0,
        ErrorCode::InvalidRequest
    );
    assert_eq!(
        alter_one(&mut shards, interval("soon")).0,
        ErrorCode::InvalidConfig
    );
    let unknown = resource(CLIENT_METRICS, "s", &[("interval", SET, Some("1"))]);
    assert_eq!(alter_one(&mut shards, unknown).0, ErrorCode::InvalidRequest);
    let selector = resource(CLIENT_METRICS, "s", &[("match", SET, Some("host=a"))]);
    assert_eq!(alter_one(&mut shards, selector).0, ErrorCode::InvalidConfig);
    assert_eq!(alter_one(&mut shards, interval("5000")).0, ErrorCode::None);
    let own = |value: &str| (value.to_owned(), 7, vec![7]);
    assert_eq!(
        described(&mut shards, CLIENT_METRICS, "s", "interval.ms"),
        own("5000")
    );
    let default = (String::new(), 5, vec![]);
    assert_eq!(
        described(&mut shards, CLIENT_METRICS, "s", "metrics"),
        default
    );

    let option = "consumer.session.timeout.ms";
    let session = |value| resource(GROUP, "g", &[(option, SET, Some(value))]);
    assert_eq!(
        alter_one(&mut shards, session("1")).0,
        ErrorCode::InvalidConfig
    );
    assert_eq!(alter_one(&mut shards, session("50000")).0, ErrorCode::None);
    let kept = ("50000".to_owned(), 8, vec![8, 5]);
    assert_eq!(described(&mut shards, GROUP, "g", option), kept);
    let unset = resource(GROUP, "g", &[(option, DELETE, None)]);
    assert_eq!(alter_one(&mut shards, unset).0, ErrorCode::None);
    let default = ("45000".to_owned(), 5, vec![5]);
    assert_eq!(described(&mut shards, GROUP, "g", option), default);
}

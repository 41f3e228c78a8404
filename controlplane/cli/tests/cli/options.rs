//! Options and quotas, by the program and by gRPC.

use precursor_admin_api::v1::config_operation::Operation;
use precursor_admin_api::v1::config_resource::Resource;
use precursor_admin_api::v1::configs_client::ConfigsClient;
use precursor_admin_api::v1::quota_name::Name;
use precursor_admin_api::v1::quotas_client::QuotasClient;
use precursor_admin_api::v1::{
    AlterConfigsRequest, AlterQuotaRequest, ConfigOperation, ConfigResource,
    DescribeConfigsRequest, ListConfigResourcesRequest, ListQuotasRequest, QuotaEntity, QuotaLimit,
    QuotaName, Unset,
};
use serde_json::{Value, json};
use tonic::Code;

use crate::broker::{Broker, fields};

fn joined<'a>(first: &[&'a str], then: &[&'a str], last: &[&'a str]) -> Vec<&'a str> {
    [first, then, last].concat()
}

/// The only option that is described.
fn option(broker: &Broker, words: &[&str]) -> Value {
    let described = broker.json(&joined(&["config", "describe"], words, &[]));
    assert_eq!(fields(&described), ["kind", "name", "options"]);
    assert_eq!(described["options"].as_array().unwrap().len(), 1);
    described["options"][0].clone()
}

#[test]
fn options_are_set_described_and_unset() {
    let broker = Broker::start();
    broker.text(&["topic", "create", "orders"]);
    let resources: [(&[&str], &str, &str, &str, &str); 4] = [
        (
            &["--topic", "orders"],
            "retention.ms",
            "1000",
            "604800000",
            "topic",
        ),
        (
            &["--broker", "1"],
            "message.max.bytes",
            "900000",
            "1048588",
            "broker",
        ),
        (
            &["--group", "g"],
            "consumer.session.timeout.ms",
            "50000",
            "45000",
            "group",
        ),
        (
            &["--client-metrics", "s"],
            "interval.ms",
            "1000",
            "300000",
            "client-metrics",
        ),
    ];
    for (on, name, value, default, source) in resources {
        let set = format!("{name}={value}");
        broker.json(&joined(&["config", "set"], on, &[&set, "--validate-only"]));
        let described = option(&broker, &joined(on, &[name], &[]));
        assert_eq!(described["value"], json!(default));
        assert_eq!(described["is_default"], json!(true));

        let changed = broker.json(&joined(&["config", "set"], on, &[&set]));
        assert_eq!(changed["changed"], json!(true));
        let described = option(&broker, &joined(on, &[name, "--documentation"], &[]));
        assert_eq!(described["value"], json!(value));
        assert_eq!(described["source"], json!(source));
        assert!(!described["documentation"].as_str().unwrap().is_empty());
        let changed = broker.json(&joined(&["config", "describe"], on, &["--changed"]));
        let mut changed = changed["options"].as_array().unwrap().iter();
        assert!(changed.any(|option| option["name"] == json!(name)));

        broker.json(&joined(&["config", "unset"], on, &[name]));
        let described = option(&broker, &joined(on, &[name], &[]));
        assert_eq!(described["value"], json!(default));

        let typo = format!("{name}x=1");
        let (error, next) = broker.refused(&joined(&["config", "set"], on, &[&typo]), 4);
        assert!(error.contains(name) && !next.is_empty(), "{error} {next}");
    }
    broker.refused(&["config", "describe", "--topic", "absent"], 4);
    broker.refused(&["config", "set", "--broker", "1", "node.id=7"], 4);
}

#[test]
fn quotas_are_set_listed_and_unset() {
    let broker = Broker::start();
    let quota = |words: &[&str]| broker.json(&joined(&["quota"], words, &[]));
    let rate =
        |entity: Value, key: &str, value: f64| json!({"entity": entity, "quotas": {key: value}});
    let client = rate(json!({"client_id": "a"}), "producer_byte_rate", 1000.0);
    let users = rate(json!({"user": null}), "consumer_byte_rate", 2000.0);
    assert_eq!(
        quota(&["set", "--client-id", "a", "--produce-bytes", "1000"]),
        json!([client])
    );
    let set = quota(&["set", "--default-user", "--consume-bytes", "2000"]);
    assert_eq!(set, json!([users]));
    assert_eq!(quota(&["list"]), json!([client, users]));
    assert_eq!(quota(&["list", "--client-id", "a"]), json!([client]));
    quota(&["set", "--client-id", "a", "--request-percent", "12.5"]);
    let both = quota(&["list", "--client-id", "a"]);
    assert_eq!(both[0]["quotas"]["request_percentage"], json!(12.5));
    quota(&["unset", "--client-id", "a", "--produce-bytes"]);
    assert_eq!(
        quota(&["list", "--client-id", "a"])[0]["quotas"],
        json!({"request_percentage": 12.5})
    );
    quota(&["unset", "--client-id", "a"]);
    assert_eq!(quota(&["list"]), json!([users]));

    // A client of a user, and every client id of it without a quota of its own.
    let both = rate(
        json!({"user": "u", "client_id": "c"}),
        "producer_byte_rate",
        3000.0,
    );
    let words = [
        "set",
        "--user",
        "u",
        "--client-id",
        "c",
        "--produce-bytes",
        "3000",
    ];
    assert_eq!(quota(&words), json!([both]));
    let rest = rate(
        json!({"user": "u", "client_id": null}),
        "consumer_byte_rate",
        4000.0,
    );
    let words = [
        "set",
        "--user",
        "u",
        "--default-client-id",
        "--consume-bytes",
        "4000",
    ];
    assert_eq!(quota(&words), json!([rest]));
    let of_user = quota(&["list", "--user", "u"]);
    assert_eq!(of_user.as_array().unwrap().len(), 2, "{of_user}");
    assert_eq!(quota(&["list", "--default-client-id"]), json!([rest]));
    quota(&[
        "unset",
        "--user",
        "u",
        "--default-client-id",
        "--consume-bytes",
    ]);
    quota(&["unset", "--user", "u", "--client-id", "c"]);
    assert_eq!(quota(&["list"]), json!([users]));

    let none = ["quota", "set", "--client-id", "a", "--produce-bytes", "0"];
    assert_eq!(broker.run(&none).status.code(), Some(2));
    broker.refused(&["quota", "set", "--produce-bytes", "1"], 2);
}

/// The address of the control plane's gRPC.
pub fn endpoint(broker: &Broker) -> String {
    let status = broker.json(&["cluster", "status"]);
    format!(
        "http://{}",
        status["node"]["admin_address"].as_str().unwrap()
    )
}

/// Runs to its end.
pub fn run<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(future)
}

fn resource(resource: Resource) -> Option<ConfigResource> {
    let resource = Some(resource);
    Some(ConfigResource { resource })
}

#[test]
fn options_by_grpc() {
    let broker = Broker::start();
    let endpoint = endpoint(&broker);
    run(async {
        let mut client = ConfigsClient::connect(endpoint).await.unwrap();
        let change = |on: Resource, name: &str, operation: Operation| AlterConfigsRequest {
            resource: resource(on),
            operations: vec![ConfigOperation {
                name: name.into(),
                operation: Some(operation),
            }],
            validate_only: false,
        };
        let set = |value: &str| Operation::Set(value.into());
        let group = Resource::Group("g".into());
        let subscription = Resource::ClientMetrics("s".into());
        let broker_one = Resource::Broker(1);
        let changes = [
            (&group, "consumer.session.timeout.ms", set("50000")),
            (&subscription, "metrics", set("a.")),
            (&subscription, "metrics", Operation::Append("b.".into())),
            (&broker_one, "message.max.bytes", set("900000")),
        ];
        for (on, name, operation) in changes {
            client
                .alter_configs(change(on.clone(), name, operation))
                .await
                .unwrap();
        }
        let request = DescribeConfigsRequest {
            resource: resource(subscription.clone()),
            names: vec!["metrics".into()],
        };
        let described = client.describe_configs(request).await.unwrap().into_inner();
        let [metrics] = &described.configs[..] else {
            panic!("{described:?}")
        };
        assert_eq!(
            (&*metrics.value, &*metrics.r#type, metrics.source),
            ("a.,b.", "list", 7)
        );
        assert!(!metrics.documentation.is_empty() && !metrics.accepts.is_empty());

        let list = ListConfigResourcesRequest {};
        let listed = client
            .list_config_resources(list)
            .await
            .unwrap()
            .into_inner()
            .resources;
        let listed: Vec<Resource> = listed.into_iter().filter_map(|r| r.resource).collect();
        assert_eq!(listed, [broker_one, subscription, group.clone()]);

        let refused = change(group.clone(), "consumer.session.timeout", set("1"));
        let refused = client.alter_configs(refused).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);
        assert!(
            refused.message().contains("'consumer.session.timeout.ms'"),
            "{refused}"
        );
        let nobody = change(Resource::Group(String::new()), "x", set("1"));
        assert_eq!(
            client.alter_configs(nobody).await.unwrap_err().code(),
            Code::InvalidArgument
        );
        let unset = change(
            group,
            "consumer.session.timeout.ms",
            Operation::Unset(Unset {}),
        );
        client.alter_configs(unset).await.unwrap();
        let list = ListConfigResourcesRequest {};
        let left = client
            .list_config_resources(list)
            .await
            .unwrap()
            .into_inner()
            .resources;
        assert_eq!(left.len(), 2);
    });
}

#[test]
fn quotas_by_grpc() {
    let broker = Broker::start();
    let endpoint = endpoint(&broker);
    run(async {
        let mut client = QuotasClient::connect(endpoint).await.unwrap();
        let named = |name: &str| {
            Some(QuotaName {
                name: Some(Name::Named(name.into())),
            })
        };
        let entity = QuotaEntity {
            user: named("u"),
            client_id: named("c"),
        };
        let limit = |key: &str, value| QuotaLimit {
            key: key.into(),
            value,
        };
        let set = AlterQuotaRequest {
            entity: Some(entity.clone()),
            set: vec![
                limit("producer_byte_rate", 1e6),
                limit("request_percentage", 50.0),
            ],
            ..AlterQuotaRequest::default()
        };
        let unset = AlterQuotaRequest {
            entity: Some(entity.clone()),
            unset: vec!["request_percentage".into()],
            ..AlterQuotaRequest::default()
        };
        client.alter_quota(set.clone()).await.unwrap();
        client.alter_quota(unset).await.unwrap();
        let list = ListQuotasRequest {};
        let listed = client.list_quotas(list).await.unwrap().into_inner().quotas;
        let [quota] = &listed[..] else {
            panic!("{listed:?}")
        };
        assert_eq!(quota.entity, Some(entity));
        assert_eq!(quota.limits, [limit("producer_byte_rate", 1e6)]);

        let unknown = AlterQuotaRequest {
            set: vec![limit("producer_rate", 1.0)],
            ..set.clone()
        };
        let refused = client.alter_quota(unknown).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);
        assert!(
            refused.message().contains("producer_byte_rate"),
            "{refused}"
        );
        let nobody = AlterQuotaRequest {
            entity: None,
            ..set
        };
        assert_eq!(
            client.alter_quota(nobody).await.unwrap_err().code(),
            Code::InvalidArgument
        );
    });
}

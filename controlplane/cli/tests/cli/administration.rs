//! Topics and the cluster.

use serde_json::json;

use crate::broker::{Broker, fields};

#[test]
fn a_topic_lives_and_is_deleted() {
    let broker = Broker::start();
    let made = broker.json(&["topic", "create", "orders", "--partitions", "2"]);
    assert_eq!(
        fields(&made),
        [
            "created",
            "name",
            "partitions",
            "replication_factor",
            "topic_id"
        ]
    );
    let text = broker.text(&["topic", "create", "single", "--config", "retention.ms=1000"]);
    assert_eq!(text, "topic single created with 1 partition\n");
    let (error, _) = broker.refused(&["topic", "create", "orders"], 4);
    assert!(
        error.contains("orders") && error.contains("already exists"),
        "{error}"
    );
    let (error, next) = broker.refused(&["topic", "create", "a/b"], 4);
    assert!(
        error.contains("INVALID_TOPIC_EXCEPTION") && !next.is_empty(),
        "{error}"
    );

    let listed = broker.json(&["topic", "list"]);
    assert_eq!(listed[0]["name"], "orders");
    assert_eq!(listed[0]["partitions"], 2);
    assert_eq!(
        broker
            .json(&["topic", "list", "--prefix", "s"])
            .as_array()
            .unwrap()
            .len(),
        1
    );

    let grown = broker.text(&["topic", "add-partitions", "orders", "--total", "5"]);
    assert_eq!(grown, "topic orders has 5 partitions now\n");
    broker.refused(&["topic", "add-partitions", "orders", "--total", "5"], 4);
    broker.refused(&["topic", "add-partitions", "absent", "--total", "5"], 4);
    let described = broker.json(&["topic", "describe", "orders"]);
    assert_eq!(described["partitions"].as_array().unwrap().len(), 5);

    // Nobody can be asked here, so nothing may go.
    let (error, next) = broker.refused(&["topic", "delete", "orders"], 2);
    assert!(
        error.contains("delete orders") && next.contains("--yes"),
        "{error}"
    );
    assert_eq!(broker.json(&["topic", "list"]).as_array().unwrap().len(), 2);
    let deleted = broker.json(&["topic", "delete", "orders", "--yes"]);
    assert_eq!(deleted, json!({ "name": "orders", "deleted": true }));
    let (error, next) = broker.refused(&["topic", "describe", "orders"], 4);
    assert!(
        error.contains("orders") && next.contains("topic list"),
        "{error}"
    );
}

#[test]
fn a_topics_options_are_altered_and_given_back() {
    let broker = Broker::start();
    let create = ["topic", "create", "orders", "--replication-factor"];
    let made = broker.json(&[&create[..], &["1"]].concat());
    assert_eq!(made["replication_factor"], 1);
    let (error, next) = broker.refused(&["topic", "create", "two", "--replication-factor", "2"], 4);
    assert!(error.contains("replica") && !next.is_empty(), "{error}");
    let option =
        |name: &str| broker.json(&["topic", "describe", "orders"])["configs"][name].clone();
    let default = option("retention.ms");
    assert_eq!(default["is_default"], true);

    let alter = ["topic", "alter", "orders", "--config", "retention.ms=1000"];
    let changed = broker.json(&[&alter[..], &["--config", "segment.bytes=2097152"]].concat());
    let names = ["retention.ms", "segment.bytes"];
    assert_eq!(changed, json!({ "name": "orders", "changed": names }));
    let set = json!({ "value": "1000", "is_default": false });
    assert_eq!(option("retention.ms"), set);
    assert_eq!(option("segment.bytes")["value"], "2097152");
    broker.text(&["topic", "alter", "orders", "--unset", "retention.ms"]);
    assert_eq!(option("retention.ms"), default);
    assert_eq!(option("segment.bytes")["value"], "2097152");

    let typo = ["topic", "alter", "orders", "--config", "retention.mss=1"];
    let (error, next) = broker.refused(&typo, 4);
    assert!(
        error.contains("retention.ms") && !next.is_empty(),
        "{error}"
    );
    let absent = ["topic", "alter", "absent", "--unset", "retention.ms"];
    broker.refused(&absent, 4);
    assert_eq!(
        broker.run(&["topic", "alter", "orders"]).status.code(),
        Some(2)
    );
}

#[test]
fn internal_topics_are_listed_when_they_are_asked_for() {
    let broker = Broker::start();
    broker.text(&["topic", "create", "orders"]);
    // The first group has the topic of offsets made.
    broker.text(&["consume", "orders", "--group", "g"]);
    let names = |words: &[&str]| -> Vec<(String, bool)> {
        let listed = broker.json(words);
        let topics = listed.as_array().unwrap().iter();
        topics
            .map(|topic| {
                let name = topic["name"].as_str().unwrap().to_owned();
                (name, topic["internal"] == true)
            })
            .collect()
    };
    assert_eq!(names(&["topic", "list"]), [("orders".to_owned(), false)]);
    let all = names(&["topic", "list", "--internal"]);
    assert!(
        all.contains(&("__consumer_offsets".to_owned(), true)),
        "{all:?}"
    );
    assert_eq!(all.len(), 2);
}

#[test]
fn the_cluster_says_how_it_does() {
    let broker = Broker::start();
    let status = broker.json(&["cluster", "status"]);
    assert_eq!(
        fields(&status),
        [
            "brokers",
            "cluster_id",
            "consensus",
            "metadata_version",
            "node",
            "partitions",
            "topics",
            "version",
        ]
    );
    assert_eq!(status["node"]["data_plane"]["state"], "ready");
    let text = broker.text(&["cluster", "status"]);
    assert!(text.contains("ready, process"), "{text}");
    let (error, next) = broker.refused(&["cluster", "status", "--admin", "127.0.0.1:1"], 3);
    assert!(
        error.contains("127.0.0.1:1") && next.contains("--admin"),
        "{error}"
    );
}

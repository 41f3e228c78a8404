//! Groups: members read and commit; offsets are shown, moved and deleted.

use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::broker::{Broker, fields, succeeded};

fn filled() -> Broker {
    let broker = Broker::start();
    broker.text(&["topic", "create", "t", "--partitions", "2"]);
    for partition in ["0", "1"] {
        let produce = ["produce", "t", "--partition", partition];
        succeeded(&produce, &broker.run_with(&produce, b"0\n1\n2\n3\n4\n"));
    }
    broker
}

#[test]
fn a_group_goes_on_where_it_stopped() {
    let broker = filled();
    let member = ["consume", "t", "--group", "g"];
    let some = broker.text(&[&member[..], &["--count", "3"]].concat());
    assert_eq!(some.lines().count(), 3);
    let described = broker.json(&["group", "describe", "g"]);
    assert_eq!(
        fields(&described),
        [
            "assignor",
            "group",
            "lag",
            "members",
            "partitions",
            "protocol_type",
            "state"
        ]
    );
    assert_eq!(described["lag"], 7);
    assert_eq!(described["state"], "Empty");
    assert_eq!(
        fields(&described["partitions"][0]),
        ["committed", "end", "lag", "member", "partition", "topic"]
    );
    assert_eq!(broker.text(&member).lines().count(), 7);
    assert_eq!(broker.text(&member), "");
    assert_eq!(broker.json(&["group", "describe", "g"])["lag"], 0);
    let listed = broker.json(&["group", "list"]);
    assert_eq!(
        fields(&listed[0]),
        ["group", "protocol_type", "state", "type"]
    );
    assert_eq!(listed[0]["group"], "g");
    let text = broker.text(&["group", "describe", "g"]);
    assert!(
        text.starts_with("group g is Empty with 0 members and a lag of 0\n"),
        "{text}"
    );
}

#[test]
fn offsets_move_only_when_told_to() {
    let broker = filled();
    broker.text(&["consume", "t", "--group", "g"]);
    let reset = ["group", "reset-offsets", "g"];
    let moved = |target: &[&str]| -> Vec<Value> {
        let plan = broker.json(&[&reset[..], target].concat());
        let partitions = plan["partitions"].as_array().unwrap();
        partitions
            .iter()
            .map(|partition| partition["to"].clone())
            .collect()
    };
    assert_eq!(moved(&["--to-earliest"]), [0, 0]);
    assert_eq!(moved(&["--to-offset", "2"]), [2, 2]);
    assert_eq!(moved(&["--to-offset", "99"]), [5, 5]);
    assert_eq!(moved(&["--shift-by", "-2"]), [3, 3]);
    assert_eq!(moved(&["--shift-by", "-99"]), [0, 0]);
    assert_eq!(moved(&["--by-duration", "1h"]), [0, 0]);
    assert_eq!(moved(&["--to-time", "2096-01-01"]), [5, 5]);
    assert_eq!(moved(&["--to-latest", "--topic", "t:1"]), [5]);
    // All of these only showed what would be.
    assert_eq!(broker.json(&["group", "describe", "g"])["lag"], 0);
    let text = broker.text(&[&reset[..], &["--to-earliest"]].concat());
    assert!(
        text.ends_with("nothing was changed; add --execute to do it\n"),
        "{text}"
    );
    let done = broker.json(
        &[
            &reset[..],
            &["--to-earliest", "--topic", "t:1", "--execute"],
        ]
        .concat(),
    );
    assert_eq!(done["executed"], true);
    let described = broker.json(&["group", "describe", "g"]);
    assert_eq!(described["lag"], 5);
    assert_eq!(
        broker
            .text(&["consume", "t", "--group", "g"])
            .lines()
            .count(),
        5
    );

    let (_, next) = broker.refused(&["group", "reset-offsets", "new", "--to-latest"], 4);
    assert!(next.contains("--topic"), "{next}");
    let (error, _) = broker.refused(
        &[&reset[..], &["--to-latest", "--topic", "t:7"]].concat(),
        2,
    );
    assert!(error.contains("no partition 7"), "{error}");
    let new = [
        "group",
        "reset-offsets",
        "new",
        "--topic",
        "t",
        "--to-latest",
        "--yes",
    ];
    broker.text(&new);
    assert_eq!(broker.json(&["group", "describe", "new"])["lag"], 0);
}

#[test]
fn two_members_share_and_a_living_group_is_safe() {
    let broker = filled();
    let follow = |broker: &Broker| {
        broker
            .command(&["consume", "t", "--group", "g", "--follow"])
            .stdout(Stdio::null())
            .spawn()
            .unwrap()
    };
    let mut members = [follow(&broker), follow(&broker)];
    let deadline = Instant::now() + Duration::from_secs(40);
    let described = loop {
        let output = broker.run(&["group", "describe", "g", "--output", "json"]);
        let described: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        let shared = described["partitions"]
            .as_array()
            .is_some_and(|partitions| {
                partitions.len() == 2
                    && partitions[0]["member"].is_string()
                    && partitions[1]["member"].is_string()
                    && partitions[0]["member"] != partitions[1]["member"]
            });
        if shared && described["lag"] == 0 {
            break described;
        }
        assert!(Instant::now() < deadline, "{described}");
        std::thread::sleep(Duration::from_millis(100));
    };
    assert_eq!(described["members"].as_array().unwrap().len(), 2);
    let reset = ["group", "reset-offsets", "g", "--to-earliest", "--execute"];
    let (error, next) = broker.refused(&reset, 4);
    assert!(
        error.contains("has members") && next.contains("group describe g"),
        "{error}"
    );
    let (error, _) = broker.refused(&["group", "delete", "g", "--yes"], 4);
    assert!(error.contains("has members"), "{error}");
    for member in &mut members {
        // Asked, not killed: they leave the group.
        let pid = nix::unistd::Pid::from_raw(member.id() as i32);
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).unwrap();
        assert_eq!(member.wait().unwrap().code(), Some(130));
    }
    assert_eq!(
        broker.json(&["group", "describe", "g"])["members"],
        json!([])
    );
    let (_, next) = broker.refused(&["group", "delete", "g"], 2);
    assert!(next.contains("--yes"), "{next}");
    let deleted = broker.json(&["group", "delete", "g", "--yes"]);
    assert_eq!(deleted, json!({ "group": "g", "deleted": true }));
    let (error, next) = broker.refused(&["group", "describe", "g"], 4);
    assert!(
        error.contains("no group 'g'") && next.contains("group list"),
        "{error}"
    );
}

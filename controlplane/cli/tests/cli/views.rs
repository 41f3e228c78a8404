//! What is watched: top and doctor.

use crate::broker::{Broker, fields, succeeded};

#[test]
fn one_look_shows_throughput_latency_partitions_and_lag() {
    let broker = Broker::start();
    let produce = ["produce", "busy"];
    succeeded(&produce, &broker.run_with(&produce, b"a\nb\nc\n"));
    broker.text(&["consume", "busy", "--group", "g", "--count", "1"]);
    let frame = broker.json(&["top", "--once", "--interval", "0.2"]);
    assert_eq!(
        fields(&frame),
        [
            "broker",
            "group_count",
            "groups",
            "partitions",
            "records_in_per_second",
            "round_trip_us",
            "seconds",
        ]
    );
    let partitions = frame["partitions"].as_array().unwrap();
    let busy = partitions
        .iter()
        .find(|partition| partition["topic"] == "busy");
    assert_eq!(busy.unwrap()["end"], 3);
    let group = frame["groups"].as_array().unwrap();
    let group = group.iter().find(|group| group["group"] == "g").unwrap();
    assert_eq!(group["lag"], 2);
    assert!(frame["broker"]["connections"].as_f64().unwrap() >= 1.0);
    assert_eq!(frame["broker"]["processes"].as_array().unwrap().len(), 2);
    assert!(frame["round_trip_us"]["median"].as_f64().unwrap() > 0.0);
    let text = broker.text(&["top", "--once", "--interval", "0.2"]);
    assert!(
        text.contains("records/s") && text.contains("busy"),
        "{text}"
    );
    // Without --output json it would draw, and there is nothing to draw on.
    let output = broker.run(&["top"]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        error.contains("terminal") && error.contains("--once"),
        "{error}"
    );
}

#[test]
fn the_doctor_finds_something_to_say_everywhere() {
    let broker = Broker::start();
    let findings = broker.json(&["doctor"]);
    let findings = findings.as_array().unwrap();
    assert!(findings.len() >= 12);
    for finding in findings {
        assert_eq!(fields(finding), ["found", "mend", "name", "state", "why"]);
        let state = finding["state"].as_str().unwrap();
        assert!(
            ["good", "improvable", "absent"].contains(&state),
            "{finding}"
        );
        // What is missing without a remedy would only worry.
        assert!(state == "good" || finding["mend"].is_string(), "{finding}");
    }
    let text = broker.text(&["doctor"]);
    assert!(
        text.contains("io_uring") && !text.contains('\x1b'),
        "{text}"
    );
}

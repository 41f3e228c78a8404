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
fn the_pools_of_a_live_broker_are_told() {
    let broker = Broker::start();
    let produce = ["produce", "stored"];
    let lines: Vec<u8> = (0..20_000)
        .flat_map(|line| format!("a line of some length, number {line}\n").into_bytes())
        .collect();
    succeeded(&produce, &broker.run_with(&produce, &lines));
    let number = |row: &serde_json::Value, name: &str| row[name].as_u64().unwrap();
    // The gauges are put on the page once a second.
    let began = std::time::Instant::now();
    let rows = loop {
        let rows = broker.json(&["memory", "--by-shard"]);
        let rows = rows.as_array().unwrap().clone();
        if rows.iter().all(|row| number(row, "hits") > 0) {
            break rows;
        }
        assert!(began.elapsed().as_secs() < 30, "{rows:?}");
        std::thread::sleep(std::time::Duration::from_millis(100));
    };
    let named: Vec<_> = rows.iter().map(|row| row["pool"].clone()).collect();
    assert_eq!(named, ["extents", "buffers", "slabs"]);
    for row in &rows {
        assert_eq!(
            fields(row),
            [
                "backed",
                "exhausted",
                "fragmentation",
                "free",
                "hit_ratio",
                "hits",
                "huge",
                "in_use",
                "in_use_max",
                "maximum",
                "misses",
                "pool",
                "shard",
                "trimmed_bytes",
                "trims",
                "unit",
            ]
        );
        assert_eq!(row["shard"], 0);
        assert!(number(row, "in_use_max") >= number(row, "in_use"));
        let free = number(row, "backed") - number(row, "in_use");
        assert_eq!(free, number(row, "free"));
        assert!((0.0..=1.0).contains(&row["hit_ratio"].as_f64().unwrap()));
    }
    let extents = &rows[0];
    assert_eq!(number(extents, "maximum"), 64 << 20);
    assert!(number(extents, "in_use") > 0 && number(extents, "backed") >= 2 << 20);
    let text = broker.text(&["memory"]);
    assert!(text.contains("hit ratio") && text.contains("all"), "{text}");
    assert_eq!(text.lines().count(), 1 + 3, "{text}");
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
        // What is missing without a remedy would only worry, but for hardware that nobody has to have.
        let codec = finding["name"].as_str().unwrap().starts_with("codec: ");
        let remedied = state == "good" || finding["mend"].is_string();
        assert!(remedied || codec && state == "absent", "{finding}");
    }
    let text = broker.text(&["doctor"]);
    assert!(
        text.contains("io_uring") && !text.contains('\x1b'),
        "{text}"
    );
}

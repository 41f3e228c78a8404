//! Records written and read back.

use std::process::Stdio;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

use crate::broker::{Broker, succeeded};

fn lines(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn keys_headers_and_nulls_come_back() {
    let broker = Broker::start();
    let produce = [
        "produce",
        "t",
        "--key-separator",
        ":",
        "--null",
        "NULL",
        "--header",
        "a=1",
        "--header",
        "b=",
    ];
    let input = b"k:v\nk:NULL\nNULL:keyless\nk:\nplain\nk:\xff\xfe\n";
    succeeded(&produce, &broker.run_with(&produce, input));
    let text = broker.text(&["consume", "t", "--output", "json"]);
    let read = lines(&text);
    let shape = |record: &Value| {
        (
            record["key"].clone(),
            record["value"].clone(),
            record["value_hex"].clone(),
        )
    };
    let expected = [
        (json!("k"), json!("v"), Value::Null),
        (json!("k"), Value::Null, Value::Null),
        (Value::Null, json!("keyless"), Value::Null),
        (json!("k"), json!(""), Value::Null),
        (Value::Null, json!("plain"), Value::Null),
        (json!("k"), Value::Null, json!("fffe")),
    ];
    assert_eq!(read.iter().map(shape).collect::<Vec<_>>(), expected);
    let headers = json!([{ "key": "a", "value": "1" }, { "key": "b", "value": "" }]);
    assert!(read.iter().all(|record| record["headers"] == headers));

    let shown = [
        "consume",
        "t",
        "--keys",
        "--headers",
        "--offsets",
        "--null",
        "-",
        "--count",
        "3",
    ];
    let expected = "0:0\ta=1,b=\tk\tv\n0:1\ta=1,b=\tk\t-\n0:2\ta=1,b=\t-\tkeyless\n";
    assert_eq!(broker.text(&shown), expected);
    // What was printed as JSON can be written again, and is the same.
    let copy = ["produce", "copy", "--format", "json"];
    succeeded(&copy, &broker.run_with(&copy, text.as_bytes()));
    let copied = lines(&broker.text(&["consume", "copy", "--output", "json"]));
    for (original, copy) in read.iter().zip(&copied) {
        for field in ["key", "value", "value_hex", "headers", "timestamp"] {
            assert_eq!(original[field], copy[field], "{field}");
        }
    }
    assert_eq!(copied.len(), read.len());
}

#[test]
fn every_codec_acks_and_partition() {
    let broker = Broker::start();
    broker.text(&["topic", "create", "t", "--partitions", "3"]);
    let mut written = 0;
    for codec in ["none", "gzip", "snappy", "lz4", "zstd"] {
        for acks in ["0", "1", "all"] {
            let produce = [
                "produce",
                "t",
                "--partition",
                "2",
                "--compression",
                codec,
                "--acks",
                acks,
                "--output",
                "json",
            ];
            let report = succeeded(&produce, &broker.run_with(&produce, b"x\ny\n"));
            let report: Value = serde_json::from_str(&report).unwrap();
            assert_eq!(report["records"], 2);
            written += 2;
        }
    }
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        // With --acks 0 nobody said that they are there.
        let text = broker.text(&["consume", "t", "--partition", "2"]);
        if text.lines().count() == written {
            break;
        }
        assert!(Instant::now() < deadline, "{text}");
    }
    assert_eq!(broker.text(&["consume", "t", "--partition", "1"]), "");
}

#[test]
fn reading_begins_where_it_is_told() {
    let broker = Broker::start();
    let produce = ["produce", "t", "--format", "json"];
    let input: String = (0..10)
        .map(|n| {
            format!(
                "{{\"value\":\"{n}\",\"timestamp\":{}}}\n",
                1_000_000 + n * 1000
            )
        })
        .collect();
    succeeded(&produce, &broker.run_with(&produce, input.as_bytes()));
    let read = |from: &str| {
        let text = broker.text(&["consume", "t", "--from", from]);
        text.lines().collect::<Vec<_>>().join("")
    };
    assert_eq!(read("beginning"), "0123456789");
    assert_eq!(read("end"), "");
    assert_eq!(read("7"), "789");
    assert_eq!(read("@1005500"), "6789");
    assert_eq!(read("@1970-01-01T00:16:45Z"), "56789");
    assert_eq!(read("@-1h"), "");
    assert_eq!(
        broker.text(&["consume", "t", "--from", "3", "--count", "2"]),
        "3\n4\n"
    );
    let columns = [
        "consume",
        "t",
        "--from",
        "8",
        "--timestamps",
        "--offsets",
        "--keys",
    ];
    let columns = [&columns[..], &["--separator", "; ", "--null", "-"]].concat();
    assert_eq!(
        broker.text(&columns),
        "1008000; 0:8; -; 8\n1009000; 0:9; -; 9\n"
    );
}

#[test]
fn mistakes_are_said_with_what_to_do() {
    let broker = Broker::start();
    let (error, next) = broker.refused(&["consume", "absent"], 4);
    assert!(
        error.contains("absent") && next.contains("topic create absent"),
        "{error}"
    );
    let (error, next) = broker.refused(&["produce", "t", "--file", "/nonexistent"], 1);
    assert!(
        error.contains("/nonexistent") && !next.is_empty(),
        "{error}"
    );
    broker.text(&["topic", "create", "t"]);
    let (error, _) = broker.refused(&["consume", "t", "--partition", "7"], 2);
    assert!(error.contains("no partition 7"), "{error}");
    let produce = [
        "produce", "t", "--format", "json", "--batch", "1", "--output", "json",
    ];
    let output = broker.run_with(&produce, b"{\"value\":\"a\"}\nnonsense\n");
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        error.contains("line 2") && error.contains("1 record written before"),
        "{error}"
    );
    assert_eq!(broker.text(&["consume", "t"]), "a\n");
}

#[test]
fn who_follows_sees_new_records_and_leaves_with_130() {
    let broker = Broker::start();
    broker.text(&["topic", "create", "t"]);
    let mut follower = broker
        .command(&["consume", "t", "--follow"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let produce = ["produce", "t"];
    succeeded(&produce, &broker.run_with(&produce, b"late\n"));
    let mut line = String::new();
    let mut out = std::io::BufReader::new(follower.stdout.take().unwrap());
    std::io::BufRead::read_line(&mut out, &mut line).unwrap();
    assert_eq!(line, "late\n");
    kill(Pid::from_raw(follower.id() as i32), Signal::SIGINT).unwrap();
    assert_eq!(follower.wait().unwrap().code(), Some(130));
}

#[test]
fn advice_on_compression_is_measured_on_the_topics_own_records() {
    let broker = Broker::start();
    let lines: String = (0..4_000)
        .map(|n| {
            format!(
                "{{\"order\":{n},\"customer\":\"c-{}\",\"city\":\"Bern\"}}\n",
                n * 7919 % 977
            )
        })
        .collect();
    for part in lines.as_bytes().chunks(20_000) {
        let produce = ["produce", "orders", "--compression", "lz4"];
        succeeded(&produce, &broker.run_with(&produce, part));
    }
    let advise = ["compression", "advise", "orders", "--seconds", "0.2"];
    let rows = broker.json(&[&advise[..], &["--at-least", "0"]].concat());
    let rows = rows.as_array().unwrap();
    let named = |codec: &str| {
        let rows = rows.iter().filter(|row| row["codec"] == codec);
        rows.map(|row| row["ratio"].as_f64().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(named("uncompressed"), [1.0]);
    for codec in [
        "snappy",
        "lz4",
        "gzip",
        "zstd",
        "zstd-dictionary",
        "brotli",
        "lzma",
    ] {
        assert!(
            !named(codec).is_empty() && named(codec).iter().all(|r| *r > 2.0),
            "{codec}"
        );
    }
    for row in rows {
        assert!(row["mb_per_s"].as_f64().unwrap() > 0.0, "{row}");
        assert!(row["decompress_mb_per_s"].as_f64().unwrap() > 0.0, "{row}");
    }
    let recommended: Vec<&Value> = rows
        .iter()
        .filter(|row| row["recommended"] == true)
        .collect();
    assert!(recommended.len() == 1 && recommended[0]["topic_option"] == true);
    let text = broker.text(&[&advise[..], &["--at-least", "0", "--partition", "0"]].concat());
    assert!(
        text.contains("config set --topic orders compression.type="),
        "{text}"
    );
    succeeded(&["topic"], &broker.run(&["topic", "create", "empty"]));
    let (why, _) = broker.refused(&["compression", "advise", "empty"], 1);
    assert!(why.contains("no records"), "{why}");
}

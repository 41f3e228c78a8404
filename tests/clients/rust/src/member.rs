//! One member of a group, until standard input says another line or ends.

use crate::{configuration, say, text};
use rdkafka::Message;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

pub fn run(bootstrap: &str, request: &Value) -> Result<(), Box<dyn Error>> {
    let strategy = match text(&request["strategy"]) {
        "cooperative" => "cooperative-sticky",
        _ => "range",
    };
    let mut config = configuration(bootstrap);
    config
        .set("group.id", text(&request["group"]))
        .set("partition.assignment.strategy", strategy)
        .set("session.timeout.ms", request["session_ms"].to_string())
        .set("heartbeat.interval.ms", "500")
        .set("enable.auto.commit", "false")
        .set("auto.offset.reset", "earliest")
        .set("fetch.wait.max.ms", "200");
    if let Some(instance) = request["instance"].as_str() {
        config.set("group.instance.id", instance);
    }
    let consumer: BaseConsumer = config.create()?;
    consumer.subscribe(&[text(&request["topic"])])?;
    let stop = stopped();
    let mut told = BTreeSet::new();
    while !stop.load(Ordering::Relaxed) {
        // A broker that is away is an error here, and comes back.
        let message = consumer
            .poll(Duration::from_millis(100))
            .and_then(Result::ok);
        let assigned = consumer.assignment()?;
        let owned = assigned
            .elements()
            .iter()
            .map(|at| at.partition())
            .collect();
        if owned != told {
            say(&json!({"event": "owned", "partitions": owned}));
            told = owned;
        }
        let Some(message) = message else { continue };
        let value = String::from_utf8_lossy(message.payload().unwrap_or_default());
        let record = json!([message.partition(), message.offset(), value]);
        say(&json!({"event": "records", "records": [record]}));
        // When a new generation has begun, the records' owner reads them again.
        let _ = consumer.commit_message(&message, CommitMode::Sync);
    }
    Ok(())
}

fn stopped() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let set = Arc::clone(&stop);
    std::thread::spawn(move || {
        let _ = std::io::stdin().read_line(&mut String::new());
        set.store(true, Ordering::Relaxed);
    });
    stop
}

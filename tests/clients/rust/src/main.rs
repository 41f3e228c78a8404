//! rdkafka (librdkafka for Rust) behind the tests' contract: one JSON request a line, answered by
//! JSON lines of which the last has "done" or "error". The list of requests is in ../../README.md.

mod member;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_executor::block_on;
use rdkafka::admin::{
    AdminClient, AdminOptions, AlterConfig, NewTopic, ResourceSpecifier, TopicReplication,
};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{Header, Headers, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, DeliveryResult, Producer, ProducerContext};
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{ClientConfig, ClientContext, Message, Offset, TopicPartitionList};
use serde_json::{Map, Value, json};
use std::error::Error;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

type Answer = Result<Value, Box<dyn Error>>;

const PATIENCE: Duration = Duration::from_secs(60);
const LIBRARY_LOCK: &str = include_str!("../Cargo.lock");

fn main() {
    let bootstrap = std::env::args().nth(1).expect("HOST:PORT");
    // Read line by line: a member waits for the next line in a thread of its own.
    let mut line = String::new();
    while std::io::stdin()
        .read_line(&mut line)
        .is_ok_and(|bytes| bytes > 0)
    {
        let request: Value = serde_json::from_str(&line).expect("a JSON request");
        line.clear();
        if request["op"] == "member" {
            match member::run(&bootstrap, &request) {
                Ok(()) => say(&json!({"event": "left"})),
                Err(error) => say(&json!({"error": error.to_string()})),
            }
            // Whoever reads standard input may be in the middle of it.
            std::process::exit(0);
        }
        match answer(&bootstrap, &request) {
            Ok(mut answer) => {
                answer["done"] = json!(true);
                say(&answer);
            }
            Err(error) => say(&json!({"error": error.to_string()})),
        }
    }
}

fn say(line: &Value) {
    let mut out = std::io::stdout().lock();
    // Nobody is left to tell when it fails.
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

fn answer(bootstrap: &str, request: &Value) -> Answer {
    let topic = text(&request["topic"]);
    match text(&request["op"]) {
        "about" => Ok(about()),
        "produce" => produce(bootstrap, request),
        "consume" => consume(bootstrap, request),
        "create" => create(bootstrap, request),
        "describe" => describe(bootstrap, topic),
        "config" => config(bootstrap, topic),
        "alter" => alter(bootstrap, request),
        "delete" => {
            let outcomes = block_on(admin(bootstrap)?.delete_topics(&[topic], &options()));
            refusal(
                outcomes?
                    .into_iter()
                    .map(|outcome| outcome.map(drop).map_err(|e| e.1)),
            )
        }
        "metadata" => metadata(bootstrap, text(&request["prefix"])),
        op => Err(format!("{op} is not known").into()),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn configuration(bootstrap: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", bootstrap);
    config
}

fn about() -> Value {
    let package = LIBRARY_LOCK
        .split("name = \"rdkafka\"\nversion = \"")
        .nth(1);
    let version = package
        .and_then(|rest| rest.split('"').next())
        .unwrap_or("?");
    let library = rdkafka::util::get_rdkafka_version().1;
    json!({"client": "rdkafka", "version": format!("{version} (librdkafka {library})"), "lacks": []})
}

/// What was acknowledged, by the records' places in the request.
#[derive(Default)]
struct Acknowledged {
    offsets: Mutex<Vec<Option<i64>>>,
    refused: Mutex<Vec<KafkaError>>,
}

struct Deliveries(Arc<Acknowledged>);

impl ClientContext for Deliveries {}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, place: usize) {
        match result {
            Ok(message) => {
                let offset = Some(message.offset()).filter(|offset| *offset >= 0);
                self.0.offsets.lock().unwrap()[place] = offset;
            }
            Err((error, _)) => self.0.refused.lock().unwrap().push(error.clone()),
        }
    }
}

fn data(value: &Value) -> Result<Option<Vec<u8>>, base64::DecodeError> {
    value.as_str().map(|text| STANDARD.decode(text)).transpose()
}

fn produce(bootstrap: &str, request: &Value) -> Answer {
    let records = request["records"].as_array().ok_or("no records")?;
    let acknowledged = Arc::new(Acknowledged::default());
    *acknowledged.offsets.lock().unwrap() = vec![None; records.len()];
    let producer: BaseProducer<Deliveries> = configuration(bootstrap)
        .set("compression.type", text(&request["codec"]))
        .set("acks", text(&request["acks"]))
        .set("enable.idempotence", request["idempotent"].to_string())
        .set("linger.ms", "5")
        .set("message.max.bytes", "2000000")
        .set("message.timeout.ms", "60000")
        .set("topic.metadata.propagation.max.ms", "3000")
        .create_with_context(Deliveries(Arc::clone(&acknowledged)))?;
    for (place, record) in records.iter().enumerate() {
        let (key, value) = (data(&record[2])?, data(&record[3])?);
        let mut headers = OwnedHeaders::new();
        for header in record[4].as_array().ok_or("no headers")? {
            let value = data(&header[1])?;
            headers = headers.insert(Header {
                key: text(&header[0]),
                value: value.as_ref(),
            });
        }
        let mut out: BaseRecord<'_, [u8], [u8], usize> =
            BaseRecord::with_opaque_to(text(&request["topic"]), place);
        out.partition = record[0].as_i64().map(|partition| partition as i32);
        out.timestamp = record[1].as_i64();
        (out.key, out.payload) = (key.as_deref(), value.as_deref());
        out.headers = Some(headers).filter(|headers| headers.count() > 0);
        while let Err((error, again)) = producer.send(out) {
            if error.rdkafka_error_code() != Some(RDKafkaErrorCode::QueueFull) {
                return Err(error.into());
            }
            producer.poll(Duration::from_millis(100));
            out = again;
        }
        producer.poll(Duration::ZERO);
    }
    producer.flush(PATIENCE)?;
    if let Some(error) = acknowledged.refused.lock().unwrap().first() {
        return Err(error.to_string().into());
    }
    let offsets = acknowledged.offsets.lock().unwrap();
    Ok(json!({"offsets": *offsets}))
}

fn consume(bootstrap: &str, request: &Value) -> Answer {
    let consumer: BaseConsumer = configuration(bootstrap)
        .set("group.id", "assigned-by-hand")
        .set("enable.auto.commit", "false")
        .set("fetch.message.max.bytes", "2000000")
        .create()?;
    let partition = request["partition"].as_i64().unwrap_or(0) as i32;
    let at = |offset| {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(text(&request["topic"]), partition, offset)
            .map(|()| list)
    };
    let offset = match text(&request["start"]) {
        "beginning" => Offset::Beginning,
        "end" => Offset::End,
        start => match start.strip_prefix('@') {
            None => Offset::Offset(start.parse()?),
            Some(time) => {
                let asked = at(Offset::Offset(time.parse()?))?;
                let found = consumer.offsets_for_times(asked, Duration::from_secs(20))?;
                found.elements()[0].offset()
            }
        },
    };
    consumer.assign(&at(offset)?)?;
    let count = request["count"].as_u64().unwrap_or(0) as usize;
    let (mut records, deadline) = (Vec::new(), Instant::now() + PATIENCE);
    while records.len() < count {
        if Instant::now() > deadline {
            return Err(format!("{} of {count} records came", records.len()).into());
        }
        if let Some(message) = consumer.poll(Duration::from_millis(500)) {
            records.push(record(&message?));
        }
    }
    Ok(json!({"records": records}))
}

fn record(message: &impl Message) -> Value {
    let coded = |bytes: Option<&[u8]>| bytes.map(|bytes| STANDARD.encode(bytes));
    let headers = message
        .headers()
        .into_iter()
        .flat_map(|headers| headers.iter());
    let headers: Vec<Value> = headers.map(|h| json!([h.key, coded(h.value)])).collect();
    let timestamp = message.timestamp().to_millis();
    json!([
        message.offset(),
        timestamp,
        coded(message.key()),
        coded(message.payload()),
        headers
    ])
}

fn admin(bootstrap: &str) -> Result<AdminClient<DefaultClientContext>, KafkaError> {
    configuration(bootstrap).create()
}

fn options() -> AdminOptions {
    let patience = Some(Duration::from_secs(30));
    AdminOptions::new()
        .request_timeout(patience)
        .operation_timeout(patience)
}

fn refusal(outcomes: impl Iterator<Item = Result<(), RDKafkaErrorCode>>) -> Answer {
    for outcome in outcomes {
        outcome?;
    }
    Ok(json!({}))
}

fn pairs(config: &Value) -> impl Iterator<Item = (&str, &str)> {
    let config = config.as_object().into_iter().flatten();
    config.map(|(name, value)| (name.as_str(), text(value)))
}

fn create(bootstrap: &str, request: &Value) -> Answer {
    let partitions = request["partitions"].as_i64().unwrap_or(1) as i32;
    let mut topic = NewTopic::new(
        text(&request["topic"]),
        partitions,
        TopicReplication::Fixed(1),
    );
    for (name, value) in pairs(&request["config"]) {
        topic = topic.set(name, value);
    }
    let outcomes = block_on(admin(bootstrap)?.create_topics(&[topic], &options()));
    refusal(
        outcomes?
            .into_iter()
            .map(|outcome| outcome.map(drop).map_err(|e| e.1)),
    )
}

fn describe(bootstrap: &str, topic: &str) -> Answer {
    let consumer: BaseConsumer = configuration(bootstrap).create()?;
    let found = consumer.fetch_metadata(Some(topic), Duration::from_secs(30))?;
    let topic = &found.topics()[0];
    match topic.error() {
        Some(error) => Err(RDKafkaErrorCode::from(error).to_string().into()),
        None => Ok(json!({"partitions": topic.partitions().len()})),
    }
}

fn config(bootstrap: &str, topic: &str) -> Answer {
    let asked = [ResourceSpecifier::Topic(topic)];
    let described = block_on(admin(bootstrap)?.describe_configs(&asked, &options()))?;
    let mut config = Map::new();
    for resource in described {
        let entries = resource?.entries;
        config.extend(
            entries
                .into_iter()
                .map(|entry| (entry.name, json!(entry.value))),
        );
    }
    Ok(json!({"config": config}))
}

fn alter(bootstrap: &str, request: &Value) -> Answer {
    let mut change = AlterConfig::new(ResourceSpecifier::Topic(text(&request["topic"])));
    for (name, value) in pairs(&request["config"]) {
        change = change.set(name, value);
    }
    let outcomes = block_on(admin(bootstrap)?.alter_configs(&[change], &options()));
    refusal(
        outcomes?
            .into_iter()
            .map(|outcome| outcome.map(drop).map_err(|e| e.1)),
    )
}

fn metadata(bootstrap: &str, prefix: &str) -> Answer {
    let consumer: BaseConsumer = configuration(bootstrap).create()?;
    let found = consumer.fetch_metadata(None, Duration::from_secs(30))?;
    let mine = || {
        found
            .topics()
            .iter()
            .filter(|topic| topic.name().starts_with(prefix))
    };
    let partitions: usize = mine().map(|topic| topic.partitions().len()).sum();
    Ok(json!({"topics": mine().count(), "partitions": partitions}))
}

//! Measurements through the native client (`--transport`): the same calls over shared memory,
//! RDMA and TCP, one record a request.

use std::time::{Duration, Instant};

use precursor_client::{Client, ClientError, ClientOptions, Wait};
use precursor_protocol::messages::MetadataRequest;
use serde_json::{Value, json};

use super::arguments::{BenchArguments, Kind, NativeTransport};
use super::process_cpu;
use super::report::{measured_json, measured_lines};
use super::throughput::Measured;
use crate::client::parse_endpoint;
use crate::common::CommonArguments;
use crate::failure::Failure;
use crate::output::Output;

/// Records that are sent between two looks at the clock.
const RECORDS_PER_LOOK: usize = 64;

/// Measures through the native client.
///
/// # Errors
/// The broker cannot be reached, or refuses.
pub fn run(
    transport: NativeTransport,
    arguments: &BenchArguments,
    common: &CommonArguments,
    output: Output,
) -> Result<(), Failure> {
    if !matches!(arguments.what, Kind::Latency | Kind::Produce) {
        return Err(Failure::usage(
            "--transport measures latency and produce, which the native client has its own way for",
        ));
    }
    if let Some(cpu) = arguments.cpu {
        process_cpu::pin(cpu)?;
    }
    let options = options(transport, arguments, common)?;
    let mut client = Client::connect(options).map_err(failed)?;
    let name = match &arguments.topic {
        Some(name) => name.clone(),
        None => format!("precursor-bench-{}", std::process::id()),
    };
    client.create_topic(&name, 1).map_err(failed)?;
    let measured = measure(&mut client, &name, arguments)?;
    let alternative = match arguments.with_ceiling && transport == NativeTransport::Shm {
        true => {
            let options = self::options(NativeTransport::Tcp, arguments, common)?;
            let mut client = Client::connect(options).map_err(failed)?;
            Some(measure(&mut client, &name, arguments)?)
        }
        false => None,
    };
    if arguments.topic.is_none() {
        delete(&mut client, &name)?;
    }
    if output.json() {
        return output.value(&to_json(
            transport,
            arguments,
            &measured,
            alternative.as_ref(),
        ));
    }
    let mut lines = vec![format!(
        "{} over {}: {} bytes a record, one a request",
        arguments.what.name(),
        transport.name(),
        arguments.record_bytes
    )];
    lines.extend(measured_lines(arguments.what, &measured));
    if let Some(alternative) = &alternative {
        lines.push("the same calls over tcp, same run:".to_owned());
        lines.extend(measured_lines(arguments.what, alternative));
    }
    output.line(&lines.join("\n"))
}

fn measure(
    client: &mut Client,
    topic: &str,
    arguments: &BenchArguments,
) -> Result<Measured, Failure> {
    match arguments.what {
        Kind::Latency => latency(client, topic, arguments),
        _ => throughput(client, topic, arguments),
    }
    .map_err(failed)
}

fn options(
    transport: NativeTransport,
    arguments: &BenchArguments,
    common: &CommonArguments,
) -> Result<ClientOptions, Failure> {
    let by_shm = || arguments.data_dir.as_ref().map(ClientOptions::shm);
    let options = match transport {
        NativeTransport::Shm => by_shm().ok_or_else(|| {
            Failure::usage("shared memory is found by the broker's data directory")
                .next("Name it: --data-dir DIR")
        })?,
        NativeTransport::Rdma | NativeTransport::Tcp => {
            let address = match by_shm() {
                Some(by_shm) => listener(by_shm)?,
                None => parse_endpoint("--bootstrap", &common.bootstrap)?.to_string(),
            };
            match transport {
                NativeTransport::Rdma => ClientOptions::rdma(address),
                _ => ClientOptions::tcp(address),
            }
        }
    };
    Ok(ClientOptions {
        client_id: "precursor-bench".to_owned(),
        wait: Wait::Poll,
        ..options
    })
}

/// Where the broker of a data directory listens: it is asked by shared memory.
fn listener(by_shm: ClientOptions) -> Result<String, Failure> {
    let mut client = Client::connect(by_shm).map_err(failed)?;
    let request = MetadataRequest {
        topics: Some(Vec::new()),
        ..MetadataRequest::default()
    };
    let response = client.request(&request, Duration::ZERO).map_err(failed)?;
    let broker = response.brokers.first();
    let broker = broker.ok_or_else(|| Failure::refused("the broker names no broker"))?;
    Ok(format!("{}:{}", broker.host, broker.port))
}

fn value(arguments: &BenchArguments) -> Vec<u8> {
    (b'a'..=b'z').cycle().take(arguments.record_bytes).collect()
}

/// The round trip of one record with one in flight.
fn latency(
    client: &mut Client,
    topic: &str,
    arguments: &BenchArguments,
) -> Result<Measured, ClientError> {
    let value = value(arguments);
    let warm = Instant::now() + Duration::from_secs_f64(arguments.warmup);
    while Instant::now() < warm {
        client.produce(topic, 0, None, &value)?;
    }
    let mut measured = Measured::default();
    let began = Instant::now();
    let end = began + Duration::from_secs_f64(arguments.seconds);
    loop {
        let sent = Instant::now();
        let done = match arguments.records {
            Some(records) => measured.requests >= records,
            None => sent >= end,
        };
        if done {
            break;
        }
        client.produce(topic, 0, None, &value)?;
        measured.latencies.record(sent.elapsed().as_nanos() as u64);
        measured.requests += 1;
    }
    Ok(finish(measured, began, &value))
}

/// Single records, --in-flight of them on the way.
fn throughput(
    client: &mut Client,
    topic: &str,
    arguments: &BenchArguments,
) -> Result<Measured, ClientError> {
    let value = value(arguments);
    let in_flight = u32::try_from(arguments.in_flight).unwrap_or(u32::MAX);
    let mut refused = None;
    let mut pipeline = client.pipeline(topic, 0, in_flight)?;
    let mut acknowledged = |answer: precursor_client::Acknowledged| {
        if answer.error.is_error() {
            refused = Some(answer.error);
        }
    };
    let warm = Instant::now() + Duration::from_secs_f64(arguments.warmup);
    while Instant::now() < warm {
        for _ in 0..RECORDS_PER_LOOK {
            pipeline.send(None, &value, &mut acknowledged)?;
        }
    }
    pipeline.flush(&mut acknowledged)?;
    let mut measured = Measured::default();
    let began = Instant::now();
    let end = began + Duration::from_secs_f64(arguments.seconds);
    while arguments.records.map_or_else(
        || Instant::now() < end,
        |records| measured.requests < records,
    ) {
        for _ in 0..RECORDS_PER_LOOK {
            pipeline.send(None, &value, &mut acknowledged)?;
            measured.requests += 1;
        }
    }
    pipeline.flush(&mut acknowledged)?;
    drop(pipeline);
    match refused {
        Some(error) => Err(ClientError::Refused {
            error,
            what: format!("topic '{topic}'"),
        }),
        None => Ok(finish(measured, began, &value)),
    }
}

fn finish(mut measured: Measured, began: Instant, value: &[u8]) -> Measured {
    measured.seconds = began.elapsed().as_secs_f64();
    measured.records = measured.requests;
    measured.bytes = measured.requests * value.len() as u64;
    measured
}

fn to_json(
    transport: NativeTransport,
    arguments: &BenchArguments,
    measured: &Measured,
    alternative: Option<&Measured>,
) -> Value {
    let with_quantiles = |measured: &Measured| {
        let mut value = measured_json(measured);
        if !measured.latencies.is_empty() {
            value["p50_us"] = quantile(measured, 0.5);
            value["p99_us"] = quantile(measured, 0.99);
        }
        value
    };
    let mut value = with_quantiles(measured);
    value["bench"] = arguments.what.name().into();
    value["transport"] = transport.name().into();
    value["record_bytes"] = arguments.record_bytes.into();
    value["acks"] = 1.into();
    if arguments.what == Kind::Produce {
        value["in_flight"] = arguments.in_flight.into();
    }
    if let Some(alternative) = alternative {
        value["alternative"] = with_quantiles(alternative);
        value["alternative"]["transport"] = "tcp".into();
    }
    value
}

fn quantile(measured: &Measured, at: f64) -> Value {
    json!((measured.latencies.quantile_us(at) * 1000.0).round() / 1000.0)
}

fn delete(client: &mut Client, name: &str) -> Result<(), Failure> {
    let request = precursor_protocol::messages::DeleteTopicsRequest {
        topic_names: vec![name.to_owned()],
        timeout_ms: 10_000,
        ..Default::default()
    };
    let wait = Duration::from_secs(10);
    client.request(&request, wait).map(|_| ()).map_err(failed)
}

fn failed(error: ClientError) -> Failure {
    match error {
        ClientError::Usage(_) => Failure::usage(error.to_string()),
        ClientError::Refused { .. } => Failure::refused(error.to_string()),
        _ => Failure::unreachable(error.to_string()),
    }
}

//! One record at a time: its round trip, its way into a parked fetch, and the bare echo beside them.

use std::io;
use std::time::{Duration, Instant};

use super::arguments::BenchArguments;
use super::link::Link;
use super::process_cpu;
use super::target::Target;
use super::throughput::{Measured, broken, unreadable};
use super::wire::{RequestTemplate, batch_of, read_fetch_answer, read_produce_answer};
use crate::client::topic::{error_of, topic_failure};
use crate::failure::Failure;

/// How long a fetch is left alone before its record is sent, so that it is parked by then. A machine
/// that was left alone answers later than one that is asked without a break, whatever answers: so
/// the echo beside it rests as long.
pub const PARKING: Duration = Duration::from_micros(200);

/// How long a fetch may be parked.
const FETCH_WAIT_MS_MAX: i32 = 10_000;

/// The round trip of one Produce with one in flight.
///
/// # Errors
/// The target is gone, or refuses.
pub fn produce(target: &Target, arguments: &BenchArguments) -> Result<Measured, Failure> {
    let mut link = connect(target, arguments)?;
    let batch = batch_of(arguments.batch_records, arguments.record_bytes);
    let partition = target.partition(0).index;
    let mut request = RequestTemplate::produce(&target.topic, partition, arguments.acks, &batch);
    repeat(target, arguments, batch.len(), |correlation| {
        request.set_correlation(correlation);
        let sent = Instant::now();
        link.write_all(&request.bytes).map_err(broken)?;
        let answer = read_produce_answer(wait_frame(&mut link).map_err(broken)?);
        let latency = sent.elapsed();
        check(target, answer.map_err(unreadable)?.error)?;
        Ok(latency)
    })
}

/// From the sending of a record to the answer of the fetch that was parked for it.
///
/// # Errors
/// The target is gone, or refuses.
pub fn end_to_end(target: &Target, arguments: &BenchArguments) -> Result<Measured, Failure> {
    let mut producer = connect(target, arguments)?;
    let mut consumer = connect(target, arguments)?;
    let batch = batch_of(arguments.batch_records, arguments.record_bytes);
    let partition = target.partition(0);
    let (topic, index) = (&target.topic, partition.index);
    let mut record = RequestTemplate::produce(topic, index, arguments.acks, &batch);
    let bytes_max = arguments.fetch_bytes;
    let mut fetch = RequestTemplate::fetch(topic, index, FETCH_WAIT_MS_MAX, 1, bytes_max);
    let mut offset = partition.end;
    repeat(target, arguments, batch.len(), |correlation| {
        fetch.set_correlation(correlation);
        fetch.set_offset(offset);
        consumer.write_all(&fetch.bytes).map_err(broken)?;
        spin(PARKING);
        record.set_correlation(correlation);
        let sent = Instant::now();
        producer.write_all(&record.bytes).map_err(broken)?;
        let fetched = read_fetch_answer(wait_frame(&mut consumer).map_err(broken)?);
        let latency = sent.elapsed();
        let fetched = fetched.map_err(unreadable)?;
        check(target, fetched.error)?;
        if fetched.records == 0 {
            return Err(Failure::new("a parked fetch was answered without a record"));
        }
        offset = fetched.next_offset;
        let produced = read_produce_answer(wait_frame(&mut producer).map_err(broken)?);
        check(target, produced.map_err(unreadable)?.error)?;
        Ok(latency)
    })
}

/// The round trip of as many bytes as a Produce has, returned as they are, `rest` after the last.
///
/// # Errors
/// The target is gone.
pub fn echo(
    target: &Target,
    arguments: &BenchArguments,
    rest: Duration,
) -> Result<Measured, Failure> {
    let mut link = connect(target, arguments)?;
    let batch = batch_of(arguments.batch_records, arguments.record_bytes);
    let request = RequestTemplate::produce(&target.topic, 0, 1, &batch);
    repeat(target, arguments, batch.len(), |_| {
        spin(rest);
        let sent = Instant::now();
        link.write_all(&request.bytes).map_err(broken)?;
        let mut left = request.bytes.len();
        while left > 0 {
            while !link.try_fill().map_err(broken)? {
                link.wait(false, None).map_err(broken)?;
            }
            left = left.saturating_sub(link.take_raw().len());
        }
        Ok(sent.elapsed())
    })
}

fn spin(time: Duration) {
    let began = Instant::now();
    while began.elapsed() < time {
        std::hint::spin_loop();
    }
}

fn connect(target: &Target, arguments: &BenchArguments) -> Result<Link, Failure> {
    Link::connect(target.address, arguments.spin).map_err(|error| target.unreachable(&error))
}

fn check(target: &Target, error: i16) -> Result<(), Failure> {
    match error {
        0 => Ok(()),
        error => Err(topic_failure(&target.topic, error_of(error))),
    }
}

fn wait_frame(link: &mut Link) -> io::Result<&[u8]> {
    while !link.has_frame() {
        while !link.try_fill()? {
            link.wait(false, None)?;
        }
    }
    link.next_frame()
        .ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}

/// Calls `once` through warm-up and measurement, at the pace of --rate if there is one.
fn repeat(
    target: &Target,
    arguments: &BenchArguments,
    batch_bytes: usize,
    mut once: impl FnMut(i32) -> Result<Duration, Failure>,
) -> Result<Measured, Failure> {
    if let Some(cpu) = arguments.cpu {
        process_cpu::pin(cpu)?;
    }
    let mut correlation = 0i32;
    let warm = Instant::now() + Duration::from_secs_f64(arguments.warmup);
    while Instant::now() < warm {
        correlation = correlation.wrapping_add(1);
        once(correlation)?;
    }
    let interval = arguments
        .rate
        .map(|rate| Duration::from_secs_f64(arguments.batch_records as f64 / rate));
    let requests_max = arguments
        .records
        .map(|records| records.div_ceil(arguments.batch_records as u64));
    let cpu_before = target.cpu_seconds();
    let began = Instant::now();
    let end = began + Duration::from_secs_f64(arguments.seconds);
    let mut due = began;
    let mut measured = Measured::default();
    while requests_max.map_or_else(|| Instant::now() < end, |max| measured.requests < max) {
        let mut late = Duration::ZERO;
        if let Some(interval) = interval {
            while Instant::now() < due {
                std::hint::spin_loop();
            }
            // What waited behind a slow one is late by that much: no coordinated omission.
            late = due.elapsed();
            due += interval;
        }
        correlation = correlation.wrapping_add(1);
        let latency = once(correlation)?;
        measured
            .latencies
            .record((late + latency).as_nanos() as u64);
        measured.requests += 1;
    }
    measured.seconds = began.elapsed().as_secs_f64();
    measured.records = measured.requests * arguments.batch_records as u64;
    measured.bytes = measured.requests * batch_bytes as u64;
    measured.cpu = target.cpu_since(&cpu_before);
    Ok(measured)
}

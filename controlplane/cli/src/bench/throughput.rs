//! As many records as go, or as many as are asked for per second: produce and fetch.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::arguments::{BenchArguments, Kind};
use super::histogram::Latencies;
use super::link::Link;
use super::process_cpu;
use super::target::Target;
use super::wire::{RequestTemplate, batch_of, read_fetch_answer, read_produce_answer};
use crate::client::topic::{error_of, topic_failure};
use crate::failure::Failure;

/// What came out.
#[derive(Clone, Debug, Default)]
pub struct Measured {
    pub records: u64,
    /// Bytes of record batches.
    pub bytes: u64,
    pub requests: u64,
    pub seconds: f64,
    pub latencies: Latencies,
    /// Processor seconds of each watched process, by its name.
    pub cpu: Vec<(String, f64)>,
}

/// Counts of one connection, read by the thread that measures.
#[derive(Default)]
#[repr(align(128))]
struct Counts {
    records: AtomicU64,
    bytes: AtomicU64,
    requests: AtomicU64,
}

/// What all connections of a run share.
struct Shared {
    stop: AtomicBool,
    /// Latencies count: the warm-up is over.
    measuring: AtomicBool,
}

/// Runs produce or fetch against a target.
///
/// # Errors
/// The target is gone, or refuses.
pub fn run(kind: Kind, target: &Target, arguments: &BenchArguments) -> Result<Measured, Failure> {
    let shared = Arc::new(Shared {
        stop: AtomicBool::new(false),
        measuring: AtomicBool::new(arguments.records.is_some()),
    });
    let began = Snapshot::take(&[], target);
    let mut counts = Vec::new();
    let mut threads = Vec::new();
    for index in 0..arguments.connections {
        let own = Arc::new(Counts::default());
        let connection = Connection::open(kind, target, arguments, index, &shared, &own)?;
        counts.push(own);
        let cpu = arguments.cpu.map(|first| first + index);
        let thread = std::thread::spawn(move || {
            if let Some(cpu) = cpu {
                process_cpu::pin(cpu)?;
            }
            connection.run()
        });
        threads.push(thread);
    }
    let seconds = Duration::from_secs_f64(arguments.seconds);
    let measured = if arguments.records.is_some() {
        let latencies = join(threads)?;
        Snapshot::take(&counts, target).since(&began, latencies)
    } else {
        sleep_while_running(&threads, Duration::from_secs_f64(arguments.warmup));
        shared.measuring.store(true, Ordering::Relaxed);
        let before = Snapshot::take(&counts, target);
        sleep_while_running(&threads, seconds);
        let after = Snapshot::take(&counts, target);
        shared.stop.store(true, Ordering::Relaxed);
        after.since(&before, join(threads)?)
    };
    if measured.records == 0 {
        return Err(Failure::new(format!(
            "no record was answered in {:.1} s",
            began.at.elapsed().as_secs_f64()
        )));
    }
    Ok(measured)
}

type ConnectionThread = JoinHandle<Result<Latencies, Failure>>;

/// Sleeps, but not past the early end of a connection.
fn sleep_while_running(threads: &[ConnectionThread], time: Duration) {
    let end = Instant::now() + time;
    while let Some(left) = end.checked_duration_since(Instant::now()) {
        if threads.iter().any(JoinHandle::is_finished) {
            return;
        }
        std::thread::sleep(left.min(Duration::from_millis(50)));
    }
}

fn join(threads: Vec<ConnectionThread>) -> Result<Latencies, Failure> {
    let mut latencies = Latencies::default();
    for thread in threads {
        let finished = thread.join();
        latencies.add(&finished.map_err(|_| Failure::new("a connection's thread panicked"))??);
    }
    Ok(latencies)
}

/// All counts at one moment.
struct Snapshot {
    at: Instant,
    records: u64,
    bytes: u64,
    requests: u64,
    cpu: Vec<(String, Option<f64>)>,
}

impl Snapshot {
    fn take(counts: &[Arc<Counts>], target: &Target) -> Snapshot {
        let sum = |of: fn(&Counts) -> &AtomicU64| {
            counts.iter().map(|c| of(c).load(Ordering::Relaxed)).sum()
        };
        Snapshot {
            at: Instant::now(),
            records: sum(|c| &c.records),
            bytes: sum(|c| &c.bytes),
            requests: sum(|c| &c.requests),
            cpu: target
                .processes
                .iter()
                .map(|(name, pid)| (name.clone(), process_cpu::cpu_seconds(*pid)))
                .collect(),
        }
    }

    fn since(self, before: &Snapshot, latencies: Latencies) -> Measured {
        let spent = self.cpu.iter().zip(&before.cpu);
        let spent = spent.filter_map(|((name, after), (_, before))| {
            Some((name.clone(), (*after)? - (*before)?))
        });
        Measured {
            records: self.records - before.records,
            bytes: self.bytes - before.bytes,
            requests: self.requests - before.requests,
            seconds: self.at.duration_since(before.at).as_secs_f64(),
            latencies,
            cpu: spent.collect(),
        }
    }
}

/// When requests are due under --rate.
struct Schedule {
    next: Instant,
    interval: Duration,
}

/// Which offsets a fetching connection asks for.
struct Cursor {
    next: i64,
    start: i64,
    end: i64,
    /// How far one answer reaches, once the first has shown it; until then one is in flight.
    stride: Option<i64>,
}

/// One connection of a run; lives on its own thread.
struct Connection {
    link: Link,
    template: RequestTemplate,
    topic: String,
    /// `None` when fetching.
    batch_records: Option<u64>,
    batch_bytes: u64,
    answered: bool,
    in_flight_max: usize,
    /// When each unanswered request was due, oldest first.
    in_flight: VecDeque<Instant>,
    /// How much of the template is written, while it is being written.
    written: Option<usize>,
    correlation: i32,
    schedule: Option<Schedule>,
    /// Requests that are still to be sent; `None`: until stopped.
    budget: Option<u64>,
    cursor: Cursor,
    latencies: Latencies,
    shared: Arc<Shared>,
    counts: Arc<Counts>,
}

impl Connection {
    fn open(
        kind: Kind,
        target: &Target,
        arguments: &BenchArguments,
        index: usize,
        shared: &Arc<Shared>,
        counts: &Arc<Counts>,
    ) -> Result<Connection, Failure> {
        let partition = target.partition(index);
        let batch = batch_of(arguments.batch_records, arguments.record_bytes);
        let producing = kind == Kind::Produce;
        let template = if producing {
            RequestTemplate::produce(&target.topic, partition.index, arguments.acks, &batch)
        } else {
            RequestTemplate::fetch(
                &target.topic,
                partition.index,
                1000,
                1,
                arguments.fetch_bytes,
            )
        };
        let link = Link::connect(target.address, arguments.spin)
            .map_err(|error| target.unreachable(&error))?;
        let requests = arguments.connections as f64;
        let schedule = arguments.rate.filter(|_| producing).map(|rate| {
            let interval = arguments.batch_records as f64 * requests / rate;
            Schedule {
                next: Instant::now() + Duration::from_secs_f64(interval * index as f64 / requests),
                interval: Duration::from_secs_f64(interval),
            }
        });
        let per_connection = arguments.records.map(|records| {
            let batches = records.div_ceil(arguments.batch_records as u64);
            batches.div_ceil(arguments.connections as u64)
        });
        Ok(Connection {
            link,
            template,
            topic: target.topic.clone(),
            batch_records: producing.then_some(arguments.batch_records as u64),
            batch_bytes: batch.len() as u64,
            answered: !(producing && arguments.acks == 0),
            in_flight_max: arguments.in_flight,
            in_flight: VecDeque::with_capacity(arguments.in_flight),
            written: None,
            correlation: 0,
            schedule,
            budget: per_connection,
            cursor: Cursor {
                next: partition.start,
                start: partition.start,
                end: partition.end,
                stride: None,
            },
            latencies: Latencies::default(),
            shared: Arc::clone(shared),
            counts: Arc::clone(counts),
        })
    }

    fn run(mut self) -> Result<Latencies, Failure> {
        loop {
            let wrote = self.send().map_err(broken)?;
            let filled = self.link.try_fill().map_err(broken)?;
            let received = filled && self.receive()?;
            let stopping = self.shared.stop.load(Ordering::Relaxed) || self.budget == Some(0);
            if stopping && self.in_flight.is_empty() && self.written.is_none() {
                return Ok(self.latencies);
            }
            if !(wrote || received || filled) {
                let pause = self
                    .schedule
                    .as_ref()
                    .map(|schedule| schedule.next.saturating_duration_since(Instant::now()));
                // With a full window only an answer can change anything.
                let pause = pause.filter(|_| self.in_flight.len() < self.in_flight_max);
                let pause = pause.unwrap_or(Duration::from_millis(100));
                self.link
                    .wait(self.written.is_some(), Some(pause))
                    .map_err(broken)?;
            }
        }
    }

    /// Writes what is due and fits the window; returns whether anything was written.
    fn send(&mut self) -> io::Result<bool> {
        let mut any = false;
        loop {
            let Some(written) = self.written else {
                if !self.begin_request() {
                    return Ok(any);
                }
                continue;
            };
            let more = self.link.try_write(&self.template.bytes[written..])?;
            if more == 0 {
                return Ok(any);
            }
            any = true;
            self.written = Some(written + more);
            if written + more == self.template.bytes.len() {
                self.written = None;
                if !self.answered {
                    self.in_flight.pop_back();
                    self.count(self.batch_records.unwrap_or(0), self.batch_bytes);
                }
            }
        }
    }

    /// Patches the template for the next request, if one may be sent now.
    fn begin_request(&mut self) -> bool {
        let window = match (self.batch_records, self.cursor.stride) {
            (None, None) => 1,
            _ => self.in_flight_max,
        };
        let stopping = self.shared.stop.load(Ordering::Relaxed) || self.budget == Some(0);
        if stopping || self.in_flight.len() >= window {
            return false;
        }
        let now = Instant::now();
        let mut due = now;
        if let Some(schedule) = &mut self.schedule {
            if schedule.next > now {
                return false;
            }
            // The latency counts from when the request should have gone, however late it goes.
            due = schedule.next;
            schedule.next += schedule.interval;
        }
        if self.batch_records.is_none() {
            self.template.set_offset(self.cursor.next);
            if let Some(stride) = self.cursor.stride {
                self.cursor.next += stride;
                if self.cursor.next + stride > self.cursor.end {
                    self.cursor.next = self.cursor.start;
                }
            }
        }
        self.correlation = self.correlation.wrapping_add(1);
        self.template.set_correlation(self.correlation);
        if let Some(budget) = &mut self.budget {
            *budget -= 1;
        }
        self.written = Some(0);
        self.in_flight.push_back(due);
        true
    }

    /// Takes whole answers; returns whether there was one.
    fn receive(&mut self) -> Result<bool, Failure> {
        let mut any = false;
        while let Some(frame) = self.link.next_frame() {
            any = true;
            let (records, bytes, error) = match self.batch_records {
                Some(records) => {
                    let answer = read_produce_answer(frame).map_err(unreadable)?;
                    (records, self.batch_bytes, answer.error)
                }
                None => {
                    let answer = read_fetch_answer(frame).map_err(unreadable)?;
                    if answer.records > 0 && self.cursor.stride.is_none() {
                        let stride = answer.next_offset - self.cursor.next;
                        self.cursor.stride = Some(stride.max(1));
                    }
                    (answer.records, answer.bytes, answer.error)
                }
            };
            if error != 0 {
                return Err(topic_failure(&self.topic, error_of(error)));
            }
            let due = self.in_flight.pop_front();
            if let Some(due) = due.filter(|_| self.shared.measuring.load(Ordering::Relaxed)) {
                self.latencies.record(due.elapsed().as_nanos() as u64);
            }
            self.count(records, bytes);
        }
        Ok(any)
    }

    /// Only this thread writes these, so a load and a store are enough.
    fn count(&self, records: u64, bytes: u64) {
        let add = |counter: &AtomicU64, by: u64| {
            counter.store(counter.load(Ordering::Relaxed) + by, Ordering::Relaxed);
        };
        add(&self.counts.records, records);
        add(&self.counts.bytes, bytes);
        add(&self.counts.requests, 1);
    }
}

pub(super) fn broken(error: io::Error) -> Failure {
    let why = match error.kind() {
        io::ErrorKind::UnexpectedEof => "it closed the connection".to_owned(),
        _ => error.to_string(),
    };
    Failure::unreachable(format!("the target went away: {why}"))
        .next("Look at the broker's standard error")
}

pub(super) fn unreadable(error: impl std::fmt::Display) -> Failure {
    Failure::new(format!("an answer cannot be read: {error}"))
}

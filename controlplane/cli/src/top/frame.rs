//! What happened between two looks: rates, shares, and the busiest first.

use serde_json::{Value, json};

use super::gather::{GroupStanding, Look};
use super::scrape::Samples;

/// The broker's two processes, by the label that its metrics give them.
const PROCESSES: [&str; 2] = ["data-plane", "control-plane"];

/// What one screen shows.
#[derive(Clone, Debug)]
pub struct Frame {
    pub seconds: f64,
    /// Of all partitions together.
    pub records_in: f64,
    /// What the broker counts itself; `None`: it does not tell.
    pub counted: Option<Counted>,
    /// Round trips of a small request in microseconds.
    pub round_trip_us: RoundTrip,
    /// The busiest first.
    pub partitions: Vec<PartitionRate>,
    /// The furthest behind first.
    pub groups: Vec<GroupStanding>,
    pub group_count: usize,
}

/// Round trips in microseconds.
#[derive(Clone, Copy, Debug)]
pub struct RoundTrip {
    pub shortest: f64,
    pub median: f64,
    pub longest: f64,
}

/// Per second, where nothing else is said.
#[derive(Clone, Debug)]
pub struct Counted {
    pub bytes_in: f64,
    pub bytes_out: f64,
    pub records_out: f64,
    pub produce_requests: f64,
    pub fetch_requests: f64,
    pub requests_failed: f64,
    /// Now.
    pub connections: f64,
    /// Bytes of the pool for records that are in use, and free.
    pub pool_bytes_in_use: f64,
    pub pool_bytes_free: f64,
    pub processes: Vec<Process>,
}

#[derive(Clone, Debug)]
pub struct Process {
    pub name: &'static str,
    pub resident_bytes: f64,
    /// Of one core.
    pub cpu_percent: f64,
}

#[derive(Clone, Debug)]
pub struct PartitionRate {
    pub topic: String,
    pub partition: i32,
    pub end: i64,
    pub records_per_second: f64,
}

impl PartitionRate {
    /// Whether the broker keeps its own records there, as Kafka's `__consumer_offsets`.
    fn is_internal(&self) -> bool {
        self.topic.starts_with("__")
    }
}

impl Frame {
    /// Compares two looks.
    pub fn between(before: &Look, now: &Look) -> Frame {
        let seconds = now.at.duration_since(before.at).as_secs_f64().max(1e-3);
        let mut partitions: Vec<PartitionRate> = now
            .ends
            .iter()
            .map(|((topic, partition), end)| {
                let from = before.ends.get(&(topic.clone(), *partition));
                // A partition that was not there before began at its first record.
                let grown = (end - from.copied().unwrap_or(0)).max(0);
                PartitionRate {
                    topic: topic.clone(),
                    partition: *partition,
                    end: *end,
                    records_per_second: grown as f64 / seconds,
                }
            })
            .collect();
        let records_in = partitions.iter().map(|rate| rate.records_per_second).sum();
        // Stable: those of equal rate stay in the order of their names, the broker's own last.
        partitions.sort_by(|a, b| {
            let faster = b.records_per_second.total_cmp(&a.records_per_second);
            faster.then_with(|| a.is_internal().cmp(&b.is_internal()))
        });
        let counted = before.samples.as_ref().zip(now.samples.as_ref());
        let micros = |at: usize| {
            let found = now.round_trips.get(at);
            found.map_or(0.0, |time| time.as_secs_f64() * 1e6)
        };
        let count = now.round_trips.len();
        Frame {
            seconds,
            records_in,
            counted: counted.map(|(before, now)| Counted::between(before, now, seconds)),
            round_trip_us: RoundTrip {
                shortest: micros(0),
                median: micros(count / 2),
                longest: micros(count.saturating_sub(1)),
            },
            partitions,
            groups: now.groups.clone(),
            group_count: now.group_count,
        }
    }

    /// As programs read it; names and units stay.
    pub fn to_json(&self) -> Value {
        let partitions = self.partitions.iter().map(|rate| {
            json!({
                "topic": rate.topic,
                "partition": rate.partition,
                "end": rate.end,
                "records_per_second": rate.records_per_second,
            })
        });
        let groups = self.groups.iter().map(|group| {
            json!({
                "group": group.group,
                "state": group.state,
                "partitions": group.partitions,
                "lag": group.lag,
            })
        });
        json!({
            "seconds": self.seconds,
            "records_in_per_second": self.records_in,
            "broker": self.counted.as_ref().map(Counted::to_json),
            "round_trip_us": {
                "shortest": self.round_trip_us.shortest,
                "median": self.round_trip_us.median,
                "longest": self.round_trip_us.longest,
            },
            "partitions": partitions.collect::<Vec<_>>(),
            "groups": groups.collect::<Vec<_>>(),
            "group_count": self.group_count,
        })
    }
}

impl Counted {
    fn between(before: &Samples, now: &Samples, seconds: f64) -> Counted {
        // A counter that fell began anew with its process: what it shows now came since.
        let grown = |from: f64, to: f64| if to < from { to } else { to - from };
        let rate = |name: &str| grown(before.sum(name), now.sum(name)) / seconds;
        let processes = PROCESSES.iter().filter_map(|name| {
            let cpu = "process_cpu_seconds_total";
            let from = before.labelled(cpu, "process", name)?;
            let to = now.labelled(cpu, "process", name)?;
            Some(Process {
                name,
                resident_bytes: now.labelled("process_resident_bytes", "process", name)?,
                cpu_percent: grown(from, to) / seconds * 100.0,
            })
        });
        Counted {
            bytes_in: rate("bytes_in_total"),
            bytes_out: rate("bytes_out_total"),
            records_out: rate("records_out_total"),
            produce_requests: rate("produce_requests_total"),
            fetch_requests: rate("fetch_requests_total"),
            requests_failed: rate("requests_failed_total"),
            connections: now.sum("connections"),
            pool_bytes_in_use: now.sum("pool_bytes_in_use"),
            pool_bytes_free: now.sum("pool_bytes_free"),
            processes: processes.collect(),
        }
    }

    fn to_json(&self) -> Value {
        let processes = self.processes.iter().map(|process| {
            json!({
                "process": process.name,
                "resident_bytes": process.resident_bytes,
                "cpu_percent": process.cpu_percent,
            })
        });
        json!({
            "bytes_in_per_second": self.bytes_in,
            "bytes_out_per_second": self.bytes_out,
            "records_out_per_second": self.records_out,
            "produce_requests_per_second": self.produce_requests,
            "fetch_requests_per_second": self.fetch_requests,
            "requests_failed_per_second": self.requests_failed,
            "connections": self.connections,
            "pool_bytes_in_use": self.pool_bytes_in_use,
            "pool_bytes_free": self.pool_bytes_free,
            "processes": processes.collect::<Vec<_>>(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::time::{Duration, Instant};

    fn look(at: Instant, ends: &[(&str, i64)]) -> Look {
        let ends = ends
            .iter()
            .map(|(topic, end)| (((*topic).to_owned(), 0), *end));
        Look {
            at,
            samples: None,
            ends: BTreeMap::from_iter(ends),
            groups: Vec::new(),
            group_count: 0,
            round_trips: [40, 50, 900].map(Duration::from_micros).to_vec(),
        }
    }

    #[test]
    fn the_busiest_partition_comes_first() {
        let began = Instant::now();
        let before = look(began, &[("a", 10), ("b", 100), ("c", 7)]);
        let now = look(
            began + Duration::from_secs(2),
            &[("a", 14), ("b", 300), ("c", 3)],
        );
        let frame = Frame::between(&before, &now);
        let order: Vec<&str> = frame.partitions.iter().map(|p| p.topic.as_str()).collect();
        assert_eq!(order, ["b", "a", "c"]);
        assert_eq!(frame.partitions[0].records_per_second, 100.0);
        // A topic that was deleted and made again did not lose records per second.
        assert_eq!(frame.partitions[2].records_per_second, 0.0);
        assert_eq!(frame.records_in, 102.0);
        assert_eq!(frame.round_trip_us.median, 50.0);
        assert_eq!(frame.to_json()["broker"], Value::Null);
    }
}

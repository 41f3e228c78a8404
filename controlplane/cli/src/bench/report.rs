//! What is told: a few lines for people, one object for scripts.

use serde_json::{Value, json};

use super::arguments::{BenchArguments, Kind};
use super::process_cpu;
use super::throughput::Measured;
use crate::failure::Failure;
use crate::output::Output;

/// What could be reached at best, measured in the same run.
pub struct Ceiling {
    pub kind: Kind,
    pub measured: Measured,
    /// An echo's round trip where each follows the last at once; `measured` rests as the measurement
    /// itself does.
    pub without_rest: Option<Measured>,
}

/// A measurement, and its ceiling if there was one.
pub struct Report<'a> {
    pub what: Kind,
    pub arguments: &'a BenchArguments,
    pub measured: Measured,
    pub ceiling: Option<Ceiling>,
    /// The broker's processes, for their memory.
    pub processes: Vec<(String, u32)>,
}

impl Report<'_> {
    /// Writes the report.
    ///
    /// # Errors
    /// Standard output is closed.
    pub fn write(&self, output: Output) -> Result<(), Failure> {
        if output.json() {
            return output.value(&self.to_json());
        }
        output.line(&self.to_text())
    }

    fn to_json(&self) -> Value {
        let arguments = self.arguments;
        let mut value = measured_json(&self.measured);
        value["bench"] = self.what.name().into();
        value["record_bytes"] = arguments.record_bytes.into();
        value["batch_records"] = arguments.batch_records.into();
        value["connections"] = arguments.connections.into();
        value["in_flight"] = arguments.in_flight.into();
        value["acks"] = arguments.acks.into();
        if self.what.is_latency() {
            value["p50_us"] = round(self.measured.latencies.quantile_us(0.5), 3).into();
            value["p99_us"] = round(self.measured.latencies.quantile_us(0.99), 3).into();
        }
        value["spin"] = arguments.spin.into();
        value["rate"] = arguments.rate.into();
        if let Some(ceiling) = &self.ceiling {
            value["ceiling"] = measured_json(&ceiling.measured);
            value["ceiling"]["target"] = ceiling.kind.name().into();
            if let Some(measured) = &ceiling.without_rest {
                value["ceiling"]["without_rest"] = measured_json(measured);
            }
            value["relative_to_ceiling"] = round(self.relative(&ceiling.measured), 3).into();
        }
        let memory = self.processes.iter().filter_map(|(name, pid)| {
            let (all, own) = process_cpu::resident_bytes(*pid)?;
            Some((
                name.clone(),
                json!({ "resident": all, "without_region": own }),
            ))
        });
        value["broker_memory_bytes"] = memory.collect::<serde_json::Map<_, _>>().into();
        value
    }

    /// Records per second against the ceiling's; for latencies, p50 against the ceiling's p50.
    fn relative(&self, ceiling: &Measured) -> f64 {
        if self.what.is_latency() {
            self.measured.latencies.quantile_us(0.5) / ceiling.latencies.quantile_us(0.5)
        } else {
            rate(&self.measured) / rate(ceiling)
        }
    }

    fn to_text(&self) -> String {
        let arguments = self.arguments;
        let mut lines = vec![format!(
            "{}: {} bytes a record, {} a batch, {} connection(s), {} in flight",
            self.what.name(),
            arguments.record_bytes,
            arguments.batch_records,
            arguments.connections,
            if self.what.is_latency() {
                1
            } else {
                arguments.in_flight
            },
        )];
        lines.extend(measured_lines(self.what, &self.measured));
        if let Some(ceiling) = &self.ceiling {
            let name = ceiling.kind.name();
            if let Some(measured) = &ceiling.without_rest {
                lines.push(format!("{name} target without a rest between, same run:"));
                lines.extend(measured_lines(self.what, measured));
            }
            lines.push(format!("ceiling ({name} target, same run):"));
            lines.extend(measured_lines(self.what, &ceiling.measured));
            let relative = self.relative(&ceiling.measured);
            lines.push(if self.what.is_latency() {
                format!("p50 is {relative:.2} times the ceiling's")
            } else {
                format!("{:.0} % of the ceiling", relative * 100.0)
            });
        }
        lines.join("\n")
    }
}

fn rate(measured: &Measured) -> f64 {
    measured.records as f64 / measured.seconds.max(1e-9)
}

/// Processor seconds per million records of all processes that were watched.
fn cpu_per_million(measured: &Measured) -> Option<f64> {
    let seconds: f64 = measured.cpu.iter().map(|(_, seconds)| seconds).sum();
    let known = !measured.cpu.is_empty() && measured.records > 0;
    known.then(|| seconds * 1e6 / measured.records as f64)
}

pub(super) fn measured_json(measured: &Measured) -> Value {
    let cpu = measured
        .cpu
        .iter()
        .map(|(name, seconds)| (name.clone(), round(*seconds, 4).into()));
    let megabytes = measured.bytes as f64 / 1e6 / measured.seconds.max(1e-9);
    json!({
        "records": measured.records,
        "requests": measured.requests,
        "bytes": measured.bytes,
        "seconds": round(measured.seconds, 4),
        "records_per_second": rate(measured).round(),
        "megabytes_per_second": round(megabytes, 1),
        "cpu_seconds": cpu.collect::<serde_json::Map<_, _>>(),
        "cpu_seconds_per_million_records": cpu_per_million(measured).map(|s| round(s, 5)),
        "latency_us": measured.latencies.to_json(),
    })
}

pub(super) fn measured_lines(what: Kind, measured: &Measured) -> Vec<String> {
    let mut lines = Vec::new();
    if !what.is_latency() {
        let megabytes = measured.bytes as f64 / 1e6 / measured.seconds.max(1e-9);
        lines.push(format!(
            "  {:>14} records/s  {megabytes:.0} MB/s",
            grouped(rate(measured).round() as u64)
        ));
    }
    if let Some(seconds) = cpu_per_million(measured) {
        lines.push(format!("  {seconds:>14.4} CPU-seconds per million records"));
    }
    if !measured.latencies.is_empty() {
        let at = |quantile| measured.latencies.quantile_us(quantile);
        lines.push(format!(
            "  latency in µs: p50 {:.1}, p90 {:.1}, p99 {:.1}, p99.9 {:.1}, max {:.1}",
            at(0.5),
            at(0.9),
            at(0.99),
            at(0.999),
            at(1.0)
        ));
    }
    lines
}

/// 1234567 as 1,234,567.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn round(value: f64, decimals: i32) -> f64 {
    let scale = 10f64.powi(decimals);
    (value * scale).round() / scale
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        let cases = [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (1_234_567, "1,234,567"),
        ];
        for (number, text) in cases {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn cost_per_million_counts_every_process() {
        let measured = Measured {
            records: 2_000_000,
            cpu: vec![("a".to_owned(), 0.1), ("b".to_owned(), 0.02)],
            ..Measured::default()
        };
        assert!((cpu_per_million(&measured).unwrap() - 0.06).abs() < 1e-9);
        assert_eq!(cpu_per_million(&Measured::default()), None);
    }
}

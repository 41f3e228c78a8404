//! `precursor compression`: what codecs would make of a topic's data.

mod candidates;
mod measure;
mod report;
mod sample;

use crate::client::parse_endpoint;
use crate::client::topic::Topic;
use crate::common::CommonArguments;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::output::Output;
use candidates::candidates;
use measure::Bench;
use report::Report;
use sample::Sample;
use std::time::Duration;

/// The arguments of `precursor compression`.
#[derive(Debug, clap::Args)]
#[command(arg_required_else_help = true)]
pub struct CompressionArguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Measure every codec and level on a sample of a topic's records, and recommend one
    Advise(AdviseArguments),
}

#[derive(Debug, clap::Args)]
struct AdviseArguments {
    topic: String,
    /// Only this partition
    #[arg(long, value_name = "N")]
    partition: Option<i32>,
    /// Bytes of records, decompressed, that are taken as the sample
    #[arg(long, value_name = "N", default_value_t = 16 << 20,
          value_parser = clap::value_parser!(u64).range(1..=1 << 30))]
    bytes: u64,
    /// MB of records per second that a recommended codec must compress at least, on one processor
    #[arg(long, value_name = "MB", default_value_t = 100.0, value_parser = speed)]
    at_least: f64,
    /// Seconds that one codec and level is measured at most
    #[arg(long, value_name = "SECONDS", default_value_t = 1.0, value_parser = speed)]
    seconds: f64,
}

fn speed(text: &str) -> Result<f64, String> {
    let number = text.parse().ok();
    let number = number.filter(|number: &f64| (0.0..1e9).contains(number));
    number.ok_or_else(|| "it takes a number that is not negative".to_owned())
}

/// Runs one action.
///
/// # Errors
/// No broker, no such topic, or one without records.
pub fn run(
    arguments: &CompressionArguments,
    common: &CommonArguments,
    output: Output,
) -> Result<(), Failure> {
    let Action::Advise(arguments) = &arguments.action;
    let bootstrap = parse_endpoint("--bootstrap", &common.bootstrap)?;
    let mut topic = Topic::find(&bootstrap, &arguments.topic, false)?;
    let partitions = match arguments.partition {
        Some(partition) => vec![partition],
        None => topic.partitions(),
    };
    let interrupt = Interrupt::listen()?;
    let bytes = usize::try_from(arguments.bytes).unwrap_or(usize::MAX);
    let sample = Sample::take(&mut topic, &arguments.topic, &partitions, bytes)?;
    let budget = Duration::from_secs_f64(arguments.seconds.min(3_600.0));
    let bench = Bench::new(&sample, budget);
    let mut rows = Vec::new();
    for candidate in candidates() {
        if interrupt.came() {
            return Err(Failure::interrupted());
        }
        if let Some(measured) = bench.measure(&candidate)? {
            rows.push((candidate, measured));
        }
    }
    let report = Report {
        topic: &arguments.topic,
        sample: &sample,
        rows: &rows,
        at_least: arguments.at_least,
    };
    report.write(output)
}

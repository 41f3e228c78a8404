//! `precursor memory`: how a broker's pools are used.

mod pools;

use std::time::Duration;

use serde_json::Value;

use crate::client::{Connection, parse_endpoint};
use crate::common::CommonArguments;
use crate::failure::Failure;
use crate::output::Output;
use crate::top::{metrics_address, scrape};
use pools::PoolRow;

/// Clears a terminal and begins at its first line.
const CLEAR: &str = "\x1b[H\x1b[2J";

/// The arguments of `precursor memory`.
#[derive(Debug, clap::Args)]
pub struct MemoryArguments {
    /// A row for each shard instead of one for all
    #[arg(long)]
    by_shard: bool,
    /// Look again every so many seconds, until Ctrl-C
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "1",
          require_equals = true, value_parser = seconds)]
    watch: Option<f64>,
}

fn seconds(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|n| (0.1..=3600.0).contains(n));
    number.ok_or_else(|| "it takes seconds from 0.1 to 3600".to_owned())
}

/// Shows the pools once, or again and again. With --output json every look is a line.
///
/// # Errors
/// No broker, or one that does not tell.
pub fn run(
    arguments: &MemoryArguments,
    common: &CommonArguments,
    output: Output,
) -> Result<(), Failure> {
    let bootstrap = parse_endpoint("--bootstrap", &common.bootstrap)?;
    let silent = || match Connection::open(&bootstrap) {
        Err(failure) => failure,
        Ok(_) => Failure::new("the broker does not tell where its metrics are")
            .next("See whether it is a Precursor: precursor cluster status"),
    };
    loop {
        // Asked each time: a control plane that was restarted may serve its metrics elsewhere.
        let address = metrics_address(common, &bootstrap).ok_or_else(silent)?;
        let samples = scrape(&address).map_err(|error| {
            Failure::new(format!("the metrics at {address} cannot be read: {error}"))
                .next("See where they are: precursor cluster status")
        })?;
        let mut rows = pools::rows(&samples);
        if rows.is_empty() {
            return Err(silent());
        }
        if !arguments.by_shard {
            rows = pools::added_up(&rows);
        }
        show(&rows, arguments, output)?;
        match arguments.watch {
            Some(seconds) => std::thread::sleep(Duration::from_secs_f64(seconds)),
            None => return Ok(()),
        }
    }
}

fn show(rows: &[PoolRow], arguments: &MemoryArguments, output: Output) -> Result<(), Failure> {
    if output.json() {
        return output.value(&Value::Array(rows.iter().map(PoolRow::to_json).collect()));
    }
    if arguments.watch.is_some() && output.terminal() {
        output.line(CLEAR)?;
    }
    let fields: Vec<Vec<String>> = rows.iter().map(PoolRow::fields).collect();
    output.table(&pools::HEADER, &fields)
}

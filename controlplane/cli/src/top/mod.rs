//! `precursor top`: a live view of a broker.

mod frame;
mod gather;
mod scrape;
mod screen;

use std::io::IsTerminal;
use std::time::Duration;

use crate::common::CommonArguments;
use crate::failure::Failure;
use crate::output::Output;
use frame::Frame;
use gather::Source;
pub use gather::metrics_address;
pub use scrape::{Samples, scrape};

/// Rows of each table of --once in text.
const ROWS_MAX: usize = 20;

/// The arguments of `precursor top`.
#[derive(Debug, clap::Args)]
pub struct TopArguments {
    /// Seconds between two looks
    #[arg(long, value_name = "SECONDS", default_value_t = 1.0, value_parser = seconds)]
    interval: f64,
    /// Print what one interval shows, and end
    #[arg(long)]
    once: bool,
}

fn seconds(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|n| (0.1..=3600.0).contains(n));
    number.ok_or_else(|| "it takes seconds from 0.1 to 3600".to_owned())
}

/// Shows a broker until the user has seen enough. With --output json every interval is a line.
///
/// # Errors
/// No broker, or no terminal to draw on.
pub fn run(
    arguments: &TopArguments,
    common: &CommonArguments,
    output: Output,
) -> Result<(), Failure> {
    let draws = !arguments.once && !output.json();
    if draws && !(output.terminal() && std::io::stdin().is_terminal()) {
        return Err(Failure::usage("the live view needs a terminal")
            .next("For one look add --once, for programs --output json"));
    }
    let interval = Duration::from_secs_f64(arguments.interval);
    let mut source = Source::open(common)?;
    if draws {
        return screen::run(source, interval, output);
    }
    let mut before = source.look()?;
    loop {
        std::thread::sleep(interval);
        let now = source.look()?;
        let frame = Frame::between(&before, &now);
        if output.json() {
            output.value(&frame.to_json())?;
        } else {
            print(&frame, output)?;
        }
        if arguments.once {
            return Ok(());
        }
        before = now;
    }
}

fn print(frame: &Frame, output: Output) -> Result<(), Failure> {
    for (name, value) in screen::figures(frame) {
        output.line(&format!("{name:<12}{value}"))?;
    }
    output.line("")?;
    let partitions = frame.partitions.iter().take(ROWS_MAX);
    let rows: Vec<Vec<String>> = partitions.map(screen::partition_row).collect();
    output.table(&screen::PARTITION_HEADER, &rows)?;
    output.line("")?;
    let groups = frame.groups.iter().take(ROWS_MAX);
    let rows: Vec<Vec<String>> = groups.map(screen::group_row).collect();
    output.table(&screen::GROUP_HEADER, &rows)
}

//! `precursor-dataplane`: the process on the path of records. Configuration, pinning, wiring; the
//! only place that names the transports.
//!
//! Usage: `precursor-dataplane [--config FILE] [--set KEY=VALUE …] [--supervised-by PID]`, or with
//! `--flush-region`: writes what a dead data plane left in the region to disk, and ends.
#![forbid(unsafe_code)]

mod data_dir;
mod flush_region;
mod logger;
mod network;
mod run;
mod shards;
mod signals;
mod watchdog;

use precursor_config::ProcessArguments;
use std::ffi::OsString;
use std::process::ExitCode;

/// The tool that the region's own error message names.
const FLUSH_REGION: &str = "--flush-region";

fn main() -> ExitCode {
    match start() {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            eprintln!("precursor-dataplane: {sentence}");
            ExitCode::FAILURE
        }
    }
}

fn start() -> Result<(), String> {
    let mut words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let count = words.len();
    words.retain(|word| word != FLUSH_REGION);
    let flush_only = words.len() < count;
    let arguments = ProcessArguments::parse(words)?;
    let config = arguments.load().map_err(|error| error.to_string())?;
    // Before any thread exists, so that all inherit the block.
    let signals = signals::Signals::new().map_err(|e| format!("receiving signals: {e}"))?;
    logger::install(config.log_format, config.log_level);
    for variable in &config.ignored_environment {
        tracing::warn!("environment variable {variable} names no option and is ignored");
    }
    if flush_only {
        flush_region::run(&config)
    } else {
        run::run(&config, arguments.supervised_by, signals)
    }
}

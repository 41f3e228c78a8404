//! `precursor-dataplane`: the process on the path of records. Configuration, pinning, wiring; the
//! only place that names the transports.
//!
//! Usage: `precursor-dataplane [--config FILE] [--set KEY=VALUE …] [--supervised-by PID]`, or with
//! `--flush-region`: writes what a dead data plane left in the region to disk, and ends.
#![forbid(unsafe_code)]

mod data_dir;
mod flush_region;
mod hardware;
mod log_directories;
mod logger;
mod network;
mod rdma_clients;
mod run;
mod shards;
mod shm_clients;
mod signals;
mod watchdog;

use precursor_config::{EXIT_CONFIGURATION, NodeConfig, ProcessArguments};
use std::ffi::OsString;
use std::process::ExitCode;

/// The tool that the region's own error message names.
const FLUSH_REGION: &str = "--flush-region";

fn main() -> ExitCode {
    let (sentence, code) = match configured() {
        Ok(configured) => match start(&configured) {
            Ok(()) => return ExitCode::SUCCESS,
            Err(sentence) => (sentence, ExitCode::FAILURE),
        },
        Err(sentence) => (sentence, ExitCode::from(EXIT_CONFIGURATION)),
    };
    eprintln!("precursor-dataplane: {sentence}");
    code
}

/// What the command line and the configuration say.
struct Configured {
    arguments: ProcessArguments,
    config: NodeConfig,
    flush_only: bool,
}

fn configured() -> Result<Configured, String> {
    let mut words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let count = words.len();
    words.retain(|word| word != FLUSH_REGION);
    let flush_only = words.len() < count;
    let arguments = ProcessArguments::parse(words)?;
    let config = arguments.load().map_err(|error| error.to_string())?;
    Ok(Configured {
        arguments,
        config,
        flush_only,
    })
}

fn start(configured: &Configured) -> Result<(), String> {
    let Configured {
        arguments,
        config,
        flush_only,
    } = configured;
    // Before any thread exists, so that all inherit the block.
    let signals = signals::Signals::new().map_err(|e| format!("receiving signals: {e}"))?;
    logger::install(config.log_format, config.log_level);
    for variable in &config.ignored_environment {
        tracing::warn!("environment variable {variable} names no option and is ignored");
    }
    if *flush_only {
        flush_region::run(config)
    } else {
        run::run(config, arguments.supervised_by, signals)
    }
}

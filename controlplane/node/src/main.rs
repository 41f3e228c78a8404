//! `precursor-controlplane`: the process that decides. Configuration, runtime, wiring.
//!
//! Usage: `precursor-controlplane [--config FILE] [--set KEY=VALUE …] [--supervised-by PID]`.
#![forbid(unsafe_code)]

mod adoption;
mod data_dir;
mod logger;
mod register;
mod run;

use precursor_config::{EXIT_CONFIGURATION, NodeConfig, ProcessArguments};
use std::process::ExitCode;

/// Little runs there: name look-ups of the runtime, if any.
const BLOCKING_THREADS_MAX: usize = 2;
const STACK_BYTES: usize = 256 * 1024;

fn main() -> ExitCode {
    let (sentence, code) = match configured() {
        Ok((arguments, config)) => match start(&arguments, &config) {
            Ok(()) => return ExitCode::SUCCESS,
            Err(sentence) => (sentence, ExitCode::FAILURE),
        },
        Err(sentence) => (sentence, ExitCode::from(EXIT_CONFIGURATION)),
    };
    eprintln!("precursor-controlplane: {sentence}");
    code
}

fn configured() -> Result<(ProcessArguments, NodeConfig), String> {
    let arguments = ProcessArguments::parse(std::env::args_os().skip(1))?;
    let config = arguments.load().map_err(|error| error.to_string())?;
    Ok((arguments, config))
}

fn start(arguments: &ProcessArguments, config: &NodeConfig) -> Result<(), String> {
    let levels = logger::install(config.log_format, config.log_level);
    for variable in &config.ignored_environment {
        tracing::warn!("environment variable {variable} names no option and is ignored");
    }
    // What it does is short, and clients wait for it, while others on the machine run long.
    if let Err(error) = precursor_memory::ask_for_short_turns() {
        tracing::debug!(%error, "no short turns");
    }
    // One thread: there is little to do, and the disk has a thread of its own.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(BLOCKING_THREADS_MAX)
        .thread_stack_size(STACK_BYTES)
        .build()
        .map_err(|error| format!("no runtime: {error}"))?;
    runtime.block_on(run::run(config, arguments.supervised_by, levels))
}

//! The precursor command: supervisor, administration, produce, consume, bench.
#![forbid(unsafe_code)]

mod admin;
mod arguments;
mod bench;
mod client;
mod codec;
mod consume;
mod failure;
mod output;
mod produce;
mod serve;
mod topic;

use std::process::ExitCode;

use clap::Parser;

use arguments::{Arguments, Command};
use failure::Failure;
use output::{Output, OutputFormat};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let output = Output::new(arguments.common.output);
    match run(&arguments, output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) if failure.output_closed => ExitCode::SUCCESS,
        Err(failure) => {
            report(&failure, output.format);
            ExitCode::from(failure.exit_code)
        }
    }
}

fn run(arguments: &Arguments, output: Output) -> Result<(), Failure> {
    let common = &arguments.common;
    match &arguments.command {
        Command::Serve(serve) => serve::run(serve, output),
        Command::Topic(topic) => topic::run(topic, common, output),
        Command::Produce(produce) => produce::run(produce, common, output),
        Command::Consume(consume) => consume::run(consume, common, output),
        Command::Bench(bench) => bench::run(bench, common, output),
    }
}

fn report(failure: &Failure, format: OutputFormat) {
    match format {
        OutputFormat::Text => eprintln!("precursor: {failure}"),
        OutputFormat::Json => eprintln!(
            "{}",
            serde_json::json!({ "error": failure.sentence, "next": failure.next })
        ),
    }
}

//! The precursor command: supervisor, administration, produce, consume, live view, bench.
#![forbid(unsafe_code)]

mod admin;
mod arguments;
mod bench;
mod bytes;
mod client;
mod cluster;
mod codec;
mod common;
mod compression;
mod config;
mod consent;
mod consume;
mod doctor;
mod failure;
mod group;
mod interrupt;
mod manual;
mod memory;
mod moment;
mod output;
mod produce;
mod quota;
mod serve;
mod storage;
mod top;
mod topic;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

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
            if !failure.sentence.is_empty() {
                report(&failure, output.format);
            }
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
        Command::Group(group) => group::run(group, common, output),
        Command::Config(config) => config::run(config, common, output),
        Command::Quota(quota) => quota::run(quota, common, output),
        Command::Cluster(cluster) => cluster::run(cluster, common, output),
        Command::Storage(storage) => storage::run(storage, output),
        Command::Compression(compression) => compression::run(compression, common, output),
        Command::Memory(memory) => memory::run(memory, common, output),
        Command::Top(top) => top::run(top, common, output),
        Command::Bench(bench) => bench::run(bench, common, output),
        Command::Doctor => doctor::run(output),
        Command::Completions(shell) => manual::completions(shell, Arguments::command()),
        Command::Man(man) => manual::man(man, Arguments::command(), output),
    }
}

fn report(failure: &Failure, format: OutputFormat) {
    match format {
        OutputFormat::Text => eprintln!("{} {failure}", output::alarm("precursor:")),
        OutputFormat::Json => eprintln!(
            "{}",
            serde_json::json!({ "error": failure.sentence, "next": failure.advice() })
        ),
    }
}

//! The command line.

use clap::{Args, Parser, Subcommand};

use crate::bench::BenchArguments;
use crate::consume::ConsumeArguments;
use crate::output::OutputFormat;
use crate::produce::ProduceArguments;
use crate::serve::ServeArguments;
use crate::topic::TopicArguments;

/// Precursor, an event broker that speaks the Kafka protocol
#[derive(Debug, Parser)]
#[command(
    name = "precursor",
    version,
    arg_required_else_help = true,
    after_help = "Exit codes: 0 done, 1 failed, 2 wrong command line, 3 no broker answered, \
                  4 the broker refused."
)]
pub struct Arguments {
    #[command(flatten)]
    pub common: CommonArguments,
    #[command(subcommand)]
    pub command: Command,
}

/// What every command takes.
#[derive(Clone, Debug, Args)]
pub struct CommonArguments {
    /// Form of the output
    #[arg(long, global = true, value_enum, default_value = "text")]
    pub output: OutputFormat,
    /// The broker's Kafka listener
    #[arg(
        long,
        global = true,
        value_name = "HOST:PORT",
        default_value = "127.0.0.1:9092"
    )]
    pub bootstrap: String,
    /// The control plane's gRPC address [default: asked of the broker]
    #[arg(long, global = true, value_name = "HOST:PORT")]
    pub admin: Option<String>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a broker: data plane and control plane under one supervisor
    Serve(ServeArguments),
    /// Create, list, describe and delete topics
    Topic(TopicArguments),
    /// Write lines of standard input or of a file as records
    Produce(ProduceArguments),
    /// Read records
    Consume(ConsumeArguments),
    /// Measure a broker, and what could be reached at best
    Bench(BenchArguments),
}

/// Reads `KEY=VALUE`.
pub fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => {
            Ok((key.trim().to_owned(), value.to_owned()))
        }
        _ => Err("needs the form KEY=VALUE".to_owned()),
    }
}

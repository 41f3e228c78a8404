//! What the command lines of several commands have in common.

use crate::output::OutputFormat;

/// What every command takes.
#[derive(Clone, Debug, clap::Args)]
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

/// Reads `KEY=VALUE`.
///
/// # Errors
/// There is no `=`, or nothing before it.
pub fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => {
            Ok((key.trim().to_owned(), value.to_owned()))
        }
        _ => Err("needs the form KEY=VALUE".to_owned()),
    }
}

/// A count with its noun: "1 record", "2 records".
pub fn counted(count: u64, noun: &str) -> String {
    match count {
        1 => format!("1 {noun}"),
        _ => format!("{count} {noun}s"),
    }
}

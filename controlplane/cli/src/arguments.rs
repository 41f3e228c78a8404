//! The command line as a whole.

use clap::{Parser, Subcommand};

use crate::bench::BenchArguments;
use crate::cluster::ClusterArguments;
use crate::common::CommonArguments;
use crate::compression::CompressionArguments;
use crate::config::ConfigArguments;
use crate::consume::ConsumeArguments;
use crate::group::GroupArguments;
use crate::manual::{CompletionsArguments, ManArguments};
use crate::memory::MemoryArguments;
use crate::produce::ProduceArguments;
use crate::quota::QuotaArguments;
use crate::serve::ServeArguments;
use crate::storage::StorageArguments;
use crate::top::TopArguments;
use crate::topic::TopicArguments;

/// Precursor, an event broker that speaks the Kafka protocol
#[derive(Debug, Parser)]
#[command(
    name = "precursor",
    version,
    arg_required_else_help = true,
    after_help = "Exit codes: 0 done, 1 failed, 2 wrong command line, 3 no broker answered, \
                  4 the broker refused, 130 ended by Ctrl-C.\n\
                  Colours appear on a terminal alone, and not where NO_COLOR is set."
)]
pub struct Arguments {
    #[command(flatten)]
    pub common: CommonArguments,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a broker: data plane and control plane under one supervisor
    Serve(ServeArguments),
    /// Create, list, describe, alter and delete topics
    Topic(TopicArguments),
    /// Write lines of standard input or of a file as records
    Produce(ProduceArguments),
    /// Read records
    Consume(ConsumeArguments),
    /// List, describe and delete consumer groups, and move their offsets
    Group(GroupArguments),
    /// Describe, set and unset options of topics, brokers and groups
    Config(ConfigArguments),
    /// List, set and unset quotas of users and clients
    Quota(QuotaArguments),
    /// What the cluster is and how it does
    Cluster(ClusterArguments),
    /// Look through a data directory without its broker, and mend it
    Storage(StorageArguments),
    /// What codecs would make of a topic's records
    Compression(CompressionArguments),
    /// How a broker's pools of memory are used
    Memory(MemoryArguments),
    /// Watch a broker: throughput, latency, partitions, groups' lag
    Top(TopArguments),
    /// Measure a broker, and what could be reached at best
    Bench(BenchArguments),
    /// What this host can do for a broker, and what would improve it
    Doctor,
    /// Print a shell's completion script
    Completions(CompletionsArguments),
    /// Write the manual's pages
    Man(ManArguments),
}

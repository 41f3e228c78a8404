//! The arguments of `precursor bench`.

use crate::client::parse_acks;
use crate::common::key_value;

/// What is measured, or served for measuring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    /// Records written per second
    Produce,
    /// Records read per second
    Fetch,
    /// Round trip of one Produce, one in flight
    Latency,
    /// From sending a record to the answer of the fetch that waits for it
    EndToEnd,
    /// Serve a target that only frames and answers Produce and Fetch
    Null,
    /// Serve a bare TCP echo
    Echo,
}

impl Kind {
    /// As on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Produce => "produce",
            Kind::Fetch => "fetch",
            Kind::Latency => "latency",
            Kind::EndToEnd => "end-to-end",
            Kind::Null => "null",
            Kind::Echo => "echo",
        }
    }

    /// Whether time counts, and not throughput.
    pub fn is_latency(self) -> bool {
        matches!(self, Kind::Latency | Kind::EndToEnd)
    }
}

/// What carries the native client's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum NativeTransport {
    /// Memory shared with a broker on this host
    Shm,
    /// RDMA: the broker's listener has to be an RDMA device's address (network.driver=rdma)
    Rdma,
    /// TCP
    Tcp,
}

impl NativeTransport {
    /// As on the command line.
    pub fn name(self) -> &'static str {
        match self {
            NativeTransport::Shm => "shm",
            NativeTransport::Rdma => "rdma",
            NativeTransport::Tcp => "tcp",
        }
    }
}

/// The arguments of `precursor bench`.
#[derive(Clone, Debug, clap::Args)]
pub struct BenchArguments {
    #[arg(value_enum)]
    pub what: Kind,
    /// Measure through the native client over this, one record a request, never sleeping (latency
    /// and produce); --with-ceiling measures tcp after shm
    #[arg(long, value_enum)]
    pub transport: Option<NativeTransport>,
    /// The data directory of a broker on this host, for --transport
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<std::path::PathBuf>,
    /// The topic; made when it is absent, and then deleted in the end [default: a new one]
    #[arg(long)]
    pub topic: Option<String>,
    /// Partitions of a topic that is made
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(i32).range(1..=10_000))]
    pub partitions: i32,
    /// Options of a topic that is made
    #[arg(long = "topic-config", value_name = "KEY=VALUE", value_parser = key_value)]
    pub topic_configs: Vec<(String, String)>,
    /// Bytes of each record's value
    #[arg(long, value_name = "BYTES", default_value_t = 100, value_parser = count::<100_000_000>)]
    pub record_bytes: usize,
    /// Records in each batch [default: 1000; 1 for latency and end-to-end]
    #[arg(long = "batch-records", value_name = "N", value_parser = count::<1_000_000>)]
    pub batch_records_asked: Option<usize>,
    #[arg(skip)]
    pub batch_records: usize,
    /// Connections, one thread each
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = count::<1024>)]
    pub connections: usize,
    /// Requests of a connection that may wait for their answers
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = count::<1024>)]
    pub in_flight: usize,
    /// How long to measure
    #[arg(long, value_name = "SECONDS", default_value_t = 5.0, value_parser = seconds)]
    pub seconds: f64,
    /// How long to run before that
    #[arg(long, value_name = "SECONDS", default_value_t = 1.0, value_parser = seconds)]
    pub warmup: f64,
    /// Measure this many records instead of a time, without warm-up
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub records: Option<u64>,
    /// When the broker answers a Produce: 0, 1 or all
    #[arg(long, value_name = "0|1|all", default_value = "1", value_parser = parse_acks)]
    pub acks: i16,
    /// Records per second to send, whatever the broker does (open loop): latencies count from when
    /// a record should have gone
    #[arg(long, value_name = "N", value_parser = positive)]
    pub rate: Option<f64>,
    /// Bytes that a fetch may bring
    #[arg(long, value_name = "BYTES", default_value_t = 1 << 20, value_parser = clap::value_parser!(i32).range(1..))]
    pub fetch_bytes: i32,
    /// Bytes of records that a new topic is filled with before it is fetched
    #[arg(long, value_name = "BYTES", default_value_t = 256 << 20)]
    pub fill_bytes: u64,
    /// Processor of the first connection's thread; further ones follow
    #[arg(long, value_name = "N")]
    pub cpu: Option<usize>,
    /// Never sleep while waiting: steadier latencies, at the price of a processor
    #[arg(long)]
    pub spin: bool,
    /// Measure the ceiling as well: the null target, or the echo for latencies
    #[arg(long)]
    pub with_ceiling: bool,
    /// Processor of the null target or the echo
    #[arg(long, value_name = "N")]
    pub server_cpu: Option<usize>,
    /// Stop the broker's processes while its ceiling is measured: for brokers that never sleep
    #[arg(long)]
    pub pause_broker: bool,
    /// Processes whose processor time is the broker's [default: asked of the control plane]
    #[arg(long = "pid", value_name = "PID")]
    pub pids: Vec<u32>,
    /// Where null and echo listen
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:0")]
    pub listen: String,
    /// Null and echo end when their standard input does
    #[arg(long, hide = true)]
    pub until_input_ends: bool,
}

fn count<const MAX: usize>(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|n| (1..=MAX).contains(n));
    number.ok_or_else(|| format!("it takes a number from 1 to {MAX}"))
}

fn seconds(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|n| (0.0..=86_400.0).contains(n));
    number.ok_or_else(|| "it takes seconds from 0 to 86400".to_owned())
}

fn positive(text: &str) -> Result<f64, String> {
    let number = text
        .parse()
        .ok()
        .filter(|n: &f64| n.is_finite() && *n > 0.0);
    number.ok_or_else(|| "it takes a number above 0".to_owned())
}

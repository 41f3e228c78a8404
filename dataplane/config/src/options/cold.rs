//! What cold compression may take. What is compressed, and how, are options of topics.

use precursor_model::ValueKind;

use super::{DAY_MS, NodeOption, Unit, integer};
use crate::values::Rate;

pub(super) const BACKOFF: NodeOption = NodeOption {
    name: "precursor.cold.compression.backoff.ms",
    kind: ValueKind::Long,
    unit: Unit::Milliseconds,
    default: "15000",
    accepts: "milliseconds from 1 to 86400000",
    restart: true,
    doc: "Time between two looks for cold segments to compress when there was none.",
    apply: |c, v| integer(v, 1, DAY_MS).map(|n| c.cold_compression_backoff_ms = n),
    show: |c| c.cold_compression_backoff_ms.to_string(),
};

pub(super) const CPU: NodeOption = NodeOption {
    name: "precursor.cold.compression.cpu.max.percent",
    kind: ValueKind::Int,
    unit: Unit::None,
    default: "25",
    accepts: "a number from 1 to 100",
    restart: true,
    doc: "What cold compression may take of one processor, for each shard.",
    apply: |c, v| integer(v, 1, 100).map(|n| c.cold_compression_cpu_percent_max = n),
    show: |c| c.cold_compression_cpu_percent_max.to_string(),
};

pub(super) const RATE: NodeOption = NodeOption {
    name: "precursor.cold.compression.io.max.bytes.per.second",
    kind: ValueKind::Double,
    unit: Unit::Bytes,
    default: "1.7976931348623157E308",
    accepts: "a number of bytes from 1024",
    restart: true,
    doc: "What cold compression reads and writes at most, all shards together.",
    apply: |c, v| Rate::parse(v).map(|r| c.cold_compression_io_bytes_per_second_max = r),
    show: |c| c.cold_compression_io_bytes_per_second_max.to_string(),
};

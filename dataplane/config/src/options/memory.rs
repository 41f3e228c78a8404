//! How much memory the region has, of what kind, and when it is taken and given back.

use precursor_model::ValueKind;

use super::{NodeOption, Unit, directory};
use crate::values::{Part, Switch, bytes};

pub(super) const BUFFERS_BYTES: NodeOption = NodeOption {
    name: "memory.buffers.bytes",
    kind: ValueKind::Long,
    unit: Unit::Bytes,
    default: "0",
    accepts: "bytes from 2097152 (2MiB) to 1099511627776 (1024GiB), or 0 to choose by \
              memory.region.bytes",
    restart: true,
    doc: "Size of the buffer pool that requests are received into, all shards together.",
    apply: |c, v| {
        let size = bytes(v, 0, 1 << 40).filter(|n| *n == 0 || *n >= 2 << 20)?;
        c.memory_buffers_bytes = size;
        Some(())
    },
    show: |c| c.memory_buffers_bytes.to_string(),
};

pub(super) const CHUNK_BYTES: NodeOption = NodeOption {
    name: "memory.chunk.bytes",
    kind: ValueKind::Long,
    unit: Unit::Bytes,
    default: "2097152",
    accepts: "bytes from 2097152 (2MiB) to 1073741824 (1GiB)",
    restart: true,
    doc: "What a shard's pools grow by, rounded up to whole huge pages of 2 MiB.",
    apply: |c, v| bytes(v, 2 << 20, 1 << 30).map(|n| c.memory_chunk_bytes = n),
    show: |c| c.memory_chunk_bytes.to_string(),
};

pub(super) const GC_THRESHOLD: NodeOption = NodeOption {
    name: "memory.gc.threshold",
    kind: ValueKind::Double,
    unit: Unit::Count,
    default: "0.8",
    accepts: "a part from 0.0 to 1.0",
    restart: true,
    doc: "Part of a pool that may have memory while there is little to do: above it the pool goes \
          back to memory.initial.bytes. 1.0: never.",
    apply: |c, v| Part::parse(v).map(|part| c.memory_gc_threshold = part),
    show: |c| c.memory_gc_threshold.to_string(),
};

pub(super) const HUGEPAGES: NodeOption = NodeOption {
    name: "memory.hugepages",
    kind: ValueKind::Text,
    unit: Unit::None,
    default: "auto",
    accepts: "'auto', 'on' or 'off'",
    restart: true,
    doc: "Whether the region lies on reserved hugepages: where there are some, always, never.",
    apply: |c, v| Switch::parse(v).map(|s| c.memory_hugepages = s),
    show: |c| c.memory_hugepages.to_string(),
};

pub(super) const INITIAL_BYTES: NodeOption = NodeOption {
    name: "memory.initial.bytes",
    kind: ValueKind::Long,
    unit: Unit::Bytes,
    default: "0",
    accepts: "bytes from 0 to 1099511627776 (1024GiB)",
    restart: true,
    doc: "Memory that the extent pools take at the start and keep, all shards together; the \
          buffer pools take and keep a quarter of it.",
    apply: |c, v| bytes(v, 0, 1 << 40).map(|n| c.memory_initial_bytes = n),
    show: |c| c.memory_initial_bytes.to_string(),
};

pub(super) const PREWARM: NodeOption = NodeOption {
    name: "memory.prewarm",
    kind: ValueKind::Boolean,
    unit: Unit::None,
    default: "false",
    accepts: "true or false",
    restart: true,
    doc: "Whether the pages of memory.initial.bytes are brought in before clients are served.",
    apply: |c, v| v.parse().ok().map(|b| c.memory_prewarm = b),
    show: |c| c.memory_prewarm.to_string(),
};

pub(super) const REGION_BYTES: NodeOption = NodeOption {
    name: "memory.region.bytes",
    kind: ValueKind::Long,
    unit: Unit::Bytes,
    default: "0",
    accepts: "bytes from 16777216 (16MiB) to 1099511627776 (1024GiB), or 0 to choose by the \
              machine's memory",
    restart: true,
    doc: "Size of the extent pool that log tails live in, all shards together.",
    apply: |c, v| {
        let size = bytes(v, 0, 1 << 40).filter(|n| *n == 0 || *n >= 16 << 20)?;
        c.memory_region_bytes = size;
        Some(())
    },
    show: |c| c.memory_region_bytes.to_string(),
};

pub(super) const REGION_DIR: NodeOption = NodeOption {
    name: "memory.region.dir",
    kind: ValueKind::Text,
    unit: Unit::None,
    default: "",
    accepts: "a directory on hugetlbfs or tmpfs, or '' to choose",
    restart: true,
    doc: "Where the shared region is made.",
    apply: |c, v| {
        c.memory_region_dir = match v {
            "" => None,
            text => Some(directory(text)?),
        };
        Some(())
    },
    show: |c| {
        let shown = c.memory_region_dir.as_ref();
        shown.map_or_else(String::new, |d| d.display().to_string())
    },
};

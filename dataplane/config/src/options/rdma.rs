//! Native clients that come over RDMA.

use precursor_model::ValueKind;

use super::{NodeOption, Unit};
use crate::values::{Endpoint, integer};

pub(super) const ACCESS_BYTES: NodeOption = NodeOption {
    name: "rdma.access.bytes",
    kind: ValueKind::Int,
    unit: Unit::Bytes,
    default: "524288",
    accepts: "0, or bytes from 64 KiB to 16 MiB",
    restart: true,
    doc: "Memory of the broker into which a connected RDMA client may write, and as much again from \
          which it may read, locked while it is connected; 0: everything goes by SEND, as where the \
          device has no memory windows.",
    apply: |c, v| {
        let bytes = integer(v, 0, 16 << 20).filter(|n| *n == 0 || *n >= 64 << 10)?;
        c.rdma_access_bytes = bytes;
        Some(())
    },
    show: |c| c.rdma_access_bytes.to_string(),
};

pub(super) const ACCESS_TIMEOUT_MS: NodeOption = NodeOption {
    name: "rdma.access.timeout.ms",
    kind: ValueKind::Int,
    unit: Unit::Milliseconds,
    default: "60000",
    accepts: "milliseconds from 100 to 3600000",
    restart: true,
    doc: "How long an RDMA client may leave unread what it was told to read from its memory at the \
          broker, before it is ended.",
    apply: |c, v| integer(v, 100, 3_600_000).map(|n| c.rdma_access_timeout_ms = n),
    show: |c| c.rdma_access_timeout_ms.to_string(),
};

pub(super) const CLIENTS_MAX: NodeOption = NodeOption {
    name: "rdma.clients.max",
    kind: ValueKind::Int,
    unit: Unit::Count,
    default: "64",
    accepts: "a count from 1 to 1024",
    restart: true,
    doc: "RDMA clients at a time, all shards together. Each shard keeps 624 KiB of locked memory for \
          each of them, and for an eighth more.",
    apply: |c, v| integer(v, 1, 1024).map(|n| c.rdma_clients_max = n),
    show: |c| c.rdma_clients_max.to_string(),
};

pub(super) const FOLLOW_BYTES: NodeOption = NodeOption {
    name: "rdma.follow.bytes",
    kind: ValueKind::Int,
    unit: Unit::Bytes,
    default: "67108864",
    accepts: "0, or bytes from 4 MiB to 1 GiB",
    restart: true,
    doc: "Memory of the logs that may be held, and locked, for RDMA clients that read new records \
          where they lie, or write batches there; all shards together, and a quarter of the region \
          at most. 0: they fetch and send. \
          What a client does not go on from is taken back after rdma.access.timeout.ms.",
    apply: |c, v| {
        let bytes = integer(v, 0, 1 << 30).filter(|n| *n == 0 || *n >= 4 << 20)?;
        c.rdma_follow_bytes = bytes;
        Some(())
    },
    show: |c| c.rdma_follow_bytes.to_string(),
};

pub(super) const LISTEN: NodeOption = NodeOption {
    name: "rdma.listen",
    kind: ValueKind::Text,
    unit: Unit::None,
    default: "",
    accepts: "HOST:PORT, or '' for none (with network.driver=rdma: the listener's)",
    restart: true,
    doc: "Where native clients connect by RDMA, beside whichever network.driver: an address of an \
          RDMA device, and a port of RDMA's own.",
    apply: |c, v| {
        c.rdma_listen = match v {
            "" => None,
            text => Some(Endpoint::parse(text)?),
        };
        Some(())
    },
    show: |c| {
        let listen = c.rdma_listen.as_ref();
        listen.map_or_else(String::new, Endpoint::to_string)
    },
};

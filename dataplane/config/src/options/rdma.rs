//! Native clients that come over RDMA.

use precursor_model::ValueKind;

use super::{NodeOption, Unit};
use crate::values::{Endpoint, integer};

pub(super) const CLIENTS_MAX: NodeOption = NodeOption {
    name: "rdma.clients.max",
    kind: ValueKind::Int,
    unit: Unit::Count,
    default: "64",
    accepts: "a count from 1 to 1024",
    restart: true,
    doc: "RDMA clients at a time, all shards together. Each shard keeps 576 KiB of locked memory for \
          each of them, and for an eighth more.",
    apply: |c, v| integer(v, 1, 1024).map(|n| c.rdma_clients_max = n),
    show: |c| c.rdma_clients_max.to_string(),
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

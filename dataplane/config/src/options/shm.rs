//! Clients on this host that come over shared memory.

use std::path::PathBuf;

use precursor_model::ValueKind;

use super::{NodeOption, Unit, directory, shown};
use crate::values::{bytes, integer};

pub(super) const CLIENTS_MAX: NodeOption = NodeOption {
    name: "shm.clients.max",
    kind: ValueKind::Int,
    unit: Unit::Count,
    default: "64",
    accepts: "a count from 1 to 4096",
    restart: true,
    doc: "Shared-memory clients at a time, all shards together; each takes two rings of memory.",
    apply: |c, v| integer(v, 1, 4096).map(|n| c.shm_clients_max = n),
    show: |c| c.shm_clients_max.to_string(),
};

pub(super) const ENABLED: NodeOption = NodeOption {
    name: "shm.enabled",
    kind: ValueKind::Boolean,
    unit: Unit::None,
    default: "true",
    accepts: "true or false",
    restart: true,
    doc: "Whether clients on this host may attach by shared memory.",
    apply: |c, v| v.parse().ok().map(|b| c.shm_enabled = b),
    show: |c| c.shm_enabled.to_string(),
};

pub(super) const GROUP: NodeOption = NodeOption {
    name: "shm.group",
    kind: ValueKind::Text,
    unit: Unit::None,
    default: "",
    accepts: "a group's number, or '' for none",
    restart: true,
    doc: "Whose members may attach by shared memory, besides the broker's own user and root.",
    apply: |c, v| {
        c.shm_group = match v {
            "" => None,
            text => Some(text.parse().ok().filter(|group| *group != u32::MAX)?),
        };
        Some(())
    },
    show: |c| shown(c.shm_group.as_ref()),
};

pub(super) const RING_BYTES: NodeOption = NodeOption {
    name: "shm.ring.bytes",
    kind: ValueKind::Int,
    unit: Unit::Bytes,
    default: "262144",
    accepts: "a power of two from 4096 (4KiB) to 67108864 (64MiB)",
    restart: true,
    doc: "Size of each of the two rings of a shared-memory client.",
    apply: |c, v| {
        let size = bytes(v, 4096, 64 << 20)?;
        size.is_power_of_two()
            .then(|| c.shm_ring_bytes = size as u32)
    },
    show: |c| c.shm_ring_bytes.to_string(),
};

pub(super) const SOCKET: NodeOption = NodeOption {
    name: "shm.socket",
    kind: ValueKind::Text,
    unit: Unit::None,
    default: "",
    accepts: "a file's path, or '' for shm.sock in the data directory",
    restart: true,
    doc: "The Unix socket that shared-memory clients attach by.",
    apply: |c, v| {
        c.shm_socket = match v {
            "" => None,
            text => Some(directory(text)?),
        };
        Some(())
    },
    show: |c| {
        let shown: Option<&PathBuf> = c.shm_socket.as_ref();
        shown.map_or_else(String::new, |path| path.display().to_string())
    },
};

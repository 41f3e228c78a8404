//! Why DPDK cannot start: one sentence each, with the mend.

use std::fmt;

use precursor_dpdk_sys::OpenError;

/// Why an interface could not be opened.
#[derive(Debug)]
pub enum DpdkError {
    /// Not built in, or not on this host.
    Library(OpenError),
    /// The words for the environment contradict what we need.
    Arguments(String),
    /// Neither the interface nor the words name a device.
    NoDevice { interface: String },
    /// A card's memory must not move, and no hugepage is free.
    NoHugepages,
    /// DPDK's environment refused: what it said last.
    Environment { why: String },
    /// The environment started and found nothing; what it said last.
    NoPort { why: String },
    /// Several ports, and none is the interface.
    WhichPort {
        interface: String,
        found: Vec<String>,
    },
    /// The port refused: what was tried, and what was said.
    Port {
        what: &'static str,
        port: String,
        why: String,
    },
}

impl fmt::Display for DpdkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DpdkError::Library(error) => write!(f, "{error}"),
            DpdkError::Arguments(sentence) => f.write_str(sentence),
            DpdkError::NoDevice { interface } => write!(
                f,
                "`{interface}` is no PCI address, and network.dpdk.args names no device for it; set \
                 network.interface to the address of a card that is bound to vfio-pci, as \
                 0000:01:00.0 (scripts/setup-nic.sh binds), or network.dpdk.args to a virtual \
                 device, as --vdev=net_af_packet0,iface={interface}"
            ),
            DpdkError::NoHugepages => f.write_str(
                "a card needs hugepages and none is free; scripts/setup-hugepages.sh reserves some",
            ),
            DpdkError::Environment { why } => write!(f, "DPDK's environment refuses: {why}"),
            DpdkError::NoPort { why } => {
                write!(f, "DPDK finds no device to drive: {why}")
            }
            DpdkError::WhichPort { interface, found } => write!(
                f,
                "DPDK has several ports ({}) and none of them is `{interface}`; set \
                 network.interface to one of them",
                found.join(", ")
            ),
            DpdkError::Port { what, port, why } => write!(f, "{what} `{port}`: {why}"),
        }
    }
}

impl std::error::Error for DpdkError {}

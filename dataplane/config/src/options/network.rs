//! How clients' bytes get here.

use precursor_model::ValueKind;

use super::{NodeOption, Unit, shown};
use crate::values::{NetworkAddress, NetworkDriver};

pub(super) const ADDRESS: NodeOption = NodeOption {
    name: "network.address",
    kind: ValueKind::Text,
    unit: Unit::None,
    default: "",
    accepts: "ADDRESS/PREFIX, as 10.0.0.2/24, or '' for none",
    restart: true,
    doc: "The broker's own address on network.interface, with its network's prefix; the kernel \
          must not have it there.",
    apply: |c, v| {
        c.network_address = match v {
            "" => None,
            text => Some(NetworkAddress::parse(text)?),
        };
        Some(())
    },
    show: |c| shown(c.network_address.as_ref()),
};

pub(super) const DPDK_ARGS: NodeOption = NodeOption {
    name: "network.dpdk.args",
    kind: ValueKind::Text,
    unit: Unit::None,
    default: "",
    accepts: "options of DPDK's environment (EAL), separated by spaces, or ''",
    restart: true,
    doc: "What DPDK is started with, as --vdev=net_af_packet0,iface=eth1. What is not said here: the \
          card of network.interface alone (-a), one processor to start on, memory without files \
          (--in-memory), no telemetry.",
    apply: |c, v| {
        let sane = v.len() <= 4096 && v.bytes().all(|b| b == b' ' || b.is_ascii_graphic());
        sane.then(|| c.network_dpdk_args = v.split_whitespace().map(str::to_owned).collect())
    },
    show: |c| c.network_dpdk_args.join(" "),
};

pub(super) const DRIVER: NodeOption = NodeOption {
    name: "network.driver",
    kind: ValueKind::Text,
    unit: Unit::None,
    default: "auto",
    accepts: "'auto', 'epoll', 'io_uring', 'afxdp' or 'dpdk'",
    restart: true,
    doc: "How clients' bytes get here: kernel sockets by epoll or io_uring, or past the kernel by \
          AF_XDP or DPDK. auto: DPDK where network.interface is a PCI address or network.dpdk.args \
          is set, else AF_XDP where network.interface is set; where these cannot, or neither is \
          set, epoll, whose round trips measured shorter than io_uring's.",
    apply: |c, v| NetworkDriver::parse(v).map(|d| c.network_driver = d),
    show: |c| c.network_driver.to_string(),
};

pub(super) const GATEWAY: NodeOption = NodeOption {
    name: "network.gateway",
    kind: ValueKind::Text,
    unit: Unit::None,
    default: "",
    accepts: "an address, or '' for none",
    restart: true,
    doc: "The way from network.interface to clients outside of its network.",
    apply: |c, v| {
        c.network_gateway = match v {
            "" => None,
            text => Some(text.parse().ok()?),
        };
        Some(())
    },
    show: |c| shown(c.network_gateway.as_ref()),
};

pub(super) const INTERFACE: NodeOption = NodeOption {
    name: "network.interface",
    kind: ValueKind::Text,
    unit: Unit::None,
    default: "",
    accepts: "a name or a PCI address of 1 to 63 characters, or '' for none",
    restart: true,
    doc: "The interface that is driven past the kernel. AF_XDP: its name; only traffic for \
          network.address at the listener's port is taken from it. DPDK: a card's PCI address, as \
          0000:01:00.0, or the name of a port or of the interface below a virtual device.",
    apply: |c, v| {
        let plain = |b: u8| b.is_ascii_graphic() && b != b'/';
        let sane = v.len() <= 63 && v.bytes().all(plain);
        sane.then(|| c.network_interface = v.to_owned())
    },
    show: |c| c.network_interface.clone(),
};

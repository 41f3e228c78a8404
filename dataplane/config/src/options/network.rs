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

pub(super) const DRIVER: NodeOption = NodeOption {
    name: "network.driver",
    kind: ValueKind::Text,
    unit: Unit::None,
    default: "auto",
    accepts: "'auto', 'epoll', 'io_uring' or 'afxdp'",
    restart: true,
    doc: "How clients' bytes get here: kernel sockets by epoll or io_uring, or past the kernel by \
          AF_XDP. auto: AF_XDP where network.interface is set and it can, else epoll, whose \
          round trips measured shorter.",
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
    accepts: "a network interface's name of 1 to 15 characters, or '' for none",
    restart: true,
    doc: "The interface that is driven past the kernel; only traffic for network.address at the \
          listener's port is taken from it.",
    apply: |c, v| {
        let plain = |b: u8| b.is_ascii_graphic() && b != b'/';
        let sane = v.len() <= 15 && v.bytes().all(plain);
        sane.then(|| c.network_interface = v.to_owned())
    },
    show: |c| c.network_interface.clone(),
};

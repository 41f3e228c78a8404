//! How clients' bytes get here.

use precursor_model::ValueKind;

use super::{NodeOption, Unit, directory, shown};
use crate::values::{
    CongestionControl, FrameCopy, NetworkAddress, NetworkDriver, XdpMode, integer,
};

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

pub(super) const AFXDP_BUSY_POLL: NodeOption = NodeOption {
    name: "network.afxdp.busy.poll.us",
    kind: ValueKind::Int,
    unit: Unit::Microseconds,
    default: "0",
    accepts: "a number from 0 to 1000000",
    restart: true,
    doc: "How long the kernel may poll an AF_XDP queue's driver when a shard looks at it, instead of \
          waiting for its interrupt; 0: not. Worth it on cards, with shards that never sleep \
          (dataplane.idle=busy).",
    apply: |c, v| integer(v, 0, 1_000_000).map(|n| c.network_afxdp.busy_poll_us = n),
    show: |c| c.network_afxdp.busy_poll_us.to_string(),
};

pub(super) const AFXDP_COPY: NodeOption = NodeOption {
    name: "network.afxdp.copy",
    kind: ValueKind::Text,
    unit: Unit::None,
    default: "auto",
    accepts: "'auto', 'zero-copy' or 'copy'",
    restart: true,
    doc: "How AF_XDP's frames get between the card and the broker's memory. auto: without a copy, or \
          where the driver cannot, with one, and the start says which.",
    apply: |c, v| FrameCopy::parse(v).map(|copy| c.network_afxdp.copy = copy),
    show: |c| c.network_afxdp.copy.to_string(),
};

pub(super) const AFXDP_MODE: NodeOption = NodeOption {
    name: "network.afxdp.mode",
    kind: ValueKind::Text,
    unit: Unit::None,
    default: "auto",
    accepts: "'auto', 'native' or 'skb'",
    restart: true,
    doc: "Where AF_XDP's filter runs: in the driver (native), or on the kernel's packet buffers (skb), \
          which every interface can and which costs more. auto: native, or where the driver cannot, \
          skb, and the start says which.",
    apply: |c, v| XdpMode::parse(v).map(|mode| c.network_afxdp.mode = mode),
    show: |c| c.network_afxdp.mode.to_string(),
};

pub(super) const AFXDP_RING: NodeOption = NodeOption {
    name: "network.afxdp.ring.frames",
    kind: ValueKind::Int,
    unit: Unit::None,
    default: "2048",
    accepts: "a power of two from 64 to 32768",
    restart: true,
    doc: "Frames that each ring of an AF_XDP queue holds. A queue's memory is three times as many \
          frames of 2 or 4 KiB.",
    apply: |c, v| {
        let frames = integer(v, 64, 32_768).filter(|frames: &u32| frames.is_power_of_two());
        frames.map(|frames| c.network_afxdp.ring_frames = frames)
    },
    show: |c| c.network_afxdp.ring_frames.to_string(),
};

pub(super) const CAPTURE: NodeOption = NodeOption {
    name: "network.capture.dir",
    kind: ValueKind::Text,
    unit: Unit::None,
    default: "",
    accepts: "a directory, or '' for none",
    restart: true,
    doc: "Past the kernel, where tcpdump sees nothing: a directory in which each shard keeps a FIFO, \
          capture-SHARD.pcap. Whoever reads it (tshark -i FIFO) gets the shard's frames for as long \
          as he reads.",
    apply: |c, v| {
        c.network_capture_dir = match v {
            "" => None,
            text => Some(directory(text)?),
        };
        Some(())
    },
    show: |c| {
        let shown = c.network_capture_dir.as_deref();
        shown.map_or_else(String::new, |directory| directory.display().to_string())
    },
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
    accepts: "'auto', 'epoll', 'io_uring', 'afxdp', 'dpdk' or 'rdma'",
    restart: true,
    doc: "How clients' bytes get here: kernel sockets by epoll or io_uring, or past the kernel by \
          AF_XDP or DPDK. auto: DPDK where network.interface is a PCI address or network.dpdk.args \
          is set, else AF_XDP where network.interface is set; where these cannot, or neither is \
          set, epoll, whose round trips measured shorter than io_uring's. rdma: kernel sockets, and \
          native clients by RDMA at the listener's address and port, or at rdma.listen.",
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

pub(super) const TCP_CONGESTION: NodeOption = NodeOption {
    name: "network.tcp.congestion.control",
    kind: ValueKind::Text,
    unit: Unit::None,
    default: "cubic",
    accepts: "'cubic', 'bbr' or 'newreno'",
    restart: true,
    doc: "Past the kernel: what decides how fast a connection sends. cubic and newreno slow down when \
          something is lost; bbr goes by the bandwidth and the round trip that it measures, which \
          suits paths that lose at random.",
    apply: |c, v| CongestionControl::parse(v).map(|which| c.network_tcp_congestion = which),
    show: |c| c.network_tcp_congestion.to_string(),
};

pub(super) const VLAN: NodeOption = NodeOption {
    name: "network.vlan",
    kind: ValueKind::Int,
    unit: Unit::None,
    default: "0",
    accepts: "a number from 1 to 4094, or 0 for none",
    restart: true,
    doc: "Past the kernel: the VLAN that network.address is in. Frames leave with its tag (802.1Q), \
          and only frames with it are taken.",
    apply: |c, v| integer(v, 0, 4094).map(|number| c.network_vlan = number),
    show: |c| c.network_vlan.to_string(),
};

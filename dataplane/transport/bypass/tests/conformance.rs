//! The netstack as a transport passes the suite that every transport passes: over AF_XDP on a veth
//! pair with the kernel's TCP as the client (needs root), and over a simulated cable, with and
//! without faults, with the netstack at both ends.

mod sim;
mod veth;

use precursor_transport_afxdp::AttachMode;
use precursor_transport_port::conformance_suite;
use precursor_transport_sim::FrameFaults;

use sim::SimNetwork;
use veth::{V4, V6, VethNetwork};

conformance_suite!(afxdp_native, VethNetwork::new(AttachMode::Native, V4));
conformance_suite!(afxdp_skb, VethNetwork::new(AttachMode::Skb, V4));
conformance_suite!(afxdp_ipv6, VethNetwork::new(AttachMode::Native, V6));
conformance_suite!(cable, SimNetwork::new(1, FrameFaults::default()));
conformance_suite!(poor_cable, SimNetwork::new(2, poor()));

fn poor() -> FrameFaults {
    FrameFaults {
        loss_per_mille: 10,
        duplicate_per_mille: 10,
        reorder_per_mille: 10,
        corrupt_per_mille: 5,
    }
}

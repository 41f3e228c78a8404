//! What the measurements share: servers on the near end of a wire.

use precursor_netstack::CongestionControl;
use precursor_tests_netns::Namespace;
use precursor_transport_afxdp::{
    AfXdpDevice, AfXdpInterface, AfXdpOptions, AttachMode, Redirection,
};
use precursor_transport_bypass::{BypassOptions, BypassTransport};

/// Where each server listens.
pub const KERNEL: &str = "10.0.0.3:9092";
pub const BYPASS: &str = "10.0.0.2:9092";

/// Whether an end of the wire leaves segmentation and checksums to its device.
pub fn offload(end: &Namespace, on: bool) {
    let switch = if on { "on" } else { "off" };
    let mut ethtool = end.command("ethtool");
    let words = ["tx", switch, "tso", switch, "gso", switch];
    ethtool.args(["-K", end.interface()]).args(words);
    assert!(ethtool.output().expect("ethtool").status.success());
}

/// Our own TCP over AF_XDP, in the namespace that this thread is in, with room for so many
/// connections.
pub fn bypass(
    attach: AttachMode,
    congestion_control: CongestionControl,
    connections_max: usize,
) -> BypassTransport<AfXdpDevice> {
    let server: std::net::SocketAddr = BYPASS.parse().expect("an address");
    let redirection = Redirection {
        addresses: vec![server.ip()],
        ports: vec![server.port()],
        vlan: None,
    };
    let options = AfXdpOptions {
        attach,
        ..AfXdpOptions::new("near", redirection)
    };
    let mut interface = AfXdpInterface::open(options).unwrap_or_else(|e| panic!("{e}"));
    let device = interface
        .devices(1)
        .unwrap_or_else(|e| panic!("{e}"))
        .remove(0);
    let options = BypassOptions {
        congestion_control,
        connections_max,
        ..BypassOptions::new(server.ip(), 24)
    };
    BypassTransport::new(device, options).expect("it starts")
}

/// Pins the calling thread; where that is not allowed, the figures are noisier.
pub fn pin(core: usize) {
    // SAFETY: all-zero bytes are an empty cpu_set_t.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: `core` is below the set's size.
    unsafe { libc::CPU_SET(core, &mut set) };
    // SAFETY: the set outlives the call.
    unsafe { libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &set) };
}

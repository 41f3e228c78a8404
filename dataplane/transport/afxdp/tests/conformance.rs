//! AF_XDP over a veth pair passes the suite of frame devices, in both modes, and so does the
//! AF_PACKET device that is its peer. Needs root.

use std::os::fd::BorrowedFd;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use precursor_tests_netns::Wire;
use precursor_transport_afxdp::{
    AfXdpDevice, AfXdpInterface, AfXdpOptions, AttachMode, PacketDevice, Redirection,
};
use precursor_transport_port::frame_conformance::FrameLink;
use precursor_transport_port::frame_conformance_suite;

frame_conformance_suite!(
    native,
    AfXdpLink::new(AttachMode::Native, 1, 2048),
    readable
);
frame_conformance_suite!(skb, AfXdpLink::new(AttachMode::Skb, 1, 2048), readable);
frame_conformance_suite!(
    small_rings,
    AfXdpLink::new(AttachMode::Native, 1, 64),
    readable
);
frame_conformance_suite!(
    two_queues,
    AfXdpLink::new(AttachMode::Native, 2, 512),
    readable
);
frame_conformance_suite!(packet, PacketLink(Wire::new(1)), readable);

struct AfXdpLink {
    wire: Wire,
    attach: AttachMode,
    ring_frames: u32,
}

impl AfXdpLink {
    fn new(attach: AttachMode, queues: u32, ring_frames: u32) -> AfXdpLink {
        AfXdpLink {
            wire: Wire::new(queues),
            attach,
            ring_frames,
        }
    }
}

impl FrameLink for AfXdpLink {
    type Device = AfXdpDevice;
    type Peer = PacketDevice;

    fn devices(&mut self) -> (AfXdpDevice, PacketDevice) {
        let redirection = Redirection {
            addresses: vec![(*self.address().ip()).into()],
            ports: vec![self.address().port()],
            vlan: None,
        };
        let options = AfXdpOptions {
            attach: self.attach,
            ring_frames: self.ring_frames,
            ..AfXdpOptions::new(self.wire.near.interface(), redirection)
        };
        let near = self.wire.near.enter();
        let mut interface = AfXdpInterface::open(options).unwrap_or_else(|e| panic!("{e}"));
        let mut devices = interface.devices(1).unwrap_or_else(|e| panic!("{e}"));
        println!("{}", interface.report());
        drop(near);
        let _far = self.wire.far.enter();
        let peer = PacketDevice::open(self.wire.far.interface()).expect("a peer");
        (devices.remove(0), peer)
    }
}

struct PacketLink(Wire);

impl FrameLink for PacketLink {
    type Device = PacketDevice;
    type Peer = PacketDevice;

    fn devices(&mut self) -> (PacketDevice, PacketDevice) {
        let open = |end: &precursor_tests_netns::Namespace| {
            let _entered = end.enter();
            PacketDevice::open(end.interface()).expect("an AF_PACKET socket")
        };
        (open(&self.0.near), open(&self.0.far))
    }
}

fn readable(descriptor: BorrowedFd<'_>, wait: Duration) -> bool {
    let timeout = PollTimeout::try_from(wait).expect("a short wait");
    let mut set = [PollFd::new(descriptor, PollFlags::POLLIN)];
    poll(&mut set, timeout).expect("polling works") > 0
}

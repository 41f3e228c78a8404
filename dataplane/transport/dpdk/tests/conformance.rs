//! DPDK's devices pass the suite of frame devices: two ports joined by rings, net_af_packet and
//! net_af_xdp on one end of a veth pair, and net_tap, whose port checks and inserts checksums. Needs
//! root, and libdpdk on the build host.

use std::os::fd::BorrowedFd;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use precursor_tests_netns::Wire;
use precursor_transport_afxdp::PacketDevice;
use precursor_transport_dpdk::{DpdkDevice, DpdkInterface, DpdkOptions};
use precursor_transport_port::frame_conformance::FrameLink;
use precursor_transport_port::frame_conformance_suite;

// Rings refuse what does not fit, so that nothing overruns them.
frame_conformance_suite!(rings, RingLink, never,
    the_facts_are_sane
    frames_arrive_whole
    gathered_slices_leave_as_one_frame
    a_burst_keeps_to_its_bound
    capacity_is_kept_and_comes_back
    a_full_device_refuses
    both_ways_in_order
);
frame_conformance_suite!(af_packet, VethLink::new("net_af_packet"), never);
frame_conformance_suite!(af_xdp, VethLink::new("net_af_xdp"), never);

fn options() -> DpdkOptions {
    DpdkOptions {
        log: |level, line| println!("{level:?} {line}"),
        ..DpdkOptions::new("", Vec::new())
    }
}

/// Names are the process's: no device has one twice.
fn number() -> u32 {
    static COUNT: AtomicU32 = AtomicU32::new(1);
    COUNT.fetch_add(1, Ordering::Relaxed)
}

fn device(interface: DpdkInterface) -> DpdkDevice {
    println!("{}", interface.report());
    interface.devices(1).expect("a queue").remove(0)
}

struct RingLink;

impl FrameLink for RingLink {
    type Device = DpdkDevice;
    type Peer = DpdkDevice;

    fn devices(&mut self) -> (DpdkDevice, DpdkDevice) {
        let name = format!("ring{}", number());
        let pair = DpdkInterface::ring_pair(&name, 2048, &options());
        let (near, far) = pair.unwrap_or_else(|error| panic!("{error}"));
        (device(near), device(far))
    }
}

struct VethLink {
    driver: &'static str,
    wire: Wire,
}

impl VethLink {
    fn new(driver: &'static str) -> VethLink {
        VethLink {
            driver,
            wire: Wire::new(1),
        }
    }
}

impl FrameLink for VethLink {
    type Device = DpdkDevice;
    type Peer = PacketDevice;

    fn devices(&mut self) -> (DpdkDevice, PacketDevice) {
        let near = self.wire.near.enter();
        let (driver, interface) = (self.driver, self.wire.near.interface());
        let words = format!("{driver}{},iface={interface}", number());
        let opened = DpdkInterface::plug(&words, &options(), 1);
        let device = device(opened.unwrap_or_else(|error| panic!("{error}")));
        drop(near);
        let _far = self.wire.far.enter();
        let peer = PacketDevice::open(self.wire.far.interface()).expect("a peer");
        (device, peer)
    }
}

/// No device of DPDK's is waited on.
fn never(_: BorrowedFd<'_>, _: Duration) -> bool {
    unreachable!("there is no descriptor")
}

/// A closed port leaves nothing in the kernel, and its interface can be opened again (not by
/// net_af_xdp of 22.11 within one process).
#[test]
fn a_closed_port_leaves_the_interface_as_it_was() {
    for (driver, times) in [("net_af_packet", 3), ("net_af_xdp", 1)] {
        let mut link = VethLink::new(driver);
        let shown = |link: &VethLink| link.wire.near.ip(&["-d", "link", "show", "near"]);
        let before = shown(&link);
        for _ in 0..times {
            let ends = link.devices();
            // The driver looks its interface up here to take its program off.
            let near = link.wire.near.enter();
            drop(ends);
            drop(near);
            assert_eq!(shown(&link), before, "{driver}");
        }
    }
}

#[test]
fn a_device_that_is_not_there_is_a_sentence() {
    let refused = DpdkInterface::plug("net_af_packet99,iface=nowhere", &options(), 1);
    let sentence = refused.err().expect("there is none").to_string();
    println!("{sentence}");
    assert!(sentence.contains("net_af_packet99"), "{sentence}");
    let lost = Command::new("ip")
        .args(["link", "show", "nowhere"])
        .output();
    assert!(!lost.expect("ip").status.success());
}

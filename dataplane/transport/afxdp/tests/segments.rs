//! Frames larger than the interface's leave as segments that the kernel cuts. Needs root.

use std::io::IoSlice;
use std::process::Command;
use std::time::{Duration, Instant};

use precursor_memory::CountingAllocator;
use precursor_tests_netns::Wire;
use precursor_transport_afxdp::{
    AfXdpDevice, AfXdpInterface, AfXdpOptions, AttachMode, PacketDevice, Redirection,
};
use precursor_transport_port::{FrameDevice, SendOffload};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

const PATIENCE: Duration = Duration::from_secs(60);
const TCP_BYTES: usize = 32;
const PAYLOAD: usize = 65_000;
const FIRST: u32 = u32::MAX - 20_000;
const PUSH: u8 = 8;

fn open(vlan: Option<u16>, attach: AttachMode) -> AfXdpDevice {
    let redirection = Redirection {
        addresses: vec!["10.0.0.2".parse().unwrap(), "fd00::2".parse().unwrap()],
        ports: vec![9092],
        vlan,
    };
    let options = AfXdpOptions {
        attach,
        ..AfXdpOptions::new("near", redirection)
    };
    let mut interface = AfXdpInterface::open(options).unwrap_or_else(|error| panic!("{error}"));
    let mut devices = interface
        .devices(1)
        .unwrap_or_else(|error| panic!("{error}"));
    devices.remove(0)
}

/// The device and its peer; None where the kernel finishes no checksums, so that nothing is cut.
fn ends(wire: &Wire, attach: AttachMode) -> Option<(AfXdpDevice, PacketDevice)> {
    let near = wire.near.enter();
    let device = open(None, attach);
    drop(near);
    let _far = wire.far.enter();
    let capabilities = device.capabilities();
    match capabilities.send_checksums {
        true => assert_eq!(capabilities.segmentation_bytes_max, PAYLOAD),
        false => assert_eq!(capabilities.segmentation_bytes_max, 0),
    }
    let peer = PacketDevice::open("far").unwrap();
    capabilities.send_checksums.then_some((device, peer))
}

fn cut_by_hand(wire: &Wire) {
    // With a device that cannot, so that what arrives is seen cut and finished.
    let mut ethtool: Command = wire.near.command("ethtool");
    let words = ["-K", "near", "tx", "off", "tso", "off"];
    assert!(ethtool.args(words).output().unwrap().status.success());
}

/// The sum in ones' complement.
fn ones_sum(parts: &[&[u8]]) -> u16 {
    let bytes: Vec<u8> = parts.concat();
    let words = bytes.chunks(2);
    let sum: u64 = words
        .map(|pair| u64::from(pair[0]) << 8 | u64::from(pair.get(1).copied().unwrap_or(0)))
        .sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    let folded = (folded & 0xffff) + (folded >> 16);
    ((folded & 0xffff) + (folded >> 16)) as u16
}

fn tcp_start(v6: bool) -> usize {
    if v6 { 54 } else { 34 }
}

/// Payload of a frame of 1,500 bytes.
fn segment(v6: bool) -> usize {
    1_514 - tcp_start(v6) - TCP_BYTES
}

/// The addresses of a frame and what else the pseudo-header has.
fn pseudo_sum(frame: &[u8], v6: bool) -> u16 {
    let length = ((frame.len() - tcp_start(v6)) as u32).to_be_bytes();
    let addresses = if v6 { &frame[22..54] } else { &frame[26..34] };
    ones_sum(&[addresses, &length, &[0, 6]])
}

/// A frame of TCP with timestamps, whose checksum is that of the pseudo-header.
fn unfinished(to: [u8; 6], v6: bool, payload: &[u8]) -> Vec<u8> {
    let mut frame = Vec::from(to);
    frame.extend([2, 0, 0, 0, 0, 9]);
    let bytes = (TCP_BYTES + payload.len()) as u16;
    if v6 {
        let [near, far] = ["fd00::2", "fd00::1"].map(|text| text.parse::<std::net::Ipv6Addr>());
        frame.extend([0x86, 0xdd, 0x60, 0, 0, 0]);
        frame.extend(bytes.to_be_bytes());
        frame.extend([6, 64]);
        frame.extend(near.unwrap().octets());
        frame.extend(far.unwrap().octets());
    } else {
        frame.extend([8, 0, 0x45, 0]);
        frame.extend((20 + bytes).to_be_bytes());
        frame.extend([0, 0, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 2, 10, 0, 0, 1]);
        let sum = !ones_sum(&[&frame[14..34]]);
        frame[24..26].copy_from_slice(&sum.to_be_bytes());
    }
    frame.extend([0x23, 0x84, 0x80, 1]);
    frame.extend(FIRST.to_be_bytes());
    frame.extend([0, 0, 0, 1, 0x80, 16 | PUSH, 1, 0, 0, 0, 0, 0]);
    frame.extend([1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2]);
    frame.extend(payload);
    let at = tcp_start(v6) + 16;
    let sum = pseudo_sum(&frame, v6);
    frame[at..at + 2].copy_from_slice(&sum.to_be_bytes());
    frame
}

fn offload(v6: bool) -> SendOffload {
    SendOffload {
        checksum_start: tcp_start(v6) as u16,
        checksum_offset: 16,
        segment_bytes: segment(v6) as u16,
    }
}

/// Headers, and the payload in several slices, as the netstack sends them.
fn send(device: &mut AfXdpDevice, frame: &[u8], v6: bool) -> bool {
    let (headers, payload) = frame.split_at(tcp_start(v6) + TCP_BYTES);
    let mut slices = vec![IoSlice::new(headers)];
    slices.extend(payload.chunks(4_096).map(IoSlice::new));
    device.send_offloaded(&slices, offload(v6))
}

fn collect(peer: &mut PacketDevice, enough: usize) -> Vec<Vec<u8>> {
    let mut received = Vec::new();
    let start = Instant::now();
    while received.len() < enough {
        assert!(start.elapsed() < PATIENCE, "{} came", received.len());
        peer.receive_burst(64, &mut |frame| {
            if frame[6..12] == [2, 0, 0, 0, 0, 9] {
                received.push(frame.to_vec());
            }
        });
    }
    received
}

#[test]
fn the_kernel_cuts_large_frames_in_order_with_others() {
    for (v6, attach) in [
        (false, AttachMode::Native),
        (true, AttachMode::Native),
        (false, AttachMode::Skb),
    ] {
        let wire = Wire::new(1);
        cut_by_hand(&wire);
        let Some((mut device, mut peer)) = ends(&wire, attach) else {
            return;
        };
        let payload: Vec<u8> = (0..PAYLOAD).map(|at| (at % 251) as u8).collect();
        let large = unfinished(peer.mac_address(), v6, &payload);
        let small = unfinished(peer.mac_address(), v6, &payload[..10]);
        assert!(device.send(&[IoSlice::new(&small)]), "it waits for a flush");
        assert!(send(&mut device, &large, v6));
        assert!(device.send(&[IoSlice::new(&small)]));
        device.flush();
        let count = PAYLOAD.div_ceil(segment(v6));
        let received = collect(&mut peer, count + 2);
        assert_eq!(received[0], small, "what was queued before leaves before");
        assert_eq!(received[count + 1], small);
        let start = tcp_start(v6);
        let mut carried = Vec::new();
        for (number, frame) in received[1..=count].iter().enumerate() {
            let at = start + 4;
            let sequence = u32::from_be_bytes(frame[at..at + 4].try_into().unwrap());
            assert_eq!(sequence, FIRST.wrapping_add((number * segment(v6)) as u32));
            let pushes = frame[start + 13] & PUSH != 0;
            assert_eq!(pushes, number + 1 == count, "segment {number}");
            let sum = pseudo_sum(frame, v6);
            let sum = ones_sum(&[&sum.to_be_bytes(), &frame[start..]]);
            assert_eq!(sum, 0xffff, "the checksum of segment {number} is right");
            assert!(frame.len() <= 1_514);
            carried.extend_from_slice(&frame[start + TCP_BYTES..]);
        }
        assert!(carried == payload);
        let counters = device.counters();
        assert_eq!((counters.sent, counters.send_dropped), (3, 0));
    }
}

#[test]
fn a_driver_that_carries_large_frames_gets_them_whole() {
    let wire = Wire::new(1);
    let Some((mut device, mut peer)) = ends(&wire, AttachMode::Native) else {
        return;
    };
    let payload: Vec<u8> = (0..PAYLOAD).map(|at| (at % 241) as u8).collect();
    let frame = unfinished(peer.mac_address(), false, &payload);
    assert!(send(&mut device, &frame, false));
    let received = collect(&mut peer, 1);
    assert_eq!(received.len(), 1);
    assert!(received[0] == frame, "no byte was touched");
}

#[test]
fn what_cannot_leave_is_lost_and_counted() {
    let wire = Wire::new(1);
    let Some((mut device, peer)) = ends(&wire, AttachMode::Native) else {
        return;
    };
    wire.near.ip(&["link", "set", "near", "down"]);
    let frame = unfinished(peer.mac_address(), false, &[7; 5_000]);
    assert!(send(&mut device, &frame, false));
    assert_eq!(device.counters().send_dropped, 1);
}

/// While the interface sends nothing, the kernel holds only so much; what it refuses is kept.
#[test]
fn a_full_kernel_refuses_and_takes_again() {
    let wire = Wire::new(1);
    let Some((mut device, peer)) = ends(&wire, AttachMode::Native) else {
        return;
    };
    let queue = |words: &[&str]| {
        let mut tc = wire.near.command("tc");
        tc.args(["qdisc"]).args(words);
        let output = tc.output().expect("`tc` is needed");
        assert!(output.status.success(), "{output:?}");
    };
    let slow = ["rate", "8kbit", "burst", "100k", "limit", "100m"];
    queue(&[&["add", "dev", "near", "root", "tbf"][..], &slow].concat());
    let frame = unfinished(peer.mac_address(), false, &[7; PAYLOAD]);
    let mut taken = 0;
    while send(&mut device, &frame, false) {
        taken += 1;
        assert!(taken < 1_000, "what takes everything has no bound");
    }
    assert!(taken > 10, "{taken}");
    let counters = device.counters();
    assert_eq!((counters.sent, counters.send_dropped), (taken, 0));
    queue(&["del", "dev", "near", "root"]);
    assert!(send(&mut device, &frame, false));
}

#[test]
fn tagged_frames_are_not_left_to_the_kernel() {
    let wire = Wire::new(1);
    let _near = wire.near.enter();
    let device = open(Some(7), AttachMode::Native);
    assert_eq!(device.capabilities().segmentation_bytes_max, 0);
}

#[test]
fn sending_large_frames_allocates_nothing() {
    let wire = Wire::new(1);
    let Some((mut device, peer)) = ends(&wire, AttachMode::Native) else {
        return;
    };
    let frame = unfinished(peer.mac_address(), false, &[7; 20_000]);
    let (headers, payload) = frame.split_at(tcp_start(false) + TCP_BYTES);
    let slices = [IoSlice::new(headers), IoSlice::new(payload)];
    let ((), counts) = CountingAllocator::counted(|| {
        for _ in 0..100 {
            assert!(device.send_offloaded(&slices, offload(false)));
        }
    });
    assert_eq!(counts.total(), 0, "{counts:?}");
    assert_eq!(device.counters().sent, 100);
}

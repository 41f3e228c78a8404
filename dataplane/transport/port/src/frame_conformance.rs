//! One suite that every [`FrameDevice`] passes: `frame_conformance_suite!(name, link)` makes a
//! module with one test per rule. The frames are TCP segments over IPv4 to the link's address, so
//! that a device that filters lets them through.

use std::io::IoSlice;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use crate::FrameDevice;

/// Two devices that see each other's frames. The suite tests the first; the second is its peer.
pub trait FrameLink {
    type Device: FrameDevice;
    type Peer: FrameDevice;

    fn devices(&mut self) -> (Self::Device, Self::Peer);

    /// Where the frames to the device under test are addressed.
    fn address(&self) -> SocketAddrV4 {
        SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 2), 9092)
    }
}

const PATIENCE: Duration = Duration::from_secs(60);
/// What stands before the payload of the suite's frames.
const HEADERS: usize = 14 + 20 + 20;
/// Marks the suite's frames among whatever else passes on a link.
const MARK: [u8; 4] = *b"Pcfr";
/// Smallest payload: the mark and the frame's number.
const PAYLOAD_MIN: usize = 8;
const PEER: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 1), 40_000);

/// A link's two ends and what they take.
struct Ends<L: FrameLink> {
    device: L::Device,
    peer: L::Peer,
    address: SocketAddrV4,
}

impl<L: FrameLink> Ends<L> {
    fn new(link: &mut L) -> Ends<L> {
        let (device, peer) = link.devices();
        Ends {
            device,
            peer,
            address: link.address(),
        }
    }

    fn to_device(&self, number: u32, bytes: usize) -> Vec<u8> {
        let (to, from) = (self.device.mac_address(), self.peer.mac_address());
        frame(to, from, PEER, self.address, number, bytes)
    }

    fn to_peer(&self, number: u32, bytes: usize) -> Vec<u8> {
        let (to, from) = (self.peer.mac_address(), self.device.mac_address());
        frame(to, from, self.address, PEER, number, bytes)
    }

    /// Queues a frame at the peer.
    fn feed(&mut self, number: u32, bytes: usize) {
        let frame = self.to_device(number, bytes);
        push(&mut self.peer, &[IoSlice::new(&frame)]);
    }

    /// Queues a frame at the device.
    fn give(&mut self, number: u32, bytes: usize) {
        let frame = self.to_peer(number, bytes);
        push(&mut self.device, &[IoSlice::new(&frame)]);
    }

    /// Bytes of the largest untagged frame that both ends carry.
    fn frame_bytes_max(&self) -> usize {
        self.device.mtu().min(self.peer.mtu()) + 14
    }
}

fn frame(
    to: [u8; 6],
    from: [u8; 6],
    source: SocketAddrV4,
    destination: SocketAddrV4,
    number: u32,
    bytes: usize,
) -> Vec<u8> {
    assert!(bytes >= HEADERS + PAYLOAD_MIN);
    let mut frame = Vec::with_capacity(bytes);
    frame.extend_from_slice(&to);
    frame.extend_from_slice(&from);
    frame.extend_from_slice(&[0x08, 0x00]);
    let ip_bytes = (bytes - 14) as u16;
    frame.extend_from_slice(&[0x45, 0]);
    frame.extend_from_slice(&ip_bytes.to_be_bytes());
    frame.extend_from_slice(&[0, 0, 0x40, 0, 64, 6, 0, 0]);
    frame.extend_from_slice(&source.ip().octets());
    frame.extend_from_slice(&destination.ip().octets());
    let sum = !ones_complement(&frame[14..34]);
    frame[24..26].copy_from_slice(&sum.to_be_bytes());
    frame.extend_from_slice(&source.port().to_be_bytes());
    frame.extend_from_slice(&destination.port().to_be_bytes());
    frame.extend_from_slice(&number.to_be_bytes());
    frame.extend_from_slice(&[0, 0, 0, 0, 0x50, 0x10, 0xff, 0xff, 0, 0, 0, 0]);
    frame.extend_from_slice(&MARK);
    frame.extend_from_slice(&number.to_be_bytes());
    while frame.len() < bytes {
        frame.push((frame.len() % 251) as u8 ^ number as u8);
    }
    frame
}

fn ones_complement(bytes: &[u8]) -> u16 {
    let mut sum: u32 = bytes
        .chunks(2)
        .map(|pair| u32::from(pair[0]) << 8 | u32::from(pair.get(1).copied().unwrap_or(0)))
        .sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}

/// Takes the suite's frames out of a device; others that a link may carry are passed over.
fn take_into(device: &mut impl FrameDevice, frames_max: usize, into: &mut Vec<Vec<u8>>) -> usize {
    let mut calls = 0;
    let count = device.receive_burst(frames_max, &mut |frame| {
        calls += 1;
        if frame.get(HEADERS..HEADERS + 4) == Some(&MARK) {
            into.push(frame.to_vec());
        }
    });
    assert_eq!(calls, count, "the count is the number of calls");
    assert!(count <= frames_max, "a burst keeps to its bound");
    count
}

/// Looks until `enough` frames have come.
fn collect(device: &mut impl FrameDevice, enough: usize, into: &mut Vec<Vec<u8>>) {
    let start = Instant::now();
    while into.len() < enough {
        let waited = start.elapsed();
        assert!(waited < PATIENCE, "{} of {enough} frames came", into.len());
        if take_into(device, 32, into) == 0 {
            device.flush();
            std::thread::yield_now();
        }
    }
}

/// Queues a frame, waiting for room.
fn push(device: &mut impl FrameDevice, slices: &[IoSlice<'_>]) {
    let start = Instant::now();
    while !device.send(slices) {
        assert!(start.elapsed() < PATIENCE, "room for sending never came");
        device.flush();
        std::thread::yield_now();
    }
}

/// The facts that the netstack builds on.
pub fn the_facts_are_sane<L: FrameLink>(link: &mut L) {
    let ends = Ends::new(link);
    let mac = ends.device.mac_address();
    assert_ne!(mac, [0; 6]);
    assert_eq!(mac[0] & 1, 0, "a device's address is no group's");
    assert!(ends.device.mtu() >= 576);
    assert!(ends.device.send_capacity() > 0);
    assert!(!ends.device.capabilities().name.is_empty());
    assert_eq!(ends.device.counters().received, 0);
}

/// Frames of every size, the largest too, arrive as they were sent.
pub fn frames_arrive_whole<L: FrameLink>(link: &mut L) {
    let mut ends = Ends::new(link);
    let sizes = [62, 63, 64, 65, 590, 1000, ends.frame_bytes_max()];
    for (number, bytes) in (0..).zip(sizes) {
        let sent = ends.to_device(number, bytes);
        push(&mut ends.peer, &[IoSlice::new(&sent)]);
        ends.peer.flush();
        let mut received = Vec::new();
        collect(&mut ends.device, 1, &mut received);
        assert_eq!(received, [sent], "{bytes} bytes");
    }
    assert!(ends.device.counters().received >= sizes.len() as u64);
}

/// A frame of several slices, empty ones among them, leaves as one.
pub fn gathered_slices_leave_as_one_frame<L: FrameLink>(link: &mut L) {
    let mut ends = Ends::new(link);
    for (number, bytes) in (0..).zip([62, 400, ends.frame_bytes_max()]) {
        let frame = ends.to_peer(number, bytes);
        let (head, rest) = frame.split_at(14);
        let (middle, tail) = rest.split_at(rest.len() / 3);
        let slices = [head, &[], middle, tail, &[]].map(IoSlice::new);
        push(&mut ends.device, &slices);
        ends.device.flush();
        let mut received = Vec::new();
        collect(&mut ends.peer, 1, &mut received);
        assert_eq!(received, [frame], "{bytes} bytes");
    }
    assert_eq!(ends.device.counters().sent, 3);
}

/// A burst takes no more than asked for; the rest comes with the next ones, in order.
pub fn a_burst_keeps_to_its_bound<L: FrameLink>(link: &mut L) {
    const COUNT: u32 = 20;
    let mut ends = Ends::new(link);
    let frames: Vec<_> = (0..COUNT)
        .map(|number| ends.to_device(number, 100))
        .collect();
    for frame in &frames {
        push(&mut ends.peer, &[IoSlice::new(frame)]);
    }
    ends.peer.flush();
    let mut received = Vec::new();
    assert_eq!(take_into(&mut ends.device, 0, &mut received), 0);
    let start = Instant::now();
    while received.len() < frames.len() {
        assert!(start.elapsed() < PATIENCE, "{} came", received.len());
        take_into(&mut ends.device, 3, &mut received);
    }
    assert_eq!(received, frames);
}

/// What `send_capacity` says can be sent without a flush; one more is refused or was room that came
/// back; nothing that was taken is lost; and room comes back.
pub fn capacity_is_kept_and_comes_back<L: FrameLink>(link: &mut L) {
    let mut ends = Ends::new(link);
    let capacity = ends.device.send_capacity();
    let mut received = Vec::new();
    let mut sent = Vec::new();
    for round in 0..3 {
        for _ in 0..ends.device.send_capacity() {
            let frame = ends.to_peer(sent.len() as u32, 80);
            assert!(ends.device.send(&[IoSlice::new(&frame)]), "round {round}");
            sent.push(frame);
            // A peer's own room is not what is tested.
            if sent.len().is_multiple_of(64) {
                ends.device.flush();
                collect(&mut ends.peer, sent.len() - 32, &mut received);
            }
        }
        ends.device.flush();
        collect(&mut ends.peer, sent.len(), &mut received);
        let start = Instant::now();
        while ends.device.send_capacity() < capacity {
            assert!(start.elapsed() < PATIENCE, "room never came back");
            ends.device.flush();
        }
    }
    assert!(received == sent, "what was taken arrives in order");
}

/// Without a flush the room is bounded, and the refusal costs nothing.
pub fn a_full_device_refuses<L: FrameLink>(link: &mut L) {
    let mut ends = Ends::new(link);
    let mut taken = 0u32;
    let frame = ends.to_peer(0, 62);
    while ends.device.send(&[IoSlice::new(&frame)]) {
        taken += 1;
        assert!(taken < 1 << 20, "what takes everything has no bound");
    }
    assert_eq!(ends.device.send_capacity(), 0);
    let start = Instant::now();
    while ends.device.send_capacity() == 0 {
        assert!(start.elapsed() < PATIENCE, "room never came");
        ends.device.flush();
    }
    assert!(ends.device.send(&[IoSlice::new(&frame)]));
}

/// Many times what the rings hold goes both ways, in order.
pub fn both_ways_in_order<L: FrameLink>(link: &mut L) {
    const ROUNDS: u32 = 400;
    const BURST: u32 = 30;
    let mut ends = Ends::new(link);
    let (mut at_device, mut at_peer) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let bytes = 62 + (round as usize * 37) % (ends.frame_bytes_max() - 62);
        for number in round * BURST..(round + 1) * BURST {
            ends.feed(number, bytes);
            ends.give(number, bytes);
        }
        ends.peer.flush();
        ends.device.flush();
        at_device.clear();
        at_peer.clear();
        collect(&mut ends.device, BURST as usize, &mut at_device);
        collect(&mut ends.peer, BURST as usize, &mut at_peer);
        for (number, (device, peer)) in (round * BURST..).zip(at_device.iter().zip(&at_peer)) {
            assert!(*device == ends.to_device(number, bytes), "frame {number}");
            assert!(*peer == ends.to_peer(number, bytes), "frame {number}");
        }
    }
    assert_eq!(ends.device.counters().sent, u64::from(ROUNDS * BURST));
    assert_eq!(ends.device.counters().receive_dropped, 0);
    assert_eq!(ends.device.counters().send_dropped, 0);
}

/// Nobody receives while far more arrives than the device holds: some are dropped, none is torn,
/// and afterwards the device works on.
pub fn an_overrun_is_survived<L: FrameLink>(link: &mut L) {
    let mut ends = Ends::new(link);
    for number in 0..20_000 {
        ends.feed(number, 200);
        if number % 32 == 31 {
            ends.peer.flush();
        }
    }
    ends.peer.flush();
    let last = 1_000_000;
    let mut received = Vec::new();
    let start = Instant::now();
    // The frames that found room come first; then a late one is seen.
    while received.last() != Some(&ends.to_device(last, 200)) {
        assert!(start.elapsed() < PATIENCE, "the device never recovered");
        ends.feed(last, 200);
        ends.peer.flush();
        take_into(&mut ends.device, 64, &mut received);
        ends.device.flush();
    }
    let mut before = None;
    for frame in &received {
        let number = u32::from_be_bytes(frame[HEADERS + 4..HEADERS + 8].try_into().unwrap());
        assert!(
            *frame == ends.to_device(number, 200),
            "frame {number} is torn"
        );
        assert!(before.is_none_or(|before| before <= number));
        before = Some(number);
    }
}

/// The wait descriptor becomes readable by a frame and is quiet when all are taken.
pub fn the_wait_descriptor_tells<L: FrameLink>(
    link: &mut L,
    is_readable: impl Fn(BorrowedFd<'_>, Duration) -> bool,
) {
    let mut ends = Ends::new(link);
    let readable = |device: &L::Device, wait| {
        let descriptor = device.wait_descriptor().expect("it stays");
        is_readable(descriptor, wait)
    };
    if ends.device.wait_descriptor().is_none() {
        return;
    }
    let mut received = Vec::new();
    for number in 0..5 {
        while readable(&ends.device, Duration::from_millis(30)) {
            take_into(&mut ends.device, 64, &mut received);
        }
        received.clear();
        ends.feed(number, 100);
        ends.peer.flush();
        assert!(readable(&ends.device, PATIENCE), "frame {number} is told");
        collect(&mut ends.device, 1, &mut received);
    }
}

/// Makes a module of tests that hold `$link` (an expression of a [`FrameLink`], evaluated per
/// test) to the rules of [`FrameDevice`]. `$readable` waits for a descriptor to become readable.
#[macro_export]
macro_rules! frame_conformance_suite {
    ($module:ident, $link:expr, $readable:expr) => {
        $crate::frame_conformance_suite!($module, $link, $readable,
            the_facts_are_sane
            frames_arrive_whole
            gathered_slices_leave_as_one_frame
            a_burst_keeps_to_its_bound
            capacity_is_kept_and_comes_back
            a_full_device_refuses
            both_ways_in_order
            an_overrun_is_survived
        );
    };
    ($module:ident, $link:expr, $readable:expr, $($rule:ident)*) => {
        mod $module {
            #[allow(unused_imports)]
            use super::*;
            $(
                #[test]
                fn $rule() {
                    $crate::frame_conformance::$rule(&mut $link);
                }
            )*

            #[test]
            fn the_wait_descriptor_tells() {
                $crate::frame_conformance::the_wait_descriptor_tells(&mut $link, $readable);
            }
        }
    };
}

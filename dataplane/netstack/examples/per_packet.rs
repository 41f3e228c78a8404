//! What a packet costs at few and at many established connections: nanoseconds of the stack for a
//! question of 64 bytes that is received, read, answered with 64 bytes, and sent.
//!
//! `cargo run --release -p precursor-netstack --example per_packet`

use std::io::IoSlice;
use std::net::IpAddr;
use std::time::Instant;

use precursor_netstack::{Event, Stack, StackConfig};

const MAC: [u8; 6] = [2, 0, 0, 0, 0, 1];
const PEER_MAC: [u8; 6] = [2, 0, 0, 0, 0, 2];
const OWN: [u8; 4] = [10, 0, 0, 1];
const SYN: u8 = 2;
const ACK: u8 = 16;

/// A generated peer.
#[derive(Clone, Copy)]
struct Peer {
    address: [u8; 4],
    port: u16,
    next: u32,
    acknowledged: u32,
}

impl Peer {
    fn new(number: usize) -> Peer {
        let host = number / 50_000;
        Peer {
            address: [10, 1, (host >> 8) as u8, host as u8 + 1],
            port: 10_000 + (number % 50_000) as u16,
            next: 100,
            acknowledged: 0,
        }
    }

    /// A frame with this payload. TCP's checksum is left to a device that checks it.
    fn frame(&self, flags: u8, options: &[u8], payload: usize) -> Vec<u8> {
        let tcp = 20 + options.len() + payload;
        let mut frame = Vec::with_capacity(54 + tcp);
        frame.extend(MAC);
        frame.extend(PEER_MAC);
        frame.extend([8, 0, 0x45, 0]);
        frame.extend((20 + tcp as u16).to_be_bytes());
        frame.extend([0, 0, 0x40, 0, 64, 6, 0, 0]);
        frame.extend(self.address);
        frame.extend(OWN);
        let mut total: u32 = 0;
        for pair in frame[14..34].chunks(2) {
            total += u32::from(pair[0]) << 8 | u32::from(pair[1]);
        }
        while total > 0xffff {
            total = (total & 0xffff) + (total >> 16);
        }
        let sum = !(total as u16);
        frame[24..26].copy_from_slice(&sum.to_be_bytes());
        frame.extend(self.port.to_be_bytes());
        frame.extend(9092_u16.to_be_bytes());
        frame.extend(self.next.to_be_bytes());
        frame.extend(self.acknowledged.to_be_bytes());
        frame.extend([(5 + options.len() as u8 / 4) << 4, flags]);
        frame.extend(60_000_u16.to_be_bytes());
        frame.extend([0; 4]);
        frame.extend(options);
        frame.resize(34 + tcp, 7);
        frame
    }
}

fn establish(stack: &mut Stack, count: usize, now: u64) -> Vec<Peer> {
    let options = [2, 4, 5, 0xb4, 1, 1, 4, 2, 1, 3, 3, 7];
    let mut events = Vec::with_capacity(64);
    let mut establish_one = |number| {
        let mut peer = Peer::new(number);
        stack.receive(&peer.frame(SYN, &options, 0), now);
        stack.transmit(now, 8, &mut |frame| {
            let header = &frame.slices[0];
            let first = u32::from_be_bytes(header[38..42].try_into().expect("four bytes"));
            peer.acknowledged = first.wrapping_add(1);
            true
        });
        peer.next += 1;
        stack.receive(&peer.frame(ACK, &[], 0), now);
        stack.transmit(now, 8, &mut |_| true);
        events.clear();
        stack.events(&mut events);
        peer
    };
    let peers = (0..count).map(&mut establish_one).collect();
    assert_eq!(stack.connection_count(), count);
    peers
}

/// Nanoseconds for each question, `talking` connections taking turns.
fn measure(
    stack: &mut Stack,
    peers: &mut [Peer],
    talking: usize,
    rounds: usize,
    now: &mut u64,
) -> f64 {
    let mut events = Vec::with_capacity(64);
    let mut buffer = [0; 4_096];
    let mut spent = 0_u128;
    let mut answered = 0;
    let stride = peers.len() / talking;
    for _ in 0..rounds {
        // Frames are built outside of what is measured, in bursts of a device's size.
        for burst in 0..talking.div_ceil(32) {
            let first = burst * 32;
            let last = (first + 32).min(talking);
            let frames: Vec<Vec<u8>> = (first..last)
                .map(|turn| peers[turn * stride].frame(ACK, &[], 64))
                .collect();
            *now += 20_000;
            let start = Instant::now();
            for frame in &frames {
                stack.receive(frame, *now);
            }
            stack.poll_timers(*now);
            events.clear();
            stack.events(&mut events);
            for event in &events {
                if let Event::Readable(id) = event {
                    let count = stack.recv(*id, &mut buffer).expect("bytes");
                    let answer = [IoSlice::new(&buffer[..count])];
                    answered += stack.send(*id, &answer).expect("taken");
                }
            }
            stack.transmit(*now, usize::MAX, &mut |_| true);
            spent += start.elapsed().as_nanos();
            for turn in first..last {
                let peer = &mut peers[turn * stride];
                peer.next = peer.next.wrapping_add(64);
                peer.acknowledged = peer.acknowledged.wrapping_add(64);
                // So that no more connections hold an answer than a burst has.
                stack.receive(&peer.frame(ACK, &[], 0), *now);
            }
            stack.transmit(*now, usize::MAX, &mut |_| true);
        }
    }
    assert_eq!(
        answered,
        64 * talking * rounds,
        "every question was answered"
    );
    spent as f64 / (talking * rounds) as f64
}

fn stack(connections_max: usize, now: u64) -> Stack {
    let mut config = StackConfig::new(MAC, IpAddr::from(OWN), 24, 1500, [3; 32]);
    config.gateways.push(IpAddr::from([10, 0, 0, 2]));
    config
        .static_neighbours
        .push((IpAddr::from([10, 0, 0, 2]), PEER_MAC));
    config.offloads.receive_checksum = true;
    config.limits.connections_max = connections_max;
    let mut stack = Stack::new(config, now);
    stack
        .listen("10.0.0.1:9092".parse().expect("an address"), 64)
        .expect("listens");
    stack
}

fn main() {
    let most = std::env::args()
        .nth(1)
        .map_or(100_000, |text| text.parse().expect("a number"));
    let mut now = 5_000_000_000;
    let mut small = stack(10, now);
    let mut few = establish(&mut small, 10, now);
    let mut large = stack(most, now);
    let mut many = establish(&mut large, most, now);
    let (mut at_few, mut at_many) = (f64::MAX, f64::MAX);
    // The two take turns, so that a slow moment of the machine meets both.
    for _ in 0..7 {
        at_few = at_few.min(measure(&mut small, &mut few, 10, 20_000, &mut now));
        at_many = at_many.min(measure(&mut large, &mut many, 10, 20_000, &mut now));
    }
    let all = measure(&mut large, &mut many, most, 4, &mut now);
    println!("10 connections, 10 talk: {at_few:.0} ns for a question and its answer");
    println!(
        "{most} connections, 10 talk: {at_many:.0} ns, ratio {:.2}",
        at_many / at_few
    );
    println!("{most} connections, all take turns: {all:.0} ns");
    println!(
        "{} bytes of control block and links for each connection",
        large.connection_bytes() / most
    );
}

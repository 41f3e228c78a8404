//! What a packet costs through DPDK on one core, without a card: two ports joined by rings.
//!
//! `cargo run --release -p precursor-transport-dpdk --example packets 5` (seconds each)
//!
//! A packet is copied into the sender's buffer, passes a ring, is looked at by the receiver and given
//! back; both ends are driven by one thread, so that a packet's cost is that of a send and a receive.
//! Cycles are those of the time-stamp counter.

use std::hint::black_box;
use std::io::IoSlice;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use precursor_netstack::{ConnectionId, Event, Frame, Stack, StackConfig};
use precursor_transport_dpdk::{DpdkDevice, DpdkInterface, DpdkOptions};
use precursor_transport_port::FrameDevice;

const RING_FRAMES: u32 = 2048;
/// Packets between two looks at the clock.
const ROUND: usize = 32_000;

fn pair(name: &str) -> (DpdkDevice, DpdkDevice) {
    let options = DpdkOptions::new("", Vec::new());
    let pair = DpdkInterface::ring_pair(name, RING_FRAMES, &options);
    let (near, far) = pair.unwrap_or_else(|error| panic!("{error}"));
    let device = |interface: DpdkInterface| interface.devices(1).expect("a queue").remove(0);
    (device(near), device(far))
}

#[cfg(target_arch = "x86_64")]
fn cycles() -> u64 {
    // SAFETY: reads a counter.
    unsafe { std::arch::x86_64::_rdtsc() }
}

#[cfg(not(target_arch = "x86_64"))]
fn cycles() -> u64 {
    0
}

/// Counts packets and the time that they took.
struct Meter {
    start: Instant,
    cycles: u64,
    packets: u64,
}

impl Meter {
    fn new() -> Meter {
        Meter {
            start: Instant::now(),
            cycles: cycles(),
            packets: 0,
        }
    }

    fn print(&self, what: &str, packet_bytes: f64) {
        let took = self.start.elapsed().as_secs_f64();
        let cycles = (cycles() - self.cycles) as f64 / self.packets as f64;
        let rate = self.packets as f64 / took;
        println!(
            "{what}: {:.2} million packets/s on one core, {cycles:.0} cycles each, {:.1} Gbit/s",
            rate / 1e6,
            rate * packet_bytes * 8.0 / 1e9
        );
    }
}

/// Bursts of `burst` frames of `bytes`, sent and received.
fn frames(limit: Duration, bytes: usize, burst: usize) {
    let (mut near, mut far) = pair(&format!("p{bytes}x{burst}"));
    let (head, body) = ([7; 54], vec![9; bytes - 54]);
    let slices = [IoSlice::new(&head), IoSlice::new(&body)];
    let mut meter = Meter::new();
    while meter.start.elapsed() < limit {
        for _ in 0..ROUND / burst {
            for _ in 0..burst {
                assert!(near.send(&slices), "the ring has room");
            }
            near.flush();
            let mut sum = 0;
            let count = far.receive_burst(burst, &mut |frame| sum += usize::from(frame[53]));
            assert_eq!(count, burst);
            black_box(sum);
            meter.packets += burst as u64;
        }
    }
    meter.print(
        &format!("frames of {bytes} bytes in bursts of {burst}"),
        bytes as f64,
    );
}

fn stack(side: usize, macs: [[u8; 6]; 2]) -> Stack {
    let address = |side: usize| IpAddr::from([10, 0, 0, 1 + side as u8]);
    let mut config = StackConfig::new(macs[side], address(side), 24, 1500, [side as u8; 32]);
    let other = 1 - side;
    config.static_neighbours.push((address(other), macs[other]));
    config.limits.connections_max = 8;
    config.limits.active_max = 8;
    config.limits.chunks_max = 4_096;
    Stack::new(config, 0)
}

/// Frames from a stack to the other, by the devices between them; returns how many were received.
fn carry(
    (from, out): (&mut Stack, &mut DpdkDevice),
    (to, into): (&mut Stack, &mut DpdkDevice),
    now: u64,
) -> u64 {
    from.transmit(now, 64, &mut |frame: &Frame<'_>| out.send(frame.slices));
    out.flush();
    into.receive_burst(64, &mut |frame| to.receive(frame, now)) as u64
}

/// One connection's bulk through two stacks.
fn bulk(limit: Duration) {
    let (mut near, mut far) = pair("bulk");
    let macs = [near.mac_address(), far.mac_address()];
    let (mut client, mut server) = (stack(0, macs), stack(1, macs));
    let address = "10.0.0.2:9092".parse().expect("an address");
    server.listen(address, 4).expect("listens");
    let id = client.connect(address, 0).expect("a way");
    let mut accepted: Option<ConnectionId> = None;
    let mut events = Vec::with_capacity(64);
    let (payload, mut buffer) = (vec![7; 1 << 18], vec![0; 1 << 18]);
    let mut received = 0;
    let mut meter = Meter::new();
    while meter.start.elapsed() < limit {
        let now = meter.start.elapsed().as_nanos() as u64;
        for stack in [&mut client, &mut server] {
            stack.poll_timers(now);
            events.clear();
            stack.events(&mut events);
            for event in &events {
                if let Event::Accepted { connection, .. } = event {
                    accepted = Some(*connection);
                }
            }
        }
        while client.send(id, &[IoSlice::new(&payload)]).is_ok() {}
        meter.packets += carry((&mut client, &mut near), (&mut server, &mut far), now);
        if let Some(id) = accepted {
            while let Ok(count) = server.recv(id, &mut buffer) {
                received += count;
            }
        }
        meter.packets += carry((&mut server, &mut far), (&mut client, &mut near), now);
    }
    let bytes = received as f64 / meter.packets as f64;
    meter.print(
        "bulk through two TCPs of ours, every segment sent and received",
        bytes,
    );
}

fn main() {
    let seconds = std::env::args()
        .nth(1)
        .map_or(3.0, |word| word.parse().expect("seconds"));
    let limit = Duration::from_secs_f64(seconds);
    for (bytes, burst) in [
        (64, 1),
        (64, 32),
        (64, 64),
        (590, 32),
        (1514, 1),
        (1514, 32),
    ] {
        frames(limit, bytes, burst);
    }
    bulk(limit);
}

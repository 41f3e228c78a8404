//! Bulk through two stacks in one thread: what the stack itself can carry, without a device.
//!
//! `cargo run --release -p precursor-netstack --example bulk`

use std::io::IoSlice;
use std::net::IpAddr;
use std::time::Instant;

use precursor_netstack::{ConnectionId, Event, Stack, StackConfig};

const MACS: [[u8; 6]; 2] = [[2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]];

fn stack(side: usize, checksums: bool) -> Stack {
    let address = |side: usize| IpAddr::from([10, 0, 0, 1 + side as u8]);
    let mut config = StackConfig::new(MACS[side], address(side), 24, 1500, [side as u8; 32]);
    let other = 1 - side;
    config.static_neighbours.push((address(other), MACS[other]));
    if !checksums {
        config.offloads.transmit_checksum = true;
        config.offloads.receive_checksum = true;
    }
    config.limits.connections_max = 8;
    config.limits.active_max = 8;
    config.limits.chunks_max = 4_096;
    Stack::new(config, 0)
}

/// Carries the frames of one stack to another; returns how many.
fn carry(from: &mut Stack, to: &mut Stack, frame: &mut Vec<u8>, now: u64) -> usize {
    from.transmit(now, 64, &mut |out| {
        frame.clear();
        out.slices
            .iter()
            .for_each(|slice| frame.extend_from_slice(slice));
        to.receive(frame, now);
        true
    })
}

fn run(checksums: bool, bytes: usize) {
    let (mut client, mut server) = (stack(0, checksums), stack(1, checksums));
    server
        .listen("10.0.0.2:9092".parse().expect("an address"), 4)
        .expect("listens");
    let id = client
        .connect("10.0.0.2:9092".parse().expect("an address"), 0)
        .expect("a way");
    let mut accepted: Option<ConnectionId> = None;
    let mut events = Vec::with_capacity(64);
    let (payload, mut buffer) = (vec![7; 1 << 18], vec![0; 1 << 18]);
    let mut frame = Vec::with_capacity(2_048);
    let (mut now, mut frames, mut received) = (0, 0, 0);
    let start = Instant::now();
    while received < bytes {
        now += 10_000;
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
        frames += carry(&mut client, &mut server, &mut frame, now);
        if let Some(id) = accepted {
            while let Ok(count) = server.recv(id, &mut buffer) {
                received += count;
            }
        }
        frames += carry(&mut server, &mut client, &mut frame, now);
    }
    let took = start.elapsed();
    println!(
        "checksums {}: {:.1} Gbit/s, {:.0} ns a frame, both sides in one thread",
        if checksums {
            "in software"
        } else {
            "by the device"
        },
        received as f64 * 8.0 / took.as_secs_f64() / 1e9,
        took.as_nanos() as f64 / frames as f64
    );
}

fn main() {
    for checksums in [true, false] {
        run(checksums, 4 << 30);
    }
}

//! What idle connections cost: memory of each, and nothing for the others.

use std::net::IpAddr;

use precursor_memory::CountingAllocator;
use precursor_netstack::{Event, Stack, StackConfig};

use crate::double::SECOND;
use crate::ours::{MACS, config};
use crate::wire::{ACK, SYN, Segment, frame, unframe};

const CONNECTIONS: usize = 100_000;

fn wide(connections_max: usize) -> StackConfig {
    let mut config = config(0, false, 1500);
    config.addresses = vec![("10.0.0.1".parse().unwrap(), 8)];
    config.limits.connections_max = connections_max;
    config.limits.active_max = 16;
    config.limits.chunks_max = 64;
    config.limits.time_wait_max = 16;
    config
}

/// The frame of a generated peer's segment.
fn peers(number: usize, segment: Segment) -> Vec<u8> {
    let own: IpAddr = "10.0.0.1".parse().unwrap();
    let host = number / 10_000;
    let peer: IpAddr = format!("10.1.0.{}", host + 1).parse().unwrap();
    let segment = Segment {
        from_port: 10_000 + (number % 10_000) as u16,
        to_port: 9092,
        window: 60_000,
        ..segment
    };
    frame((MACS[1], MACS[0]), peer, own, 6, &segment.bytes(peer, own))
}

/// One frame in, the last one that leaves for it out, in `out`. Returns what was allocated.
fn turn(stack: &mut Stack, frame: &[u8], now: u64, out: &mut Vec<u8>) -> u64 {
    out.clear();
    let ((), counts) = CountingAllocator::counted(|| {
        stack.receive(frame, now);
        stack.transmit(now, usize::MAX, &mut |frame| {
            out.clear();
            frame
                .slices
                .iter()
                .for_each(|slice| out.extend_from_slice(slice));
            true
        });
    });
    counts.total()
}

/// A finished handshake; returns our next sequence number, and what was allocated.
fn establish(stack: &mut Stack, number: usize, now: u64) -> (u32, u64) {
    let syn = Segment {
        flags: SYN,
        seq: 99,
        mss: Some(1460),
        scale: Some(7),
        sack_ok: true,
        ts: Some((5, 0)),
        ..Segment::default()
    };
    let mut out = Vec::with_capacity(2_048);
    let mut allocated = turn(stack, &peers(number, syn), now, &mut out);
    let (_, body) = unframe(&out);
    let next = u32::from_be_bytes(body[4..8].try_into().unwrap()).wrapping_add(1);
    let last = Segment {
        flags: ACK,
        seq: 100,
        ack: next,
        ts: Some((6, 0)),
        ..Segment::default()
    };
    allocated += turn(stack, &peers(number, last), now, &mut out);
    assert!(out.is_empty());
    (next, allocated)
}

#[test]
fn an_idle_connection_takes_at_most_256_bytes_and_no_buffer() {
    let now = 5 * SECOND;
    let ((), none) = CountingAllocator::counted(|| drop(Stack::new(wide(0), now)));
    let (mut stack, all) = CountingAllocator::counted(|| Stack::new(wide(CONNECTIONS), now));
    let each = (all.bytes - none.bytes) as f64 / CONNECTIONS as f64;
    println!("{each:.1} bytes for each connection");
    assert!(each <= 256.0, "{each}");
    stack.listen("10.0.0.1:9092".parse().unwrap(), 128).unwrap();
    let mut events = Vec::with_capacity(64);
    let mut accepted = 0;
    for number in 0..CONNECTIONS {
        let (_, mut allocated) = establish(&mut stack, number, now);
        let ((), counts) = CountingAllocator::counted(|| {
            events.clear();
            stack.events(&mut events);
        });
        allocated += counts.total();
        assert_eq!(
            allocated, 0,
            "all memory of connection {number} was there before"
        );
        let new = |event: &&Event| matches!(event, Event::Accepted { .. });
        accepted += events.iter().filter(new).count();
    }
    assert_eq!(accepted, CONNECTIONS);
    assert_eq!(stack.connection_count(), CONNECTIONS);
    assert_eq!(
        stack.memory_lent(),
        (0, 0),
        "idle connections own no buffer"
    );
}

#[test]
fn nothing_is_allocated_for_a_packet_after_the_first_ones() {
    let now = 5 * SECOND;
    let mut stack = Stack::new(wide(64), now);
    stack.listen("10.0.0.1:9092".parse().unwrap(), 64).unwrap();
    let mut sent = 0;
    let mut sink = |frame: &precursor_netstack::Frame<'_>| {
        sent += frame.slices.len();
        true
    };
    let nexts: Vec<u32> = (0..32)
        .map(|number| establish(&mut stack, number, now).0)
        .collect();
    let mut events = Vec::with_capacity(256);
    stack.events(&mut events);
    let mut buffer = [0; 2_048];
    let mut warm = true;
    for round in 0..20_u32 {
        for (number, next) in nexts.iter().enumerate() {
            let question = Segment {
                flags: ACK,
                seq: 100 + round * 500,
                ack: next.wrapping_add(round * 700),
                ts: Some((10 + round, 0)),
                payload: vec![1; 500],
                ..Segment::default()
            };
            let frame = peers(number, question);
            let now = now + u64::from(round) * 1_000_000;
            let ((), counts) = CountingAllocator::counted(|| {
                stack.receive(&frame, now);
                stack.poll_timers(now);
                events.clear();
                stack.events(&mut events);
                for event in &events {
                    if let Event::Readable(id) = event {
                        assert_eq!(stack.recv(*id, &mut buffer), Ok(500));
                        let slices = [std::io::IoSlice::new(&buffer[..700])];
                        assert_eq!(stack.send(*id, &slices), Ok(700));
                    }
                }
                stack.transmit(now, usize::MAX, &mut sink);
            });
            if !warm {
                assert_eq!(counts.total(), 0, "round {round}");
            }
        }
        warm = round < 2;
    }
    assert!(sent > 20 * 32);
}

/// A flood of SYNs from everywhere: whoever is connected is served as before, nobody new is
/// forgotten who answers a cookie, and no memory is taken beyond the backlog.
#[test]
fn a_flood_of_syns_leaves_others_served() {
    let now = 5 * SECOND;
    let mut stack = Stack::new(wide(1_000), now);
    stack.listen("10.0.0.1:9092".parse().unwrap(), 16).unwrap();
    let (next, _) = establish(&mut stack, 0, now);
    let mut events = Vec::with_capacity(64);
    stack.events(&mut events);
    let mut buffer = [0; 2_048];
    let mut out = Vec::new();
    let flood = Segment {
        flags: SYN,
        seq: 7,
        mss: Some(1460),
        ..Segment::default()
    };
    for round in 0..2_000_u32 {
        let now = now + u64::from(round) * 1_000_000;
        for i in 0..20 {
            stack.receive(
                &peers(1_000 + (round * 20 + i) as usize, flood.clone()),
                now,
            );
        }
        let question = Segment {
            flags: ACK,
            seq: 100 + round * 10,
            ack: next.wrapping_add(round * 10),
            ts: Some((10 + round, 0)),
            payload: vec![3; 10],
            ..Segment::default()
        };
        stack.receive(&peers(0, question), now);
        stack.poll_timers(now);
        events.clear();
        stack.events(&mut events);
        let [Event::Readable(id)] = events[..] else {
            panic!("round {round}: {events:?}");
        };
        assert_eq!(stack.recv(id, &mut buffer), Ok(10));
        let answer = [std::io::IoSlice::new(&buffer[..10])];
        assert_eq!(stack.send(id, &answer), Ok(10));
        out.clear();
        stack.transmit(now, usize::MAX, &mut |frame| {
            out.push(frame.slices.iter().map(|slice| slice.len()).sum::<usize>());
            true
        });
        // Header and timestamps, and ten bytes.
        assert!(
            out.contains(&(54 + 12 + 10)),
            "round {round}: the answer leaves"
        );
        assert!(stack.control_blocks() <= 17, "{}", stack.control_blocks());
    }
    assert!(stack.statistics().cookies_sent > 30_000);
    // Meanwhile somebody real connects.
    let now = now + 3 * SECOND;
    let syn = Segment {
        flags: SYN,
        seq: 99,
        mss: Some(1460),
        ..Segment::default()
    };
    let mut frame = Vec::with_capacity(2_048);
    turn(&mut stack, &peers(90_000, syn), now, &mut frame);
    let (_, body) = unframe(&frame);
    let next = u32::from_be_bytes(body[4..8].try_into().unwrap()).wrapping_add(1);
    let last = Segment {
        flags: ACK,
        seq: 100,
        ack: next,
        ..Segment::default()
    };
    turn(&mut stack, &peers(90_000, last), now, &mut frame);
    events.clear();
    stack.events(&mut events);
    assert!(matches!(events[..], [Event::Accepted { .. }]), "{events:?}");
    assert!(stack.statistics().cookies_accepted > 0);
}

//! Streams of bytes in both directions, every byte checked, over networks of all kinds.

use std::net::SocketAddr;

use precursor_netstack::CongestionControl;

use crate::double::{Faults, Host, MICROSECOND, MILLISECOND, Network, Read, SECOND};
use crate::ours::{Ours, PORT, address, config};
use crate::random::Random;
use crate::smol::Smol;

/// The byte at `at` of the stream that `side` sends: what arrives can be checked without what was
/// sent.
fn pattern(side: usize, at: u64) -> u8 {
    let mut random = Random::new(at / 8 + (side as u64 + 1) * 0x1000_0000_0000);
    random.next().to_le_bytes()[(at % 8) as usize]
}

/// One direction: what was handed over, and what came.
#[derive(Default)]
struct Direction {
    total: u64,
    written: u64,
    read: u64,
    finished: bool,
    ended: bool,
}

/// Moves both streams to their ends. Returns how long it took.
fn exchange(
    network: &mut Network,
    hosts: &mut [&mut dyn Host; 2],
    totals: [u64; 2],
    seed: u64,
) -> u64 {
    let mut random = Random::new(seed);
    let mut directions = totals.map(|total| Direction {
        total,
        ..Direction::default()
    });
    let begin = network.now;
    let limit = begin + 7_200 * SECOND;
    while directions.iter().any(|direction| !direction.ended) {
        for side in 0..2 {
            write(
                &mut directions[side],
                hosts[side],
                side,
                &mut random,
                network.now,
            );
            read(
                &mut directions[1 - side],
                hosts[side],
                1 - side,
                &mut random,
                network.now,
                seed,
            );
        }
        let alive = network.step(hosts, limit);
        let state = directions
            .each_ref()
            .map(|d| (d.written, d.read, d.total, d.ended));
        assert!(
            alive && network.now < limit,
            "seed {seed}: it stands still: {state:?}"
        );
    }
    network.now - begin
}

fn write(
    direction: &mut Direction,
    host: &mut dyn Host,
    side: usize,
    random: &mut Random,
    now: u64,
) {
    if !host.is_connected() {
        return;
    }
    while direction.written < direction.total {
        let most = 1 + random.below(9_000);
        let count = most.min(direction.total - direction.written);
        let at = direction.written;
        let bytes: Vec<u8> = (at..at + count).map(|at| pattern(side, at)).collect();
        let taken = host.write(&bytes, now);
        direction.written += taken as u64;
        if taken == 0 {
            return;
        }
    }
    if !direction.finished {
        direction.finished = true;
        host.finish(now);
    }
}

fn read(
    direction: &mut Direction,
    host: &mut dyn Host,
    side: usize,
    random: &mut Random,
    now: u64,
    seed: u64,
) {
    let mut buffer = [0; 8_192];
    while !direction.ended {
        let size = 1 + random.below(buffer.len() as u64) as usize;
        match host.read(&mut buffer[..size], now) {
            Read::Bytes(count) => {
                for byte in &buffer[..count] {
                    let at = direction.read;
                    assert_eq!(
                        *byte,
                        pattern(side, at),
                        "seed {seed}: byte {at} of side {side}"
                    );
                    direction.read += 1;
                }
            }
            Read::Nothing => return,
            Read::End => {
                assert_eq!(
                    direction.read, direction.total,
                    "seed {seed}: side {side} ended early"
                );
                direction.ended = true;
            }
            Read::Broken => panic!(
                "seed {seed}: side {side} broke after {} of {}",
                direction.read, direction.total
            ),
        }
    }
}

/// Faults that a seed chooses, from none to bad.
fn faults(random: &mut Random) -> Faults {
    let delay = [1, 20, 500, 5_000, 40_000][random.below(5) as usize] * MICROSECOND;
    let bad = random.below(4);
    Faults {
        delay,
        jitter: if random.below(2) == 0 {
            0
        } else {
            random.below(delay)
        },
        loss: [0, 1_000, 20_000, 100_000][bad as usize],
        duplicate: random.below(2) * random.below(30_000),
        corrupt: random.below(2) * random.below(20_000),
        late: random.below(2) * random.below(30_000),
        byte_picoseconds: random.below(2) * 8_000,
        bursts: 0,
    }
}

/// A pair of our stacks with settings that a seed chooses.
fn our_pair(seed: u64, now: u64, random: &mut Random) -> [Ours; 2] {
    let v6 = random.below(3) == 0;
    let mtu = if v6 { [1280, 1500] } else { [120, 1500] };
    let mtus = [mtu[random.below(2) as usize], mtu[random.below(2) as usize]];
    let configs = [0, 1].map(|side| {
        let mut config = config(side, v6, mtus[0].min(mtus[1]));
        config.seed[31] = seed as u8;
        config.tcp.mss_min = 28;
        config.tcp.receive_bytes_max = [700, 5_000, 65_535, 300_000][random.below(4) as usize];
        config.tcp.send_bytes_max = [900, 20_000, 300_000][random.below(3) as usize];
        config.tcp.sack = random.below(4) > 0;
        config.tcp.timestamps = random.below(4) > 0;
        config.tcp.window_scaling = random.below(4) > 0;
        config.limits.chunk_bytes = [256, 4_096][random.below(2) as usize];
        if random.below(3) == 0 {
            config.tcp.congestion_control = CongestionControl::NewReno;
        }
        config
    });
    let [client, server] = configs;
    let to = SocketAddr::new(address(1, v6), PORT);
    let mut hosts = [
        Ours::connecting(client, to, now),
        Ours::listening(server, now),
    ];
    hosts[0].burst = 1 + random.below(40) as usize;
    hosts
}

fn run_ours(seed: u64, log: bool) {
    let mut random = Random::new(seed);
    let mut network = Network::new(seed, faults(&mut random));
    network.log = log;
    let [mut client, mut server] = our_pair(seed, network.now, &mut random);
    let totals = [random.below(200_000), random.below(200_000)];
    let hosts: &mut [&mut dyn Host; 2] = &mut [&mut client, &mut server];
    exchange(&mut network, hosts, totals, seed);
    // All that was lent comes back.
    let end = network.now + 100 * SECOND;
    while network.step(hosts, end) && network.now < end {}
    for ours in [&client, &server] {
        assert_eq!(ours.stack.memory_lent(), (0, 0), "seed {seed}");
    }
}

#[test]
fn streams_between_two_of_ours() {
    let (first, count) = seeds(120);
    for seed in first..first + count {
        run_ours(seed, logs());
    }
}

fn logs() -> bool {
    std::env::var_os("PRECURSOR_NETSTACK_LOG").is_some()
}

fn seeds(default: u64) -> (u64, u64) {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let first = number("PRECURSOR_NETSTACK_SEED");
    let count = if first.is_some() { 1 } else { default };
    (
        first.unwrap_or(0),
        number("PRECURSOR_NETSTACK_SEEDS").unwrap_or(count),
    )
}

fn run_smol(seed: u64, log: bool) {
    let mut random = Random::new(seed ^ 0x5350);
    let mut network = Network::new(seed, faults(&mut random));
    // smoltcp has no timestamps against what the checksum does not see; a corrupted frame is
    // dropped by either side's checksum.
    network.log = log;
    let now = network.now;
    let v6 = random.below(3) == 0;
    let mtu = if v6 || random.below(2) == 0 {
        1500
    } else {
        300
    };
    let mut ours = config(0, v6, mtu);
    ours.tcp.receive_bytes_max = [2_000, 65_535, 300_000][random.below(3) as usize];
    ours.seed[31] = seed as u8;
    let buffer = [3_000, 60_000, 200_000][random.below(3) as usize];
    let totals = [random.below(200_000), random.below(60_000)];
    if random.below(2) == 0 {
        let to = SocketAddr::new(address(1, v6), PORT);
        let mut client = Ours::connecting(ours, to, now);
        let mut server = Smol::listening(1, v6, mtu, buffer, now);
        exchange(&mut network, &mut [&mut client, &mut server], totals, seed);
    } else {
        let to = SocketAddr::new(address(0, v6), PORT);
        let mut server = Ours::listening(ours, now);
        let mut client = Smol::connecting(1, to, mtu, buffer, now);
        exchange(&mut network, &mut [&mut server, &mut client], totals, seed);
    }
}

#[test]
fn streams_with_smoltcp() {
    let (first, count) = seeds(60);
    for seed in first..first + count {
        run_smol(seed, logs());
    }
}

#[test]
fn a_clean_network_needs_no_retransmission() {
    for v6 in [false, true] {
        let faults = Faults {
            delay: 50 * MICROSECOND,
            ..Faults::default()
        };
        let mut network = Network::new(1, faults);
        let now = network.now;
        let to = SocketAddr::new(address(1, v6), PORT);
        let mut client = Ours::connecting(config(0, v6, 1500), to, now);
        let mut server = Ours::listening(config(1, v6, 1500), now);
        let hosts: &mut [&mut dyn Host; 2] = &mut [&mut client, &mut server];
        let took = exchange(&mut network, hosts, [3_000_000, 1_000_000], 1);
        let statistics = client.stack.statistics();
        assert_eq!(statistics.segments_retransmitted, 0, "{statistics:?}");
        assert_eq!(server.stack.statistics().segments_retransmitted, 0);
        assert!(took < 50 * MILLISECOND, "{took}");
    }
}

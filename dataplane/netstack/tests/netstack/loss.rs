//! Sending under random loss: the throughput that theory gives is reached.

use std::net::SocketAddr;

use precursor_netstack::CongestionControl;

use crate::double::{Faults, Host, MICROSECOND, Network, Read, SECOND};
use crate::ours::{Ours, PORT, address, config};

/// Bytes per second that one connection sends in `duration` at a round trip of 1 ms, where `loss`
/// parts of a million of its segments are lost.
fn throughput(which: CongestionControl, loss: u64, duration: u64, seed: u64) -> f64 {
    throughput_with_bursts(which, loss, 0, duration, seed)
}

/// The same where acknowledgments arrive every `bursts` nanoseconds only.
fn throughput_with_bursts(
    which: CongestionControl,
    loss: u64,
    bursts: u64,
    duration: u64,
    seed: u64,
) -> f64 {
    let faults = Faults {
        delay: 500 * MICROSECOND,
        loss: 0,
        byte_picoseconds: 800,
        bursts,
        ..Faults::default()
    };
    let mut network = Network::new(seed, faults);
    let now = network.now;
    let configs = [0, 1].map(|side| {
        let mut config = config(side, false, 1500);
        config.tcp.congestion_control = which;
        config.tcp.receive_bytes_max = 4 << 20;
        config.tcp.send_bytes_max = 4 << 20;
        config.limits.chunks_max = 16_384;
        config
    });
    let [client, server] = configs;
    let to = SocketAddr::new(address(1, false), PORT);
    let mut client = Ours::connecting(client, to, now);
    let mut server = Ours::listening(server, now);
    let bytes = vec![5; 1 << 20];
    let mut buffer = vec![0; 1 << 20];
    let mut received = 0_u64;
    let end = now + duration;
    while network.now < end {
        while client.is_connected() && client.write(&bytes, network.now) > 0 {}
        while let Read::Bytes(count) = server.read(&mut buffer, network.now) {
            received += count as u64;
        }
        // The handshake is spared.
        network.faults.loss = if received > 0 { loss } else { 0 };
        network.step(&mut [&mut client, &mut server], end);
    }
    let statistics = client.stack.statistics();
    println!("{which:?} {loss}: {received} bytes, {statistics:?}");
    assert_eq!(statistics.connections_failed, 0);
    received as f64 * 1e9 / duration as f64
}

/// Mathis, Semke, Mahdavi and Ott (1997): MSS/RTT × √(3/2) / √p. CUBIC is as friendly as Reno at
/// such a short round trip (RFC 9438, 4.3), so the same law holds for both.
fn theory(loss: u64) -> f64 {
    let segment = 1448.0;
    segment / 0.001 * 1.5_f64.sqrt() / (loss as f64 / 1e6).sqrt()
}

fn check(which: CongestionControl, loss: u64, seconds: u64) {
    let reached: f64 = (1..=3)
        .map(|seed| throughput(which, loss, seconds * SECOND, seed))
        .sum::<f64>()
        / 3.0;
    let ratio = reached / theory(loss);
    let percent = loss as f64 / 1e4;
    println!(
        "{which:?} at {percent} % loss: {:.1} Mbit/s, {ratio:.2} of theory",
        reached * 8.0 / 1e6
    );
    assert!(
        ratio > 0.8,
        "{which:?} at {percent} %: {ratio:.2} of {}",
        theory(loss)
    );
}

#[test]
fn cubic_reaches_its_throughput_at_a_thousandth_lost() {
    check(CongestionControl::Cubic, 1_000, 3);
}

#[test]
fn cubic_reaches_its_throughput_at_a_hundredth_lost() {
    check(CongestionControl::Cubic, 10_000, 8);
}

#[test]
fn new_reno_reaches_its_throughput() {
    check(CongestionControl::NewReno, 1_000, 3);
    check(CongestionControl::NewReno, 10_000, 8);
}

/// BBR goes by what the path carries (10 Gbit/s here), not by Mathis' law.
#[test]
fn bbr_fills_the_path_whatever_is_lost_at_random() {
    let path = 1e12 / 800.0;
    for (loss, least) in [(0, 0.8), (1_000, 0.75), (10_000, 0.7)] {
        let reached = throughput(CongestionControl::Bbr, loss, SECOND / 4, 1);
        let ratio = reached / path;
        println!(
            "BBR at {} % loss: {ratio:.2} of the path",
            loss as f64 / 1e4
        );
        assert!(ratio > least, "at {loss} of a million: {ratio:.2}");
    }
}

/// Where acknowledgments come in bursts, as from a receiver that has its processor now and then, the
/// path does not run dry between them.
#[test]
fn bbr_sends_on_while_acknowledgments_are_merged() {
    let path = 1e12 / 800.0;
    for (milliseconds, least) in [(2, 0.8), (4, 0.5)] {
        let bursts = milliseconds * 1_000 * MICROSECOND;
        let reached = throughput_with_bursts(CongestionControl::Bbr, 0, bursts, SECOND / 4, 1);
        let ratio = reached / path;
        println!("BBR, acknowledged every {milliseconds} ms: {ratio:.2} of the path");
        assert!(ratio > least, "every {milliseconds} ms: {ratio:.2}");
    }
}

//! Faults follow from the seed, and from nothing else.

use std::io::IoSlice;
use std::time::Duration;

use precursor_transport_port::{Event, ReceiveError, Transport, Wait};
use precursor_transport_sim::{SimFaults, SimNetwork};

/// Eight clients send to an echo for a while; returns everything that was seen.
fn history(seed: u64, loss_per_mille: u32) -> Vec<String> {
    let faults = SimFaults {
        delay_us: (10, 400),
        loss_per_mille,
        partial_receive_per_mille: 200,
        partial_send_per_mille: 200,
        capacity_bytes: 4096,
    };
    let network = SimNetwork::new(seed, faults);
    let mut transport = network.transport(8);
    let address = transport.listen("127.0.0.1:0".parse().unwrap()).unwrap();
    let mut clients: Vec<_> = (0..8).map(|_| network.connect(address)).collect();
    let mut seen = Vec::new();
    let mut events = Vec::with_capacity(4);
    let mut buffer = [0; 512];
    for turn in 0..300 {
        clients[turn % 8].send(&[turn as u8; 300]);
        events.clear();
        transport
            .poll(Wait::AtMost(Duration::from_micros(100)), &mut events)
            .unwrap();
        for event in &events {
            seen.push(format!("{} {event:?}", network.now_us()));
            let (Event::Accepted { connection: id, .. } | Event::Readable(id)) = *event else {
                continue;
            };
            loop {
                let received = transport.receive(id, &mut buffer);
                seen.push(format!("{received:?}"));
                let Ok(length) = received else {
                    assert_ne!(received, Err(ReceiveError::EndOfStream));
                    break;
                };
                let sent = transport.send(id, &[IoSlice::new(&buffer[..length])]);
                seen.push(format!("{sent:?}"));
            }
        }
        let mut echo = Vec::new();
        clients[turn % 8].receive_all(&mut echo);
        seen.push(format!("{echo:?}"));
    }
    seen
}

#[test]
fn one_seed_is_one_history() {
    for seed in 1..20 {
        let first = history(seed, 5);
        assert_eq!(first, history(seed, 5), "seed {seed}");
        assert_ne!(first, history(seed + 100, 5), "seed {seed}");
    }
}

#[test]
fn losses_break_connections() {
    let broken = |per_mille| {
        let failed = |entry: &&String| entry.contains("Failed") || entry.contains("Broken");
        history(3, per_mille).iter().filter(failed).count()
    };
    assert_eq!(broken(0), 0);
    assert!(broken(20) > 3);
}

#[test]
fn two_transports_share_an_address() {
    let network = SimNetwork::new(1, SimFaults::default());
    let mut transports = [network.transport(4), network.transport(4)];
    let address = "127.0.0.1:9092".parse().unwrap();
    for transport in &mut transports {
        transport.listen(address).unwrap();
    }
    let _clients: Vec<_> = (0..4).map(|_| network.connect(address)).collect();
    let mut events = Vec::with_capacity(8);
    for transport in &mut transports {
        transport.poll(Wait::None, &mut events).unwrap();
        assert_eq!(transport.connection_count(), 2);
    }
}

#[test]
fn a_dropped_transport_resets_its_clients() {
    let network = SimNetwork::new(1, SimFaults::default());
    let mut transport = network.transport(4);
    let address = transport.listen("127.0.0.1:0".parse().unwrap()).unwrap();
    let mut client = network.connect(address);
    transport
        .poll(Wait::None, &mut Vec::with_capacity(4))
        .unwrap();
    drop(transport);
    network.advance(Duration::from_micros(1));
    assert!(client.receive_all(&mut Vec::new()));
    assert_eq!(client.send(b"x"), 0);
    assert!(network.connect(address).receive_all(&mut Vec::new()));
}

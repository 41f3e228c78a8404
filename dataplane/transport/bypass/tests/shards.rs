//! What only several shards, or the end of one, show. Needs root.

mod veth;

use std::collections::HashSet;
use std::io::IoSlice;
use std::time::{Duration, Instant};

use precursor_memory::CountingAllocator;
use precursor_transport_afxdp::AttachMode;
use precursor_transport_port::conformance::{Client, Network, Received};
use precursor_transport_port::{Event, Transport, Wait};

use veth::{KernelClient, V4, VethNetwork};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

const PATIENCE: Duration = Duration::from_secs(60);

/// Polls once and sends everything back that comes; returns how many connections were accepted.
fn echo(transport: &mut impl Transport, events: &mut Vec<Event>, buffer: &mut [u8]) -> usize {
    events.clear();
    transport.poll(Wait::None, events).expect("polling works");
    let mut accepted = 0;
    for event in events.iter() {
        accepted += usize::from(matches!(event, Event::Accepted { .. }));
        let (Event::Accepted { connection: id, .. } | Event::Readable(id)) = *event else {
            continue;
        };
        while let Ok(length) = transport.receive(id, buffer) {
            let slice = [IoSlice::new(&buffer[..length])];
            assert_eq!(
                transport.send(id, &slice),
                Ok(length),
                "little is under way"
            );
        }
    }
    accepted
}

#[test]
fn two_shards_share_the_queues_of_an_interface() {
    const CLIENTS: usize = 64;
    let mut network = VethNetwork::with_queues(AttachMode::Native, V4, 2);
    let address = network.listen_address();
    // One shard more than queues: it carries nothing and harms nobody.
    let mut shards = network.transports(3, 100);
    for shard in &mut shards {
        assert_eq!(
            shard.listen(address).expect("each listens for itself"),
            address
        );
    }
    let mut clients: Vec<KernelClient> = (0..CLIENTS).map(|_| network.connect(address)).collect();
    let mut events = Vec::with_capacity(64);
    let mut buffer = vec![0; 64 << 10];
    let mut accepted = [0; 3];
    let mut answered = HashSet::new();
    let mut asked = HashSet::new();
    let start = Instant::now();
    while answered.len() < CLIENTS {
        assert!(
            start.elapsed() < PATIENCE,
            "{} of {CLIENTS} answered",
            answered.len()
        );
        for (number, client) in clients.iter_mut().enumerate() {
            if !asked.contains(&number) && client.send(&[number as u8; 10]) == 10 {
                asked.insert(number);
            }
            let mut answer = [0; 10];
            match client.receive(&mut answer) {
                Received::Bytes(10) => {
                    assert_eq!(answer, [number as u8; 10]);
                    answered.insert(number);
                }
                Received::Nothing => {}
                other => panic!("{other:?}"),
            }
        }
        for (number, shard) in shards.iter_mut().enumerate() {
            accepted[number] += echo(shard, &mut events, &mut buffer);
        }
    }
    println!("accepted by shard: {accepted:?}");
    assert_eq!(accepted.iter().sum::<usize>(), CLIENTS);
    assert!(
        accepted[0] > 0 && accepted[1] > 0,
        "both queues carry connections"
    );
    assert_eq!(accepted[2], 0);
}

#[test]
fn serving_allocates_nothing() {
    let mut network = VethNetwork::new(AttachMode::Native, V4);
    let mut transport = network.transport(16);
    let address = transport.listen(network.listen_address()).expect("a port");
    let mut clients: Vec<KernelClient> = (0..4).map(|_| network.connect(address)).collect();
    let mut events = Vec::with_capacity(64);
    let mut buffer = vec![0; 64 << 10];
    let message = vec![7; 3000];
    let mut turn = |counted: bool| {
        let ((), counts) = CountingAllocator::counted(|| {
            echo(&mut transport, &mut events, &mut buffer);
        });
        assert!(!counted || counts.total() == 0, "{counts:?}");
    };
    for round in 0..300 {
        let mut received = [0; 4];
        let start = Instant::now();
        let mut sent = [false; 4];
        while received.iter().any(|bytes| *bytes < message.len()) {
            assert!(start.elapsed() < PATIENCE, "round {round}");
            // Connections grow into their buffers in the first rounds.
            turn(round > 100);
            for (number, client) in clients.iter_mut().enumerate() {
                sent[number] = sent[number] || client.send(&message) == message.len();
                let mut answer = [0; 4096];
                if let Received::Bytes(length) = client.receive(&mut answer) {
                    received[number] += length;
                }
            }
        }
    }
}

#[test]
fn the_end_of_a_transport_delivers_what_was_promised() {
    let mut network = VethNetwork::new(AttachMode::Native, V4);
    let mut transport = network.transport(4);
    let address = transport.listen(network.listen_address()).expect("a port");
    let mut client = network.connect(address);
    let mut events = Vec::with_capacity(4);
    let start = Instant::now();
    let id = loop {
        assert!(start.elapsed() < PATIENCE);
        events.clear();
        let wait = Wait::AtMost(Duration::from_millis(10));
        transport.poll(wait, &mut events).expect("polling works");
        if let Some(Event::Accepted { connection, .. }) = events.first() {
            break *connection;
        }
    };
    let farewell = vec![9; 500_000];
    let taken = transport.send(id, &[IoSlice::new(&farewell)]);
    assert_eq!(taken, Ok(farewell.len()));
    transport.close(id);
    let reading = std::thread::spawn(move || {
        let mut received = 0;
        loop {
            let mut buffer = [0; 5000];
            match client.receive(&mut buffer) {
                Received::Bytes(length) => received += length,
                Received::End => return received,
                Received::Nothing => assert!(start.elapsed() < PATIENCE, "{received} bytes came"),
                Received::Reset => panic!("a reset after {received} bytes"),
            }
        }
    });
    drop(transport);
    assert_eq!(
        reading.join().expect("the client reads to the end"),
        farewell.len()
    );
}

#[test]
fn an_interface_that_is_gone_ends_the_transport() {
    for (queues, wait) in [
        (1, Wait::None),
        (1, Wait::Forever),
        (2, Wait::None),
        (2, Wait::AtMost(Duration::from_millis(50))),
    ] {
        let network = VethNetwork::with_queues(AttachMode::Native, V4, queues);
        let mut transport = network.transports(1, 4).remove(0);
        transport.listen(network.listen_address()).expect("a port");
        let mut events = Vec::with_capacity(4);
        transport
            .poll(Wait::None, &mut events)
            .expect("polling works");
        network.unplug();
        let start = Instant::now();
        let sentence = loop {
            assert!(start.elapsed() < PATIENCE, "nobody notices");
            if let Err(error) = transport.poll(wait, &mut events) {
                break error.to_string();
            }
        };
        assert!(
            sentence.contains("the network interface is gone"),
            "{sentence}"
        );
    }
}

//! Rules about polling: bounds, waits, wakes.

use std::time::{Duration, Instant};

use super::{Bell, Client, Network, Server};
use crate::{Event, Transport, Wait};

/// With room for one event at a time, everything is still reported and the room never exceeded.
pub fn events_never_exceed_their_capacity<N: Network>(network: &mut N) {
    const COUNT: usize = 40;
    let mut server = Server::start(network, COUNT);
    for capacity in [1, 3] {
        server.events = Vec::with_capacity(capacity);
        let mut clients: Vec<N::Client> = (0..COUNT)
            .map(|_| network.connect(server.address))
            .collect();
        server.until("all are accepted", |server| server.accepted.len() == COUNT);
        for client in &mut clients {
            server.until("the bytes are taken", |_| client.send(b"ab") == 2);
        }
        let ids: Vec<_> = server.accepted.drain(..).collect();
        let mut received = Vec::new();
        server.until("all bytes arrive", |server| {
            for id in &ids {
                server.drain(*id, &mut received);
            }
            received.len() == 2 * COUNT
        });
        for id in ids {
            server.transport.close(id);
        }
    }
}

/// A poll with no room returns at once and forgets nothing; what is in `events` stays.
pub fn full_events_lose_nothing<N: Network>(network: &mut N) {
    let mut server = Server::start(network, 4);
    let _client = network.connect(server.address);
    let mut full = Vec::with_capacity(1);
    let mark = Event::Woken { token: 77 };
    while full.len() < full.capacity() {
        full.push(mark);
    }
    for _ in 0..10 {
        server
            .transport
            .poll(Wait::Forever, &mut full)
            .expect("polling works");
    }
    assert!(full.iter().all(|event| *event == mark));
    server.until("the connection is accepted", |server| {
        server.accepted.len() == 1
    });
}

/// A wait without end is ended by bytes.
pub fn a_wait_ends_by_bytes<N: Network>(network: &mut N) {
    let mut server = Server::start(network, 4);
    let (mut client, id) = server.meet(network);
    let mut received = Vec::new();
    for _ in 0..5 {
        server.turn();
        server.drain(id, &mut received);
    }
    server.readable.clear();
    server.until("the byte is taken", |_| client.send(b"x") == 1);
    let start = Instant::now();
    while !server.readable.contains(&id) {
        server.turn_waiting(Wait::Forever);
        assert!(start.elapsed() < server.patience);
    }
    server.drain(id, &mut received);
    assert_eq!(received, b"x");
}

/// A wait with a bound returns, with nothing.
pub fn a_wait_ends_by_time<N: Network>(network: &mut N) {
    let mut server = Server::start(network, 4);
    let start = Instant::now();
    for _ in 0..3 {
        server.turn_waiting(Wait::AtMost(Duration::from_millis(5)));
        assert!(server.events.is_empty());
    }
    for _ in 0..3 {
        server.turn_waiting(Wait::None);
    }
    assert!(start.elapsed() < Duration::from_secs(5));
}

/// A watched descriptor ends a wait, names its token, and is quiet once drained.
pub fn a_wait_ends_by_a_watched_descriptor<N: Network>(network: &mut N) {
    let mut server = Server::start(network, 4);
    let mut quiet = network.bell();
    let mut bell = network.bell();
    server
        .transport
        .watch(quiet.descriptor(), 8)
        .expect("watching works");
    server
        .transport
        .watch(bell.descriptor(), 9)
        .expect("watching works");
    for _ in 0..3 {
        bell.ring();
        let start = Instant::now();
        while server.woken.is_empty() {
            server.turn_waiting(Wait::Forever);
            assert!(start.elapsed() < server.patience);
        }
        assert!(server.woken.iter().all(|token| *token == 9));
        bell.drain();
        server.turn();
        server.woken.clear();
        server.turn();
        assert!(server.woken.is_empty(), "a drained bell is quiet");
    }
    quiet.drain();
}

/// Whatever was pending for a connection, `close` is the last that is heard of it.
pub fn nothing_names_a_closed_connection<N: Network>(network: &mut N) {
    let mut server = Server::start(network, 8);
    for _ in 0..8 {
        let (mut client, id) = server.meet(network);
        server.until("the bytes are taken", |_| client.send(b"unread") == 6);
        client.finish_sending();
        server.transport.close(id);
        for _ in 0..4 {
            server.turn();
            for event in &server.events {
                let named = match *event {
                    Event::Accepted { connection, .. } => connection,
                    Event::Readable(id) | Event::Writable(id) | Event::Failed(id) => id,
                    Event::Released { connection, .. } => connection,
                    Event::Woken { .. } | Event::Lent { .. } | Event::Returned { .. } => continue,
                };
                assert_ne!(named, id, "{event:?} after close");
            }
        }
    }
    assert_eq!(server.transport.connection_count(), 0);
}

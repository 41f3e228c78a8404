//! Rules about connections: ids, limits, listeners.

use std::collections::HashMap;
use std::io::IoSlice;

use super::{Client, Network, Received, Server, drain_client, pattern};
use crate::{ReceiveError, SendError, Transport};

/// An id is stale from `close` on, also when its slot is used again.
pub fn stale_ids_name_nothing<N: Network>(network: &mut N) {
    let mut server = Server::start(network, 1);
    let (_first_client, first) = server.meet(network);
    server.transport.close(first);
    let (mut client, second) = server.meet(network);
    assert_ne!(first, second);
    let mut buffer = [0; 8];
    assert_eq!(
        server.transport.receive(first, &mut buffer),
        Err(ReceiveError::Broken)
    );
    let sent = server.transport.send(first, &[IoSlice::new(b"lost")]);
    assert_eq!(sent, Err(SendError::Broken));
    server.transport.close(first);
    assert_eq!(server.transport.connection_count(), 1);
    assert_eq!(server.push(second, b"kept"), 4);
    let mut received = Vec::new();
    server.until("the second client is served", |_| {
        drain_client(&mut client, &mut received);
        received.len() >= 4
    });
    assert_eq!(received, b"kept");
}

/// Every one of many connections gets its own bytes back.
pub fn many_connections<N: Network>(network: &mut N) {
    const COUNT: usize = 200;
    let mut server = Server::start(network, COUNT);
    let mut clients: Vec<N::Client> = (0..COUNT)
        .map(|_| network.connect(server.address))
        .collect();
    server.until("all are accepted", |server| server.accepted.len() == COUNT);
    assert_eq!(server.transport.connection_count(), COUNT);
    for (number, client) in clients.iter_mut().enumerate() {
        let bytes = pattern(number, 100);
        server.until("the bytes are taken", |_| client.send(&bytes) == 100);
    }
    let ids: Vec<_> = server.accepted.drain(..).collect();
    let mut inputs: HashMap<_, Vec<u8>> = HashMap::new();
    server.until("all bytes arrive", |server| {
        for id in &ids {
            server.drain(*id, inputs.entry(*id).or_default());
        }
        ids.iter().all(|id| inputs[id].len() == 100)
    });
    for id in &ids {
        assert_eq!(server.push(*id, &inputs[id]), 100);
    }
    for (number, client) in clients.iter_mut().enumerate() {
        let mut echo = Vec::new();
        server.until("the echo arrives", |_| {
            drain_client(client, &mut echo);
            echo.len() == 100
        });
        assert_eq!(
            echo,
            pattern(number, 100),
            "client {number} got another's bytes"
        );
    }
    for id in ids {
        server.transport.close(id);
    }
    assert_eq!(server.transport.connection_count(), 0);
}

/// Above the limit a client sees its connection end at once, and the others are not touched; a
/// place that becomes free is used.
pub fn a_connection_above_the_limit_is_ended<N: Network>(network: &mut N) {
    let mut server = Server::start(network, 2);
    let (_kept, first) = server.meet(network);
    let (_also_kept, _second) = server.meet(network);
    let mut refused = network.connect(server.address);
    let mut buffer = [0; 8];
    server.until("the third is turned away", |_| {
        matches!(
            refused.receive(&mut buffer),
            Received::End | Received::Reset
        )
    });
    assert!(server.accepted.is_empty(), "the third was never announced");
    assert_eq!(server.transport.connection_count(), 2);
    assert_eq!(server.transport.refused_count(), 1);
    server.transport.close(first);
    let (_client, _id) = server.meet(network);
    assert_eq!(server.transport.connection_count(), 2);
}

/// After `stop_listening` established connections go on and nobody new is announced.
pub fn stop_listening_keeps_connections<N: Network>(network: &mut N) {
    let mut server = Server::start(network, 4);
    let (mut client, id) = server.meet(network);
    server.transport.stop_listening();
    server.until("the bytes are taken", |_| client.send(b"still") == 5);
    let mut received = Vec::new();
    server.until("the bytes arrive", |server| {
        server.drain(id, &mut received);
        received == b"still"
    });
    assert!(server.accepted.is_empty());
    assert_eq!(server.transport.connection_count(), 1);
}

//! Rules about bytes: order, back-pressure, ends.

use std::io::IoSlice;

use super::{Client, Network, Received, Server, drain_client, pattern};
use crate::{ReceiveError, SendError, Transport};

/// What a client sends in odd pieces arrives whole and in order, and so does its echo.
pub fn bytes_arrive_in_order<N: Network>(network: &mut N) {
    const TOTAL: usize = 1 << 20;
    let mut server = Server::start(network, 4);
    let (mut client, id) = server.meet(network);
    let bytes = pattern(0, TOTAL);
    let (mut sent, mut echoed) = (0, 0);
    let mut received = Vec::new();
    let mut returned = Vec::new();
    server.until("all bytes come back", |server| {
        if sent < TOTAL {
            let piece = (sent % 7919 + 1).min(TOTAL - sent);
            sent += client.send(&bytes[sent..sent + piece]);
        }
        server.drain(id, &mut received);
        echoed += server.push(id, &received[echoed..]);
        drain_client(&mut client, &mut returned);
        returned.len() == TOTAL
    });
    assert!(received == bytes, "bytes arrived out of order");
    assert!(returned == bytes, "bytes came back out of order");
}

/// A send of many slices, empty ones among them, takes them from the front.
pub fn gathered_slices_arrive_in_order<N: Network>(network: &mut N) {
    let mut server = Server::start(network, 4);
    let (mut client, id) = server.meet(network);
    let pieces: Vec<Vec<u8>> = (0..300).map(|n| pattern(n * 1000, n % 5 * 97)).collect();
    let whole: Vec<u8> = pieces.concat();
    let mut taken = 0;
    let mut received = Vec::new();
    server.until("all slices arrive", |server| {
        if taken < whole.len() {
            let mut slices: Vec<IoSlice<'_>> =
                pieces.iter().map(|piece| IoSlice::new(piece)).collect();
            let mut rest = slices.as_mut_slice();
            IoSlice::advance_slices(&mut rest, taken);
            match server.transport.send(id, rest) {
                Ok(more) => taken += more,
                Err(SendError::WouldBlock) => {}
                Err(SendError::Broken) => panic!("the connection broke"),
            }
        }
        drain_client(&mut client, &mut received);
        received.len() == whole.len()
    });
    assert!(received == whole, "slices arrived out of order");
}

/// A peer that does not read stops the sender; once it reads, Writable comes and all arrives.
pub fn a_full_connection_blocks_and_tells_when_it_can_go_on<N: Network>(network: &mut N) {
    let total = network.more_than_fits();
    let mut server = Server::start(network, 4);
    let (mut client, id) = server.meet(network);
    let bytes = pattern(0, total);
    let mut sent = server.push(id, &bytes);
    // A peer's buffers may still take some more; then it is full.
    for _ in 0..50 {
        server.turn();
        if server.writable.remove(&id) {
            sent += server.push(id, &bytes[sent..]);
        }
    }
    sent += server.push(id, &bytes[sent..]);
    assert!(sent < total, "what takes everything has no bound");
    let mut received = Vec::new();
    server.until("all bytes arrive", |server| {
        if server.writable.remove(&id) {
            sent += server.push(id, &bytes[sent..]);
        }
        drain_client(&mut client, &mut received);
        received.len() == total
    });
    assert!(received == bytes, "bytes arrived out of order");
    server.writable.clear();
    for _ in 0..5 {
        server.turn();
    }
    assert!(server.writable.is_empty(), "nothing waits to be sent");
}

/// Clients that send more than is read are stopped, others are served meanwhile, and in the end
/// every byte is there.
pub fn connections_that_nobody_reads_leave_room_for_others<N: Network>(network: &mut N) {
    const COUNT: usize = 20;
    let total = network.more_than_fits().min(1 << 20);
    let mut server = Server::start(network, COUNT + 1);
    let bytes = pattern(0, total);
    let mut loud: Vec<_> = (0..COUNT)
        .map(|_| (server.meet(network), 0, Vec::new()))
        .collect();
    for _ in 0..20 {
        for ((client, _), sent, _) in &mut loud {
            *sent += client.send(&bytes[*sent..]);
        }
        server.turn();
    }
    let (mut quiet, quiet_id) = server.meet(network);
    for position in 0..20 {
        server.until("the byte is taken", |_| quiet.send(b"?") == 1);
        let mut received = Vec::new();
        server.until("a quiet connection is served", |server| {
            server.drain(quiet_id, &mut received);
            received.len() == 1
        });
        assert_eq!(received, b"?", "byte {position}");
    }
    for ((client, id), sent, received) in &mut loud {
        server.until("the rest arrives", |server| {
            if *sent < total {
                *sent += client.send(&bytes[*sent..]);
            }
            server.drain(*id, received);
            received.len() == total
        });
        assert!(*received == bytes, "bytes arrived out of order");
    }
}

/// Single bytes, each followed by a turn, each reported.
pub fn one_byte_at_a_time<N: Network>(network: &mut N) {
    let mut server = Server::start(network, 4);
    let (mut client, id) = server.meet(network);
    let mut received = Vec::new();
    for position in 0..200 {
        let byte = pattern(position, 1);
        server.until("the byte is taken", |_| client.send(&byte) == 1);
        server.until("the byte arrives", |server| {
            server.drain(id, &mut received);
            received.len() == position + 1
        });
    }
    assert_eq!(received, pattern(0, 200));
    let mut buffer = [0; 8];
    assert_eq!(
        server.transport.receive(id, &mut buffer),
        Err(ReceiveError::WouldBlock)
    );
}

/// Bytes and the end, both there before the first receive.
pub fn an_end_after_bytes_is_seen_after_the_bytes<N: Network>(network: &mut N) {
    let mut server = Server::start(network, 4);
    let (mut client, id) = server.meet(network);
    let bytes = pattern(0, 10_000);
    let mut sent = 0;
    server.until("the bytes are taken", |_| {
        sent += client.send(&bytes[sent..]);
        sent == bytes.len()
    });
    client.finish_sending();
    for _ in 0..20 {
        server.turn();
    }
    let mut received = Vec::new();
    server.until("the end is seen", |server| {
        server.drain(id, &mut received) == ReceiveError::EndOfStream
    });
    assert!(received == bytes, "all bytes come before the end");
}

/// The end arrives after a receive that took everything there was.
pub fn an_end_alone_is_seen<N: Network>(network: &mut N) {
    let mut server = Server::start(network, 4);
    let (mut client, id) = server.meet(network);
    let mut received = Vec::new();
    server.until("the byte is taken", |_| client.send(b"x") == 1);
    server.until("the byte arrives", |server| {
        server.drain(id, &mut received);
        received == b"x"
    });
    client.finish_sending();
    server.until("the end is seen", |server| {
        server.drain(id, &mut received) == ReceiveError::EndOfStream
    });
    assert_eq!(
        server.transport.connection_count(),
        1,
        "an end is not a close"
    );
    assert!(server.failed.is_empty(), "an end is no failure");
}

/// A client that has ended its own direction receives answers and then the server's end.
pub fn a_half_closed_client_still_receives<N: Network>(network: &mut N) {
    let mut server = Server::start(network, 4);
    let (mut client, id) = server.meet(network);
    client.finish_sending();
    let mut nothing = Vec::new();
    server.until("the end is seen", |server| {
        server.drain(id, &mut nothing) == ReceiveError::EndOfStream
    });
    let bytes = pattern(0, 5000);
    let mut sent = 0;
    server.until("the answer is taken", |server| {
        sent += server.push(id, &bytes[sent..]);
        sent == bytes.len()
    });
    server.transport.close(id);
    let mut received = Vec::new();
    server.until("the client sees the end", |_| {
        drain_client(&mut client, &mut received)
    });
    assert!(received == bytes, "the answer arrives whole");
}

/// A broken connection is Failed or Broken, never an end, and needs no close.
pub fn a_reset_is_no_end<N: Network>(network: &mut N) {
    let mut server = Server::start(network, 4);
    let (client, id) = server.meet(network);
    client.reset();
    let mut received = Vec::new();
    server.until("the failure is seen", |server| {
        let broken = match server.drain(id, &mut received) {
            ReceiveError::EndOfStream => panic!("a reset was taken for an end"),
            end => end == ReceiveError::Broken,
        };
        broken || server.failed.contains(&id)
    });
    assert_eq!(server.transport.connection_count(), 0);
    let mut buffer = [0; 8];
    assert_eq!(
        server.transport.receive(id, &mut buffer),
        Err(ReceiveError::Broken)
    );
    let sent = server.transport.send(id, &[IoSlice::new(b"x")]);
    assert_eq!(sent, Err(SendError::Broken));
}

/// What `send` took before a `close` reaches a peer that reads on, and then the end.
pub fn close_delivers_what_was_taken<N: Network>(network: &mut N) {
    close_delivers(network, 0);
}

/// The same, while bytes of the client are still unread.
pub fn close_delivers_although_input_is_unread<N: Network>(network: &mut N) {
    close_delivers(network, 1000);
}

fn close_delivers<N: Network>(network: &mut N, unread: usize) {
    let mut server = Server::start(network, 4);
    let (mut client, id) = server.meet(network);
    let mut sent_by_client = 0;
    server.until("the input is taken", |_| {
        sent_by_client += client.send(&pattern(0, unread)[sent_by_client..]);
        sent_by_client == unread
    });
    let bytes = pattern(0, 16 << 20);
    let mut taken = server.push(id, &bytes);
    // Fill what the path holds, so that bytes wait on this side when it is closed.
    for _ in 0..20 {
        server.turn();
        taken += server.push(id, &bytes[taken..]);
    }
    server.transport.close(id);
    assert_eq!(server.transport.connection_count(), 0);
    let mut received = Vec::new();
    let mut ended = false;
    server.until("the client sees the end", |_| {
        let mut buffer = [0; 5000];
        for _ in 0..64 {
            match client.receive(&mut buffer) {
                Received::Bytes(length) => received.extend_from_slice(&buffer[..length]),
                Received::Nothing => break,
                // After the last byte, a reset tells the client that its own bytes were unread.
                Received::Reset if unread > 0 && received.len() == taken => ended = true,
                Received::Reset => panic!("reset after {} of {taken} bytes", received.len()),
                Received::End => ended = true,
            }
            if ended {
                break;
            }
        }
        ended
    });
    assert_eq!(received.len(), taken, "everything taken arrives");
    assert!(received == bytes[..taken], "bytes arrived out of order");
}

use std::io::Write;
use std::net::TcpStream;

use super::buffers::BUFFER_BYTES;
use super::*;

type Flooded = (UringTransport, Vec<ConnectionId>, Vec<TcpStream>);

/// Clients that send `bytes` a turn to a transport that does not read; nothing on a host that
/// forbids io_uring.
fn flooded(count: usize, bytes: usize) -> Option<Flooded> {
    let options = KernelOptions {
        connections_max: count,
        ..KernelOptions::default()
    };
    let mut transport = UringTransport::new(options)
        .inspect_err(|refusal| println!("not tested: {refusal}"))
        .ok()?;
    let address = transport.listen("127.0.0.1:0".parse().unwrap()).unwrap();
    let mut clients: Vec<TcpStream> = (0..count)
        .map(|_| TcpStream::connect(address).unwrap())
        .collect();
    let mut ids = Vec::new();
    let mut events = Vec::with_capacity(16);
    for _ in 0..100 {
        for client in &mut clients {
            client.set_nonblocking(true).unwrap();
            let _ = client.write(&vec![1; bytes]);
        }
        events.clear();
        transport
            .poll(Wait::AtMost(Duration::from_millis(1)), &mut events)
            .unwrap();
        ids.extend(events.iter().filter_map(|event| match *event {
            Event::Accepted { connection, .. } => Some(connection),
            _ => None,
        }));
    }
    assert_eq!(ids.len(), count);
    Some((transport, ids, clients))
}

#[test]
fn an_unread_connection_is_paused() {
    let Some((mut transport, ids, _clients)) = flooded(1, BUFFER_BYTES) else {
        return;
    };
    // What arrives in the turn that asks for the pause may pass the mark.
    let bound = BUFFERS_PER_CONNECTION + 8;
    for id in ids {
        let connection = transport.connections.get_mut(id).unwrap();
        assert!(!connection.armed);
        assert!(connection.queue.count() <= bound);
    }
}

#[test]
fn closing_gives_unread_buffers_back() {
    let Some((mut transport, ids, _clients)) = flooded(4, 1 << 20) else {
        return;
    };
    assert!(transport.buffers.held() >= usize::from(BUFFERS_PER_CONNECTION));
    for id in ids {
        transport.close(id);
    }
    assert_eq!(transport.buffers.held(), 0);
}

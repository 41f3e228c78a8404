//! One suite that every [`Transport`] passes: `conformance_suite!(name, network)` makes a module
//! with one test per rule. What a transport may choose (how much one call takes, how events are
//! bundled) is left open; what the trait promises is held.

mod bytes;
mod connections;
mod events;

use std::collections::{HashSet, VecDeque};
use std::io::IoSlice;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::RawFd;
use std::time::{Duration, Instant};

use crate::{ConnectionId, Event, ReceiveError, SendError, Transport, Wait};

pub use bytes::*;
pub use connections::*;
pub use events::*;

/// Makes the transports under test and the clients that talk to them.
pub trait Network {
    type Transport: Transport;
    type Client: Client;
    type Bell: Bell;

    /// A transport that holds at most `connections_max` connections.
    fn transport(&mut self, connections_max: usize) -> Self::Transport;

    /// A client whose connection to a listening transport is under way.
    fn connect(&mut self, address: SocketAddr) -> Self::Client;

    /// Where the transport is asked to listen: one of its own addresses, usually with port 0.
    fn listen_address(&self) -> SocketAddr {
        ANY_PORT
    }

    /// How long a condition may take to come true before a rule fails.
    fn patience(&self) -> Duration {
        PATIENCE
    }

    /// More bytes than the whole path from one end to the other holds.
    fn more_than_fits(&self) -> usize {
        24 << 20
    }

    /// Something that [`Transport::watch`] can watch.
    fn bell(&mut self) -> Self::Bell;
}

/// What a client's receive found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    Bytes(usize),
    Nothing,
    End,
    Reset,
}

/// The far end of a connection. No call waits.
pub trait Client {
    /// Sends; returns how many bytes were taken (0 = none now, or the connection is gone).
    fn send(&mut self, bytes: &[u8]) -> usize;
    fn receive(&mut self, buffer: &mut [u8]) -> Received;
    /// Ends the sending direction only.
    fn finish_sending(&mut self);
    /// Breaks the connection instead of ending it.
    fn reset(self);
}

/// A watched descriptor that the test makes readable.
pub trait Bell {
    fn descriptor(&self) -> RawFd;
    fn ring(&mut self);
    fn drain(&mut self);
}

/// [`Network::patience`] of those that run at full speed.
const PATIENCE: Duration = Duration::from_secs(60);
const ANY_PORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// A listening transport and what its events said.
struct Server<T> {
    transport: T,
    address: SocketAddr,
    events: Vec<Event>,
    accepted: VecDeque<ConnectionId>,
    readable: HashSet<ConnectionId>,
    writable: HashSet<ConnectionId>,
    failed: HashSet<ConnectionId>,
    woken: Vec<u32>,
    patience: Duration,
}

impl<T: Transport> Server<T> {
    fn start<N: Network<Transport = T>>(network: &mut N, connections_max: usize) -> Server<T> {
        let mut transport = network.transport(connections_max);
        let address = transport
            .listen(network.listen_address())
            .expect("a free port");
        assert_ne!(address.port(), 0, "listen returns the bound port");
        Server {
            transport,
            address,
            events: Vec::with_capacity(16),
            accepted: VecDeque::new(),
            readable: HashSet::new(),
            writable: HashSet::new(),
            failed: HashSet::new(),
            woken: Vec::new(),
            patience: network.patience(),
        }
    }

    fn turn(&mut self) {
        self.turn_waiting(Wait::AtMost(Duration::from_millis(1)));
    }

    fn turn_waiting(&mut self, wait: Wait) {
        self.events.clear();
        let capacity = self.events.capacity();
        self.transport
            .poll(wait, &mut self.events)
            .expect("polling works");
        assert_eq!(self.events.capacity(), capacity, "events are never grown");
        for event in &self.events {
            match *event {
                Event::Accepted { connection, .. } => {
                    self.accepted.push_back(connection);
                    self.readable.insert(connection);
                }
                Event::Readable(id) => {
                    self.readable.insert(id);
                }
                Event::Writable(id) => {
                    self.writable.insert(id);
                }
                Event::Failed(id) => {
                    self.failed.insert(id);
                }
                Event::Woken { token } => self.woken.push(token),
                Event::Lent { .. } | Event::Returned { .. } => panic!("nothing was lent"),
                Event::Released { .. } => {}
            }
        }
    }

    /// Turns until `done` says so.
    fn until(&mut self, what: &str, mut done: impl FnMut(&mut Server<T>) -> bool) {
        let start = Instant::now();
        while !done(self) {
            assert!(start.elapsed() < self.patience, "waited in vain: {what}");
            self.turn();
        }
    }

    /// Connects a client and accepts it.
    fn meet<N: Network<Transport = T>>(&mut self, network: &mut N) -> (N::Client, ConnectionId) {
        let client = network.connect(self.address);
        self.until("the connection is accepted", |server| {
            !server.accepted.is_empty()
        });
        (client, self.accepted.pop_front().expect("just seen"))
    }

    /// Receives what is there, as a shard does: on from Readable until WouldBlock.
    fn drain(&mut self, id: ConnectionId, into: &mut Vec<u8>) -> ReceiveError {
        if !self.readable.contains(&id) {
            return ReceiveError::WouldBlock;
        }
        let mut buffer = [0; 3000];
        loop {
            match self.transport.receive(id, &mut buffer) {
                Ok(length) => {
                    assert!(length > 0 && length <= buffer.len());
                    into.extend_from_slice(&buffer[..length]);
                }
                Err(ReceiveError::WouldBlock) => {
                    self.readable.remove(&id);
                    return ReceiveError::WouldBlock;
                }
                Err(end) => return end,
            }
        }
    }

    /// Sends as far as the transport takes; returns how far.
    fn push(&mut self, id: ConnectionId, bytes: &[u8]) -> usize {
        let mut sent = 0;
        while sent < bytes.len() {
            match self.transport.send(id, &[IoSlice::new(&bytes[sent..])]) {
                Ok(taken) => {
                    assert!(taken > 0 && taken <= bytes.len() - sent);
                    sent += taken;
                }
                Err(SendError::WouldBlock) => {
                    self.writable.remove(&id);
                    return sent;
                }
                Err(SendError::Broken) => panic!("the connection broke while sending"),
            }
        }
        sent
    }
}

/// Bytes whose order shows.
fn pattern(from: usize, length: usize) -> Vec<u8> {
    (from..from + length)
        .map(|position| (position % 251) as u8 ^ (position / 65_536) as u8)
        .collect()
}

/// Receives what is there; true at the end of the stream.
fn drain_client(client: &mut impl Client, into: &mut Vec<u8>) -> bool {
    let mut buffer = [0; 5000];
    loop {
        match client.receive(&mut buffer) {
            Received::Bytes(length) => into.extend_from_slice(&buffer[..length]),
            Received::Nothing => return false,
            Received::End => return true,
            Received::Reset => panic!("the client's connection was reset"),
        }
    }
}

/// Makes a module of tests that hold `$network` (an expression of a [`Network`], evaluated per
/// test) to the rules of [`Transport`].
#[macro_export]
macro_rules! conformance_suite {
    ($module:ident, $network:expr) => {
        $crate::conformance_suite!($module, $network,
            bytes_arrive_in_order
            gathered_slices_arrive_in_order
            a_full_connection_blocks_and_tells_when_it_can_go_on
            connections_that_nobody_reads_leave_room_for_others
            one_byte_at_a_time
            an_end_after_bytes_is_seen_after_the_bytes
            an_end_alone_is_seen
            a_half_closed_client_still_receives
            a_reset_is_no_end
            close_delivers_what_was_taken
            close_delivers_although_input_is_unread
            stale_ids_name_nothing
            many_connections
            a_connection_above_the_limit_is_ended
            stop_listening_keeps_connections
            events_never_exceed_their_capacity
            full_events_lose_nothing
            a_wait_ends_by_bytes
            a_wait_ends_by_time
            a_wait_ends_by_a_watched_descriptor
            nothing_names_a_closed_connection
        );
    };
    ($module:ident, $network:expr, $($rule:ident)*) => {
        mod $module {
            #[allow(unused_imports)]
            use super::*;
            $(
                #[test]
                fn $rule() {
                    $crate::conformance::$rule(&mut $network);
                }
            )*
        }
    };
}

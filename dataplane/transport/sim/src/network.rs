//! The state that transports and clients share, and its faults.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::fd::RawFd;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use crate::client::SimClient;
use crate::pipe::Pipe;
use crate::random::Random;
use crate::transport::SimTransport;

/// What goes wrong, and how often. The default is a perfect network without delay.
#[derive(Clone, Debug)]
pub struct SimFaults {
    /// Least and most microseconds that bytes, ends and resets travel.
    pub delay_us: (u64, u64),
    /// Of a thousand sends by either side, so many break the connection.
    pub loss_per_mille: u32,
    /// Of a thousand receives by a transport, so many return fewer bytes than there are.
    pub partial_receive_per_mille: u32,
    /// Of a thousand sends by either side, so many take fewer bytes than there is room for.
    pub partial_send_per_mille: u32,
    /// Bytes that one direction of a connection holds.
    pub capacity_bytes: usize,
}

impl Default for SimFaults {
    fn default() -> SimFaults {
        SimFaults {
            delay_us: (0, 0),
            loss_per_mille: 0,
            partial_receive_per_mille: 0,
            partial_send_per_mille: 0,
            capacity_bytes: 256 * 1024,
        }
    }
}

/// A network of transports and clients in one process. Cloning gives another handle of it.
#[derive(Clone)]
pub struct SimNetwork {
    state: Arc<Mutex<State>>,
}

impl SimNetwork {
    /// A network whose delays and faults follow from `seed`.
    pub fn new(seed: u64, faults: SimFaults) -> SimNetwork {
        assert!(
            faults.capacity_bytes > 0,
            "a connection holds at least one byte"
        );
        let state = State {
            now_us: 0,
            random: Random::new(seed),
            faults,
            links: HashMap::new(),
            next_link: 0,
            next_port: 40_000,
            listeners: Vec::new(),
            backlogs: Vec::new(),
            rung: Vec::new(),
        };
        SimNetwork {
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// A transport of this network that holds at most `connections_max` connections.
    pub fn transport(&self, connections_max: usize) -> SimTransport {
        let mut state = self.lock();
        state.backlogs.push(VecDeque::new());
        let number = state.backlogs.len() - 1;
        drop(state);
        SimTransport::new(self.clone(), number, connections_max)
    }

    /// A client connecting to `address`. Where several transports listen there, they take turns.
    /// Where none does, the client finds its connection reset.
    pub fn connect(&self, address: SocketAddr) -> SimClient {
        let mut state = self.lock();
        let link = state.connect(address);
        drop(state);
        SimClient::new(self.clone(), link)
    }

    /// Virtual microseconds since the start.
    pub fn now_us(&self) -> u64 {
        self.lock().now_us
    }

    /// Moves time on.
    pub fn advance(&self, by: Duration) {
        let mut state = self.lock();
        let to = state.now_us + by.as_micros() as u64;
        state.advance_to(to);
    }

    /// Changes what goes wrong from now on.
    pub fn set_faults(&self, faults: SimFaults) {
        self.lock().faults = faults;
    }

    /// Makes the next poll of every transport that watches `descriptor` report it. A simulated
    /// transport never looks at real descriptors.
    pub fn ring(&self, descriptor: RawFd) {
        self.lock().rung.push(descriptor);
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        // A test that panicked while holding the lock is failing already; others may go on.
        self.state
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// One connection. It lives until both sides have let go of it.
pub(crate) struct Link {
    pub(crate) peer: SocketAddr,
    pub(crate) to_server: Pipe,
    pub(crate) to_client: Pipe,
    /// When the break reaches both sides.
    pub(crate) breaks_at: Option<u64>,
    pub(crate) broken: bool,
    pub(crate) client_gone: bool,
    pub(crate) server_gone: bool,
    /// The server's last send was not taken whole.
    pub(crate) send_blocked: bool,
}

/// A connection that was not accepted yet.
pub(crate) struct Waiting {
    pub(crate) arrives_at: u64,
    pub(crate) link: u64,
    /// Which of its transport's listeners the client called.
    pub(crate) listener: u32,
}

pub(crate) struct State {
    pub(crate) now_us: u64,
    random: Random,
    pub(crate) faults: SimFaults,
    pub(crate) links: HashMap<u64, Link>,
    next_link: u64,
    next_port: u16,
    /// Address and transport number.
    pub(crate) listeners: Vec<(SocketAddr, usize)>,
    /// Per transport: links that wait to be accepted.
    pub(crate) backlogs: Vec<VecDeque<Waiting>>,
    pub(crate) rung: Vec<RawFd>,
}

impl State {
    pub(crate) fn free_port(&mut self) -> u16 {
        self.next_port += 1;
        self.next_port
    }

    fn connect(&mut self, address: SocketAddr) -> u64 {
        let mut listening = Vec::new();
        for transport in 0..self.backlogs.len() {
            let mut own = self
                .listeners
                .iter()
                .filter(|(_, number)| *number == transport);
            if let Some(listener) = own.position(|(bound, _)| *bound == address) {
                listening.push((transport, listener as u32));
            }
        }
        let number = self.next_link;
        self.next_link += 1;
        let port = 1024 + (number % 60_000) as u16;
        let link = Link {
            peer: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port),
            to_server: Pipe::new(self.faults.capacity_bytes),
            to_client: Pipe::new(self.faults.capacity_bytes),
            breaks_at: None,
            broken: listening.is_empty(),
            client_gone: false,
            server_gone: listening.is_empty(),
            send_blocked: false,
        };
        self.links.insert(number, link);
        if !listening.is_empty() {
            let when = self.arrival();
            let (transport, listener) = listening[number as usize % listening.len()];
            self.backlogs[transport].push_back(Waiting {
                arrives_at: when,
                link: number,
                listener,
            });
        }
        number
    }

    /// When something sent now arrives.
    pub(crate) fn arrival(&mut self) -> u64 {
        let (low, high) = self.faults.delay_us;
        self.now_us + self.random.between(low, high)
    }

    /// How much of a send with room for `room` is taken, and whether the connection breaks of it.
    pub(crate) fn send_fate(&mut self, room: usize) -> (usize, bool) {
        let broken = self.random.chance(self.faults.loss_per_mille);
        let partial = room > 0 && self.random.chance(self.faults.partial_send_per_mille);
        let taken = if partial {
            self.random.between(1, room as u64) as usize
        } else {
            room
        };
        (taken, broken)
    }

    /// How much of `available` bytes one receive returns.
    pub(crate) fn receive_fate(&mut self, available: usize) -> usize {
        if available > 0 && self.random.chance(self.faults.partial_receive_per_mille) {
            return self.random.between(1, available as u64) as usize;
        }
        available
    }

    pub(crate) fn advance_to(&mut self, now_us: u64) {
        self.now_us = self.now_us.max(now_us);
        for link in self.links.values_mut() {
            link.to_server.advance(self.now_us);
            link.to_client.advance(self.now_us);
            if link.breaks_at.is_some_and(|when| when <= self.now_us) {
                link.broken = true;
            }
        }
    }

    /// When the next thing happens anywhere, if anything is on its way.
    pub(crate) fn next_happening(&self) -> Option<u64> {
        let links = self.links.values().flat_map(|link| {
            let breaks = link.breaks_at.filter(|_| !link.broken);
            [
                link.to_server.next_arrival(),
                link.to_client.next_arrival(),
                breaks,
            ]
        });
        let connections = self
            .backlogs
            .iter()
            .flatten()
            .map(|waiting| Some(waiting.arrives_at));
        links.chain(connections).flatten().min()
    }

    /// Forgets a link that nobody holds any more.
    pub(crate) fn settle(&mut self, number: u64) {
        let gone = |link: &Link| link.client_gone && link.server_gone;
        if self.links.get(&number).is_some_and(gone) {
            self.links.remove(&number);
        }
    }
}

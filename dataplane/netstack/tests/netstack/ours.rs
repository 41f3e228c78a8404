//! A host that runs the stack under test.

use std::io::IoSlice;
use std::net::{IpAddr, SocketAddr};

use precursor_netstack::{ConnectionId, Event, ReceiveError, SendError, Stack, StackConfig};

use crate::double::{Host, Read};

pub const MACS: [[u8; 6]; 2] = [[2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]];
pub const PORT: u16 = 9092;

pub fn address(side: usize, v6: bool) -> IpAddr {
    let text = match (side, v6) {
        (0, false) => "10.0.0.1",
        (_, false) => "10.0.0.2",
        (0, true) => "fd00::1",
        (_, true) => "fd00::2",
    };
    text.parse().expect("an address")
}

pub fn config(side: usize, v6: bool, mtu: usize) -> StackConfig {
    let prefix = if v6 { 64 } else { 24 };
    let mut config = StackConfig::new(
        MACS[side],
        address(side, v6),
        prefix,
        mtu,
        [side as u8 + 1; 32],
    );
    config.limits.connections_max = 64;
    config.limits.active_max = 64;
    config.limits.chunks_max = 1_024;
    config
}

pub struct Ours {
    pub stack: Stack,
    pub id: Option<ConnectionId>,
    pub events: Vec<Event>,
    /// The connection failed before or after.
    pub broken: bool,
    /// Frames that leave in one turn at most.
    pub burst: usize,
    writable: bool,
}

impl Ours {
    pub fn new(config: StackConfig, now: u64) -> Ours {
        Ours {
            stack: Stack::new(config, now),
            id: None,
            events: Vec::with_capacity(64),
            broken: false,
            burst: usize::MAX,
            writable: true,
        }
    }

    pub fn listening(config: StackConfig, now: u64) -> Ours {
        let mut ours = Ours::new(config, now);
        let any = if ours_is_v6(&ours) {
            "[::]:9092"
        } else {
            "0.0.0.0:9092"
        };
        ours.stack
            .listen(any.parse().unwrap(), 16)
            .expect("listens");
        ours
    }

    pub fn connecting(config: StackConfig, to: SocketAddr, now: u64) -> Ours {
        let mut ours = Ours::new(config, now);
        ours.id = Some(ours.stack.connect(to, now).expect("a way"));
        ours
    }

    pub fn take_events(&mut self) {
        self.stack.events(&mut self.events);
        for event in self.events.drain(..) {
            match event {
                Event::Accepted { connection, .. } => self.id = Some(connection),
                Event::Failed(id) if Some(id) == self.id => self.broken = true,
                Event::Writable(id) if Some(id) == self.id => self.writable = true,
                _ => {}
            }
        }
    }
}

fn ours_is_v6(ours: &Ours) -> bool {
    ours.stack.is_v6_only()
}

impl Host for Ours {
    fn receive(&mut self, frame: &[u8], now: u64) {
        self.stack.receive(frame, now);
    }

    fn turn(&mut self, now: u64, out: &mut Vec<Vec<u8>>) {
        self.stack.poll_timers(now);
        let burst = self.burst;
        self.stack.transmit(now, burst, &mut |frame| {
            out.push(
                frame
                    .slices
                    .iter()
                    .flat_map(|slice| slice.to_vec())
                    .collect(),
            );
            true
        });
        self.take_events();
    }

    fn next_timeout(&mut self, now: u64) -> Option<u64> {
        if self.stack.wants_transmit() {
            return Some(now);
        }
        self.stack.next_timeout()
    }

    fn write(&mut self, bytes: &[u8], _: u64) -> usize {
        let Some(id) = self.id.filter(|_| !self.broken) else {
            return 0;
        };
        match self.stack.send(id, &[IoSlice::new(bytes)]) {
            Ok(count) => count,
            Err(SendError::WouldBlock) => 0,
            Err(SendError::Broken) => {
                self.broken = true;
                0
            }
        }
    }

    fn read(&mut self, buffer: &mut [u8], _: u64) -> Read {
        if self.broken {
            return Read::Broken;
        }
        let Some(id) = self.id else {
            return Read::Nothing;
        };
        match self.stack.recv(id, buffer) {
            Ok(count) => Read::Bytes(count),
            Err(ReceiveError::WouldBlock) => Read::Nothing,
            Err(ReceiveError::EndOfStream) => Read::End,
            Err(ReceiveError::Broken) => {
                self.broken = true;
                Read::Broken
            }
        }
    }

    fn finish(&mut self, _: u64) {
        if let Some(id) = self.id {
            self.stack.finish_sending(id);
        }
    }

    fn is_connected(&mut self) -> bool {
        self.id.is_some() && !self.broken
    }
}

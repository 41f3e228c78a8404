//! A peer that a test plays by hand: "inject this segment, expect that one". Sequence numbers are
//! counted from each side's first.

use std::collections::VecDeque;
use std::io::IoSlice;
use std::net::SocketAddr;

use precursor_netstack::{ConnectionId, Event, ReceiveError, Stack, StackConfig};

use crate::double::{MILLISECOND, SECOND};
use crate::ours::{MACS, PORT, address, config};
use crate::wire::{ACK, SYN, Segment, frame, unframe};

pub const PEER_PORT: u16 = 40_000;
const PEER_FIRST: u32 = 0xffff_fff0;

pub struct Script {
    pub stack: Stack,
    pub now: u64,
    v6: bool,
    pub port: u16,
    /// Our side's first sequence number, once seen.
    first: Option<u32>,
    out: VecDeque<Segment>,
    /// Frames that are not TCP.
    pub others: Vec<Vec<u8>>,
    pub events: Vec<Event>,
    pub id: Option<ConnectionId>,
    /// Put into each injected segment.
    pub ts: Option<(u32, u32)>,
    pub window: u16,
}

/// A segment of the peer's with these flags.
pub fn seg(flags: u8, seq: u32, ack: u32) -> Segment {
    Segment {
        flags,
        seq,
        ack,
        ..Segment::default()
    }
}

pub fn data(seq: u32, ack: u32, bytes: &[u8]) -> Segment {
    Segment {
        payload: bytes.to_vec(),
        ..seg(ACK, seq, ack)
    }
}

impl Segment {
    pub fn sacks(mut self, blocks: &[(u32, u32)]) -> Segment {
        self.sack = blocks.to_vec();
        self
    }

    pub fn win(mut self, window: u16) -> Segment {
        self.window = window;
        self
    }
}

impl Script {
    pub fn new(change: impl FnOnce(&mut StackConfig)) -> Script {
        Script::over(false, change)
    }

    /// Over IPv6, or IPv4.
    pub fn over(v6: bool, change: impl FnOnce(&mut StackConfig)) -> Script {
        let mut config = config(0, v6, 1500);
        config.static_neighbours.push((address(1, v6), MACS[1]));
        change(&mut config);
        Script {
            stack: Stack::new(config, 5 * SECOND),
            now: 5 * SECOND,
            v6,
            port: PEER_PORT,
            first: None,
            out: VecDeque::new(),
            others: Vec::new(),
            events: Vec::with_capacity(64),
            id: None,
            ts: None,
            window: 60_000,
        }
    }

    pub fn listening(change: impl FnOnce(&mut StackConfig)) -> Script {
        Script::listening_over(false, change)
    }

    fn listening_over(v6: bool, change: impl FnOnce(&mut StackConfig)) -> Script {
        let mut script = Script::over(v6, change);
        let own = SocketAddr::new(address(0, v6), PORT);
        script.stack.listen(own, 4).unwrap();
        script
    }

    /// A connection without options, but an MSS.
    pub fn plain() -> Script {
        Script::established(|_| {}, |_| {})
    }

    /// A connection with SACK.
    pub fn with_sack() -> Script {
        Script::established(|_| {}, |syn| syn.sack_ok = true)
    }

    /// A connection of a peer whose SYN is as `syn` makes it; both sides' next byte is number 1.
    pub fn established(
        change: impl FnOnce(&mut StackConfig),
        syn: impl FnOnce(&mut Segment),
    ) -> Script {
        Script::established_over(false, change, syn)
    }

    pub fn established_over(
        v6: bool,
        change: impl FnOnce(&mut StackConfig),
        syn: impl FnOnce(&mut Segment),
    ) -> Script {
        let mut script = Script::listening_over(v6, change);
        let mut first = seg(SYN, 0, 0);
        first.mss = Some(1000);
        syn(&mut first);
        script.ts = first.ts;
        script.inject(first);
        let answer = script.next();
        assert_eq!((answer.flags, answer.seq, answer.ack), (SYN | ACK, 0, 1));
        if let Some((value, _)) = answer.ts {
            script.ts = script.ts.map(|(own, _)| (own, value));
        }
        script.pass(20 * MILLISECOND);
        script.inject(seg(ACK, 1, 1));
        let accepted = script.told();
        assert!(
            matches!(accepted[..], [Event::Accepted { .. }]),
            "{accepted:?}"
        );
        script.nothing();
        script
    }

    pub fn id(&self) -> ConnectionId {
        self.id.expect("a connection")
    }

    pub fn frame_of(&self, mut segment: Segment) -> Vec<u8> {
        segment.from_port = self.port;
        segment.to_port = PORT;
        segment.seq = segment.seq.wrapping_add(PEER_FIRST);
        if segment.flags & ACK != 0 {
            segment.ack = segment.ack.wrapping_add(self.first.unwrap_or(0));
        }
        for block in &mut segment.sack {
            let first = self.first.unwrap_or(0);
            *block = (block.0.wrapping_add(first), block.1.wrapping_add(first));
        }
        segment.ts = segment.ts.or(self.ts);
        if segment.window == 0 {
            segment.window = self.window;
        }
        let (peer, own) = (address(1, self.v6), address(0, self.v6));
        frame((MACS[1], MACS[0]), peer, own, 6, &segment.bytes(peer, own))
    }

    pub fn inject(&mut self, segment: Segment) {
        let frame = self.frame_of(segment);
        self.inject_frame(&frame);
    }

    pub fn inject_frame(&mut self, frame: &[u8]) {
        self.stack.receive(frame, self.now);
        self.turn();
    }

    /// Lets the stack send, and takes its events.
    pub fn turn(&mut self) {
        let mut frames = Vec::new();
        self.stack.transmit(self.now, usize::MAX, &mut |frame| {
            frames.push(
                frame
                    .slices
                    .iter()
                    .flat_map(|slice| slice.to_vec())
                    .collect::<Vec<u8>>(),
            );
            true
        });
        for frame in frames {
            let (protocol, body) = unframe(&frame);
            if protocol != 6 {
                self.others.push(frame);
                continue;
            }
            let (own, peer) = (address(0, self.v6), address(1, self.v6));
            let mut segment = Segment::parse(body, own, peer);
            if segment.flags & SYN != 0 {
                self.first = Some(segment.seq);
            }
            // A reset for a stranger has numbers of its own.
            if let Some(first) = self.first {
                segment.seq = segment.seq.wrapping_sub(first);
            }
            segment.ack = segment.ack.wrapping_sub(PEER_FIRST);
            for block in &mut segment.sack {
                let shift = |number: u32| number.wrapping_sub(PEER_FIRST);
                *block = (shift(block.0), shift(block.1));
            }
            self.out.push_back(segment);
        }
        self.stack.events(&mut self.events);
        for event in &self.events {
            if let Event::Accepted { connection, .. } = event {
                self.id = Some(*connection);
            }
        }
    }

    /// Time passes, with all timers on their way.
    pub fn pass(&mut self, time: u64) {
        let end = self.now + time;
        while let Some(at) = self.stack.next_timeout().filter(|at| *at <= end) {
            self.now = at.max(self.now + 70_000).min(end);
            self.stack.poll_timers(self.now);
            self.turn();
            if self.now == end {
                break;
            }
        }
        self.now = end;
        self.stack.poll_timers(self.now);
        self.turn();
    }

    /// The next segment that left.
    pub fn next(&mut self) -> Segment {
        self.out.pop_front().expect("a segment leaves")
    }

    /// The next segment has these flags (PSH aside), numbers and length of payload.
    pub fn expect(&mut self, flags: u8, seq: u32, ack: u32, length: usize) -> Segment {
        let segment = self.next();
        let found = (
            segment.flags & !crate::wire::PSH,
            segment.seq,
            segment.ack,
            segment.payload.len(),
        );
        assert_eq!(found, (flags, seq, ack, length), "{segment:?}");
        segment
    }

    pub fn nothing(&mut self) {
        assert_eq!(self.out.front(), None, "nothing leaves");
    }

    pub fn told(&mut self) -> Vec<Event> {
        let capacity = self.events.capacity();
        std::mem::replace(&mut self.events, Vec::with_capacity(capacity))
    }

    pub fn send(&mut self, bytes: usize) -> usize {
        let id = self.id();
        let taken = self
            .stack
            .send(id, &[IoSlice::new(&vec![7; bytes])])
            .unwrap_or(0);
        self.turn();
        taken
    }

    pub fn recv(&mut self) -> Result<Vec<u8>, ReceiveError> {
        let mut buffer = vec![0; 1 << 20];
        let id = self.id();
        let count = self.stack.recv(id, &mut buffer)?;
        buffer.truncate(count);
        self.turn();
        Ok(buffer)
    }

    pub fn close(&mut self) {
        let id = self.id();
        self.stack.close(id, self.now);
        self.turn();
    }
}

impl Script {
    /// Our side's first sequence number as it is on the wire.
    pub fn our_first(&self) -> u32 {
        self.first.expect("a SYN was seen")
    }

    /// All segments that left and were not looked at.
    pub fn drain(&mut self) -> Vec<Segment> {
        self.out.drain(..).collect()
    }
}

//! What the fuzzer runs. An input is a list of steps: a raw frame, a segment whose numbers are near
//! those of a live connection (so that it gets past the first checks), a call of the user, or time.

use std::io::IoSlice;
use std::net::IpAddr;

use precursor_netstack::{ConnectionId, Event, Stack, StackConfig};

const OWN: [u8; 6] = [2, 0, 0, 0, 0, 1];
const PEER: [u8; 6] = [2, 0, 0, 0, 0, 2];
const OWN_ADDRESS: [u8; 4] = [10, 0, 0, 1];
const PEER_ADDRESS: [u8; 4] = [10, 0, 0, 2];
const MTU: usize = 600;

/// Reads an input piece by piece; at its end everything is zero.
struct Steps<'a>(&'a [u8]);

impl<'a> Steps<'a> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        *first
    }

    fn half(&mut self) -> u16 {
        u16::from_be_bytes([self.byte(), self.byte()])
    }

    fn bytes(&mut self, count: usize) -> &'a [u8] {
        let (piece, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        piece
    }
}

struct Target {
    stack: Stack,
    now: u64,
    /// Our next and the peer's next sequence number, as far as frames told.
    ours: u32,
    theirs: u32,
    ids: Vec<ConnectionId>,
    events: Vec<Event>,
}

fn config() -> StackConfig {
    let mut config = StackConfig::new(OWN, IpAddr::from(OWN_ADDRESS), 24, MTU, [9; 32]);
    config
        .addresses
        .push(("fd00::1".parse().expect("an address"), 64));
    // The fuzzer is not to guess checksums.
    config.offloads.receive_checksum = true;
    config.limits.connections_max = 4;
    config.limits.active_max = 3;
    config.limits.chunks_max = 12;
    config.limits.chunk_bytes = 256;
    config.limits.neighbours_max = 4;
    config.limits.time_wait_max = 2;
    config.limits.replies_max = 4;
    config.tcp.segments_max = 16;
    config.tcp.receive_bytes_max = 4_000;
    config.tcp.send_bytes_max = 4_000;
    config
        .static_neighbours
        .push((IpAddr::from(PEER_ADDRESS), PEER));
    config
}

fn ip_checksum(header: &mut [u8]) {
    header[10..12].fill(0);
    let mut total: u32 = 0;
    for pair in header.chunks(2) {
        total += u32::from(pair[0]) << 8 | u32::from(pair[1]);
    }
    while total > 0xffff {
        total = (total & 0xffff) + (total >> 16);
    }
    let sum = !(total as u16);
    header[10..12].copy_from_slice(&sum.to_be_bytes());
}

impl Target {
    /// Lets the stack send; what leaves must be sound.
    fn turn(&mut self) {
        let (ours, theirs) = (&mut self.ours, &mut self.theirs);
        self.stack.transmit(self.now, 64, &mut |frame| {
            let bytes: Vec<u8> = frame
                .slices
                .iter()
                .flat_map(|slice| slice.to_vec())
                .collect();
            assert!(bytes.len() <= MTU + 14, "{} bytes", bytes.len());
            if bytes[12..14] == [8, 0] && bytes[23] == 6 {
                let word = |at: usize| {
                    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
                };
                let header = usize::from(bytes[46] >> 4) * 4;
                let length = (bytes.len() - 34 - header) as u32;
                let flags = bytes[47];
                let end = word(38).wrapping_add(length + u32::from(flags & 3 != 0));
                *ours = end;
                if flags & 0x12 == 0x12 {
                    *theirs = word(42);
                }
            }
            true
        });
        self.events.clear();
        self.stack.events(&mut self.events);
        for event in &self.events {
            match event {
                Event::Accepted { connection, .. } => self.ids.push(*connection),
                Event::Failed(gone) => self.ids.retain(|id| id != gone),
                _ => {}
            }
        }
    }

    /// A segment near the live connection's numbers.
    fn segment(&mut self, steps: &mut Steps<'_>) {
        let flags = steps.byte();
        let sequence = self.theirs.wrapping_add(steps.half() as i16 as u32);
        let acknowledgment = self.ours.wrapping_add(steps.half() as i16 as u32);
        let window = steps.half();
        let port = 40_000 + u16::from(steps.byte() & 3);
        let shape = steps.byte();
        let options = usize::from(shape & 7).min(10) * 4;
        let option_bytes = steps.bytes(options);
        let length = usize::from(steps.byte()) * 3;
        let mut tcp = Vec::new();
        tcp.extend(port.to_be_bytes());
        tcp.extend(9092_u16.to_be_bytes());
        tcp.extend(sequence.to_be_bytes());
        tcp.extend(acknowledgment.to_be_bytes());
        tcp.extend([(5 + options as u8 / 4) << 4, flags]);
        tcp.extend(window.to_be_bytes());
        tcp.extend([0; 4]);
        tcp.extend(option_bytes);
        tcp.resize(20 + options + length, 0x55);
        let mut frame = [&OWN[..], &PEER[..], &[8, 0, 0x45, 0]].concat();
        frame.extend((20 + tcp.len() as u16).to_be_bytes());
        frame.extend([0, 0, 0x40, 0, 64, 6, 0, 0]);
        frame.extend(PEER_ADDRESS);
        frame.extend(OWN_ADDRESS);
        ip_checksum(&mut frame[14..34]);
        frame.extend(&tcp);
        self.stack.receive(&frame, self.now);
        if flags & 2 != 0 {
            self.theirs = sequence.wrapping_add(1);
        } else if sequence == self.theirs {
            self.theirs = self
                .theirs
                .wrapping_add(length as u32 + u32::from(flags & 1));
        }
    }

    /// A frame as the input has it, with a right checksum of IPv4 where it claims to be that.
    fn raw(&mut self, steps: &mut Steps<'_>) {
        let length = usize::from(steps.half()) % 1_600;
        let mut frame = steps.bytes(length).to_vec();
        if frame.len() >= 34 && frame[12..14] == [8, 0] {
            let header = usize::from(frame[14] & 15) * 4;
            if (20..=frame.len() - 14).contains(&header) {
                ip_checksum(&mut frame[14..14 + header]);
            }
        }
        self.stack.receive(&frame, self.now);
    }

    fn user(&mut self, steps: &mut Steps<'_>) {
        let what = steps.byte();
        if what & 15 == 9 || self.ids.is_empty() {
            let peer = std::net::SocketAddr::from((PEER_ADDRESS, 40_003));
            self.ids
                .extend(self.stack.connect_from(9092, peer, self.now));
            return;
        }
        let at = usize::from(what >> 4) % self.ids.len();
        let id = self.ids[at];
        match what & 7 {
            0..=2 => {
                let bytes = vec![7; usize::from(what) * 8];
                let _ = self.stack.send(id, &[IoSlice::new(&bytes)]);
            }
            3 | 4 => {
                let mut buffer = vec![0; 1 + usize::from(what) * 4];
                let _ = self.stack.recv(id, &mut buffer);
            }
            5 => self.stack.finish_sending(id),
            6 => self.stack.close(id, self.now),
            _ => self.stack.abort(id),
        }
        if what & 7 >= 6 {
            self.ids.remove(at);
        }
    }
}

/// Any list of steps: no panic, no frame that is not sound, and all memory comes back.
pub fn netstack(input: &[u8]) {
    let mut target = Target {
        stack: Stack::new(config(), 1 << 40),
        now: 1 << 40,
        ours: 0,
        theirs: 0x7fff_ff00,
        ids: Vec::new(),
        events: Vec::with_capacity(16),
    };
    let listening = "10.0.0.1:9092".parse().expect("an address");
    target.stack.listen(listening, 2).expect("listens");
    let mut steps = Steps(input);
    for _ in 0..400 {
        if steps.0.is_empty() {
            break;
        }
        match steps.byte() & 7 {
            0 => target.raw(&mut steps),
            1..=4 => target.segment(&mut steps),
            5 => target.user(&mut steps),
            _ => {
                target.now += u64::from(steps.half()) << (steps.byte() % 24);
                target.stack.poll_timers(target.now);
            }
        }
        target.turn();
    }
    finish(target);
}

/// Everybody leaves: after long enough nothing is lent and no connection is left.
fn finish(mut target: Target) {
    target.stack.stop_listening();
    for _ in 0..400 {
        target.turn();
        for id in target.ids.drain(..) {
            target.stack.abort(id);
        }
        let Some(at) = target.stack.next_timeout() else {
            break;
        };
        target.now = target.now.max(at) + 100_000;
        target.stack.poll_timers(target.now);
    }
    target.turn();
    assert_eq!(target.stack.next_timeout(), None, "timers of nothing");
    assert_eq!(target.stack.connection_count(), 0);
    assert_eq!(target.stack.control_blocks(), 0);
    assert_eq!(target.stack.memory_lent(), (0, 0));
}

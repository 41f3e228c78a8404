//! A network of two ends with virtual time: each frame is delayed, lost, duplicated, overtaken or
//! corrupted as a seed says.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::random::Random;

pub const MICROSECOND: u64 = 1_000;
pub const MILLISECOND: u64 = 1_000_000;
pub const SECOND: u64 = 1_000_000_000;

/// Parts are of a million frames; times are nanoseconds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Faults {
    pub delay: u64,
    /// Up to so much more, which overtakes.
    pub jitter: u64,
    pub loss: u64,
    pub duplicate: u64,
    pub corrupt: u64,
    /// Frames that come much later.
    pub late: u64,
    /// Nanoseconds that a byte takes on the wire, in 1/1000; 0: none.
    pub byte_picoseconds: u64,
    /// Frames to the first host arrive at multiples of this time only, many at once; 0: as they come.
    pub bursts: u64,
}

/// What bytes can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    Bytes(usize),
    Nothing,
    End,
    Broken,
}

/// One end of the network with at most one connection that a test looks at.
pub trait Host {
    fn receive(&mut self, frame: &[u8], now: u64);
    /// Does what is due and appends the frames that leave.
    fn turn(&mut self, now: u64, out: &mut Vec<Vec<u8>>);
    fn next_timeout(&mut self, now: u64) -> Option<u64>;
    fn write(&mut self, bytes: &[u8], now: u64) -> usize;
    fn read(&mut self, buffer: &mut [u8], now: u64) -> Read;
    fn finish(&mut self, now: u64);
    /// Both directions are done and the connection needs nothing more.
    fn is_connected(&mut self) -> bool;
}

struct InFlight {
    to: usize,
    frame: Vec<u8>,
}

pub struct Network {
    pub now: u64,
    pub faults: Faults,
    random: Random,
    queue: BinaryHeap<Reverse<(u64, u64)>>,
    frames: std::collections::HashMap<u64, InFlight>,
    sent: u64,
    wire_free_at: [u64; 2],
    last_arrival: [u64; 2],
    pub lost: u64,
    pub log: bool,
}

impl Network {
    pub fn new(seed: u64, faults: Faults) -> Network {
        Network {
            now: SECOND,
            faults,
            random: Random::new(seed ^ 0x6e65_7477_6f72_6b00),
            queue: BinaryHeap::new(),
            frames: Default::default(),
            sent: 0,
            wire_free_at: [0; 2],
            last_arrival: [0; 2],
            lost: 0,
            log: false,
        }
    }

    fn carry(&mut self, from: usize, mut frame: Vec<u8>) {
        let faults = self.faults;
        let bytes = frame.len() as u64 + 24;
        let start = self.now.max(self.wire_free_at[from]);
        let left = start + bytes * faults.byte_picoseconds / 1_000;
        self.wire_free_at[from] = left;
        if self.random.chance(faults.loss) {
            self.lost += 1;
            return;
        }
        if self.random.chance(faults.corrupt) {
            let at = self.random.below(frame.len() as u64) as usize;
            frame[at] ^= 1 << self.random.below(8);
        }
        let copies = 1 + usize::from(self.random.chance(faults.duplicate));
        for _ in 0..copies {
            let jitter = self.random.below(faults.jitter + 1);
            let late = if self.random.chance(faults.late) {
                faults.delay * 4
            } else {
                0
            };
            let mut at = left + faults.delay + jitter + late;
            if faults.bursts > 0 && from == 1 {
                at = at.next_multiple_of(faults.bursts);
            }
            if faults.jitter == 0 && late == 0 {
                // Without jitter the order is kept.
                at = at.max(self.last_arrival[from]);
                self.last_arrival[from] = at;
            }
            self.sent += 1;
            self.queue.push(Reverse((at, self.sent)));
            let frame = frame.clone();
            self.frames.insert(
                self.sent,
                InFlight {
                    to: 1 - from,
                    frame,
                },
            );
        }
    }

    /// One step: what is due arrives, both hosts have a turn, time moves to what comes next (at
    /// most to `until`). False when nothing would ever happen again before `until`.
    pub fn step(&mut self, hosts: &mut [&mut dyn Host; 2], until: u64) -> bool {
        while let Some(Reverse((at, number))) = self.queue.peek().copied() {
            if at > self.now {
                break;
            }
            self.queue.pop();
            let arrived = self.frames.remove(&number).expect("in flight");
            if self.log {
                println!(
                    "{:>9} µs → {} {}",
                    self.now / 1000,
                    arrived.to,
                    describe(&arrived.frame)
                );
            }
            hosts[arrived.to].receive(&arrived.frame, self.now);
        }
        let mut out = Vec::new();
        for (side, host) in hosts.iter_mut().enumerate() {
            host.turn(self.now, &mut out);
            for frame in out.drain(..) {
                self.carry(side, frame);
            }
        }
        let mut next = self.queue.peek().map(|Reverse((at, _))| *at);
        for host in hosts.iter_mut() {
            if let Some(at) = host.next_timeout(self.now) {
                next = Some(next.map_or(at, |next| next.min(at)));
            }
        }
        match next {
            Some(at) if at <= until => {
                // Timers may be told a little early: time must move all the same.
                let least = if at <= self.now {
                    self.now + 50 * MICROSECOND
                } else {
                    at
                };
                self.now = if self
                    .queue
                    .peek()
                    .is_some_and(|Reverse((at, _))| *at <= self.now)
                {
                    self.now
                } else {
                    least
                };
                true
            }
            _ => {
                self.now = until;
                false
            }
        }
    }
}

/// A line about a frame, for logs.
pub fn describe(frame: &[u8]) -> String {
    let v6 = frame[12..14] == [0x86, 0xdd];
    let at = if v6 { 54 } else { 34 };
    if frame.len() < at + 20 {
        return format!("{} bytes", frame.len());
    }
    let tcp = &frame[at..];
    let word = |i: usize| u32::from_be_bytes(tcp[i..i + 4].try_into().unwrap());
    let flags: String = ["F", "S", "R", "P", "A"]
        .iter()
        .enumerate()
        .filter(|(bit, _)| tcp[13] & 1 << bit != 0)
        .map(|(_, name)| *name)
        .collect();
    let header = usize::from(tcp[12] >> 4) * 4;
    let length = frame.len().saturating_sub(at + header);
    let window = u16::from_be_bytes([tcp[14], tcp[15]]);
    let options = &tcp[20..header.clamp(20, tcp.len())];
    format!(
        "{flags} seq {} len {length} ack {} win {window} opt {options:02x?}",
        word(4),
        word(8)
    )
}

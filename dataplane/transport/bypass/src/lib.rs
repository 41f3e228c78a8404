//! Connections past the kernel: the netstack on a frame device as a [`Transport`].
//!
//! [`BypassTransport`] moves frames between a [`FrameDevice`] and a [`Stack`], tells the stack the
//! time, and sleeps on the device's descriptor and the watched ones until a frame, a wake or a
//! timer. It decides nothing about TCP.

mod capture;
mod sys;

use std::fs::File;
use std::io::{self, IoSlice, Read};
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsRawFd, RawFd};
use std::path::PathBuf;
use std::time::{Duration, Instant};

pub use precursor_netstack::CongestionControl;
use precursor_netstack::{Frame, Offloads, OpenError, Stack, StackConfig};
use precursor_transport_port::{
    Capabilities, ConnectionId, Event, FrameDevice, ReceiveError, SendError, SendOffload,
    Transport, TransportError, Wait, WireStatistics,
};

use capture::Capture;
use sys::WaitSet;

/// Frames taken from the device in one turn.
const RECEIVE_FRAMES: usize = 64;
/// Frames given to the device before they are made to leave.
const SEND_FRAMES: usize = 64;
/// Turns without a wait between two looks at the watched descriptors: a look is a system call.
const TURNS_PER_LOOK: u32 = 8;
/// How often the device is asked whether it is there.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// Longest sleep while the device has no room for what waits to be sent, or cannot be waited on.
const BLIND_SLEEP: Duration = Duration::from_micros(100);
/// Half-open connections that have a control block; further peers get cookies.
const BACKLOG: usize = 1024;
/// How long the end of a transport waits for what was promised to peers.
const FAREWELL: Duration = Duration::from_millis(500);
/// Control blocks beyond the connections that may be open: for half-open and closing ones.
const CLOSING_MIN: usize = 64;

/// The device's token among the watched descriptors; a watcher's own has 32 bits.
const DEVICE: u64 = u64::MAX;

/// How a [`BypassTransport`] is built. One instance per shard; options may be cloned.
#[derive(Clone, Debug)]
pub struct BypassOptions {
    /// The address that the stack owns.
    pub address: IpAddr,
    /// Bits of its network's prefix.
    pub prefix: u8,
    /// The way to addresses outside of that network; without one they are not reached.
    pub gateway: Option<IpAddr>,
    /// Most connections at a time. One above it is accepted and reset at once, so that its client
    /// sees an end rather than a hang.
    pub connections_max: usize,
    /// Most bytes of one connection that wait to be received.
    pub receive_bytes_max: u32,
    /// Most bytes of one connection that wait to be sent or acknowledged.
    pub send_bytes_max: u32,
    pub congestion_control: CongestionControl,
    /// The VLAN that the address is in.
    pub vlan: Option<u16>,
    /// A FIFO for whoever wants to see the frames; it is made, and removed at the end.
    pub capture: Option<PathBuf>,
}

impl BypassOptions {
    pub fn new(address: IpAddr, prefix: u8) -> BypassOptions {
        BypassOptions {
            address,
            prefix,
            gateway: None,
            connections_max: 16_384,
            receive_bytes_max: 2 << 20,
            send_bytes_max: 2 << 20,
            congestion_control: CongestionControl::default(),
            vlan: None,
            capture: None,
        }
    }
}

/// Connections by the netstack over one device. Owned by one shard thread.
pub struct BypassTransport<D: FrameDevice> {
    device: D,
    stack: Stack,
    started: Instant,
    waits: WaitSet,
    can_wait_on_device: bool,
    turns_since_look: u32,
    /// When the device is asked next.
    check_at: u64,
    connections_max: usize,
    refused: u64,
    /// Times that the device had no room.
    send_full: u64,
    capture: Option<Capture>,
    /// The network was told the address again.
    announced_twice: bool,
}

impl<D: FrameDevice> BypassTransport<D> {
    /// Reserves everything that the transport will ever need.
    ///
    /// # Errors
    /// [`TransportError::System`] when descriptors run out.
    pub fn new(device: D, options: BypassOptions) -> Result<BypassTransport<D>, TransportError> {
        let starting = |source| TransportError::System {
            what: "starting our own TCP",
            source,
        };
        let mut seed = [0; 32];
        let random = File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut seed));
        random.map_err(starting)?;
        let waits = WaitSet::new().map_err(starting)?;
        let descriptor = device.wait_descriptor().map(|device| device.as_raw_fd());
        if let Some(descriptor) = descriptor {
            waits.add(descriptor, DEVICE).map_err(starting)?;
        }
        let capture = options.capture.clone().map(Capture::new).transpose();
        let capture = capture.map_err(|source| TransportError::System {
            what: "making the FIFO of a capture",
            source,
        })?;
        let mut stack = Stack::new(stack_config(&device, &options, seed), 0);
        // A device without a queue, as a shard too many has it, tells nobody.
        let announces = device.send_capacity() > 0;
        if announces {
            stack.announce();
        }
        Ok(BypassTransport {
            stack,
            device,
            started: Instant::now(),
            waits,
            can_wait_on_device: descriptor.is_some(),
            turns_since_look: 0,
            check_at: CHECK_INTERVAL.as_nanos() as u64,
            connections_max: options.connections_max,
            refused: 0,
            send_full: 0,
            capture,
            announced_twice: !announces,
        })
    }

    /// The device, for what only its owner knows to ask.
    pub fn device(&self) -> &D {
        &self.device
    }

    /// What the stack counted.
    pub fn statistics(&self) -> precursor_netstack::Statistics {
        self.stack.statistics()
    }

    fn now(&self) -> u64 {
        self.started.elapsed().as_nanos() as u64
    }

    /// Frames in, timers, frames out, events out. Whether anything came in.
    fn turn(&mut self, events: &mut Vec<Event>) -> bool {
        let now = self.now();
        let (stack, capture) = (&mut self.stack, &mut self.capture);
        let mut take = |frame: &[u8]| {
            if let Some(capture) = capture {
                capture.take(&[IoSlice::new(frame)]);
            }
            stack.receive(frame, now);
        };
        let received = self.device.receive_burst(RECEIVE_FRAMES, &mut take);
        if self.stack.next_timeout().is_some_and(|at| at <= now) {
            self.stack.poll_timers(now);
        }
        self.transmit(now);
        self.report(events);
        received > 0
    }

    fn transmit(&mut self, now: u64) {
        while self.stack.wants_transmit() {
            let (device, capture) = (&mut self.device, &mut self.capture);
            let send_full = &mut self.send_full;
            let mut send = |frame: &Frame<'_>| {
                let sent = send_by(device, frame);
                *send_full += u64::from(!sent);
                if sent && let Some(capture) = capture {
                    capture.take(frame.slices);
                }
                sent
            };
            if self.stack.transmit(now, SEND_FRAMES, &mut send) == 0 {
                break;
            }
            self.device.flush();
        }
        // Also what the device could not let go of before.
        self.device.flush();
    }

    /// Appends what happened to connections, less those above the limit, which end here.
    fn report(&mut self, events: &mut Vec<Event>) {
        let before = events.len();
        self.stack.events(events);
        if self.stack.connection_count() <= self.connections_max {
            return;
        }
        let mut kept = before;
        for at in before..events.len() {
            let event = events[at];
            if let Event::Accepted { connection, .. } = event
                && self.stack.connection_count() > self.connections_max
            {
                self.stack.abort(connection);
                self.refused += 1;
                continue;
            }
            events[kept] = event;
            kept += 1;
        }
        events.truncate(kept);
    }

    /// Looks at the watched descriptors, waiting at most `wait` for one.
    fn look(&mut self, wait: Duration, events: &mut Vec<Event>) -> Result<(), TransportError> {
        self.turns_since_look = 0;
        self.waits
            .wait(wait)
            .map_err(|source| TransportError::System {
                what: "waiting for events",
                source,
            })?;
        while let Some(token) = self.waits.next() {
            // Without room it is found by the next look: it stays readable.
            if token != DEVICE && events.len() < events.capacity() {
                events.push(Event::Woken {
                    token: token as u32,
                });
            }
        }
        let now = self.now();
        if now < self.check_at {
            return Ok(());
        }
        self.check_at = now + CHECK_INTERVAL.as_nanos() as u64;
        if !std::mem::replace(&mut self.announced_twice, true) {
            // The first may have been lost while a switch learnt where we are.
            self.stack.announce();
        }
        if let Some(capture) = &mut self.capture {
            capture.look();
        }
        self.device
            .check()
            .map_err(|source| TransportError::System {
                what: "the network interface is gone",
                source,
            })
    }

    /// How long a wait may really last: until a timer of the stack, or a blind look.
    fn sleep(&self, wait: Wait) -> Duration {
        let mut longest = match wait {
            Wait::None => return Duration::ZERO,
            Wait::AtMost(duration) => duration,
            Wait::Forever => CHECK_INTERVAL,
        };
        if let Some(timer) = self.stack.next_timeout() {
            let until = Duration::from_nanos(timer.saturating_sub(self.now()));
            longest = longest.min(until);
        }
        if self.stack.wants_transmit() || !self.can_wait_on_device {
            longest = longest.min(BLIND_SLEEP);
        }
        longest
    }
}

fn send_by(device: &mut impl FrameDevice, frame: &Frame<'_>) -> bool {
    match frame.checksum {
        None => device.send(frame.slices),
        Some(checksum) => device.send_offloaded(
            frame.slices,
            SendOffload {
                checksum_start: checksum.start,
                checksum_offset: checksum.offset,
                segment_bytes: frame.segment_bytes,
            },
        ),
    }
}

fn stack_config(device: &impl FrameDevice, options: &BypassOptions, seed: [u8; 32]) -> StackConfig {
    let (mac, mtu) = (device.mac_address(), device.mtu());
    let mut config = StackConfig::new(mac, options.address, options.prefix, mtu, seed);
    config.gateways.extend(options.gateway);
    config.vlan = options.vlan;
    let capabilities = device.capabilities();
    config.offloads = Offloads {
        receive_checksum: capabilities.receive_checksums_trusted,
        transmit_checksum: capabilities.send_checksums,
        segmentation_bytes_max: capabilities.segmentation_bytes_max,
    };
    let closing = (options.connections_max / 2).max(CLOSING_MIN);
    config.limits.connections_max = options.connections_max + closing;
    config.tcp.receive_bytes_max = options.receive_bytes_max;
    config.tcp.send_bytes_max = options.send_bytes_max;
    config.tcp.congestion_control = options.congestion_control;
    config
}

impl<D: FrameDevice> Transport for BypassTransport<D> {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            name: self.device.capabilities().name,
            send_holds_memory: false,
            send_slices_max: 64,
        }
    }

    fn listen(&mut self, address: SocketAddr) -> Result<SocketAddr, TransportError> {
        match self.stack.listen(address, BACKLOG) {
            Ok((_, port)) => Ok(SocketAddr::new(address.ip(), port)),
            Err(OpenError::InUse) => Err(TransportError::AddressInUse(address)),
            Err(OpenError::NoRoute) => Err(TransportError::System {
                what: "listening",
                source: io::ErrorKind::AddrNotAvailable.into(),
            }),
            Err(OpenError::Exhausted) => Err(TransportError::System {
                what: "listening",
                source: io::Error::other("no port is left"),
            }),
        }
    }

    fn stop_listening(&mut self) {
        self.stack.stop_listening();
    }

    fn watch(&mut self, descriptor: RawFd, token: u32) -> Result<(), TransportError> {
        let added = self.waits.add(descriptor, u64::from(token));
        added.map_err(|source| TransportError::System {
            what: "watching a descriptor",
            source,
        })
    }

    fn poll(&mut self, wait: Wait, events: &mut Vec<Event>) -> Result<(), TransportError> {
        let before = events.len();
        if before == events.capacity() {
            return Ok(());
        }
        let moved = self.turn(events) || events.len() > before;
        self.turns_since_look += 1;
        if (moved || wait == Wait::None) && self.turns_since_look < TURNS_PER_LOOK {
            return Ok(());
        }
        let sleep = match moved {
            true => Duration::ZERO,
            false => self.sleep(wait),
        };
        self.look(sleep, events)?;
        if sleep > Duration::ZERO {
            self.turn(events);
        }
        Ok(())
    }

    fn receive(&mut self, id: ConnectionId, buffer: &mut [u8]) -> Result<usize, ReceiveError> {
        assert!(!buffer.is_empty(), "a receive needs room");
        self.stack.recv(id, buffer)
    }

    fn send(&mut self, id: ConnectionId, slices: &[IoSlice<'_>]) -> Result<usize, SendError> {
        self.stack.send(id, slices)
    }

    fn close(&mut self, id: ConnectionId) {
        self.stack.close(id, self.now());
    }

    fn connection_count(&self) -> usize {
        self.stack.connection_count()
    }

    fn refused_count(&self) -> u64 {
        self.refused
    }

    fn wire(&self) -> Option<WireStatistics> {
        let counted = self.stack.statistics();
        let (with_data, _) = self.stack.memory_lent();
        Some(WireStatistics {
            frames: self.device.counters(),
            frames_malformed: counted.frames_malformed,
            frames_foreign: counted.frames_foreign,
            send_full: self.send_full,
            segments_received: counted.segments_received,
            segments_sent: counted.segments_sent,
            segments_retransmitted: counted.segments_retransmitted,
            retransmission_timeouts: counted.retransmission_timeouts,
            tail_loss_probes: counted.tail_loss_probes,
            fast_recoveries: counted.fast_recoveries,
            recoveries_undone: counted.recoveries_undone,
            out_of_order_received: counted.out_of_order_received,
            duplicates_received: counted.duplicates_received,
            memory_refused: counted.memory_refused,
            window_probes_sent: counted.window_probes_sent,
            challenges_sent: counted.challenges_sent,
            connections: self.stack.control_blocks() as u64,
            connections_with_data: with_data as u64,
            connections_failed: counted.connections_failed,
            connections_refused: counted.connections_refused + self.refused,
            connections_too_fast: counted.connections_too_fast,
            cookies_sent: counted.cookies_sent,
            cookies_accepted: counted.cookies_accepted,
            cookies_refused: counted.cookies_refused,
            resets_sent: counted.resets_sent,
            resets_received: counted.resets_received,
            time_wait_recycled: counted.time_wait_recycled,
            neighbours_unreachable: counted.neighbours_unreachable,
            capture_dropped: self.capture.as_ref().map_or(0, Capture::dropped),
        })
    }
}

impl<D: FrameDevice> Drop for BypassTransport<D> {
    /// What closed connections still have to deliver leaves with this process, so it is waited for,
    /// for as long as peers take it.
    fn drop(&mut self) {
        let deadline = Instant::now() + FAREWELL;
        let mut events = Vec::with_capacity(RECEIVE_FRAMES);
        loop {
            events.clear();
            self.turn(&mut events);
            let (with_data, _) = self.stack.memory_lent();
            let done = with_data == 0 && !self.stack.wants_transmit();
            if done || Instant::now() > deadline {
                return;
            }
            if self.waits.wait(BLIND_SLEEP).is_err() {
                return;
            }
        }
    }
}

//! Measures sending under random loss: our own TCP over AF_XDP beside the kernel's with CUBIC and with
//! BBR, each to the kernel's TCP, through the same injector: a forwarder between two veth pairs that
//! holds every frame for half a millisecond and drops some of those to the client.
//!
//! `cargo run --release -p precursor-transport-bypass --example loss [ROUNDS [NAME]]`, as root; only runs
//! whose name, as "0.10 % CUBIC", contains NAME.
//!
//! The server runs on core 0, the injector and the client on core 1. Frames are 1,500 bytes for both:
//! segmentation offload is off, since an injector that drops segments of 64 KiB would drop others
//! than one that drops frames. Rounds take turns; medians are printed.

mod common;

use std::collections::VecDeque;
use std::io::{IoSlice, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use precursor_netstack::{CongestionControl, Statistics};
use precursor_tests_netns::Wire;
use precursor_transport_afxdp::{AttachMode, PacketDevice};
use precursor_transport_port::{Event, FrameDevice, SendError, Transport, Wait};
use socket2::SockRef;

use common::{BYPASS, KERNEL, bypass, offload, pin};

/// One way; the round trip is twice this.
const DELAY: Duration = Duration::from_micros(500);
const RUN: Duration = Duration::from_millis(2_000);
/// Of the beginning, in which a window opens, nothing is counted.
const WARM_UP: Duration = Duration::from_millis(500);
/// Lost frames of a million.
const LOSSES: [u64; 3] = [0, 1_000, 10_000];
const CONTROLS: [(&str, &str, CongestionControl); 2] = [
    ("CUBIC", "cubic", CongestionControl::Cubic),
    ("BBR", "bbr", CongestionControl::Bbr),
];
/// Frames on the way that the injector holds; more are dropped as by a full queue.
const QUEUE_FRAMES: usize = 8_192;

fn main() {
    let rounds: u64 = std::env::args()
        .nth(1)
        .map_or(5, |rounds| rounds.parse().expect("a number"));
    let only = std::env::args().nth(2).unwrap_or_default();
    println!("    loss    kernel, ours: Gbit/s    ratio, median (each round's least and most)");
    for loss in LOSSES {
        for (name, kernels, ours) in CONTROLS {
            let name = format!("{:.2} % {name}", loss as f64 / 1e4);
            if !name.contains(&only) {
                continue;
            }
            let mut figures = [const { Vec::new() }; 3];
            let mut counted = Statistics::default();
            for round in 0..rounds {
                // The same seed for both: the same fates for as long as they send the same.
                let (kernel, _) = run(Sender::Kernel(kernels), loss, round);
                let (own, statistics) = run(Sender::Own(ours), loss, round);
                for (figures, figure) in figures.iter_mut().zip([kernel, own, own / kernel]) {
                    figures.push(figure);
                }
                counted = statistics.unwrap_or(counted);
            }
            let [kernel, own, ratio] = figures.each_mut().map(|figures| median(figures));
            println!(
                "{name:>14} {kernel:>8.3} {own:>8.3} {ratio:>8.2} ({:.2} to {:.2})",
                figures[2][0],
                figures[2][figures[2].len() - 1],
            );
            println!("    the last of ours: {counted:?}");
        }
    }
}

fn median(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// Whose TCP, with which congestion control.
#[derive(Clone, Copy, PartialEq)]
enum Sender {
    Kernel(&'static str),
    Own(CongestionControl),
}

/// Gbit/s that reached the client, and what our own TCP counted.
fn run(sender: Sender, loss: u64, seed: u64) -> (f64, Option<Statistics>) {
    let (server_wire, client_wire) = (Wire::new(1), Wire::new(1));
    server_wire.near.add_address("10.0.0.3/24");
    client_wire.far.add_address("10.0.0.1/24");
    for wire in [&server_wire, &client_wire] {
        offload(&wire.near, false);
        offload(&wire.far, false);
    }
    let stop = AtomicBool::new(false);
    let (ready_tx, ready_rx) = mpsc::channel();
    thread::scope(|scope| {
        let stop = &stop;
        let near = &server_wire.near;
        let serving = scope.spawn(move || {
            pin(0);
            let _near = near.enter();
            let control = match sender {
                Sender::Own(control) => control,
                Sender::Kernel(control) => {
                    serve_by_kernel(control, &ready_tx, stop);
                    return None;
                }
            };
            let mut transport = bypass(AttachMode::Auto, control, 16);
            serve(&mut transport, BYPASS, &ready_tx, stop);
            Some(transport.statistics())
        });
        let device = |end: &precursor_tests_netns::Namespace| {
            let _entered = end.enter();
            PacketDevice::open(end.interface()).unwrap_or_else(|e| panic!("{e}"))
        };
        let (to_server, to_client) = (device(&server_wire.far), device(&client_wire.near));
        scope.spawn(move || {
            pin(1);
            forward(to_server, to_client, loss, seed, stop);
        });
        let address: SocketAddr = ready_rx.recv().expect("the server starts");
        pin(1);
        let _far = client_wire.far.enter();
        let gbit_per_s = take(address);
        stop.store(true, Ordering::Relaxed);
        (gbit_per_s, serving.join().expect("the server ends well"))
    })
}

/// The client reads for as long as a run lasts.
fn take(address: SocketAddr) -> f64 {
    let mut stream = TcpStream::connect(address).expect("the server listens");
    let mut buffer = vec![0; 256 << 10];
    let begun = Instant::now();
    let (mut counted, mut since) = (0, None);
    loop {
        let read = stream.read(&mut buffer).expect("the server sends");
        assert!(read > 0, "the server goes on");
        match since {
            None if begun.elapsed() > WARM_UP => since = Some(Instant::now()),
            None => {}
            Some(start) => {
                counted += read;
                let elapsed = start.elapsed();
                if elapsed > RUN {
                    return counted as f64 * 8.0 / 1e9 / elapsed.as_secs_f64();
                }
            }
        }
    }
}

/// Sends to one connection until it is told to stop: as simply as can be, in the kernel's favour.
fn serve_by_kernel(control: &str, ready: &mpsc::Sender<SocketAddr>, stop: &AtomicBool) {
    let listener = TcpListener::bind(KERNEL).expect("the address is there");
    let sockets = SockRef::from(&listener);
    sockets
        .set_tcp_congestion(control.as_bytes())
        .expect("the kernel has this congestion control");
    ready
        .send(listener.local_addr().expect("it is bound"))
        .expect("the client waits");
    let (mut stream, _) = listener.accept().expect("the client comes");
    let bytes = vec![1; 1 << 20];
    // The injector is gone before the client's end comes through.
    let patience = Some(Duration::from_millis(100));
    stream.set_write_timeout(patience).expect("a socket");
    while !stop.load(Ordering::Relaxed) {
        // Whatever it takes; when it waits too long, it looks whether to stop.
        let _taken = stream.write(&bytes);
    }
}

/// Sends to one connection until it is told to stop.
fn serve(
    transport: &mut impl Transport,
    address: &str,
    ready: &mpsc::Sender<SocketAddr>,
    stop: &AtomicBool,
) {
    let address = transport.listen(address.parse().expect("an address"));
    let bytes = vec![1; 1 << 20];
    let mut events = Vec::with_capacity(64);
    ready
        .send(address.expect("a port"))
        .expect("the client waits");
    while !stop.load(Ordering::Relaxed) {
        events.clear();
        transport
            .poll(Wait::None, &mut events)
            .expect("polling works");
        for event in &events {
            let (Event::Accepted { connection: id, .. } | Event::Writable(id)) = *event else {
                continue;
            };
            while match transport.send(id, &[IoSlice::new(&bytes)]) {
                Ok(_) => true,
                // The client may be gone before this hears that it is to stop.
                Err(SendError::WouldBlock | SendError::Broken) => false,
            } {}
        }
    }
}

/// Frames on their way in one direction.
struct Lane {
    frames: VecDeque<(Instant, Vec<u8>)>,
    spare: Vec<Vec<u8>>,
}

impl Lane {
    fn new() -> Lane {
        Lane {
            frames: VecDeque::with_capacity(QUEUE_FRAMES),
            spare: Vec::new(),
        }
    }

    fn take(&mut self, frame: &[u8], due: Instant) {
        if self.frames.len() < QUEUE_FRAMES {
            let mut copy = self.spare.pop().unwrap_or_default();
            copy.clear();
            copy.extend_from_slice(frame);
            self.frames.push_back((due, copy));
        }
    }

    fn deliver(&mut self, to: &mut PacketDevice, now: Instant) {
        while let Some((due, _)) = self.frames.front()
            && *due <= now
            && to.send_capacity() > 0
            && let Some((_, frame)) = self.frames.pop_front()
        {
            assert!(to.send(&[IoSlice::new(&frame)]), "there is room");
            self.spare.push(frame);
        }
        to.flush();
    }
}

/// Carries frames both ways, late, and drops `loss` of a million of those to the client.
fn forward(
    mut server: PacketDevice,
    mut client: PacketDevice,
    loss: u64,
    seed: u64,
    stop: &AtomicBool,
) {
    let (mut to_client, mut to_server) = (Lane::new(), Lane::new());
    // xorshift64*: the low bits are not looked at.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(seed + 1) | 1;
    let mut is_lost = || {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        (state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32) % 1_000_000 < loss
    };
    while !stop.load(Ordering::Relaxed) {
        let due = Instant::now() + DELAY;
        let mut from_server = |frame: &[u8]| {
            // Frames that carry much, so that neither a handshake nor ARP is lost.
            if frame.len() < 200 || !is_lost() {
                to_client.take(frame, due);
            }
        };
        let mut moved = server.receive_burst(64, &mut from_server);
        moved += client.receive_burst(64, &mut |frame| to_server.take(frame, due));
        let now = Instant::now();
        to_client.deliver(&mut client, now);
        to_server.deliver(&mut server, now);
        if moved == 0 {
            thread::yield_now();
        }
    }
}

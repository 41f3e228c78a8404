//! Measures our own TCP over AF_XDP beside kernel sockets on the same veth pair: the round trip of
//! 64 bytes with a busy server, and bulk bytes into and out of one connection. The client is the
//! kernel's TCP in a network namespace of its own.
//!
//! `cargo run --release -p precursor-transport-bypass --example veth [ROUNDS [NAME [WORK]]]`, as root; only
//! contestants whose name contains NAME run, and only the WORK `echo`, `in` or `out`; what did not run is
//! printed as NaN.
//!
//! The server runs on core 0, the client on core 1. Rounds of all contestants take turns; medians
//! over the rounds are printed.

mod common;

use std::io::{ErrorKind, IoSlice, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use precursor_netstack::CongestionControl;
use precursor_tests_netns::Wire;
use precursor_transport_afxdp::AttachMode;
use precursor_transport_kernel::{Driver, KernelOptions, KernelTransport};
use precursor_transport_port::{Event, ReceiveError, SendError, Transport, Wait};

const ROUND_TRIPS: usize = 20_000;
const BULK_BYTES: usize = 1 << 30;
const CHUNK: usize = 1 << 20;

use common::{BYPASS, KERNEL, bypass, offload, pin};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Server {
    Kernel,
    AfXdp(AttachMode),
}

/// Who leaves segmentation and checksums to the device, which a veth pair leaves to nobody: what
/// passes then is large segments instead of frames.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Offloads {
    Both,
    Server,
    Nobody,
}

const CONTESTANTS: [(&str, Server, Offloads); 6] = [
    ("kernel, offloads", Server::Kernel, Offloads::Both),
    ("kernel, its offloads", Server::Kernel, Offloads::Server),
    ("kernel, frames", Server::Kernel, Offloads::Nobody),
    (
        "af_xdp native, its offloads",
        Server::AfXdp(AttachMode::Native),
        Offloads::Server,
    ),
    (
        "af_xdp native",
        Server::AfXdp(AttachMode::Native),
        Offloads::Nobody,
    ),
    (
        "af_xdp skb",
        Server::AfXdp(AttachMode::Skb),
        Offloads::Nobody,
    ),
];

#[derive(Clone, Copy, PartialEq)]
enum Work {
    Echo,
    Receive,
    Send,
}

#[derive(Clone, Copy)]
struct Figures {
    p50_us: f64,
    p99_us: f64,
    gbit_per_s: f64,
}

const NOT_RUN: Figures = Figures {
    p50_us: f64::NAN,
    p99_us: f64::NAN,
    gbit_per_s: f64::NAN,
};

fn main() {
    let rounds = std::env::args()
        .nth(1)
        .map_or(3, |rounds| rounds.parse().expect("a number"));
    let only = std::env::args().nth(2).unwrap_or_default();
    let only_work = std::env::args().nth(3).unwrap_or_default();
    let contestants: Vec<_> = CONTESTANTS
        .iter()
        .filter(|(name, ..)| name.contains(&only))
        .collect();
    println!("                     64 bytes: p50 us   p99 us   bulk in Gbit/s   bulk out Gbit/s");
    let mut runs = vec![Vec::new(); contestants.len()];
    for _ in 0..rounds {
        for (number, (_, server, offloads)) in contestants.iter().enumerate() {
            let works = [
                ("echo", Work::Echo),
                ("in", Work::Receive),
                ("out", Work::Send),
            ];
            runs[number].push(works.map(|(name, work)| match name.contains(&only_work) {
                true => run(*server, *offloads, work),
                false => NOT_RUN,
            }));
        }
    }
    for ((name, ..), runs) in contestants.iter().zip(&runs) {
        let of = |work: usize, figure: fn(&Figures) -> f64| {
            let mut figures: Vec<f64> = runs.iter().map(|run| figure(&run[work])).collect();
            figures.sort_by(f64::total_cmp);
            figures[figures.len() / 2]
        };
        println!(
            "{name:<28} {:>8.2} {:>8.2} {:>16.2} {:>17.2}",
            of(0, |figures| figures.p50_us),
            of(0, |figures| figures.p99_us),
            of(1, |figures| figures.gbit_per_s),
            of(2, |figures| figures.gbit_per_s),
        );
    }
}

fn run(server: Server, offloads: Offloads, work: Work) -> Figures {
    let wire = Wire::new(1);
    wire.far.add_address("10.0.0.1/24");
    wire.near.add_address("10.0.0.3/24");
    offload(&wire.far, offloads == Offloads::Both);
    offload(&wire.near, offloads != Offloads::Nobody);
    let (ready_tx, ready_rx) = mpsc::channel();
    thread::scope(|scope| {
        let near = &wire.near;
        let serving = scope.spawn(move || {
            pin(0);
            let _near = near.enter();
            match server {
                Server::Kernel => serve(kernel(), KERNEL, work, &ready_tx),
                Server::AfXdp(attach) => serve(
                    bypass(attach, CongestionControl::default(), 16),
                    BYPASS,
                    work,
                    &ready_tx,
                ),
            }
        });
        let address: SocketAddr = ready_rx.recv().expect("the server starts");
        pin(1);
        let _far = wire.far.enter();
        let figures = drive(address, work);
        serving.join().expect("the server ends well");
        figures
    })
}

/// The kernel's TCP by epoll.
fn kernel() -> KernelTransport {
    let options = KernelOptions {
        driver: Driver::Epoll,
        ..KernelOptions::default()
    };
    KernelTransport::new(options).expect("epoll")
}

/// The client's side.
fn drive(address: SocketAddr, work: Work) -> Figures {
    let mut stream = TcpStream::connect(address).expect("the server listens");
    stream.set_nodelay(true).expect("TCP");
    let mut round_trips = vec![Duration::ZERO; 1];
    let start = Instant::now();
    match work {
        Work::Echo => {
            stream
                .set_nonblocking(true)
                .expect("it can be non-blocking");
            round_trips = (0..ROUND_TRIPS).map(|_| round_trip(&mut stream)).collect();
        }
        Work::Receive => {
            let bytes = vec![1; CHUNK];
            for _ in 0..BULK_BYTES / CHUNK {
                stream.write_all(&bytes).expect("the server reads");
            }
            stream
                .shutdown(std::net::Shutdown::Write)
                .expect("connected");
            assert_eq!(stream.read(&mut [0]).expect("the server closes"), 0);
        }
        Work::Send => {
            let mut buffer = vec![0; 256 << 10];
            let mut received = 0;
            while received < BULK_BYTES {
                received += stream.read(&mut buffer).expect("the server sends");
            }
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    round_trips.sort();
    let percentile =
        |part: usize| round_trips[round_trips.len() * part / 100].as_nanos() as f64 / 1e3;
    Figures {
        p50_us: percentile(50),
        p99_us: percentile(99),
        gbit_per_s: BULK_BYTES as f64 * 8.0 / 1e9 / seconds,
    }
}

fn round_trip(stream: &mut TcpStream) -> Duration {
    let mut message = [7; 64];
    let start = Instant::now();
    assert_eq!(stream.write(&message).expect("there is room"), 64);
    let mut received = 0;
    while received < 64 {
        match stream.read(&mut message[received..]) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            other => received += other.expect("the connection holds"),
        }
    }
    start.elapsed()
}

/// Serves one connection until the client ends it.
fn serve(
    mut transport: impl Transport,
    address: &str,
    work: Work,
    ready: &mpsc::Sender<SocketAddr>,
) {
    let address = transport.listen(address.parse().expect("an address"));
    let bytes = vec![1; CHUNK];
    let mut buffer = vec![0; 256 << 10];
    let mut events = Vec::with_capacity(64);
    let mut sent = 0;
    ready
        .send(address.expect("a port"))
        .expect("the client waits");
    loop {
        events.clear();
        transport
            .poll(Wait::None, &mut events)
            .expect("polling works");
        for event in &events {
            let (Event::Accepted { connection: id, .. }
            | Event::Readable(id)
            | Event::Writable(id)) = *event
            else {
                return;
            };
            while work == Work::Send && sent < BULK_BYTES {
                let length = CHUNK.min(BULK_BYTES - sent);
                match transport.send(id, &[IoSlice::new(&bytes[..length])]) {
                    Ok(taken) => sent += taken,
                    Err(SendError::WouldBlock) => break,
                    Err(SendError::Broken) => panic!("the client reads on"),
                }
            }
            loop {
                match transport.receive(id, &mut buffer) {
                    Ok(length) if work == Work::Echo => {
                        let slice = [IoSlice::new(&buffer[..length])];
                        assert_eq!(transport.send(id, &slice), Ok(length));
                    }
                    Ok(_) => {}
                    Err(ReceiveError::WouldBlock) => break,
                    Err(_) => {
                        end(transport, id);
                        return;
                    }
                }
            }
        }
    }
}

/// Closes, and polls on for as long as the last segments take.
fn end(mut transport: impl Transport, id: precursor_transport_port::ConnectionId) {
    transport.close(id);
    let start = Instant::now();
    let mut events = Vec::with_capacity(64);
    while start.elapsed() < Duration::from_millis(20) {
        transport
            .poll(Wait::None, &mut events)
            .expect("polling works");
        events.clear();
    }
}

//! Measures the round trip of 64 bytes at ten and at very many established connections: our own TCP
//! over AF_XDP to the kernel's TCP, over a veth pair; beside it kernel sockets at ten.
//!
//! `cargo run --release -p precursor-transport-bypass --example connections [MANY [ROUNDS]]`, as root.
//!
//! The server has two transports, each on a wire of its own, one with ten connections and one with
//! MANY, and polls the one that is asked. The server runs on core 0, clients on core 1; rounds take
//! turns, medians over the rounds are printed. Connections that a process has no descriptors for are
//! held by processes of their own.

mod common;

use std::io::{BufRead, BufReader, ErrorKind, IoSlice, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::process::{Child, ChildStdout, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use precursor_netstack::CongestionControl;
use precursor_tests_netns::{Namespace, Wire};
use precursor_transport_afxdp::AttachMode;
use precursor_transport_kernel::{Driver, KernelOptions, KernelTransport};
use precursor_transport_port::{Event, ReceiveError, Transport, Wait};
use socket2::{Domain, Socket, Type};

use common::{BYPASS, KERNEL, bypass, pin};

const FEW: usize = 10;
const ROUND_TRIPS: usize = 20_000;
/// Connections that one process holds, from an address of its own, from port 10,000.
const HELD: usize = 18_000;
const STOP: usize = usize::MAX;

/// Median and 99th percentile, µs.
type Figures = (f64, f64);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [word, server, own, count] = &arguments[..]
        && word == "hold"
    {
        let server = server.parse().expect("an address");
        hold(
            server,
            own.parse().expect("an address"),
            count.parse().expect("a number"),
        );
        return;
    }
    let argument = |at: usize, default| {
        let text = arguments.get(at);
        text.map_or(default, |text| text.parse().expect("a number"))
    };
    let (many, rounds) = (argument(0, 100_000), argument(1, 5));
    let kernel = measure(KERNEL, [FEW, FEW], rounds, |_| kernel(FEW));
    let own = measure(BYPASS, [FEW, many], rounds, |_| {
        bypass(AttachMode::Native, CongestionControl::default(), many)
    });
    println!("round trip of 64 bytes: p50 and p99 in us, p50 by that of our own TCP at {FEW}");
    let line = |what: &str, of: Figures| {
        println!(
            "{what:<56} {:>7.2} {:>7.2} {:>6.2}",
            of.0,
            of.1,
            of.0 / own[0].0
        );
    };
    line(&format!("kernel sockets, {FEW} connections"), kernel[0]);
    line(&format!("our own TCP, {FEW} connections"), own[0]);
    line(
        &format!("our own TCP, {many} connections, {FEW} of them talk"),
        own[1],
    );
    line(
        &format!("our own TCP, {many} connections, all take turns"),
        own[2],
    );
}

/// The round with the median p50.
fn median(mut rounds: Vec<Figures>) -> Figures {
    rounds.sort_by(|one, other| one.0.total_cmp(&other.0));
    rounds
        .get(rounds.len() / 2)
        .copied()
        .unwrap_or((f64::NAN, f64::NAN))
}

/// Of the connections of the first wire, of ten of the second's, and of all of the second's.
fn measure<T: Transport>(
    address: &str,
    counts: [usize; 2],
    rounds: usize,
    transport: impl Fn(&Namespace) -> T + Sync,
) -> [Figures; 3] {
    let wires = [Wire::new(1), Wire::new(1)];
    for wire in &wires {
        wire.near.add_address("10.0.0.3/24");
        wire.far.add_address("10.0.0.9/24");
        common::offload(&wire.far, false);
    }
    let (ready_tx, ready_rx) = mpsc::channel();
    let asked = AtomicUsize::new(0);
    let near = [&wires[0].near, &wires[1].near];
    thread::scope(|scope| {
        let (asked, transport) = (&asked, &transport);
        let serving = scope.spawn(move || {
            pin(0);
            let transports = near.map(|near| {
                let _near = near.enter();
                transport(near)
            });
            serve(transports, address, near, &ready_tx, asked);
        });
        let server: SocketAddr = ready_rx.recv().expect("the server starts");
        pin(1);
        let mut talkers = [0, 1].map(|number| {
            asked.store(number, Ordering::Relaxed);
            let _far = wires[number].far.enter();
            connect(server, "10.0.0.9".parse().expect("an address"), FEW)
        });
        let mut holders = Holders::new(&wires[1].far, server, counts[1] - FEW);
        let mut figures = [const { Vec::new() }; 3];
        for _ in 0..rounds {
            for (number, talkers) in talkers.iter_mut().enumerate() {
                asked.store(number, Ordering::Relaxed);
                figures[number].push(talk(talkers, ROUND_TRIPS));
            }
            if counts[1] > FEW {
                figures[2].push(holders.talk());
            }
        }
        asked.store(STOP, Ordering::Relaxed);
        serving.join().expect("the server ends well");
        figures.map(median)
    })
}

/// Processes that hold connections, and talk on each of them in turn when they are asked.
struct Holders(Vec<(Child, BufReader<ChildStdout>)>);

impl Holders {
    fn new(far: &Namespace, server: SocketAddr, connections: usize) -> Holders {
        let this = std::env::current_exe().expect("this program has a path");
        let this = this.to_str().expect("a path of UTF-8").to_owned();
        let mut holders = Holders(Vec::new());
        for first in (0..connections).step_by(HELD) {
            let own = format!("10.0.0.{}", 10 + holders.0.len());
            far.add_address(&format!("{own}/24"));
            let count = HELD.min(connections - first).to_string();
            let mut command = far.command(&this);
            command.args(["hold", &server.to_string(), &own, &count]);
            command.stdin(Stdio::piped()).stdout(Stdio::piped());
            let mut child = command.spawn().expect("this program starts");
            let output = child.stdout.take().expect("it is piped");
            holders.0.push((child, BufReader::new(output)));
            holders.answer();
        }
        holders
    }

    /// The line that the last of them says.
    fn answer(&mut self) -> String {
        let (_, output) = self.0.last_mut().expect("there is one");
        read_line(output)
    }

    /// One round trip on each connection; the slowest process's figures.
    fn talk(&mut self) -> Figures {
        let mut most = (0.0, 0.0);
        for (child, output) in &mut self.0 {
            let input = child.stdin.as_mut().expect("it is piped");
            input.write_all(b"talk\n").expect("it lives");
            let line = read_line(output);
            let (p50, p99) = line.trim().split_once(' ').expect("two figures");
            let of = |text: &str| text.parse::<f64>().expect("a figure");
            if of(p50) > most.0 {
                most = (of(p50), of(p99));
            }
        }
        most
    }
}

impl Drop for Holders {
    fn drop(&mut self) {
        for (child, _) in &mut self.0 {
            drop(child.stdin.take());
            child.wait().ok();
        }
    }
}

fn read_line(output: &mut BufReader<ChildStdout>) -> String {
    let mut line = String::new();
    output.read_line(&mut line).expect("it lives");
    assert!(
        !line.is_empty(),
        "a process that holds connections has died"
    );
    line
}

/// What such a process does.
fn hold(server: SocketAddr, own: IpAddr, count: usize) {
    pin(1);
    let mut streams = connect(server, own, count);
    println!("ready");
    for _ in std::io::stdin().lines() {
        let (p50, p99) = talk(&mut streams, count);
        println!("{p50} {p99}");
    }
}

fn kernel(connections_max: usize) -> KernelTransport {
    let options = KernelOptions {
        driver: Driver::Epoll,
        connections_max,
        ..KernelOptions::default()
    };
    KernelTransport::new(options).expect("epoll")
}

fn connect(server: SocketAddr, own: IpAddr, count: usize) -> Vec<TcpStream> {
    let connect_one = |number: usize| {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a descriptor is free");
        let own = SocketAddr::new(own, 10_000 + number as u16);
        socket.bind(&own.into()).expect("the port is free");
        socket.connect(&server.into()).expect("the server listens");
        let stream = TcpStream::from(socket);
        stream.set_nodelay(true).expect("TCP");
        stream
            .set_nonblocking(true)
            .expect("it can be non-blocking");
        stream
    };
    (0..count).map(connect_one).collect()
}

/// Of `trips` round trips, the connections taking turns.
fn talk(streams: &mut [TcpStream], trips: usize) -> Figures {
    let count = streams.len();
    let mut taken: Vec<Duration> = (0..trips)
        .map(|trip| round_trip(&mut streams[trip % count]))
        .collect();
    taken.sort();
    let percentile = |part: usize| taken[taken.len() * part / 100].as_nanos() as f64 / 1e3;
    (percentile(50), percentile(99))
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

/// Echoes on the transport that is asked.
fn serve<T: Transport>(
    mut transports: [T; 2],
    address: &str,
    near: [&Namespace; 2],
    ready: &mpsc::Sender<SocketAddr>,
    asked: &AtomicUsize,
) {
    let mut at = address.parse().expect("an address");
    for (transport, near) in transports.iter_mut().zip(near) {
        let _near = near.enter();
        at = transport.listen(at).expect("the port is free");
    }
    ready.send(at).expect("the client waits");
    let mut buffer = vec![0; 4_096];
    let mut events = Vec::with_capacity(64);
    while let number = asked.load(Ordering::Relaxed)
        && number != STOP
    {
        let transport = &mut transports[number];
        events.clear();
        transport
            .poll(Wait::None, &mut events)
            .expect("polling works");
        for event in &events {
            let (Event::Accepted { connection: id, .. } | Event::Readable(id)) = *event else {
                panic!("{event:?}: nobody leaves");
            };
            loop {
                match transport.receive(id, &mut buffer) {
                    Ok(length) => {
                        let slice = [IoSlice::new(&buffer[..length])];
                        assert_eq!(transport.send(id, &slice), Ok(length));
                    }
                    Err(ReceiveError::WouldBlock) => break,
                    Err(error) => panic!("{error:?}: nobody leaves"),
                }
            }
        }
    }
}

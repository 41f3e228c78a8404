//! Measures the drivers over loopback beside bare socket loops of the same run: the round trip of
//! 64 bytes with a busy server, bulk bytes into and out of one connection, and what a poll costs
//! that finds nothing.
//!
//! `cargo run --release -p precursor-transport-kernel --example wire [ROUNDS]`
//!
//! The server runs on core 0, the client on core 1. Rounds of all contestants take turns, so that
//! a slow phase of the machine hits all alike; medians over the rounds are printed.

use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use precursor_transport_kernel::{Driver, KernelOptions, KernelTransport};
use precursor_transport_port::{Event, ReceiveError, SendError, Transport, Wait};

const ROUND_TRIPS: usize = 20_000;
const BULK_BYTES: usize = 2 << 30;
const CHUNK: usize = 1 << 20;
/// Larger than the caches, as a log's tail is.
const REGION: usize = 256 << 20;

#[derive(Clone, Copy, PartialEq)]
enum Server {
    /// `recv` and `send` in a loop, and nothing else: no server of many connections can be faster.
    BareSpin,
    /// The same behind `epoll_wait` without a wait: the least that serves many connections.
    BareEpoll,
    Transport(Driver),
}

const SERVERS: [(&str, Server); 4] = [
    ("bare spin", Server::BareSpin),
    ("bare epoll", Server::BareEpoll),
    ("epoll", Server::Transport(Driver::Epoll)),
    ("io_uring", Server::Transport(Driver::IoUring)),
];

#[derive(Clone, Copy)]
enum Work {
    Echo,
    Receive,
    Send,
}

struct Figures {
    p50_us: f64,
    p99_us: f64,
    gbit_per_s: f64,
    server_cpu_s_per_gb: f64,
}

fn main() {
    let rounds = std::env::args()
        .nth(1)
        .map_or(5, |rounds| rounds.parse().expect("a number"));
    println!("echo of 64 bytes, busy:      p50 us   p99 us   p50 / bare epoll   p50 / bare spin");
    let echo = measure(Work::Echo, rounds);
    let p50: Vec<f64> = echo
        .iter()
        .map(|runs| median(runs, |run| run.p50_us))
        .collect();
    for (number, (name, _)) in SERVERS.iter().enumerate() {
        let p99 = median(&echo[number], |run| run.p99_us);
        let (of_epoll, of_spin) = (p50[number] / p50[1], p50[number] / p50[0]);
        println!(
            "  {name:<22} {:>10.2} {p99:>8.2} {of_epoll:>18.3} {of_spin:>17.3}",
            p50[number]
        );
    }
    println!("a poll that finds nothing, ns:");
    for (name, driver) in [("epoll", Driver::Epoll), ("io_uring", Driver::IoUring)] {
        println!("  {name:<22} {:>10.0}", idle_poll_ns(driver));
    }
    for (title, work) in [("bulk receive", Work::Receive), ("bulk send", Work::Send)] {
        println!("{title:<24} Gbit/s median     best   server CPU-s per GB median     best");
        for ((name, _), runs) in SERVERS.iter().zip(measure(work, rounds)) {
            let best = runs.iter().map(|run| run.gbit_per_s).fold(0.0, f64::max);
            let least = runs
                .iter()
                .map(|run| run.server_cpu_s_per_gb)
                .fold(f64::MAX, f64::min);
            let (rate, cpu) = (
                median(&runs, |run| run.gbit_per_s),
                median(&runs, |run| run.server_cpu_s_per_gb),
            );
            println!("  {name:<22} {rate:>13.1} {best:>8.1} {cpu:>28.3} {least:>8.3}");
        }
    }
}

/// Nanoseconds of a poll without a wait, with one idle connection.
fn idle_poll_ns(driver: Driver) -> f64 {
    const POLLS: u32 = 200_000;
    let options = KernelOptions {
        driver,
        connections_max: 4,
        ..KernelOptions::default()
    };
    let mut transport = KernelTransport::new(options).expect("the driver starts");
    let address = transport
        .listen("127.0.0.1:0".parse().expect("an address"))
        .expect("a port");
    let _client = TcpStream::connect(address).expect("the server listens");
    let mut events = Vec::with_capacity(4);
    let mut fastest = f64::MAX;
    for _ in 0..6 {
        let start = Instant::now();
        for _ in 0..POLLS {
            events.clear();
            transport
                .poll(Wait::None, &mut events)
                .expect("polling works");
        }
        fastest = fastest.min(start.elapsed().as_nanos() as f64 / f64::from(POLLS));
    }
    fastest
}

fn measure(work: Work, rounds: usize) -> Vec<Vec<Figures>> {
    let mut runs: Vec<Vec<Figures>> = SERVERS.iter().map(|_| Vec::new()).collect();
    for _ in 0..rounds {
        for (number, (_, server)) in SERVERS.iter().enumerate() {
            runs[number].push(run(*server, work));
        }
    }
    runs
}

fn median(runs: &[Figures], figure: impl Fn(&Figures) -> f64) -> f64 {
    let mut figures: Vec<f64> = runs.iter().map(figure).collect();
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

fn run(server: Server, work: Work) -> Figures {
    let (address_tx, address_rx) = mpsc::channel();
    let serving = thread::spawn(move || {
        pin(0);
        match server {
            Server::Transport(driver) => serve_by_transport(driver, work, &address_tx),
            bare => serve_barely(bare == Server::BareEpoll, work, &address_tx),
        }
    });
    let address: SocketAddr = address_rx.recv().expect("the server starts");
    pin(1);
    let start = Instant::now();
    let mut round_trips = drive(address, work);
    let seconds = start.elapsed().as_secs_f64();
    let server_cpu_s = serving.join().expect("the server ends well");
    round_trips.sort();
    let percentile = |part: usize| match round_trips.len() {
        0 => 0.0,
        count => round_trips[count * part / 100].as_nanos() as f64 / 1e3,
    };
    let gigabytes = BULK_BYTES as f64 / 1e9;
    Figures {
        p50_us: percentile(50),
        p99_us: percentile(99),
        gbit_per_s: gigabytes * 8.0 / seconds,
        server_cpu_s_per_gb: server_cpu_s / gigabytes,
    }
}

/// The client's side; returns the round trips.
fn drive(address: SocketAddr, work: Work) -> Vec<Duration> {
    let mut stream = TcpStream::connect(address).expect("the server listens");
    stream.set_nodelay(true).expect("TCP");
    let mut round_trips = Vec::with_capacity(ROUND_TRIPS);
    match work {
        Work::Echo => {
            stream
                .set_nonblocking(true)
                .expect("a socket can be non-blocking");
            let mut message = [7; 64];
            for _ in 0..ROUND_TRIPS {
                let start = Instant::now();
                assert_eq!(stream.write(&message).expect("there is room"), 64);
                let mut received = 0;
                while received < 64 {
                    received += ready(stream.read(&mut message[received..])).unwrap_or(0);
                }
                round_trips.push(start.elapsed());
            }
        }
        Work::Receive => {
            let region = vec![1; CHUNK];
            for _ in 0..BULK_BYTES / CHUNK {
                stream.write_all(&region).expect("the server reads");
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
    round_trips
}

fn ready(result: io::Result<usize>) -> Option<usize> {
    match result {
        Err(error) if error.kind() == ErrorKind::WouldBlock => None,
        other => Some(other.expect("the connection holds")),
    }
}

/// Serves one connection through the transport until the client ends it.
fn serve_by_transport(driver: Driver, work: Work, ready: &mpsc::Sender<SocketAddr>) -> f64 {
    let options = KernelOptions {
        driver,
        connections_max: 64,
        ..KernelOptions::default()
    };
    let mut transport = KernelTransport::new(options).expect("the driver starts");
    let address = transport
        .listen("127.0.0.1:0".parse().expect("an address"))
        .expect("a port");
    let region = vec![
        1;
        if matches!(work, Work::Send) {
            REGION
        } else {
            CHUNK
        }
    ];
    let mut buffer = vec![0; 256 << 10];
    let mut events = Vec::with_capacity(64);
    let mut sent = 0;
    ready.send(address).expect("the client waits");
    let start = thread_cpu_s();
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
                return thread_cpu_s() - start;
            };
            while matches!(work, Work::Send) && sent < BULK_BYTES {
                let offset = sent % REGION;
                let end = REGION.min(offset + CHUNK.min(BULK_BYTES - sent));
                match transport.send(id, &[IoSlice::new(&region[offset..end])]) {
                    Ok(taken) => sent += taken,
                    Err(SendError::WouldBlock) => break,
                    Err(SendError::Broken) => panic!("the client reads on"),
                }
            }
            loop {
                match transport.receive(id, &mut buffer) {
                    Ok(length) if matches!(work, Work::Echo) => {
                        let slice = [IoSlice::new(&buffer[..length])];
                        assert_eq!(transport.send(id, &slice), Ok(length));
                    }
                    Ok(_) => {}
                    Err(ReceiveError::WouldBlock) => break,
                    Err(_) => {
                        transport.close(id);
                        return thread_cpu_s() - start;
                    }
                }
            }
        }
    }
}

/// Serves one connection with as little as possible.
fn serve_barely(by_epoll: bool, work: Work, address: &mpsc::Sender<SocketAddr>) -> f64 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let region = vec![
        1;
        if matches!(work, Work::Send) {
            REGION
        } else {
            CHUNK
        }
    ];
    let mut buffer = vec![0; 256 << 10];
    address
        .send(listener.local_addr().expect("bound"))
        .expect("the client waits");
    let (mut stream, _) = listener.accept().expect("a client");
    stream.set_nodelay(true).expect("TCP");
    stream
        .set_nonblocking(true)
        .expect("a socket can be non-blocking");
    let gate = Gate::new(&stream, by_epoll);
    let start = thread_cpu_s();
    let mut sent = 0;
    loop {
        if !gate.is_open() {
            continue;
        }
        while matches!(work, Work::Send) && sent < BULK_BYTES {
            let offset = sent % REGION;
            let end = REGION.min(offset + CHUNK.min(BULK_BYTES - sent));
            match ready(stream.write(&region[offset..end])) {
                Some(taken) => sent += taken,
                None => break,
            }
        }
        loop {
            match ready(stream.read(&mut buffer)) {
                Some(0) => return thread_cpu_s() - start,
                Some(length) if matches!(work, Work::Echo) => {
                    assert_eq!(
                        stream.write(&buffer[..length]).expect("there is room"),
                        length
                    );
                    break;
                }
                Some(_) => {}
                None => break,
            }
        }
    }
}

/// An epoll set with one socket, or nothing.
struct Gate {
    epoll: Option<std::os::fd::OwnedFd>,
}

impl Gate {
    fn new(stream: &TcpStream, by_epoll: bool) -> Gate {
        use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
        if !by_epoll {
            return Gate { epoll: None };
        }
        // SAFETY: takes no pointers.
        let descriptor = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
        assert!(descriptor >= 0);
        // SAFETY: just made; nobody else owns it.
        let epoll = unsafe { OwnedFd::from_raw_fd(descriptor) };
        let interest = (libc::EPOLLIN | libc::EPOLLOUT | libc::EPOLLET) as u32;
        let mut event = libc::epoll_event {
            events: interest,
            u64: 0,
        };
        let socket = stream.as_raw_fd();
        // SAFETY: `event` outlives the call.
        let added = unsafe { libc::epoll_ctl(descriptor, libc::EPOLL_CTL_ADD, socket, &mut event) };
        assert_eq!(added, 0);
        Gate { epoll: Some(epoll) }
    }

    fn is_open(&self) -> bool {
        use std::os::fd::AsRawFd;
        let Some(epoll) = &self.epoll else {
            return true;
        };
        let mut ready = [libc::epoll_event { events: 0, u64: 0 }; 8];
        // SAFETY: `ready` has room for 8 events.
        unsafe { libc::epoll_wait(epoll.as_raw_fd(), ready.as_mut_ptr(), 8, 0) > 0 }
    }
}

fn thread_cpu_s() -> f64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `time` is valid for the call to fill.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// Pins the calling thread; where that is not allowed, the figures are noisier.
fn pin(core: usize) {
    // SAFETY: all-zero bytes are an empty cpu_set_t.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: `core` is below the set's size.
    unsafe { libc::CPU_SET(core, &mut set) };
    // SAFETY: the set outlives the call.
    unsafe { libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &set) };
}

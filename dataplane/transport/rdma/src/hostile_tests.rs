//! Clients that do not keep to the rules, with a queue pair in their hands. Need an RDMA device:
//! `scripts/lab` has one.

mod lend;
mod reach;

use std::ffi::c_int;
use std::io::IoSlice;
use std::net::SocketAddr;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use precursor_rdma_sys::{
    SEND_SIGNALED, SendRequest, Slice, WC_REMOTE_ACCESS, WC_SUCCESS, WR_RDMA_READ, WR_RDMA_WRITE,
    WR_SEND, WorkCompletion,
};
use precursor_transport_kernel::{KernelOptions, KernelTransport};
use precursor_transport_port::{ConnectionId, Event, ReceiveError, SendError, Transport, Wait};

use crate::flow::{CREDITS, MESSAGE_BYTES};
use crate::{ConnectError, RdmaConnection, RdmaListener, RdmaOptions, WithRdma};

/// Of each client, each way.
const ACCESS_BYTES: u32 = 256 << 10;
/// What a shard that echoes holds at most.
const HELD_MAX: usize = 256 << 10;
/// The machine is emulated.
const PATIENCE: Duration = Duration::from_secs(60);

/// A shard that echoes, on its own thread.
struct Echo {
    address: SocketAddr,
    /// Where the shard's memory is, and its key.
    region: (u64, u32),
    listener: Option<RdmaListener>,
    stop: Arc<AtomicBool>,
    accepted: Arc<AtomicU64>,
    failed: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Echo {
    fn start(clients_max: usize) -> Echo {
        Echo::granting(clients_max, ACCESS_BYTES, PATIENCE)
    }

    fn granting(clients_max: usize, access_bytes: u32, access_timeout: Duration) -> Echo {
        let address = std::env::var("LAB_ADDRESS").unwrap_or("10.77.0.1".to_owned());
        let options = RdmaOptions {
            address: SocketAddr::new(address.parse().unwrap(), 0),
            clients_max,
            access_bytes,
            access_timeout,
        };
        let (listener, mut transports) =
            RdmaListener::start(&options, 1).unwrap_or_else(|error| panic!("{error}"));
        let region = transports[0].raw_region();
        let kernel = KernelTransport::new(KernelOptions::default()).unwrap();
        let transport = WithRdma::new(kernel, transports.pop()).unwrap();
        let (stop, stopped) = twice(AtomicBool::new(false));
        let (accepted, arrivals) = twice(AtomicU64::new(0));
        let (failed, failures) = twice(AtomicU64::new(0));
        let thread = std::thread::spawn(move || echo(transport, &stopped, &arrivals, &failures));
        Echo {
            address: listener.address(),
            region,
            listener: Some(listener),
            stop,
            accepted,
            failed,
            thread: Some(thread),
        }
    }

    /// A client that the shard knows of: one that lies before that is never announced.
    fn connect(&self) -> RdmaConnection {
        let (start, before) = (Instant::now(), self.accepted.load(Ordering::Relaxed));
        let client = loop {
            // Clients before it are gone for the broker only when it was told.
            match RdmaConnection::connect(self.address, None) {
                Ok(one) => break one,
                Err(error) => assert!(start.elapsed() < PATIENCE, "{error}"),
            }
            std::thread::sleep(Duration::from_millis(10));
        };
        while self.accepted.load(Ordering::Relaxed) == before {
            assert!(start.elapsed() < PATIENCE, "never accepted");
            std::thread::sleep(Duration::from_millis(1));
        }
        client
    }

    /// An honest client's round trip.
    fn must_serve(&self) {
        must_echo(&mut self.connect());
    }

    fn must_have_failed(&self, count: u64) {
        let start = Instant::now();
        while self.failed.load(Ordering::Relaxed) < count {
            assert!(start.elapsed() < PATIENCE, "the liar is still connected");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            assert!(thread.join().is_ok() || std::thread::panicking());
        }
        self.listener = None;
    }
}

fn twice<T>(value: T) -> (Arc<T>, Arc<T>) {
    let one = Arc::new(value);
    (one.clone(), one)
}

fn must_echo(client: &mut RdmaConnection) {
    let bytes: Vec<u8> = (0..100_000_u32).map(|n| n as u8).collect();
    let (mut sent, mut echoed, start) = (0, Vec::new(), Instant::now());
    let mut buffer = vec![0; 30_000];
    while echoed.len() < bytes.len() {
        assert!(start.elapsed() < PATIENCE, "{} came back", echoed.len());
        if sent < bytes.len() {
            sent += client.try_send(&bytes[sent..]).unwrap();
        }
        match client.try_receive(&mut buffer).unwrap() {
            Some(length) => echoed.extend_from_slice(&buffer[..length]),
            None => client.wait(false, Some(Duration::from_millis(10))).unwrap(),
        }
    }
    assert!(echoed == bytes, "another's bytes");
}

fn echo(
    mut transport: WithRdma<KernelTransport>,
    stop: &AtomicBool,
    accepted: &AtomicU64,
    failed: &AtomicU64,
) {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    transport.listen(any).unwrap();
    let mut events = Vec::with_capacity(64);
    let mut waiting: Vec<(ConnectionId, Vec<u8>)> = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        events.clear();
        let wait = Wait::AtMost(Duration::from_millis(5));
        transport.poll(wait, &mut events).unwrap();
        for event in &events {
            match *event {
                Event::Accepted { connection, .. } => {
                    accepted.fetch_add(1, Ordering::Relaxed);
                    waiting.push((connection, Vec::new()));
                }
                Event::Failed(id) => {
                    failed.fetch_add(1, Ordering::Relaxed);
                    waiting.retain(|(other, _)| *other != id);
                }
                _ => {}
            }
        }
        waiting.retain_mut(|(id, held)| serve(&mut transport, *id, held, failed));
    }
}

/// Whether the connection goes on.
fn serve(
    transport: &mut WithRdma<KernelTransport>,
    id: ConnectionId,
    held: &mut Vec<u8>,
    failed: &AtomicU64,
) -> bool {
    let mut buffer = [0; 16 << 10];
    loop {
        let mut end = None;
        while held.len() < HELD_MAX && end.is_none() {
            match transport.receive(id, &mut buffer) {
                Ok(length) => held.extend_from_slice(&buffer[..length]),
                Err(error) => end = Some(error),
            }
        }
        while !held.is_empty() && end != Some(ReceiveError::Broken) {
            match transport.send(id, &[IoSlice::new(held)]) {
                Ok(taken) => drop(held.drain(..taken)),
                Err(SendError::WouldBlock) => return true,
                Err(SendError::Broken) => end = Some(ReceiveError::Broken),
            }
        }
        match end {
            None => {}
            Some(ReceiveError::WouldBlock) => return true,
            Some(ReceiveError::EndOfStream) => {
                transport.close(id);
                return false;
            }
            Some(ReceiveError::Broken) => {
                failed.fetch_add(1, Ordering::Relaxed);
                return false;
            }
        }
    }
}

/// The number of what a test posts by itself.
const POSTED: u64 = u64::MAX;

/// Posts a request as it stands.
fn post(client: &RdmaConnection, request: &mut SendRequest) {
    request.user = POSTED;
    let pair = client.raw_pair();
    let mut refused = ptr::null_mut();
    // SAFETY: the pair is open, and what the request points to lives as long as this call.
    let posted = unsafe { ((*(*pair).context).post_send)(pair, request, &mut refused) };
    assert_eq!(posted, 0);
}

/// What became of what was posted last. Receive buffers come back unused meanwhile.
fn completed(client: &RdmaConnection) -> WorkCompletion {
    let (mut batch, start) = ([WorkCompletion::default()], Instant::now());
    while client.raw_queue().poll(&mut batch) == 0 || batch[0].user != POSTED {
        assert!(start.elapsed() < PATIENCE, "nothing completed");
    }
    batch[0]
}

/// Reads or writes what the broker has, as it stands; what becomes of it.
fn reached(client: &RdmaConnection, opcode: c_int, address: u64, key: u32, length: u32) -> c_int {
    let mut slice: Slice = client.raw_queue().raw_slice(length);
    let mut request = SendRequest::EMPTY;
    (request.opcode, request.flags) = (opcode, SEND_SIGNALED);
    (request.slices, request.slice_count) = (&mut slice, 1);
    (request.remote_address, request.remote_key) = (address, key);
    post(client, &mut request);
    completed(client).status
}

#[test]
fn a_lie_about_credits_ends_the_liar_alone() {
    let echo = Echo::start(4);
    let mut honest = echo.connect();
    let liar = echo.connect();
    assert!(liar.raw_queue().send(liar.raw_pair(), 0, 0, 100, 77));
    echo.must_have_failed(1);
    must_echo(&mut honest);
    echo.must_serve();
}

#[test]
fn messages_beyond_the_credits_end_their_sender_alone() {
    let echo = Echo::start(4);
    let mut honest = echo.connect();
    for round in 1..=3 {
        // One that never takes its echo, so that the shard stops to read, and sends on and on.
        let flood = echo.connect();
        let (mut sent, mut batch) = (0, [WorkCompletion::default(); 8]);
        while sent < CREDITS * 4 && echo.failed.load(Ordering::Relaxed) < round {
            // What came is not looked at, and no buffer given back.
            flood.raw_queue().poll(&mut batch);
            let posted = flood
                .raw_queue()
                .send(flood.raw_pair(), 0, 0, MESSAGE_BYTES, 0);
            sent += u32::from(posted);
        }
        echo.must_have_failed(round);
    }
    must_echo(&mut honest);
    echo.must_serve();
}

#[test]
fn empty_and_wordless_messages_end_their_sender_alone() {
    let echo = Echo::start(4);
    let mut honest = echo.connect();
    let empty = echo.connect();
    assert!(empty.raw_queue().send(empty.raw_pair(), 0, 0, 0, 0));
    echo.must_have_failed(1);
    let wordless = echo.connect();
    let mut slice = wordless.raw_queue().raw_slice(64);
    let mut request = SendRequest::EMPTY;
    (request.opcode, request.flags) = (WR_SEND, SEND_SIGNALED);
    (request.slices, request.slice_count) = (&mut slice, 1);
    post(&wordless, &mut request);
    echo.must_have_failed(2);
    must_echo(&mut honest);
}

#[test]
fn a_message_larger_than_a_buffer_ends_its_sender_alone() {
    let echo = Echo::start(4);
    let mut honest = echo.connect();
    let large = echo.connect();
    let mut slice = large.raw_queue().raw_slice(MESSAGE_BYTES as u32 + 1);
    let mut request = SendRequest::EMPTY;
    (request.opcode, request.flags) = (WR_SEND, SEND_SIGNALED);
    (request.slices, request.slice_count) = (&mut slice, 1);
    post(&large, &mut request);
    assert_ne!(completed(&large).status, WC_SUCCESS);
    echo.must_have_failed(1);
    must_echo(&mut honest);
    echo.must_serve();
}

/// What the broker receives into is nobody's to read or write, whatever key is named, and be it the
/// right one.
#[test]
fn reads_and_writes_of_the_brokers_memory_are_refused() {
    let echo = Echo::start(4);
    let mut honest = echo.connect();
    let mut ended = 0;
    for opcode in [WR_RDMA_READ, WR_RDMA_WRITE] {
        // The last is the right one.
        let (address, right) = echo.region;
        for key in [0, u32::MAX, right] {
            let thief = echo.connect();
            let refusal = reached(&thief, opcode, address, key, 64);
            assert_eq!(refusal, WC_REMOTE_ACCESS, "{opcode} by key {key:#x}");
            ended += 1;
            drop(thief);
            echo.must_have_failed(ended);
        }
    }
    must_echo(&mut honest);
    echo.must_serve();
}

#[test]
fn clients_beyond_the_limit_are_told_so_and_those_that_leave_make_room() {
    let echo = Echo::start(2);
    let mut first = echo.connect();
    let second = echo.connect();
    let refused = RdmaConnection::connect(echo.address, None).err();
    assert!(
        matches!(refused, Some(ConnectError::TooManyClients)),
        "{refused:?}"
    );
    let wrong = RdmaConnection::connect(echo.address, Some(9)).err();
    assert!(matches!(wrong, Some(ConnectError::NoShard)), "{wrong:?}");
    drop(second);
    echo.must_serve();
    for _ in 0..20 {
        echo.must_serve();
    }
    must_echo(&mut first);
}

#[test]
fn nobody_at_the_address_is_one_sentence() {
    let echo = Echo::start(1);
    let mut address = echo.address;
    address.set_port(1);
    let refusal = RdmaConnection::connect(address, None)
        .err()
        .unwrap()
        .to_string();
    println!("{refusal}");
    assert!(
        !refusal.contains('\n') && refusal.contains(":1"),
        "{refusal}"
    );
}

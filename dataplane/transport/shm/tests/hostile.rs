//! Clients that do not keep to the rules, with the memory in their hands.

mod network;

use std::collections::HashMap;
use std::io::IoSlice;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use network::Host;
use precursor_transport_port::{ConnectionId, Event, ReceiveError, SendError, Transport, Wait};
use precursor_transport_shm::{ShmConnection, ShmTransport};

/// Bytes of the two blocks of cursors and flags.
const CONTROL_BYTES: usize = 4096;
/// As `network::Host` asks for.
const RING_BYTES: usize = 32 << 10;
/// Where words stand within a block, and blocks within the memory (src/memory.rs).
const WRITTEN: usize = 0;
const READ: usize = 128;
const READER_SLEEPS: usize = 384;
const TO_CLIENT: usize = 1024;

/// A shard that echoes, on its own thread.
struct Echo {
    host: Host,
    stop: Arc<AtomicBool>,
    failed: Arc<AtomicU64>,
    /// The longest turn, in microseconds.
    longest: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Echo {
    fn start(clients_max: usize) -> Echo {
        let mut host = Host::new();
        let transport = host.start(clients_max);
        let stop = Arc::new(AtomicBool::new(false));
        let failed = Arc::new(AtomicU64::new(0));
        let longest = Arc::new(AtomicU64::new(0));
        let (stopped, failures, turns) = (stop.clone(), failed.clone(), longest.clone());
        let thread = std::thread::spawn(move || echo(transport, &stopped, &failures, &turns));
        let echo = Echo {
            host,
            stop,
            failed,
            longest,
            thread: Some(thread),
        };
        let start = Instant::now();
        while ShmConnection::attach(&echo.host.socket(), None).is_err() {
            assert!(start.elapsed() < Duration::from_secs(60), "it listens");
        }
        echo
    }

    /// An honest client's round trip.
    fn must_serve(&self) {
        let start = Instant::now();
        let mut one = loop {
            // Clients before it are gone for the broker only when it has seen their sockets close.
            match ShmConnection::attach(&self.host.socket(), None) {
                Ok(one) => break one,
                Err(error) => assert!(start.elapsed() < Duration::from_secs(60), "{error}"),
            }
            std::thread::sleep(Duration::from_millis(1));
        };
        let mut echoed = Vec::new();
        let mut sent = 0;
        let bytes: Vec<u8> = (0..100_000u32).map(|n| n as u8).collect();
        while echoed.len() < bytes.len() {
            assert!(
                start.elapsed() < Duration::from_secs(20),
                "{}",
                echoed.len()
            );
            sent += one.try_send(&bytes[sent..]).unwrap();
            let mut buffer = [0; 4096];
            match one.try_receive(&mut buffer).unwrap() {
                Some(length) => echoed.extend_from_slice(&buffer[..length]),
                None => one.wait(false, Some(Duration::from_millis(1))).unwrap(),
            }
        }
        assert!(echoed == bytes);
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let ended = self.thread.take().expect("it runs").join();
        assert!(ended.is_ok() || std::thread::panicking());
    }
}

fn echo(mut transport: ShmTransport, stop: &AtomicBool, failed: &AtomicU64, longest: &AtomicU64) {
    transport.listen(([127, 0, 0, 1], 1).into()).unwrap();
    let mut events = Vec::with_capacity(64);
    let mut to_serve = Vec::new();
    let mut owed: HashMap<ConnectionId, Vec<u8>> = HashMap::new();
    while !stop.load(Ordering::Relaxed) {
        events.clear();
        let wait = match to_serve.is_empty() {
            true => Wait::AtMost(Duration::from_millis(10)),
            false => Wait::None,
        };
        transport.poll(wait, &mut events).unwrap();
        let began = Instant::now();
        for event in &events {
            match *event {
                Event::Accepted { connection: id, .. }
                | Event::Readable(id)
                | Event::Writable(id) => to_serve.push(id),
                Event::Failed(_) => {
                    failed.fetch_add(1, Ordering::Relaxed);
                }
                Event::Released { .. }
                | Event::Woken { .. }
                | Event::Lent { .. }
                | Event::Returned { .. } => {}
            }
        }
        to_serve.retain(
            |id| match serve(&mut transport, *id, owed.entry(*id).or_default()) {
                Ok(more) => more,
                Err(error) => {
                    transport.close(*id);
                    owed.remove(id);
                    let broken = error == ReceiveError::Broken;
                    failed.fetch_add(u64::from(broken), Ordering::Relaxed);
                    false
                }
            },
        );
        longest.fetch_max(began.elapsed().as_micros() as u64, Ordering::Relaxed);
    }
}

/// Echoes a little; whether there is more to do before an event tells.
fn serve(
    transport: &mut ShmTransport,
    id: ConnectionId,
    owed: &mut Vec<u8>,
) -> Result<bool, ReceiveError> {
    if owed.is_empty() {
        let mut buffer = [0; 2048];
        match transport.receive(id, &mut buffer) {
            Ok(length) => owed.extend_from_slice(&buffer[..length]),
            Err(ReceiveError::WouldBlock) => return Ok(false),
            Err(error) => return Err(error),
        }
    }
    match transport.send(id, &[IoSlice::new(owed)]) {
        Ok(taken) => drop(owed.drain(..taken)),
        Err(SendError::WouldBlock) => {}
        Err(SendError::Broken) => return Err(ReceiveError::Broken),
    }
    Ok(owed.is_empty())
}

/// A client that has the memory itself.
struct Raw {
    socket: OwnedFd,
    memory: OwnedFd,
    base: *mut u8,
}

impl Raw {
    /// Attaches as soon as the broker has room: the clients before are gone for it only when it
    /// has seen their sockets close.
    fn attach(path: &Path) -> Raw {
        let start = Instant::now();
        loop {
            if let Some(raw) = Raw::try_attach(path) {
                return raw;
            }
            assert!(start.elapsed() < Duration::from_secs(60), "it has room");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn try_attach(path: &Path) -> Option<Raw> {
        let kind = libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC;
        // SAFETY: system calls with arguments of this function that outlive them; the descriptors
        // that they make are this function's own.
        unsafe {
            let socket = OwnedFd::from_raw_fd(libc::socket(libc::AF_UNIX, kind, 0));
            let mut address: libc::sockaddr_un = std::mem::zeroed();
            address.sun_family = libc::AF_UNIX as u16;
            for (to, from) in address.sun_path.iter_mut().zip(path.as_os_str().as_bytes()) {
                *to = *from as libc::c_char;
            }
            let length = size_of::<libc::sockaddr_un>() as u32;
            let fd = socket.as_raw_fd();
            assert_eq!(libc::connect(fd, (&raw const address).cast(), length), 0);
            let mut hello = *b"PRECSHM\x01\xFF\xFF\xFF\xFF\0\0\0\0";
            assert_eq!(libc::send(fd, hello.as_mut_ptr().cast(), 16, 0), 16);
            let mut bytes = [0u8; 24];
            let mut part = libc::iovec {
                iov_base: bytes.as_mut_ptr().cast(),
                iov_len: bytes.len(),
            };
            let mut control = [0u64; 4];
            let mut message: libc::msghdr = std::mem::zeroed();
            message.msg_iov = &raw mut part;
            message.msg_iovlen = 1;
            message.msg_control = control.as_mut_ptr().cast();
            message.msg_controllen = 32;
            assert_eq!(libc::recvmsg(fd, &raw mut message, 0), 24);
            let header = libc::CMSG_FIRSTHDR(&raw const message);
            if header.is_null() {
                return None;
            }
            let memory = libc::CMSG_DATA(header).cast::<i32>().read_unaligned();
            let memory = OwnedFd::from_raw_fd(memory);
            let base = libc::mmap(
                std::ptr::null_mut(),
                CONTROL_BYTES + 2 * RING_BYTES,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_SHARED,
                memory.as_raw_fd(),
                0,
            );
            assert_ne!(base, libc::MAP_FAILED);
            Some(Raw {
                socket,
                memory,
                base: base.cast(),
            })
        }
    }

    fn word(&self, at: usize) -> &AtomicU64 {
        assert!(at + 8 <= CONTROL_BYTES && at.is_multiple_of(8));
        // SAFETY: within the mapping, aligned, and an atomic.
        unsafe { &*self.base.add(at).cast() }
    }

    fn ring_bell(&self) {
        // SAFETY: one byte that outlives the call.
        unsafe {
            libc::send(
                self.socket.as_raw_fd(),
                [1u8].as_ptr().cast(),
                1,
                libc::MSG_DONTWAIT,
            )
        };
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        // SAFETY: mapped by `attach`, and nothing refers to it any more.
        unsafe { libc::munmap(self.base.cast(), CONTROL_BYTES + 2 * RING_BYTES) };
    }
}

#[test]
fn the_memory_can_be_neither_cut_nor_grown() {
    let echo = Echo::start(4);
    let raw = Raw::attach(&echo.host.socket());
    let file = std::fs::File::from(raw.memory.try_clone().unwrap());
    for bytes in [0, 4096, 1 << 30] {
        let error = file.set_len(bytes).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::EPERM), "{bytes}");
    }
    // A write past the end would grow it.
    let end = file.metadata().unwrap().len();
    let past = std::os::unix::fs::FileExt::write_at(&file, &[1], end);
    assert!(past.is_err());
    // A hole is zeroes, which are as good as any bytes.
    let mode = libc::FALLOC_FL_PUNCH_HOLE | libc::FALLOC_FL_KEEP_SIZE;
    // SAFETY: integers only.
    let punched = unsafe { libc::fallocate(file.as_raw_fd(), mode, 0, end as i64) };
    assert_eq!(punched, 0);
    raw.word(WRITTEN).store(500, Ordering::Release);
    raw.ring_bell();
    echo.must_serve();
}

#[test]
fn impossible_cursors_end_their_connection_and_no_other() {
    let echo = Echo::start(8);
    let mut expected = 0;
    for at in [WRITTEN, TO_CLIENT + READ] {
        for value in [u64::MAX, 1 << 63, RING_BYTES as u64 + 1] {
            let raw = Raw::attach(&echo.host.socket());
            if at != WRITTEN {
                // Something to send, so that the broker looks at this cursor.
                raw.word(at).store(value, Ordering::Release);
                raw.word(WRITTEN)
                    .store(RING_BYTES as u64, Ordering::Release);
                raw.ring_bell();
                std::thread::sleep(Duration::from_millis(20));
                raw.word(WRITTEN)
                    .store(2 * RING_BYTES as u64, Ordering::Release);
            } else {
                raw.word(at).store(value, Ordering::Release);
            }
            raw.ring_bell();
            expected += 1;
            let start = Instant::now();
            while echo.failed.load(Ordering::Relaxed) < expected {
                assert!(
                    start.elapsed() < Duration::from_secs(60),
                    "{value:#x} at {at}"
                );
                std::thread::sleep(Duration::from_millis(1));
            }
            echo.must_serve();
        }
    }
}

#[test]
fn garbage_in_every_word_harms_nobody() {
    let echo = Echo::start(8);
    let mut seed = 0x9E37_79B9_7F4A_7C15u64;
    let mut random = move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    };
    for round in 0..40 {
        let raw = Raw::attach(&echo.host.socket());
        for _ in 0..2000 {
            let at = (random() as usize % CONTROL_BYTES) & !7;
            let value = match random() % 3 {
                0 => random(),
                1 => random() % (4 * RING_BYTES as u64),
                _ => raw
                    .word(at)
                    .load(Ordering::Relaxed)
                    .wrapping_add(random() % 100),
            };
            raw.word(at).store(value, Ordering::Release);
            if random() % 64 == 0 {
                raw.ring_bell();
            }
        }
        drop(raw);
        if round % 10 == 0 {
            echo.must_serve();
        }
    }
    echo.must_serve();
}

/// Its bell is never heard and always asked for: the broker's sends must not wait for it.
#[test]
fn a_bell_that_nobody_hears_stops_nobody() {
    let echo = Echo::start(4);
    let raw = Raw::attach(&echo.host.socket());
    // What its own end of the socket is set to is its own affair.
    // SAFETY: integers only.
    unsafe { libc::fcntl(raw.socket.as_raw_fd(), libc::F_SETFL, 0) };
    let mut written = 0;
    for _ in 0..20_000 {
        raw.word(TO_CLIENT + READER_SLEEPS)
            .store(1, Ordering::Release);
        written += 8;
        raw.word(WRITTEN).store(written, Ordering::Release);
        // Reads on without looking.
        let sent = raw.word(TO_CLIENT + WRITTEN).load(Ordering::Acquire);
        raw.word(TO_CLIENT + READ).store(sent, Ordering::Release);
        while written - raw.word(READ).load(Ordering::Acquire) > 1000 {
            raw.ring_bell();
            std::thread::yield_now();
            let sent = raw.word(TO_CLIENT + WRITTEN).load(Ordering::Acquire);
            raw.word(TO_CLIENT + READ).store(sent, Ordering::Release);
        }
    }
    echo.must_serve();
    let longest = echo.longest.load(Ordering::Relaxed);
    println!("longest turn: {longest} µs");
    assert!(longest < 2_000_000, "{longest} µs");
}

/// Connects and says nothing, something else, or sends a descriptor along.
#[test]
fn whoever_does_not_attach_properly_is_let_go() {
    let echo = Echo::start(4);
    let socket = echo.host.socket();
    let silent: Vec<OwnedFd> = (0..100).filter_map(|_| connect(&socket)).collect();
    for bytes in [&b"GET / HTTP/1.1"[..], &[0xFF; 16], &[0; 1000], b""] {
        let one = connect(&socket).expect("the backlog has room");
        // SAFETY: bytes that outlive the call.
        unsafe { libc::send(one.as_raw_fd(), bytes.as_ptr().cast(), bytes.len(), 0) };
    }
    echo.must_serve();
    drop(silent);
    echo.must_serve();
}

fn connect(path: &Path) -> Option<OwnedFd> {
    // SAFETY: system calls with arguments of this function that outlive them.
    unsafe {
        let kind = libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
        let socket = OwnedFd::from_raw_fd(libc::socket(libc::AF_UNIX, kind, 0));
        let mut address: libc::sockaddr_un = std::mem::zeroed();
        address.sun_family = libc::AF_UNIX as u16;
        for (to, from) in address.sun_path.iter_mut().zip(path.as_os_str().as_bytes()) {
            *to = *from as libc::c_char;
        }
        let length = size_of::<libc::sockaddr_un>() as u32;
        let connected = libc::connect(socket.as_raw_fd(), (&raw const address).cast(), length);
        (connected == 0).then_some(socket)
    }
}

//! Memory that is lent to be read or to be written: only that, by its client alone, and until it is
//! taken back.

use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::AtomicU32;

use precursor_memory::Mapping;
use precursor_transport_port::{Reach, Span};

use super::*;
use crate::Lent;

/// Where the two pieces lie in the lender's memory.
const EXTENT: Range<usize> = 1024..3072;
const WORDS: Range<usize> = 5000..5016;
const MEMORY_BYTES: usize = 8192;

/// A request of a thief: what, where, by which key, of how many bytes.
type Reaching = (c_int, u64, u32, u32);

#[derive(Default)]
struct Told {
    accepted: usize,
    /// By the loans' numbers.
    lent: Vec<(u32, [u32; 2])>,
    refused: usize,
    returned: Vec<u32>,
    failed: usize,
}

/// A shard that lends the same pieces to each client that comes, as often as it is told.
struct Lender {
    address: SocketAddr,
    memory: Arc<Mapping>,
    listener: Option<RdmaListener>,
    stop: Arc<AtomicBool>,
    /// Loans with smaller numbers are taken back.
    recalled: Arc<AtomicU32>,
    told: Arc<Mutex<Told>>,
    thread: Option<JoinHandle<()>>,
}

impl Lender {
    fn start(loans_each: u32, access_bytes: u32) -> Lender {
        Lender::lending(loans_each, access_bytes, Reach::Read)
    }

    /// Lends the first piece to be written.
    fn to_be_written() -> Lender {
        Lender::lending(1, ACCESS_BYTES, |spans| Reach::Write(spans[0]))
    }

    fn lending(loans_each: u32, access_bytes: u32, reach: fn([Span; 2]) -> Reach) -> Lender {
        let address = std::env::var("LAB_ADDRESS").unwrap_or("10.77.0.1".to_owned());
        let options = RdmaOptions {
            address: SocketAddr::new(address.parse().unwrap(), 0),
            clients_max: 4,
            access_bytes,
            access_timeout: PATIENCE,
        };
        let (listener, mut transports) =
            RdmaListener::start(&options, 1).unwrap_or_else(|error| panic!("{error}"));
        let kernel = KernelTransport::new(KernelOptions::default()).unwrap();
        let mut transport = WithRdma::new(kernel, transports.pop()).unwrap();
        let memory = Arc::new(Mapping::anonymous(MEMORY_BYTES).unwrap());
        for at in 0..MEMORY_BYTES {
            // SAFETY: within the mapping, which nobody else has yet.
            unsafe { memory.as_ptr().add(at).write(pattern(at)) };
        }
        let spans = [EXTENT, WORDS].map(|range| Span {
            address: memory.as_ptr().addr() + range.start,
            bytes: range.len() as u32,
        });
        let (stop, stopped) = twice(AtomicBool::new(false));
        let (recalled, recall) = twice(AtomicU32::new(0));
        let (told, tells) = twice(Mutex::new(Told::default()));
        let thread = std::thread::spawn(move || {
            transport
                .listen(SocketAddr::from(([127, 0, 0, 1], 0)))
                .unwrap();
            let (mut events, mut loan, mut back) = (Vec::with_capacity(64), 0, 0);
            while !stopped.load(Ordering::Relaxed) {
                events.clear();
                transport
                    .poll(Wait::AtMost(Duration::from_millis(5)), &mut events)
                    .unwrap();
                let mut told = tells.lock().unwrap();
                for event in &events {
                    match *event {
                        Event::Accepted { connection, .. } => {
                            told.accepted += 1;
                            for _ in 0..loans_each {
                                match transport.lend(connection, loan, reach(spans)) {
                                    true => loan += 1,
                                    false => told.refused += 1,
                                }
                            }
                        }
                        Event::Lent { loan, keys } => told.lent.push((loan, keys)),
                        Event::Returned { loan } => told.returned.push(loan),
                        Event::Failed(_) => told.failed += 1,
                        _ => {}
                    }
                }
                while back < recall.load(Ordering::Relaxed) {
                    transport.recall(back);
                    back += 1;
                }
            }
        });
        Lender {
            address: listener.address(),
            memory,
            listener: Some(listener),
            stop,
            recalled,
            told,
            thread: Some(thread),
        }
    }

    fn until(&self, what: &str, mut done: impl FnMut(&Told) -> bool) {
        let start = Instant::now();
        while !done(&self.told.lock().unwrap()) {
            assert!(start.elapsed() < PATIENCE, "never {what}");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// A client, and what was lent to it.
    fn connect(&self) -> (RdmaConnection, [Lent; 2]) {
        let start = Instant::now();
        let before = self.told.lock().unwrap().lent.len();
        let client = loop {
            match RdmaConnection::connect(self.address, None) {
                Ok(one) => break one,
                Err(error) => assert!(start.elapsed() < PATIENCE, "{error}"),
            }
            std::thread::sleep(Duration::from_millis(10));
        };
        self.until("lent", |told| told.lent.len() > before);
        let keys = self.told.lock().unwrap().lent[before].1;
        let base = self.memory.as_ptr() as u64;
        let lent = [(EXTENT, keys[0]), (WORDS, keys[1])].map(|(range, key)| Lent {
            address: base + range.start as u64,
            key,
            bytes: range.len() as u32,
        });
        (client, lent)
    }

    fn must_be_unchanged(&self) {
        self.must_hold(pattern);
    }

    fn must_hold(&self, expected: impl Fn(usize) -> u8) {
        for at in 0..MEMORY_BYTES {
            // SAFETY: within the mapping; whoever wrote there has ended, or has failed.
            let byte = unsafe { self.memory.as_ptr().add(at).read_volatile() };
            assert_eq!(byte, expected(at), "at {at}");
        }
    }
}

impl Drop for Lender {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            assert!(thread.join().is_ok() || std::thread::panicking());
        }
        self.listener = None;
    }
}

fn pattern(at: usize) -> u8 {
    (at * 7 + at / 256) as u8
}

/// Reads both pieces whole; what the connection says.
fn read(client: &mut RdmaConnection, lent: [Lent; 2]) -> std::io::Result<Vec<u8>> {
    client.look(&lent.map(|lent| (lent, 0..lent.bytes)))?;
    let (mut bytes, start) = (Vec::new(), Instant::now());
    while !client.looked(&mut bytes)? {
        assert!(start.elapsed() < PATIENCE, "nothing was read");
    }
    Ok(bytes)
}

fn must_read(client: &mut RdmaConnection, lent: [Lent; 2]) {
    let bytes = read(client, lent).unwrap();
    let expected: Vec<u8> = EXTENT.chain(WORDS).map(pattern).collect();
    assert!(bytes == expected, "other bytes");
}

#[test]
fn what_is_lent_is_read_and_nothing_beside() {
    let lender = Lender::start(1, ACCESS_BYTES);
    let (mut honest, lent) = lender.connect();
    for _ in 0..3 {
        must_read(&mut honest, lent);
    }
    let reaches: [fn(Lent, Lent) -> Reaching; 8] = [
        |extent, _| {
            (
                WR_RDMA_READ,
                extent.address + u64::from(extent.bytes) - 8,
                extent.key,
                9,
            )
        },
        |extent, _| (WR_RDMA_READ, extent.address - 1, extent.key, 8),
        |_, words| (WR_RDMA_READ, words.address, words.key, 17),
        |_, words| (WR_RDMA_READ, words.address - 8, words.key, 16),
        |extent, words| (WR_RDMA_READ, words.address, extent.key, 16),
        |extent, _| (WR_RDMA_READ, extent.address, extent.key ^ 0x80, 16),
        |extent, _| (WR_RDMA_WRITE, extent.address, extent.key, 16),
        |_, words| (WR_RDMA_WRITE, words.address, words.key, 16),
    ];
    for (at, reach) in reaches.iter().enumerate() {
        let (thief, [extent, words]) = lender.connect();
        let (opcode, address, key, length) = reach(extent, words);
        let refusal = reached(&thief, opcode, address, key, length);
        assert_eq!(refusal, WC_REMOTE_ACCESS, "{at}");
        drop(thief);
        lender.until("returned", |told| told.returned.len() == at + 1);
    }
    lender.must_be_unchanged();
    must_read(&mut honest, lent);
}

#[test]
fn what_is_lent_to_another_is_refused() {
    let lender = Lender::start(1, ACCESS_BYTES);
    let (mut owner, lent) = lender.connect();
    for piece in lent {
        let (thief, _) = lender.connect();
        let refusal = reached(&thief, WR_RDMA_READ, piece.address, piece.key, 16);
        assert_eq!(refusal, WC_REMOTE_ACCESS);
    }
    must_read(&mut owner, lent);
}

#[test]
fn what_was_taken_back_is_refused_and_nothing_else() {
    let lender = Lender::start(1, ACCESS_BYTES);
    let (mut first, lent) = lender.connect();
    let (mut second, others) = lender.connect();
    must_read(&mut first, lent);
    lender.recalled.store(1, Ordering::Relaxed);
    lender.until("returned", |told| told.returned == [0]);
    let refusal = read(&mut first, lent).unwrap_err();
    assert_eq!(
        refusal.kind(),
        std::io::ErrorKind::PermissionDenied,
        "{refusal}"
    );
    must_read(&mut second, others);
    drop(second);
    lender.until("returned with its client", |told| told.returned == [0, 1]);
}

/// More at once than the send queue has room for; and more than one client may have.
#[test]
fn loans_of_one_client_wait_for_each_other_and_have_a_bound() {
    let lender = Lender::start(20, ACCESS_BYTES);
    let (mut client, lent) = lender.connect();
    lender.until("lent", |told| told.lent.len() == 16);
    assert_eq!(lender.told.lock().unwrap().refused, 4);
    must_read(&mut client, lent);
    lender.recalled.store(16, Ordering::Relaxed);
    lender.until("returned", |told| told.returned.len() == 16);
    client.check().expect("the connection stands");
    let mut returned = lender.told.lock().unwrap().returned.clone();
    returned.sort_unstable();
    assert_eq!(returned, (0..16).collect::<Vec<u32>>(), "each once");
}

#[test]
fn who_has_no_memory_of_its_own_is_lent_nothing() {
    let lender = Lender::start(1, 0);
    let client = RdmaConnection::connect(lender.address, None).unwrap();
    lender.until("refused", |told| told.refused == 1);
    drop(client);
}

/// Writes the whole of the first piece; what the connection says.
fn put(client: &mut RdmaConnection, lent: Lent, byte: u8) -> std::io::Result<()> {
    let start = Instant::now();
    client.put(lent, &vec![byte; lent.bytes as usize])?;
    while !client.has_put()? {
        assert!(start.elapsed() < PATIENCE, "nothing was written");
    }
    Ok(())
}

fn written(byte: u8) -> impl Fn(usize) -> u8 {
    move |at| match EXTENT.contains(&at) {
        true => byte,
        false => pattern(at),
    }
}

#[test]
fn what_is_lent_to_be_written_is_and_nothing_beside() {
    let lender = Lender::to_be_written();
    let (mut honest, [lent, _]) = lender.connect();
    put(&mut honest, lent, 1).unwrap();
    lender.must_hold(written(1));
    let reaches: [fn(Lent) -> Reaching; 6] = [
        |lent| {
            (
                WR_RDMA_WRITE,
                lent.address + u64::from(lent.bytes) - 8,
                lent.key,
                9,
            )
        },
        |lent| (WR_RDMA_WRITE, lent.address - 1, lent.key, 8),
        |lent| (WR_RDMA_WRITE, lent.address - 4096, lent.key, 8),
        |lent| (WR_RDMA_WRITE, lent.address, lent.key ^ 0x80, 16),
        |lent| (WR_RDMA_WRITE, lent.address, 0, 16),
        |lent| (WR_RDMA_READ, lent.address, lent.key, 16),
    ];
    for (at, reach) in reaches.iter().enumerate() {
        let (thief, [lent, _]) = lender.connect();
        let (opcode, address, key, length) = reach(lent);
        let refusal = reached(&thief, opcode, address, key, length);
        assert_eq!(refusal, WC_REMOTE_ACCESS, "{at}");
        drop(thief);
        lender.until("returned", |told| told.returned.len() == at + 1);
    }
    // Nor by the key of another.
    let (thief, _) = lender.connect();
    let refusal = reached(&thief, WR_RDMA_WRITE, lent.address, lent.key, 16);
    assert_eq!(refusal, WC_REMOTE_ACCESS);
    lender.must_hold(written(1));
    put(&mut honest, lent, 2).unwrap();
    lender.must_hold(written(2));
}

/// Behind the event that says so, nothing changes there any more.
#[test]
fn what_was_taken_back_is_not_written_to() {
    let lender = Lender::to_be_written();
    let (mut first, [lent, _]) = lender.connect();
    put(&mut first, lent, 1).unwrap();
    lender.recalled.store(1, Ordering::Relaxed);
    lender.until("returned", |told| told.returned == [0]);
    let refusal = put(&mut first, lent, 2).unwrap_err();
    assert_eq!(
        refusal.kind(),
        std::io::ErrorKind::PermissionDenied,
        "{refusal}"
    );
    lender.must_hold(written(1));
    let (mut second, [lent, _]) = lender.connect();
    put(&mut second, lent, 3).unwrap();
    lender.must_hold(written(3));
}

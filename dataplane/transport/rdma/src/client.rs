//! The client's side: one connection to a broker.

use std::fmt;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::ptr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use precursor_rdma_sys::{
    EVENT_ADDR_RESOLVED, EVENT_DEVICE_REMOVAL, EVENT_DISCONNECTED, EVENT_ESTABLISHED,
    EVENT_REJECTED, EVENT_ROUTE_RESOLVED, QueuePair, WC_SUCCESS, WC_WITH_IMM, WorkCompletion,
};

use crate::flow::{Kind, RECEIVES};
use crate::grant::Mirror;
use crate::handshake::{Hello, Status, WELCOME_BYTES, Welcome};
use crate::lane::{Completed, Lane};
use crate::memory::Memory;
use crate::porter::parameters;
use crate::queue::{Device, Failure, Queue};
use crate::reach::{Far, REACH_MIN};
use crate::sys;

/// How long finding the address's device, and the way, may take each, in milliseconds.
const RESOLVE_MS: i32 = 2000;
/// How long the whole may take.
const CONNECT_WAIT: Duration = Duration::from_secs(10);
/// How often a client that polls looks whether its broker is still there.
const LOOKS_BETWEEN_CHECKS: u32 = 1 << 14;
/// How long what was sent may take to leave when a connection is dropped.
const LINGER: Duration = Duration::from_millis(200);
/// Completions taken at a time.
const BATCH: usize = 32;

/// Why a client could not connect.
#[derive(Debug)]
pub enum ConnectError {
    /// This host has no RDMA: why.
    NoRdma(String),
    /// No RDMA device of this host leads there, or nobody answers.
    NoWay { address: SocketAddr, why: String },
    /// As many clients are connected as may be.
    TooManyClients,
    /// There is no such shard, or it takes no clients (yet, or any more).
    NoShard,
    /// The broker's device has no queue pairs or memory left.
    Exhausted,
    /// Nobody listens there, or what answered does not speak as expected.
    NotABroker(SocketAddr),
    /// The operating system refused: what was tried, and its answer.
    System {
        what: &'static str,
        source: io::Error,
    },
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ConnectError::NoRdma(why) => f.write_str(why),
            ConnectError::NoWay { address, why } => {
                write!(f, "no RDMA device reaches {address}: {why}")
            }
            ConnectError::TooManyClients => {
                f.write_str("the broker has as many RDMA clients as rdma.clients.max allows")
            }
            ConnectError::NoShard => {
                f.write_str("the broker has no such shard, or it takes no clients at this moment")
            }
            ConnectError::Exhausted => {
                f.write_str("the broker's RDMA device has nothing left for another client")
            }
            ConnectError::NotABroker(address) => {
                write!(
                    f,
                    "no broker of this version takes RDMA clients at {address}"
                )
            }
            ConnectError::System { what, source } => write!(f, "{what}: {source}"),
        }
    }
}

impl std::error::Error for ConnectError {}

impl From<Failure> for ConnectError {
    fn from((what, source): Failure) -> ConnectError {
        ConnectError::System { what, source }
    }
}

/// A pair and what it stands on; they end in this order.
struct Ends {
    pair: *mut QueuePair,
    mirror: Option<Mirror>,
    queue: Queue,
    device: Arc<Device>,
}

// SAFETY: the libraries' objects may be used by any thread, and these by their owner alone.
unsafe impl Send for Ends {}

impl Drop for Ends {
    fn drop(&mut self) {
        let (libraries, id) = (self.device.libraries, self.device.id);
        // SAFETY: the id is open and has a pair; nobody posts to it any more, and the queue that it
        // is on goes after it.
        unsafe {
            (libraries.disconnect)(id);
            (libraries.destroy_qp)(id);
        }
    }
}

/// A connection that is being made.
struct Connecting {
    address: SocketAddr,
    hello: Hello,
    deadline: Instant,
    // Before the device, which they stand on.
    ends: Option<Ends>,
    device: Arc<Device>,
}

/// What rdma_cm told.
struct News {
    event: i32,
    status: i32,
    welcome: Option<Welcome>,
}

fn next_news(device: &Device) -> Option<News> {
    let mut event = ptr::null_mut();
    // SAFETY: the channel is open and does not block; the event and what it points to are read
    // before it is acknowledged, as many bytes as it says and there are.
    unsafe {
        if (device.libraries.get_cm_event)(device.channel, &mut event) != 0 {
            return None;
        }
        let kind = (*event).event;
        let told = &(*event).connection;
        let answers = kind == EVENT_ESTABLISHED || kind == EVENT_REJECTED;
        let enough = usize::from(told.private_data_length) >= WELCOME_BYTES;
        let welcome = match answers && enough && !told.private_data.is_null() {
            true => Welcome::decode(std::slice::from_raw_parts(
                told.private_data.cast(),
                WELCOME_BYTES,
            )),
            false => None,
        };
        let news = News {
            event: kind,
            status: (*event).status,
            welcome,
        };
        (device.libraries.ack_cm_event)(event);
        Some(news)
    }
}

impl Connecting {
    fn start(address: SocketAddr, shard: Option<u16>) -> Result<Connecting, ConnectError> {
        let libraries = sys::libraries().map_err(|e| ConnectError::NoRdma(e.to_string()))?;
        let device = Device::new(libraries).map_err(|(what, error)| {
            ConnectError::NoRdma(format!(
                "rdma: {what}: {error}; there is no RDMA device, or the module rdma_ucm is not \
                 loaded"
            ))
        })?;
        let mut storage = sys::to_storage(address);
        // SAFETY: the id is open, and the address lies in the storage.
        let begun = unsafe {
            let to = (&raw mut storage).cast();
            (libraries.resolve_addr)(device.id, ptr::null_mut(), to, RESOLVE_MS)
        };
        if begun != 0 {
            let why = io::Error::last_os_error().to_string();
            return Err(ConnectError::NoWay { address, why });
        }
        Ok(Connecting {
            address,
            hello: Hello { shard },
            deadline: Instant::now() + CONNECT_WAIT,
            ends: None,
            device: Arc::new(device),
        })
    }

    /// Goes on, without waiting; the connection, once it is there.
    fn poll(&mut self) -> Result<Option<RdmaConnection>, ConnectError> {
        while let Some(news) = next_news(&self.device) {
            match news.event {
                EVENT_ADDR_RESOLVED => self.find_way()?,
                EVENT_ROUTE_RESOLVED => self.ask()?,
                EVENT_ESTABLISHED => return self.established(news.welcome).map(Some),
                EVENT_REJECTED => return Err(self.refusal(news.welcome)),
                _ => {
                    let code = news.status.saturating_abs();
                    let why = match code {
                        0 => String::from("nobody answers"),
                        code => io::Error::from_raw_os_error(code).to_string(),
                    };
                    let address = self.address;
                    return Err(ConnectError::NoWay { address, why });
                }
            }
        }
        if Instant::now() >= self.deadline {
            return Err(ConnectError::NoWay {
                address: self.address,
                why: String::from("nobody answers in time"),
            });
        }
        Ok(None)
    }

    fn find_way(&mut self) -> Result<(), ConnectError> {
        let device = Arc::get_mut(&mut self.device).expect("nothing stands on it yet");
        device.open_domain()?;
        // SAFETY: the id is open and has a device.
        match unsafe { (device.libraries.resolve_route)(device.id, RESOLVE_MS) } {
            0 => Ok(()),
            _ => Err(ConnectError::NoWay {
                address: self.address,
                why: io::Error::last_os_error().to_string(),
            }),
        }
    }

    fn ask(&mut self) -> Result<(), ConnectError> {
        let queue = Queue::new(self.device.clone(), 1, false)?;
        let pair = queue.open_pair(self.device.id)?;
        let ends = self.ends.insert(Ends {
            pair,
            mirror: None,
            queue,
            device: self.device.clone(),
        });
        for buffer in 0..RECEIVES {
            if !ends.queue.post_receive(pair, buffer) {
                let source = io::Error::last_os_error();
                let what = "posting receive buffers";
                return Err(ConnectError::System { what, source });
            }
        }
        let hello = self.hello.encode();
        let mut parameters = parameters(&hello);
        parameters.initiator_depth = self.device.abilities().reads_asked;
        // SAFETY: the id has a pair; what is said is copied.
        match unsafe { (self.device.libraries.connect)(self.device.id, &mut parameters) } {
            0 => Ok(()),
            _ => Err(ConnectError::System {
                what: "connecting by RDMA",
                source: io::Error::last_os_error(),
            }),
        }
    }

    fn established(&mut self, welcome: Option<Welcome>) -> Result<RdmaConnection, ConnectError> {
        let welcome = welcome.filter(|welcome| welcome.status == Status::Connected);
        let (Some(welcome), Some(ends)) = (welcome, self.ends.take()) else {
            return Err(ConnectError::NotABroker(self.address));
        };
        Ok(RdmaConnection {
            lane: Lane::new(ends.pair, 0, None),
            ends,
            shard: welcome.shard,
            shards: welcome.shards,
            gone: false,
            lacked: None,
            looks: 0,
        })
    }

    fn refusal(&self, welcome: Option<Welcome>) -> ConnectError {
        match welcome.map(|welcome| welcome.status) {
            Some(Status::TooMany) => ConnectError::TooManyClients,
            Some(Status::NoShard) => ConnectError::NoShard,
            Some(Status::Exhausted) => ConnectError::Exhausted,
            Some(Status::Connected) | None => ConnectError::NotABroker(self.address),
        }
    }
}

/// A connection to a broker. Bytes go in order each way, as over a socket.
pub struct RdmaConnection {
    lane: Lane,
    ends: Ends,
    shard: u16,
    shards: u16,
    /// The broker is gone, or lied.
    gone: bool,
    /// What this side lacked for what the broker granted; it is gone then.
    lacked: Option<Failure>,
    looks: u32,
}

impl RdmaConnection {
    /// Connects to a broker, to a certain shard or to any. Waits for it.
    ///
    /// # Errors
    /// [`ConnectError`] says why not.
    pub fn connect(
        address: SocketAddr,
        shard: Option<u16>,
    ) -> Result<RdmaConnection, ConnectError> {
        let mut connecting = Connecting::start(address, shard)?;
        loop {
            if let Some(connection) = connecting.poll()? {
                return Ok(connection);
            }
            let left = connecting
                .deadline
                .saturating_duration_since(Instant::now());
            let descriptor = connecting.device.event_descriptor();
            sys::wait_readable([descriptor], Some(left)).map_err(|source| {
                let what = "waiting for the broker's answer";
                ConnectError::System { what, source }
            })?;
        }
    }

    /// The shard that serves this connection, and how many the broker has.
    pub fn shard(&self) -> (u16, u16) {
        (self.shard, self.shards)
    }

    /// Bytes that were written into the broker's memory, and read from there, without a SEND of them;
    /// `None` where the broker has granted none (yet).
    pub fn one_sided(&self) -> Option<(u64, u64)> {
        self.lane.totals()
    }

    /// Why nothing is sent and received any more.
    fn why(&self) -> io::Error {
        match &self.lacked {
            Some((what, error)) => {
                let limit = "is the limit of locked memory (ulimit -l) large enough?";
                io::Error::new(error.kind(), format!("{what}: {error}; {limit}"))
            }
            None => gone(),
        }
    }

    /// Sends what there is room for; 0 when there is none.
    ///
    /// # Errors
    /// The broker is gone.
    pub fn try_send(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.lane.has_room() || bytes.len() >= REACH_MIN {
            self.complete();
        }
        if self.gone {
            return Err(self.why());
        }
        let slices = [IoSlice::new(bytes)];
        let sent = self.lane.write(&self.ends.queue, &slices);
        let sent = sent.map_err(|_| self.lost())?;
        if sent == 0 && !bytes.is_empty() {
            self.check_now_and_then();
        }
        Ok(sent)
    }

    /// Receives what is there: `None` when nothing is, 0 at the end.
    ///
    /// # Errors
    /// The broker is gone.
    pub fn try_receive(&mut self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        if !self.lane.has_bytes() {
            self.complete();
        }
        if self.lane.has_bytes() {
            let (pair, queue) = (self.ends.pair, &self.ends.queue);
            let mut release = |buffer| {
                queue.post_receive(pair, buffer);
            };
            let length = self.lane.read(queue, buffer, &mut release);
            self.gone |= self.lane.tell(queue).is_err();
            return Ok(Some(length));
        }
        if self.lane.is_ended() {
            return Ok(Some(0));
        }
        if self.gone {
            return Err(self.why());
        }
        self.check_now_and_then();
        Ok(None)
    }

    /// No more is sent; what comes can still be received.
    pub fn finish_sending(&mut self) {
        self.gone |= self.lane.finish(&self.ends.queue).is_err();
    }

    /// Sleeps until something may be received, or sent where `for_room`, at most `timeout`. It may
    /// end early.
    ///
    /// # Errors
    /// The operating system refuses to wait.
    pub fn wait(&mut self, for_room: bool, timeout: Option<Duration>) -> io::Result<()> {
        let armed = self.ends.queue.arm();
        self.complete();
        let ready = self.lane.has_bytes()
            || self.lane.is_ended()
            || self.gone
            || (for_room && self.lane.has_room());
        if ready || !armed {
            return Ok(());
        }
        let descriptors = [
            self.ends.queue.descriptor(),
            self.ends.device.event_descriptor(),
        ];
        sys::wait_readable(descriptors, timeout)?;
        self.ends.queue.hear();
        self.hear();
        Ok(())
    }

    /// Asks the kernel whether the broker is still there.
    ///
    /// # Errors
    /// It is gone, or has ended the connection, and nothing is left to be received.
    pub fn check(&mut self) -> io::Result<()> {
        self.hear();
        self.complete();
        let over = self.gone || self.lane.is_ended();
        match over && !self.lane.has_bytes() {
            true => Err(self.why()),
            false => Ok(()),
        }
    }

    fn hear(&mut self) {
        while let Some(news) = next_news(&self.ends.device) {
            self.gone |= matches!(news.event, EVENT_DISCONNECTED | EVENT_DEVICE_REMOVAL);
        }
    }

    /// A poller hears of its broker's end as well, but not by asking the kernel each time.
    fn check_now_and_then(&mut self) {
        self.looks = self.looks.wrapping_add(1);
        if self.looks.is_multiple_of(LOOKS_BETWEEN_CHECKS) {
            self.hear();
        }
    }

    fn lost(&mut self) -> io::Error {
        self.gone = true;
        self.why()
    }

    fn complete(&mut self) {
        let mut batch = [WorkCompletion::default(); BATCH];
        loop {
            let count = self.ends.queue.poll(&mut batch);
            for completion in &batch[..count] {
                self.completed(completion);
            }
            if count < BATCH {
                return;
            }
        }
    }

    fn completed(&mut self, completion: &WorkCompletion) {
        let sound = completion.status == WC_SUCCESS;
        match Completed::of(completion.user) {
            Completed::Send { bytes, .. } => {
                self.lane.sent(bytes);
                self.gone |= !sound;
                if sound {
                    self.gone |= self.lane.tell(&self.ends.queue).is_err();
                }
            }
            Completed::Reach { read, .. } => {
                self.gone |= !sound;
                if sound && read {
                    self.lane.has_read();
                }
            }
            Completed::Receive { .. } if !sound => self.gone = true,
            Completed::Receive { buffer } => {
                let immediate = u32::from_be(completion.immediate);
                let told = completion.flags & WC_WITH_IMM != 0;
                let kind = match told {
                    true => {
                        let queue = &self.ends.queue;
                        let taken = self.lane.take(queue, buffer, completion.length, immediate);
                        taken.ok()
                    }
                    false => None,
                };
                if kind != Some(Kind::Bytes) {
                    self.ends.queue.post_receive(self.ends.pair, buffer);
                }
                self.gone |= kind.is_none();
                if let Some((landing, shelf)) = self.lane.take_granted() {
                    self.lacked = self.mirror(landing, shelf).err();
                    self.gone |= self.lacked.is_some();
                }
                if kind == Some(Kind::End) {
                    // What was read is told of, so that the broker need not wait.
                    self.gone |= self.lane.tell(&self.ends.queue).is_err();
                }
            }
        }
    }

    /// Memory of one's own for what the broker has granted.
    fn mirror(&mut self, landing: Far, shelf: Far) -> Result<(), Failure> {
        let mirror = Mirror::new(&self.ends.device, landing.bytes, shelf.bytes)?;
        let areas = mirror.areas(landing.bytes, shelf.bytes);
        self.ends.mirror = Some(mirror);
        self.lane
            .set_memory(Memory::of_client(landing, shelf, areas));
        Ok(())
    }
}

#[cfg(all(test, feature = "lab"))]
impl RdmaConnection {
    pub(crate) fn raw_pair(&self) -> *mut QueuePair {
        self.ends.pair
    }

    pub(crate) fn raw_fars(&self) -> Option<(Far, Far)> {
        self.lane.raw_fars()
    }

    pub(crate) fn raw_queue(&self) -> &Queue {
        &self.ends.queue
    }
}

impl Drop for RdmaConnection {
    fn drop(&mut self) {
        let start = Instant::now();
        self.hear();
        while !self.gone && self.lane.is_sending() && start.elapsed() < LINGER {
            self.complete();
            std::thread::yield_now();
        }
    }
}

fn gone() -> io::Error {
    io::Error::new(
        io::ErrorKind::ConnectionReset,
        "the broker is gone: it stopped, or was killed",
    )
}

//! The client's side: connecting to a broker.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::ptr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use precursor_rdma_sys::{
    EVENT_ADDR_RESOLVED, EVENT_ESTABLISHED, EVENT_REJECTED, EVENT_ROUTE_RESOLVED, QueuePair,
};

use crate::client::RdmaConnection;
use crate::flow::RECEIVES;
use crate::grant::Mirror;
use crate::handshake::{Hello, Status, WELCOME_BYTES, Welcome};
use crate::look::Look;
use crate::porter::parameters;
use crate::put::Put;
use crate::queue::{Device, Failure, Queue};
use crate::sys;

/// How long finding the address's device, and the way, may take each, in milliseconds.
const RESOLVE_MS: i32 = 2000;
/// How long the whole may take.
const CONNECT_WAIT: Duration = Duration::from_secs(10);

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
pub(crate) struct Ends {
    pub pair: *mut QueuePair,
    pub mirror: Option<Mirror>,
    pub look: Option<Look>,
    /// What it writes from.
    pub put: Option<Put>,
    pub queue: Queue,
    pub device: Arc<Device>,
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
pub(crate) struct Connecting {
    address: SocketAddr,
    hello: Hello,
    pub deadline: Instant,
    // Before the device, which they stand on.
    ends: Option<Ends>,
    pub device: Arc<Device>,
}

/// What rdma_cm told.
pub(crate) struct News {
    pub event: i32,
    status: i32,
    welcome: Option<Welcome>,
}

pub(crate) fn next_news(device: &Device) -> Option<News> {
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
    pub fn start(address: SocketAddr, shard: Option<u16>) -> Result<Connecting, ConnectError> {
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
    pub fn poll(&mut self) -> Result<Option<RdmaConnection>, ConnectError> {
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
            look: None,
            put: None,
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
        Ok(RdmaConnection::new(ends, (welcome.shard, welcome.shards)))
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

//! The listening id, and what the thread behind it and the shards share.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use precursor_memory::spsc;
use precursor_rdma_sys::QueuePair;
use precursor_transport_port::{LOANS_MAX, Reach, TransportError};

use crate::loan::LoanWindows;
use crate::memory::Memory;
use crate::porter::{Porter, Way};
use crate::queue::{Device, Failure, Queue};
use crate::reach::{REACH_BYTES_MAX, REACH_BYTES_MIN};
use crate::sys;
use crate::transport::RdmaTransport;

/// Requests to connect that the kernel keeps for the thread.
const BACKLOG: i32 = 1024;

/// How clients may connect.
#[derive(Clone, Debug)]
pub struct RdmaOptions {
    /// An address of an RDMA device; port 0 = any free one. Ports are RDMA's own: TCP's same port
    /// may be in use.
    pub address: SocketAddr,
    /// Clients connected at a time, all shards together.
    pub clients_max: usize,
    /// Memory that each client may write into, and as much again that it may read from, where the
    /// device has windows that are one connection's; 0: none, and everything goes by SEND. Brought
    /// within 64 KiB to 16 MiB.
    pub access_bytes: u32,
    /// How long a client may take to read what it was told of, before it is ended.
    pub access_timeout: Duration,
}

/// Whether clients get memory of the broker's to write and to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OneSided {
    /// So many bytes each way.
    Granted(u32),
    /// The device has no memory windows of type 2B.
    NoWindows,
    /// It is not wanted.
    Off,
}

/// What a shard and the thread share.
pub(crate) struct Door {
    /// Readable when `changed` was set.
    pub arrived: OwnedFd,
    /// The thread has something to tell the shard.
    pub changed: AtomicBool,
    /// Makes the thread look at what the shards tell.
    pub bell: Arc<OwnedFd>,
    pub open: AtomicBool,
    pub clients: AtomicUsize,
    /// Of all shards together.
    pub clients_total: Arc<AtomicUsize>,
    pub refused: AtomicU64,
}

impl Door {
    /// Makes the shard look.
    pub fn tell_shard(&self) {
        self.changed.store(true, Ordering::Release);
        sys::signal(self.arrived.as_raw_fd());
    }

    /// Makes the thread look.
    pub fn tell_thread(&self) {
        sys::signal(self.bell.as_raw_fd());
    }
}

/// [`Shared::stage`], which begins with 0: the shard is ready for what comes.
pub(crate) const TAKEN: u8 = 1;
/// Both sides are.
pub(crate) const ESTABLISHED: u8 = 2;

/// What a shard and the thread say of one connection.
#[derive(Default)]
pub(crate) struct Shared {
    pub stage: AtomicU8,
    /// rdma_cm says that the peer is gone, or never came.
    pub gone: AtomicBool,
    /// The shard has left, and nothing that it sent is under way.
    pub drained: AtomicBool,
    /// 0, or bytes wait for the client to read them; another number when it has read some.
    pub exposed: AtomicU64,
}

/// A queue pair; whoever holds it is told by the thread that it lives.
pub(crate) struct Pair(pub *mut QueuePair);

// SAFETY: a queue pair may be used by several threads.
unsafe impl Send for Pair {}

/// A client on its way to its shard.
pub(crate) struct Arrived {
    /// The thread's name for it.
    pub key: u64,
    pub pair: Pair,
    /// The pair's number, which completions tell.
    pub number: u32,
    pub peer: SocketAddr,
    pub shared: Arc<Shared>,
    pub memory: Option<Box<Memory>>,
}

/// What the thread tells a shard.
pub(crate) enum ToShard {
    Arrived(Arrived),
    /// The pair of this slot, which the shard had left, is destroyed.
    Freed {
        slot: u32,
    },
    /// Memory is registered, to be bound for who is to reach it.
    Lent {
        loan: u32,
        windows: LoanWindows,
    },
    /// Nobody reaches it (any more).
    Returned {
        loan: u32,
    },
}

/// What a shard tells the thread.
pub(crate) enum FromShard {
    Left(Left),
    /// A client is to reach this.
    Lend {
        key: u64,
        loan: u32,
        memory: Reach,
    },
    /// Its windows are invalidated, or never were bound.
    EndLoan {
        key: u64,
        loan: u32,
    },
}

/// A shard has left a connection; its pair is not posted to any more.
pub(crate) struct Left {
    pub key: u64,
    pub slot: Option<u32>,
}

/// The listening id. Its thread ends when this and all transports are dropped: connections belong
/// to it, and shards post to them.
pub struct RdmaListener {
    address: SocketAddr,
    one_sided: OneSided,
    stop: Arc<AtomicBool>,
    bell: Arc<OwnedFd>,
}

impl RdmaListener {
    /// Listens, and makes one transport for each shard, to be moved to its thread. Clients are let
    /// in for a shard once its transport listens.
    ///
    /// # Errors
    /// This host has no RDMA, or none at this address.
    pub fn start(
        options: &RdmaOptions,
        shards: u16,
    ) -> Result<(RdmaListener, Vec<RdmaTransport>), TransportError> {
        let (device, address) = listen(options.address)?;
        let device = Arc::new(device);
        let abilities = device.abilities();
        let one_sided = match options.access_bytes {
            0 => OneSided::Off,
            _ if !abilities.windows => OneSided::NoWindows,
            bytes => OneSided::Granted(bytes.clamp(REACH_BYTES_MIN, REACH_BYTES_MAX)),
        };
        let system = |(what, source): Failure| TransportError::System { what, source };
        let plain = |source| system(("making an event descriptor", source));
        let bell = Arc::new(sys::eventfd().map_err(plain)?);
        let clients_total = Arc::new(AtomicUsize::new(0));
        // Who leaves has its slot until its queue pair is destroyed: some more, so that it makes
        // room at once.
        let slots = options.clients_max + options.clients_max.div_ceil(8).min(16);
        let (mut transports, mut ways) = (Vec::new(), Vec::new());
        for _ in 0..shards {
            let queue = Queue::new(device.clone(), slots as u32, true).map_err(system)?;
            let queue = Arc::new(queue);
            let door = Arc::new(Door {
                arrived: sys::eventfd().map_err(plain)?,
                changed: AtomicBool::new(false),
                bell: bell.clone(),
                open: AtomicBool::new(false),
                clients: AtomicUsize::new(0),
                clients_total: clients_total.clone(),
                refused: AtomicU64::new(0),
            });
            // Room for all that there can be: neither side ever waits.
            let (to_shard, messages) = spsc::channel(slots * 2 + 2 * LOANS_MAX as usize);
            let (leave, leavers) = spsc::channel(slots * 2 + 2 * LOANS_MAX as usize);
            let transport = RdmaTransport::new(queue.clone(), door.clone(), messages, leave, slots);
            transports.push(transport);
            ways.push(Way {
                door,
                to_shard,
                leavers,
                queue,
                slots,
                used: 0,
            });
        }
        let stop = Arc::new(AtomicBool::new(false));
        let porter = Porter {
            device,
            bell: bell.clone(),
            ways,
            connections: HashMap::new(),
            keys: HashMap::new(),
            next_key: 0,
            waiting: Vec::new(),
            clients_total,
            clients_max: options.clients_max,
            one_sided,
            lacks_memory: false,
            cannot_lend: false,
            reads: abilities.reads_answered,
            access_timeout: options.access_timeout,
            stop: stop.clone(),
        };
        std::thread::Builder::new()
            .name("rdma-clients".to_owned())
            .stack_size(256 << 10)
            .spawn(move || porter.run())
            .map_err(|source| system(("starting the thread of RDMA clients", source)))?;
        let listener = RdmaListener {
            address,
            one_sided,
            stop,
            bell,
        };
        Ok((listener, transports))
    }

    /// Whether clients get memory.
    pub fn one_sided(&self) -> OneSided {
        self.one_sided
    }

    /// Where clients connect.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for RdmaListener {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        sys::signal(self.bell.as_raw_fd());
    }
}

/// A listening id, and where.
fn listen(address: SocketAddr) -> Result<(Device, SocketAddr), TransportError> {
    const WHAT: &str = "RDMA";
    let unsupported = |why: String| TransportError::Unsupported { what: WHAT, why };
    let libraries = sys::libraries().map_err(|error| unsupported(error.to_string()))?;
    if address.ip().is_unspecified() {
        return Err(unsupported(format!(
            "{address} is no address of a device; name the one that clients connect to"
        )));
    }
    let mut device = Device::new(libraries).map_err(|(what, error)| {
        unsupported(format!(
            "{what}: {error}; there is no RDMA device, or the module rdma_ucm is not loaded"
        ))
    })?;
    let mut storage = sys::to_storage(address);
    // SAFETY: the id is open, and the address lies in the storage.
    let bound = unsafe { (libraries.bind_addr)(device.id, (&raw mut storage).cast()) };
    if bound != 0 {
        let error = io::Error::last_os_error();
        return Err(match error.kind() {
            io::ErrorKind::AddrInUse => TransportError::AddressInUse(address),
            _ => unsupported(format!(
                "no RDMA device has the address {} ({error}); `rdma link` and `ip address` show \
                 which there are",
                address.ip()
            )),
        });
    }
    // SAFETY: the id is open.
    let listening = unsafe { (libraries.listen)(device.id, BACKLOG) };
    if listening != 0 {
        let source = io::Error::last_os_error();
        return Err(match source.kind() {
            io::ErrorKind::AddrInUse => TransportError::AddressInUse(address),
            _ => TransportError::System {
                what: "listening for RDMA clients",
                source,
            },
        });
    }
    // SAFETY: the id is open and bound.
    let port = u16::from_be(unsafe { (libraries.get_source_port)(device.id) });
    device
        .open_domain()
        .map_err(|(what, source)| TransportError::System { what, source })?;
    Ok((device, SocketAddr::new(address.ip(), port)))
}

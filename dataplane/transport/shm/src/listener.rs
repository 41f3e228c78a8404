//! The thread that lets clients in: whatever takes a system call on the way in or out happens
//! here, not on a shard.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use precursor_memory::spsc;
use precursor_transport_port::TransportError;

use crate::handshake::{HELLO_BYTES, Hello, Status, Welcome};
use crate::memory::{self, Memory};
use crate::sys;
use crate::transport::ShmTransport;

/// Clients that have connected and not said yet what they want; one more waits in the backlog.
const PENDING_MAX: usize = 64;
/// How long they have for it.
const HELLO_WAIT: Duration = Duration::from_secs(2);
/// How often their time is looked at, and the transport's end.
const SWEEP: Duration = Duration::from_millis(250);
/// How long the thread rests when the host has no descriptors.
const REST: Duration = Duration::from_millis(100);

const LISTENER: u64 = u64::MAX;
const BELL: u64 = u64::MAX - 1;

/// How clients may attach.
#[derive(Clone, Debug)]
pub struct ShmOptions {
    /// The socket file. Its directory is the caller's: a socket that lies there is replaced.
    pub socket: PathBuf,
    /// Clients attached at a time, all shards together.
    pub clients_max: usize,
    /// Bytes of each client's two rings, each: a power of two from 4 KiB to 64 MiB.
    pub ring_bytes: u32,
    /// Whose members may attach, besides this process's own user and root.
    pub group: Option<u32>,
}

/// A client that was let in, on its way to its shard.
pub(crate) struct Attached {
    pub memory: Arc<Memory>,
    pub socket: OwnedFd,
}

/// What a shard and the thread share.
pub(crate) struct Door {
    /// Readable when a client was let in for this shard.
    pub arrived: OwnedFd,
    /// Makes the thread look at what the shards gave back.
    pub left: Arc<OwnedFd>,
    pub open: AtomicBool,
    pub clients: AtomicUsize,
    /// Of all shards together.
    pub clients_total: Arc<AtomicUsize>,
    pub refused: AtomicU64,
}

/// The listening socket and its thread. Dropping it ends both and removes the socket file; attached
/// clients go on with their shards.
pub struct ShmListener {
    stop: Arc<AtomicBool>,
    bell: Arc<OwnedFd>,
    thread: Option<JoinHandle<()>>,
    path: PathBuf,
}

impl ShmListener {
    /// Listens, and makes one transport for each shard, to be moved to its thread. Clients are let
    /// in for a shard once its transport listens.
    ///
    /// # Errors
    /// The socket cannot be made there, or the sizes are none.
    pub fn start(
        options: &ShmOptions,
        shards: u16,
    ) -> Result<(ShmListener, Vec<ShmTransport>), TransportError> {
        if !memory::ring_bytes_valid(options.ring_bytes) {
            return Err(TransportError::Unsupported {
                what: "rings of that size",
                why: format!(
                    "{} bytes is no power of two from 4 KiB to 64 MiB",
                    options.ring_bytes
                ),
            });
        }
        let system = |what| move |source| TransportError::System { what, source };
        let listener = sys::listen(&options.socket, options.group)
            .map_err(system("making the socket of shared-memory clients"))?;
        let bell = Arc::new(sys::eventfd().map_err(system("making an event descriptor"))?);
        let clients_total = Arc::new(AtomicUsize::new(0));
        let mut transports = Vec::new();
        let mut ways = Vec::new();
        for _ in 0..shards {
            let door = Arc::new(Door {
                arrived: sys::eventfd().map_err(system("making an event descriptor"))?,
                left: bell.clone(),
                open: AtomicBool::new(false),
                clients: AtomicUsize::new(0),
                clients_total: clients_total.clone(),
                refused: AtomicU64::new(0),
            });
            // Room for all of them each way, so that neither side ever waits: a client that leaves
            // makes room for one that comes before its memory is given back.
            let (arrive, arrivals) = spsc::channel(options.clients_max);
            let (leave, leavers) = spsc::channel(options.clients_max * 2);
            let transport = ShmTransport::new(door.clone(), arrivals, leave, options.clients_max)?;
            transports.push(transport);
            ways.push(Way {
                door,
                arrive,
                leavers,
            });
        }
        let stop = Arc::new(AtomicBool::new(false));
        let porter = Porter {
            listener,
            bell: bell.clone(),
            epoll: sys::epoll_create().map_err(system("creating an epoll set"))?,
            ways,
            pending: Vec::with_capacity(PENDING_MAX),
            clients_total,
            options: options.clone(),
            stop: stop.clone(),
        };
        let thread = std::thread::Builder::new()
            .name("shm-clients".to_owned())
            .stack_size(128 << 10)
            .spawn(move || porter.run())
            .map_err(system("starting the thread of shared-memory clients"))?;
        let listener = ShmListener {
            stop,
            bell,
            thread: Some(thread),
            path: options.socket.clone(),
        };
        Ok((listener, transports))
    }

    /// Where clients attach.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for ShmListener {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        sys::signal(self.bell.as_fd());
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has nothing more to say.
            let _ = thread.join();
        }
        let _ = std::fs::remove_file(&self.path);
    }
}

/// The thread's ends of the ways to and from one shard.
struct Way {
    door: Arc<Door>,
    arrive: spsc::Sender<Attached>,
    leavers: spsc::Receiver<Attached>,
}

struct Pending {
    socket: OwnedFd,
    since: Instant,
}

struct Porter {
    listener: OwnedFd,
    bell: Arc<OwnedFd>,
    epoll: OwnedFd,
    ways: Vec<Way>,
    pending: Vec<Pending>,
    clients_total: Arc<AtomicUsize>,
    options: ShmOptions,
    stop: Arc<AtomicBool>,
}

impl Porter {
    fn run(mut self) {
        let watch = |descriptor, data| sys::epoll_add(self.epoll.as_fd(), descriptor, data);
        let watched = watch(self.listener.as_raw_fd(), LISTENER)
            .and_then(|()| watch(self.bell.as_raw_fd(), BELL));
        if watched.is_err() {
            return;
        }
        let mut entries = [libc::epoll_event { events: 0, u64: 0 }; 16];
        while !self.stop.load(Ordering::Acquire) {
            // Without pending clients there is nothing whose time could be up.
            let wait = (!self.pending.is_empty()).then_some(SWEEP);
            let Ok(count) = sys::epoll_wait(self.epoll.as_fd(), &mut entries, wait) else {
                return;
            };
            for entry in &entries[..count] {
                match entry.u64 {
                    LISTENER => self.accept(),
                    BELL => sys::quiet(self.bell.as_fd()),
                    _ => {}
                }
            }
            self.release_leavers();
            self.serve_pending();
        }
    }

    /// Unmaps what the shards are done with.
    fn release_leavers(&mut self) {
        for way in &mut self.ways {
            while let Some(left) = way.leavers.try_receive() {
                drop(left);
            }
        }
    }

    fn accept(&mut self) {
        while self.pending.len() < PENDING_MAX {
            match sys::accept(self.listener.as_fd()) {
                Ok(socket) => self.admit(socket),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if is_exhausted(&error) => {
                    // The listener stays readable: without a rest this would spin.
                    std::thread::sleep(REST);
                    return;
                }
                // The client went away before it was let in.
                Err(_) => {}
            }
        }
        // The listener stays readable while the pending are too many.
        std::thread::sleep(Duration::from_millis(1));
    }

    fn admit(&mut self, socket: OwnedFd) {
        if !self.may_attach(&socket) {
            return answer(&socket, self.refusal(Status::Forbidden), None);
        }
        let descriptor = socket.as_raw_fd();
        if sys::epoll_add(self.epoll.as_fd(), descriptor, 0).is_ok() {
            self.pending.push(Pending {
                socket,
                since: Instant::now(),
            });
        }
    }

    /// The same user, root, or a member of the group.
    fn may_attach(&self, socket: &OwnedFd) -> bool {
        let Ok(peer) = sys::peer_identity(socket.as_fd()) else {
            return false;
        };
        let in_group = |group| peer.groups.contains(&group);
        peer.uid == sys::own_uid() || peer.uid == 0 || self.options.group.is_some_and(in_group)
    }

    fn serve_pending(&mut self) {
        let mut at = 0;
        while at < self.pending.len() {
            let pending = &self.pending[at];
            let mut bytes = [0; HELLO_BYTES + 1];
            // A descriptor that a client sends along is taken and closed.
            match sys::receive(pending.socket.as_fd(), &mut bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if pending.since.elapsed() > HELLO_WAIT {
                        self.pending.swap_remove(at);
                    } else {
                        at += 1;
                    }
                }
                received => {
                    let Pending { socket, .. } = self.pending.swap_remove(at);
                    let hello = received
                        .ok()
                        .and_then(|(length, _)| Hello::decode(&bytes[..length]));
                    if let Some(hello) = hello {
                        self.attach(socket, hello);
                    }
                }
            }
        }
    }

    fn attach(&mut self, socket: OwnedFd, hello: Hello) {
        let open = |way: &&Way| way.door.open.load(Ordering::Acquire);
        let least = |way: &usize| self.ways[*way].door.clients.load(Ordering::Relaxed);
        let chosen = match hello.shard {
            Some(shard) => Some(usize::from(shard)),
            None => (0..self.ways.len())
                .filter(|way| open(&&self.ways[*way]))
                .min_by_key(least),
        };
        let Some(shard) = chosen.filter(|shard| self.ways.get(*shard).as_ref().is_some_and(open))
        else {
            return answer(&socket, self.refusal(Status::NoShard), None);
        };
        let door = self.ways[shard].door.clone();
        // Only this thread adds, so that the number can only have become smaller since.
        if self.clients_total.load(Ordering::Acquire) >= self.options.clients_max {
            door.refused.fetch_add(1, Ordering::Relaxed);
            return answer(&socket, self.refusal(Status::TooMany), None);
        }
        // What was given back is unmapped first, so that memory stays within its bound.
        self.release_leavers();
        let Ok((memory, descriptor)) = Memory::create(self.options.ring_bytes) else {
            door.refused.fetch_add(1, Ordering::Relaxed);
            return answer(&socket, self.refusal(Status::Exhausted), None);
        };
        let welcome = Welcome {
            status: Status::Attached,
            shard: shard as u16,
            ..self.refusal(Status::Attached)
        };
        // Before the answer: a client may write as soon as it has the memory, and not be heard.
        self.clients_total.fetch_add(1, Ordering::AcqRel);
        door.clients.fetch_add(1, Ordering::AcqRel);
        answer(&socket, welcome, Some(&descriptor));
        let attached = Attached { memory, socket };
        if self.ways[shard].arrive.try_send(attached).is_err() {
            // Its shard has ended.
            self.clients_total.fetch_sub(1, Ordering::AcqRel);
            door.clients.fetch_sub(1, Ordering::AcqRel);
            return;
        }
        sys::signal(door.arrived.as_fd());
    }

    fn refusal(&self, status: Status) -> Welcome {
        Welcome {
            status,
            shard: 0,
            shards: self.ways.len() as u16,
            ring_bytes: self.options.ring_bytes,
        }
    }
}

/// Tells the client. One that does not listen finds its socket closed, or does not come back.
fn answer(socket: &OwnedFd, welcome: Welcome, memory: Option<&OwnedFd>) {
    let memory = memory.map(AsFd::as_fd);
    let _ = sys::send(socket.as_fd(), &welcome.encode(), memory);
}

fn is_exhausted(error: &io::Error) -> bool {
    let code = error.raw_os_error();
    [libc::EMFILE, libc::ENFILE, libc::ENOBUFS, libc::ENOMEM]
        .into_iter()
        .any(|exhausted| code == Some(exhausted))
}

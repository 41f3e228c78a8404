//! The client's side: attaches by the broker's socket, and reads and writes the two pipes.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::handshake::{Hello, Status, WELCOME_BYTES, Welcome};
use crate::memory::{Memory, SharedPipe, ring_bytes_valid};
use crate::pipe::{Reader, Writer};
use crate::sys;

/// How long a broker may take to answer.
const ANSWER_WAIT: Duration = Duration::from_secs(5);
/// How often a client that polls looks whether its broker is still there.
const LOOKS_BETWEEN_CHECKS: u32 = 1 << 14;

/// Why a client could not attach.
#[derive(Debug)]
pub enum AttachError {
    /// Nobody listens at this socket.
    NoBroker { socket: PathBuf, source: io::Error },
    /// This process's user may not attach.
    Forbidden,
    /// As many clients are attached as may be.
    TooManyClients,
    /// There is no such shard, or it takes no clients (yet, or any more).
    NoShard,
    /// The broker's host has no memory or descriptors left.
    Exhausted,
    /// What answered does not speak as expected.
    NotABroker,
    /// The operating system refused.
    System(io::Error),
}

impl fmt::Display for AttachError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AttachError::NoBroker { socket, source } => write!(
                f,
                "no broker takes shared-memory clients at {}: {source}",
                socket.display()
            ),
            AttachError::Forbidden => f.write_str(
                "the broker runs as another user; run as the same one, or as a member of the \
                 broker's shm.group",
            ),
            AttachError::TooManyClients => f.write_str(
                "the broker has as many shared-memory clients as shm.clients.max allows",
            ),
            AttachError::NoShard => {
                f.write_str("the broker has no such shard, or it takes no clients at this moment")
            }
            AttachError::Exhausted => {
                f.write_str("the broker's host has no memory or descriptors for another client")
            }
            AttachError::NotABroker => {
                f.write_str("what answered at the socket is no broker of this version")
            }
            AttachError::System(error) => write!(f, "attaching by shared memory: {error}"),
        }
    }
}

impl std::error::Error for AttachError {}

impl From<io::Error> for AttachError {
    fn from(error: io::Error) -> AttachError {
        AttachError::System(error)
    }
}

/// A connection to a broker on this host. Bytes go in order each way, as over a socket.
pub struct ShmConnection {
    input: Reader<SharedPipe>,
    output: Writer<SharedPipe>,
    socket: OwnedFd,
    shard: u16,
    shards: u16,
    looks: u32,
}

impl ShmConnection {
    /// Attaches at a broker's socket file, to a certain shard or to any.
    ///
    /// # Errors
    /// [`AttachError`] says why not.
    pub fn attach(socket: &Path, shard: Option<u16>) -> Result<ShmConnection, AttachError> {
        let connected = sys::connect(socket).map_err(|source| AttachError::NoBroker {
            socket: socket.to_owned(),
            source,
        })?;
        sys::send(connected.as_fd(), &Hello { shard }.encode(), None).map_err(|error| {
            // A broker that does not let this user in says so without being asked.
            if sys::is_readable(connected.as_fd()) {
                AttachError::Forbidden
            } else {
                AttachError::System(error)
            }
        })?;
        let deadline = Instant::now() + ANSWER_WAIT;
        let mut bytes = [0; WELCOME_BYTES + 1];
        let (length, memory) = loop {
            match sys::receive(connected.as_fd(), &mut bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return Err(AttachError::NotABroker);
                    }
                    sys::wait_readable(connected.as_fd(), Some(left))?;
                }
                received => break received?,
            }
        };
        let welcome = Welcome::decode(&bytes[..length]).ok_or(AttachError::NotABroker)?;
        match welcome.status {
            Status::Attached => {}
            Status::TooMany => return Err(AttachError::TooManyClients),
            Status::Forbidden => return Err(AttachError::Forbidden),
            Status::NoShard => return Err(AttachError::NoShard),
            Status::Exhausted => return Err(AttachError::Exhausted),
        }
        let memory = memory.filter(|_| ring_bytes_valid(welcome.ring_bytes));
        let memory = Memory::open(memory.ok_or(AttachError::NotABroker)?, welcome.ring_bytes)?;
        let (input, output) = memory.client_ends();
        Ok(ShmConnection {
            input,
            output,
            socket: connected,
            shard: welcome.shard,
            shards: welcome.shards,
            looks: 0,
        })
    }

    /// The shard that serves this connection, and how many the broker has.
    pub fn shard(&self) -> (u16, u16) {
        (self.shard, self.shards)
    }

    /// Sends what there is room for; 0 when there is none.
    ///
    /// # Errors
    /// The broker is gone.
    pub fn try_send(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = self.output.write(bytes).map_err(|_| corrupt())?;
        if self.output.publish() {
            self.ring()?;
        }
        if taken == 0 && !bytes.is_empty() {
            self.check_now_and_then()?;
        }
        Ok(taken)
    }

    /// Receives what is there: `None` when nothing is, 0 at the end.
    ///
    /// # Errors
    /// The broker is gone.
    pub fn try_receive(&mut self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        let finished = self.input.is_finished();
        let (length, writer_sleeps) = self.input.read(buffer).map_err(|_| corrupt())?;
        if writer_sleeps {
            self.ring()?;
        }
        match length {
            0 if finished => Ok(Some(0)),
            0 => self.check_now_and_then().map(|()| None),
            length => Ok(Some(length)),
        }
    }

    /// No more is sent; what comes can still be received.
    pub fn finish_sending(&mut self) {
        if self.output.finish() {
            // A broker that is gone needs no ring.
            let _ = self.ring();
        }
    }

    /// Sleeps until something can be received, or sent where `for_room`, at most `timeout`. It may
    /// end early.
    ///
    /// # Errors
    /// The broker is gone, and nothing is left to be received.
    pub fn wait(&mut self, for_room: bool, timeout: Option<Duration>) -> io::Result<()> {
        let nothing_came = self.input.announce_sleep().map_err(|_| corrupt())?;
        let no_room = !for_room || self.output.announce_sleep().map_err(|_| corrupt())?;
        let waits = nothing_came && no_room;
        let outcome = match waits {
            true => sys::wait_readable(self.socket.as_fd(), timeout).map(|_| ()),
            false => Ok(()),
        };
        self.input.announce_awake();
        self.output.announce_awake();
        outcome?;
        self.hear()
    }

    /// Asks the kernel whether the broker is still there.
    ///
    /// # Errors
    /// It is gone, or has ended the connection, and nothing is left to be received.
    pub fn check(&mut self) -> io::Result<()> {
        // Asked in this order: the end is the last that a broker writes.
        let finished = self.input.is_finished();
        if finished && self.input.available().map_err(|_| corrupt())? == 0 {
            return Err(gone());
        }
        self.hear()
    }

    /// Takes the broker's rings; fails when it is gone and has left nothing to read.
    fn hear(&mut self) -> io::Result<()> {
        loop {
            match sys::discard(self.socket.as_fd()) {
                Ok(1..) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(0) | Err(_) => {
                    // Asked in this order: the end is the last that a broker writes.
                    let finished = self.input.is_finished();
                    let left = self.input.available().map_err(|_| corrupt())?;
                    return match left > 0 || finished {
                        true => Ok(()),
                        false => Err(gone()),
                    };
                }
            }
        }
    }

    /// A poller hears of its broker's end as well, but not by asking the kernel each time.
    fn check_now_and_then(&mut self) -> io::Result<()> {
        self.looks = self.looks.wrapping_add(1);
        match self.looks.is_multiple_of(LOOKS_BETWEEN_CHECKS) {
            true => self.hear(),
            false => Ok(()),
        }
    }

    fn ring(&self) -> io::Result<()> {
        match sys::send(self.socket.as_fd(), &[1], None) {
            // A full socket holds rings that were not heard yet.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            // What the broker wrote before it went is still to be read.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            rung => rung,
        }
    }
}

fn corrupt() -> io::Error {
    io::Error::other("the broker left an impossible cursor in the shared memory")
}

fn gone() -> io::Error {
    io::Error::new(
        io::ErrorKind::ConnectionReset,
        "the broker is gone: it stopped, or was killed",
    )
}

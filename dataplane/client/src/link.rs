//! One connection: bytes out, frames in, over either transport.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::ops::Range;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use precursor_transport_rdma::{Lent, RdmaConnection};
use precursor_transport_shm::ShmConnection;

use crate::error::ClientError;
use crate::options::{ClientOptions, Transport, Wait};

/// Bytes that are asked for at a time.
const READ_BYTES: usize = 64 << 10;
/// The longest answer that is believed: above what a fetch may ask for.
const FRAME_BYTES_MAX: usize = 512 << 20;
/// How long a TCP connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Looks at shared memory between two at the clock.
const LOOKS_PER_REST: u32 = 64;
/// The longest single sleep: an end that nobody tells of is noticed.
const SLEEP_MAX: Duration = Duration::from_millis(500);

enum Stream {
    Shm(ShmConnection),
    Rdma(Box<RdmaConnection>),
    Tcp(TcpStream),
}

/// A connection and what was received over it and not taken yet.
pub(crate) struct Link {
    stream: Stream,
    wait: Wait,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

impl Link {
    /// Connects; over shared memory and RDMA to a certain shard, if one is named.
    pub fn open(options: &ClientOptions, shard: Option<u16>) -> Result<Link, ClientError> {
        let stream = match &options.transport {
            Transport::Shm { socket } => Stream::Shm(ShmConnection::attach(socket, shard)?),
            Transport::Rdma { address } => Stream::Rdma(Box::new(rdma(address, shard)?)),
            Transport::Tcp { address } => {
                let connect = |source| ClientError::Connect {
                    address: address.clone(),
                    source,
                };
                Stream::Tcp(tcp(address).map_err(connect)?)
            }
        };
        Ok(Link {
            stream,
            wait: options.wait,
            buffer: vec![0; 2 * READ_BYTES],
            start: 0,
            end: 0,
        })
    }

    /// What waiting does, from now on.
    pub fn set_wait(&mut self, wait: Wait) {
        self.wait = wait;
    }

    /// Over shared memory and RDMA: the shard at the other end, and how many there are.
    pub fn shard(&self) -> Option<(u16, u16)> {
        match &self.stream {
            Stream::Shm(connection) => Some(connection.shard()),
            Stream::Rdma(connection) => Some(connection.shard()),
            Stream::Tcp(_) => None,
        }
    }

    /// Over RDMA, where memory was granted: bytes that were written there, and read.
    pub fn one_sided_bytes(&self) -> Option<(u64, u64)> {
        match &self.stream {
            Stream::Rdma(connection) => connection.one_sided(),
            Stream::Shm(_) | Stream::Tcp(_) => None,
        }
    }

    fn afar(&mut self) -> Result<&mut RdmaConnection, ClientError> {
        match &mut self.stream {
            Stream::Rdma(connection) => Ok(connection),
            Stream::Shm(_) | Stream::Tcp(_) => {
                let what = "nothing is lent but over RDMA".to_owned();
                Err(ClientError::Usage(what))
            }
        }
    }

    /// Over RDMA: reads pieces of the broker's memory that it lent to this connection.
    pub fn look_afar(
        &mut self,
        pieces: &[(Lent, Range<u32>)],
        into: &mut Vec<u8>,
        deadline: Instant,
    ) -> Result<(), ClientError> {
        let connection = self.afar()?;
        connection
            .look(pieces)
            .map_err(ClientError::ConnectionLost)?;
        loop {
            for _ in 0..LOOKS_PER_REST {
                if connection
                    .looked(into)
                    .map_err(ClientError::ConnectionLost)?
                {
                    return Ok(());
                }
                std::hint::spin_loop();
            }
            if Instant::now() >= deadline {
                return Err(ClientError::TimedOut);
            }
            std::thread::yield_now();
        }
    }

    /// Over RDMA: writes to the beginning of memory that the broker lent to this connection.
    pub fn put_afar(
        &mut self,
        lent: Lent,
        bytes: &[u8],
        deadline: Instant,
    ) -> Result<(), ClientError> {
        let connection = self.afar()?;
        connection
            .put(lent, bytes)
            .map_err(ClientError::ConnectionLost)?;
        while !connection.has_put().map_err(ClientError::ConnectionLost)? {
            if Instant::now() >= deadline {
                return Err(ClientError::TimedOut);
            }
            std::thread::yield_now();
        }
        Ok(())
    }

    /// Sends what is taken now, which may be nothing.
    pub fn try_send(&mut self, bytes: &[u8]) -> Result<usize, ClientError> {
        let sent = match &mut self.stream {
            Stream::Shm(connection) => connection.try_send(bytes),
            Stream::Rdma(connection) => connection.try_send(bytes),
            Stream::Tcp(stream) => match stream.write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(0),
                sent => sent,
            },
        };
        sent.map_err(ClientError::ConnectionLost)
    }

    /// Sends everything; what comes meanwhile is received, so that neither side waits for the
    /// other.
    pub fn send_all(&mut self, bytes: &[u8], deadline: Instant) -> Result<(), ClientError> {
        let mut sent = self.try_send(bytes)?;
        while sent < bytes.len() {
            if !self.try_fill()? {
                self.rest(true, Instant::now(), deadline)?;
            }
            sent += self.try_send(&bytes[sent..])?;
        }
        Ok(())
    }

    /// Receives what is there; false when nothing is.
    pub fn try_fill(&mut self) -> Result<bool, ClientError> {
        self.make_room()?;
        let room = &mut self.buffer[self.end..];
        let received = match &mut self.stream {
            Stream::Shm(connection) => connection.try_receive(room),
            Stream::Rdma(connection) => connection.try_receive(room),
            Stream::Tcp(stream) => match stream.read(room) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(None),
                received => received.map(Some),
            },
        };
        match received.map_err(ClientError::ConnectionLost)? {
            None => Ok(false),
            Some(0) => Err(ClientError::ConnectionLost(
                io::ErrorKind::UnexpectedEof.into(),
            )),
            Some(length) => {
                self.end += length;
                Ok(true)
            }
        }
    }

    fn make_room(&mut self) -> Result<(), ClientError> {
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
        }
        let wanted = match self.frame_length() {
            Some(length) if length > FRAME_BYTES_MAX => {
                return Err(ClientError::Malformed(format!(
                    "an answer of {length} bytes"
                )));
            }
            Some(length) => (self.start + length).saturating_sub(self.end),
            None => 0,
        };
        // A long frame gets memory as its bytes come, not as it claims.
        let wanted = wanted.clamp(READ_BYTES, READ_BYTES.max(self.end - self.start));
        if self.end + wanted > self.buffer.len() {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
            if self.end + wanted > self.buffer.len() {
                self.buffer.resize(self.end + wanted, 0);
            }
        }
        Ok(())
    }

    /// The length of the frame at the front, its own length included.
    fn frame_length(&self) -> Option<usize> {
        let length = self.buffer[self.start..self.end].first_chunk::<4>()?;
        Some(u32::from_be_bytes(*length) as usize + 4)
    }

    /// Takes the next whole frame that was received, without its length.
    pub fn next_frame(&mut self) -> Option<&[u8]> {
        let length = self.frame_length()?;
        if self.end - self.start < length {
            return None;
        }
        let frame = self.start + 4..self.start + length;
        self.start += length;
        Some(&self.buffer[frame])
    }

    fn has_frame(&self) -> bool {
        let length = self.frame_length();
        length.is_some_and(|length| self.end - self.start >= length)
    }

    /// Whether the broker is still there, as far as can be told without asking it.
    pub fn check(&mut self) -> Result<(), ClientError> {
        match &mut self.stream {
            Stream::Shm(connection) => connection.check().map_err(ClientError::ConnectionLost),
            Stream::Rdma(connection) => connection.check().map_err(ClientError::ConnectionLost),
            Stream::Tcp(_) => self.try_fill().map(|_| ()),
        }
    }

    /// Waits for a whole frame and takes it, without its length.
    pub fn wait_frame(&mut self, deadline: Instant) -> Result<&[u8], ClientError> {
        // Looked at late: an answer may be there before the clock is.
        let mut began = None;
        while !self.has_frame() {
            if !self.look()? {
                let began = *began.get_or_insert_with(Instant::now);
                self.rest(false, began, deadline)?;
            }
        }
        self.next_frame()
            .ok_or_else(|| ClientError::Malformed("no frame".to_owned()))
    }

    /// Receives what is there. Over shared memory and RDMA a look costs less than a look at the clock: there
    /// are some before the first at that.
    fn look(&mut self) -> Result<bool, ClientError> {
        let looks = match self.stream {
            Stream::Shm(_) | Stream::Rdma(_) => LOOKS_PER_REST,
            Stream::Tcp(_) => 1,
        };
        for _ in 0..looks {
            if self.try_fill()? {
                return Ok(true);
            }
            std::hint::spin_loop();
        }
        Ok(false)
    }

    /// Waits as the options say, until something comes or (with `for_room`) can be sent.
    pub fn rest(
        &mut self,
        for_room: bool,
        began: Instant,
        deadline: Instant,
    ) -> Result<(), ClientError> {
        let now = Instant::now();
        if now >= deadline {
            return Err(ClientError::TimedOut);
        }
        let polls = match self.wait {
            Wait::Poll => true,
            Wait::PollThenSleep(time) => now - began < time,
        };
        if polls {
            std::hint::spin_loop();
            return Ok(());
        }
        let timeout = (deadline - now).min(SLEEP_MAX);
        let waited = match &mut self.stream {
            Stream::Shm(connection) => connection.wait(for_room, Some(timeout)),
            Stream::Rdma(connection) => connection.wait(for_room, Some(timeout)),
            Stream::Tcp(stream) => {
                let mut flags = PollFlags::POLLIN;
                flags.set(PollFlags::POLLOUT, for_room);
                let mut entries = [PollFd::new(stream.as_fd(), flags)];
                let timeout = PollTimeout::try_from(timeout).unwrap_or(PollTimeout::MAX);
                match poll(&mut entries, timeout) {
                    Ok(_) | Err(nix::errno::Errno::EINTR) => Ok(()),
                    Err(error) => Err(error.into()),
                }
            }
        };
        waited.map_err(ClientError::ConnectionLost)
    }
}

fn rdma(address: &str, shard: Option<u16>) -> Result<RdmaConnection, ClientError> {
    let connect = |source| ClientError::Connect {
        address: address.to_owned(),
        source,
    };
    let mut last = connect(io::ErrorKind::AddrNotAvailable.into());
    for address in address.to_socket_addrs().map_err(connect)? {
        match RdmaConnection::connect(address, shard) {
            Ok(connection) => return Ok(connection),
            Err(error) => last = error.into(),
        }
    }
    Err(last)
}

fn tcp(address: &str) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::InvalidInput, "the name has no address");
    for address in address.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, CONNECT_TIMEOUT) {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                stream.set_nonblocking(true)?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

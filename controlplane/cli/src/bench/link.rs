//! One measured connection: a non-blocking socket, and frames out of a buffer that is used again
//! and again, so that it stays in the processor's cache.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::time::TimeSpec;

use super::wire::LENGTH_BYTES;

/// Bytes that are asked for at a time when no frame is begun.
const READ_BYTES: usize = 64 << 10;

/// The longest frame that is believed.
const FRAME_BYTES_MAX: usize = 256 << 20;

/// A connection of a measurement; one thread owns it.
pub struct Link {
    stream: TcpStream,
    buffer: Vec<u8>,
    /// What is in the buffer and not yet taken.
    start: usize,
    end: usize,
    /// Never sleep in [`Link::wait`].
    spin: bool,
}

impl Link {
    /// Connects. With `spin` waiting burns the processor.
    ///
    /// # Errors
    /// Nobody listens there.
    pub fn connect(address: SocketAddr, spin: bool) -> io::Result<Link> {
        let stream = TcpStream::connect_timeout(&address, Duration::from_secs(5))?;
        Link::over(stream, spin)
    }

    /// As [`Link::connect`], for the accepting side.
    ///
    /// # Errors
    /// The socket is gone already.
    pub fn over(stream: TcpStream, spin: bool) -> io::Result<Link> {
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        Ok(Link {
            stream,
            buffer: vec![0; 2 * READ_BYTES],
            start: 0,
            end: 0,
            spin,
        })
    }

    /// Writes what the socket takes: 0 when it is full.
    ///
    /// # Errors
    /// The connection is gone.
    pub fn try_write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.stream.write(bytes) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
            written => written,
        }
    }

    /// Writes all of it, waiting as needed.
    ///
    /// # Errors
    /// The connection is gone.
    pub fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut written = 0;
        while written < bytes.len() {
            match self.try_write(&bytes[written..])? {
                0 => self.wait(true, None)?,
                more => written += more,
            }
        }
        Ok(())
    }

    /// Reads what is there; returns whether anything was. Within a long frame exactly its rest is
    /// asked for, so that the next one begins at the buffer's start again.
    ///
    /// # Errors
    /// The connection is gone.
    pub fn try_fill(&mut self) -> io::Result<bool> {
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
        }
        let wanted = match self.frame_length() {
            Some(length) if length > FRAME_BYTES_MAX => {
                return Err(io::Error::other(
                    "a frame is longer than any that is expected",
                ));
            }
            Some(length) if self.start + length > self.end => self.start + length - self.end,
            _ => READ_BYTES,
        };
        if self.end + wanted > self.buffer.len() {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
            if self.end + wanted > self.buffer.len() {
                self.buffer.resize(self.end + wanted, 0);
            }
        }
        match self
            .stream
            .read(&mut self.buffer[self.end..self.end + wanted])
        {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => {
                self.end += read;
                Ok(true)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The length of the frame at the front, its own length included.
    fn frame_length(&self) -> Option<usize> {
        let length = self.buffer[self.start..self.end].first_chunk::<LENGTH_BYTES>()?;
        Some(u32::from_be_bytes(*length) as usize + LENGTH_BYTES)
    }

    /// Whether [`Link::next_frame`] has one.
    pub fn has_frame(&self) -> bool {
        self.frame_length()
            .is_some_and(|length| self.end - self.start >= length)
    }

    /// Takes the next whole frame, without its length.
    pub fn next_frame(&mut self) -> Option<&[u8]> {
        let length = self.frame_length()?;
        if self.end - self.start < length {
            return None;
        }
        let frame = self.start + LENGTH_BYTES..self.start + length;
        self.start += length;
        Some(&self.buffer[frame])
    }

    /// Takes everything that is there, framed or not.
    pub fn take_raw(&mut self) -> &[u8] {
        let taken = self.start..self.end;
        self.start = self.end;
        &self.buffer[taken]
    }

    /// Waits until something can be read (or written, with `writable`), at most `timeout`.
    ///
    /// # Errors
    /// Waiting itself failed.
    pub fn wait(&self, writable: bool, timeout: Option<Duration>) -> io::Result<()> {
        if self.spin {
            std::hint::spin_loop();
            return Ok(());
        }
        let mut flags = PollFlags::POLLIN;
        flags.set(PollFlags::POLLOUT, writable);
        let mut descriptors = [PollFd::new(self.stream.as_fd(), flags)];
        match ppoll(&mut descriptors, timeout.map(TimeSpec::from_duration), None) {
            Ok(_) | Err(nix::errno::Errno::EINTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

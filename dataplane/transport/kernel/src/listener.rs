//! Listening sockets.

use std::fs::File;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use precursor_transport_port::TransportError;

use crate::KernelOptions;
use crate::sys;

/// How long a listener rests when the host has no descriptor or memory for another connection.
pub(crate) const ACCEPT_REST: Duration = Duration::from_millis(100);

/// Connections that the kernel keeps until a shard accepts them.
const BACKLOG: i32 = 1024;

/// A listening socket that the transports of several shards accept from. Bound once, so that a
/// port in use is found out by the first who asks; cloned into each shard's options.
#[derive(Clone, Debug)]
pub struct SharedListener {
    socket: Arc<OwnedFd>,
    address: SocketAddr,
}

impl SharedListener {
    /// Binds and listens; clients may connect from now on and wait for a shard to accept them.
    ///
    /// # Errors
    /// [`TransportError::AddressInUse`] when another process listens there.
    pub fn bind(address: SocketAddr) -> Result<SharedListener, TransportError> {
        let (socket, address) = bind(address)?;
        Ok(SharedListener {
            socket: Arc::new(socket),
            address,
        })
    }

    /// The bound address, with the port that was chosen.
    pub fn local_address(&self) -> SocketAddr {
        self.address
    }
}

/// A listening socket for one transport: its own descriptor of the shared one when that is bound to
/// `address`, else a new one.
pub(crate) fn open(
    address: SocketAddr,
    options: &KernelOptions,
) -> Result<(OwnedFd, SocketAddr), TransportError> {
    match &options.shared_listener {
        Some(shared) if shared.address == address => {
            let socket = shared.socket.as_fd().try_clone_to_owned();
            let socket = socket.map_err(|source| TransportError::System {
                what: "sharing a listening socket",
                source,
            })?;
            Ok((socket, address))
        }
        _ => bind(address),
    }
}

/// Binds a non-blocking listening socket. `SO_REUSEADDR` lets a restart bind while old
/// connections are in TIME_WAIT; a live listener is still refused.
fn bind(address: SocketAddr) -> Result<(OwnedFd, SocketAddr), TransportError> {
    let refused = |source: io::Error| match source.kind() {
        io::ErrorKind::AddrInUse => TransportError::AddressInUse(address),
        _ => TransportError::System {
            what: "listening",
            source,
        },
    };
    // std sets SO_REUSEADDR and close-on-exec; listen(2) again only changes the backlog.
    let listener = TcpListener::bind(address).map_err(refused)?;
    listener.set_nonblocking(true).map_err(refused)?;
    let bound = listener.local_addr().map_err(refused)?;
    let socket = OwnedFd::from(listener);
    sys::listen(socket.as_fd(), BACKLOG).map_err(refused)?;
    Ok((socket, bound))
}

/// Gives an accepted socket the options that every connection has. They are wishes: a host that
/// refuses one still serves.
///
/// Linux would hand them down from the listener, but not to clients that connect between
/// `listen(2)` and the setting of an option.
pub(crate) fn prepare(socket: BorrowedFd<'_>, options: &KernelOptions) {
    let wish = |level, name, value: usize| {
        if value > 0 {
            let value = value.min(i32::MAX as usize) as i32;
            sys::set_option(socket, level, name, value).ok();
        }
    };
    wish(libc::IPPROTO_TCP, libc::TCP_NODELAY, 1);
    wish(libc::SOL_SOCKET, libc::SO_KEEPALIVE, 1);
    wish(libc::SOL_SOCKET, libc::SO_SNDBUF, options.send_buffer_bytes);
    wish(
        libc::SOL_SOCKET,
        libc::SO_RCVBUF,
        options.receive_buffer_bytes,
    );
    wish(
        libc::SOL_SOCKET,
        libc::SO_BUSY_POLL,
        options.busy_poll_us as usize,
    );
}

/// Whether accepting failed for want of descriptors or memory, which passes only with time.
pub(crate) fn is_exhausted(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(libc::EMFILE | libc::ENFILE | libc::ENOMEM | libc::ENOBUFS)
    )
}

/// A descriptor held back, so that with no other left a client can still be accepted and closed
/// instead of being left to wait.
pub(crate) struct Reserve {
    descriptor: Option<OwnedFd>,
}

impl Reserve {
    pub(crate) fn new() -> Reserve {
        let mut reserve = Reserve { descriptor: None };
        reserve.restore();
        reserve
    }

    /// Spends the reserve on turning one client away; true when there was one.
    pub(crate) fn refuse_one(&mut self, listener: BorrowedFd<'_>) -> bool {
        if self.descriptor.take().is_none() {
            return false;
        }
        let refused = sys::accept(listener).is_ok();
        self.restore();
        refused
    }

    /// Makes the reserve whole again if it can.
    pub(crate) fn restore(&mut self) {
        if self.descriptor.is_none() {
            self.descriptor = File::open("/dev/null").ok().map(OwnedFd::from);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use super::*;

    #[test]
    fn accepted_sockets_have_the_options() {
        let options = KernelOptions::default();
        let (listener, address) = open("127.0.0.1:0".parse().unwrap(), &options).unwrap();
        let client = TcpStream::connect(address).unwrap();
        let (accepted, peer) = loop {
            if let Ok(accepted) = sys::accept(listener.as_fd()) {
                break accepted;
            }
        };
        assert_eq!(peer, client.local_addr().unwrap());
        assert_eq!(sys::peer_address(accepted.as_fd()), peer);
        prepare(accepted.as_fd(), &options);
        assert!(TcpStream::from(accepted).nodelay().unwrap());
    }
}

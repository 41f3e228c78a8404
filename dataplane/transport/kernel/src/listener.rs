//! Listening sockets.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use precursor_transport_port::TransportError;

use crate::KernelOptions;
use crate::sys;

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

    /// A descriptor of its own for one shard.
    pub(crate) fn duplicate(&self) -> io::Result<OwnedFd> {
        self.socket.as_fd().try_clone_to_owned()
    }
}

/// Binds a non-blocking listening socket. `SO_REUSEADDR` lets a restart bind while old
/// connections are in TIME_WAIT; a live listener is still refused.
pub(crate) fn bind(address: SocketAddr) -> Result<(OwnedFd, SocketAddr), TransportError> {
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
pub(crate) fn prepare(socket: BorrowedFd<'_>, options: &KernelOptions) {
    let wish = |level, name, value: usize| {
        if value > 0 {
            let value = value.min(i32::MAX as usize) as i32;
            sys::set_option(socket, level, name, value).ok();
        }
    };
    wish(libc::IPPROTO_TCP, libc::TCP_NODELAY, 1);
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

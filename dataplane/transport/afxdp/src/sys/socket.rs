//! AF_XDP sockets.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use libc::{c_int, socklen_t};

use super::{Chunks, check};

pub(crate) fn new_socket() -> io::Result<OwnedFd> {
    let kind = libc::SOCK_RAW | libc::SOCK_CLOEXEC;
    // SAFETY: takes no pointers.
    let socket = check(unsafe { libc::socket(libc::AF_XDP, kind, 0) })?;
    // SAFETY: socket(2) has just made this descriptor; nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(socket) })
}

fn set<T>(socket: BorrowedFd<'_>, level: c_int, name: c_int, value: &T) -> io::Result<()> {
    // SAFETY: the pointer and length name `value`, which outlives the call.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            level,
            name,
            (&raw const *value).cast(),
            size_of::<T>() as socklen_t,
        )
    };
    check(result).map(|_| ())
}

/// # Safety
/// `T` must be made of integers, the structure of the option, or its beginning.
unsafe fn get<T>(socket: BorrowedFd<'_>, level: c_int, name: c_int) -> io::Result<T> {
    // SAFETY: integers may all be zero.
    let mut value: T = unsafe { std::mem::zeroed() };
    let mut bytes = size_of::<T>() as socklen_t;
    // SAFETY: the value and its length are valid for the kernel to fill.
    let result = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            level,
            name,
            (&raw mut value).cast(),
            &mut bytes,
        )
    };
    check(result).map(|_| value)
}

/// Sets an integer option of a socket.
pub(crate) fn set_integer(
    socket: BorrowedFd<'_>,
    level: c_int,
    name: c_int,
    value: c_int,
) -> io::Result<()> {
    set(socket, level, name, &value)
}

/// Lends the chunks to the socket for as long as it lives. Before each frame that is sent there are
/// `metadata_bytes` for what the kernel shall finish (Linux 6.11; older ones know of 0 only).
pub(crate) fn register_chunks(
    socket: BorrowedFd<'_>,
    chunks: &Chunks,
    chunk_bytes: u32,
    metadata_bytes: u32,
) -> io::Result<()> {
    let registration = libc::xdp_umem_reg {
        addr: chunks.base(),
        len: chunks.bytes() as u64,
        chunk_size: chunk_bytes,
        headroom: 0,
        flags: match metadata_bytes {
            0 => 0,
            _ => libc::XDP_UMEM_TX_METADATA_LEN,
        },
        tx_metadata_len: metadata_bytes,
    };
    set(socket, libc::SOL_XDP, libc::XDP_UMEM_REG, &registration)
}

/// Makes the four rings.
pub(crate) fn set_ring_frames(socket: BorrowedFd<'_>, fill: u32, others: u32) -> io::Result<()> {
    let rings = [
        (libc::XDP_UMEM_FILL_RING, fill),
        (libc::XDP_UMEM_COMPLETION_RING, others),
        (libc::XDP_RX_RING, others),
        (libc::XDP_TX_RING, others),
    ];
    for (ring, frames) in rings {
        set(socket, libc::SOL_XDP, ring, &frames)?;
    }
    Ok(())
}

pub(crate) fn ring_offsets(socket: BorrowedFd<'_>) -> io::Result<libc::xdp_mmap_offsets> {
    // SAFETY: the structure of this option, of integers.
    unsafe { get(socket, libc::SOL_XDP, libc::XDP_MMAP_OFFSETS) }
}

pub(crate) fn statistics(socket: BorrowedFd<'_>) -> io::Result<libc::xdp_statistics> {
    // SAFETY: the structure of this option, of integers.
    unsafe { get(socket, libc::SOL_XDP, libc::XDP_STATISTICS) }
}

pub(crate) fn is_zero_copy(socket: BorrowedFd<'_>) -> io::Result<bool> {
    // SAFETY: the structure of this option, of integers.
    let options: libc::xdp_options = unsafe { get(socket, libc::SOL_XDP, libc::XDP_OPTIONS) }?;
    Ok(options.flags & libc::XDP_OPTIONS_ZEROCOPY != 0)
}

/// What broke the socket, if anything did since the last call.
pub(crate) fn pending_error(socket: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: this option is one integer.
    let error: c_int = unsafe { get(socket, libc::SOL_SOCKET, libc::SO_ERROR) }?;
    match error {
        0 => Ok(()),
        error => Err(io::Error::from_raw_os_error(error)),
    }
}

pub(crate) fn bind(
    socket: BorrowedFd<'_>,
    interface: u32,
    queue: u32,
    flags: u16,
) -> io::Result<()> {
    let address = libc::sockaddr_xdp {
        sxdp_family: libc::AF_XDP as u16,
        sxdp_flags: flags,
        sxdp_ifindex: interface,
        sxdp_queue_id: queue,
        sxdp_shared_umem_fd: 0,
    };
    // SAFETY: the pointer and length name `address`, which outlives the call.
    let result = unsafe {
        libc::bind(
            socket.as_raw_fd(),
            (&raw const address).cast(),
            size_of::<libc::sockaddr_xdp>() as socklen_t,
        )
    };
    check(result).map(|_| ())
}

/// Asks the kernel to send what the ring holds.
pub(crate) fn wake_sending(socket: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: no bytes and no address are passed.
    let result = unsafe {
        libc::sendto(
            socket.as_raw_fd(),
            std::ptr::null(),
            0,
            libc::MSG_DONTWAIT,
            std::ptr::null(),
            0,
        )
    };
    check(result as c_int).map(|_| ())
}

/// Asks the kernel to look at the fill ring, or to poll the driver where that is configured.
pub(crate) fn wake_receiving(socket: BorrowedFd<'_>) {
    // SAFETY: no room and no address are passed. Whatever it says, the rings tell what happened.
    unsafe {
        libc::recvfrom(
            socket.as_raw_fd(),
            std::ptr::null_mut(),
            0,
            libc::MSG_DONTWAIT,
            std::ptr::null_mut(),
            std::ptr::null_mut(),
        )
    };
}

/// A descriptor that is readable while any of those added to it is.
pub(crate) fn new_wait_set() -> io::Result<OwnedFd> {
    // SAFETY: takes no pointers.
    let set = check(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })?;
    // SAFETY: epoll_create1 has just made this descriptor; nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(set) })
}

pub(crate) fn add_to_wait(set: BorrowedFd<'_>, socket: BorrowedFd<'_>) -> io::Result<()> {
    let mut event = libc::epoll_event {
        events: libc::EPOLLIN as u32,
        u64: 0,
    };
    // SAFETY: `event` outlives the call.
    let result = unsafe {
        libc::epoll_ctl(
            set.as_raw_fd(),
            libc::EPOLL_CTL_ADD,
            socket.as_raw_fd(),
            &mut event,
        )
    };
    check(result).map(|_| ())
}

//! The system calls, each behind a safe function. Nothing here allocates.

use std::io::{self, IoSlice};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::time::Duration;

use libc::{c_int, c_void, socklen_t};

/// Slices that one `sendmsg` looks at (the kernel's own limit is 1024).
pub(crate) const SLICES_MAX: usize = 64;

fn check(result: c_int) -> io::Result<c_int> {
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(result)
}

fn check_length(result: isize) -> io::Result<usize> {
    usize::try_from(result).map_err(|_| io::Error::last_os_error())
}

/// Lifts the process's soft limit of open descriptors to its hard limit; returns the limit.
pub(crate) fn raise_descriptor_limit() -> u64 {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: `limit` is a valid rlimit for the call to fill.
    if unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) } < 0 {
        return u64::MAX;
    }
    let raised = libc::rlimit {
        rlim_cur: limit.rlim_max,
        ..limit
    };
    // SAFETY: `raised` is a valid rlimit that outlives the call.
    if unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raised) } < 0 {
        return limit.rlim_cur;
    }
    raised.rlim_cur
}

pub(crate) fn listen(socket: BorrowedFd<'_>, backlog: c_int) -> io::Result<()> {
    // SAFETY: takes no pointers.
    check(unsafe { libc::listen(socket.as_raw_fd(), backlog) }).map(|_| ())
}

/// Accepts one connection: non-blocking, close-on-exec.
pub(crate) fn accept(listener: BorrowedFd<'_>) -> io::Result<(OwnedFd, SocketAddr)> {
    // SAFETY: all-zero bytes are a valid sockaddr_storage.
    let mut storage: libc::sockaddr_storage = unsafe { std::mem::zeroed() };
    let mut length = size_of::<libc::sockaddr_storage>() as socklen_t;
    // SAFETY: the address and its length are valid for the kernel to fill.
    let descriptor = check(unsafe {
        libc::accept4(
            listener.as_raw_fd(),
            (&raw mut storage).cast(),
            &mut length,
            libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC,
        )
    })?;
    // SAFETY: accept4 has just made this descriptor; nobody else owns it.
    let socket = unsafe { OwnedFd::from_raw_fd(descriptor) };
    Ok((socket, socket_address(&storage)))
}

/// The peer of a connected socket; the unspecified address when it has gone already.
pub(crate) fn peer_address(socket: BorrowedFd<'_>) -> SocketAddr {
    // SAFETY: all-zero bytes are a valid sockaddr_storage.
    let mut storage: libc::sockaddr_storage = unsafe { std::mem::zeroed() };
    let mut length = size_of::<libc::sockaddr_storage>() as socklen_t;
    // SAFETY: the address and its length are valid for the kernel to fill. A failure leaves zeros.
    unsafe { libc::getpeername(socket.as_raw_fd(), (&raw mut storage).cast(), &mut length) };
    socket_address(&storage)
}

fn socket_address(storage: &libc::sockaddr_storage) -> SocketAddr {
    match c_int::from(storage.ss_family) {
        libc::AF_INET6 => {
            // SAFETY: the family says that this is a sockaddr_in6, which sockaddr_storage holds.
            let v6 = unsafe { &*(&raw const *storage).cast::<libc::sockaddr_in6>() };
            SocketAddr::V6(SocketAddrV6::new(
                Ipv6Addr::from(v6.sin6_addr.s6_addr),
                u16::from_be(v6.sin6_port),
                v6.sin6_flowinfo,
                v6.sin6_scope_id,
            ))
        }
        libc::AF_INET => {
            // SAFETY: the family says that this is a sockaddr_in, which sockaddr_storage holds.
            let v4 = unsafe { &*(&raw const *storage).cast::<libc::sockaddr_in>() };
            SocketAddr::V4(SocketAddrV4::new(
                Ipv4Addr::from(u32::from_be(v4.sin_addr.s_addr)),
                u16::from_be(v4.sin_port),
            ))
        }
        _ => SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0)),
    }
}

/// Sets an integer socket option.
pub(crate) fn set_option(
    socket: BorrowedFd<'_>,
    level: c_int,
    name: c_int,
    value: c_int,
) -> io::Result<()> {
    // SAFETY: the pointer and length name `value`, which outlives the call.
    check(unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            level,
            name,
            (&raw const value).cast(),
            size_of::<c_int>() as socklen_t,
        )
    })
    .map(|_| ())
}

pub(crate) fn receive(socket: BorrowedFd<'_>, buffer: &mut [u8]) -> io::Result<usize> {
    // SAFETY: the pointer and length name `buffer`, which is writable.
    check_length(unsafe {
        libc::recv(
            socket.as_raw_fd(),
            buffer.as_mut_ptr().cast::<c_void>(),
            buffer.len(),
            libc::MSG_DONTWAIT,
        )
    })
}

/// Sends at most [`SLICES_MAX`] slices without raising SIGPIPE.
pub(crate) fn send(socket: BorrowedFd<'_>, slices: &[IoSlice<'_>]) -> io::Result<usize> {
    let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
    if let [slice] = slices {
        // SAFETY: the pointer and length name the slice, which outlives the call.
        return check_length(unsafe {
            libc::send(
                socket.as_raw_fd(),
                slice.as_ptr().cast(),
                slice.len(),
                flags,
            )
        });
    }
    // SAFETY: all-zero bytes are a valid msghdr.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    // IoSlice has the layout of iovec, and sendmsg only reads what it names.
    message.msg_iov = slices.as_ptr().cast_mut().cast::<libc::iovec>();
    message.msg_iovlen = slices.len().min(SLICES_MAX);
    // SAFETY: `message` names `slices`, which outlive the call.
    check_length(unsafe { libc::sendmsg(socket.as_raw_fd(), &message, flags) })
}

/// What became of the slices given to [`send_all`]: how many bytes were taken.
pub(crate) enum Sent {
    Whole(usize),
    /// The socket's send buffer is full.
    Partly(usize),
}

/// Sends all slices as far as the socket takes them. `WouldBlock` when it takes nothing.
pub(crate) fn send_all(socket: BorrowedFd<'_>, slices: &[IoSlice<'_>]) -> io::Result<Sent> {
    let mut taken = 0;
    for burst in slices.chunks(SLICES_MAX) {
        let offered: usize = burst.iter().map(|slice| slice.len()).sum();
        let sent = loop {
            match send(socket, burst) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        match sent {
            Ok(length) => taken += length,
            // What broke the connection, if it did, is told by the next call.
            Err(_) if taken > 0 => return Ok(Sent::Partly(taken)),
            Err(error) => return Err(error),
        }
        if sent.is_ok_and(|length| length < offered) {
            return Ok(Sent::Partly(taken));
        }
    }
    Ok(Sent::Whole(taken))
}

pub(crate) fn shut_down_sending(socket: BorrowedFd<'_>) {
    // SAFETY: takes no pointers. A failure means that the connection is gone already.
    unsafe { libc::shutdown(socket.as_raw_fd(), libc::SHUT_WR) };
}

fn queued(socket: BorrowedFd<'_>, request: libc::c_ulong) -> usize {
    let mut bytes: c_int = 0;
    // SAFETY: both requests write one int.
    let result = unsafe { libc::ioctl(socket.as_raw_fd(), request, &mut bytes) };
    if result < 0 { 0 } else { bytes.max(0) as usize }
}

/// Bytes sent that the peer's kernel has not acknowledged.
pub(crate) fn bytes_unacknowledged(socket: BorrowedFd<'_>) -> usize {
    queued(socket, libc::TIOCOUTQ)
}

/// Bytes that can be received now.
pub(crate) fn bytes_receivable(socket: BorrowedFd<'_>) -> usize {
    queued(socket, libc::FIONREAD)
}

pub(crate) fn epoll_create() -> io::Result<OwnedFd> {
    // SAFETY: takes no pointers.
    let descriptor = check(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })?;
    // SAFETY: epoll_create1 has just made this descriptor; nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

pub(crate) fn epoll_add(
    epoll: BorrowedFd<'_>,
    descriptor: c_int,
    interest: u32,
    data: u64,
) -> io::Result<()> {
    let mut event = libc::epoll_event {
        events: interest,
        u64: data,
    };
    // SAFETY: `event` outlives the call; a bad descriptor is answered with EBADF.
    check(unsafe {
        libc::epoll_ctl(
            epoll.as_raw_fd(),
            libc::EPOLL_CTL_ADD,
            descriptor,
            &mut event,
        )
    })
    .map(|_| ())
}

pub(crate) fn epoll_remove(epoll: BorrowedFd<'_>, descriptor: c_int) {
    // SAFETY: EPOLL_CTL_DEL ignores the event pointer. A failure means that it was not there.
    unsafe {
        libc::epoll_ctl(
            epoll.as_raw_fd(),
            libc::EPOLL_CTL_DEL,
            descriptor,
            std::ptr::null_mut(),
        )
    };
}

/// Fills `ready` from its start; returns how many. `None` waits for ever. A signal ends the wait.
pub(crate) fn epoll_wait(
    epoll: BorrowedFd<'_>,
    ready: &mut [libc::epoll_event],
    wait: Option<Duration>,
) -> io::Result<usize> {
    let room = ready.len() as c_int;
    let result = match wait {
        Some(duration) if !duration.is_zero() => wait_precisely(epoll, ready, duration),
        _ => {
            let timeout = if wait.is_none() { -1 } else { 0 };
            // SAFETY: `ready` has room for as many events as are asked for.
            check(unsafe { libc::epoll_wait(epoll.as_raw_fd(), ready.as_mut_ptr(), room, timeout) })
        }
    };
    match result {
        Ok(count) => Ok(count as usize),
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(0),
        Err(error) => Err(error),
    }
}

/// epoll_pwait2 counts nanoseconds; kernels before 5.11 only know milliseconds, rounded up here.
fn wait_precisely(
    epoll: BorrowedFd<'_>,
    ready: &mut [libc::epoll_event],
    duration: Duration,
) -> io::Result<c_int> {
    let room = ready.len() as c_int;
    let timeout = libc::timespec {
        tv_sec: duration.as_secs() as libc::time_t,
        tv_nsec: libc::c_long::from(duration.subsec_nanos()),
    };
    // SAFETY: `ready` has room for as many events as are asked for, `timeout` outlives the call,
    // and no signal mask is passed.
    let result = unsafe {
        libc::syscall(
            libc::SYS_epoll_pwait2,
            epoll.as_raw_fd(),
            ready.as_mut_ptr(),
            room,
            &raw const timeout,
            std::ptr::null::<libc::sigset_t>(),
            0,
        )
    };
    match check(result as c_int) {
        Err(error) if error.raw_os_error() == Some(libc::ENOSYS) => {
            let milliseconds = duration
                .as_nanos()
                .div_ceil(1_000_000)
                .min(i32::MAX as u128);
            // SAFETY: as above.
            check(unsafe {
                libc::epoll_wait(
                    epoll.as_raw_fd(),
                    ready.as_mut_ptr(),
                    room,
                    milliseconds as c_int,
                )
            })
        }
        other => other,
    }
}

//! AF_PACKET sockets.

use std::io::{self, IoSlice};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use libc::{c_int, socklen_t};

use super::{check, set_integer};

const PACKET_IGNORE_OUTGOING: c_int = 23;
const PACKET_ADD_MEMBERSHIP: c_int = 1;
const PACKET_MR_MULTICAST: u16 = 0;

/// A socket that receives every frame that arrives at an interface, and none that leaves it.
/// Without `receives` it gets none.
pub(crate) fn new_packet_socket(interface: u32, receives: bool) -> io::Result<OwnedFd> {
    let kind = libc::SOCK_RAW | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    // SAFETY: takes no pointers.
    let socket = check(unsafe { libc::socket(libc::AF_PACKET, kind, 0) })?;
    // SAFETY: socket(2) has just made this descriptor; nobody else owns it.
    let socket = unsafe { OwnedFd::from_raw_fd(socket) };
    set_integer(socket.as_fd(), libc::SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)?;
    // SAFETY: all-zero bytes are a valid sockaddr_ll.
    let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
    address.sll_family = libc::AF_PACKET as u16;
    address.sll_ifindex = interface as c_int;
    if receives {
        address.sll_protocol = (libc::ETH_P_ALL as u16).to_be();
    }
    // SAFETY: the pointer and length name `address`, which outlives the call.
    let result = unsafe {
        libc::bind(
            socket.as_raw_fd(),
            (&raw const address).cast(),
            size_of::<libc::sockaddr_ll>() as socklen_t,
        )
    };
    check(result)?;
    Ok(socket)
}

/// The interface lets frames to this group through while the socket is open.
pub(crate) fn join_multicast(
    socket: BorrowedFd<'_>,
    interface: u32,
    group: [u8; 6],
) -> io::Result<()> {
    let mut request = libc::packet_mreq {
        mr_ifindex: interface as c_int,
        mr_type: PACKET_MR_MULTICAST,
        mr_alen: 6,
        mr_address: [0; 8],
    };
    request.mr_address[..6].copy_from_slice(&group);
    // SAFETY: the pointer and length name `request`, which outlives the call.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_PACKET,
            PACKET_ADD_MEMBERSHIP,
            (&raw const request).cast(),
            size_of::<libc::packet_mreq>() as socklen_t,
        )
    };
    check(result).map(|_| ())
}

/// Takes one frame; `WouldBlock` when there is none.
pub(crate) fn receive_packet(socket: BorrowedFd<'_>, buffer: &mut [u8]) -> io::Result<usize> {
    // SAFETY: the pointer and length name `buffer`, which is writable.
    let length = unsafe {
        libc::recv(
            socket.as_raw_fd(),
            buffer.as_mut_ptr().cast(),
            buffer.len(),
            libc::MSG_DONTWAIT,
        )
    };
    usize::try_from(length).map_err(|_| io::Error::last_os_error())
}

/// Sends the slices as one frame.
pub(crate) fn send_packet(socket: BorrowedFd<'_>, slices: &[IoSlice<'_>]) -> io::Result<()> {
    // SAFETY: all-zero bytes are a valid msghdr.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    // IoSlice has the layout of iovec, and sendmsg only reads what it names.
    message.msg_iov = slices.as_ptr().cast_mut().cast();
    message.msg_iovlen = slices.len();
    // SAFETY: `message` names `slices`, which outlive the call.
    let result = unsafe { libc::sendmsg(socket.as_raw_fd(), &message, libc::MSG_DONTWAIT) };
    check(result as c_int).map(|_| ())
}

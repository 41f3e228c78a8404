//! System calls: sealed memory, the socket that clients attach by, polling.

use std::fs::{self, File};
use std::io;
use std::mem::{MaybeUninit, size_of};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::fs::FileTypeExt;
use std::path::Path;
use std::time::Duration;

const SIZE_SEALS: i32 = libc::F_SEAL_SHRINK | libc::F_SEAL_GROW | libc::F_SEAL_SEAL;

fn checked(result: i32) -> io::Result<i32> {
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(result)
}

fn owned(result: i32) -> io::Result<OwnedFd> {
    let descriptor = checked(result)?;
    // SAFETY: the kernel just made this descriptor for us alone.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

pub(crate) fn memfd() -> io::Result<OwnedFd> {
    let flags = libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING;
    // SAFETY: the name is a C string; nothing else is passed.
    owned(unsafe { libc::memfd_create(c"precursor-client".as_ptr(), flags) })
}

/// Nobody can change the file's size from now on.
pub(crate) fn seal_size(file: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: integers only.
    checked(unsafe { libc::fcntl(file.as_raw_fd(), libc::F_ADD_SEALS, SIZE_SEALS) }).map(|_| ())
}

pub(crate) fn size_is_sealed(file: BorrowedFd<'_>) -> io::Result<bool> {
    // SAFETY: integers only.
    let seals = checked(unsafe { libc::fcntl(file.as_raw_fd(), libc::F_GET_SEALS) })?;
    Ok(seals & libc::F_SEAL_SHRINK != 0)
}

fn socket() -> io::Result<OwnedFd> {
    let kind = libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    // SAFETY: integers only.
    owned(unsafe { libc::socket(libc::AF_UNIX, kind, 0) })
}

/// The address of a socket file. A path of any length: its directory is named by a descriptor,
/// which must stay open until the address was used.
fn address(path: &Path) -> io::Result<(libc::sockaddr_un, Option<File>)> {
    // SAFETY: zeroes are a value of this structure.
    let mut address: libc::sockaddr_un = unsafe { MaybeUninit::zeroed().assume_init() };
    address.sun_family = libc::AF_UNIX as libc::sa_family_t;
    let mut directory = None;
    let mut bytes = path.as_os_str().as_encoded_bytes().to_vec();
    if bytes.len() >= address.sun_path.len() {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        let opened = File::open(parent)?;
        bytes = format!("/proc/self/fd/{}/", opened.as_raw_fd()).into_bytes();
        bytes.extend_from_slice(name.as_encoded_bytes());
        directory = Some(opened);
    }
    if bytes.is_empty() || bytes.len() >= address.sun_path.len() || bytes.contains(&0) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "the name of the socket file is too long or none",
        ));
    }
    for (to, from) in address.sun_path.iter_mut().zip(&bytes) {
        *to = *from as libc::c_char;
    }
    Ok((address, directory))
}

/// Listens at `path`, whose file nobody but the owner (and `group`, if there is one) may open. A
/// socket file that is there already is replaced: whoever calls this holds the directory.
pub(crate) fn listen(path: &Path, group: Option<u32>) -> io::Result<OwnedFd> {
    if fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket()) {
        fs::remove_file(path)?;
    }
    let socket = socket()?;
    let (address, _directory) = address(path)?;
    // Before the file exists, so that there is no moment in which others may open it.
    // SAFETY: integers only.
    checked(unsafe { libc::fchmod(socket.as_raw_fd(), 0o600) })?;
    let length = size_of::<libc::sockaddr_un>() as libc::socklen_t;
    // SAFETY: `address` is a socket address of that length.
    checked(unsafe { libc::bind(socket.as_raw_fd(), (&raw const address).cast(), length) })?;
    if let Some(group) = group {
        std::os::unix::fs::chown(path, None, Some(group))?;
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o660);
        fs::set_permissions(path, mode)?;
    }
    // SAFETY: integers only.
    checked(unsafe { libc::listen(socket.as_raw_fd(), 128) })?;
    Ok(socket)
}

pub(crate) fn connect(path: &Path) -> io::Result<OwnedFd> {
    let socket = socket()?;
    let (address, _directory) = address(path)?;
    let length = size_of::<libc::sockaddr_un>() as libc::socklen_t;
    // SAFETY: `address` is a socket address of that length.
    checked(unsafe { libc::connect(socket.as_raw_fd(), (&raw const address).cast(), length) })?;
    Ok(socket)
}

pub(crate) fn accept(listener: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    let flags = libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    let nothing = std::ptr::null_mut();
    // SAFETY: no address is asked for.
    owned(unsafe { libc::accept4(listener.as_raw_fd(), nothing, nothing.cast(), flags) })
}

/// User and groups of the process at the other end, when it connected.
pub(crate) struct PeerIdentity {
    pub uid: u32,
    pub groups: Vec<u32>,
}

pub(crate) fn peer_identity(socket: BorrowedFd<'_>) -> io::Result<PeerIdentity> {
    let mut credentials = libc::ucred {
        pid: 0,
        uid: u32::MAX,
        gid: u32::MAX,
    };
    let mut length = size_of::<libc::ucred>() as libc::socklen_t;
    // SAFETY: the option is written to `credentials`, at most `length` bytes.
    checked(unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_PEERCRED,
            (&raw mut credentials).cast(),
            &raw mut length,
        )
    })?;
    let mut groups = vec![0u32; 256];
    let mut bytes = (groups.len() * size_of::<u32>()) as libc::socklen_t;
    // SAFETY: the option is written to `groups`, at most `bytes` bytes.
    let more = checked(unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_PEERGROUPS,
            groups.as_mut_ptr().cast(),
            &raw mut bytes,
        )
    });
    // Who is in more groups than fit is known by the first one alone.
    groups.truncate(more.map_or(0, |_| bytes as usize / size_of::<u32>()));
    groups.push(credentials.gid);
    Ok(PeerIdentity {
        uid: credentials.uid,
        groups,
    })
}

pub(crate) fn own_uid() -> u32 {
    // SAFETY: takes nothing, cannot fail.
    unsafe { libc::geteuid() }
}

/// Room for one descriptor's control message, aligned as one must be.
#[repr(align(8))]
struct Control([u8; 24]);

const _: () = {
    // SAFETY: arithmetic on a length.
    assert!(unsafe { libc::CMSG_SPACE(4) } as usize == size_of::<Control>());
};

/// Sends one message, with a descriptor if there is one. Never waits.
pub(crate) fn send(
    socket: BorrowedFd<'_>,
    bytes: &[u8],
    passed: Option<BorrowedFd<'_>>,
) -> io::Result<()> {
    let mut part = libc::iovec {
        iov_base: bytes.as_ptr().cast_mut().cast(),
        iov_len: bytes.len(),
    };
    let mut control = Control([0; 24]);
    // SAFETY: zeroes are a value of this structure.
    let mut message: libc::msghdr = unsafe { MaybeUninit::zeroed().assume_init() };
    message.msg_iov = &raw mut part;
    message.msg_iovlen = 1;
    if let Some(passed) = passed {
        message.msg_control = control.0.as_mut_ptr().cast();
        message.msg_controllen = control.0.len() as _;
        // SAFETY: the message has a control buffer with room for one header and one descriptor.
        unsafe {
            let header = libc::CMSG_FIRSTHDR(&raw const message);
            (*header).cmsg_level = libc::SOL_SOCKET;
            (*header).cmsg_type = libc::SCM_RIGHTS;
            (*header).cmsg_len = libc::CMSG_LEN(4) as _;
            libc::CMSG_DATA(header)
                .cast::<RawFd>()
                .write_unaligned(passed.as_raw_fd());
        }
    }
    let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
    // SAFETY: the message and everything that it points to live through the call.
    let sent = unsafe { libc::sendmsg(socket.as_raw_fd(), &raw const message, flags) };
    if sent < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Receives one message and the descriptor that came with it. 0 bytes: the other end is closed.
/// Never waits.
pub(crate) fn receive(
    socket: BorrowedFd<'_>,
    bytes: &mut [u8],
) -> io::Result<(usize, Option<OwnedFd>)> {
    let mut part = libc::iovec {
        iov_base: bytes.as_mut_ptr().cast(),
        iov_len: bytes.len(),
    };
    let mut control = Control([0; 24]);
    // SAFETY: zeroes are a value of this structure.
    let mut message: libc::msghdr = unsafe { MaybeUninit::zeroed().assume_init() };
    message.msg_iov = &raw mut part;
    message.msg_iovlen = 1;
    message.msg_control = control.0.as_mut_ptr().cast();
    message.msg_controllen = control.0.len() as _;
    let flags = libc::MSG_DONTWAIT | libc::MSG_CMSG_CLOEXEC;
    // SAFETY: the message and everything that it points to live through the call.
    let received = unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut message, flags) };
    if received < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel filled the message in; a header is only looked at if there is one, and a
    // descriptor that came is ours.
    let passed = unsafe {
        let header = libc::CMSG_FIRSTHDR(&raw const message);
        let one = !header.is_null()
            && (*header).cmsg_level == libc::SOL_SOCKET
            && (*header).cmsg_type == libc::SCM_RIGHTS
            && (*header).cmsg_len as usize == libc::CMSG_LEN(4) as usize;
        one.then(|| OwnedFd::from_raw_fd(libc::CMSG_DATA(header).cast::<RawFd>().read_unaligned()))
    };
    Ok((received as usize, passed))
}

/// Receives into the void without waiting: no descriptor that comes along is taken. 0 bytes: the
/// other end is closed.
pub(crate) fn discard(socket: BorrowedFd<'_>) -> io::Result<usize> {
    let mut bytes = [0u8; 64];
    // SAFETY: the buffer is as long as said.
    let received = unsafe {
        libc::recv(
            socket.as_raw_fd(),
            bytes.as_mut_ptr().cast(),
            bytes.len(),
            libc::MSG_DONTWAIT,
        )
    };
    if received < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(received as usize)
}

pub(crate) fn eventfd() -> io::Result<OwnedFd> {
    // SAFETY: integers only.
    owned(unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) })
}

/// Makes an event descriptor readable.
pub(crate) fn signal(event: BorrowedFd<'_>) {
    let one = 1u64.to_ne_bytes();
    // A counter at its end is readable already.
    // SAFETY: the buffer is as long as said.
    let _ = unsafe { libc::write(event.as_raw_fd(), one.as_ptr().cast(), one.len()) };
}

/// Makes an event descriptor quiet.
pub(crate) fn quiet(event: BorrowedFd<'_>) {
    let mut count = [0u8; 8];
    // SAFETY: the buffer is as long as said.
    let _ = unsafe { libc::read(event.as_raw_fd(), count.as_mut_ptr().cast(), count.len()) };
}

pub(crate) fn epoll_create() -> io::Result<OwnedFd> {
    // SAFETY: integers only.
    owned(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })
}

/// Reports `descriptor`'s readability with `data`.
pub(crate) fn epoll_add(epoll: BorrowedFd<'_>, descriptor: RawFd, data: u64) -> io::Result<()> {
    let mut event = libc::epoll_event {
        events: (libc::EPOLLIN | libc::EPOLLRDHUP) as u32,
        u64: data,
    };
    let add = libc::EPOLL_CTL_ADD;
    // SAFETY: `event` lives through the call.
    checked(unsafe { libc::epoll_ctl(epoll.as_raw_fd(), add, descriptor, &raw mut event) })
        .map(|_| ())
}

pub(crate) fn epoll_remove(epoll: BorrowedFd<'_>, descriptor: RawFd) {
    let nothing = std::ptr::null_mut();
    // SAFETY: removal takes no event. A descriptor that is not there is no harm.
    let _ = unsafe { libc::epoll_ctl(epoll.as_raw_fd(), libc::EPOLL_CTL_DEL, descriptor, nothing) };
}

/// Waits for entries (`None` = without end); an interrupted wait is one without entries.
pub(crate) fn epoll_wait(
    epoll: BorrowedFd<'_>,
    entries: &mut [libc::epoll_event],
    timeout: Option<Duration>,
) -> io::Result<usize> {
    // Rounded up, lest a short wait become a spin.
    let ms = timeout.map_or(-1, |t| t.as_micros().div_ceil(1000).min(1 << 30) as i32);
    let (at, most) = (entries.as_mut_ptr(), entries.len() as i32);
    // SAFETY: the kernel writes at most `most` entries.
    match checked(unsafe { libc::epoll_wait(epoll.as_raw_fd(), at, most, ms) }) {
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(0),
        counted => counted.map(|count| count as usize),
    }
}

/// Waits until one descriptor is readable; false when the time is up first.
pub(crate) fn wait_readable(
    descriptor: BorrowedFd<'_>,
    timeout: Option<Duration>,
) -> io::Result<bool> {
    let mut entry = libc::pollfd {
        fd: descriptor.as_raw_fd(),
        events: libc::POLLIN,
        revents: 0,
    };
    let ms = timeout.map_or(-1, |t| t.as_micros().div_ceil(1000).min(1 << 30) as i32);
    // SAFETY: one entry, which lives through the call.
    match checked(unsafe { libc::poll(&raw mut entry, 1, ms) }) {
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(false),
        counted => counted.map(|count| count > 0),
    }
}

/// Whether the other end of a socket is closed, or a message waits.
pub(crate) fn is_readable(descriptor: BorrowedFd<'_>) -> bool {
    wait_readable(descriptor, Some(Duration::ZERO)).unwrap_or(true)
}

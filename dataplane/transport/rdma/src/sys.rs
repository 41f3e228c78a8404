//! The libraries, opened once, and what both sides need of the operating system.

use std::io;
use std::mem::MaybeUninit;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::os::fd::RawFd;
use std::sync::OnceLock;
use std::time::Duration;

use precursor_rdma_sys::{OpenError, Rdma};

/// The libraries of this host.
pub(crate) fn libraries() -> Result<&'static Rdma, OpenError> {
    static LIBRARIES: OnceLock<Result<Rdma, OpenError>> = OnceLock::new();
    LIBRARIES
        .get_or_init(Rdma::open)
        .as_ref()
        .map_err(Clone::clone)
}

/// What a host has for RDMA.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostReport {
    /// The libraries cannot be used: why.
    NoLibraries(String),
    /// The libraries are there, and no device.
    NoDevices,
    /// Devices are there, and the kernel's connection manager is not: why.
    NoConnectionManager { devices: Vec<String>, why: String },
    /// Devices by which clients could come.
    Devices(Vec<String>),
}

/// Looks what this host has. Loads the libraries, where they are.
pub fn host_report() -> HostReport {
    let libraries = match libraries() {
        Ok(libraries) => libraries,
        Err(error) => return HostReport::NoLibraries(error.to_string()),
    };
    let devices = libraries.devices();
    if devices.is_empty() {
        return HostReport::NoDevices;
    }
    // SAFETY: takes nothing; what it makes is ended at once.
    let channel = unsafe { (libraries.create_event_channel)() };
    if channel.is_null() {
        let why = io::Error::last_os_error().to_string();
        return HostReport::NoConnectionManager { devices, why };
    }
    // SAFETY: just made, and of no id.
    unsafe { (libraries.destroy_event_channel)(channel) };
    HostReport::Devices(devices)
}

/// A socket address as the libraries take it.
pub(crate) fn to_storage(address: SocketAddr) -> libc::sockaddr_storage {
    // SAFETY: all bits zero is a sockaddr_storage of no family.
    let mut storage: libc::sockaddr_storage = unsafe { MaybeUninit::zeroed().assume_init() };
    let into = &raw mut storage;
    match address {
        SocketAddr::V4(v4) => {
            let plain = libc::sockaddr_in {
                sin_family: libc::AF_INET as libc::sa_family_t,
                sin_port: v4.port().to_be(),
                sin_addr: libc::in_addr {
                    s_addr: u32::from_ne_bytes(v4.ip().octets()),
                },
                sin_zero: [0; 8],
            };
            // SAFETY: a sockaddr_storage has room and alignment for every family's address.
            unsafe { into.cast::<libc::sockaddr_in>().write(plain) };
        }
        SocketAddr::V6(v6) => {
            let plain = libc::sockaddr_in6 {
                sin6_family: libc::AF_INET6 as libc::sa_family_t,
                sin6_port: v6.port().to_be(),
                sin6_flowinfo: v6.flowinfo(),
                sin6_addr: libc::in6_addr {
                    s6_addr: v6.ip().octets(),
                },
                sin6_scope_id: v6.scope_id(),
            };
            // SAFETY: as above.
            unsafe { into.cast::<libc::sockaddr_in6>().write(plain) };
        }
    }
    storage
}

/// The other way; an address of no family that is known is nobody's.
pub(crate) fn from_storage(storage: &libc::sockaddr_storage) -> SocketAddr {
    let from = &raw const *storage;
    match i32::from(storage.ss_family) {
        libc::AF_INET => {
            // SAFETY: the family says what lies there, and the storage has room for it.
            let plain = unsafe { from.cast::<libc::sockaddr_in>().read() };
            let ip = Ipv4Addr::from(plain.sin_addr.s_addr.to_ne_bytes());
            SocketAddr::new(IpAddr::V4(ip), u16::from_be(plain.sin_port))
        }
        libc::AF_INET6 => {
            // SAFETY: as above.
            let plain = unsafe { from.cast::<libc::sockaddr_in6>().read() };
            let ip = Ipv6Addr::from(plain.sin6_addr.s6_addr);
            let port = u16::from_be(plain.sin6_port);
            SocketAddrV6::new(ip, port, plain.sin6_flowinfo, plain.sin6_scope_id).into()
        }
        _ => SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0),
    }
}

/// Calls that take from this descriptor return at once.
pub(crate) fn set_nonblocking(descriptor: RawFd) -> io::Result<()> {
    // SAFETY: takes and gives numbers only.
    let flags = unsafe { libc::fcntl(descriptor, libc::F_GETFL) };
    if flags < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: as above.
    match unsafe { libc::fcntl(descriptor, libc::F_SETFL, flags | libc::O_NONBLOCK) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Waits until one of the descriptors is readable, at most so long; an interruption ends it early.
pub(crate) fn wait_readable<const N: usize>(
    descriptors: [RawFd; N],
    timeout: Option<Duration>,
) -> io::Result<()> {
    let mut entries = descriptors.map(|fd| libc::pollfd {
        fd,
        events: libc::POLLIN,
        revents: 0,
    });
    let timeout = match timeout {
        None => -1,
        // Rounded up: a wait that is too short would only spin.
        Some(time) => i32::try_from(time.as_micros().div_ceil(1000)).unwrap_or(i32::MAX),
    };
    // SAFETY: the entries are ours, and as many as is said.
    let count = unsafe { libc::poll(entries.as_mut_ptr(), N as libc::nfds_t, timeout) };
    match count {
        0.. => Ok(()),
        _ => match io::Error::last_os_error() {
            error if error.kind() == io::ErrorKind::Interrupted => Ok(()),
            error => Err(error),
        },
    }
}

/// An event descriptor that nobody waits to write to.
pub(crate) fn eventfd() -> io::Result<std::os::fd::OwnedFd> {
    use std::os::fd::FromRawFd;
    // SAFETY: takes and gives numbers only.
    let descriptor = unsafe { libc::eventfd(0, libc::EFD_NONBLOCK | libc::EFD_CLOEXEC) };
    if descriptor < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: just made; nobody else owns it.
    Ok(unsafe { std::os::fd::OwnedFd::from_raw_fd(descriptor) })
}

/// Makes an event descriptor readable.
pub(crate) fn signal(descriptor: RawFd) {
    let one = 1_u64.to_ne_bytes();
    // SAFETY: eight bytes of ours are read. A full counter is readable already.
    unsafe { libc::write(descriptor, one.as_ptr().cast(), one.len()) };
}

/// Makes an event descriptor not readable.
pub(crate) fn quiet(descriptor: RawFd) {
    let mut count = [0_u8; 8];
    // SAFETY: eight bytes of ours are written. One that is not readable stays so.
    unsafe { libc::read(descriptor, count.as_mut_ptr().cast(), count.len()) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_come_back_as_they_were() {
        for text in [
            "10.77.0.1:9092",
            "[fd00::7]:1",
            "0.0.0.0:0",
            "[::1%3]:65535",
        ] {
            let address: SocketAddr = text.parse().unwrap();
            assert_eq!(from_storage(&to_storage(address)), address);
        }
    }

    /// Whatever this host has, one of the four is said of it.
    #[test]
    fn a_host_is_looked_at_without_harm() {
        println!("{:?}", host_report());
    }
}

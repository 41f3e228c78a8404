//! What the kernel says of a network interface.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

const GET_DRIVER: u32 = 0x03;
const GET_CHANNELS: u32 = 0x3c;
const SIOCETHTOOL: libc::c_ulong = 0x8946;

/// Facts of one interface.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub(crate) index: u32,
    pub(crate) mac_address: [u8; 6],
    pub(crate) mtu: usize,
    pub(crate) is_up: bool,
    pub(crate) driver: String,
    pub(crate) receive_queues: u32,
    pub(crate) transmit_queues: u32,
}

#[repr(C, align(8))]
struct Request {
    name: [u8; libc::IFNAMSIZ],
    value: [u8; 24],
}

/// `struct ethtool_drvinfo`.
#[repr(C)]
struct Driver {
    command: u32,
    name: [u8; 32],
    rest: [u8; 160],
}

/// `struct ethtool_channels`.
#[repr(C)]
#[derive(Default)]
struct Channels {
    command: u32,
    max: [u32; 4],
    receive: u32,
    transmit: u32,
    other: u32,
    combined: u32,
}

struct Query {
    socket: OwnedFd,
    name: [u8; libc::IFNAMSIZ],
}

impl Query {
    fn ask(&self, request: libc::c_ulong) -> io::Result<[u8; 24]> {
        let mut asked = Request {
            name: self.name,
            value: [0; 24],
        };
        // SAFETY: the requests of this file read a name and write at most what `ifreq` holds.
        let result = unsafe { libc::ioctl(self.socket.as_raw_fd(), request, &raw mut asked) };
        super::check(result).map(|_| asked.value)
    }

    /// `T` must be the structure of the command that it begins with.
    fn ask_ethtool<T>(&self, command: &mut T) -> io::Result<()> {
        let mut asked = Request {
            name: self.name,
            value: [0; 24],
        };
        let address = (&raw mut *command) as usize;
        asked.value[..size_of::<usize>()].copy_from_slice(&address.to_ne_bytes());
        // SAFETY: the address names a structure as large as its command's, which outlives the call.
        let result = unsafe { libc::ioctl(self.socket.as_raw_fd(), SIOCETHTOOL, &raw mut asked) };
        super::check(result).map(|_| ())
    }
}

/// Looks an interface of this thread's network namespace up. `ENODEV` when there is none.
pub(crate) fn link(name: &str) -> io::Result<Link> {
    let mut bytes = [0; libc::IFNAMSIZ];
    if name.is_empty() || name.len() >= bytes.len() || name.contains(['\0', '/']) {
        return Err(io::Error::from_raw_os_error(libc::ENODEV));
    }
    bytes[..name.len()].copy_from_slice(name.as_bytes());
    let kind = libc::SOCK_DGRAM | libc::SOCK_CLOEXEC;
    // SAFETY: takes no pointers.
    let socket = super::check(unsafe { libc::socket(libc::AF_INET, kind, 0) })?;
    let query = Query {
        // SAFETY: socket(2) has just made this descriptor; nobody else owns it.
        socket: unsafe { OwnedFd::from_raw_fd(socket) },
        name: bytes,
    };
    let integer = |value: [u8; 24]| i32::from_ne_bytes([value[0], value[1], value[2], value[3]]);
    let index = integer(query.ask(libc::SIOCGIFINDEX)?);
    let mtu = integer(query.ask(libc::SIOCGIFMTU)?);
    let flags = integer(query.ask(libc::SIOCGIFFLAGS)?) & 0xffff;
    let hardware = query.ask(libc::SIOCGIFHWADDR)?;
    let mut mac_address = [0; 6];
    mac_address.copy_from_slice(&hardware[2..8]);
    let mut driver = Driver {
        command: GET_DRIVER,
        name: [0; 32],
        rest: [0; 160],
    };
    // Without an answer the driver has no name, and an interface has one queue.
    query.ask_ethtool(&mut driver).ok();
    let mut channels = Channels {
        command: GET_CHANNELS,
        ..Channels::default()
    };
    query.ask_ethtool(&mut channels).ok();
    let name_end = driver.name.iter().position(|byte| *byte == 0);
    Ok(Link {
        index: index as u32,
        mac_address,
        mtu: mtu.max(0) as usize,
        is_up: flags & libc::IFF_UP != 0,
        driver: String::from_utf8_lossy(&driver.name[..name_end.unwrap_or(0)]).into_owned(),
        receive_queues: (channels.receive + channels.combined).max(1),
        transmit_queues: (channels.transmit + channels.combined).max(1),
    })
}

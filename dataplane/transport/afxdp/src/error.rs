//! Why AF_XDP cannot start: one sentence each, with the mend.

use std::fmt;
use std::io;
use std::net::IpAddr;

/// Why an interface could not be opened.
#[derive(Debug)]
pub enum AfXdpError {
    NoInterface {
        interface: String,
    },
    InterfaceDown {
        interface: String,
    },
    /// What was tried when the kernel refused for want of a capability.
    NotPermitted {
        what: &'static str,
    },
    ProgramAttached {
        interface: String,
    },
    QueueBusy {
        interface: String,
        queue: u32,
    },
    /// The kernel has the address itself, on this interface.
    AddressIsKernels {
        interface: String,
        address: IpAddr,
    },
    /// Native mode was forced and the driver cannot.
    NoNativeMode {
        interface: String,
        source: io::Error,
    },
    /// Zero-copy was forced and the driver cannot.
    NoZeroCopy {
        interface: String,
        source: io::Error,
    },
    MtuTooLarge {
        interface: String,
        mtu: usize,
        mtu_max: usize,
    },
    MemoryNotLockable {
        bytes: usize,
    },
    NoTransmitQueue {
        interface: String,
        receive: u32,
        transmit: u32,
    },
    /// The options contradict a limit.
    Options(&'static str),
    /// The kernel refused: what was tried, and its answer.
    System {
        what: &'static str,
        source: io::Error,
    },
}

impl AfXdpError {
    /// Names a refusal whose reason is the same whatever was tried.
    pub(crate) fn of(what: &'static str, source: io::Error) -> AfXdpError {
        match source.raw_os_error() {
            Some(libc::EPERM | libc::EACCES) => AfXdpError::NotPermitted { what },
            _ => AfXdpError::System { what, source },
        }
    }
}

impl fmt::Display for AfXdpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AfXdpError::NoInterface { interface } => write!(
                f,
                "there is no network interface `{interface}`; `ip link` lists those of this host"
            ),
            AfXdpError::InterfaceDown { interface } => write!(
                f,
                "the network interface `{interface}` is down; `ip link set {interface} up` starts it"
            ),
            AfXdpError::NotPermitted { what } => write!(
                f,
                "{what} is not permitted: AF_XDP needs CAP_NET_ADMIN, CAP_NET_RAW and CAP_BPF; \
                 start as root or grant these capabilities"
            ),
            AfXdpError::ProgramAttached { interface } => write!(
                f,
                "another XDP program is attached to `{interface}`; stop its owner, take it off with \
                 `ip link set {interface} xdp off`, or choose another interface"
            ),
            AfXdpError::QueueBusy { interface, queue } => write!(
                f,
                "another AF_XDP socket holds queue {queue} of `{interface}`; stop the process that \
                 has it, or choose another interface"
            ),
            AfXdpError::AddressIsKernels { interface, address } => write!(
                f,
                "the kernel has {address} on `{interface}` itself; take it off with `ip address \
                 del`, or choose an address that only the broker has"
            ),
            AfXdpError::NoNativeMode { interface, source } => write!(
                f,
                "the driver of `{interface}` cannot run XDP programs ({source}); allow SKB mode, or \
                 choose another interface"
            ),
            AfXdpError::NoZeroCopy { interface, source } => write!(
                f,
                "the driver of `{interface}` cannot share its buffers ({source}); allow copying, or \
                 choose another interface"
            ),
            AfXdpError::MtuTooLarge {
                interface,
                mtu,
                mtu_max,
            } => write!(
                f,
                "the MTU of `{interface}` is {mtu}, and AF_XDP carries {mtu_max} at most; lower it \
                 with `ip link set {interface} mtu {mtu_max}`"
            ),
            AfXdpError::MemoryNotLockable { bytes } => write!(
                f,
                "{bytes} bytes of memory may not be locked for AF_XDP; raise `ulimit -l` or grant \
                 CAP_IPC_LOCK"
            ),
            AfXdpError::NoTransmitQueue {
                interface,
                receive,
                transmit,
            } => write!(
                f,
                "`{interface}` has {receive} receive queues and only {transmit} to send by, so that \
                 a shard would have none; make them equal with `ethtool -L {interface}`, or \
                 configure fewer shards"
            ),
            AfXdpError::Options(sentence) => f.write_str(sentence),
            AfXdpError::System { what, source } => write!(f, "{what}: {source}"),
        }
    }
}

impl std::error::Error for AfXdpError {}

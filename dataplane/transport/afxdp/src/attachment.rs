//! The filter on an interface: program, map of sockets, and the link that holds them there.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

use crate::filter::{Target, solicited_node};
use crate::sys::{self, Link};
use crate::{AfXdpError, AfXdpOptions, AttachMode};

/// How long something that a process has just left behind is waited for: the kernel takes programs
/// and sockets apart a little after the process has ended.
const LEFT_BEHIND: Duration = Duration::from_millis(1000);
const LEFT_BEHIND_POLL: Duration = Duration::from_millis(20);

const XDP_FLAGS_SKB_MODE: u32 = 1 << 1;
const XDP_FLAGS_DRV_MODE: u32 = 1 << 2;

/// Attached for as long as it lives: the kernel takes the program off when `_link` is closed.
pub(crate) struct Attachment {
    _link: OwnedFd,
    map: OwnedFd,
    /// Lets the interface receive the groups by which IPv6 neighbours ask for our addresses.
    _groups: Option<OwnedFd>,
    is_native: bool,
    /// Why the program is not in the driver although it might have been.
    skb_because: Option<io::Error>,
}

impl Attachment {
    pub(crate) fn new(options: &AfXdpOptions, link: &Link) -> Result<Attachment, AfXdpError> {
        let map = sys::new_socket_map(link.receive_queues)
            .map_err(|source| AfXdpError::of("making a map of AF_XDP sockets", source))?;
        let program = options
            .redirection
            .program(Target::Sockets(map.as_fd().as_raw_fd()));
        let program = sys::load_program(&program)
            .map_err(|source| AfXdpError::of("loading an XDP program", source))?;
        let attach = |flags| retry_while_busy(|| attach_once(&program, link, flags));
        let (held, is_native, skb_because) = match options.attach {
            AttachMode::Skb => (attach(XDP_FLAGS_SKB_MODE), false, None),
            AttachMode::Native => (attach(XDP_FLAGS_DRV_MODE), true, None),
            AttachMode::Auto => match attach(XDP_FLAGS_DRV_MODE) {
                Err(native) if !is_taken(&native) && !is_refused(&native) => {
                    (attach(XDP_FLAGS_SKB_MODE), false, Some(native))
                }
                held => (held, true, None),
            },
        };
        let interface = &options.interface;
        let held = held.map_err(|source| match source {
            source if is_taken(&source) => AfXdpError::ProgramAttached {
                interface: interface.clone(),
            },
            source if is_refused(&source) => AfXdpError::of("attaching an XDP program", source),
            source if options.attach == AttachMode::Native => AfXdpError::NoNativeMode {
                interface: interface.clone(),
                source,
            },
            source => AfXdpError::of("attaching an XDP program", source),
        })?;
        Ok(Attachment {
            _link: held,
            map,
            _groups: join_groups(options, link)?,
            is_native,
            skb_because,
        })
    }

    pub(crate) fn map(&self) -> &OwnedFd {
        &self.map
    }

    /// In words, for the start log.
    pub(crate) fn report(&self) -> String {
        match (&self.skb_because, self.is_native) {
            (_, true) => String::from("native mode"),
            (None, false) => String::from("SKB mode"),
            (Some(why), false) => format!("SKB mode (native mode refused: {why})"),
        }
    }
}

fn attach_once(program: &OwnedFd, link: &Link, flags: u32) -> io::Result<OwnedFd> {
    sys::attach_program(program.as_fd(), link.index, flags)
}

/// Another program is there.
fn is_taken(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EBUSY | libc::EEXIST))
}

fn is_refused(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EPERM | libc::EACCES))
}

/// Tries again while what is wanted is taken, for as long as it may be a dead process that has it.
pub(crate) fn retry_while_busy<T>(attempt: impl Fn() -> io::Result<T>) -> io::Result<T> {
    let start = Instant::now();
    loop {
        match attempt() {
            Err(error) if is_taken(&error) && start.elapsed() < LEFT_BEHIND => {
                std::thread::sleep(LEFT_BEHIND_POLL);
            }
            outcome => return outcome,
        }
    }
}

fn join_groups(options: &AfXdpOptions, link: &Link) -> Result<Option<OwnedFd>, AfXdpError> {
    let joining = |source| AfXdpError::of("joining the groups of IPv6 neighbours", source);
    let mut socket = None;
    for address in options.redirection.v6() {
        if socket.is_none() {
            socket = Some(sys::new_packet_socket(link.index, false).map_err(joining)?);
        }
        let [.., a, b, c, d] = solicited_node(address).octets();
        if let Some(socket) = &socket {
            let group = [0x33, 0x33, a, b, c, d];
            sys::join_multicast(socket.as_fd(), link.index, group).map_err(joining)?;
        }
    }
    Ok(socket)
}

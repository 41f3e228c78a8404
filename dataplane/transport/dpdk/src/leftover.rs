//! What DPDK leaves on an interface of the kernel when its process is killed.
//!
//! net_af_xdp attaches an XDP program by netlink, and that outlives its owner: the next process finds
//! the interface taken. So a note in the broker's own directory says which program is ours, and the
//! next start takes that one off, and no other. Memory and locks leave nothing, because they have no
//! files (`--in-memory`); sockets go with their process.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::path::Path;

const ANSWER_BYTES_MAX: usize = 32 << 10;
const NETLINK_HEADER_BYTES: usize = 16;
const LINK_BYTES: usize = 16;
const IFLA_XDP: u16 = 43;
const IFLA_XDP_FD: u16 = 1;
const IFLA_XDP_ATTACHED: u16 = 2;
const IFLA_XDP_FLAGS: u16 = 3;
const IFLA_XDP_PROG_ID: u16 = 4;
/// What IFLA_XDP_ATTACHED says, and the flag that names the same place.
const PLACES: [(u8, u32); 3] = [(1, 1 << 2), (2, 1 << 1), (3, 1 << 3)];

/// A program on an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Attached {
    pub(crate) program: u32,
    flags: u32,
}

/// Takes off what `note` says and is still there, and forgets the note. Answers the interfaces.
pub(crate) fn clear(note: &Path) -> Vec<String> {
    let Ok(text) = std::fs::read_to_string(note) else {
        return Vec::new();
    };
    let ours = text.lines().filter_map(|line| {
        let (interface, program) = line.split_once(' ')?;
        Some((interface, program.parse::<u32>().ok()?))
    });
    let mut cleared = Vec::new();
    for (interface, program) in ours {
        if let Ok(Some(attached)) = attached(interface)
            && attached.program == program
            && detach(interface, attached).is_ok()
        {
            cleared.push(interface.to_owned());
        }
    }
    std::fs::remove_file(note).ok();
    cleared
}

/// Notes the program that is on an interface now, if there is one.
///
/// # Errors
/// The file cannot be written.
pub(crate) fn note(note: &Path, interface: &str) -> io::Result<()> {
    match attached(interface) {
        Ok(Some(attached)) => std::fs::write(note, format!("{interface} {}\n", attached.program)),
        _ => Ok(()),
    }
}

/// The program on an interface of this thread's network namespace.
pub(crate) fn attached(interface: &str) -> io::Result<Option<Attached>> {
    let answer = ask(libc::RTM_GETLINK, index(interface)?, &[])?;
    let attributes = answer
        .get(NETLINK_HEADER_BYTES + LINK_BYTES..)
        .unwrap_or(&[]);
    let Some(nested) = find(attributes, IFLA_XDP) else {
        return Ok(None);
    };
    let place = find(nested, IFLA_XDP_ATTACHED).and_then(|value| value.first().copied());
    let program = find(nested, IFLA_XDP_PROG_ID).and_then(|value| value.first_chunk::<4>());
    let flags = PLACES.iter().find(|(told, _)| Some(*told) == place);
    Ok(match (program, flags) {
        (Some(program), Some((_, flags))) => Some(Attached {
            program: u32::from_ne_bytes(*program),
            flags: *flags,
        }),
        _ => None,
    })
}

fn detach(interface: &str, attached: Attached) -> io::Result<()> {
    let mut nested = Vec::new();
    push(&mut nested, IFLA_XDP_FD, &(-1i32).to_ne_bytes());
    push(&mut nested, IFLA_XDP_FLAGS, &attached.flags.to_ne_bytes());
    let mut attributes = Vec::new();
    push(
        &mut attributes,
        IFLA_XDP | libc::NLA_F_NESTED as u16,
        &nested,
    );
    ask(libc::RTM_SETLINK, index(interface)?, &attributes).map(|_| ())
}

fn index(interface: &str) -> io::Result<i32> {
    let name = CString::new(interface).map_err(|_| io::ErrorKind::InvalidInput)?;
    // SAFETY: the name ends in a zero.
    match unsafe { libc::if_nametoindex(name.as_ptr()) } {
        0 => Err(io::Error::last_os_error()),
        index => Ok(index as i32),
    }
}

/// One attribute, padded.
fn push(to: &mut Vec<u8>, kind: u16, value: &[u8]) {
    to.extend_from_slice(&(4 + value.len() as u16).to_ne_bytes());
    to.extend_from_slice(&kind.to_ne_bytes());
    to.extend_from_slice(value);
    to.resize(to.len().next_multiple_of(4), 0);
}

/// The value of the first attribute of a kind.
fn find(mut attributes: &[u8], kind: u16) -> Option<&[u8]> {
    const KIND: u16 = 0x3fff;
    while let Some(header) = attributes.first_chunk::<4>() {
        let length = usize::from(u16::from_ne_bytes([header[0], header[1]]));
        let value = attributes.get(4..length)?;
        if u16::from_ne_bytes([header[2], header[3]]) & KIND == kind {
            return Some(value);
        }
        attributes = attributes.get(length.next_multiple_of(4)..)?;
    }
    None
}

/// Sends one request about a link to the kernel; answers its message.
fn ask(kind: u16, index: i32, attributes: &[u8]) -> io::Result<Vec<u8>> {
    let kinds = libc::SOCK_RAW | libc::SOCK_CLOEXEC;
    // SAFETY: takes no pointers.
    let socket = unsafe { libc::socket(libc::AF_NETLINK, kinds, libc::NETLINK_ROUTE) };
    if socket < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: socket(2) has just made this descriptor; nobody else owns it.
    let socket = unsafe { OwnedFd::from_raw_fd(socket) };
    let mut flags = libc::NLM_F_REQUEST as u16;
    if kind == libc::RTM_SETLINK {
        flags |= libc::NLM_F_ACK as u16;
    }
    let length = NETLINK_HEADER_BYTES + LINK_BYTES + attributes.len();
    let mut request = Vec::with_capacity(length);
    request.extend_from_slice(&(length as u32).to_ne_bytes());
    request.extend_from_slice(&kind.to_ne_bytes());
    request.extend_from_slice(&flags.to_ne_bytes());
    request.extend_from_slice(&[0; 8]);
    request.extend_from_slice(&[0; 4]);
    request.extend_from_slice(&index.to_ne_bytes());
    request.extend_from_slice(&[0; 8]);
    request.extend_from_slice(attributes);
    let mut answer = vec![0; ANSWER_BYTES_MAX];
    let raw = socket.as_raw_fd();
    // SAFETY: the bytes and their number belong together, here and below.
    let sent = unsafe { libc::send(raw, request.as_ptr().cast(), request.len(), 0) };
    if sent < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: as above.
    let received = unsafe { libc::recv(raw, answer.as_mut_ptr().cast(), answer.len(), 0) };
    if received < 0 {
        return Err(io::Error::last_os_error());
    }
    answer.truncate(received as usize);
    let told = answer.get(4..6).and_then(|bytes| bytes.first_chunk::<2>());
    if told.map(|bytes| u16::from_ne_bytes(*bytes)) == Some(libc::NLMSG_ERROR as u16) {
        let code = answer
            .get(16..20)
            .and_then(|bytes| bytes.first_chunk::<4>());
        return match code.map(|bytes| i32::from_ne_bytes(*bytes)) {
            Some(0) => Ok(answer),
            Some(code) => Err(io::Error::from_raw_os_error(-code)),
            None => Err(io::ErrorKind::InvalidData.into()),
        };
    }
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_found_and_short_ones_end_the_search() {
        let mut bytes = Vec::new();
        push(&mut bytes, 7, &[1]);
        push(&mut bytes, 9, &[2, 3, 4, 5]);
        assert_eq!(find(&bytes, 9), Some(&[2, 3, 4, 5][..]));
        assert_eq!(find(&bytes, 8), None);
        assert_eq!(find(&bytes[..bytes.len() - 1], 9), None);
        assert_eq!(find(&[0, 0, 9, 0], 9), None, "no length, no end");
    }

    #[test]
    fn the_loopback_has_no_program_and_strangers_no_interface() {
        assert_eq!(attached("lo").expect("every namespace has one"), None);
        assert!(attached("nowhere").is_err());
    }
}

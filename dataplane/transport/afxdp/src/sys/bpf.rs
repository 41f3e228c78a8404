//! bpf(2): maps, programs, links.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use crate::instructions::Instruction;

const MAP_CREATE: libc::c_int = 0;
const MAP_UPDATE: libc::c_int = 2;
const PROGRAM_LOAD: libc::c_int = 5;
const LINK_CREATE: libc::c_int = 28;

const MAP_TYPE_SOCKETS: u32 = 17;
const PROGRAM_TYPE_XDP: u32 = 6;
const ATTACH_TYPE_XDP: u32 = 37;

/// The beginning of `union bpf_attr`; the kernel takes the rest as zero.
#[repr(C)]
struct MapCreate {
    map_type: u32,
    key_bytes: u32,
    value_bytes: u32,
    entries_max: u32,
}

#[repr(C)]
struct MapUpdate {
    map: u32,
    padding: u32,
    key: u64,
    value: u64,
    flags: u64,
}

#[repr(C)]
struct ProgramLoad {
    program_type: u32,
    instruction_count: u32,
    instructions: u64,
    license: u64,
    log_level: u32,
    log_bytes: u32,
    log: u64,
}

#[repr(C)]
struct LinkCreate {
    program: u32,
    interface: u32,
    attach_type: u32,
    flags: u32,
}

/// # Safety
/// Every address within `attribute` must name memory that the command may use as it does.
unsafe fn bpf<T>(command: libc::c_int, attribute: &mut T) -> io::Result<libc::c_int> {
    let bytes = size_of::<T>();
    // SAFETY: `attribute` is as long as said; what it names, the caller answers for.
    let result = unsafe { libc::syscall(libc::SYS_bpf, command, &raw mut *attribute, bytes) };
    super::check(result as libc::c_int)
}

/// # Safety
/// As [`bpf`], and the command must make a descriptor.
unsafe fn bpf_descriptor<T>(command: libc::c_int, attribute: &mut T) -> io::Result<OwnedFd> {
    // SAFETY: the caller's promise.
    let descriptor = unsafe { bpf(command, attribute) }?;
    // SAFETY: the kernel has just made this descriptor (close-on-exec); nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

/// A map from queue numbers to AF_XDP sockets.
pub(crate) fn new_socket_map(queues: u32) -> io::Result<OwnedFd> {
    let mut attribute = MapCreate {
        map_type: MAP_TYPE_SOCKETS,
        key_bytes: 4,
        value_bytes: 4,
        entries_max: queues,
    };
    // SAFETY: the attribute names no memory, and a map is a descriptor.
    unsafe { bpf_descriptor(MAP_CREATE, &mut attribute) }
}

/// Frames of `queue` go to `socket` from now on, until it is closed.
pub(crate) fn set_socket(
    map: BorrowedFd<'_>,
    queue: u32,
    socket: BorrowedFd<'_>,
) -> io::Result<()> {
    let value = socket.as_raw_fd() as u32;
    let mut attribute = MapUpdate {
        map: map.as_raw_fd() as u32,
        padding: 0,
        key: (&raw const queue) as u64,
        value: (&raw const value) as u64,
        flags: 0,
    };
    // SAFETY: key and value are four bytes each, as the map was made, and outlive the call.
    unsafe { bpf(MAP_UPDATE, &mut attribute) }.map(|_| ())
}

/// Verifies and loads an XDP program. A program that the verifier refuses fails with the last
/// lines of what it says.
pub(crate) fn load_program(program: &[Instruction]) -> io::Result<OwnedFd> {
    match load(program, &mut []) {
        Err(error) if matches!(error.raw_os_error(), Some(libc::EACCES | libc::EINVAL)) => {
            let mut log = vec![0u8; 64 << 10];
            match load(program, &mut log) {
                Err(error) => {
                    let end = log.iter().position(|byte| *byte == 0).unwrap_or(0);
                    let text = String::from_utf8_lossy(&log[..end]);
                    let lines: Vec<&str> = text.lines().rev().take(6).collect();
                    let lines: Vec<&str> = lines.into_iter().rev().collect();
                    if lines.is_empty() {
                        return Err(error);
                    }
                    Err(io::Error::other(format!("{error}: {}", lines.join("; "))))
                }
                loaded => loaded,
            }
        }
        other => other,
    }
}

fn load(program: &[Instruction], log: &mut [u8]) -> io::Result<OwnedFd> {
    let mut attribute = ProgramLoad {
        program_type: PROGRAM_TYPE_XDP,
        instruction_count: program.len() as u32,
        instructions: program.as_ptr() as u64,
        license: c"MIT".as_ptr() as u64,
        log_level: u32::from(!log.is_empty()),
        log_bytes: log.len() as u32,
        log: if log.is_empty() {
            0
        } else {
            log.as_mut_ptr() as u64
        },
    };
    // SAFETY: instructions and log are as long as said, the license ends in a zero; all outlive the
    // call, and a program is a descriptor.
    unsafe { bpf_descriptor(PROGRAM_LOAD, &mut attribute) }
}

/// Attaches a program to an interface of this thread's network namespace. It is taken off when the
/// link's last descriptor is closed.
pub(crate) fn attach_program(
    program: BorrowedFd<'_>,
    interface: u32,
    flags: u32,
) -> io::Result<OwnedFd> {
    let mut attribute = LinkCreate {
        program: program.as_raw_fd() as u32,
        interface,
        attach_type: ATTACH_TYPE_XDP,
        flags,
    };
    // SAFETY: the attribute names no memory, and a link is a descriptor.
    unsafe { bpf_descriptor(LINK_CREATE, &mut attribute) }
}

/// Runs a program on a frame once; returns its verdict.
#[cfg(test)]
pub(crate) fn run_program(program: BorrowedFd<'_>, frame: &[u8]) -> io::Result<i32> {
    const PROGRAM_TEST_RUN: libc::c_int = 10;
    #[repr(C)]
    struct TestRun {
        program: u32,
        verdict: u32,
        input_bytes: u32,
        output_bytes: u32,
        input: u64,
        output: u64,
        repeat: u32,
        duration: u32,
    }
    let mut attribute = TestRun {
        program: program.as_raw_fd() as u32,
        verdict: 0,
        input_bytes: frame.len() as u32,
        output_bytes: 0,
        input: frame.as_ptr() as u64,
        output: 0,
        repeat: 1,
        duration: 0,
    };
    // SAFETY: the input is as long as said and outlives the call; there is no output.
    unsafe { bpf(PROGRAM_TEST_RUN, &mut attribute) }?;
    Ok(attribute.verdict as i32)
}

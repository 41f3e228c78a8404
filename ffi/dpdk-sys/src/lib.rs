//! DPDK's symbols, as `shim/shim.c` offers them.
//!
//! The shim is a shared object that is linked with the libdpdk of the build host and embedded here.
//! [`Dpdk::open`] gives it to the dynamic loader, which looks libdpdk up on the host where the
//! program runs. So one program serves hosts with and without DPDK: until it is asked for, nothing
//! of it is loaded, and where it is missing that is one sentence. A build without libdpdk embeds
//! nothing.
//!
//! Raw symbols only: `precursor-transport-dpdk` makes devices of them.

use std::ffi::{CStr, CString, c_char, c_int, c_uint, c_void};
use std::fmt;
use std::io::Write;
use std::os::fd::{AsRawFd, FromRawFd};

/// The compiled shim; empty where the build host had no libdpdk.
static SHIM: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/shim.so"));

/// Offloads of a port: `struct pc_port_facts.offloads`.
pub const RECEIVE_CHECKSUM: u32 = 1;
pub const SEND_CHECKSUM: u32 = 2;
pub const SEGMENTATION: u32 = 4;

/// Most frames of one [`Dpdk::receive`].
pub const BURST_MAX: usize = 64;

/// Whether this build can open DPDK at all.
pub fn is_built_in() -> bool {
    !SHIM.is_empty()
}

/// Takes a line of DPDK's log: RTE_LOG_* level, bytes, their number.
pub type Log = unsafe extern "C" fn(level: c_int, text: *const c_char, length: usize);

/// What is known of a port before it is opened.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct PortFacts {
    pub port: u16,
    pub mtu: u16,
    pub receive_queues_max: u16,
    pub send_queues_max: u16,
    /// Of the kernel's interface below it, or 0.
    pub interface_index: u32,
    /// -1: any.
    pub numa_node: i32,
    pub offloads: u32,
    /// 1: the port spreads connections over its queues itself.
    pub spreads: u32,
    pub mac_address: [u8; 6],
    pub padding: [u8; 2],
    pub name: [u8; 64],
    pub driver: [u8; 32],
    /// Of the kernel's interface below it, or empty.
    pub kernel_name: [u8; 16],
    pub kernel_driver: [u8; 32],
}

impl PortFacts {
    /// All zero, to be filled in.
    pub const EMPTY: PortFacts = PortFacts {
        port: 0,
        mtu: 0,
        receive_queues_max: 0,
        send_queues_max: 0,
        interface_index: 0,
        numa_node: 0,
        offloads: 0,
        spreads: 0,
        mac_address: [0; 6],
        padding: [0; 2],
        name: [0; 64],
        driver: [0; 32],
        kernel_name: [0; 16],
        kernel_driver: [0; 32],
    };
}

#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct PortOptions {
    pub port: u16,
    pub queues: u16,
    pub ring_frames: u16,
    /// Frames that a queue holds until a flush.
    pub pending_max: u16,
    pub offloads: u32,
    /// Whose frames are wanted, with their tag; 0: those without.
    pub vlan: u16,
    pub padding: u16,
}

#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PortCounters {
    pub received: u64,
    pub sent: u64,
    pub receive_dropped: u64,
    pub send_dropped: u64,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Frame {
    pub bytes: *const u8,
    pub length: usize,
}

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Offload {
    /// Where TCP begins; 0: nothing is asked of the device.
    pub checksum_start: u16,
    pub checksum_offset: u16,
    /// Payload bytes of each segment that the frame is cut into; 0: it stays whole.
    pub segment_bytes: u16,
    pub padding: u16,
}

const _: () = {
    assert!(size_of::<PortFacts>() == 176);
    assert!(size_of::<PortOptions>() == 16);
    assert!(size_of::<Offload>() == 8);
};

/// An open port.
#[repr(C)]
pub struct Port {
    _opaque: [u8; 0],
}

/// A queue of an open port.
#[repr(C)]
pub struct Queue {
    _opaque: [u8; 0],
}

/// Why DPDK cannot be opened.
#[derive(Debug)]
pub enum OpenError {
    /// The build host had no libdpdk.
    NotBuiltIn,
    /// This host's loader refuses: its words.
    NotLoadable(String),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OpenError::NotBuiltIn => f.write_str(
                "this program was built on a host without libdpdk; install libdpdk-dev (22.11 or \
                 newer) there and build it again",
            ),
            OpenError::NotLoadable(why) => write!(
                f,
                "this host has no libdpdk of the version that the program was built with ({why}); \
                 install it, or build the program here"
            ),
        }
    }
}

impl std::error::Error for OpenError {}

/// The functions of the shim; shim.h says what they do.
pub struct Dpdk {
    pub version: unsafe extern "C" fn() -> *const c_char,
    pub start: unsafe extern "C" fn(c_int, *mut *mut c_char, Log) -> c_int,
    pub stop: unsafe extern "C" fn(),
    pub describe: unsafe extern "C" fn(c_int) -> *const c_char,
    pub enter_thread: unsafe extern "C" fn() -> c_int,
    pub leave_thread: unsafe extern "C" fn(),
    pub probe: unsafe extern "C" fn(*const c_char) -> c_int,
    pub ring_pair: unsafe extern "C" fn(*const c_char, *const c_char, u32, *mut u16) -> c_int,
    pub ports: unsafe extern "C" fn(*mut PortFacts, c_int) -> c_int,
    pub port_open: unsafe extern "C" fn(*const PortOptions, *mut *mut Port) -> c_int,
    pub port_close: unsafe extern "C" fn(*mut Port),
    pub port_is_gone: unsafe extern "C" fn(*const Port) -> c_int,
    pub port_link: unsafe extern "C" fn(*const Port, *mut u32) -> c_int,
    pub port_counters: unsafe extern "C" fn(*const Port, *mut PortCounters),
    pub queue_open: unsafe extern "C" fn(*mut Port, u16) -> *mut Queue,
    pub queue_close: unsafe extern "C" fn(*mut Queue),
    pub receive: unsafe extern "C" fn(*mut Queue, *mut Frame, c_uint) -> c_uint,
    pub release: unsafe extern "C" fn(*mut Queue),
    pub send_capacity: unsafe extern "C" fn(*const Queue) -> c_uint,
    pub send: unsafe extern "C" fn(*mut Queue, *const libc::iovec, usize, *const Offload) -> c_int,
    pub flush: unsafe extern "C" fn(*mut Queue) -> c_uint,
    pub queue_dropped: unsafe extern "C" fn(*const Queue, c_int) -> u64,
}

impl Dpdk {
    /// Loads the shim, and libdpdk with it. They stay until the process ends.
    ///
    /// # Errors
    /// One sentence: [`OpenError`].
    // Each field's own type says what its symbol is.
    #[allow(clippy::missing_transmute_annotations)]
    pub fn open() -> Result<Dpdk, OpenError> {
        if !is_built_in() {
            return Err(OpenError::NotBuiltIn);
        }
        let library = load().map_err(OpenError::NotLoadable)?;
        macro_rules! symbols {
            ($($field:ident: $name:literal,)*) => {
                Dpdk {
                    $($field: {
                        let symbol = library.symbol($name)?;
                        // SAFETY: shim.h declares the symbol of this name with this signature, and
                        // the embedded object was made from it; it is never unloaded.
                        unsafe { std::mem::transmute(symbol) }
                    },)*
                }
            };
        }
        Ok(symbols! {
            version: c"pc_version",
            start: c"pc_start",
            stop: c"pc_stop",
            describe: c"pc_describe",
            enter_thread: c"pc_enter_thread",
            leave_thread: c"pc_leave_thread",
            probe: c"pc_probe",
            ring_pair: c"pc_ring_pair",
            ports: c"pc_ports",
            port_open: c"pc_port_open",
            port_close: c"pc_port_close",
            port_is_gone: c"pc_port_is_gone",
            port_link: c"pc_port_link",
            port_counters: c"pc_port_counters",
            queue_open: c"pc_queue_open",
            queue_close: c"pc_queue_close",
            receive: c"pc_receive",
            release: c"pc_release",
            send_capacity: c"pc_send_capacity",
            send: c"pc_send",
            flush: c"pc_flush",
            queue_dropped: c"pc_queue_dropped",
        })
    }
}

/// A loaded object, for as long as the process lives.
struct Library(*mut c_void);

impl Library {
    fn symbol(&self, name: &CStr) -> Result<*mut c_void, OpenError> {
        // SAFETY: the handle is open and the name ends in a zero.
        let symbol = unsafe { libc::dlsym(self.0, name.as_ptr()) };
        if symbol.is_null() {
            return Err(OpenError::NotLoadable(last_error()));
        }
        Ok(symbol)
    }
}

/// Hands the shim to the loader, which wants a file: one without a place in any file system.
fn load() -> Result<Library, String> {
    let failed = |what: &str| format!("{what}: {}", std::io::Error::last_os_error());
    // SAFETY: the name ends in a zero.
    let descriptor = unsafe { libc::memfd_create(c"precursor-dpdk".as_ptr(), libc::MFD_CLOEXEC) };
    if descriptor < 0 {
        return Err(failed("memfd_create"));
    }
    // SAFETY: memfd_create has just made this descriptor; nobody else owns it.
    let mut file = unsafe { std::fs::File::from_raw_fd(descriptor) };
    file.write_all(SHIM)
        .map_err(|_| failed("writing the shim"))?;
    let path = CString::new(format!("/proc/self/fd/{}", file.as_raw_fd())).expect("no zero in it");
    // SAFETY: the path ends in a zero. The object's initialisers are libdpdk's, which register
    // drivers and read nothing of ours.
    let handle = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
    if handle.is_null() {
        return Err(last_error());
    }
    Ok(Library(handle))
}

fn last_error() -> String {
    // SAFETY: the text is the loader's own and is copied before another call changes it.
    unsafe {
        let text = libc::dlerror();
        match text.is_null() {
            true => String::from("the loader does not say why"),
            false => CStr::from_ptr(text).to_string_lossy().into_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where the build found libdpdk, it is on this host too.
    #[test]
    fn what_was_built_in_is_opened() {
        match Dpdk::open() {
            Ok(dpdk) => {
                // SAFETY: takes nothing, and answers a constant text.
                let version = unsafe { CStr::from_ptr((dpdk.version)()) };
                assert!(
                    version.to_string_lossy().starts_with("DPDK "),
                    "{version:?}"
                );
            }
            Err(OpenError::NotBuiltIn) => assert!(!is_built_in()),
            Err(error) => panic!("{error}"),
        }
    }
}

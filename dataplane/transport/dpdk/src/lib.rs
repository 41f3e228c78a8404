//! Ethernet frames past the kernel by DPDK.
//!
//! [`DpdkInterface`] starts DPDK's environment once in a process, opens one port (a card by its PCI
//! address, an SR-IOV virtual function among them, or a virtual device) with a queue pair per shard,
//! and makes [`DpdkDevice`]s of them, each a
//! [`FrameDevice`](precursor_transport_port::FrameDevice). The device spreads connections over the
//! queues. Received frames are handed on where the device wrote them; frames to send are copied
//! once, into buffers of the port's own node of memory, because TCP's memory may be given back to it
//! before a card has read it.
//!
//! Checksums and the cutting of large frames are left to the device where it can.
//!
//! [`shut_down`] ends the environment when all devices are gone.

mod arguments;
mod device;
mod environment;
mod error;
mod interface;
mod leftover;

use std::path::PathBuf;

pub use device::DpdkDevice;
pub use environment::{LogLevel, shut_down};
pub use error::DpdkError;
pub use interface::DpdkInterface;

/// Whether this build can drive DPDK: its build host had libdpdk.
pub fn is_built_in() -> bool {
    precursor_dpdk_sys::is_built_in()
}

/// How a [`DpdkInterface`] is opened.
#[derive(Clone, Debug)]
pub struct DpdkOptions {
    /// A PCI address, a port's name, or the name of the kernel's interface below a virtual device.
    pub interface: String,
    /// Words for DPDK's environment (EAL), as its programs take them.
    pub arguments: Vec<String>,
    /// Frames that each ring of a queue holds, where the device does not want another number.
    pub ring_frames: u16,
    /// Leave to the device what it can do itself.
    pub offloads: bool,
    /// The VLAN whose frames a device that filters them is to let in.
    pub vlan: Option<u16>,
    /// Where it is noted what a killed process would leave on an interface of the kernel. It belongs
    /// to this process alone, as its directory does; the next one reads it and tidies up.
    pub note: Option<PathBuf>,
    /// Takes DPDK's log, line by line.
    pub log: fn(LogLevel, &str),
}

impl DpdkOptions {
    pub fn new(interface: &str, arguments: Vec<String>) -> DpdkOptions {
        DpdkOptions {
            interface: interface.to_owned(),
            arguments,
            ring_frames: 1024,
            offloads: true,
            vlan: None,
            note: None,
            log: |_, _| {},
        }
    }
}

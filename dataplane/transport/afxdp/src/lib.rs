//! Ethernet frames past the kernel's network stack by AF_XDP.
//!
//! [`AfXdpInterface`] attaches a filter of our own to a network interface and makes
//! [`AfXdpDevice`]s, each a [`FrameDevice`](precursor_transport_port::FrameDevice) over one or more
//! of its queues. The filter takes what is for the addresses that the netstack owns
//! ([`Redirection`]); everything else passes to the kernel as before. It hangs on a descriptor, so
//! that the kernel takes it off when the process ends, however it ends.
//!
//! The program is assembled here and loaded by bpf(2): no compiler and no file of another's is
//! needed. Native mode falls back to SKB mode and zero-copy to copying, where the driver of the
//! interface lacks them; [`AfXdpInterface::report`] says what became of it.

mod attachment;
mod device;
mod error;
mod filter;
mod instructions;
mod interface;
mod packet;
mod queue;
mod ring;
mod segments;
mod sys;

pub use device::AfXdpDevice;
pub use error::AfXdpError;
pub use filter::Redirection;
pub use interface::AfXdpInterface;
pub use packet::PacketDevice;
pub use queue::QueueStatistics;

/// Where the filter runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AttachMode {
    /// In the driver, or where it cannot, in the kernel's generic path.
    #[default]
    Auto,
    /// In the driver, before the kernel makes a packet buffer of the frame.
    Native,
    /// In the generic path, on the kernel's packet buffers: works on every interface, costs more.
    /// Peers on the same host must not hand over segments larger than a frame.
    Skb,
}

/// How frames get between the device and our memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CopyMode {
    /// Without a copy, or where the driver cannot, with one.
    #[default]
    Auto,
    ZeroCopy,
    Copy,
}

/// How an [`AfXdpInterface`] is opened.
#[derive(Clone, Debug)]
pub struct AfXdpOptions {
    /// The network interface's name.
    pub interface: String,
    /// What is taken from the kernel.
    pub redirection: Redirection,
    pub attach: AttachMode,
    pub copy: CopyMode,
    /// Frames that each ring of a queue holds: a power of two from 64 to 32,768. A queue's memory
    /// is three times as many frames of 2 or 4 KiB.
    pub ring_frames: u32,
    /// Microseconds that the kernel may poll the driver for a queue when we look at it; 0 leaves
    /// the driver to its interrupts.
    pub busy_poll_us: u32,
}

impl AfXdpOptions {
    pub fn new(interface: &str, redirection: Redirection) -> AfXdpOptions {
        AfXdpOptions {
            interface: interface.to_owned(),
            redirection,
            attach: AttachMode::Auto,
            copy: CopyMode::Auto,
            ring_frames: 2048,
            busy_poll_us: 0,
        }
    }
}

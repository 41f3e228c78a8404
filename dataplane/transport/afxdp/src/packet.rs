//! Frames by an AF_PACKET socket: the kernel sees them too. A peer for tests, and slow.

use std::io::IoSlice;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use precursor_transport_port::{
    FRAME_HEADER_BYTES_MAX, FrameCapabilities, FrameCounters, FrameDevice,
};

use crate::AfXdpError;
use crate::sys;

const QUEUE_FRAMES_MAX: usize = 256;
/// The kernel's queue of received frames, in bytes with its overhead.
const RECEIVE_BUFFER_BYTES: libc::c_int = 16 << 20;

/// Receives every frame that arrives at an interface, beside the kernel, and sends as it is told.
/// Owned by one thread.
pub struct PacketDevice {
    socket: OwnedFd,
    mac_address: [u8; 6],
    mtu: usize,
    queued: Vec<Vec<u8>>,
    buffer: Vec<u8>,
    received: u64,
    sent: u64,
    send_dropped: u64,
}

impl PacketDevice {
    /// Opens an interface of this thread's network namespace.
    ///
    /// # Errors
    /// One clear sentence each: [`AfXdpError`].
    pub fn open(interface: &str) -> Result<PacketDevice, AfXdpError> {
        let link = sys::link(interface).map_err(|_| AfXdpError::NoInterface {
            interface: interface.to_owned(),
        })?;
        let opening = |source| AfXdpError::of("opening an AF_PACKET socket", source);
        let socket = sys::new_packet_socket(link.index, true).map_err(opening)?;
        let (level, name) = (libc::SOL_SOCKET, libc::SO_RCVBUFFORCE);
        sys::set_integer(socket.as_fd(), level, name, RECEIVE_BUFFER_BYTES).map_err(opening)?;
        Ok(PacketDevice {
            socket,
            mac_address: link.mac_address,
            mtu: link.mtu,
            queued: Vec::with_capacity(QUEUE_FRAMES_MAX),
            buffer: vec![0; 64 << 10],
            received: 0,
            sent: 0,
            send_dropped: 0,
        })
    }
}

impl FrameDevice for PacketDevice {
    fn capabilities(&self) -> FrameCapabilities {
        FrameCapabilities {
            name: "packet",
            receive_checksums_trusted: true,
            send_checksums: false,
            segmentation_bytes_max: 0,
        }
    }

    fn mac_address(&self) -> [u8; 6] {
        self.mac_address
    }

    fn mtu(&self) -> usize {
        self.mtu
    }

    fn receive_burst(&mut self, frames_max: usize, take: &mut dyn FnMut(&[u8])) -> usize {
        let mut count = 0;
        while count < frames_max {
            let Ok(bytes) = sys::receive_packet(self.socket.as_fd(), &mut self.buffer) else {
                break;
            };
            take(&self.buffer[..bytes]);
            count += 1;
        }
        self.received += count as u64;
        count
    }

    fn send_capacity(&self) -> usize {
        QUEUE_FRAMES_MAX - self.queued.len()
    }

    fn send(&mut self, slices: &[IoSlice<'_>]) -> bool {
        let frame: Vec<u8> = slices
            .iter()
            .flat_map(|slice| slice.iter())
            .copied()
            .collect();
        assert!(
            frame.len() <= FRAME_HEADER_BYTES_MAX + self.mtu,
            "a frame fits the MTU"
        );
        if self.queued.len() == QUEUE_FRAMES_MAX {
            return false;
        }
        self.queued.push(frame);
        true
    }

    fn flush(&mut self) {
        let mut left = 0;
        for frame in &self.queued {
            match sys::send_packet(self.socket.as_fd(), &[IoSlice::new(frame)]) {
                Ok(()) => self.sent += 1,
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => break,
                Err(_) => self.send_dropped += 1,
            }
            left += 1;
        }
        self.queued.drain(..left);
    }

    fn wait_descriptor(&self) -> Option<BorrowedFd<'_>> {
        Some(self.socket.as_fd())
    }

    fn counters(&self) -> FrameCounters {
        FrameCounters {
            received: self.received,
            sent: self.sent,
            receive_dropped: 0,
            send_dropped: self.send_dropped,
        }
    }
}

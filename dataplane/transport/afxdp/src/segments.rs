//! Frames larger than the interface's, which the kernel cuts into segments.

use std::io::{self, IoSlice};
use std::os::fd::{AsFd, OwnedFd};

use precursor_transport_port::SendOffload;

use crate::sys;

/// Payload bytes of one frame at most: with its headers it stays below IP's limit of 65,535.
pub(crate) const SEGMENTATION_BYTES_MAX: usize = 65_000;

/// Bytes that the kernel holds for us until a driver has sent them.
const SEND_BUFFER_BYTES: libc::c_int = 4 << 20;
/// Slices of one frame at most, beside the kernel's own header.
const SLICES_MAX: usize = 32;

// `struct virtio_net_hdr`, in this host's byte order.
const HEADER_BYTES: usize = 10;
const NEEDS_CHECKSUM: u8 = 1;
const TCP_V4: u8 = 1;
const TCP_V6: u8 = 4;
/// Where the type of an untagged frame is, and IPv6's.
const ETHER_TYPE: usize = 12;
const IPV6: [u8; 2] = [0x86, 0xdd];

/// An AF_PACKET socket that only sends. AF_XDP has nothing but frames, and where it copies, the kernel
/// makes a packet buffer of each; here it makes one of many, which a driver may carry whole.
pub(crate) struct SegmentSocket {
    socket: OwnedFd,
    dropped: u64,
}

impl SegmentSocket {
    /// For an interface of this thread's network namespace.
    pub(crate) fn open(interface: u32) -> io::Result<SegmentSocket> {
        let socket = sys::new_packet_socket(interface, false)?;
        sys::set_integer(socket.as_fd(), libc::SOL_PACKET, libc::PACKET_VNET_HDR, 1)?;
        let (level, name) = (libc::SOL_SOCKET, libc::SO_SNDBUFFORCE);
        sys::set_integer(socket.as_fd(), level, name, SEND_BUFFER_BYTES)?;
        Ok(SegmentSocket { socket, dropped: 0 })
    }

    /// Sends one untagged frame of TCP at once, all headers in its first slice; false when the kernel
    /// has no room. What it cannot send otherwise is lost, as by a device.
    pub(crate) fn send(&mut self, slices: &[IoSlice<'_>], offload: SendOffload) -> bool {
        let header = header(&slices[0], offload);
        let mut all = [IoSlice::new(&[]); SLICES_MAX + 1];
        all[0] = IoSlice::new(&header);
        all[1..=slices.len()].copy_from_slice(slices);
        match sys::send_packet(self.socket.as_fd(), &all[..=slices.len()]) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return false,
            Err(_) => self.dropped += 1,
        }
        true
    }

    /// Frames that the kernel refused.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped
    }
}

/// What stands before a frame whose checksum and segments are left to the kernel.
fn header(headers: &[u8], offload: SendOffload) -> [u8; HEADER_BYTES] {
    let kind = match headers[ETHER_TYPE..ETHER_TYPE + 2] == IPV6 {
        true => TCP_V6,
        false => TCP_V4,
    };
    let mut header = [NEEDS_CHECKSUM, kind, 0, 0, 0, 0, 0, 0, 0, 0];
    let fields = [
        headers.len() as u16,
        offload.segment_bytes,
        offload.checksum_start,
        offload.checksum_offset,
    ];
    for (at, field) in fields.into_iter().enumerate() {
        header[2 + at * 2..][..2].copy_from_slice(&field.to_ne_bytes());
    }
    header
}

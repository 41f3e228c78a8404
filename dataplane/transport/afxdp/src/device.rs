//! The queues of one shard as a frame device.

use std::io::IoSlice;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use precursor_transport_port::{
    FRAME_HEADER_BYTES_MAX, FrameCapabilities, FrameCounters, FrameDevice, SendOffload,
};

use crate::attachment::Attachment;
use crate::queue::{Queue, QueueStatistics};
use crate::segments::{SEGMENTATION_BYTES_MAX, SegmentSocket};
use crate::sys::{self, Link};
use crate::{AfXdpError, AfXdpOptions};

/// Drivers whose frames come from the memory of this host, with checksums left unfinished.
const LOCAL_DRIVERS: [&str; 1] = ["veth"];

/// Headers of a frame at most: IPv6 and TCP with all options.
const HEADERS_MAX: usize = FRAME_HEADER_BYTES_MAX + 40 + 60;

/// AF_XDP sockets of one or more queues. Made by [`AfXdpInterface::devices`], owned by one shard.
///
/// [`AfXdpInterface::devices`]: crate::AfXdpInterface::devices
pub struct AfXdpDevice {
    queues: Vec<Queue>,
    /// The queue that frames leave by.
    sends_by: usize,
    /// By which frames leave that the kernel cuts.
    segments: Option<SegmentSocket>,
    /// The queue that is looked at first, so that a busy one starves none.
    next: usize,
    /// Watches the queues, where there is not exactly one.
    wait_set: Option<OwnedFd>,
    mac_address: [u8; 6],
    mtu: usize,
    is_local: bool,
    received: u64,
    sent: u64,
    _attachment: Arc<Attachment>,
}

impl AfXdpDevice {
    pub(crate) fn new(
        options: &AfXdpOptions,
        link: &Link,
        queues: Vec<(u32, Queue)>,
        attachment: Arc<Attachment>,
    ) -> Result<AfXdpDevice, AfXdpError> {
        // The kernel sends nothing for a socket whose queue has no transmit side.
        let sends_by = queues
            .iter()
            .position(|(number, _)| *number < link.transmit_queues);
        if sends_by.is_none() && !queues.is_empty() {
            return Err(AfXdpError::NoTransmitQueue {
                interface: options.interface.clone(),
                receive: link.receive_queues,
                transmit: link.transmit_queues,
            });
        }
        let queues: Vec<Queue> = queues.into_iter().map(|(_, queue)| queue).collect();
        let mut wait_set = None;
        if queues.len() != 1 {
            let waiting = |source| AfXdpError::of("making a set to wait on", source);
            let set = sys::new_wait_set().map_err(waiting)?;
            for queue in &queues {
                sys::add_to_wait(set.as_fd(), queue.descriptor()).map_err(waiting)?;
            }
            wait_set = Some(set);
        }
        let sends_by = sends_by.unwrap_or(0);
        Ok(AfXdpDevice {
            segments: open_segments(options, link, queues.get(sends_by)),
            queues,
            sends_by,
            next: 0,
            wait_set,
            mac_address: link.mac_address,
            mtu: link.mtu,
            is_local: LOCAL_DRIVERS.contains(&link.driver.as_str()),
            received: 0,
            sent: 0,
            _attachment: attachment,
        })
    }

    /// Queues of this device; 0 for a shard beyond the interface's queues.
    pub fn queue_count(&self) -> usize {
        self.queues.len()
    }

    /// What the kernel counted, by queue.
    pub fn statistics(&self) -> impl Iterator<Item = QueueStatistics> {
        self.queues.iter().map(Queue::statistics)
    }
}

/// Where every frame is copied into a packet buffer of the kernel, it may as well be a large one.
/// Without a socket for these, and in a VLAN, all leave as frames.
fn open_segments(
    options: &AfXdpOptions,
    link: &Link,
    sends: Option<&Queue>,
) -> Option<SegmentSocket> {
    let queue = sends.filter(|_| options.redirection.vlan.is_none())?;
    let copies = !queue.is_zero_copy() && queue.finishes_checksums();
    copies.then(|| SegmentSocket::open(link.index).ok())?
}

impl AfXdpDevice {
    /// Sends a frame that the kernel cuts, after those that are queued.
    fn send_segments(&mut self, slices: &[IoSlice<'_>], offload: SendOffload) -> bool {
        let bytes: usize = slices.iter().map(|slice| slice.len()).sum();
        assert!(
            bytes <= HEADERS_MAX + SEGMENTATION_BYTES_MAX,
            "a frame keeps to what was said"
        );
        self.flush();
        let sent = match &mut self.segments {
            Some(socket) => socket.send(slices, offload),
            None => unreachable!("a device is asked for nothing that it does not offer"),
        };
        self.sent += u64::from(sent);
        sent
    }

    fn queue_frame(&mut self, slices: &[IoSlice<'_>], unfinished: Option<SendOffload>) -> bool {
        let bytes: usize = slices.iter().map(|slice| slice.len()).sum();
        assert!(
            bytes <= FRAME_HEADER_BYTES_MAX + self.mtu,
            "a frame fits the MTU"
        );
        match self.queues.get_mut(self.sends_by) {
            Some(queue) => queue.send(slices, unfinished),
            None => false,
        }
    }
}

impl FrameDevice for AfXdpDevice {
    fn capabilities(&self) -> FrameCapabilities {
        FrameCapabilities {
            name: "afxdp",
            receive_checksums_trusted: self.is_local,
            send_checksums: self
                .queues
                .get(self.sends_by)
                .is_some_and(Queue::finishes_checksums),
            segmentation_bytes_max: match self.segments {
                Some(_) => SEGMENTATION_BYTES_MAX,
                None => 0,
            },
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
        for _ in 0..self.queues.len() {
            if count == frames_max {
                break;
            }
            let queue = &mut self.queues[self.next];
            count += queue.receive(frames_max - count, take);
            self.next += 1;
            if self.next == self.queues.len() {
                self.next = 0;
            }
        }
        self.received += count as u64;
        count
    }

    fn send_capacity(&self) -> usize {
        self.queues
            .get(self.sends_by)
            .map_or(0, Queue::send_capacity)
    }

    fn send(&mut self, slices: &[IoSlice<'_>]) -> bool {
        self.queue_frame(slices, None)
    }

    fn send_offloaded(&mut self, slices: &[IoSlice<'_>], offload: SendOffload) -> bool {
        match offload.segment_bytes {
            0 => self.queue_frame(slices, Some(offload)),
            _ => self.send_segments(slices, offload),
        }
    }

    fn flush(&mut self) {
        if let Some(queue) = self.queues.get_mut(self.sends_by) {
            self.sent += u64::from(queue.flush());
        }
    }

    fn wait_descriptor(&self) -> Option<BorrowedFd<'_>> {
        match &self.wait_set {
            Some(set) => Some(set.as_fd()),
            None => self.queues.first().map(Queue::descriptor),
        }
    }

    fn check(&self) -> std::io::Result<()> {
        self.queues.iter().try_for_each(Queue::check)
    }

    fn counters(&self) -> FrameCounters {
        let mut counters = FrameCounters {
            received: self.received,
            sent: self.sent,
            send_dropped: self.segments.as_ref().map_or(0, SegmentSocket::dropped),
            ..FrameCounters::default()
        };
        for queue in self.statistics() {
            counters.receive_dropped += queue.receive_dropped + queue.receive_ring_full;
            counters.send_dropped += queue.invalid_send;
        }
        counters
    }
}

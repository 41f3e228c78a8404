//! The queue of one shard as a frame device.

use std::cell::Cell;
use std::io::{self, IoSlice};
use std::os::fd::BorrowedFd;
use std::sync::Arc;

use precursor_dpdk_sys::{self as sys, BURST_MAX, Dpdk, Frame, Offload};
use precursor_transport_port::{
    FRAME_HEADER_BYTES_MAX, FrameCapabilities, FrameCounters, FrameDevice, SendOffload,
};

use crate::DpdkError;
use crate::interface::Port;

/// Most payload of a frame that a device cuts: what fits IPv4's length with all headers.
const SEGMENTATION_BYTES_MAX: usize = 65_000;
const TCP_HEADER_BYTES: usize = 20;
/// Ethernet with a tag, IPv6, TCP with all options.
const HEADER_BYTES_MAX: usize = FRAME_HEADER_BYTES_MAX + 40 + 60;

/// One queue pair of a port. Owned by one shard. There is nothing to sleep on: who idles looks again.
pub struct DpdkDevice {
    port: Arc<Port>,
    /// Null for a shard beyond the port's queues.
    queue: *mut sys::Queue,
    number: u16,
    /// The thread that drives the queue has its number.
    has_entered: bool,
    received: u64,
    sent: u64,
}

// SAFETY: the queue belongs to the device alone, and DPDK binds queues to no thread.
unsafe impl Send for DpdkDevice {}

thread_local! {
    static NUMBER: Cell<Option<ThreadNumber>> = const { Cell::new(None) };
}

/// This thread's number in DPDK, by which it has a cache of buffers of its own. Given back when the
/// thread ends.
struct ThreadNumber(&'static Dpdk);

impl Drop for ThreadNumber {
    fn drop(&mut self) {
        // SAFETY: this thread has entered; leaving is local to it.
        unsafe { (self.0.leave_thread)() };
    }
}

impl DpdkDevice {
    pub(crate) fn new(port: &Arc<Port>, number: Option<u16>) -> Result<DpdkDevice, DpdkError> {
        let mut queue = std::ptr::null_mut();
        if let Some(number) = number {
            // SAFETY: the port is open and has this queue, which nobody else has.
            queue = unsafe { (port.dpdk().queue_open)(port.raw(), number) };
            if queue.is_null() {
                return Err(DpdkError::Port {
                    what: "making a queue of",
                    port: String::from("the port"),
                    why: String::from("out of memory"),
                });
            }
        }
        Ok(DpdkDevice {
            port: port.clone(),
            queue,
            number: number.unwrap_or(0),
            has_entered: false,
            received: 0,
            sent: 0,
        })
    }

    /// Queues of this device; 0 for a shard beyond the port's.
    pub fn queue_count(&self) -> usize {
        usize::from(!self.queue.is_null())
    }

    /// Megabits per second (0 or all ones: unknown), or nothing while the link is down.
    pub fn link(&self) -> Option<u32> {
        self.port.link()
    }

    fn dpdk(&self) -> &'static Dpdk {
        self.port.dpdk()
    }

    fn enter_thread(&mut self) {
        self.has_entered = true;
        let dpdk = self.dpdk();
        // SAFETY: takes nothing. Where no number is left, buffers come without a cache.
        if unsafe { (dpdk.enter_thread)() } == 0 {
            NUMBER.set(Some(ThreadNumber(dpdk)));
        }
    }

    fn put(&mut self, slices: &[IoSlice<'_>], offload: &Offload) -> bool {
        if self.queue.is_null() {
            return false;
        }
        let (first, count) = (slices.as_ptr().cast::<libc::iovec>(), slices.len());
        // SAFETY: the queue is ours; an IoSlice has an iovec's layout, and what the slices name
        // outlives the call, which copies it.
        let taken = unsafe { (self.dpdk().send)(self.queue, first, count, offload) };
        taken != 0
    }
}

impl FrameDevice for DpdkDevice {
    fn capabilities(&self) -> FrameCapabilities {
        let does = |offload| self.port.offloads & offload != 0;
        FrameCapabilities {
            name: "dpdk",
            receive_checksums_trusted: self.port.checksums_are_right(),
            send_checksums: does(sys::SEND_CHECKSUM),
            segmentation_bytes_max: match does(sys::SEGMENTATION) {
                true => SEGMENTATION_BYTES_MAX,
                false => 0,
            },
        }
    }

    fn mac_address(&self) -> [u8; 6] {
        self.port.facts.mac_address
    }

    fn mtu(&self) -> usize {
        usize::from(self.port.facts.mtu)
    }

    fn receive_burst(&mut self, frames_max: usize, take: &mut dyn FnMut(&[u8])) -> usize {
        if self.queue.is_null() {
            return 0;
        }
        if !self.has_entered {
            self.enter_thread();
        }
        let dpdk = self.dpdk();
        let mut frames = [Frame {
            bytes: std::ptr::null(),
            length: 0,
        }; BURST_MAX];
        let most = frames_max.min(BURST_MAX) as u32;
        // SAFETY: the queue is ours, and there is room for as many frames as are asked for.
        let count = unsafe { (dpdk.receive)(self.queue, frames.as_mut_ptr(), most) } as usize;
        for frame in &frames[..count] {
            // SAFETY: until they are released, the buffers are ours and nobody writes to them.
            take(unsafe { std::slice::from_raw_parts(frame.bytes, frame.length) });
        }
        // SAFETY: what `take` was lent ended with its calls.
        unsafe { (dpdk.release)(self.queue) };
        self.received += count as u64;
        count
    }

    fn send_capacity(&self) -> usize {
        match self.queue.is_null() {
            true => 0,
            // SAFETY: the queue is ours.
            false => unsafe { (self.dpdk().send_capacity)(self.queue) as usize },
        }
    }

    fn send(&mut self, slices: &[IoSlice<'_>]) -> bool {
        let bytes: usize = slices.iter().map(|slice| slice.len()).sum();
        assert!(
            bytes <= FRAME_HEADER_BYTES_MAX + self.mtu(),
            "a frame fits the MTU"
        );
        self.put(slices, &Offload::default())
    }

    fn send_offloaded(&mut self, slices: &[IoSlice<'_>], offload: SendOffload) -> bool {
        let SendOffload {
            checksum_start,
            checksum_offset,
            segment_bytes,
        } = offload;
        let bytes: usize = slices.iter().map(|slice| slice.len()).sum();
        let most = match segment_bytes {
            0 => FRAME_HEADER_BYTES_MAX + self.mtu(),
            _ => HEADER_BYTES_MAX + SEGMENTATION_BYTES_MAX,
        };
        assert!(bytes <= most, "a frame is as large as its device takes it");
        let headers = slices.first().map_or(0, |slice| slice.len());
        assert!(
            usize::from(checksum_start) + TCP_HEADER_BYTES <= headers && checksum_start > 0,
            "the headers of a frame that the device finishes lie in its first slice"
        );
        self.put(
            slices,
            &Offload {
                checksum_start,
                checksum_offset,
                segment_bytes,
                padding: 0,
            },
        )
    }

    fn flush(&mut self) {
        if !self.queue.is_null() {
            // SAFETY: the queue is ours.
            self.sent += u64::from(unsafe { (self.dpdk().flush)(self.queue) });
        }
    }

    fn wait_descriptor(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    fn check(&self) -> io::Result<()> {
        match self.port.is_gone() {
            true => Err(io::ErrorKind::NotConnected.into()),
            false => Ok(()),
        }
    }

    /// What the whole port dropped is told by the device of its first queue.
    fn counters(&self) -> FrameCounters {
        let mut counters = FrameCounters {
            received: self.received,
            sent: self.sent,
            ..FrameCounters::default()
        };
        if self.queue.is_null() {
            return counters;
        }
        // SAFETY: the queue is ours.
        unsafe {
            counters.receive_dropped = (self.dpdk().queue_dropped)(self.queue, 0);
            counters.send_dropped = (self.dpdk().queue_dropped)(self.queue, 1);
        }
        if self.number == 0 {
            let port = self.port.counters();
            counters.receive_dropped += port.receive_dropped;
            counters.send_dropped += port.send_dropped;
        }
        counters
    }
}

impl Drop for DpdkDevice {
    fn drop(&mut self) {
        if !self.queue.is_null() {
            // SAFETY: the queue is ours, and the port outlives it.
            unsafe { (self.dpdk().queue_close)(self.queue) };
        }
    }
}

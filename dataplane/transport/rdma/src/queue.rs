//! A device, and one thread's queue on it with its registered memory.

use std::ffi::c_int;
use std::io;
use std::ops::Range;
use std::os::fd::RawFd;
use std::ptr;
use std::sync::Arc;

use precursor_memory::Mapping;
use precursor_rdma_sys::{
    ACCESS_LOCAL_WRITE, CmId, CompletionChannel, CompletionQueue, EventChannel, MemoryRegion,
    MemoryWindow, ProtectionDomain, QP_RELIABLE, QueuePair, QueuePairOptions, Rdma, ReceiveRequest,
    SEND_SIGNALED, SendRequest, SharedReceiveQueue, SharedReceiveQueueOptions, Slice,
    WR_SEND_WITH_IMM, WorkCompletion,
};

use crate::flow::{CREDITS, MESSAGE_BYTES, RECEIVES};
use crate::lane::{SENDS, SENDS_WITH_REACH};
use crate::sys;

/// Something failed: what, and the operating system's answer.
pub(crate) type Failure = (&'static str, io::Error);

fn failed(what: &'static str) -> Failure {
    (what, io::Error::last_os_error())
}

/// A device as one id of rdma_cm found it, and a protection domain on it. The id lives as long.
pub(crate) struct Device {
    pub libraries: &'static Rdma,
    pub channel: *mut EventChannel,
    pub id: *mut CmId,
    /// Null until the id has a device.
    domain: *mut ProtectionDomain,
}

// SAFETY: the libraries' objects may be used by several threads; none is changed here after it was
// made but by its drop.
unsafe impl Send for Device {}
// SAFETY: as above.
unsafe impl Sync for Device {}

impl Device {
    /// An id of no device yet, whose events come without waiting.
    pub fn new(libraries: &'static Rdma) -> Result<Device, Failure> {
        // SAFETY: takes nothing.
        let channel = unsafe { (libraries.create_event_channel)() };
        if channel.is_null() {
            return Err(failed("opening the kernel's RDMA connection manager"));
        }
        let mut device = Device {
            libraries,
            channel,
            id: ptr::null_mut(),
            domain: ptr::null_mut(),
        };
        let kind = precursor_rdma_sys::PS_TCP;
        // SAFETY: the channel was just made; the id is written where it is said.
        let made = unsafe { (libraries.create_id)(channel, &mut device.id, ptr::null_mut(), kind) };
        if made != 0 {
            device.id = ptr::null_mut();
            return Err(failed("making an RDMA id"));
        }
        sys::set_nonblocking(device.event_descriptor())
            .map_err(|error| ("making an RDMA id", error))?;
        Ok(device)
    }

    /// Readable when rdma_cm has something to tell.
    pub fn event_descriptor(&self) -> RawFd {
        // SAFETY: the channel lives as long as this.
        unsafe { (*self.channel).fd }
    }

    /// Registers memory.
    ///
    /// # Safety
    /// The domain is open, and the memory is mapped for longer than the region lives.
    pub unsafe fn register(
        &self,
        address: *mut std::ffi::c_void,
        bytes: usize,
        access: c_int,
    ) -> *mut MemoryRegion {
        // SAFETY: as the caller says.
        unsafe { (self.libraries.reg_mr)(self.domain, address, bytes, access) }
    }

    /// A window of a kind, or null.
    ///
    /// # Safety
    /// The domain is open.
    pub unsafe fn window(&self, kind: c_int) -> *mut MemoryWindow {
        // SAFETY: the domain is open, and its context the device's.
        unsafe {
            match (*(*self.id).context).alloc_mw {
                Some(alloc) => alloc(self.domain, kind),
                None => ptr::null_mut(),
            }
        }
    }

    /// Once the id has a device: its protection domain.
    pub fn open_domain(&mut self) -> Result<(), Failure> {
        // SAFETY: the id lives as long as this, and its device with it.
        let context = unsafe { (*self.id).context };
        if context.is_null() {
            let error = io::Error::from_raw_os_error(libc::ENODEV);
            return Err(("finding the address's RDMA device", error));
        }
        // SAFETY: the context is an open device's.
        self.domain = unsafe { (self.libraries.alloc_pd)(context) };
        match self.domain.is_null() {
            true => Err(failed("making a protection domain")),
            false => Ok(()),
        }
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        // SAFETY: each was made by `new` or `open_domain`, and whoever made something with them
        // held this device until it was ended.
        unsafe {
            if !self.domain.is_null() {
                (self.libraries.dealloc_pd)(self.domain);
            }
            if !self.id.is_null() {
                (self.libraries.destroy_id)(self.id);
            }
            (self.libraries.destroy_event_channel)(self.channel);
        }
    }
}

/// Completions of one thread's connections, their registered memory, and, on the broker's side, the
/// receive queue that they share. Receive buffers come first, then send buffers.
pub(crate) struct Queue {
    pub device: Arc<Device>,
    channel: *mut CompletionChannel,
    completions: *mut CompletionQueue,
    /// Null on the client's side, whose one connection has its own.
    shared: *mut SharedReceiveQueue,
    region: *mut MemoryRegion,
    memory: Mapping,
    receives: u32,
    lkey: u32,
    completions_max: usize,
}

// SAFETY: the libraries' objects may be used by several threads. Buffers are touched by the thread
// that polls only, which is one at a time: whoever owns the transport or the connection.
unsafe impl Send for Queue {}
// SAFETY: as above.
unsafe impl Sync for Queue {}

impl Queue {
    /// For so many connections. With `shared`, all of their receive buffers are posted.
    pub fn new(device: Arc<Device>, connections: u32, shared: bool) -> Result<Queue, Failure> {
        let receives = connections * RECEIVES;
        let bytes = (receives + connections * CREDITS) as usize * MESSAGE_BYTES;
        let memory = Mapping::anonymous(bytes).map_err(|error| ("mapping memory", error))?;
        let mut queue = Queue {
            device,
            channel: ptr::null_mut(),
            completions: ptr::null_mut(),
            shared: ptr::null_mut(),
            region: ptr::null_mut(),
            memory,
            receives,
            lkey: 0,
            completions_max: (receives + connections * sends(shared)) as usize,
        };
        queue.register()?;
        queue.open_completions()?;
        if shared {
            queue.open_shared()?;
        }
        Ok(queue)
    }

    fn register(&mut self) -> Result<(), Failure> {
        let (address, bytes) = (self.memory.as_ptr().cast(), self.memory.len());
        let device = &*self.device;
        // SAFETY: the memory is mapped for longer than the region lives. Nobody may reach it from
        // afar: the device alone writes to it, where a receive was posted.
        self.region = unsafe { device.register(address, bytes, ACCESS_LOCAL_WRITE) };
        if self.region.is_null() {
            return Err(failed(
                "registering memory for RDMA (is the limit of locked memory, ulimit -l, too low?)",
            ));
        }
        // SAFETY: just made.
        self.lkey = unsafe { (*self.region).lkey };
        Ok(())
    }

    fn open_completions(&mut self) -> Result<(), Failure> {
        let libraries = self.device.libraries;
        let entries = c_int::try_from(self.completions_max).unwrap_or(c_int::MAX);
        // SAFETY: the device's id has a context, and both live as long as this queue.
        unsafe {
            let context = (*self.device.id).context;
            self.channel = (libraries.create_comp_channel)(context);
            if self.channel.is_null() {
                return Err(failed("making a completion channel"));
            }
            self.completions =
                (libraries.create_cq)(context, entries, ptr::null_mut(), self.channel, 0);
            if self.completions.is_null() {
                return Err(failed("making a completion queue"));
            }
        }
        sys::set_nonblocking(self.descriptor()).map_err(|e| ("making a completion channel", e))
    }

    fn open_shared(&mut self) -> Result<(), Failure> {
        let mut options = SharedReceiveQueueOptions {
            user: ptr::null_mut(),
            requests_max: self.receives,
            slices_max: 1,
            limit: 0,
        };
        let device = &*self.device;
        // SAFETY: the domain is open; the options are read only.
        self.shared = unsafe { (device.libraries.create_srq)(device.domain, &mut options) };
        if self.shared.is_null() {
            return Err(failed("making a shared receive queue"));
        }
        for buffer in 0..self.receives {
            if !self.post_shared(buffer) {
                return Err(failed("posting receive buffers"));
            }
        }
        Ok(())
    }

    /// Whether it is a client's, of one connection.
    pub fn is_clients(&self) -> bool {
        self.shared.is_null()
    }

    /// Readable when a completion came after [`Queue::arm`].
    pub fn descriptor(&self) -> RawFd {
        // SAFETY: the channel lives as long as this.
        unsafe { (*self.channel).fd }
    }

    /// Most completions that there can be at once.
    pub fn completions_max(&self) -> usize {
        self.completions_max
    }

    /// Gives `id` a queue pair on this queue.
    pub fn open_pair(&self, id: *mut CmId) -> Result<*mut QueuePair, Failure> {
        let mut options = QueuePairOptions {
            user: ptr::null_mut(),
            send_queue: self.completions,
            receive_queue: self.completions,
            shared: self.shared,
            send_requests_max: sends(!self.shared.is_null()),
            receive_requests_max: if self.shared.is_null() { RECEIVES } else { 0 },
            send_slices_max: 1,
            receive_slices_max: if self.shared.is_null() { 1 } else { 0 },
            inline_bytes_max: 0,
            kind: QP_RELIABLE,
            all_signaled: 1,
        };
        let device = &*self.device;
        // SAFETY: the caller's id is of this device; the queues live longer than the pair, for its
        // owner holds this queue.
        unsafe {
            match (device.libraries.create_qp)(id, device.domain, &mut options) {
                0 => Ok((*id).queue_pair),
                _ => Err(failed("making a queue pair")),
            }
        }
    }

    /// Takes completions; how many.
    pub fn poll(&self, into: &mut [WorkCompletion]) -> usize {
        let count = c_int::try_from(into.len()).unwrap_or(c_int::MAX);
        // SAFETY: the queue is open, and as many entries may be written as are there.
        let taken = unsafe {
            let poll = (*(*self.completions).context).poll_cq;
            poll(self.completions, count, into.as_mut_ptr())
        };
        // A queue that cannot be polled has nothing; its connections are ended by rdma_cm's word.
        usize::try_from(taken).unwrap_or(0).min(into.len())
    }

    /// Makes the descriptor readable by the next completion. What came before is polled after this.
    pub fn arm(&self) -> bool {
        // SAFETY: the queue is open.
        unsafe { ((*(*self.completions).context).req_notify_cq)(self.completions, 0) == 0 }
    }

    /// Makes the descriptor not readable.
    pub fn hear(&self) {
        let libraries = self.device.libraries;
        let (mut queue, mut user) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: the channel is open, its descriptor does not block, and each event is
        // acknowledged once.
        unsafe {
            while (libraries.get_cq_event)(self.channel, &mut queue, &mut user) == 0 {
                (libraries.ack_cq_events)(queue, 1);
            }
        }
    }

    fn receive_slice(&self, buffer: u32) -> Slice {
        debug_assert!(buffer < self.receives);
        Slice {
            address: self.memory.as_ptr() as u64 + u64::from(buffer) * MESSAGE_BYTES as u64,
            length: MESSAGE_BYTES as u32,
            lkey: self.lkey,
        }
    }

    /// Gives a receive buffer to the shared queue.
    pub fn post_shared(&self, buffer: u32) -> bool {
        let mut slice = self.receive_slice(buffer);
        let mut request = receive_request(buffer, &mut slice);
        let mut refused = ptr::null_mut();
        // SAFETY: the queue is open, the request is read before this returns, and nobody reads the
        // buffer until its completion says so.
        unsafe {
            let post = (*(*self.shared).context).post_srq_recv;
            post(self.shared, &mut request, &mut refused) == 0
        }
    }

    /// Gives a receive buffer to a pair of its own.
    pub fn post_receive(&self, pair: *mut QueuePair, buffer: u32) -> bool {
        let mut slice = self.receive_slice(buffer);
        let mut request = receive_request(buffer, &mut slice);
        let mut refused = ptr::null_mut();
        // SAFETY: as above, for the caller's pair.
        unsafe {
            let post = (*(*pair).context).post_recv;
            post(pair, &mut request, &mut refused) == 0
        }
    }

    /// Copies from a receive buffer that is not posted.
    pub fn read(&self, buffer: u32, bytes: Range<usize>, into: &mut [u8]) {
        assert!(buffer < self.receives && bytes.end <= MESSAGE_BYTES && bytes.len() == into.len());
        let from = buffer as usize * MESSAGE_BYTES + bytes.start;
        // SAFETY: the range lies in the buffer, which the device does not write to while it is not
        // posted; `into` is the caller's own memory.
        unsafe {
            let from = self.memory.as_ptr().add(from);
            ptr::copy_nonoverlapping(from, into.as_mut_ptr(), into.len());
        }
    }

    /// Copies into a send buffer that is not under way.
    pub fn write(&self, buffer: u32, at: usize, bytes: &[u8]) {
        assert!(at + bytes.len() <= MESSAGE_BYTES);
        let to = self.send_offset(buffer) + at;
        assert!(to + bytes.len() <= self.memory.len());
        // SAFETY: the range lies in the memory, in a buffer that the device does not read now.
        unsafe {
            let to = self.memory.as_ptr().add(to);
            ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len());
        }
    }

    fn send_offset(&self, buffer: u32) -> usize {
        (self.receives + buffer) as usize * MESSAGE_BYTES
    }

    /// Sends so many bytes of a send buffer (or none of none), with immediate data.
    pub fn send(
        &self,
        pair: *mut QueuePair,
        user: u64,
        buffer: u32,
        length: usize,
        imm: u32,
    ) -> bool {
        let mut slice = Slice {
            address: self.memory.as_ptr() as u64 + self.send_offset(buffer) as u64,
            length: length as u32,
            lkey: self.lkey,
        };
        let mut request = SendRequest {
            user,
            slices: &mut slice,
            slice_count: c_int::from(length > 0),
            opcode: WR_SEND_WITH_IMM,
            flags: SEND_SIGNALED,
            immediate: imm.to_be(),
            ..SendRequest::EMPTY
        };
        let mut refused = ptr::null_mut();
        // SAFETY: the pair is the caller's and open; the request is read before this returns, and
        // the buffer stays as it is until the completion.
        unsafe {
            let post = (*(*pair).context).post_send;
            post(pair, &mut request, &mut refused) == 0
        }
    }
}

#[cfg(all(test, feature = "lab"))]
impl Queue {
    /// Where the memory is, and the key by which a peer would name it.
    pub(crate) fn raw_region(&self) -> (u64, u32) {
        // SAFETY: the region lives as long as this.
        (self.memory.as_ptr() as u64, unsafe { (*self.region).rkey })
    }

    /// The beginning of the memory, however long.
    pub(crate) fn raw_slice(&self, length: u32) -> Slice {
        Slice {
            address: self.memory.as_ptr() as u64,
            length,
            lkey: self.lkey,
        }
    }
}

/// Requests of a connection's send queue: the client's reads and writes are there too.
fn sends(shared: bool) -> u32 {
    if shared { SENDS } else { SENDS_WITH_REACH }
}

fn receive_request(buffer: u32, slice: &mut Slice) -> ReceiveRequest {
    ReceiveRequest {
        user: u64::from(buffer),
        next: ptr::null_mut(),
        slices: slice,
        slice_count: 1,
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        let libraries = self.device.libraries;
        // SAFETY: each was made by `new`, in the other order; pairs on this queue are gone, for
        // their owners held it. The memory is unmapped after this, by its own drop.
        unsafe {
            if !self.shared.is_null() {
                (libraries.destroy_srq)(self.shared);
            }
            if !self.completions.is_null() {
                (libraries.destroy_cq)(self.completions);
            }
            if !self.channel.is_null() {
                (libraries.destroy_comp_channel)(self.channel);
            }
            if !self.region.is_null() {
                (libraries.dereg_mr)(self.region);
            }
        }
    }
}

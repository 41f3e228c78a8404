//! One queue of an interface: its socket, its rings, its frames.

use std::io::{self, IoSlice};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use precursor_transport_port::SendOffload;

use crate::ring::{self, ConsumerRing, ProducerRing};
use crate::sys::{self, Chunks, Descriptor};
use crate::{AfXdpError, AfXdpOptions, CopyMode};

/// Times that the kernel is asked on when it says that it has not sent all yet.
const WAKES_PER_FLUSH: u32 = 64;
/// Frames that the kernel may send in one system call (Linux 6.17; older ones have a fixed number).
const XDP_MAX_TX_SKB_BUDGET: libc::c_int = 9;
/// Entries of the fill ring per frame of the others. Twice as many chunks as frames receive, and the
/// kernel may have taken that many before it says so, by when all of them can be back.
const FILL_FACTOR: u32 = 4;
/// Before a frame that the kernel finishes: flags, where the checksum begins, where it goes from
/// there, and room for what newer kernels know (`struct xsk_tx_metadata`).
const METADATA_BYTES: u32 = 24;
const SO_PREFER_BUSY_POLL: libc::c_int = 69;
const SO_BUSY_POLL_BUDGET: libc::c_int = 70;
const BUSY_POLL_FRAMES: libc::c_int = 64;

/// What the kernel counted at one queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueStatistics {
    /// Dropped because no chunk was there to receive into, or the frame did not fit one.
    pub receive_dropped: u64,
    /// Dropped because the receive ring was full.
    pub receive_ring_full: u64,
    /// Times that a chunk was wanted and there was none.
    pub fill_ring_empty: u64,
    /// Times that the kernel looked for frames to send and there was none.
    pub send_ring_empty: u64,
    /// Entries of ours that the kernel refused.
    pub invalid_receive: u64,
    pub invalid_send: u64,
}

/// A bound socket. Chunks of the first two thirds receive, those of the last third send.
pub(crate) struct Queue {
    socket: OwnedFd,
    chunks: Chunks,
    chunk_bytes: u64,
    fill: ProducerRing,
    received: ConsumerRing,
    sending: ProducerRing,
    sent: ConsumerRing,
    /// Chunks for sending that are ours.
    free: Vec<u64>,
    zero_copy: bool,
    busy_poll: bool,
    /// Bytes of each chunk before a frame that is sent; 0 where the kernel finishes none.
    metadata_bytes: u32,
}

/// A queue, and why it copies although it need not have (if so).
pub(crate) struct Opened {
    pub(crate) queue: Queue,
    pub(crate) copies_because: Option<io::Error>,
}

impl Queue {
    /// Opens queue `number` of the interface with index `interface`.
    pub(crate) fn open(
        options: &AfXdpOptions,
        interface: u32,
        number: u32,
        chunk_bytes: u32,
    ) -> Result<Opened, AfXdpError> {
        let name = &options.interface;
        let bind_with = |flags| Queue::bind(options, interface, number, chunk_bytes, flags);
        if options.copy == CopyMode::Copy {
            let queue = bind_with(libc::XDP_COPY)?;
            let queue = queue.map_err(|source| refused(name, number, source))?;
            return Ok(Opened {
                queue,
                copies_because: None,
            });
        }
        let copies_because = match bind_with(libc::XDP_ZEROCOPY)? {
            Ok(queue) => {
                return Ok(Opened {
                    queue,
                    copies_because: None,
                });
            }
            Err(source) if source.raw_os_error() == Some(libc::EBUSY) => {
                return Err(refused(name, number, source));
            }
            Err(source) if options.copy == CopyMode::ZeroCopy => {
                return Err(AfXdpError::NoZeroCopy {
                    interface: name.clone(),
                    source,
                });
            }
            Err(source) => source,
        };
        let queue = bind_with(libc::XDP_COPY)?;
        let queue = queue.map_err(|source| refused(name, number, source))?;
        Ok(Opened {
            queue,
            copies_because: Some(copies_because),
        })
    }

    /// A socket with all its memory, bound with `flags`; the inner result is the binding's.
    fn bind(
        options: &AfXdpOptions,
        interface: u32,
        number: u32,
        chunk_bytes: u32,
        flags: u16,
    ) -> Result<io::Result<Queue>, AfXdpError> {
        let frames = options.ring_frames;
        let socket = sys::new_socket().map_err(|e| AfXdpError::of("making an AF_XDP socket", e))?;
        let bytes = frames as usize * 3 * chunk_bytes as usize;
        let setting = |source| AfXdpError::of("setting an AF_XDP socket up", source);
        let chunks = Chunks::new(bytes).map_err(setting)?;
        let register =
            |metadata| sys::register_chunks(socket.as_fd(), &chunks, chunk_bytes, metadata);
        // While it copies, the kernel finishes checksums whatever the device can; without a copy that
        // is the driver's affair, and it does not say whether it does.
        let mut metadata_bytes = match flags & libc::XDP_COPY {
            0 => 0,
            _ => METADATA_BYTES,
        };
        let mut registered = register(metadata_bytes);
        if metadata_bytes > 0
            && matches!(&registered, Err(e) if e.raw_os_error() == Some(libc::EINVAL))
        {
            metadata_bytes = 0;
            registered = register(metadata_bytes);
        }
        registered.map_err(|source| match source.raw_os_error() {
            Some(libc::ENOBUFS) => AfXdpError::MemoryNotLockable { bytes },
            _ => setting(source),
        })?;
        sys::set_ring_frames(socket.as_fd(), frames * FILL_FACTOR, frames).map_err(setting)?;
        let offsets = sys::ring_offsets(socket.as_fd()).map_err(setting)?;
        let map = |offsets, page, entries, bytes| {
            ring::map(socket.as_fd(), offsets, page, entries, bytes).map_err(setting)
        };
        let (receive_page, send_page) = (libc::XDP_PGOFF_RX_RING, libc::XDP_PGOFF_TX_RING);
        let descriptor = size_of::<Descriptor>();
        let mut queue = Queue {
            fill: ProducerRing::new(map(
                offsets.fr,
                libc::XDP_UMEM_PGOFF_FILL_RING,
                frames * FILL_FACTOR,
                8,
            )?),
            sent: ConsumerRing::new(map(
                offsets.cr,
                libc::XDP_UMEM_PGOFF_COMPLETION_RING,
                frames,
                8,
            )?),
            received: ConsumerRing::new(map(offsets.rx, receive_page as u64, frames, descriptor)?),
            sending: ProducerRing::new(map(offsets.tx, send_page as u64, frames, descriptor)?),
            chunks,
            chunk_bytes: u64::from(chunk_bytes),
            free: Vec::with_capacity(frames as usize),
            zero_copy: false,
            busy_poll: options.busy_poll_us > 0,
            metadata_bytes,
            socket,
        };
        queue.prepare(options);
        let flags = flags | libc::XDP_USE_NEED_WAKEUP;
        if let Err(source) = sys::bind(queue.socket.as_fd(), interface, number, flags) {
            return Ok(Err(source));
        }
        queue.zero_copy = sys::is_zero_copy(queue.socket.as_fd()).map_err(setting)?;
        Ok(Ok(queue))
    }

    /// Shares the chunks out and sets the options that are wishes: a kernel without them serves too.
    fn prepare(&mut self, options: &AfXdpOptions) {
        let frames = u64::from(options.ring_frames);
        for chunk in 0..frames * 2 {
            let address = chunk * self.chunk_bytes;
            self.fill.push(|ring, at| ring.set_address(at, address));
        }
        self.fill.publish();
        // The lowest are taken first.
        let send_chunks = (frames * 2..frames * 3).rev();
        self.free
            .extend(send_chunks.map(|chunk| chunk * self.chunk_bytes));
        let wish = |level, name, value| {
            sys::set_integer(self.socket.as_fd(), level, name, value).ok();
        };
        let ring_frames = options.ring_frames as libc::c_int;
        wish(libc::SOL_XDP, XDP_MAX_TX_SKB_BUDGET, ring_frames);
        wish(libc::SOL_SOCKET, libc::SO_SNDBUFFORCE, ring_frames * 4096);
        if options.busy_poll_us > 0 {
            let microseconds = options.busy_poll_us.min(1_000_000) as libc::c_int;
            wish(libc::SOL_SOCKET, SO_PREFER_BUSY_POLL, 1);
            wish(libc::SOL_SOCKET, libc::SO_BUSY_POLL, microseconds);
            wish(libc::SOL_SOCKET, SO_BUSY_POLL_BUDGET, BUSY_POLL_FRAMES);
        }
    }

    pub(crate) fn descriptor(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    pub(crate) fn is_zero_copy(&self) -> bool {
        self.zero_copy
    }

    /// Hands up to `frames_max` received frames to `take`, then their chunks to the kernel.
    pub(crate) fn receive(&mut self, frames_max: usize, take: &mut dyn FnMut(&[u8])) -> usize {
        let mut available = self.received.available();
        if available == 0 && self.busy_poll {
            sys::wake_receiving(self.socket.as_fd());
            available = self.received.available();
        }
        let count = available.min(frames_max.try_into().unwrap_or(u32::MAX));
        if count == 0 {
            return 0;
        }
        let (ring, first) = self.received.entries();
        for position in 0..count {
            let descriptor = ring.descriptor(first.wrapping_add(position));
            take(self.chunks.frame(descriptor.addr, descriptor.len as usize));
            let address = descriptor.addr & !(self.chunk_bytes - 1);
            if self.fill.room() == 0 {
                self.fill.refresh();
            }
            self.fill.push(|ring, at| ring.set_address(at, address));
        }
        self.received.release(count);
        self.fill.publish();
        if self.fill.needs_wakeup() {
            sys::wake_receiving(self.socket.as_fd());
        }
        count as usize
    }

    pub(crate) fn send_capacity(&self) -> usize {
        self.free.len().min(self.sending.room() as usize)
    }

    /// Whether the kernel finishes checksums.
    pub(crate) fn finishes_checksums(&self) -> bool {
        self.metadata_bytes > 0
    }

    /// Queues one frame, which the kernel finishes where it is told how; false when there is no
    /// room.
    pub(crate) fn send(&mut self, slices: &[IoSlice<'_>], unfinished: Option<SendOffload>) -> bool {
        if self.send_capacity() == 0 {
            self.reclaim();
            if self.send_capacity() == 0 {
                return false;
            }
        }
        let bytes: usize = slices.iter().map(|slice| slice.len()).sum();
        let metadata = self.metadata_bytes as usize;
        assert!(
            (metadata + bytes) as u64 <= self.chunk_bytes,
            "a frame fits a chunk"
        );
        let Some(address) = self.free.pop() else {
            return false;
        };
        let (before, mut room) = self
            .chunks
            .room(address, metadata + bytes)
            .split_at_mut(metadata);
        if let Some(offload) = unfinished {
            before.fill(0);
            before[..8].copy_from_slice(&u64::from(libc::XDP_TXMD_FLAGS_CHECKSUM).to_ne_bytes());
            before[8..10].copy_from_slice(&offload.checksum_start.to_ne_bytes());
            before[10..12].copy_from_slice(&offload.checksum_offset.to_ne_bytes());
        }
        for slice in slices {
            let (part, rest) = room.split_at_mut(slice.len());
            part.copy_from_slice(slice);
            room = rest;
        }
        let descriptor = Descriptor {
            addr: address + metadata as u64,
            len: bytes as u32,
            options: unfinished.map_or(0, |_| libc::XDP_TX_METADATA),
        };
        self.sending
            .push(|ring, at| ring.set_descriptor(at, descriptor));
        true
    }

    /// Publishes what was queued and sees that the kernel sends it; returns how many were new.
    pub(crate) fn flush(&mut self) -> u32 {
        let count = self.sending.publish();
        for _ in 0..WAKES_PER_FLUSH {
            if !self.sending.has_backlog() || !self.sending.needs_wakeup() {
                break;
            }
            match sys::wake_sending(self.socket.as_fd()) {
                // Without a copy the driver sends in its own time.
                Ok(()) if self.zero_copy => break,
                Ok(()) => {}
                Err(error) => match error.raw_os_error() {
                    // As many as it does at a time are done, or its own memory is short.
                    Some(libc::EAGAIN | libc::EINTR) => {}
                    // The completion ring is full.
                    Some(libc::ENOBUFS) => self.reclaim(),
                    // The device is busy or down: the next flush tries again.
                    _ => break,
                },
            }
        }
        self.reclaim();
        count
    }

    /// Takes the chunks back whose frames have left.
    fn reclaim(&mut self) {
        let count = self.sent.available();
        if count > 0 {
            let (ring, first) = self.sent.entries();
            for position in 0..count {
                let address = ring.address(first.wrapping_add(position));
                self.free.push(address & !(self.chunk_bytes - 1));
            }
            self.sent.release(count);
        }
        self.sending.refresh();
    }

    pub(crate) fn check(&self) -> io::Result<()> {
        sys::pending_error(self.socket.as_fd())
    }

    pub(crate) fn statistics(&self) -> QueueStatistics {
        let Ok(counted) = sys::statistics(self.socket.as_fd()) else {
            return QueueStatistics::default();
        };
        QueueStatistics {
            receive_dropped: counted.rx_dropped,
            receive_ring_full: counted.rx_ring_full,
            fill_ring_empty: counted.rx_fill_ring_empty_descs,
            send_ring_empty: counted.tx_ring_empty_descs,
            invalid_receive: counted.rx_invalid_descs,
            invalid_send: counted.tx_invalid_descs,
        }
    }
}

fn refused(interface: &str, queue: u32, source: io::Error) -> AfXdpError {
    match source.raw_os_error() {
        Some(libc::EBUSY) => AfXdpError::QueueBusy {
            interface: interface.to_owned(),
            queue,
        },
        _ => AfXdpError::of("binding an AF_XDP socket to a queue", source),
    }
}

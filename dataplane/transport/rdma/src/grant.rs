//! One connection's memory beside its messages, and, at the broker, the windows to it.
//!
//! The broker makes two pieces of memory for a connection: the landing ring, into which its client
//! writes, and the shelf, from which it reads. Each is a region of its own, so that what a device
//! fails to check of a window's bounds still ends where the connection's memory does. A region gives
//! no right to anybody; a window of type 2 does, to one queue pair, from when a request in that
//! pair's send queue binds it until another invalidates it, without a system call. The client has
//! memory of the same sizes, of its own, and nobody else's reach.

use std::ffi::c_int;
use std::io;
use std::ptr;
use std::sync::Arc;

use precursor_memory::Mapping;
use precursor_rdma_sys::{
    ACCESS_LOCAL_WRITE, ACCESS_REMOTE_READ, ACCESS_REMOTE_WRITE, ACCESS_WINDOW_BIND, Bind,
    DEVICE_WINDOW_2B, DeviceAttributes, MemoryRegion, MemoryWindow, QueuePair, SEND_SIGNALED,
    SendRequest, Slice, WINDOW_TYPE_2, WR_BIND_WINDOW, WR_LOCAL_INVALIDATE,
};

use crate::queue::{Device, Failure};
use crate::reach::Far;

/// Reads that a client has under way at most; the device makes others wait.
const READS_MAX: c_int = 8;

/// What a device has for one-sided access.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Abilities {
    /// It has windows that are one queue pair's.
    pub windows: bool,
    /// Reads that a pair answers, and asks, at a time.
    pub reads_answered: u8,
    pub reads_asked: u8,
}

impl Device {
    /// What it can. A device that does not say can nothing.
    pub fn abilities(&self) -> Abilities {
        let mut told = DeviceAttributes::EMPTY;
        // SAFETY: the id has a device when this is asked, or a null context, which is looked at; as
        // much is written as the structure has.
        let asked = unsafe {
            let context = (*self.id).context;
            if context.is_null() || (*context).alloc_mw.is_none() || (*context).dealloc_mw.is_none()
            {
                return Abilities::default();
            }
            (self.libraries.query_device)(context, &mut told)
        };
        if asked != 0 {
            return Abilities::default();
        }
        let reads = |count: c_int| count.clamp(0, READS_MAX) as u8;
        Abilities {
            windows: told.capabilities & DEVICE_WINDOW_2B != 0
                && told.windows_max > 0
                && told.reads_answered_max > 0,
            reads_answered: reads(told.reads_answered_max),
            reads_asked: reads(told.reads_asked_max),
        }
    }
}

/// A region of memory; who made it keeps the memory mapped.
pub(crate) struct Region {
    device: Arc<Device>,
    region: *mut MemoryRegion,
}

// SAFETY: a region may be ended by any thread, and is by its owner alone.
unsafe impl Send for Region {}

impl Region {
    /// `None`: the operating system's last error says why.
    ///
    /// # Safety
    /// The memory is mapped for longer than the region lives.
    pub unsafe fn new(
        device: &Arc<Device>,
        address: *mut std::ffi::c_void,
        bytes: usize,
        access: c_int,
    ) -> Option<Region> {
        // SAFETY: as the caller says; the domain is open.
        let region = unsafe { device.register(address, bytes, access) };
        (!region.is_null()).then(|| Region {
            device: device.clone(),
            region,
        })
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        // SAFETY: made by `new`, and no window is bound to it any more: who made one ended it.
        unsafe { (self.device.libraries.dereg_mr)(self.region) };
    }
}

/// Registered memory of its own.
pub(crate) struct Registered {
    region: Region,
    memory: Arc<Mapping>,
}

impl Registered {
    pub fn new(device: &Arc<Device>, bytes: u32, access: c_int) -> Result<Registered, Failure> {
        let memory = Mapping::anonymous(bytes as usize).map_err(|e| ("mapping memory", e))?;
        let (address, length) = (memory.as_ptr().cast(), memory.len());
        // SAFETY: the memory is mapped for longer than the region lives: it ends after it.
        match unsafe { Region::new(device, address, length, access) } {
            None => Err(("registering memory for RDMA", io::Error::last_os_error())),
            Some(region) => Ok(Registered {
                region,
                memory: Arc::new(memory),
            }),
        }
    }

    pub fn area(&self, bytes: u32) -> Area {
        Area {
            memory: self.memory.clone(),
            bytes,
            // SAFETY: the region lives as long as this.
            lkey: unsafe { (*self.region.region).lkey },
        }
    }
}

/// Memory as one connection's owner reads and writes it.
pub(crate) struct Area {
    memory: Arc<Mapping>,
    bytes: u32,
    lkey: u32,
}

impl Area {
    pub fn bytes(&self) -> u32 {
        self.bytes
    }

    /// Copies from it. A peer may write there meanwhile: what is copied is whatever was there, once,
    /// and nothing is looked at in place.
    pub fn read(&self, from: u32, into: &mut [u8]) {
        let from = from as usize;
        assert!(from <= self.bytes as usize && into.len() <= self.bytes as usize - from);
        // SAFETY: the range lies in the memory; `into` is the caller's own.
        unsafe {
            let from = self.memory.as_ptr().add(from);
            ptr::copy_nonoverlapping(from, into.as_mut_ptr(), into.len());
        }
    }

    /// Copies into it.
    pub fn write(&self, to: usize, bytes: &[u8]) {
        assert!(to <= self.bytes as usize && bytes.len() <= self.bytes as usize - to);
        // SAFETY: the range lies in the memory.
        unsafe {
            let to = self.memory.as_ptr().add(to);
            ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len());
        }
    }

    /// As a request names it.
    pub fn slice(&self, position: u32, length: u32) -> Slice {
        assert!(position <= self.bytes && length <= self.bytes - position);
        Slice {
            address: self.memory.as_ptr() as u64 + u64::from(position),
            length,
            lkey: self.lkey,
        }
    }
}

/// The client's memory: what it writes from, and what it reads into.
pub(crate) struct Mirror {
    landing: Registered,
    shelf: Registered,
}

impl Mirror {
    pub fn new(device: &Arc<Device>, landing: u32, shelf: u32) -> Result<Mirror, Failure> {
        let new = |bytes| Registered::new(device, bytes, ACCESS_LOCAL_WRITE);
        Ok(Mirror {
            landing: new(landing)?,
            shelf: new(shelf)?,
        })
    }

    /// What is sent from, and what is received into, with the sizes that were granted.
    pub fn areas(&self, landing: u32, shelf: u32) -> (Area, Area) {
        (self.landing.area(landing), self.shelf.area(shelf))
    }
}

/// A window, and what it is to be bound to.
#[derive(Clone, Copy)]
pub(crate) struct Window {
    bind: Bind,
}

// SAFETY: named in requests only, by the thread that posts to the pair.
unsafe impl Send for Window {}

impl Window {
    /// As the client names it, once it is bound.
    pub fn far(&self) -> Far {
        Far {
            address: self.bind.address,
            key: self.bind.key,
            bytes: self.bind.length as u32,
        }
    }

    /// From here on the pair's client has the right: what is posted later is after it.
    pub fn open(&self, pair: *mut QueuePair, user: u64) -> bool {
        let mut request = SendRequest {
            user,
            opcode: WR_BIND_WINDOW,
            flags: SEND_SIGNALED,
            bind: self.bind,
            ..SendRequest::EMPTY
        };
        post(pair, &mut request)
    }

    /// From here on nobody has.
    pub fn close(&self, pair: *mut QueuePair, user: u64) -> bool {
        let mut request = SendRequest {
            user,
            opcode: WR_LOCAL_INVALIDATE,
            flags: SEND_SIGNALED,
            immediate: self.bind.key,
            ..SendRequest::EMPTY
        };
        post(pair, &mut request)
    }
}

/// Posts a request to a pair of the caller's.
pub(crate) fn post(pair: *mut QueuePair, request: &mut SendRequest) -> bool {
    let mut refused = ptr::null_mut();
    // SAFETY: the pair is the caller's and open; the request is read before this returns, and the
    // memory that it names stays until its completion.
    unsafe { ((*(*pair).context).post_send)(pair, request, &mut refused) == 0 }
}

/// What the broker's thread made for one connection. Windows end first, then their regions; both
/// before the queue pair, which they may hold, and after it was made: a kernel that ends a killed
/// process's objects does so from the last to the first.
pub(crate) struct Grant {
    windows: Windows,
    landing: Registered,
    shelf: Registered,
    bytes: u32,
}

/// What its shard gets.
pub(crate) struct Granted {
    pub landing: Area,
    pub shelf: Area,
    pub landing_window: Window,
    pub shelf_window: Window,
}

pub(crate) struct Windows {
    device: Arc<Device>,
    made: Vec<*mut MemoryWindow>,
}

// SAFETY: ended by whoever owns them, alone.
unsafe impl Send for Windows {}

impl Windows {
    pub fn none(device: &Arc<Device>) -> Windows {
        Windows {
            device: device.clone(),
            made: Vec::with_capacity(2),
        }
    }

    pub fn add(&mut self) -> Result<*mut MemoryWindow, Failure> {
        // SAFETY: the domain is open, and its device has the function: it was asked.
        let window = unsafe { self.device.window(WINDOW_TYPE_2) };
        if window.is_null() {
            return Err(("making an RDMA window", io::Error::last_os_error()));
        }
        self.made.push(window);
        Ok(window)
    }

    /// One of them, to be bound to a place of a region: its address and how many bytes.
    pub fn window(
        &self,
        at: usize,
        of: &Region,
        (address, length): (u64, u64),
        access: c_int,
    ) -> Window {
        let window = self.made[at];
        // SAFETY: the window lives as long as this.
        let key = unsafe { (*window).rkey };
        Window {
            bind: Bind {
                window,
                // The low byte is whoever binds it's to choose; the next one, so that no key is
                // that of before.
                key: (key & !0xFF) | (key.wrapping_add(1) & 0xFF),
                region: of.region,
                address,
                length,
                access: access as u32,
            },
        }
    }
}

impl Drop for Windows {
    fn drop(&mut self) {
        for window in &self.made {
            // SAFETY: made by `add`, and named by nobody any more: its shard has left. What is bound
            // ends with it.
            unsafe {
                if let Some(dealloc) = (*(**window).context).dealloc_mw {
                    dealloc(*window);
                }
            }
        }
    }
}

impl Grant {
    pub fn new(device: &Arc<Device>, bytes: u32) -> Result<Grant, Failure> {
        // Without a right of its own: a window gives it.
        let access = ACCESS_LOCAL_WRITE | ACCESS_WINDOW_BIND;
        let landing = Registered::new(device, bytes, access)?;
        let shelf = Registered::new(device, bytes, access)?;
        let mut windows = Windows::none(device);
        windows.add()?;
        windows.add()?;
        Ok(Grant {
            windows,
            landing,
            shelf,
            bytes,
        })
    }

    pub fn granted(&self) -> Granted {
        let window = |at: usize, of: &Registered, access: c_int| {
            let place = (of.memory.as_ptr() as u64, u64::from(self.bytes));
            self.windows.window(at, &of.region, place, access)
        };
        Granted {
            landing: self.landing.area(self.bytes),
            shelf: self.shelf.area(self.bytes),
            landing_window: window(0, &self.landing, ACCESS_REMOTE_WRITE),
            shelf_window: window(1, &self.shelf, ACCESS_REMOTE_READ),
        }
    }
}

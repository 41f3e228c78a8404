//! Memory of the log that one client may read or write where it lies.
//!
//! Each piece is a region of its own, of exactly the bytes that may be reached: what a device fails to
//! check of a window's bounds still ends there. A region gives no right; a window that is bound to
//! the client's queue pair does, to read or to write and nothing else. Regions are registered by the
//! thread that lets clients in: that takes a call of the kernel, which pins the pages.

use std::ffi::c_int;
use std::io;
use std::sync::Arc;

use precursor_rdma_sys::{
    ACCESS_LOCAL_WRITE, ACCESS_REMOTE_READ, ACCESS_REMOTE_WRITE, ACCESS_WINDOW_BIND,
};
use precursor_transport_port::{Reach, Span};

use crate::grant::{Region, Window, Windows};
use crate::queue::{Device, Failure};

/// What a loan's shard binds.
#[derive(Clone, Copy)]
pub(crate) struct LoanWindows {
    first: Window,
    second: Option<Window>,
}

impl LoanWindows {
    /// The keys; of a window that is not there, 0.
    pub fn keys(&self) -> [u32; 2] {
        let key = |window: Window| window.far().key;
        [key(self.first), self.second.map_or(0, key)]
    }

    /// Posts something of each, as long as it is taken: for how many it was, and whether for all.
    pub fn each(&self, post: impl Fn(&Window) -> bool) -> (u32, bool) {
        let mut count = 0;
        for window in [Some(&self.first), self.second.as_ref()]
            .into_iter()
            .flatten()
        {
            if !post(window) {
                return (count, false);
            }
            count += 1;
        }
        (count, true)
    }
}

/// What the thread made. Windows end first.
pub(crate) struct Loan {
    windows: Windows,
    pieces: Vec<(Region, Span)>,
    access: c_int,
}

impl Loan {
    pub fn new(device: &Arc<Device>, memory: Reach) -> Result<Loan, Failure> {
        let (spans, access, local) = match &memory {
            Reach::Read(spans) => (&spans[..], ACCESS_REMOTE_READ, 0),
            // Who may be written to from afar must be written to from here.
            Reach::Write(span) => (
                std::slice::from_ref(span),
                ACCESS_REMOTE_WRITE,
                ACCESS_LOCAL_WRITE,
            ),
        };
        let mut pieces = Vec::with_capacity(spans.len());
        let mut windows = Windows::none(device);
        for span in spans {
            let address = std::ptr::without_provenance_mut(span.address);
            let (bytes, local) = (span.bytes as usize, local | ACCESS_WINDOW_BIND);
            // SAFETY: the shard keeps the memory mapped until it hears that the loan is returned,
            // which is said after the region has ended; what is not mapped the kernel refuses.
            let region = unsafe { Region::new(device, address, bytes, local) };
            let Some(region) = region else {
                let error = io::Error::last_os_error();
                return Err(("registering memory of the log", error));
            };
            pieces.push((region, *span));
            windows.add()?;
        }
        Ok(Loan {
            windows,
            pieces,
            access,
        })
    }

    pub fn windows(&self) -> LoanWindows {
        let window = |at: usize| {
            let (region, span) = self.pieces.get(at)?;
            let place = (span.address as u64, u64::from(span.bytes));
            Some(self.windows.window(at, region, place, self.access))
        };
        LoanWindows {
            first: window(0).expect("a loan has a piece"),
            second: window(1),
        }
    }
}

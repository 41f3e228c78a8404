//! Memory of the log that one client may read where it lies.
//!
//! Each piece is a region of its own, of exactly the bytes that may be read: what a device fails to
//! check of a window's bounds still ends there. A region gives no right; a window that is bound to
//! the client's queue pair does, to read and nothing else. Regions are registered by the thread that
//! lets clients in: that takes a call of the kernel, which pins the pages.

use std::io;
use std::sync::Arc;

use precursor_rdma_sys::{ACCESS_REMOTE_READ, ACCESS_WINDOW_BIND};
use precursor_transport_port::Span;

use crate::grant::{Region, Window, Windows};
use crate::queue::{Device, Failure};

/// What the thread made. Windows end first.
pub(crate) struct Loan {
    windows: Windows,
    regions: [Region; 2],
    spans: [Span; 2],
}

impl Loan {
    pub fn new(device: &Arc<Device>, spans: [Span; 2]) -> Result<Loan, Failure> {
        let region = |span: Span| {
            let address = std::ptr::without_provenance_mut(span.address);
            // SAFETY: the shard keeps the memory mapped until it hears that the loan is returned,
            // which is said after the region has ended; what is not mapped the kernel refuses.
            let region =
                unsafe { Region::new(device, address, span.bytes as usize, ACCESS_WINDOW_BIND) };
            region.ok_or_else(|| {
                let error = io::Error::last_os_error();
                ("registering memory of the log", error)
            })
        };
        let regions = [region(spans[0])?, region(spans[1])?];
        let mut windows = Windows::none(device);
        windows.add()?;
        windows.add()?;
        Ok(Loan {
            windows,
            regions,
            spans,
        })
    }

    /// What its shard binds.
    pub fn windows(&self) -> [Window; 2] {
        [0, 1].map(|at| {
            let span = self.spans[at];
            let place = (span.address as u64, u64::from(span.bytes));
            let region = &self.regions[at];
            self.windows.window(at, region, place, ACCESS_REMOTE_READ)
        })
    }
}

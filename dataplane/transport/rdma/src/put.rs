//! The client's side: writing into memory of the log that the broker lends, by RDMA WRITE.

use std::io;

use precursor_rdma_sys::{
    ACCESS_LOCAL_WRITE, SEND_SIGNALED, SendRequest, WC_REMOTE_ACCESS, WC_SUCCESS, WR_RDMA_WRITE,
    WorkCompletion,
};

use crate::client::RdmaConnection;
use crate::grant::{Area, Registered, post};
use crate::lane::{PUT, loan_user};
use crate::look::Lent;

/// Bytes that one put writes, at most: the largest extent.
pub const PUT_BYTES_MAX: usize = 2 << 20;

/// What one connection writes from, and whether it does.
pub(crate) struct Put {
    // The area's memory is the region's.
    area: Area,
    _memory: Registered,
    under_way: bool,
}

impl RdmaConnection {
    /// Begins to write bytes to the beginning of what was lent: [`RdmaConnection::has_put`] tells when
    /// they are there. One put at a time.
    ///
    /// # Errors
    /// The connection is gone, or this side has no memory for it.
    pub fn put(&mut self, lent: Lent, bytes: &[u8]) -> io::Result<()> {
        let misuse = |what| Err(io::Error::new(io::ErrorKind::InvalidInput, what));
        if bytes.is_empty() || bytes.len() > PUT_BYTES_MAX.min(lent.bytes as usize) {
            return misuse("bytes that there is no room for");
        }
        if self.gone {
            return Err(self.why());
        }
        if self.ends.put.is_none() {
            let device = &self.ends.device;
            let memory = Registered::new(device, PUT_BYTES_MAX as u32, ACCESS_LOCAL_WRITE);
            let memory = memory.map_err(|(what, error)| {
                io::Error::new(error.kind(), format!("{what}: {error}"))
            })?;
            self.ends.put = Some(Put {
                area: memory.area(PUT_BYTES_MAX as u32),
                _memory: memory,
                under_way: false,
            });
        }
        let (pair, user) = (self.ends.pair, loan_user(0, PUT));
        let put = self.ends.put.as_mut().expect("it was just made");
        if put.under_way {
            return misuse("a put is under way");
        }
        put.area.write(0, bytes);
        let mut slice = put.area.slice(0, bytes.len() as u32);
        let mut request = SendRequest {
            user,
            slices: &mut slice,
            slice_count: 1,
            opcode: WR_RDMA_WRITE,
            flags: SEND_SIGNALED,
            remote_address: lent.address,
            remote_key: lent.key,
            ..SendRequest::EMPTY
        };
        put.under_way = true;
        match post(pair, &mut request) {
            true => Ok(()),
            false => Err(self.lost()),
        }
    }

    /// Whether the bytes are where they were put.
    ///
    /// # Errors
    /// The connection is gone: [`io::ErrorKind::PermissionDenied`] where that is because the broker
    /// had taken back what was written to.
    pub fn has_put(&mut self) -> io::Result<bool> {
        self.complete();
        if self.gone {
            return Err(self.why());
        }
        let is_there = self.ends.put.as_ref().is_none_or(|put| !put.under_way);
        if !is_there {
            self.check_now_and_then();
        }
        Ok(is_there)
    }

    pub(crate) fn put_completed(&mut self, completion: &WorkCompletion) {
        self.gone |= completion.status != WC_SUCCESS;
        if let Some(put) = &mut self.ends.put {
            put.under_way = false;
            self.taken_back |= completion.status == WC_REMOTE_ACCESS;
        }
    }
}

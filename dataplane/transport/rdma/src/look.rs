//! The client's side: reading what the broker lends of its log's memory, by RDMA READ.

use std::io;
use std::ops::Range;

use precursor_rdma_sys::{
    ACCESS_LOCAL_WRITE, SEND_SIGNALED, SendRequest, WC_REMOTE_ACCESS, WC_SUCCESS, WR_RDMA_READ,
    WorkCompletion,
};

use crate::client::RdmaConnection;
use crate::grant::{Area, Registered, post};
use crate::lane::{LOOKS_MAX, loan_user};

/// Bytes that one look brings, all its pieces together, at most.
pub const LOOK_BYTES_MAX: usize = 256 << 10;

/// A piece of the broker's memory that this connection may read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lent {
    pub address: u64,
    pub key: u32,
    pub bytes: u32,
}

/// What one connection reads into, and how far it is.
pub(crate) struct Look {
    // The area's memory is the region's.
    area: Area,
    _memory: Registered,
    under_way: u32,
    bytes: u32,
}

impl RdmaConnection {
    /// Begins to read pieces of what was lent, in this order: [`RdmaConnection::looked`] tells when
    /// they are here. One look at a time.
    ///
    /// # Errors
    /// The connection is gone, or this side has no memory for it.
    pub fn look(&mut self, pieces: &[(Lent, Range<u32>)]) -> io::Result<()> {
        let misuse = |what| Err(io::Error::new(io::ErrorKind::InvalidInput, what));
        let total: u64 = pieces.iter().map(|(_, range)| range.len() as u64).sum();
        if pieces.len() > LOOKS_MAX as usize || total > LOOK_BYTES_MAX as u64 {
            return misuse("more than one look takes");
        }
        if pieces
            .iter()
            .any(|(lent, range)| range.end > lent.bytes || range.is_empty())
        {
            return misuse("bytes that were not lent");
        }
        if self.gone {
            return Err(self.why());
        }
        if self.ends.look.is_none() {
            let device = &self.ends.device;
            let memory = Registered::new(device, LOOK_BYTES_MAX as u32, ACCESS_LOCAL_WRITE);
            let memory = memory.map_err(|(what, error)| {
                io::Error::new(error.kind(), format!("{what}: {error}"))
            })?;
            self.ends.look = Some(Look {
                area: memory.area(LOOK_BYTES_MAX as u32),
                _memory: memory,
                under_way: 0,
                bytes: 0,
            });
        }
        let (pair, user) = (self.ends.pair, loan_user(0, 0));
        let look = self.ends.look.as_mut().expect("it was just made");
        if look.under_way > 0 {
            return misuse("a look is under way");
        }
        look.bytes = 0;
        for (lent, range) in pieces {
            let mut slice = look.area.slice(look.bytes, range.len() as u32);
            let mut request = SendRequest {
                user,
                slices: &mut slice,
                slice_count: 1,
                opcode: WR_RDMA_READ,
                flags: SEND_SIGNALED,
                remote_address: lent.address.wrapping_add(u64::from(range.start)),
                remote_key: lent.key,
                ..SendRequest::EMPTY
            };
            if !post(pair, &mut request) {
                return Err(self.lost());
            }
            look.under_way += 1;
            look.bytes += range.len() as u32;
        }
        Ok(())
    }

    /// Appends what the look brought to `into`; false while it is under way.
    ///
    /// # Errors
    /// The connection is gone: [`io::ErrorKind::PermissionDenied`] where that is because the broker
    /// had taken back what was read.
    pub fn looked(&mut self, into: &mut Vec<u8>) -> io::Result<bool> {
        self.complete();
        if self.gone {
            return Err(self.why());
        }
        match &self.ends.look {
            Some(look) if look.under_way == 0 => {
                let at = into.len();
                into.resize(at + look.bytes as usize, 0);
                look.area.read(0, &mut into[at..]);
                Ok(true)
            }
            _ => {
                self.check_now_and_then();
                Ok(false)
            }
        }
    }

    /// A read of a look has completed.
    pub(crate) fn look_completed(&mut self, completion: &WorkCompletion) {
        self.gone |= completion.status != WC_SUCCESS;
        if let Some(look) = &mut self.ends.look {
            look.under_way = look.under_way.saturating_sub(1);
            self.taken_back |= completion.status == WC_REMOTE_ACCESS;
        }
    }
}

//! What a produced batch needs before it can be appended, where that is work for a processor:
//! decompression and recompression (`compression.type`, KIP-390), off the shard's thread.
//!
//! [`Store::append`](crate::Store::append) says [`AppendError::Unprepared`] of such a batch. Whoever
//! asks puts it into a [`Preparation`] and hands that to [`Store::prepare`](crate::Store::prepare);
//! it comes back from [`Store::next_prepared`](crate::Store::next_prepared), in any order, and
//! [`Store::append_prepared`](crate::Store::append_prepared) takes it. Order among the batches of a
//! log is for the caller to keep.

mod hardware;
mod recompress;
mod spec;
mod walk;
mod workers;

pub use hardware::OpenDevices;
pub use workers::WorkerOptions;

pub(crate) use hardware::{By, Hardware};
pub(crate) use recompress::Worker;
pub(crate) use spec::{Spec, must_prepare};
pub(crate) use workers::Workers;

use crate::api::AppendError;
use precursor_shm::Buffer;

/// One produced batch on its way through a worker.
#[derive(Debug)]
pub struct Preparation {
    /// The caller's name for it.
    pub token: u64,
    pub(crate) spec: Spec,
    /// The batch as it came, in the first bytes.
    pub(crate) records: Buffer,
    pub(crate) length: usize,
    /// Memory for a batch that is written anew; kept from one use to the next.
    pub(crate) rewritten: Vec<u8>,
    pub(crate) by: By,
    pub(crate) outcome: Result<Prepared, AppendError>,
}

/// What a worker made of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Prepared {
    /// The batch to append is `rewritten`; else it is the one that came.
    pub is_rewritten: bool,
    pub records: u32,
    /// Under LogAppendTime: the time that the batch has now.
    pub log_append_time_ms: Option<i64>,
}

impl Preparation {
    /// Bytes of the batch as it came.
    pub fn bytes(&self) -> usize {
        self.length
    }

    /// The batch as it came.
    pub fn sent(&self) -> &[u8] {
        &self.records[..self.length]
    }

    /// Takes the memory for another batch.
    pub fn into_memory(self) -> Vec<u8> {
        self.rewritten
    }

    /// The batch that is to be appended.
    pub(crate) fn batch(&self) -> Result<(Prepared, &[u8]), AppendError> {
        let prepared = self.outcome?;
        let batch = match prepared.is_rewritten {
            true => &self.rewritten[..],
            false => &self.records[..self.length],
        };
        Ok((prepared, batch))
    }
}

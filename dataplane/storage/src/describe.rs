//! How large logs are and who writes to them, for whoever describes them.

use crate::api::LogId;
use crate::producers::ActiveProducer;
use crate::store::Store;

/// What a log takes up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogSizes {
    /// Bytes of all segments as they lie on disk, those included that are on their way there.
    pub bytes: u64,
    /// Bytes of the region that hold the log's tail.
    pub memory_bytes: u64,
    pub segments: u32,
}

impl Store {
    /// What a log takes up; all 0 for a stale id or one that is opening.
    pub fn sizes(&self, id: LogId) -> LogSizes {
        self.log(id).map_or(LogSizes::default(), |log| LogSizes {
            bytes: log.bytes(),
            memory_bytes: log.extents.iter().map(|e| u64::from(e.size)).sum(),
            segments: log.segments.len() as u32,
        })
    }

    /// The producers that a log remembers, by their id; none for a stale id.
    pub fn active_producers(&self, id: LogId) -> Vec<ActiveProducer> {
        let log = self.log(id);
        log.map_or(Vec::new(), |log| log.producers.active())
    }

    /// The first log in or behind a slot, to go through all of them in pieces.
    pub fn log_from(&self, slot: u32) -> Option<LogId> {
        self.logs_from(slot).next().map(|log| log.id)
    }
}

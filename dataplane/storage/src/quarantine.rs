//! Bad bytes of a segment, and what takes their place.
//!
//! Nothing is deleted: the bytes go to a directory of their own. In their place stands a batch
//! without records that covers the lost offsets, as compaction leaves one: readers go on behind it.

/// The directory within a data directory.
pub(crate) const QUARANTINE: &str = "quarantine";

//! The partition log: tail extents, segments, indexes, recovery, retention.

//! What the writers share: topics with partitions in them, counted.

use crate::error::EncodeError;
use crate::write::Writer;

/// A writer that knows how many topics and partitions are still to come.
#[derive(Debug)]
pub(super) struct Topics<'a> {
    pub w: Writer<'a>,
    topics_left: usize,
    partitions_left: usize,
}

impl<'a> Topics<'a> {
    /// The topics' count is written by [`Topics::begin`].
    pub fn new(out: &'a mut Vec<u8>, version: i16, flexible: bool) -> Self {
        Topics {
            w: Writer::new(out, version, flexible),
            topics_left: 0,
            partitions_left: 0,
        }
    }

    /// Begins the array of topics.
    pub fn begin(&mut self, topics: usize) {
        self.topics_left = topics;
        self.w.length(topics);
    }

    /// Counts a topic. What comes before its partitions is written by the caller, and then
    /// [`Topics::partitions`].
    pub fn topic(&mut self) {
        self.all_partitions_written();
        match self.topics_left.checked_sub(1) {
            Some(left) => self.topics_left = left,
            None => self.w.fail(EncodeError::Count),
        }
    }

    /// Begins a topic's array of partitions.
    pub fn partitions(&mut self, partitions: usize) {
        self.partitions_left = partitions;
        self.w.length(partitions);
    }

    /// Counts a partition.
    pub fn partition(&mut self) {
        match self.partitions_left.checked_sub(1) {
            Some(left) => self.partitions_left = left,
            None => self.w.fail(EncodeError::Count),
        }
    }

    /// Whether the topic that is open has had all its partitions.
    pub fn topic_is_complete(&self) -> bool {
        self.partitions_left == 0
    }

    fn all_partitions_written(&mut self) {
        if self.partitions_left != 0 {
            self.w.fail(EncodeError::Count);
        }
    }

    /// Ends the array of topics.
    pub fn end(&mut self) {
        self.all_partitions_written();
        if self.topics_left != 0 {
            self.w.fail(EncodeError::Count);
        }
    }
}

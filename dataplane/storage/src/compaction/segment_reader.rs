//! Walks the batches of a segment's file, each checked against its checksum.

use crate::compaction::pace::Pace;
use precursor_disk::DiskFile;
use precursor_protocol::records::BatchView;
use std::io::{self, ErrorKind};

const WINDOW: usize = 1 << 20;

/// A cursor over the first `size` bytes of a file.
pub(crate) struct SegmentReader {
    file: DiskFile,
    size: u64,
    position: u64,
    window: Vec<u8>,
    /// Of the window, what was walked already.
    walked: usize,
}

impl SegmentReader {
    pub fn new(file: DiskFile, size: u64) -> SegmentReader {
        SegmentReader {
            file,
            size,
            position: 0,
            window: Vec::new(),
            walked: 0,
        }
    }

    /// The next batch; `None` at the end.
    ///
    /// # Errors
    /// `InvalidData` for bytes that are no batch or fail its checksum; what the disk says.
    pub fn next(&mut self, pace: &mut Pace) -> io::Result<Option<BatchView<'_>>> {
        if self.position == self.size {
            return Ok(None);
        }
        let mut length = BatchView::length_at(&self.window[self.walked..]);
        if !matches!(length, Ok(Some(length)) if self.walked + length <= self.window.len()) {
            self.fill(WINDOW, pace)?;
            length = BatchView::length_at(&self.window);
            if let Ok(Some(length)) = length
                && length > self.window.len()
            {
                self.fill(length, pace)?;
            }
        }
        let position = self.position;
        let batch = BatchView::parse(&self.window[self.walked..])
            .map_err(|error| damaged(position, &error.to_string()))?;
        if !batch.crc_is_right() {
            return Err(damaged(position, "its checksum is wrong"));
        }
        self.walked += batch.bytes().len();
        self.position += batch.bytes().len() as u64;
        Ok(Some(batch))
    }

    /// Reads on from the position: at least `wanted` bytes, or what there is.
    fn fill(&mut self, wanted: usize, pace: &mut Pace) -> io::Result<()> {
        let left = usize::try_from(self.size - self.position).unwrap_or(usize::MAX);
        self.window.resize(wanted.min(left), 0);
        self.walked = 0;
        let got = self.file.read_at(&mut self.window, self.position)?;
        self.window.truncate(got);
        pace.spend(got)
    }
}

fn damaged(position: u64, why: &str) -> io::Error {
    let message = format!("the batch at byte {position} cannot be read: {why}");
    io::Error::new(ErrorKind::InvalidData, message)
}

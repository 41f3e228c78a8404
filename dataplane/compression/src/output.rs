//! Where compressed bytes go.

use crate::too_much;
use std::io::{self, Write};

/// The end of a vector, which grows to a bound and no further.
pub(crate) struct Output<'a> {
    pub bytes: &'a mut Vec<u8>,
    pub length_max: usize,
}

impl Write for Output<'_> {
    fn write(&mut self, more: &[u8]) -> io::Result<usize> {
        if more.len() > self.length_max.saturating_sub(self.bytes.len()) {
            return Err(too_much(self.length_max));
        }
        self.bytes.extend_from_slice(more);
        Ok(more.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

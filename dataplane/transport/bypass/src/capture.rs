//! Frames for whoever wants to see them: a FIFO that carries a capture (pcap) while somebody reads it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, IoSlice, Write};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::sys;

/// A record never exceeds what a pipe takes whole or not at all (PIPE_BUF), so that a slow reader
/// loses records, not the borders between them.
const RECORD_BYTES: usize = 4_096;
const RECORD_HEADER: usize = 16;
const FRAME_BYTES: usize = RECORD_BYTES - RECORD_HEADER;
/// Of the pipe, where the system allows it.
const PIPE_BYTES: libc::c_int = 1 << 20;
/// With nanoseconds.
const MAGIC: u32 = 0xa1b2_3c4d;
const LINK_ETHERNET: u32 = 1;

/// Owned by the shard's thread, which it never holds up.
pub(crate) struct Capture {
    path: PathBuf,
    /// While somebody reads.
    pipe: Option<File>,
    record: Box<[u8; RECORD_BYTES]>,
    dropped: u64,
}

impl Capture {
    /// Makes the FIFO, for its owner alone: it shows what clients send.
    pub(crate) fn new(path: PathBuf) -> io::Result<Capture> {
        // Left by one that was killed, or put there by somebody who would like to read along: it is
        // never used as it stands.
        let there = fs::symlink_metadata(&path);
        if there.is_ok_and(|there| there.file_type().is_fifo()) {
            fs::remove_file(&path)?;
        }
        sys::make_fifo(&path)?;
        Ok(Capture {
            path,
            pipe: None,
            record: Box::new([0; RECORD_BYTES]),
            dropped: 0,
        })
    }

    /// Frames that were lost because the reader was slow.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Looks whether somebody has begun to read.
    pub(crate) fn look(&mut self) {
        if self.pipe.is_some() {
            return;
        }
        let mut options = OpenOptions::new();
        // Without a reader this fails at once.
        options.write(true).custom_flags(libc::O_NONBLOCK);
        let Ok(mut pipe) = options.open(&self.path) else {
            return;
        };
        sys::widen_pipe(&pipe, PIPE_BYTES);
        let mut header = [0; 24];
        header[..4].copy_from_slice(&MAGIC.to_le_bytes());
        header[4..6].copy_from_slice(&2_u16.to_le_bytes());
        header[6..8].copy_from_slice(&4_u16.to_le_bytes());
        header[16..20].copy_from_slice(&(FRAME_BYTES as u32).to_le_bytes());
        header[20..].copy_from_slice(&LINK_ETHERNET.to_le_bytes());
        if pipe.write_all(&header).is_ok() {
            self.pipe = Some(pipe);
        }
    }

    /// Writes one frame, where somebody reads; of a large one its beginning.
    pub(crate) fn take(&mut self, slices: &[IoSlice<'_>]) {
        let Some(pipe) = &mut self.pipe else {
            return;
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.unwrap_or_default();
        let (mut end, mut whole) = (RECORD_HEADER, 0);
        for slice in slices {
            let part = slice.len().min(RECORD_BYTES - end);
            self.record[end..end + part].copy_from_slice(&slice[..part]);
            end += part;
            whole += slice.len();
        }
        let fields = [
            now.as_secs() as u32,
            now.subsec_nanos(),
            (end - RECORD_HEADER) as u32,
            whole as u32,
        ];
        for (place, field) in self.record.chunks_exact_mut(4).zip(fields) {
            place.copy_from_slice(&field.to_le_bytes());
        }
        match pipe.write(&self.record[..end]) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => self.dropped += 1,
            // The reader has gone.
            Err(_) => self.pipe = None,
        }
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        fs::remove_file(&self.path).ok();
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn whoever_reads_gets_whole_frames_and_nobody_is_waited_for() {
        let path = std::env::temp_dir().join(format!("precursor-capture-{}", std::process::id()));
        let mut capture = Capture::new(path.clone()).expect("a FIFO");
        capture.look();
        capture.take(&[IoSlice::new(b"nobody sees this")]);
        let mut options = OpenOptions::new();
        options.read(true).custom_flags(libc::O_NONBLOCK);
        let mut reader = options.open(&path).expect("it is there");
        capture.look();
        capture.take(&[IoSlice::new(b"head"), IoSlice::new(b"body")]);
        capture.take(&[IoSlice::new(&[7; 9_000])]);
        let mut read = vec![0; 16_384];
        let count = reader.read(&mut read).expect("a capture");
        assert_eq!(count, 24 + 16 + 8 + RECORD_BYTES);
        assert_eq!(read[..4], MAGIC.to_le_bytes());
        assert_eq!(read[24 + 8..24 + 16], [8, 0, 0, 0, 8, 0, 0, 0]);
        assert_eq!(&read[40..48], b"headbody");
        let lengths = &read[48 + 8..48 + 16];
        assert_eq!(lengths[..4], (FRAME_BYTES as u32).to_le_bytes());
        assert_eq!(lengths[4..], 9_000_u32.to_le_bytes());
        // A reader that does not read loses frames, and holds nobody up.
        for _ in 0..2_000 {
            capture.take(&[IoSlice::new(&[7; 9_000])]);
        }
        assert!(capture.dropped() > 0);
        drop(reader);
        capture.take(&[IoSlice::new(b"gone")]);
        assert!(capture.pipe.is_none());
        drop(capture);
        assert!(!path.exists());
    }

    #[test]
    fn a_fifo_that_somebody_put_there_is_not_used() {
        let name = format!("precursor-stranger-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        sys::make_fifo(&path).expect("a FIFO");
        let mut options = OpenOptions::new();
        options.read(true).custom_flags(libc::O_NONBLOCK);
        let _stranger = options.open(&path).expect("it is there");
        let mut capture = Capture::new(path).expect("one of its own");
        capture.look();
        assert!(capture.pipe.is_none(), "nobody reads the new one");
    }
}

//! Reads what comes next of a file while what came before is looked at: on a thread of its own, for
//! recovery, which is bound by the disk and the checks in turn otherwise.

use precursor_disk::{BLOCK, DiskFile};
use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

/// Bytes that are read at a time.
pub(crate) const WINDOW: usize = 1 << 20;
/// Pieces that are asked for before they are needed.
const PIECES: usize = 3;
/// Where less is left to read, no thread is worth its start.
const BYTES_MIN: u64 = 8 << 20;
/// Room before a piece, for the end of the one before.
const HEADROOM: usize = WINDOW;

/// Memory that begins with a block, as O_DIRECT wants it, and as the kernel copies it fastest.
#[derive(Default)]
pub(crate) struct Window {
    memory: Vec<u8>,
    start: usize,
    length: usize,
}

impl Window {
    /// So many bytes, of any content, with room for whole blocks.
    pub fn of(&mut self, length: usize) -> &mut [u8] {
        self.behind(0, length)
    }

    /// As [`Self::of`], with room before them.
    fn behind(&mut self, headroom: usize, length: usize) -> &mut [u8] {
        let block = BLOCK as usize;
        let room = length.next_multiple_of(block);
        if self.memory.len() < headroom + room + block {
            self.memory = vec![0; headroom + room + block];
        }
        self.start = headroom + self.memory.as_ptr().align_offset(block).min(block);
        self.length = length;
        &mut self.memory[self.start..][..room]
    }

    pub fn len(&self) -> usize {
        self.length
    }

    pub fn bytes(&self) -> &[u8] {
        &self.memory[self.start..][..self.length]
    }

    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.memory[self.start..][..self.length]
    }

    /// Puts bytes before the first one.
    fn put_before(&mut self, bytes: &[u8]) {
        self.start -= bytes.len();
        self.length += bytes.len();
        self.memory[self.start..][..bytes.len()].copy_from_slice(bytes);
    }
}

/// A piece of the file, of [`WINDOW`] bytes.
struct Piece {
    position: u64,
    window: Window,
    /// Bytes that the file had.
    got: io::Result<usize>,
}

/// The thread, and what was asked of it.
struct Reader {
    wanted: Option<Sender<(u64, Window)>>,
    read: Receiver<Piece>,
    thread: Option<JoinHandle<()>>,
    /// Where the next piece that is asked for begins.
    next: u64,
    asked: usize,
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.wanted = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The file's bytes in order.
pub(crate) struct Ahead {
    file: DiskFile,
    reader: Option<Reader>,
    spare: Vec<Window>,
}

impl Ahead {
    pub fn new(file: DiskFile) -> Ahead {
        Ahead {
            file,
            reader: None,
            spare: Vec::new(),
        }
    }

    /// Replaces `held`, bytes of the file from `held_at` on, by those from `position` on: `length`
    /// bytes, or more where they have been read already, but none past `end`. What the file does not
    /// have is 0. The bytes begin at the position that is returned.
    pub fn load(
        &mut self,
        (held_at, held): (u64, &mut Window),
        position: u64,
        length: usize,
        end: u64,
    ) -> io::Result<u64> {
        let held_end = held_at + held.len() as u64;
        let goes_on = (held_at..held_end).contains(&position) || position == held_end;
        let kept = held_end.saturating_sub(position) as usize;
        if goes_on && kept <= HEADROOM && kept + WINDOW >= length && held_end.is_multiple_of(BLOCK)
        {
            self.ask(held_end, end);
            if let Some(piece) = self.take(held_end)? {
                let mut window = piece;
                let held_bytes = held.bytes();
                window.put_before(&held_bytes[held_bytes.len() - kept..]);
                window.length = window.length.min((end - position) as usize);
                self.spare.push(std::mem::replace(held, window));
                return Ok(position);
            }
        }
        self.reader = None;
        let start = position / BLOCK * BLOCK;
        let length = length + (position - start) as usize;
        let bytes = length.max(WINDOW).min((end - start) as usize);
        let memory = held.of(bytes);
        let got = self.file.read_at(memory, start)?;
        memory[got..].fill(0);
        Ok(start)
    }

    /// Asks for what follows `from`, if there is enough.
    fn ask(&mut self, from: u64, end: u64) {
        if self.reader.is_none() && end.saturating_sub(from) >= BYTES_MIN {
            self.reader = Reader::start(self.file.clone(), from);
        }
        let Some(reader) = &mut self.reader else {
            return;
        };
        while reader.asked < PIECES && reader.next < end {
            let window = self.spare.pop().unwrap_or_default();
            let Some(wanted) = &reader.wanted else {
                return;
            };
            if wanted.send((reader.next, window)).is_err() {
                return;
            }
            reader.next += WINDOW as u64;
            reader.asked += 1;
        }
    }

    /// The piece that begins at a position, if it was asked for.
    fn take(&mut self, position: u64) -> io::Result<Option<Window>> {
        let Some(reader) = self.reader.as_mut().filter(|reader| reader.asked > 0) else {
            return Ok(None);
        };
        let Ok(piece) = reader.read.recv() else {
            return Ok(None);
        };
        reader.asked -= 1;
        let got = piece.got?;
        if piece.position != position {
            return Ok(None);
        }
        let mut window = piece.window;
        window.bytes_mut()[got..].fill(0);
        Ok(Some(window))
    }
}

impl Reader {
    /// `None`: no thread can be had, and the caller reads by itself.
    fn start(file: DiskFile, from: u64) -> Option<Reader> {
        let (wanted, requests) = channel::<(u64, Window)>();
        let (outcomes, read) = channel();
        let run = move || {
            for (position, mut window) in requests {
                let got = file.read_at(window.behind(HEADROOM, WINDOW), position);
                let piece = Piece {
                    position,
                    window,
                    got,
                };
                if outcomes.send(piece).is_err() {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name("read-ahead".to_owned());
        Some(Reader {
            thread: Some(thread.spawn(run).ok()?),
            wanted: Some(wanted),
            read,
            next: from,
            asked: 0,
        })
    }
}

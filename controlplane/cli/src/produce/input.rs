//! Where lines come from.

use std::fs::File;
use std::io::{BufRead, BufReader, IsTerminal, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::PathBuf;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::failure::Failure;

/// A longer line is an error: no topic takes a batch of more than 100 MiB.
const LINE_BYTES_MAX: u64 = 100 << 20;

/// Where lines come from.
pub enum Input {
    Standard(BufReader<std::io::Stdin>),
    File(BufReader<File>),
}

impl Input {
    /// The named file, or else standard input.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn open(file: Option<&PathBuf>) -> Result<Input, Failure> {
        let Some(path) = file else {
            return Ok(Input::Standard(BufReader::with_capacity(
                1 << 20,
                std::io::stdin(),
            )));
        };
        let file = File::open(path).map_err(|error| {
            Failure::new(format!("{} cannot be read: {error}", path.display()))
                .next("Name a file that you may read, or leave --file out for standard input")
        })?;
        Ok(Input::File(BufReader::with_capacity(1 << 20, file)))
    }

    /// Bytes that will come, where that is known.
    pub fn length(&self) -> Option<u64> {
        match self {
            Input::Standard(_) => None,
            Input::File(file) => {
                let metadata = file.get_ref().metadata().ok()?;
                metadata.is_file().then_some(metadata.len())
            }
        }
    }

    /// Whether a person types the lines.
    pub fn is_typed(&self) -> bool {
        matches!(self, Input::Standard(_)) && std::io::stdin().is_terminal()
    }

    /// Calls `each` with every line, and with whether more is there already: a person or a slow
    /// pipe should not wait for a batch to fill.
    pub fn each_line(
        self,
        each: impl FnMut(&[u8], bool) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        match self {
            Input::File(reader) => lines(reader, |_| true, each),
            Input::Standard(reader) => {
                let stdin = std::io::stdin();
                let ready = |reader: &BufReader<std::io::Stdin>| {
                    !reader.buffer().is_empty() || readable_now(stdin.as_fd())
                };
                lines(reader, ready, each)
            }
        }
    }
}

fn lines<R: std::io::Read>(
    mut reader: BufReader<R>,
    more: impl Fn(&BufReader<R>) -> bool,
    mut each: impl FnMut(&[u8], bool) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut line = Vec::new();
    loop {
        line.clear();
        // A few bytes more than a line may have, for its end.
        let read = reader
            .by_ref()
            .take(LINE_BYTES_MAX + 2)
            .read_until(b'\n', &mut line);
        let read = read.map_err(|error| Failure::new(format!("the input ended: {error}")))?;
        if read == 0 {
            return Ok(());
        }
        if line.last() == Some(&b'\n') {
            line.pop();
        }
        if line.len() as u64 > LINE_BYTES_MAX {
            return Err(Failure::new("a line is longer than 100 MiB").next("Split it"));
        }
        each(&line, more(&reader))?;
    }
}

fn readable_now(descriptor: BorrowedFd<'_>) -> bool {
    let mut descriptors = [PollFd::new(descriptor, PollFlags::POLLIN)];
    poll(&mut descriptors, PollTimeout::ZERO).is_ok_and(|ready| ready > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_keep_their_bytes() {
        let mut seen = Vec::new();
        let reader = BufReader::new(&b"one\n\ntwo\r\nlast"[..]);
        lines(
            reader,
            |_| true,
            |line, _| {
                seen.push(line.to_vec());
                Ok(())
            },
        )
        .unwrap();
        let expected: [&[u8]; 4] = [b"one", b"", b"two\r", b"last"];
        assert_eq!(seen, expected);
    }
}

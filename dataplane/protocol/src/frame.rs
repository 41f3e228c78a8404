//! Frames: every request and response is an int32 length and that many bytes.

use std::fmt;

/// Bytes of the length before each frame.
pub const LENGTH_PREFIX: usize = 4;

/// A length that ends the connection: nothing after it can be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameError {
    Negative { length: i32 },
    TooLong { length: usize, max: usize },
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FrameError::Negative { length } => write!(f, "a frame's length is {length}"),
            FrameError::TooLong { length, max } => {
                write!(f, "a frame of {length} bytes, more than {max}")
            }
        }
    }
}

impl std::error::Error for FrameError {}

/// The length of the frame that begins at `bytes`, without its 4-byte prefix; `None` while fewer
/// than four bytes are there. `max` is the longest frame taken (`socket.request.max.bytes`).
pub fn frame_length(bytes: &[u8], max: usize) -> Result<Option<usize>, FrameError> {
    let Some(prefix) = bytes.first_chunk::<LENGTH_PREFIX>() else {
        return Ok(None);
    };
    let claimed = i32::from_be_bytes(*prefix);
    let length = usize::try_from(claimed).map_err(|_| FrameError::Negative { length: claimed })?;
    if length > max {
        return Err(FrameError::TooLong { length, max });
    }
    Ok(Some(length))
}

/// Makes room for a frame's length; the place goes to [`end_frame`].
pub fn begin_frame(out: &mut Vec<u8>) -> usize {
    let place = out.len();
    out.extend_from_slice(&[0; LENGTH_PREFIX]);
    place
}

/// Writes the length of the frame begun at `place`: what is in `out` after the prefix, and
/// `bytes_elsewhere` that travel in the same frame from other memory (record bytes).
pub fn end_frame(out: &mut [u8], place: usize, bytes_elsewhere: usize) -> Result<(), FrameError> {
    let length = out.len() - place - LENGTH_PREFIX + bytes_elsewhere;
    let claimed = i32::try_from(length).map_err(|_| FrameError::TooLong {
        length,
        max: i32::MAX as usize,
    })?;
    out[place..place + LENGTH_PREFIX].copy_from_slice(&claimed.to_be_bytes());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths() {
        assert_eq!(frame_length(&[0, 0, 1], 10), Ok(None));
        assert_eq!(frame_length(&[0, 0, 0, 10], 10), Ok(Some(10)));
        assert_eq!(
            frame_length(&[0, 0, 0, 11, 1], 10),
            Err(FrameError::TooLong {
                length: 11,
                max: 10
            })
        );
        assert_eq!(
            frame_length(&[0xff; 4], 10),
            Err(FrameError::Negative { length: -1 })
        );
    }

    #[test]
    fn begin_and_end() {
        let mut out = vec![9];
        let place = begin_frame(&mut out);
        out.extend_from_slice(b"abc");
        end_frame(&mut out, place, 2).unwrap();
        assert_eq!(out, [9, 0, 0, 0, 5, b'a', b'b', b'c']);
        assert!(end_frame(&mut out, place, usize::MAX / 2).is_err());
    }
}

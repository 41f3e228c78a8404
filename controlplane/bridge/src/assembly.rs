//! Requests that come in pieces, put together within bounds.

use crate::{REQUEST_BYTES_PER_SHARD_MAX, REQUEST_LENGTH_MAX, REQUESTS_PER_SHARD_MAX};
use std::collections::HashMap;

/// Kept small at first: most requests are, and a claim is no reason to reserve.
#[derive(Debug, Default)]
struct Pieces {
    connection: u64,
    bytes: Vec<u8>,
    /// Already refused: the rest of its pieces is let go.
    refused: bool,
}

/// What a piece led to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Assembled {
    /// More pieces are to come, or this one belonged to a refused request.
    Nothing,
    Whole(Vec<u8>),
    /// It is too much: say so, once.
    Refused,
}

/// The unfinished requests of one shard.
#[derive(Debug, Default)]
pub(crate) struct Assembly {
    unfinished: HashMap<u64, Pieces>,
    bytes: usize,
}

impl Assembly {
    /// Takes one piece. `held` counts the bytes of whole requests that are not answered yet.
    pub fn take(
        &mut self,
        token: u64,
        connection: u64,
        last: bool,
        piece: &[u8],
        held: usize,
    ) -> Assembled {
        // The usual case touches no map.
        if last && !self.unfinished.contains_key(&token) {
            return if held + self.bytes + piece.len() <= REQUEST_BYTES_PER_SHARD_MAX {
                Assembled::Whole(piece.to_vec())
            } else {
                Assembled::Refused
            };
        }
        if !self.unfinished.contains_key(&token) && self.unfinished.len() >= REQUESTS_PER_SHARD_MAX
        {
            // Without a note its last piece will look like a whole request; it will not be one
            // that can be read, and is refused again then.
            return Assembled::Refused;
        }
        let pieces = self.unfinished.entry(token).or_default();
        pieces.connection = connection;
        let mut refused_now = false;
        if !pieces.refused {
            let length = pieces.bytes.len() + piece.len();
            let total = held + self.bytes + piece.len();
            if length > REQUEST_LENGTH_MAX || total > REQUEST_BYTES_PER_SHARD_MAX {
                self.bytes -= pieces.bytes.len();
                *pieces = Pieces {
                    connection,
                    bytes: Vec::new(),
                    refused: true,
                };
                refused_now = true;
            } else {
                self.bytes += piece.len();
                pieces.bytes.extend_from_slice(piece);
            }
        }
        let finished = if last {
            self.unfinished.remove(&token)
        } else {
            None
        };
        match finished {
            Some(pieces) if !pieces.refused => {
                self.bytes -= pieces.bytes.len();
                Assembled::Whole(pieces.bytes)
            }
            _ if refused_now => Assembled::Refused,
            _ => Assembled::Nothing,
        }
    }

    /// The connection is gone and with it the rest of its requests.
    pub fn forget_connection(&mut self, connection: u64) {
        let bytes = &mut self.bytes;
        self.unfinished.retain(|_, pieces| {
            let keep = pieces.connection != connection;
            if !keep {
                *bytes -= pieces.bytes.len();
            }
            keep
        });
    }

    pub fn clear(&mut self) {
        *self = Assembly::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_several_requests_interleave() {
        let mut assembly = Assembly::default();
        assert_eq!(assembly.take(1, 9, false, b"ab", 0), Assembled::Nothing);
        assert_eq!(assembly.take(2, 8, false, b"xy", 0), Assembled::Nothing);
        assert_eq!(
            assembly.take(3, 7, true, b"whole", 0),
            Assembled::Whole(b"whole".to_vec())
        );
        assert_eq!(
            assembly.take(1, 9, true, b"c", 0),
            Assembled::Whole(b"abc".to_vec())
        );
        assembly.forget_connection(8);
        assert_eq!(assembly.bytes, 0);
        assert!(assembly.unfinished.is_empty());
    }

    #[test]
    fn a_request_that_is_too_long_is_refused_once_and_its_rest_let_go() {
        let mut assembly = Assembly::default();
        let piece = vec![0; REQUEST_LENGTH_MAX / 4];
        for _ in 0..4 {
            assert_eq!(assembly.take(1, 1, false, &piece, 0), Assembled::Nothing);
        }
        assert_eq!(assembly.take(1, 1, false, b"x", 0), Assembled::Refused);
        assert_eq!(assembly.bytes, 0);
        assert_eq!(assembly.take(1, 1, false, b"x", 0), Assembled::Nothing);
        assert_eq!(assembly.take(1, 1, true, b"x", 0), Assembled::Nothing);
        assert!(assembly.unfinished.is_empty());
    }

    #[test]
    fn all_together_are_bounded_in_bytes_and_in_number() {
        let mut assembly = Assembly::default();
        let held = REQUEST_BYTES_PER_SHARD_MAX - 3;
        assert_eq!(assembly.take(1, 1, false, b"xyz", held), Assembled::Nothing);
        assert_eq!(assembly.take(2, 1, false, b"x", held), Assembled::Refused);
        assert_eq!(assembly.take(3, 1, true, b"x", held), Assembled::Refused);
        assembly.clear();
        for token in 0..REQUESTS_PER_SHARD_MAX as u64 {
            assert_eq!(assembly.take(token, 1, false, b"", 0), Assembled::Nothing);
        }
        assert_eq!(
            assembly.take(u64::MAX, 1, false, b"", 0),
            Assembled::Refused
        );
    }
}

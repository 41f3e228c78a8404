//! The own requests that one shard has not answered.

use crate::data_plane::{OWN_RESPONSE_LENGTH_MAX, OwnError, Reply};
use precursor_shm::control::Malformed;
use std::collections::HashMap;

#[derive(Debug)]
struct Pending {
    reply: Reply,
    bytes: Vec<u8>,
}

/// By token. What is dropped from here says [`OwnError::Lost`] to its caller.
#[derive(Debug, Default)]
pub(crate) struct OwnPending {
    pending: HashMap<u64, Pending>,
    next_token: u64,
}

impl OwnPending {
    /// Remembers who waits; the request's token, which was never used before.
    pub fn begin(&mut self, reply: Reply) -> u64 {
        self.next_token += 1;
        let pending = Pending {
            reply,
            bytes: Vec::new(),
        };
        self.pending.insert(self.next_token, pending);
        self.next_token
    }

    /// Takes a piece of an answer.
    pub fn take(&mut self, token: u64, last: bool, piece: &[u8]) -> Result<(), Malformed> {
        // Of a request that was given up: nobody's.
        let Some(pending) = self.pending.get_mut(&token) else {
            return Ok(());
        };
        if pending.bytes.len() + piece.len() > OWN_RESPONSE_LENGTH_MAX {
            self.pending.remove(&token);
            return Err(Malformed("an own answer that is too long"));
        }
        pending.bytes.extend_from_slice(piece);
        if last && let Some(pending) = self.pending.remove(&token) {
            let answer = if pending.bytes.is_empty() {
                Err(OwnError::Refused)
            } else {
                Ok(pending.bytes)
            };
            // The caller may have gone.
            let _ = pending.reply.send(answer);
        }
        Ok(())
    }

    /// Whether nobody waits.
    pub fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    /// Everything is lost. Tokens go on, so that late answers find nobody.
    pub fn clear(&mut self) {
        self.pending.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::oneshot;

    #[test]
    fn answers_find_their_callers_whole_and_once() {
        let mut own = OwnPending::default();
        let (reply, mut first) = oneshot::channel();
        let one = own.begin(reply);
        let (reply, mut second) = oneshot::channel();
        let two = own.begin(reply);
        own.take(two, true, b"two").unwrap();
        own.take(one, false, b"o").unwrap();
        assert!(first.try_recv().is_err());
        own.take(one, true, b"ne").unwrap();
        own.take(one, true, b"again").unwrap();
        assert_eq!(first.try_recv().unwrap(), Ok(b"one".to_vec()));
        assert_eq!(second.try_recv().unwrap(), Ok(b"two".to_vec()));
        let (reply, mut third) = oneshot::channel();
        let three = own.begin(reply);
        own.take(three, true, b"").unwrap();
        assert_eq!(third.try_recv().unwrap(), Err(OwnError::Refused));
        let (reply, mut fourth) = oneshot::channel();
        let four = own.begin(reply);
        own.clear();
        assert!(own.begin(oneshot::channel().0) > four);
        assert!(matches!(
            fourth.try_recv(),
            Err(oneshot::error::TryRecvError::Closed)
        ));
    }

    #[test]
    fn an_answer_without_end_is_given_up() {
        let mut own = OwnPending::default();
        let (reply, mut answer) = oneshot::channel();
        let token = own.begin(reply);
        let piece = vec![0; 1 << 20];
        let pieces = OWN_RESPONSE_LENGTH_MAX / piece.len();
        for _ in 0..pieces {
            own.take(token, false, &piece).unwrap();
        }
        assert!(own.take(token, false, &piece).is_err());
        assert!(answer.try_recv().is_err());
        assert!(own.pending.is_empty());
    }
}

//! What waits for room in a shard's ring.

use crate::image::EncodedImage;
use precursor_shm::control::{FRAGMENT_LENGTH_MAX, ToData};
use precursor_shm::ring::{Producer, PushError};
use std::collections::VecDeque;
use std::sync::Arc;

/// More waiting images than this are replaced by one whole image, made when there is room again.
const IMAGES_WAITING_MAX: usize = 32;

#[derive(Debug)]
enum Waiting {
    Message(Vec<u8>),
    Frame {
        kind: FrameKind,
        token: u64,
        frame: Vec<u8>,
        sent: usize,
    },
    Image {
        image: Arc<EncodedImage>,
        next: usize,
    },
}

#[derive(Clone, Copy, Debug)]
enum FrameKind {
    Response,
    /// A request of our own.
    Own,
    /// A response that waits for the own request of this token.
    Held(u64),
}

impl FrameKind {
    fn head(self, token: u64, last: bool) -> ToData<'static> {
        let bytes = &[][..];
        match self {
            FrameKind::Response => ToData::Response { token, last, bytes },
            FrameKind::Own => ToData::OwnRequest { token, last, bytes },
            FrameKind::Held(own) => ToData::Held {
                own,
                token,
                last,
                bytes,
            },
        }
    }
}

/// How far a flush came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flushed {
    /// Nothing waits any more.
    All,
    /// The ring is full.
    Blocked,
    /// The ring's reader has left an impossible cursor.
    Corrupt,
}

/// The messages to one shard, in order.
#[derive(Debug, Default)]
pub(crate) struct Outbound {
    queue: VecDeque<Waiting>,
    /// Of messages and responses; images are shared and bounded in number.
    bytes: usize,
    images: usize,
    /// Images were let go: the shard needs a whole one.
    stale: bool,
    scratch: Vec<u8>,
}

impl Outbound {
    pub fn message(&mut self, message: &ToData<'_>) {
        let mut bytes = Vec::new();
        message.encode(&mut bytes);
        self.bytes += bytes.len();
        self.queue.push_back(Waiting::Message(bytes));
    }

    pub fn response(&mut self, token: u64, frame: Vec<u8>) {
        self.frame(FrameKind::Response, token, frame);
    }

    pub fn own_request(&mut self, token: u64, frame: Vec<u8>) {
        self.frame(FrameKind::Own, token, frame);
    }

    /// A response that leaves with the success of an own request, which is queued after it.
    pub fn held_response(&mut self, own: u64, token: u64, frame: Vec<u8>) {
        self.frame(FrameKind::Held(own), token, frame);
    }

    fn frame(&mut self, kind: FrameKind, token: u64, frame: Vec<u8>) {
        self.bytes += frame.len();
        self.queue.push_back(Waiting::Frame {
            kind,
            token,
            frame,
            sent: 0,
        });
    }

    pub fn image(&mut self, image: Arc<EncodedImage>) {
        if self.stale {
            return;
        }
        self.queue.push_back(Waiting::Image { image, next: 0 });
        self.images += 1;
        if self.images > IMAGES_WAITING_MAX {
            self.stale = true;
            // One that has begun is finished: half an image would be none.
            self.queue
                .retain(|waiting| !matches!(waiting, Waiting::Image { next: 0, .. }));
            self.images = self
                .queue
                .iter()
                .filter(|waiting| matches!(waiting, Waiting::Image { .. }))
                .count();
        }
    }

    /// Bytes of answers that wait.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// True, once, when the shard missed images and has room for a whole one.
    pub fn take_stale(&mut self) -> bool {
        self.queue.is_empty() && std::mem::take(&mut self.stale)
    }

    pub fn clear(&mut self) {
        *self = Outbound::default();
    }

    /// Moves as much as there is room for into the ring; the caller publishes.
    pub fn flush(&mut self, ring: &mut Producer) -> Flushed {
        while let Some(front) = self.queue.front_mut() {
            let (pushed, finished) = push(front, ring, &mut self.scratch);
            match pushed {
                Ok(()) => {}
                Err(PushError::Full) => return Flushed::Blocked,
                Err(PushError::Corrupt) => return Flushed::Corrupt,
                // Our own bounds keep every message far below a ring's limit.
                Err(PushError::TooLong) => {
                    tracing::error!("a control message is longer than the ring takes");
                }
            }
            if finished || pushed.is_err() {
                match self.queue.pop_front() {
                    Some(Waiting::Message(bytes)) => self.bytes -= bytes.len(),
                    Some(Waiting::Frame { frame, .. }) => self.bytes -= frame.len(),
                    Some(Waiting::Image { .. }) => self.images -= 1,
                    None => {}
                }
            }
        }
        Flushed::All
    }
}

/// Pushes the next record of `waiting`; true when it was the last one.
fn push(
    waiting: &mut Waiting,
    ring: &mut Producer,
    scratch: &mut Vec<u8>,
) -> (Result<(), PushError>, bool) {
    match waiting {
        Waiting::Message(bytes) => (ring.try_push(&[bytes]), true),
        Waiting::Frame {
            kind,
            token,
            frame,
            sent,
        } => {
            let end = frame.len().min(*sent + FRAGMENT_LENGTH_MAX);
            let last = end == frame.len();
            scratch.clear();
            kind.head(*token, last).encode(scratch);
            let pushed = ring.try_push(&[scratch, &frame[*sent..end]]);
            if pushed.is_ok() {
                *sent = end;
            }
            (pushed, last)
        }
        Waiting::Image { image, next } => {
            let Some(message) = image.message(*next) else {
                return (Ok(()), true);
            };
            let pushed = ring.try_push(&[message]);
            if pushed.is_ok() {
                *next += 1;
            }
            (pushed, image.message(*next).is_none())
        }
    }
}

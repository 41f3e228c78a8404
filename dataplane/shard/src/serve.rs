//! Serves one connection for a turn: receives, finds frames, hands them to their handlers.
//!
//! Bytes are received into a buffer that is lent while there are any, and frames are handled where
//! they lie. A frame that is not whole yet stays where it is while the buffer has room behind it;
//! it moves to the front, or to a larger buffer, only when it has not.

use crate::connection::{ANSWERS_PER_CONNECTION_MAX, Connection};
use crate::core::{CloseReason, Core, Handled};
use crate::handlers;
use precursor_protocol::frame::{self, LENGTH_PREFIX};
use precursor_protocol::native;
use precursor_shm::{Buffer, ring};
use precursor_transport_port::{ConnectionId, ReceiveError, Transport};

/// Bytes of one connection that are received before others have their turn: a buffer of the largest
/// class.
const BYTES_PER_TURN: usize = 256 << 10;

/// Sizes of receive buffers: the first for a connection that says little, the last for one that
/// fills it. Larger is not faster: the bytes are read again right after, and should still be in
/// the processor's second-level cache.
const RECEIVE_CLASSES: [usize; 4] = [16 << 10, 64 << 10, 128 << 10, 256 << 10];

/// Largest buffer of the pool; longer frames get memory of their own.
const POOLED_BYTES_MAX: usize = 2 << 20;

/// A frame up to this long gets memory for all of it at its first bytes.
const BELIEVED_BYTES_MAX: usize = 256 << 10;

/// Why serving a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Served {
    /// Nothing is left to receive: an event will tell.
    Drained,
    /// There is more: serve it again after the others.
    More,
    /// Waiting for memory, answers or the control plane.
    Paused,
    /// The peer ended the stream; what it is owed may still leave.
    Ended,
    /// The connection is gone.
    Broken,
    Close(CloseReason),
}

/// What is in the way of the next frame.
enum Parsed {
    /// More bytes are needed; this many in all from the frame's beginning, if that is known.
    NeedsBytes {
        frame: Option<usize>,
    },
    Paused,
    /// The control plane has something to say.
    Interrupted,
    Close(CloseReason),
}

/// Receives and handles up to a turn's worth of one connection's bytes; after a frame, less when the
/// control plane wrote to `inbox`: others wait for that, and a turn's worth is long.
pub(crate) fn serve<T: Transport>(
    transport: &mut T,
    core: &mut Core,
    id: ConnectionId,
    inbox: &mut ring::Consumer,
) -> Served {
    let mut received = 0;
    loop {
        let Some(connection) = core.connections.get_mut(id) else {
            return Served::Broken;
        };
        let (mut start, mut filled) = (connection.start as usize, connection.filled as usize);
        let mut needed = None;
        let mut buffer = connection.buffer.take();
        if let Some(bytes) = &buffer
            && start < filled
        {
            let parsed = handle_frames(core, id, bytes, &mut start, filled, inbox);
            match parsed {
                Parsed::NeedsBytes { frame } => needed = frame,
                Parsed::Interrupted => {
                    store_buffer(core, id, buffer, start, filled);
                    return Served::More;
                }
                Parsed::Paused => {
                    store_buffer(core, id, buffer, start, filled);
                    return Served::Paused;
                }
                Parsed::Close(reason) => return Served::Close(reason),
            }
        }
        if start == filled {
            (start, filled) = (0, 0);
        }
        if received >= BYTES_PER_TURN || (received > 0 && waits(inbox)) {
            store_buffer(core, id, buffer, start, filled);
            return Served::More;
        }
        if !make_room(core, id, &mut buffer, &mut start, &mut filled, needed) {
            core.out_of_memory.push(id);
            store_buffer(core, id, buffer, start, filled);
            return Served::Paused;
        }
        let bytes = buffer.as_mut().expect("there is room now");
        match transport.receive(id, &mut bytes[filled..]) {
            Ok(count) => {
                received += count;
                filled += count;
                note_received(core, id, count, filled == bytes.len());
                store_buffer(core, id, buffer, start, filled);
            }
            Err(error) => {
                if start == filled {
                    buffer = None;
                }
                store_buffer(core, id, buffer, start, filled);
                return match error {
                    ReceiveError::WouldBlock => Served::Drained,
                    ReceiveError::EndOfStream => Served::Ended,
                    ReceiveError::Broken => Served::Broken,
                };
            }
        }
    }
}

fn store_buffer(
    core: &mut Core,
    id: ConnectionId,
    buffer: Option<Buffer>,
    start: usize,
    filled: usize,
) {
    if let Some(connection) = core.connections.get_mut(id) {
        connection.buffer = buffer;
        connection.start = start as u32;
        connection.filled = filled as u32;
    }
}

fn note_received(core: &mut Core, id: ConnectionId, count: usize, filled_up: bool) {
    let now_ms = core.now_ms();
    core.stats.network_bytes_in.add(count as u64);
    if let Some(connection) = core.connections.get_mut(id) {
        connection.active_ms = now_ms;
        let largest = RECEIVE_CLASSES.len() as u8 - 1;
        if filled_up && connection.receive_class < largest {
            connection.receive_class += 1;
        }
    }
}

/// Handles every whole frame in `bytes[*start..filled]`.
fn handle_frames(
    core: &mut Core,
    id: ConnectionId,
    bytes: &[u8],
    start: &mut usize,
    filled: usize,
    inbox: &mut ring::Consumer,
) -> Parsed {
    let mut handled = 0;
    loop {
        // One at least: the control plane may speak without end.
        if handled > 0 && waits(inbox) {
            return Parsed::Interrupted;
        }
        let rest = &bytes[*start..filled];
        let length = match frame::frame_length(rest, core.options.request_bytes_max) {
            Ok(Some(length)) => length,
            Ok(None) => return Parsed::NeedsBytes { frame: None },
            Err(_) => return Parsed::Close(CloseReason::BadFrame),
        };
        let whole = LENGTH_PREFIX + length;
        let Some(frame) = rest.get(LENGTH_PREFIX..whole) else {
            return Parsed::NeedsBytes { frame: Some(whole) };
        };
        let must_wait = core
            .connections
            .get_mut(id)
            .is_none_or(|c| c.muted || c.answer_count >= ANSWERS_PER_CONNECTION_MAX);
        if must_wait {
            return Parsed::Paused;
        }
        if native::is_native(frame) {
            let (bytes, outcome) = handlers::produce::native::handle(core, id, rest);
            *start += bytes;
            match outcome {
                Handled::Done => {
                    handled += 1;
                    continue;
                }
                Handled::Blocked => return Parsed::Paused,
                Handled::Close(reason) => return Parsed::Close(reason),
            }
        }
        let handled_one = match frame {
            _ if native::follow::is_follow(frame) => handlers::follow::handle(core, id, frame),
            _ if native::write::is_lend(frame) => handlers::write::lend(core, id, frame),
            _ if native::write::is_commit(frame) => handlers::write::commit(core, id, frame),
            _ => handlers::dispatch(core, id, frame),
        };
        match handled_one {
            Handled::Done => {
                *start += whole;
                handled += 1;
            }
            Handled::Blocked => return Parsed::Paused,
            Handled::Close(reason) => return Parsed::Close(reason),
        }
    }
}

/// Whether the control plane wrote something that is not read, or cannot be.
pub(crate) fn waits(inbox: &mut ring::Consumer) -> bool {
    !matches!(inbox.peek(), Ok(None))
}

/// Makes sure that the buffer has room to receive into; false when there is no memory.
fn make_room(
    core: &mut Core,
    id: ConnectionId,
    buffer: &mut Option<Buffer>,
    start: &mut usize,
    filled: &mut usize,
    needed: Option<usize>,
) -> bool {
    let class = core.connections.get_mut(id).map_or(0, |c| c.receive_class);
    let preferred = RECEIVE_CLASSES[usize::from(class)];
    if *filled == 0 && buffer.as_ref().is_some_and(|bytes| bytes.len() < preferred) {
        *buffer = None;
    }
    let Some(bytes) = buffer else {
        let smallest = RECEIVE_CLASSES[0];
        *buffer = core
            .buffers
            .take(preferred)
            .or_else(|| core.buffers.take(smallest));
        return buffer.is_some();
    };
    let partial = *filled - *start;
    // A frame whose length is not known yet needs its length at least.
    let mut wanted = needed.unwrap_or(LENGTH_PREFIX);
    if wanted > BELIEVED_BYTES_MAX {
        // A long frame gets memory as its bytes come, not as it claims.
        wanted = wanted.min((partial * 4).max(BELIEVED_BYTES_MAX));
    }
    if bytes.len() - *start >= wanted && *filled < bytes.len() {
        return true;
    }
    if bytes.len() >= wanted {
        bytes.copy_within(*start..*filled, 0);
    } else {
        let Some(mut larger) = take_at_least(core, wanted.max(preferred)) else {
            return false;
        };
        larger[..partial].copy_from_slice(&bytes[*start..*filled]);
        *buffer = Some(larger);
    }
    *filled = partial;
    *start = 0;
    true
}

/// A buffer for a frame of `length` bytes: pooled, or of its own where the pool has none so large.
fn take_at_least(core: &mut Core, length: usize) -> Option<Buffer> {
    if length <= POOLED_BYTES_MAX {
        core.buffers.take(length.next_power_of_two())
    } else {
        core.buffers.take_large(length)
    }
}

/// Whether a connection still waits for what it stopped for.
pub(crate) fn may_go_on(connection: &Connection) -> bool {
    connection.paused && !connection.muted && connection.answer_count < ANSWERS_PER_CONNECTION_MAX
}

//! Closed connections whose last bytes the peer has not taken yet.
//!
//! `close(2)` on a socket with unread input sends a reset, which throws away what is still queued
//! for sending. So a connection that is closed with bytes on their way is shut for writing
//! and kept, bounded in number and time, until the peer's kernel has them.

use std::collections::VecDeque;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use crate::sys;

const LINGERING_MAX: usize = 256;
const LINGER_TIME_MAX: Duration = Duration::from_secs(10);
/// How often the kernel is asked whether the bytes have left.
pub(crate) const SWEEP_INTERVAL: Duration = Duration::from_millis(50);

struct Lingering {
    socket: OwnedFd,
    deadline: Instant,
}

/// Sockets on their way out, oldest first.
pub(crate) struct LingeringSockets {
    sockets: VecDeque<Lingering>,
    next_sweep: Option<Instant>,
}

impl LingeringSockets {
    pub(crate) fn new() -> LingeringSockets {
        LingeringSockets {
            sockets: VecDeque::with_capacity(LINGERING_MAX),
            next_sweep: None,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.sockets.is_empty()
    }

    /// Closes `socket` as soon as the peer has what was sent. The caller has made sure that no
    /// event names it any more.
    pub(crate) fn add(&mut self, socket: OwnedFd) {
        sys::shut_down_sending(socket.as_fd());
        if self.sockets.len() == LINGERING_MAX {
            self.sockets.pop_front();
        }
        let now = Instant::now();
        self.sockets.push_back(Lingering {
            socket,
            deadline: now + LINGER_TIME_MAX,
        });
        self.next_sweep.get_or_insert(now + SWEEP_INTERVAL);
    }

    /// Lets go of the sockets that are done or late. Costs one comparison while there are none.
    pub(crate) fn sweep(&mut self) {
        let Some(next_sweep) = self.next_sweep else {
            return;
        };
        let now = Instant::now();
        if now < next_sweep {
            return;
        }
        self.sockets.retain(|lingering| {
            now < lingering.deadline && sys::bytes_unacknowledged(lingering.socket.as_fd()) > 0
        });
        self.next_sweep = (!self.sockets.is_empty()).then(|| now + SWEEP_INTERVAL);
    }
}

//! What a turn does with connections: serves, flushes and closes them.

use super::{SERVE_US_PER_TURN, SERVED_PER_TURN, Shard};
use crate::connection::is_own;
use crate::core::CloseReason;
use crate::fetch;
use crate::latency;
use crate::own;
use crate::send::{self, Flushed};
use crate::serve::{self, Served};
use precursor_transport_port::{ConnectionId, Transport};

impl<T: Transport> Shard<T> {
    /// Serves connections that have bytes, each at most once: those that send little first, and of
    /// those that send much one at least.
    pub(super) fn serve_connections(&mut self) -> bool {
        let core = &self.core;
        let little = core.to_serve.len().min(SERVED_PER_TURN);
        let bulk = core.to_serve_bulk.len().min(SERVED_PER_TURN);
        if little + bulk == 0 {
            return false;
        }
        let until_us = self.clock.monotonic_us() + SERVE_US_PER_TURN;
        for _ in 0..little {
            let Some(id) = self.core.to_serve.pop_front() else {
                break;
            };
            self.serve_and_flush(id);
            if self.clock.monotonic_us() >= until_us || serve::waits(&mut self.inbox) {
                break;
            }
        }
        for _ in 0..bulk {
            let Some(id) = self.core.to_serve_bulk.pop_front() else {
                break;
            };
            self.serve_and_flush(id);
            if self.clock.monotonic_us() >= until_us || serve::waits(&mut self.inbox) {
                break;
            }
        }
        true
    }

    /// A client that alone has something to say, and says little, is not made to wait for the rest
    /// of the turn, which is long beside its request.
    pub(super) fn serve_the_only_one(&mut self) -> bool {
        let alone = self.events.len() == 1 && self.core.to_serve.len() == 1;
        if !alone || !self.core.to_serve_bulk.is_empty() || serve::waits(&mut self.inbox) {
            return false;
        }
        let Some(id) = self.core.to_serve.pop_front() else {
            return false;
        };
        self.serve_and_flush(id);
        true
    }

    /// Answers leave before the next connection is served: its requests may be long.
    fn serve_and_flush(&mut self, id: ConnectionId) {
        self.serve_connection(id);
        fetch::run_due(&mut self.core);
        self.flush_connections();
    }

    fn serve_connection(&mut self, id: ConnectionId) {
        let Some(connection) = self.core.connections.get_mut(id) else {
            return;
        };
        connection.queued = false;
        connection.paused = connection.muted;
        if connection.muted {
            return;
        }
        if connection.closing {
            return;
        }
        if is_own(id) {
            return own::serve(&mut self.core, id);
        }
        match serve::serve(&mut self.transport, &mut self.core, id, &mut self.inbox) {
            Served::Drained => {
                if let Some(connection) = self.core.connections.get_mut(id) {
                    connection.readable = false;
                }
            }
            Served::More => self.core.serve_later(id),
            Served::Paused => {
                if let Some(connection) = self.core.connections.get_mut(id) {
                    connection.paused = true;
                }
            }
            Served::Ended => self.core.close_later(id, CloseReason::Ended),
            Served::Broken => {
                self.core.stats.closed_failed.add(1);
                self.core.forget_connection(id);
            }
            Served::Close(reason) => self.core.close_later(id, reason),
        }
    }

    pub(super) fn flush_later(&mut self, id: ConnectionId) {
        if let Some(connection) = self.core.connections.get_mut(id)
            && !connection.flush_queued
        {
            connection.flush_queued = true;
            self.core.to_flush.push(id);
        }
    }

    pub(super) fn flush_connections(&mut self) {
        while let Some(id) = self.core.to_flush.pop() {
            self.flush(id);
        }
    }

    pub(super) fn flush(&mut self, id: ConnectionId) {
        let core = &mut self.core;
        if is_own(id) {
            return own::flush(core, id);
        }
        let Some(connection) = core.connections.get_mut(id) else {
            return;
        };
        connection.flush_queued = false;
        if connection.send_blocked {
            return;
        }
        let (clock, latency) = (&self.clock, core.stats.latency());
        let mut left_us = None;
        let (flushed, sent) = send::flush(
            &mut self.transport,
            self.holds_memory,
            &mut core.connections,
            &mut core.answers,
            &mut core.store,
            id,
            |answer| {
                // Read once for all that leave together.
                let left_us = *left_us.get_or_insert_with(|| clock.monotonic_us());
                latency::answered(latency, answer, left_us);
            },
        );
        if sent > 0 {
            core.stats.network_bytes_out.add(sent);
            let now_ms = core.now_ms();
            if let Some(connection) = core.connections.get_mut(id) {
                connection.active_ms = now_ms;
            }
        }
        if flushed == Flushed::Broken {
            core.stats.closed_failed.add(1);
            core.forget_connection(id);
        } else {
            self.resume_if_paused(id);
        }
    }

    /// A connection that stopped reading because it is owed much goes on once it is owed less.
    pub(super) fn resume_if_paused(&mut self, id: ConnectionId) {
        let connection = self.core.connections.get_mut(id);
        if connection.is_some_and(|connection| serve::may_go_on(connection)) {
            self.core.serve_later(id);
        }
    }

    pub(super) fn close_connections(&mut self) {
        while let Some((id, reason)) = self.core.to_close.pop() {
            if self.core.connections.get(id).is_none() {
                continue;
            }
            let stats = &self.core.stats;
            match reason {
                CloseReason::BadFrame => stats.closed_bad_frame.add(1),
                CloseReason::Idle | CloseReason::Stalled => stats.closed_idle.add(1),
                CloseReason::Ended => stats.closed_failed.add(1),
                CloseReason::Unanswerable
                | CloseReason::UnacknowledgedError
                | CloseReason::RequestLost => stats.requests_failed.add(1),
            }
            if is_own(id) {
                own::refuse(&mut self.core, id);
                continue;
            }
            self.transport.close(id);
            self.core.forget_connection(id);
        }
    }
}

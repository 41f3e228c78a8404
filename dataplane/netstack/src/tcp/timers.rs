//! What happens when time passes.

use super::acknowledge::{detect_by_time, enter_fast_recovery};
use super::{Flags, State};
use crate::config::Nanos;
use crate::stack::Stack;

/// Timeouts in a row, and window probes, that a connection without user may cost.
const ORPHAN_RETRIES: u8 = 8;

impl Stack {
    /// Does what is due at `now`. Nothing is sent before [`Stack::transmit`].
    pub fn poll_timers(&mut self, now: Nanos) {
        let now = self.clock(now);
        while let Some(slot) = self.wheel.pop_due(now) {
            self.on_timer(slot as usize, now);
        }
        if self.neighbours.next_deadline().is_some_and(|at| at <= now) {
            let mut asked = [None; 32];
            let mut count = 0;
            self.neighbours.poll(now, &mut |address| {
                if count < asked.len() {
                    asked[count] = Some(address);
                    count += 1;
                }
            });
            for address in asked.into_iter().flatten() {
                self.ask_neighbour(address, None);
            }
        }
    }

    /// When [`Stack::poll_timers`] should be called next; may be early. None: never, unless
    /// something else happens.
    pub fn next_timeout(&self) -> Option<Nanos> {
        if self.can_feed() {
            return Some(self.time());
        }
        let (wheel, asking) = (self.wheel.next_deadline(), self.neighbours.next_deadline());
        match (wheel, asking) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    /// Sets the wheel to the earliest of a connection's deadlines.
    pub(crate) fn arm(&mut self, slot: usize) {
        let (reorder_at, pace_at) = self
            .active(slot)
            .map_or((0, 0), |active| (active.reorder_at, active.bbr.wakes_at()));
        let connection = &self.connections[slot];
        let keep_alive_at = self.keep_alive_at(slot).unwrap_or(0);
        let all = [
            connection.retransmit_at,
            connection.acknowledge_at,
            reorder_at,
            pace_at,
            keep_alive_at,
        ];
        if let Some(first) = all.into_iter().filter(|at| *at != 0).min() {
            self.wheel.set(slot as u32, first);
        }
    }

    /// When a silent peer is asked next.
    fn keep_alive_at(&self, slot: usize) -> Option<Nanos> {
        let keep_alive = self.config.tcp.keep_alive?;
        let connection = &self.connections[slot];
        let waits = matches!(
            connection.state,
            State::Established | State::CloseWait | State::FinWait2
        );
        if !waits || connection.outstanding() > 0 || connection.retransmit_at != 0 {
            return None;
        }
        let probes = Nanos::from(connection.probes);
        Some(connection.heard_at + keep_alive.idle + probes * keep_alive.interval)
    }

    fn on_timer(&mut self, slot: usize, now: Nanos) {
        let connection = &mut self.connections[slot];
        if connection.state == State::Closed {
            return;
        }
        if connection.acknowledge_at != 0 && connection.acknowledge_at <= now {
            connection.acknowledge_at = 0;
            connection.flags.set(Flags::ACK_NOW);
            self.ready.push(slot as u32);
        }
        if let Some(active) = self.actives.find_mut(connection.active)
            && active.bbr.wakes_at() != 0
            && active.bbr.wakes_at() <= now
        {
            active.bbr.woke();
            self.ready.push(slot as u32);
        }
        if let Some(active) = self.actives.find_mut(connection.active)
            && active.reorder_at != 0
            && active.reorder_at <= now
        {
            detect_by_time(connection, active, now);
            if active.board.lost() > 0 && !active.recovery.is_recovering() {
                enter_fast_recovery(connection, active, &self.config.tcp, &mut self.statistics);
            }
            self.ready.push(slot as u32);
        }
        if connection.retransmit_at != 0 && connection.retransmit_at <= now {
            self.on_retransmission(slot, now);
        } else if self.keep_alive_at(slot).is_some_and(|at| at <= now) {
            self.on_silence(slot);
        }
        if self.connections[slot].state != State::Closed {
            self.arm(slot);
        }
    }

    fn on_retransmission(&mut self, slot: usize, now: Nanos) {
        let connection = &mut self.connections[slot];
        connection.retransmit_at = 0;
        match connection.state {
            State::TimeWait => return self.end_time_wait(slot),
            State::FinWait2 if connection.flags.has(Flags::ORPHAN) => return self.vacate(slot),
            State::SynSent | State::SynReceived => {
                if connection.backoff >= self.config.tcp.syn_retries {
                    return self.fail(slot);
                }
                connection.backoff += 1;
                connection.flags.set(Flags::SYN_PENDING);
                self.statistics.segments_retransmitted += 1;
                self.ready.push(slot as u32);
                return;
            }
            _ => {}
        }
        self.ready.push(slot as u32);
        if connection.outstanding() == 0 {
            return self.probe_window(slot, now);
        }
        if connection.flags.take(Flags::PROBE_TIMER) {
            self.statistics.tail_loss_probes += 1;
            let connection = &mut self.connections[slot];
            let payload = self.actives.find(connection.active);
            if payload.is_some_and(|active| !active.board.is_empty()) {
                connection.flags.set(Flags::TAIL_PROBE_PENDING);
            } else {
                connection.flags.set(Flags::FIN_AGAIN);
            }
            // Should the probe not leave, the timeout must come all the same.
            let timeout = connection.retransmission_timeout(&self.config.tcp, false);
            connection.retransmit_at = now + timeout;
            return;
        }
        self.time_out(slot, now);
    }

    /// RFC 6298, 5.4 to 5.6; RFC 8985, 6.3.
    fn time_out(&mut self, slot: usize, now: Nanos) {
        let connection = &mut self.connections[slot];
        let orphan = connection.flags.has(Flags::ORPHAN);
        let retries = if orphan { ORPHAN_RETRIES } else { u8::MAX };
        if connection.backoff >= self.config.tcp.retries.min(retries) {
            self.reset(slot);
            return self.fail(slot);
        }
        self.statistics.retransmission_timeouts += 1;
        if connection.fin_outstanding() {
            connection.flags.set(Flags::FIN_AGAIN);
        }
        connection.flags.clear(Flags::TAIL_PROBE_PENDING);
        let config = &self.config.tcp;
        if let Some(active) = self.actives.find_mut(connection.active)
            && !active.board.is_empty()
        {
            let recovering = active.recovery.is_recovering();
            // Without SACK nobody tells which arrived: all go again.
            let age = match connection.round_trip() {
                Some(known) if connection.flags.has(Flags::SACK) => {
                    known.max(active.rack.patience(connection, &active.board, recovering))
                }
                _ => 0,
            };
            let flight = active.board.pipe() + active.board.lost();
            let which = config.congestion_control;
            active
                .recovery
                .enter_timeout(which, connection, &mut active.cubic, flight);
            active.board.time_out(now, age);
            active.rack.probe = None;
            active.reorder_at = 0;
        }
        connection.backoff = connection.backoff.saturating_add(1);
        let timeout = connection.retransmission_timeout(config, false);
        connection.retransmit_at = now + timeout;
    }

    /// The peer's window is shut and nothing is on the way.
    fn probe_window(&mut self, slot: usize, now: Nanos) {
        let patience = 4 * self.config.tcp.rto_max;
        let connection = &mut self.connections[slot];
        if self
            .actives
            .find(connection.active)
            .is_none_or(|active| active.send.is_empty())
        {
            return;
        }
        let orphan = connection.flags.has(Flags::ORPHAN) && connection.probes >= ORPHAN_RETRIES;
        let dead = now.saturating_sub(connection.heard_at) > patience
            && connection.probes >= self.config.tcp.retries.min(10);
        if orphan || dead {
            self.reset(slot);
            return self.fail(slot);
        }
        connection.probes = connection.probes.saturating_add(1);
        connection.flags.set(Flags::PROBE_PENDING);
        self.statistics.window_probes_sent += 1;
    }

    /// The peer was silent for long.
    fn on_silence(&mut self, slot: usize) {
        let Some(keep_alive) = self.config.tcp.keep_alive else {
            return;
        };
        let connection = &mut self.connections[slot];
        if connection.probes >= keep_alive.probes {
            self.reset(slot);
            return self.fail(slot);
        }
        connection.probes += 1;
        connection.flags.set(Flags::PROBE_PENDING);
        self.statistics.keep_alives_sent += 1;
        self.ready.push(slot as u32);
    }

    /// A hop carries packets of `mtu` bytes only; 0 where it does not say (RFC 1191, 7.1).
    pub(crate) fn lower_path_mtu(&mut self, slot: usize, mtu: u32, now: Nanos) {
        let connection = &mut self.connections[slot];
        let v4 = connection.remote.is_v4();
        let headers = (crate::wire::ip::header_bytes(v4) + crate::wire::tcp::HEADER) as u32;
        // Below these no link is, only an attack (RFC 8201: 1280; Linux: 552 for IPv4).
        let least = if v4 { 552 } else { 1280 };
        let told = if mtu == 0 { 576 } else { mtu };
        let mss = told.max(least) - headers;
        if mss >= u32::from(connection.mss) {
            return;
        }
        connection.mss = mss as u16;
        self.statistics.path_mtu_lowered += 1;
        let segment = connection.segment_bytes();
        if let Some(active) = self.actives.find_mut(connection.active) {
            active.board.mark_too_long(segment);
            active.recovery.send_one |= active.board.lost() > 0;
        }
        // It was size, not congestion: the lost leave at once, the windows stay (RFC 1191, 6.5).
        connection.heard_at = connection.heard_at.max(now);
        self.ready.push(slot as u32);
    }
}

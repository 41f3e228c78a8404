//! What an acknowledgment tells of the data in flight, and what follows for the windows.

use super::bbr::Progress;
use super::congestion;
use super::rack::{TailProbe, probe_after};
use super::scoreboard::Sent;
use super::send_queue::Freed;
use super::{Active, Connection, Flags};
use crate::chunks::Chunks;
use crate::config::{CongestionControl, Nanos, TcpConfig};
use crate::sequence::{after, at_least, at_most, before, distance};
use crate::statistics::Statistics;
use crate::wire::tcp::SackBlock;

/// Duplicate acknowledgments that tell a loss where the peer has no SACK (RFC 5681, 3.2).
const DUPLICATES: u8 = 3;

/// An acknowledgment that was found acceptable.
pub struct Acknowledgment<'a> {
    pub number: u32,
    pub blocks: &'a [SackBlock],
    /// The timestamp that it answers, where timestamps are agreed on.
    pub echo: Option<u32>,
    /// It has no payload and says of number and window what is known.
    pub repeated: bool,
    /// By RFC 5681's definition.
    pub duplicate: bool,
    pub now: Nanos,
}

/// What the functions here need besides the connection.
pub struct Context<'a> {
    pub config: &'a TcpConfig,
    pub chunks: &'a mut Chunks,
    pub statistics: &'a mut Statistics,
}

/// What arrived by one acknowledgment's word.
#[derive(Default)]
struct Arrivals {
    bytes: u32,
    /// When the first and the last left of those that were sent once.
    first_sent_at: Option<Nanos>,
    last_sent_at: Option<Nanos>,
    any_sent_again: bool,
    reported_twice: bool,
}

/// Applies an acknowledgment; returns what became free.
pub fn take(
    connection: &mut Connection,
    active: &mut Active,
    ack: &Acknowledgment<'_>,
    context: &mut Context<'_>,
) -> Freed {
    let before_it = connection.send_unacknowledged;
    let advanced = distance(before_it, ack.number);
    let limited = active.recovery.was_limited(before_it);
    let (was_recovering, was_fast) = (active.recovery.is_recovering(), active.recovery.is_fast());
    let (pipe_before, lost_before) = (active.board.pipe(), active.board.lost());
    let arrivals = arrivals(connection, active, ack, context.config.segments_max);
    connection.send_unacknowledged = ack.number;
    measure(connection, &arrivals, ack.now);
    if arrivals.reported_twice {
        active.rack.duplicate_seen(connection.send_next);
    }
    if advanced > 0 {
        connection.backoff = 0;
        active.rack.acknowledged(ack.number);
        if active.recovery.try_undo(connection, ack.echo) {
            active.board.forgive();
            context.statistics.recoveries_undone += 1;
        }
        if active
            .recovery
            .try_end(context.config.congestion_control, connection)
        {
            active.rack.recovery_ended();
            connection.duplicates = 0;
        }
    }
    check_probe(connection, active, ack, context.config);
    find_losses(connection, active, ack, advanced, context);
    if context.config.congestion_control == CongestionControl::Bbr {
        let lost = active.board.lost().saturating_sub(lost_before);
        follow_bandwidth(connection, active, &arrivals, (pipe_before, lost), ack.now);
    } else if active.recovery.is_fast() {
        let pipe = active.board.pipe();
        let delivered = if ack.duplicate && !connection.flags.has(Flags::SACK) {
            connection.segment_bytes()
        } else {
            arrivals.bytes
        };
        active.recovery.pace(connection, delivered, pipe);
    } else if advanced > 0 && !was_fast {
        // What arrived beyond a gap counts once the gap is filled (RFC 5681, 3.1), but after a
        // timeout a jump over it would be a burst.
        let bytes = if was_recovering {
            arrivals.bytes
        } else {
            advanced
        };
        let which = context.config.congestion_control;
        congestion::grow(
            which,
            connection,
            &mut active.cubic,
            bytes,
            limited,
            ack.now,
        );
    }
    if advanced > 0 {
        set_timer(connection, Some(active), context.config, ack.now);
    }
    active.send.release(ack.number, context.chunks)
}

/// Applies an acknowledgment to a connection without buffers: at most its end is on the way.
pub fn take_idle(connection: &mut Connection, ack: &Acknowledgment<'_>, config: &TcpConfig) {
    if connection.flags.has(Flags::PROBE_UNJUDGED) && probe_was_needless(ack) {
        connection.flags.clear(Flags::PROBE_UNJUDGED);
    }
    if after(ack.number, connection.send_unacknowledged) {
        connection.send_unacknowledged = ack.number;
        connection.backoff = 0;
        set_timer(connection, None, config, ack.now);
    }
}

/// BBR's share of an acknowledgment.
fn follow_bandwidth(
    connection: &mut Connection,
    active: &mut Active,
    arrivals: &Arrivals,
    (pipe_before, lost): (u32, u32),
    now: Nanos,
) {
    let sample = active.delivery.sample(now);
    let round_trip = arrivals.last_sent_at.map(|at| now.saturating_sub(at));
    let progress = Progress {
        bytes: arrivals.bytes,
        lost,
        round_trip: round_trip.filter(|_| !arrivals.any_sent_again),
        pipe_before,
        pipe: active.board.pipe(),
        recovering: active.recovery.is_recovering(),
        window_before: active.recovery.window_before(),
        now,
    };
    let Active { bbr, delivery, .. } = active;
    bbr.acknowledged(connection, delivery, sample.as_ref(), &progress);
}

/// Notes on the scoreboard what arrived.
fn arrivals(
    connection: &Connection,
    active: &mut Active,
    ack: &Acknowledgment<'_>,
    limit: usize,
) -> Arrivals {
    let mut arrivals = Arrivals::default();
    let Active {
        board,
        rack,
        delivery,
        ..
    } = active;
    let least = connection.round_trip_min();
    let mut each = |sent: &Sent| {
        delivery.arrived(sent);
        arrivals.bytes += sent.length;
        if sent.retransmitted {
            arrivals.any_sent_again = true;
        } else {
            let first = arrivals
                .first_sent_at
                .map_or(sent.sent_at, |at| at.min(sent.sent_at));
            arrivals.first_sent_at = Some(first);
            arrivals.last_sent_at = arrivals.last_sent_at.max(Some(sent.sent_at));
        }
        let left = connection.timestamp(sent.sent_at);
        let older = ack.echo.is_some_and(|echo| before(echo, left));
        rack.deliver(sent, ack.now, least, older);
    };
    board.acknowledge(ack.number, &mut each);
    for block in ack.blocks {
        let sound = before(block.start, block.end)
            && at_least(block.start, ack.number)
            && at_most(block.end, connection.send_next);
        if sound {
            board.sack(*block, limit, &mut each);
        }
    }
    arrivals.reported_twice = reports_duplicate(ack);
    arrivals
}

/// Whether the first block reports a segment that came twice (RFC 2883, 4).
fn reports_duplicate(ack: &Acknowledgment<'_>) -> bool {
    match ack.blocks {
        [] => false,
        [first, rest @ ..] => {
            at_most(first.end, ack.number)
                || rest.first().is_some_and(|second| {
                    at_least(first.start, second.start) && at_most(first.end, second.end)
                })
        }
    }
}

fn measure(connection: &mut Connection, arrivals: &Arrivals, now: Nanos) {
    let (Some(first), Some(last)) = (arrivals.first_sent_at, arrivals.last_sent_at) else {
        return;
    };
    // Bytes that waited behind a hole, which a retransmission filled, measure the hole.
    if !arrivals.any_sent_again {
        connection.measure(now.saturating_sub(first));
        let least = (now.saturating_sub(last) / 1_000).max(1) as u32;
        connection.rtt_min = connection.rtt_min.min(least);
    }
}

/// RFC 8985, 7.4.2: was the tail lost that a probe repaired?
fn check_probe(
    connection: &mut Connection,
    active: &mut Active,
    ack: &Acknowledgment<'_>,
    config: &TcpConfig,
) {
    let Some(TailProbe {
        end,
        retransmission,
    }) = active.rack.probe
    else {
        return;
    };
    if before(ack.number, end) {
        return;
    }
    if !retransmission || probe_was_needless(ack) {
        active.rack.probe = None;
    } else if after(ack.number, end) {
        active.rack.probe = None;
        if config.congestion_control == CongestionControl::Bbr {
            return;
        }
        let flight = connection.congestion_window;
        congestion::reduce(
            config.congestion_control,
            connection,
            &mut active.cubic,
            flight,
        );
        connection.congestion_window = connection.slow_start_threshold;
    }
}

/// The peer has both the original and the probe: it reports a segment that came twice, or, without
/// DSACK, repeats itself.
fn probe_was_needless(ack: &Acknowledgment<'_>) -> bool {
    reports_duplicate(ack) || (ack.repeated && ack.blocks.is_empty())
}

/// Decides what is lost, and begins a recovery.
fn find_losses(
    connection: &mut Connection,
    active: &mut Active,
    ack: &Acknowledgment<'_>,
    advanced: u32,
    context: &mut Context<'_>,
) {
    if connection.flags.has(Flags::SACK) {
        detect_by_time(connection, active, ack.now);
    } else {
        count_duplicates(connection, active, ack, advanced);
    }
    if active.board.lost() > 0 && !active.recovery.is_recovering() {
        enter_fast_recovery(connection, active, context.config, context.statistics);
    }
}

pub fn detect_by_time(connection: &Connection, active: &mut Active, now: Nanos) {
    let recovering = active.recovery.is_recovering();
    if active.board.sacked() == 0 && !recovering {
        active.reorder_at = 0;
        return;
    }
    let Active { board, rack, .. } = active;
    let next = rack.detect(connection, board, recovering, now);
    active.reorder_at = next.unwrap_or(0);
}

pub fn enter_fast_recovery(
    connection: &mut Connection,
    active: &mut Active,
    config: &TcpConfig,
    statistics: &mut Statistics,
) {
    statistics.fast_recoveries += 1;
    let flight = connection.outstanding();
    let which = config.congestion_control;
    active
        .recovery
        .enter_fast(which, connection, &mut active.cubic, flight);
}

/// NewReno (RFC 6582): three duplicates tell a loss, and each partial acknowledgment the next.
fn count_duplicates(
    connection: &mut Connection,
    active: &mut Active,
    ack: &Acknowledgment<'_>,
    advanced: u32,
) {
    let segment = connection.segment_bytes();
    if advanced > 0 {
        active.board.suppose_less(advanced.saturating_sub(segment));
        if active.recovery.is_fast() {
            if !active.board.is_empty() {
                active.board.mark_lost(0);
            }
        } else {
            connection.duplicates = 0;
            active.board.suppose_less(u32::MAX);
        }
        return;
    }
    if !ack.duplicate || active.board.is_empty() {
        return;
    }
    connection.duplicates = connection.duplicates.saturating_add(1);
    active.board.suppose(segment);
    if connection.duplicates == DUPLICATES && !active.recovery.is_recovering() {
        active.board.mark_lost(0);
    }
}

/// Sets the timer for what is in flight: a tail loss probe, or the retransmission timeout.
pub fn set_timer(
    connection: &mut Connection,
    active: Option<&Active>,
    config: &TcpConfig,
    now: Nanos,
) {
    connection.flags.clear(Flags::PROBE_TIMER);
    let outstanding = connection.outstanding();
    if outstanding == 0 {
        connection.retransmit_at = 0;
        return;
    }
    let lone = outstanding < 2 * connection.segment_bytes();
    let timeout = connection.retransmission_timeout(config, lone);
    connection.retransmit_at = now + timeout;
    let probe =
        active.and_then(|active| probe_after(connection, active, lone, config.peer_ack_delay));
    if let Some(probe) = probe.filter(|probe| *probe < timeout) {
        connection.retransmit_at = now + probe;
        connection.flags.set(Flags::PROBE_TIMER);
    }
}

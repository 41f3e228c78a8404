//! How losses are told and repaired, and what they cost: RFC 8985, RFC 6937, RFC 6298.

use precursor_netstack::{CongestionControl, StackConfig};

use crate::double::{MILLISECOND, SECOND};
use crate::script::{Script, data, seg};
use crate::wire::{ACK, FIN, RST, Segment};

/// A connection with SACK whose congestion window is far above the initial one and below the peer's, and
/// the first number that was not sent. Its round trip is 1 ms by now.
fn opened() -> (Script, u32) {
    opened_by(CongestionControl::Cubic)
}

fn opened_by(which: CongestionControl) -> (Script, u32) {
    let offer = |syn: &mut Segment| (syn.sack_ok, syn.scale) = (true, Some(7));
    let with = |config: &mut StackConfig| config.tcp.congestion_control = which;
    let mut script = Script::established(with, offer);
    let end = through(&mut script, 100_000, 1);
    (script, end)
}

/// Sends so many bytes, all of which arrive; returns the end of the last. `end` is that of those before.
fn through(script: &mut Script, bytes: usize, mut end: u32) -> u32 {
    script.send(bytes);
    loop {
        let sent = script.drain();
        let Some(last) = sent.last() else {
            return end;
        };
        end = last.seq.wrapping_add(last.payload.len() as u32);
        script.pass(MILLISECOND);
        script.inject(seg(ACK, 1, end));
    }
}

fn probes(script: &Script) -> u64 {
    script.stack.statistics().tail_loss_probes
}

fn timeouts(script: &Script) -> u64 {
    script.stack.statistics().retransmission_timeouts
}

/// Time passes until there was one more timeout.
fn time_out(script: &mut Script) {
    let before = timeouts(script);
    while timeouts(script) == before {
        script.pass(MILLISECOND);
    }
}

/// RFC 8985, 7.4.2: a tail that only a probe repaired was lost, and a loss is congestion; but not where
/// the peer had both, or the probe was new.
#[test]
fn a_tail_that_was_repaired_by_a_probe_reduces_the_window() {
    let window_after = |answer: &dyn Fn(&mut Script, u32, u32) -> u32| {
        let (mut script, first) = opened();
        script.send(4_000);
        script.drain();
        script.pass(MILLISECOND);
        script.inject(seg(ACK, 1, first + 2_000));
        while probes(&script) == 0 {
            script.pass(MILLISECOND);
        }
        let probe = script.drain();
        assert_eq!(probe.last().map(|probe| probe.seq), Some(first + 3_000));
        // The peer's next number.
        let next = answer(&mut script, first + 3_000, first + 4_000);
        script.send(1_000);
        script.inject(seg(ACK, next, first + 5_000));
        script.drain();
        script.send(200_000);
        script.drain().len()
    };
    let needless = window_after(&|script, probe, end| {
        script.inject(seg(ACK, 1, end).sacks(&[(probe, end)]));
        1
    });
    let lost = window_after(&|script, _, end| {
        script.inject(seg(ACK, 1, end));
        1
    });
    assert_eq!(lost, needless * 7 / 10);
    // The report that it came twice may come by itself, and a peer without it repeats what it said.
    let late = window_after(&|script, probe, end| {
        script.inject(seg(ACK, 1, end));
        script.inject(seg(ACK, 1, end).sacks(&[(probe, end)]));
        1
    });
    let repeated = window_after(&|script, _, end| {
        (0..2).for_each(|_| script.inject(seg(ACK, 1, end)));
        1
    });
    assert_eq!((late, repeated), (needless, needless));
    // Bytes from the peer, which are waited for with buffers, change nothing.
    let answered = window_after(&|script, _, end| {
        script.inject(seg(ACK, 1, end));
        script.inject(data(1, end, b"answer"));
        1 + script.recv().unwrap().len() as u32
    });
    assert_eq!(answered, lost);
}

/// RFC 8985, 7.3: where the peer's window and the user allow it, the probe is new, and tells of no loss.
#[test]
fn a_probe_of_new_bytes_reduces_nothing() {
    let (mut script, first) = opened();
    script.send(900_000);
    let flight = script.drain().len() as u32;
    while probes(&script) == 0 {
        script.pass(MILLISECOND);
    }
    let probe = script.drain();
    assert_eq!(probe.len(), 1);
    assert_eq!(probe[0].seq, first + flight * 1_000);
    let (mut end, mut before) = (first + (flight + 1) * 1_000, flight);
    for _ in 0..2 {
        script.inject(seg(ACK, 1, end));
        let sent = script.drain().len() as u32;
        assert!(sent >= before, "{sent} after {before}");
        end += sent * 1_000;
        before = sent;
    }
}

/// RFC 6937 (RFC 9438, 4.6): while a loss is repaired sending goes on at the reduced rate, neither in
/// bursts nor not at all.
#[test]
fn sending_slows_down_evenly_in_recovery() {
    let (mut script, first) = opened();
    script.send(200_000);
    let flight = script.drain().len() as u32;
    assert!(flight > 30, "{flight}");
    script.pass(MILLISECOND);
    let mut left = 0;
    for arrived in 1..flight {
        let block = (first + 1_000, first + 1_000 * (arrived + 1));
        script.inject(seg(ACK, 1, first).sacks(&[block]));
        let now = script.drain().len() as u32;
        assert!(now <= 2, "{now} at once, after {arrived} arrived");
        left += now;
        // 7 for each 10 that arrived, and four before three beyond the gap tell the loss.
        assert!(left <= arrived * 7 / 10 + 4, "{left} of {arrived}");
        assert!(left + 3 >= arrived * 6 / 10, "{left} of {arrived}");
    }
    assert_eq!(script.stack.statistics().fast_recoveries, 1);
}

/// RFC 6937: where most is lost, what is on the way may come back to the threshold, but at no more than
/// twice the pace of what arrives.
#[test]
fn after_a_heavy_loss_sending_comes_back_as_in_slow_start() {
    let (mut script, first) = opened();
    script.send(400_000);
    let flight = script.drain().len() as u32;
    script.pass(MILLISECOND);
    let mut left = 0;
    for arrived in 1..=8 {
        let block = (
            first + 1_000 * (flight - 8),
            first + 1_000 * (flight - 8 + arrived),
        );
        script.inject(seg(ACK, 1, first).sacks(&[block]));
        let now = script.drain().len() as u32;
        // The first three tell, and what they brought counts at once.
        assert!(now <= 4, "{now} at once, after {arrived} arrived");
        left += now;
    }
    assert!((9..=16).contains(&left), "{left}");
}

/// RFC 9438, 4.6: the window after a recovery is the reduced one, whatever recovery did with it.
#[test]
fn the_window_after_a_recovery_is_the_threshold() {
    for (which, tenths) in [
        (CongestionControl::Cubic, 7),
        (CongestionControl::NewReno, 5),
    ] {
        let (mut script, first) = opened_by(which);
        script.send(400_000);
        let flight = script.drain().len() as u32;
        script.pass(MILLISECOND);
        let block = (first + 1_000 * (flight - 3), first + 1_000 * flight);
        script.inject(seg(ACK, 1, first).sacks(&[block]));
        assert_eq!(script.stack.statistics().fast_recoveries, 1);
        script.drain();
        script.inject(seg(ACK, 1, first + 1_000 * flight));
        let sent = script.drain().len() as u32;
        assert_eq!(sent, flight * tenths / 10, "{which:?}, {flight} before");
    }
}

/// RFC 5681, 3.1: windows grow by what is acknowledged, not by what arrived beyond a gap.
#[test]
fn the_window_grows_with_cumulative_acknowledgments_only() {
    let mut script = Script::with_sack();
    script.send(60_000);
    assert_eq!(script.drain().len(), 10);
    script.pass(20 * MILLISECOND);
    // Two beyond a gap are no loss yet; two more may leave for them.
    script.inject(seg(ACK, 1, 1).sacks(&[(1_001, 3_001)]));
    assert_eq!(script.drain().len(), 2);
    // The gap is filled: all three count, in slow start.
    script.inject(seg(ACK, 1, 3_001));
    assert_eq!(script.drain().len(), 1 + 3);
    assert_eq!(script.stack.statistics().segments_retransmitted, 0);
}

/// RFC 8985, 6.2: once segments were seen to overtake each other, also three beyond a gap are given time.
#[test]
fn after_reordering_was_seen_also_many_beyond_a_gap_are_waited_for() {
    let mut script = Script::with_sack();
    script.send(8_000);
    script.drain();
    script.pass(20 * MILLISECOND);
    script.inject(seg(ACK, 1, 1).sacks(&[(1_001, 2_001)]));
    script.inject(seg(ACK, 1, 2_001));
    script.inject(seg(ACK, 1, 2_001).sacks(&[(3_001, 7_001)]));
    script.pass(4 * MILLISECOND);
    script.nothing();
    script.pass(2 * MILLISECOND);
    script.expect(ACK, 2_001, 1, 1_000);
}

/// RFC 8985, 6.2: a retransmission that came twice was needless, so the next gap is given more time.
#[test]
fn a_report_of_a_duplicate_widens_the_time_that_gaps_are_given() {
    let mut script = Script::with_sack();
    script.send(8_000);
    script.drain();
    script.pass(20 * MILLISECOND);
    script.inject(seg(ACK, 1, 1).sacks(&[(1_001, 5_001)]));
    script.expect(ACK, 1, 1, 1_000);
    // The original came after all, and so did the retransmission. More is on its way.
    script.inject(seg(ACK, 1, 5_001).sacks(&[(1, 1_001)]));
    script.send(4_000);
    script.drain();
    script.inject(seg(ACK, 1, 8_001));
    script.pass(20 * MILLISECOND);
    script.inject(seg(ACK, 1, 8_001).sacks(&[(9_001, 12_001)]));
    // Two quarters of 20 ms.
    script.pass(9 * MILLISECOND);
    script.nothing();
    script.pass(2 * MILLISECOND);
    script.expect(ACK, 8_001, 1, 1_000);
}

/// RFC 8985, 6.2 step 2: an acknowledgment of the original says nothing of when its retransmission left.
#[test]
fn an_echo_of_the_original_does_not_make_others_overtaken() {
    let offer = |syn: &mut Segment| (syn.sack_ok, syn.ts) = (true, Some((1_000, 0)));
    let mut script = Script::established(|_| {}, offer);
    script.send(5_000);
    let first = script.drain()[0].ts.unwrap().0;
    time_out(&mut script);
    script.drain();
    // Later than the least round trip, so that only the echo tells.
    script.pass(25 * MILLISECOND);
    script.nothing();
    script.ts = Some((1_100, first));
    script.inject(seg(ACK, 1, 989));
    assert_eq!(script.stack.statistics().recoveries_undone, 1);
    // One that arrived of those sent with the first is a gap of a moment, no more.
    script.inject(seg(ACK, 1, 989).sacks(&[(1_977, 2_965)]));
    script.nothing();
}

/// RFC 8985, 7.2: the acknowledgment of a lone segment may be held back, which is no loss.
#[test]
fn the_probe_of_a_lone_segment_waits_for_a_held_back_acknowledgment() {
    let mut script = Script::with_sack();
    script.send(1_500);
    assert_eq!(script.drain().len(), 2);
    // Two round trips of 20 ms, and 40 ms.
    script.pass(79 * MILLISECOND);
    script.nothing();
    script.pass(2 * MILLISECOND);
    script.expect(ACK, 1_001, 1, 500);
    assert_eq!((probes(&script), timeouts(&script)), (1, 0));
}

/// RFC 8985, 7.2: while a probe is not answered, the next step is a timeout.
#[test]
fn there_is_one_probe_at_a_time() {
    let mut script = Script::with_sack();
    script.send(4_000);
    script.drain();
    script.pass(20 * MILLISECOND);
    script.inject(seg(ACK, 1, 2_001));
    while probes(&script) == 0 {
        script.pass(MILLISECOND);
    }
    // News of what left before the probe.
    script.inject(seg(ACK, 1, 3_001));
    time_out(&mut script);
    assert_eq!(probes(&script), 1);
}

/// RFC 6298, 3 and 5.7: an acknowledgment that covers a retransmission measures nothing, and one of new
/// bytes ends the back-off.
#[test]
fn an_acknowledgment_of_old_and_new_is_not_measured() {
    let mut script = Script::plain();
    script.send(2_000);
    script.drain();
    (0..3).for_each(|_| time_out(&mut script));
    script.drain();
    script.inject(seg(ACK, 1, 2_001));
    script.send(1_000);
    script.expect(ACK, 2_001, 1, 1_000);
    // As after the handshake: 20 ms, its variation four times, and what the peer may hold back.
    script.pass(98 * MILLISECOND);
    script.nothing();
    script.pass(4 * MILLISECOND);
    script.expect(ACK, 2_001, 1, 1_000);
}

/// RFC 2018, 5: a block of what was never sent, or was acknowledged, or that ends before it begins, is not
/// believed.
#[test]
fn unsound_blocks_are_not_believed() {
    let mut script = Script::with_sack();
    script.send(60_000);
    assert_eq!(script.drain().len(), 10);
    for block in [(2_001, 10_002), (5_001, 2_001), (2_001, 0x7000_0000)] {
        script.inject(seg(ACK, 1, 1).sacks(&[block]));
        script.pass(MILLISECOND);
        script.nothing();
    }
    // Two for the two acknowledged, and two by slow start; of a block from before them nothing.
    let bound = seg(ACK, 1, 2_001).sacks(&[(1_001, 6_001)]);
    script.inject(bound);
    assert_eq!(script.drain().len(), 4);
}

/// RFC 5681, 3.1: the second timeout of one window tells nothing new of the path.
#[test]
fn a_second_timeout_leaves_the_threshold() {
    let (mut script, first) = opened();
    script.send(200_000);
    let flight = script.drain().len();
    (0..2).for_each(|_| time_out(&mut script));
    script.drain();
    let mut end = first + 1_000 * flight as u32;
    let mut windows = Vec::new();
    // Slow start again, up to 7/10 of the window; beyond, it takes its time.
    for _ in 0..8 {
        script.inject(seg(ACK, 1, end));
        let sent = script.drain();
        windows.push(sent.len());
        let last = sent.last().expect("there is more");
        end = last.seq.wrapping_add(last.payload.len() as u32);
        script.pass(MILLISECOND);
        if script.send(100_000) == 0 {
            break;
        }
        script.drain();
    }
    let most = *windows.iter().max().unwrap();
    assert!(most >= flight * 7 / 10, "{windows:?} of {flight}");
}

/// RFC 9293, 3.8.3: nobody waits for what a connection without user still has to send, so it costs less.
#[test]
fn an_orphan_repeats_its_last_bytes_a_few_times_only() {
    let mut script = Script::plain();
    script.send(10);
    script.close();
    script.drain();
    script.pass(2_000 * SECOND);
    let sent = script.drain();
    let (reset, repeated) = sent.split_last().expect("it tries");
    assert_eq!(reset.flags & RST, RST, "{reset:?}");
    let times = repeated
        .iter()
        .filter(|segment| segment.payload.len() == 10)
        .count();
    assert_eq!(times, 8);
}

/// A peer that shuts its window and answers could hold an orphan for ever.
#[test]
fn an_orphan_before_a_shut_window_is_given_up() {
    let mut script = Script::plain();
    script.window = 0;
    script.inject(seg(ACK, 1, 1));
    script.send(10);
    script.close();
    let mut asked = 0;
    loop {
        while script.stack.statistics().window_probes_sent == asked
            && script.stack.control_blocks() > 0
        {
            script.pass(MILLISECOND);
        }
        if script.stack.control_blocks() == 0 {
            break;
        }
        asked += 1;
        assert!(asked < 20, "it asks for ever");
        script.inject(seg(ACK, 1, 1));
    }
    assert_eq!(asked, 8);
    let sent = script.drain();
    assert_eq!(sent.last().map(|last| last.flags & (RST | FIN)), Some(RST));
}

/// RFC 9293, 3.8.6: what was offered stays offered, although memory became short or the scale rounds.
#[test]
fn the_right_edge_of_the_window_never_moves_back() {
    let few = |config: &mut StackConfig| {
        (config.limits.chunks_max, config.limits.chunk_bytes) = (16, 1_024);
    };
    let mut script = Script::established(few, |syn| syn.scale = Some(0));
    let mut edge = 0;
    let mut next = 1;
    // Odd lengths, and each third beyond a gap, which takes memory and moves nothing on.
    for round in 0..12 {
        script.inject(data(next, 1, &[1; 7]));
        script.inject(data(next + 7, 1, &[1; 14]));
        next += 21;
        script.inject(data(next + 600 * (12 - round), 1, &[1; 3]));
        for segment in script.drain() {
            let right = segment.ack + (u32::from(segment.window) << 5);
            assert!(right >= edge, "round {round}: {right} after {edge}");
            edge = right;
        }
    }
    assert!(edge > 1_000, "{edge}");
}

/// RFC 9293, 3.8.6.2.1: what is left of a window is not worth a segment while others are on their way.
#[test]
fn a_sliver_of_window_is_not_filled() {
    let mut script = Script::plain();
    script.inject(seg(ACK, 1, 1).win(2_500));
    script.send(9_000);
    script.expect(ACK, 1, 1, 1_000);
    script.expect(ACK, 1_001, 1, 1_000);
    script.nothing();
    // With nothing on its way it is all that there is.
    script.inject(seg(ACK, 1, 2_001).win(500));
    script.expect(ACK, 2_001, 1, 500);
}

//! Packet scripts: one rule of an RFC each.

use precursor_netstack::{Event, ReceiveError, SendError};

use crate::double::{MILLISECOND, SECOND};
use crate::script::{Script, data, seg};
use crate::wire::{ACK, FIN, RST, SYN};

const PLAIN: u8 = ACK;

#[test]
fn a_syn_is_answered_with_what_it_offers() {
    let mut script = Script::listening(|_| {});
    let mut syn = seg(SYN, 0, 0);
    (syn.mss, syn.scale, syn.sack_ok, syn.ts) = (Some(1460), Some(9), true, Some((77, 0)));
    script.inject(syn);
    let answer = script.expect(SYN | ACK, 0, 1, 0);
    assert_eq!(
        (answer.mss, answer.scale, answer.sack_ok),
        (Some(1460), Some(5), true)
    );
    assert_eq!(answer.ts.unwrap().1, 77);

    let mut script = Script::listening(|_| {});
    script.inject(seg(SYN, 0, 0));
    let answer = script.expect(SYN | ACK, 0, 1, 0);
    assert_eq!(
        (answer.scale, answer.sack_ok, answer.ts),
        (None, false, None)
    );
}

#[test]
fn the_answer_to_a_syn_is_repeated_and_given_up() {
    let mut script = Script::listening(|config| config.tcp.syn_retries = 2);
    script.inject(seg(SYN, 0, 0));
    script.expect(SYN | ACK, 0, 1, 0);
    script.pass(999 * MILLISECOND);
    script.nothing();
    script.pass(2 * MILLISECOND);
    script.expect(SYN | ACK, 0, 1, 0);
    script.pass(1_990 * MILLISECOND);
    script.nothing();
    script.pass(20 * MILLISECOND);
    script.expect(SYN | ACK, 0, 1, 0);
    script.pass(100 * SECOND);
    script.nothing();
    assert!(script.told().is_empty());
    // The connection is gone: what comes now belongs to nothing.
    script.inject(seg(ACK, 1, 1));
    script.expect(RST, 1, 0u32.wrapping_sub(0xffff_fff0), 0);
}

#[test]
fn a_repeated_syn_is_answered_again() {
    let mut script = Script::listening(|_| {});
    script.inject(seg(SYN, 0, 0));
    script.expect(SYN | ACK, 0, 1, 0);
    script.pass(500 * MILLISECOND);
    script.inject(seg(SYN, 0, 0));
    script.expect(SYN | ACK, 0, 1, 0);
    script.inject(seg(ACK, 1, 1));
    assert!(matches!(script.told()[..], [Event::Accepted { .. }]));
}

#[test]
fn data_may_ride_on_the_last_step_of_the_handshake() {
    let mut script = Script::listening(|_| {});
    script.inject(seg(SYN, 0, 0));
    script.next();
    script.inject(data(1, 1, b"hello"));
    let told = script.told();
    assert!(
        matches!(told[..], [Event::Accepted { .. }, Event::Readable(_)]),
        "{told:?}"
    );
    assert_eq!(script.recv().unwrap(), b"hello");
}

#[test]
fn a_wrong_acknowledgment_of_the_handshake_is_reset() {
    let mut script = Script::listening(|_| {});
    script.inject(seg(SYN, 0, 0));
    script.next();
    script.inject(seg(ACK, 1, 2));
    script.expect(RST, 2, 16, 0);
    assert!(script.told().is_empty());
}

#[test]
fn ports_without_listener_answer_by_reset() {
    let mut script = Script::new(|_| {});
    script.inject(seg(SYN, 0, 0));
    script.expect(RST | ACK, 0, 1, 0);
    script.inject(seg(FIN, 8, 0));
    script.expect(RST | ACK, 0, 9, 0);
    script.inject(seg(RST, 0, 0));
    script.inject(seg(RST | ACK, 0, 1));
    script.nothing();
}

/// RFC 5961, 3.
#[test]
fn only_an_exact_reset_ends_a_connection() {
    let mut script = Script::plain();
    script.inject(seg(RST, 60_000, 0));
    script.expect(ACK, 1, 1, 0);
    script.inject(seg(RST, 100_000, 0));
    script.inject(seg(RST, 0, 0));
    script.nothing();
    assert!(script.told().is_empty());
    script.inject(seg(RST, 1, 0));
    script.nothing();
    assert_eq!(script.told(), [Event::Failed(script.id())]);
    assert_eq!(script.stack.connection_count(), 0);
    assert_eq!(script.recv(), Err(ReceiveError::Broken));
}

#[test]
fn bytes_before_a_reset_can_be_read() {
    let mut script = Script::plain();
    script.inject(data(1, 1, b"last words"));
    script.inject(seg(RST, 11, 0));
    assert_eq!(script.told(), [Event::Readable(script.id())]);
    assert_eq!(script.recv().unwrap(), b"last words");
    assert_eq!(script.recv(), Err(ReceiveError::Broken));
    assert_eq!(script.stack.memory_lent(), (0, 0));
}

/// RFC 5961, 4.
#[test]
fn a_syn_within_a_connection_is_challenged() {
    let mut script = Script::plain();
    script.inject(seg(SYN, 5, 0));
    script.expect(ACK, 1, 1, 0);
    // Answers are limited.
    (0..10).for_each(|_| script.inject(seg(SYN, 5, 0)));
    script.nothing();
    script.pass(11 * MILLISECOND);
    script.inject(seg(SYN | ACK, 5, 1));
    script.expect(ACK, 1, 1, 0);
    assert!(script.told().is_empty());
}

/// RFC 5961, 5.
#[test]
fn impossible_acknowledgments_are_challenged_and_dropped() {
    for ack in [2, 5_000, 0u32.wrapping_sub(60_001), 0x8000_0000] {
        let mut script = Script::plain();
        script.inject(data(1, ack, b"forged"));
        script.expect(ACK, 1, 1, 0);
        assert!(script.told().is_empty(), "{ack}");
    }
    let mut script = Script::plain();
    script.inject(data(1, 0u32.wrapping_sub(59_000), b"old"));
    assert_eq!(script.told(), [Event::Readable(script.id())]);
}

#[test]
fn every_second_segment_is_acknowledged_at_once() {
    let mut script = Script::plain();
    script.inject(data(1, 1, &[1; 100]));
    script.nothing();
    script.pass(9 * MILLISECOND);
    script.nothing();
    script.pass(2 * MILLISECOND);
    script.expect(ACK, 1, 101, 0);
    script.inject(data(101, 1, &[1; 100]));
    script.nothing();
    script.inject(data(201, 1, &[1; 100]));
    script.expect(ACK, 1, 301, 0);
}

#[test]
fn an_answer_carries_the_acknowledgment() {
    let mut script = Script::plain();
    script.inject(data(1, 1, b"question"));
    script.send(6);
    script.expect(ACK, 1, 9, 6);
    script.inject(seg(ACK, 9, 7));
    script.pass(SECOND);
    script.nothing();
}

/// RFC 5681, 4.2, and RFC 2018, 4.
#[test]
fn gaps_are_reported_at_once_the_most_recent_first() {
    let mut script = Script::with_sack();
    script.inject(data(101, 1, &[1; 100]));
    assert_eq!(script.expect(ACK, 1, 1, 0).sack, [(101, 201)]);
    script.inject(data(301, 1, &[1; 100]));
    assert_eq!(script.expect(ACK, 1, 1, 0).sack, [(301, 401), (101, 201)]);
    script.inject(data(201, 1, &[1; 50]));
    assert_eq!(script.expect(ACK, 1, 1, 0).sack, [(101, 251), (301, 401)]);
    script.inject(data(1, 1, &[1; 100]));
    assert_eq!(script.expect(ACK, 1, 251, 0).sack, [(301, 401)]);
    script.inject(data(251, 1, &[1; 50]));
    assert_eq!(script.expect(ACK, 1, 401, 0).sack, []);
    assert_eq!(script.recv().unwrap().len(), 400);
}

/// RFC 2883.
#[test]
fn duplicates_are_reported() {
    let mut script = Script::with_sack();
    script.inject(data(1, 1, &[1; 100]));
    script.inject(data(1, 1, &[1; 100]));
    assert_eq!(script.expect(ACK, 1, 101, 0).sack, [(1, 101)]);
    script.inject(data(51, 1, &[1; 100]));
    assert_eq!(script.expect(ACK, 1, 151, 0).sack, [(51, 101)]);
    script.inject(data(301, 1, &[1; 100]));
    script.expect(ACK, 1, 151, 0);
    script.inject(data(301, 1, &[1; 100]));
    assert_eq!(script.expect(ACK, 1, 151, 0).sack, [(301, 401), (301, 401)]);
}

/// RFC 7323, 5 and 3.2.
#[test]
fn old_timestamps_and_none_are_refused() {
    let mut script = Script::established(|_| {}, |syn| syn.ts = Some((1_000, 0)));
    let echo = script.ts.unwrap().1;
    let with = |value: u32, seq: u32| {
        let mut segment = data(seq, 1, b"x");
        segment.ts = Some((value, echo));
        segment
    };
    script.inject(with(2_000, 1));
    assert_eq!(script.told(), [Event::Readable(script.id())]);
    script.pass(20 * MILLISECOND);
    assert_eq!(script.expect(ACK, 1, 2, 0).ts.unwrap().1, 2_000);
    script.inject(with(1_999, 2));
    script.expect(ACK, 1, 2, 0);
    assert_eq!(script.stack.statistics().timestamps_refused, 1);
    script.ts = None;
    script.inject(data(2, 1, b"x"));
    script.nothing();
    assert_eq!(script.stack.statistics().timestamps_refused, 2);
    // A reset needs none.
    script.inject(seg(RST, 2, 0));
    assert_eq!(script.stack.connection_count(), 0);
}

/// RFC 7323, 4.3: a segment beyond a gap does not change what is echoed.
#[test]
fn the_echoed_timestamp_is_of_the_segment_at_the_left_edge() {
    let mut script = Script::established(|_| {}, |syn| syn.ts = Some((1_000, 0)));
    let echo = script.ts.unwrap().1;
    script.ts = Some((3_000, echo));
    script.inject(data(11, 1, b"beyond"));
    assert_eq!(script.expect(ACK, 1, 1, 0).ts.unwrap().1, 1_000);
    script.ts = Some((2_500, echo));
    script.inject(data(1, 1, &[0; 10]));
    assert_eq!(script.expect(ACK, 1, 17, 0).ts.unwrap().1, 2_500);
}

#[test]
fn what_lies_outside_the_window_is_cut() {
    let mut script = Script::established(|config| config.tcp.receive_bytes_max = 1_000, |_| {});
    script.inject(data(1, 1, &[1; 1_200]));
    assert_eq!(script.expect(ACK, 1, 1_001, 0).window, 0);
    // A shut window: its probe is answered, its bytes are not taken; what it acknowledges counts.
    script.send(10);
    script.expect(ACK, 1, 1_001, 10);
    script.inject(data(1_001, 11, b"probe"));
    script.expect(ACK, 11, 1_001, 0);
    script.pass(SECOND);
    script.nothing();
    assert_eq!(script.recv().unwrap().len(), 1_000);
    assert_eq!(script.expect(ACK, 11, 1_001, 0).window, 1_000);
    script.inject(data(900, 11, &[2; 200]));
    assert_eq!(script.expect(ACK, 11, 1_100, 0).window, 1_000 - 99);
    assert_eq!(script.recv().unwrap(), [2; 99]);
}

/// RFC 9293, 3.8.6.2.2: a window grows by worthwhile steps.
#[test]
fn the_window_does_not_open_by_slivers() {
    let mut script = Script::established(|config| config.tcp.receive_bytes_max = 4_000, |_| {});
    script.inject(data(1, 1, &[1; 2_000]));
    script.inject(data(2_001, 1, &[1; 2_000]));
    assert_eq!(script.expect(ACK, 1, 4_001, 0).window, 0);
    let mut buffer = [0; 1_000];
    let id = script.id();
    script.stack.recv(id, &mut buffer).unwrap();
    script.turn();
    script.nothing();
    script.stack.recv(id, &mut buffer).unwrap();
    script.turn();
    assert_eq!(script.expect(ACK, 1, 4_001, 0).window, 2_000);
}

/// RFC 9293, 3.8.6.1.
#[test]
fn a_shut_window_is_probed_and_backed_off() {
    let mut script = Script::plain();
    script.inject(seg(ACK, 1, 1).win(1));
    let mut shut = seg(ACK, 1, 2);
    shut.window = 1;
    script.send(5_000);
    script.expect(ACK, 1, 1, 1);
    script.window = 0;
    script.inject(seg(ACK, 1, 2));
    script.nothing();
    let mut gaps = Vec::new();
    let mut last = script.now;
    for _ in 0..5 {
        while script.stack.statistics().window_probes_sent == gaps.len() as u64 {
            script.pass(MILLISECOND);
        }
        script.expect(ACK, 1, 1, 0);
        gaps.push(script.now - last);
        last = script.now;
        script.inject(seg(ACK, 1, 2));
    }
    assert!(
        gaps.windows(2).all(|pair| pair[1] > pair[0] * 3 / 2),
        "{gaps:?}"
    );
    script.pass(3_600 * SECOND);
    assert_eq!(
        script.stack.connection_count(),
        0,
        "a peer that is silent for long is gone"
    );

    let mut script = Script::plain();
    script.window = 0;
    script.inject(seg(ACK, 1, 1));
    script.send(100);
    script.nothing();
    script.inject(seg(ACK, 1, 1).win(500));
    script.expect(ACK, 1, 1, 100);
}

/// RFC 6298.
#[test]
fn a_timeout_repeats_the_first_segment_and_doubles() {
    let mut script = Script::plain();
    script.window = 60_000;
    script.send(3_000);
    (0..3).for_each(|i| drop(script.expect(ACK, 1 + i * 1_000, 1, 1_000)));
    let mut times = Vec::new();
    for _ in 0..4 {
        let timeouts = script.stack.statistics().retransmission_timeouts;
        while script.stack.statistics().retransmission_timeouts == timeouts {
            script.pass(MILLISECOND);
        }
        times.push(script.now / MILLISECOND);
        script.expect(ACK, 1, 1, 1_000);
        script.nothing();
    }
    let gaps: Vec<u64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(
        gaps.windows(2)
            .all(|pair| pair[1].abs_diff(2 * pair[0]) <= 3),
        "{gaps:?}"
    );
    script.inject(seg(ACK, 1, 1_001));
    script.expect(ACK, 1_001, 1, 1_000);
    script.inject(seg(ACK, 1, 3_001));
    script.pass(SECOND);
    script.nothing();
}

#[test]
fn a_silent_peer_is_given_up_with_a_reset() {
    let mut script = Script::established(|config| config.tcp.retries = 3, |_| {});
    script.send(10);
    (0..4).for_each(|_| {
        script.pass(10 * SECOND);
    });
    (0..4).for_each(|_| drop(script.expect(ACK, 1, 1, 10)));
    script.expect(RST | ACK, 11, 1, 0);
    assert_eq!(script.told(), [Event::Failed(script.id())]);
    assert_eq!(script.stack.memory_lent(), (0, 0));
}

/// RFC 5681, 3.2 and RFC 6582: a peer without SACK.
#[test]
fn three_duplicates_repeat_a_segment_and_a_partial_acknowledgment_the_next() {
    let mut script = Script::plain();
    script.send(8_000);
    (0..8).for_each(|i| drop(script.expect(ACK, 1 + i * 1_000, 1, 1_000)));
    (0..2).for_each(|_| script.inject(seg(ACK, 1, 1)));
    script.nothing();
    script.inject(seg(ACK, 1, 1));
    script.expect(ACK, 1, 1, 1_000);
    script.nothing();
    script.inject(seg(ACK, 1, 4_001));
    script.expect(ACK, 4_001, 1, 1_000);
    script.nothing();
    script.inject(seg(ACK, 1, 8_001));
    script.pass(SECOND);
    script.nothing();
    assert_eq!(script.stack.statistics().fast_recoveries, 1);
}

/// RFC 8985: without reordering seen, three segments beyond a gap are enough; one is not.
#[test]
fn sacked_segments_tell_a_loss() {
    let mut script = Script::with_sack();
    script.send(8_000);
    (0..8).for_each(|i| drop(script.expect(ACK, 1 + i * 1_000, 1, 1_000)));
    script.pass(20 * MILLISECOND);
    script.inject(seg(ACK, 1, 1).sacks(&[(1_001, 2_001)]));
    script.nothing();
    script.inject(seg(ACK, 1, 1).sacks(&[(1_001, 4_001)]));
    script.expect(ACK, 1, 1, 1_000);
    script.nothing();
    script.inject(seg(ACK, 1, 1).sacks(&[(1_001, 5_001)]));
    script.inject(seg(ACK, 1, 1).sacks(&[(6_001, 8_001), (1_001, 5_001)]));
    // Number 5,001 was sent before what arrived.
    script.expect(ACK, 5_001, 1, 1_000);
    script.inject(seg(ACK, 1, 8_001));
    script.pass(SECOND);
    script.nothing();
}

/// RFC 8985: a gap of one segment is given a quarter of the round trip.
#[test]
fn reordering_is_waited_for() {
    let mut script = Script::with_sack();
    script.send(1_000);
    script.next();
    script.pass(40 * MILLISECOND);
    script.inject(seg(ACK, 1, 1_001));
    script.send(2_000);
    (0..2).for_each(|_| drop(script.next()));
    script.pass(40 * MILLISECOND);
    script.inject(seg(ACK, 1, 1_001).sacks(&[(2_001, 3_001)]));
    script.pass(5 * MILLISECOND);
    script.nothing();
    script.pass(7 * MILLISECOND);
    script.expect(ACK, 1_001, 1, 1_000);
}

/// RFC 8985, 7.
#[test]
fn a_lost_tail_is_probed_after_two_round_trips() {
    let mut script = Script::with_sack();
    script.send(4_000);
    (0..4).for_each(|_| drop(script.next()));
    script.pass(20 * MILLISECOND);
    script.inject(seg(ACK, 1, 2_001));
    script.pass(39 * MILLISECOND);
    script.nothing();
    script.pass(3 * MILLISECOND);
    script.expect(ACK, 3_001, 1, 1_000);
    assert_eq!(script.stack.statistics().retransmission_timeouts, 0);
    // The probe shows the hole before it.
    script.pass(20 * MILLISECOND);
    script.inject(seg(ACK, 1, 2_001).sacks(&[(3_001, 4_001)]));
    script.pass(6 * MILLISECOND);
    script.expect(ACK, 2_001, 1, 1_000);
}

/// RFC 3522: an echo from before the retransmission shows that nothing was lost.
#[test]
fn a_needless_timeout_is_taken_back() {
    let mut script = Script::established(|_| {}, |syn| syn.ts = Some((1_000, 0)));
    script.send(5_000);
    let sent = script.drain();
    assert_eq!(sent.len(), 6);
    let first = sent[0].ts.unwrap().0;
    let timeouts = |script: &Script| script.stack.statistics().retransmission_timeouts;
    while timeouts(&script) == 0 {
        script.pass(MILLISECOND);
    }
    script.next();
    script.nothing();
    script.ts = Some((1_100, first));
    script.inject(seg(ACK, 1, 989));
    assert_eq!(script.stack.statistics().recoveries_undone, 1);
    script.nothing();
}

#[test]
fn a_half_closed_peer_still_receives() {
    let mut script = Script::plain();
    script.inject(seg(FIN | ACK, 1, 1));
    script.expect(ACK, 1, 2, 0);
    assert_eq!(script.told(), [Event::Readable(script.id())]);
    assert_eq!(script.recv(), Err(ReceiveError::EndOfStream));
    script.send(100);
    script.expect(ACK, 1, 2, 100);
    script.inject(seg(ACK, 2, 101));
    script.close();
    script.expect(FIN | ACK, 101, 2, 0);
    script.inject(seg(ACK, 2, 102));
    script.nothing();
    assert_eq!(script.stack.connection_count(), 0);
    // Nothing is left of it.
    script.inject(seg(ACK, 2, 102));
    script.expect(RST, 102, 16, 0);
}

#[test]
fn an_end_before_its_bytes_waits_for_them() {
    let mut script = Script::plain();
    let mut last = data(11, 1, b"end");
    last.flags |= FIN;
    script.inject(last);
    script.expect(ACK, 1, 1, 0);
    script.inject(data(1, 1, &[5; 10]));
    script.expect(ACK, 1, 15, 0);
    assert_eq!(script.recv().unwrap().len(), 13);
    assert_eq!(script.recv(), Err(ReceiveError::EndOfStream));
}

#[test]
fn a_lost_end_is_repeated() {
    let mut script = Script::plain();
    script.send(10);
    script.next();
    script.inject(seg(ACK, 1, 11));
    script.close();
    script.expect(FIN | ACK, 11, 1, 0);
    script.pass(2 * SECOND);
    script.expect(FIN | ACK, 11, 1, 0);
    script.inject(seg(ACK, 1, 12));
    script.inject(seg(FIN | ACK, 1, 12));
    while let Some(segment) = Some(script.next()).filter(|segment| segment.flags & FIN != 0) {
        assert_eq!(segment.seq, 11);
    }
    assert_eq!(script.told(), []);
}

#[test]
fn an_end_rides_on_the_last_bytes() {
    let mut script = Script::plain();
    let id = script.id();
    script
        .stack
        .send(id, &[std::io::IoSlice::new(&[1; 1_500])])
        .unwrap();
    script.close();
    script.expect(ACK, 1, 1, 1_000);
    script.expect(FIN | ACK, 1_001, 1, 500);
    script.inject(seg(ACK, 1, 1_001));
    script.pass(2 * SECOND);
    script.expect(FIN | ACK, 1_001, 1, 500);
}

/// RFC 9293, figure 13, and TIME-WAIT's duties.
#[test]
fn both_sides_close_at_once() {
    let mut script = Script::plain();
    script.close();
    script.expect(FIN | ACK, 1, 1, 0);
    script.inject(seg(FIN | ACK, 1, 1));
    script.expect(ACK, 2, 2, 0);
    script.inject(seg(ACK, 2, 2));
    script.nothing();
    // Our acknowledgment was lost; a reset does not end the wait (RFC 1337).
    script.pass(SECOND);
    script.inject(seg(RST, 2, 0));
    script.inject(seg(FIN | ACK, 1, 2));
    script.expect(ACK, 2, 2, 0);
    // The wait begins again with each of the peer's ends: one of 60 s would be over.
    script.pass(59 * SECOND + 500 * MILLISECOND);
    script.inject(seg(FIN | ACK, 1, 2));
    script.expect(ACK, 2, 2, 0);
    script.pass(61 * SECOND);
    script.inject(seg(ACK, 2, 2));
    script.expect(RST, 2, 16, 0);
}

/// RFC 9293, 3.10.7.4, and RFC 6191.
#[test]
fn a_later_syn_reopens_in_time_wait() {
    let mut script = Script::plain();
    script.close();
    script.next();
    script.inject(seg(FIN | ACK, 1, 2));
    script.expect(ACK, 2, 2, 0);
    script.inject(seg(SYN, 0, 0));
    script.expect(ACK, 2, 2, 0);
    script.inject(seg(SYN, 1_000, 0));
    let answer = script.next();
    assert_eq!((answer.flags, answer.ack), (SYN | ACK, 1_001));
    script.inject(seg(ACK, 1_001, 1));
    assert!(matches!(script.told()[..], [Event::Accepted { .. }]));
}

#[test]
fn close_delivers_what_was_taken_although_input_is_unread() {
    let mut script = Script::plain();
    script.inject(data(1, 1, b"unread"));
    let id = script.id();
    script
        .stack
        .send(id, &[std::io::IoSlice::new(&[1; 1_500])])
        .unwrap();
    script.close();
    script.expect(ACK, 1, 7, 1_000);
    script.expect(FIN | ACK, 1_001, 7, 500);
    // More input is dropped in silence until all has arrived.
    script.inject(data(7, 1_001, b"more"));
    script.expect(ACK, 1_502, 11, 0);
    script.inject(seg(ACK, 11, 1_502));
    script.nothing();
    script.inject(data(11, 1_502, b"still more"));
    script.expect(RST | ACK, 1_502, 11, 0);
    assert_eq!(script.stack.send(id, &[]), Err(SendError::Broken));
}

#[test]
fn an_orphan_does_not_wait_for_ever() {
    let mut script = Script::plain();
    script.close();
    script.next();
    script.inject(seg(ACK, 1, 2));
    script.pass(59 * SECOND);
    script.inject(seg(ACK, 1, 2));
    script.nothing();
    script.pass(2 * SECOND);
    script.inject(seg(FIN | ACK, 1, 2));
    script.expect(RST, 2, 16, 0);
}

#[test]
fn both_sides_open_at_once() {
    let mut script = Script::new(|_| {});
    let peer = "10.0.0.2:40000".parse().unwrap();
    script.id = Some(script.stack.connect_from(9092, peer, script.now).unwrap());
    script.turn();
    script.expect(SYN, 0, 16, 0);
    script.inject(seg(SYN, 0, 0));
    script.expect(SYN | ACK, 0, 1, 0);
    script.inject(seg(SYN | ACK, 0, 1));
    script.expect(ACK, 1, 1, 0);
    script.inject(seg(ACK, 1, 1));
    assert_eq!(script.told(), [Event::Writable(script.id())]);
    script.send(5);
    script.expect(ACK, 1, 1, 5);
}

#[test]
fn a_refused_connection_fails_and_a_stray_reset_does_not() {
    let mut script = Script::new(|_| {});
    let peer = "10.0.0.2:40000".parse().unwrap();
    script.id = Some(script.stack.connect_from(9092, peer, script.now).unwrap());
    script.turn();
    script.expect(SYN, 0, 16, 0);
    script.inject(seg(RST | ACK, 0, 7));
    script.inject(seg(RST, 0, 0));
    assert_eq!(script.told(), []);
    script.inject(seg(RST | ACK, 0, 1));
    assert_eq!(script.told(), [Event::Failed(script.id())]);
}

#[test]
fn a_connection_of_our_own_is_opened() {
    let mut script = Script::new(|_| {});
    let peer = "10.0.0.2:40000".parse().unwrap();
    script.id = Some(script.stack.connect_from(9092, peer, script.now).unwrap());
    script.turn();
    let syn = script.expect(SYN, 0, 16, 0);
    assert_eq!(
        (syn.mss, syn.scale, syn.sack_ok),
        (Some(1460), Some(5), true)
    );
    script.pass(1_100 * MILLISECOND);
    script.expect(SYN, 0, 16, 0);
    script.inject(seg(SYN | ACK, 0, 1));
    script.expect(ACK, 1, 1, 0);
    assert_eq!(script.told(), [Event::Writable(script.id())]);
}

/// RFC 4987, 3.6.
#[test]
fn a_full_backlog_answers_with_cookies() {
    let mut script = Script::new(|_| {});
    script
        .stack
        .listen("10.0.0.1:9092".parse().unwrap(), 1)
        .unwrap();
    script.inject(seg(SYN, 0, 0));
    script.next();
    script.port += 1;
    let mut syn = seg(SYN, 0, 0);
    (syn.mss, syn.scale, syn.sack_ok, syn.ts) = (Some(900), Some(3), true, Some((55, 0)));
    script.inject(syn);
    let answer = script.expect(SYN | ACK, 0, 1, 0);
    assert_eq!(
        (answer.mss, answer.scale, answer.sack_ok),
        (Some(1460), Some(5), true)
    );
    assert_eq!(script.stack.statistics().cookies_sent, 1);
    let echo = answer.ts.unwrap().0;
    script.ts = Some((60, echo));
    // No repetition: nothing was remembered.
    script.pass(500 * MILLISECOND);
    script.nothing();
    script.inject(data(1, 2, b"forged"));
    script.expect(RST, 2, 16, 0);
    script.inject(data(1, 1, b"real"));
    let told = script.told();
    assert!(
        matches!(told[..], [Event::Accepted { .. }, Event::Readable(_)]),
        "{told:?}"
    );
    assert_eq!(script.recv().unwrap(), b"real");
    script.pass(20 * MILLISECOND);
    script.expect(ACK, 1, 5, 0);
    // The cookie remembers a segment's size (536 is the next smaller one), scale and SACK.
    script.window = 1_000;
    script.inject(seg(ACK, 5, 1));
    script.send(5_000);
    let sent = script.next();
    assert_eq!(sent.payload.len(), 536 - 12);
    script.inject(data(15, 1, b"gap"));
    let mut found = Vec::new();
    (0..10).for_each(|_| found.push(script.next()));
    assert!(
        found.iter().any(|segment| segment.sack == [(15, 18)]),
        "{found:?}"
    );
}

#[test]
fn an_address_may_not_open_connections_too_fast() {
    let mut script = Script::listening(|config| config.limits.connections_per_second = 2);
    for _ in 0..3 {
        script.port += 1;
        script.inject(seg(SYN, 0, 0));
    }
    (0..2).for_each(|_| drop(script.expect(SYN | ACK, 0, 1, 0)));
    script.nothing();
    assert_eq!(script.stack.statistics().connections_too_fast, 1);
    script.pass(SECOND);
    script.drain();
    script.port += 1;
    script.inject(seg(SYN, 0, 0));
    script.expect(SYN | ACK, 0, 1, 0);
}

#[test]
fn a_full_table_refuses_and_recycles_time_wait() {
    let mut script = Script::established(|config| config.limits.connections_max = 1, |_| {});
    script.port += 1;
    script.inject(seg(SYN, 0, 0));
    assert_eq!(script.next().flags, RST | ACK);
    assert_eq!(script.stack.statistics().connections_refused, 1);
    script.port -= 1;
    script.close();
    script.next();
    script.inject(seg(FIN | ACK, 1, 2));
    script.expect(ACK, 2, 2, 0);
    script.port += 1;
    script.inject(seg(SYN, 0, 0));
    assert_eq!(script.next().flags, SYN | ACK);
    assert_eq!(script.stack.statistics().time_wait_recycled, 1);
}

#[test]
fn nobody_is_announced_after_listening_stopped() {
    let mut script = Script::listening(|_| {});
    script.inject(seg(SYN, 0, 0));
    script.next();
    script.stack.stop_listening();
    script.inject(seg(ACK, 1, 1));
    assert_eq!(script.next().flags, RST);
    assert_eq!(
        (script.told().len(), script.stack.connection_count()),
        (0, 0)
    );
}

/// RFC 9293, 3.8.4.
#[test]
fn silent_peers_are_asked_and_given_up() {
    let mut script = Script::plain();
    script.pass(7_199 * SECOND);
    script.nothing();
    script.pass(2 * SECOND);
    script.expect(ACK, 0, 1, 0);
    script.inject(seg(ACK, 1, 1));
    script.pass(7_199 * SECOND);
    script.nothing();
    script.pass(2 * SECOND + 8 * 75 * SECOND);
    (0..9).for_each(|_| drop(script.expect(ACK, 0, 1, 0)));
    script.nothing();
    script.pass(75 * SECOND);
    script.expect(RST | ACK, 1, 1, 0);
    assert_eq!(script.told(), [Event::Failed(script.id())]);
}

#[test]
fn a_keep_alive_probe_is_answered() {
    let mut script = Script::plain();
    script.inject(seg(PLAIN, 0, 1));
    script.expect(ACK, 1, 1, 0);
    script.pass(20 * MILLISECOND);
    script.inject(data(0, 1, b"x"));
    script.expect(ACK, 1, 1, 0);
}

#[test]
fn abort_resets() {
    let mut script = Script::plain();
    script.send(10);
    script.next();
    let id = script.id();
    script.stack.abort(id);
    script.turn();
    script.expect(RST | ACK, 11, 1, 0);
    assert_eq!(script.recv(), Err(ReceiveError::Broken));
    assert_eq!(script.stack.memory_lent(), (0, 0));
}

#[test]
fn a_clock_that_goes_back_stops_nothing() {
    let mut script = Script::plain();
    script.send(10);
    script.next();
    script.stack.poll_timers(script.now - 4 * SECOND);
    script.inject(seg(ACK, 1, 1));
    script.now -= 4 * SECOND;
    script.inject(data(1, 11, b"x"));
    script.stack.poll_timers(script.now);
    assert_eq!(script.told(), [Event::Readable(script.id())]);
}

/// RFC 5681, 4.1.
#[test]
fn after_idleness_sending_begins_anew() {
    let mut script = Script::with_sack();
    // Slow start, up to windows far above the initial one.
    let mut most = 0;
    for _ in 0..4 {
        script.send(100_000);
        loop {
            let sent = script.drain();
            let Some(last) = sent.last() else {
                break;
            };
            most = most.max(sent.len());
            let end = last.seq.wrapping_add(last.payload.len() as u32);
            script.pass(MILLISECOND);
            script.inject(seg(ACK, 1, end));
        }
    }
    assert!(most > 20, "{most}");
    script.pass(10 * SECOND);
    script.nothing();
    script.send(100_000);
    assert_eq!(script.drain().len(), 10, "the initial window");
}

/// RFC 6298: the handshake gives the first round trip.
#[test]
fn the_handshake_is_measured() {
    let mut script = Script::plain();
    script.send(10);
    script.next();
    // 20 ms, a variation of four times the half, and what the peer may hold back.
    script.pass(98 * MILLISECOND);
    script.nothing();
    script.pass(4 * MILLISECOND);
    script.expect(ACK, 1, 1, 10);
}

/// Who waits for memory is told when it came back, whoever gave it.
#[test]
fn waiting_for_memory_ends() {
    let mut script = Script::established(
        |config| {
            config.limits.active_max = 1;
            config.limits.connections_max = 8;
        },
        |_| {},
    );
    let first = script.id();
    script.send(100);
    script.next();
    let mut others = Vec::new();
    for _ in 0..2 {
        script.port += 1;
        script.inject(seg(SYN, 0, 0));
        script.next();
        script.inject(seg(ACK, 1, 1));
        others.push(script.id());
        script.told();
        assert_eq!(script.send(10), 0);
    }
    script.stack.abort(first);
    script.turn();
    // The first in line may not want it any more: the next is told as well.
    assert_eq!(
        script.told(),
        [Event::Writable(others[0]), Event::Writable(others[1])]
    );
}

//! Windows, the peer's and congestion's: what may leave, how much of it, and when.

use precursor_netstack::StackConfig;

use crate::double::{MILLISECOND, SECOND};
use crate::script::{Script, data, seg};
use crate::wire::ACK;

/// RFC 9293, 3.10.7.4: a segment from before does not move the window.
#[test]
fn an_older_segment_does_not_move_the_window() {
    let mut script = Script::plain();
    script.inject(data(31, 1, &[1; 10]).win(2_000));
    script.inject(data(1, 1, &[1; 10]).win(100));
    script.drain();
    script.send(9_000);
    script.expect(ACK, 1, 11, 1_000);
    script.expect(ACK, 1_001, 11, 1_000);
    script.nothing();
    // A later one does.
    script.inject(data(41, 2_001, &[1; 10]).win(3_000));
    let sent = script.drain();
    let lengths = sent.iter().map(|segment| segment.payload.len());
    // A bare acknowledgment tells of the gap besides.
    let lengths: Vec<usize> = lengths.filter(|length| *length > 0).collect();
    assert_eq!(lengths, [1_000; 3]);
}

/// RFC 9293, MUST-37: who answers lives, however long he keeps the window shut.
#[test]
fn a_peer_that_shuts_its_window_under_data_and_answers_is_waited_for() {
    let few = |config: &mut StackConfig| config.tcp.retries = 4;
    let mut script = Script::established(few, |_| {});
    script.send(1_000);
    script.expect(ACK, 1, 1, 1_000);
    script.window = 0;
    script.inject(seg(ACK, 1, 1));
    for round in 0..20 {
        let start = script.now;
        let asked = loop {
            script.pass(20 * MILLISECOND);
            if let Some(first) = script.drain().into_iter().next() {
                break first;
            }
            assert!(
                script.now - start < 200 * SECOND,
                "round {round}: it asks no more"
            );
        };
        assert_eq!(
            (asked.seq, asked.flags & ACK),
            (1, ACK),
            "round {round}: {asked:?}"
        );
        script.inject(seg(ACK, 1, 1));
        assert_eq!(script.stack.connection_count(), 1, "round {round}");
    }
    script.inject(seg(ACK, 1, 1_001).win(5_000));
    script.pass(SECOND);
    script.nothing();
}

/// Nagle's rule is off: a broker's small answers do not wait for each other.
#[test]
fn a_small_segment_leaves_although_another_is_on_its_way() {
    let mut script = Script::plain();
    for at in 0..5 {
        script.send(10);
        script.expect(ACK, 1 + at * 10, 1, 10);
    }
}

/// RFC 9293, MUST-15 and 3.7.1: who offers no size gets the least that all must take.
#[test]
fn without_an_offer_segments_are_small() {
    for (v6, size) in [(false, 536), (true, 1_220)] {
        let mut script = Script::established_over(v6, |_| {}, |syn| syn.mss = None);
        script.send(3_000);
        assert_eq!(script.next().payload.len(), size);
    }
}

/// RFC 7323, 2.2: shifts count where both sides offered theirs, and not in a SYN.
#[test]
fn windows_are_scaled_where_both_sides_offered_it() {
    for (offer, most) in [(Some(2), 4_000), (None, 1_000)] {
        let mut script = Script::established(|_| {}, |syn| syn.scale = offer);
        script.inject(seg(ACK, 1, 1).win(1_000));
        script.send(20_000);
        let sent: usize = script
            .drain()
            .iter()
            .map(|segment| segment.payload.len())
            .sum();
        assert_eq!(sent, most, "{offer:?}");
        script.inject(data(1, 1, &[1; 600]).win(1_000));
        script.inject(data(601, 1, &[1; 600]).win(1_000));
        let scale = if offer.is_some() { 5 } else { 0 };
        let told = u32::from(script.next().window) << scale;
        assert!(told > 60_000, "{offer:?}: {told}");
    }
}

/// RFC 2018, 3: three reports beside timestamps, so that the options fit.
#[test]
fn reports_of_gaps_leave_room_for_timestamps() {
    let with = |syn: &mut crate::wire::Segment| (syn.sack_ok, syn.ts) = (true, Some((1_000, 0)));
    let mut script = Script::established(|_| {}, with);
    for gap in 1..=5 {
        script.inject(data(1 + gap * 100, 1, &[1; 50]));
        let answer = script.expect(ACK, 1, 1, 0);
        assert_eq!(answer.sack.len(), (gap as usize).min(3));
        assert_eq!(answer.sack[0], (1 + gap * 100, 51 + gap * 100));
    }
}

//! TIME-WAIT and old timestamps: what may be believed of the past.

use precursor_netstack::Event;

use crate::double::SECOND;
use crate::script::{Script, data, seg};
use crate::wire::{ACK, FIN, RST, SYN};

const DAY: u64 = 24 * 3_600 * SECOND;

/// A connection with timestamps whose both ends have come; the peer's last timestamp is 2,000.
fn waiting() -> Script {
    let mut script = Script::established(|_| {}, |syn| syn.ts = Some((1_000, 0)));
    script.ts = script.ts.map(|(_, echo)| (2_000, echo));
    script.close();
    script.expect(FIN | ACK, 1, 1, 0);
    script.inject(seg(FIN | ACK, 1, 2));
    script.expect(ACK, 2, 2, 0);
    script
}

/// RFC 6191, 2: the timestamp decides, whatever the sequence number is.
#[test]
fn a_syn_with_a_later_timestamp_reopens_and_one_with_an_older_does_not() {
    for (value, seq, reopens) in [
        (2_001, 0, true),
        (2_000, 9_000, false),
        (1_999, 9_000, false),
    ] {
        let mut script = waiting();
        let mut syn = seg(SYN, seq, 0);
        syn.ts = Some((value, 0));
        script.inject(syn);
        let answer = script.next();
        let expected = if reopens { SYN | ACK } else { ACK };
        assert_eq!(answer.flags, expected, "{value} at {seq}");
        let recycled = script.stack.statistics().time_wait_recycled;
        assert_eq!(recycled, u64::from(reopens));
    }
}

/// There is a bound to them, and the oldest makes room.
#[test]
fn no_more_wait_than_may() {
    let mut script = Script::established(|config| config.limits.time_wait_max = 2, |_| {});
    for round in 0..4 {
        script.close();
        script.drain();
        script.inject(seg(FIN | ACK, 1, 2));
        script.drain();
        assert_eq!(script.stack.control_blocks(), (round + 1).min(2));
        script.port += 1;
        script.inject(seg(SYN, 0, 0));
        script.drain();
        script.inject(seg(ACK, 1, 1));
        script.told();
        assert_eq!(script.stack.connection_count(), 1);
        // The new connection, and those that wait.
        assert_eq!(script.stack.control_blocks(), 1 + (round + 1).min(2));
    }
    assert_eq!(script.stack.statistics().time_wait_recycled, 2);
    // Of the first nothing is left: what comes for it belongs to nobody.
    script.port = crate::script::PEER_PORT;
    script.inject(seg(ACK, 2, 2));
    assert_eq!(script.next().flags, RST);
}

/// RFC 7323, 5.5: the peer's clock may have gone half round meanwhile.
#[test]
fn a_timestamp_of_24_days_ago_proves_nothing() {
    for (days, believed) in [(23, true), (25, false)] {
        let quiet = |config: &mut precursor_netstack::StackConfig| config.tcp.keep_alive = None;
        let mut script = Script::established(quiet, |syn| syn.ts = Some((1_000, 0)));
        script.pass(days * DAY);
        script.ts = script.ts.map(|(_, echo)| (900, echo));
        script.inject(data(1, 1, b"x"));
        let refused = script.stack.statistics().timestamps_refused;
        assert_eq!(refused, u64::from(believed), "after {days} days");
        let readable = matches!(script.told()[..], [Event::Readable(_)]);
        assert_eq!(readable, !believed, "after {days} days");
    }
}

//! What ICMP says of a connection, and IPv6's own: path MTU, neighbours, and what a network counts as one
//! address.

use std::net::IpAddr;

use precursor_netstack::{Event, Stack};

use crate::double::{MILLISECOND, SECOND};
use crate::ours::{MACS, PORT, address, config};
use crate::script::{Script, seg};
use crate::wire::{ACK, SYN, Segment, checksum, frame, octets, pseudo, unframe};

const ICMP_V6: u8 = 58;

/// An ICMP message with its checksum.
fn icmp(v6: bool, from: IpAddr, to: IpAddr, link: [u8; 6], mut body: Vec<u8>) -> Vec<u8> {
    let pseudo = if v6 {
        pseudo(from, to, ICMP_V6, body.len())
    } else {
        Vec::new()
    };
    let sum = checksum(&[&pseudo, &body]);
    body[2..4].copy_from_slice(&sum.to_be_bytes());
    frame(
        (MACS[1], link),
        from,
        to,
        if v6 { ICMP_V6 } else { 1 },
        &body,
    )
}

/// An error that quotes a segment of ours: its type and code, and the word behind the checksum.
fn error(
    v6: bool,
    kind: [u8; 2],
    word: u32,
    own_port: u16,
    to_port: u16,
    sequence: u32,
) -> Vec<u8> {
    let (own, peer) = (address(0, v6), address(1, v6));
    let segment = Segment {
        from_port: own_port,
        to_port,
        seq: sequence,
        ..Segment::default()
    };
    let quoted = frame((MACS[0], MACS[1]), own, peer, 6, &segment.bytes(own, peer));
    let mut body = [kind[0], kind[1], 0, 0].to_vec();
    body.extend(word.to_be_bytes());
    body.extend(&quoted[14..]);
    let router = if v6 { "fd00::77" } else { "10.0.0.77" };
    icmp(v6, router.parse().unwrap(), own, MACS[0], body)
}

/// RFC 8201, with 4's bound against a lie.
#[test]
fn the_path_mtu_of_ipv6_is_followed_down_to_1280() {
    let mut script = Script::established_over(true, |_| {}, |syn| syn.mss = Some(1_440));
    script.send(4_000);
    let sizes = |script: &mut Script| -> Vec<usize> {
        script
            .drain()
            .iter()
            .map(|segment| segment.payload.len())
            .collect()
    };
    assert_eq!(sizes(&mut script), [1_440, 1_440, 1_120]);
    let raw = script.our_first();
    let too_big = |script: &Script, mtu: u32, sequence: u32| {
        error(true, [2, 0], mtu, PORT, script.port, sequence)
    };
    let forged = too_big(&script, 1_300, raw.wrapping_add(90_000));
    script.inject_frame(&forged);
    assert_eq!(script.stack.statistics().path_mtu_lowered, 0);
    let real = too_big(&script, 1_400, raw.wrapping_add(1));
    script.inject_frame(&real);
    assert_eq!(script.stack.statistics().path_mtu_lowered, 1);
    let again = sizes(&mut script);
    assert_eq!(
        again[0], 1_340,
        "what was too long leaves at once: {again:?}"
    );
    let larger = too_big(&script, 1_450, raw.wrapping_add(1));
    script.inject_frame(&larger);
    let tiny = too_big(&script, 296, raw.wrapping_add(1));
    script.inject_frame(&tiny);
    assert_eq!(
        script.stack.statistics().path_mtu_lowered,
        2,
        "larger is no news"
    );
    script.inject(seg(ACK, 1, 4_001));
    script.pass(SECOND);
    script.drain();
    script.send(2_440);
    assert_eq!(sizes(&mut script), [1_220, 1_220]);
}

/// RFC 5461; RFC 9293, 3.9.2.2.
#[test]
fn a_refusal_ends_what_is_not_established_and_nothing_else() {
    for v6 in [false, true] {
        let refusal = if v6 { [1, 4] } else { [3, 3] };
        let mut script = Script::over(v6, |_| {});
        let peer = std::net::SocketAddr::new(address(1, v6), 40_000);
        let id = script.stack.connect_from(PORT, peer, script.now).unwrap();
        script.turn();
        assert_eq!(script.next().flags, SYN);
        let first = script.our_first();
        let passing = if v6 { [1, 0] } else { [3, 1] };
        for (kind, sequence) in [(refusal, first.wrapping_add(7)), (passing, first)] {
            let said = error(v6, kind, 0, PORT, 40_000, sequence);
            script.inject_frame(&said);
            assert_eq!(script.told(), [], "{kind:?}");
        }
        let said = error(v6, refusal, 0, PORT, 40_000, first);
        script.inject_frame(&said);
        assert_eq!(script.told(), [Event::Failed(id)]);

        let mut script = Script::established_over(v6, |_| {}, |_| {});
        script.send(100);
        script.next();
        let sequence = script.our_first().wrapping_add(1);
        let said = error(v6, refusal, 0, PORT, script.port, sequence);
        script.inject_frame(&said);
        assert_eq!(
            (script.told(), script.stack.connection_count()),
            (vec![], 1)
        );
    }
}

fn solicitation(from: IpAddr, to: IpAddr, link: [u8; 6], target: IpAddr) -> Vec<u8> {
    let mut body = vec![135, 0, 0, 0, 0, 0, 0, 0];
    body.extend(octets(target));
    if !from.is_unspecified() {
        body.extend([1, 1]);
        body.extend(MACS[1]);
    }
    icmp(true, from, to, link, body)
}

fn advertisement(hop_limit: u8) -> Vec<u8> {
    let (own, peer) = (address(0, true), address(1, true));
    let mut body = vec![136, 0, 0, 0, 0x60, 0, 0, 0];
    body.extend(octets(peer));
    body.extend([2, 1]);
    body.extend(MACS[1]);
    let mut frame = icmp(true, peer, own, MACS[0], body);
    frame[21] = hop_limit;
    frame
}

/// RFC 4861, 7.2.2, 7.1.2 and 7.2.8.
#[test]
fn an_unknown_neighbour_of_ipv6_is_solicited() {
    let mut script = Script::over(true, |config| config.static_neighbours.clear());
    let peer = std::net::SocketAddr::new(address(1, true), 80);
    let id = script.stack.connect(peer, script.now).unwrap();
    // The question is queued while the SYN is, and leaves behind it.
    (0..2).for_each(|_| script.turn());
    let asked = &script.others[0];
    assert_eq!(asked[..6], [0x33, 0x33, 0xff, 0, 0, 2]);
    let (protocol, body) = unframe(asked);
    assert_eq!((protocol, asked[21], body[0]), (ICMP_V6, 255, 135));
    assert_eq!(body[8..24], octets(address(1, true)));
    assert_eq!(body[24..], [&[1, 1], &MACS[0][..]].concat());
    let group: IpAddr = "ff02::1:ff00:2".parse().unwrap();
    assert_eq!(asked[38..54], octets(group));
    assert_eq!(
        checksum(&[&pseudo(address(0, true), group, ICMP_V6, body.len()), body]),
        0
    );
    // It came over a router: whoever sent it is not on this link.
    script.inject_frame(&advertisement(254));
    script.nothing();
    script.inject_frame(&advertisement(255));
    assert_eq!(script.next().flags, SYN);
    assert_eq!(script.stack.statistics().neighbours_learnt, 1);
    script.pass(300 * SECOND);
    assert_eq!(script.told(), [Event::Failed(id)]);
}

/// RFC 4862, 5.4: who asks whether our address is taken has none, and all hear that it is.
#[test]
fn a_second_owner_of_our_address_is_told() {
    let mut script = Script::over(true, |_| {});
    let group: IpAddr = "ff02::1:ff00:1".parse().unwrap();
    let nobody: IpAddr = "::".parse().unwrap();
    let link = [0x33, 0x33, 0xff, 0, 0, 1];
    script.inject_frame(&solicitation(nobody, group, link, address(0, true)));
    let [told] = &script.others[..] else {
        panic!("{:?}", script.others);
    };
    let all_nodes: IpAddr = "ff02::1".parse().unwrap();
    assert_eq!(told[..6], [0x33, 0x33, 0, 0, 0, 1]);
    assert_eq!(told[38..54], octets(all_nodes));
    let (_, body) = unframe(told);
    assert_eq!((body[0], body[4] & 0x60), (136, 0x20), "not solicited");
    assert_eq!(
        script.stack.statistics().neighbours_learnt,
        1,
        "the fixed one alone"
    );
    script.inject_frame(&solicitation(
        nobody,
        group,
        link,
        "fd00::9".parse().unwrap(),
    ));
    assert_eq!(
        script.others.len(),
        1,
        "another's address is another's affair"
    );
}

/// After a start or a move neighbours hear where the addresses are (RFC 5227, 2.3; RFC 4861, 7.2.6).
#[test]
fn the_own_addresses_are_announced() {
    let mut config = config(0, false, 1500);
    config.addresses.push((address(0, true), 64));
    let mut stack = Stack::new(config, 0);
    stack.announce();
    let mut out: Vec<Vec<u8>> = Vec::new();
    stack.transmit(0, usize::MAX, &mut |frame| {
        out.push(
            frame
                .slices
                .iter()
                .flat_map(|slice| slice.to_vec())
                .collect(),
        );
        true
    });
    let [arp, neighbour] = &out[..] else {
        panic!("{out:?}");
    };
    assert_eq!((&arp[..6], &arp[12..14]), (&[0xff; 6][..], &[8, 6][..]));
    assert_eq!(
        (&arp[22..28], &arp[28..32], &arp[38..42]),
        (&MACS[0][..], &[10, 0, 0, 1][..], &[10, 0, 0, 1][..])
    );
    let (protocol, body) = unframe(neighbour);
    assert_eq!((protocol, body[0], body[4] & 0x60), (ICMP_V6, 136, 0x20));
    assert_eq!(neighbour[..6], [0x33, 0x33, 0, 0, 0, 1]);
    assert_eq!(body[8..24], octets(address(0, true)));
    assert_eq!(body[26..32], MACS[0]);
}

/// A network of 64 bits is one address to limits: its owner has as many as he likes.
#[test]
fn addresses_of_one_network_share_a_rate_limit() {
    let mut config = config(0, true, 1500);
    config.limits.connections_per_second = 1;
    let mut stack = Stack::new(config, SECOND);
    let own = address(0, true);
    stack
        .listen(std::net::SocketAddr::new(own, PORT), 16)
        .unwrap();
    let mut answered = |from: &str| {
        let peer: IpAddr = from.parse().unwrap();
        let syn = Segment {
            flags: SYN,
            from_port: 40_000,
            to_port: PORT,
            ..Segment::default()
        };
        let frame = frame((MACS[1], MACS[0]), peer, own, 6, &syn.bytes(peer, own));
        stack.receive(&frame, SECOND + MILLISECOND);
        let mut count = 0;
        stack.transmit(SECOND + MILLISECOND, usize::MAX, &mut |_| {
            count += 1;
            true
        });
        count
    };
    assert_eq!(answered("fd00::1:2"), 1);
    assert_eq!(answered("fd00::ffff:0:0:9"), 0, "the same network");
    assert_eq!(answered("fd00:0:0:1::2"), 1, "another");
}

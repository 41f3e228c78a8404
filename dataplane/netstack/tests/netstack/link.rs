//! ARP, neighbour discovery, ICMP, VLANs, path MTU, and the device's offloads.

use std::net::IpAddr;

use precursor_netstack::{Event, Stack, StackConfig};

use crate::double::{MILLISECOND, SECOND};
use crate::ours::{MACS, PORT, address, config};
use crate::script::{Script, data, seg};
use crate::wire::{ACK, SYN, Segment, checksum, frame, octets, pseudo, unframe};

fn frames(stack: &mut Stack, now: u64) -> Vec<Vec<u8>> {
    let mut out = Vec::new();
    stack.transmit(now, usize::MAX, &mut |frame| {
        out.push(
            frame
                .slices
                .iter()
                .flat_map(|slice| slice.to_vec())
                .collect(),
        );
        true
    });
    out
}

fn arp(operation: u8, sender: [u8; 4], target: [u8; 4], to: [u8; 6]) -> Vec<u8> {
    let mut bytes = [&to[..], &MACS[1], &[8, 6, 0, 1, 8, 0, 6, 4, 0, operation]].concat();
    bytes.extend(MACS[1]);
    bytes.extend(sender);
    bytes.extend([0; 6]);
    bytes.extend(target);
    bytes.resize(60, 0);
    bytes
}

#[test]
fn questions_for_our_address_are_answered_and_their_asker_noted() {
    let mut stack = Stack::new(config(0, false, 1500), 0);
    stack.receive(&arp(1, [10, 0, 0, 2], [10, 0, 0, 1], [0xff; 6]), 0);
    let out = frames(&mut stack, 0);
    assert_eq!(out.len(), 1);
    assert_eq!(out[0][..6], MACS[1]);
    assert_eq!(out[0][20..22], [0, 2]);
    assert_eq!(out[0][22..28], MACS[0]);
    assert_eq!(stack.statistics().neighbours_learnt, 1);
    // Others' questions, and who claims our own address, are not.
    stack.receive(&arp(1, [10, 0, 0, 3], [10, 0, 0, 9], [0xff; 6]), 0);
    stack.receive(&arp(1, [10, 0, 0, 1], [10, 0, 0, 1], [0xff; 6]), 0);
    stack.receive(&arp(2, [10, 0, 0, 4], [10, 0, 0, 1], MACS[0]), 0);
    assert!(frames(&mut stack, 0).is_empty());
    assert_eq!(stack.statistics().neighbours_learnt, 1);
}

#[test]
fn an_unknown_neighbour_is_asked_for_three_times() {
    let mut script = Script::new(|config| config.static_neighbours.clear());
    let id = script
        .stack
        .connect("10.0.0.2:80".parse().unwrap(), script.now)
        .unwrap();
    script.turn();
    script.pass(10 * SECOND);
    script.nothing();
    let asked = script
        .others
        .iter()
        .filter(|frame| frame[12..14] == [8, 6])
        .count();
    assert!((3..12).contains(&asked), "{asked}");
    script.inject_frame(&arp(2, [10, 0, 0, 2], [10, 0, 0, 1], MACS[0]));
    if script.stack.statistics().neighbours_learnt == 0 {
        // Between two series of questions nobody listens: the next one is answered.
        script.pass(20 * SECOND);
        script.inject_frame(&arp(2, [10, 0, 0, 2], [10, 0, 0, 1], MACS[0]));
    }
    assert_eq!(script.next().flags, SYN);
    script.pass(300 * SECOND);
    assert_eq!(script.told(), [Event::Failed(id)]);
}

#[test]
fn a_far_peer_is_reached_through_the_gateway() {
    let mut script = Script::new(|config| {
        config.gateways.push("10.0.0.2".parse().unwrap());
        config.gateways.push("fd00::2".parse().unwrap());
    });
    script
        .stack
        .connect("192.0.2.7:80".parse().unwrap(), script.now)
        .unwrap();
    let out = frames(&mut script.stack, script.now);
    assert_eq!(out[0][..6], MACS[1]);
    assert_eq!(out[0][30..34], [192, 0, 2, 7]);
    let unreachable = script
        .stack
        .connect("[2001:db8::1]:80".parse().unwrap(), script.now);
    assert!(unreachable.is_err(), "no own address of the family");
}

fn echo(v6: bool, from: IpAddr, to: IpAddr) -> Vec<u8> {
    let mut body = vec![if v6 { 128 } else { 8 }, 0, 0, 0, 1, 2, 3, 4, 5];
    let pseudo = if v6 {
        pseudo(from, to, 58, body.len())
    } else {
        Vec::new()
    };
    let sum = checksum(&[&pseudo, &body]);
    body[2..4].copy_from_slice(&sum.to_be_bytes());
    frame((MACS[1], MACS[0]), from, to, if v6 { 58 } else { 1 }, &body)
}

#[test]
fn echo_is_answered_and_limited() {
    for v6 in [false, true] {
        let mut config = config(0, v6, 1500);
        config.limits.replies_per_second = 5;
        let mut stack = Stack::new(config, SECOND);
        let question = echo(v6, address(1, v6), address(0, v6));
        (0..8).for_each(|_| stack.receive(&question, SECOND));
        let out = frames(&mut stack, SECOND);
        assert_eq!(out.len(), 5);
        let (protocol, body) = unframe(&out[0]);
        assert_eq!((protocol, body[0]), if v6 { (58, 129) } else { (1, 0) });
        assert_eq!(body[4..], [1, 2, 3, 4, 5]);
        let (from, to) = (address(0, v6), address(1, v6));
        let pseudo = if v6 {
            pseudo(from, to, 58, body.len())
        } else {
            Vec::new()
        };
        assert_eq!(checksum(&[&pseudo, body]), 0);
        assert_eq!(stack.statistics().replies_dropped, 3);
        // A broken one is not answered.
        let mut torn = question.clone();
        *torn.last_mut().unwrap() ^= 1;
        stack.receive(&torn, 2 * SECOND);
        assert!(frames(&mut stack, 2 * SECOND).is_empty());
    }
}

#[test]
fn a_solicitation_is_answered() {
    let mut stack = Stack::new(config(0, true, 1500), 0);
    let (peer, own) = (address(1, true), address(0, true));
    let group: IpAddr = "ff02::1:ff00:1".parse().unwrap();
    let mut body = vec![135, 0, 0, 0, 0, 0, 0, 0];
    body.extend(octets(own));
    body.extend([1, 1]);
    body.extend(MACS[1]);
    let sum = checksum(&[&pseudo(peer, group, 58, body.len()), &body]);
    body[2..4].copy_from_slice(&sum.to_be_bytes());
    let link = [0x33, 0x33, 0xff, 0, 0, 1];
    stack.receive(&frame((MACS[1], link), peer, group, 58, &body), 0);
    let out = frames(&mut stack, 0);
    assert_eq!(out.len(), 1);
    let (protocol, body) = unframe(&out[0]);
    assert_eq!(
        (protocol, body[0], body[4] & 0x60, out[0][21]),
        (58, 136, 0x60, 255)
    );
    assert_eq!(body[8..24], octets(own));
    assert_eq!(body[26..32], MACS[0]);
    assert_eq!(stack.statistics().neighbours_learnt, 1);
}

#[test]
fn only_the_own_vlan_is_heard() {
    let with = |vlan: Option<u16>| {
        let mut config = config(0, false, 1500);
        config.vlan = vlan;
        Stack::new(config, 0)
    };
    let plain = echo(false, address(1, false), address(0, false));
    let mut tagged = plain.clone();
    tagged.splice(12..12, [0x81, 0, 0x20, 7]);
    for (vlan, frame, answered) in [
        (None, &plain, true),
        (None, &tagged, false),
        (Some(7), &tagged, true),
        (Some(7), &plain, false),
        (Some(8), &tagged, false),
    ] {
        let mut stack = with(vlan);
        stack.receive(frame, 0);
        let out = frames(&mut stack, 0);
        assert_eq!(out.len(), usize::from(answered), "{vlan:?}");
        if let (Some(7), Some(out)) = (vlan, out.first()) {
            assert_eq!(out[12..16], [0x81, 0, 0, 7]);
        }
    }
}

/// What a router says of a packet of ours with this TCP header.
fn too_big(mtu: u16, sequence: u32, script: &Script) -> Vec<u8> {
    let (own, peer) = (address(0, false), address(1, false));
    let segment = Segment {
        from_port: PORT,
        to_port: script.port,
        seq: sequence,
        ..Segment::default()
    };
    let quoted = frame((MACS[0], MACS[1]), own, peer, 6, &segment.bytes(own, peer));
    let mut body = vec![3, 4, 0, 0, 0, 0];
    body.extend(mtu.to_be_bytes());
    body.extend(&quoted[14..42]);
    let sum = checksum(&[&body]);
    body[2..4].copy_from_slice(&sum.to_be_bytes());
    let router = "10.0.0.77".parse().unwrap();
    frame((MACS[1], MACS[0]), router, own, 1, &body)
}

/// RFC 1191; RFC 5927 against forgers.
#[test]
fn the_path_mtu_is_believed_of_segments_in_flight_alone() {
    let mut script = Script::established(|_| {}, |syn| syn.mss = Some(1460));
    script.send(4_000);
    let first = script.next();
    assert_eq!(first.payload.len(), 1_460);
    let raw = script.our_first();
    for forged in [raw.wrapping_sub(5_000), raw.wrapping_add(90_000)] {
        let frame = too_big(700, forged, &script);
        script.inject_frame(&frame);
    }
    assert_eq!(script.stack.statistics().path_mtu_lowered, 0);
    (0..2).for_each(|_| drop(script.next()));
    let real = too_big(1_000, raw.wrapping_add(1), &script);
    script.inject_frame(&real);
    assert_eq!(script.stack.statistics().path_mtu_lowered, 1);
    assert_eq!(script.next().payload.len(), 960);
    // Nothing was congested.
    script.pass(MILLISECOND);
    script.inject(seg(ACK, 1, 961));
    let sizes: Vec<usize> = script
        .drain()
        .iter()
        .map(|segment| segment.payload.len())
        .collect();
    assert!(sizes.iter().all(|size| *size <= 960), "{sizes:?}");
    // A lie about a tiny hop is bounded.
    let tiny = too_big(68, raw.wrapping_add(961), &script);
    script.inject_frame(&tiny);
    let most = script
        .drain()
        .iter()
        .map(|segment| segment.payload.len())
        .max();
    assert_eq!(most, Some(512));
}

fn offloading(segmentation: usize) -> impl FnOnce(&mut StackConfig) {
    move |config| {
        config.offloads.transmit_checksum = true;
        config.offloads.segmentation_bytes_max = segmentation;
    }
}

/// The device does what [`precursor_netstack::Frame`] says: the result is sound segments.
#[test]
fn devices_finish_checksums_and_segments() {
    for segmentation in [0, 64_000] {
        let mut config = config(0, false, 1500);
        config.static_neighbours.push((address(1, false), MACS[1]));
        offloading(segmentation)(&mut config);
        let (own, peer) = (address(0, false), address(1, false));
        let mut stack = Stack::new(config, SECOND);
        stack.listen("10.0.0.1:9092".parse().unwrap(), 4).unwrap();
        let send = |stack: &mut Stack, segment: Segment| {
            let segment = Segment {
                from_port: 5,
                to_port: PORT,
                window: 65_535,
                ..segment
            };
            let frame = frame((MACS[1], MACS[0]), peer, own, 6, &segment.bytes(peer, own));
            stack.receive(&frame, SECOND);
            let mut out = Vec::new();
            stack.transmit(SECOND, usize::MAX, &mut |frame| {
                let bytes: Vec<u8> = frame.slices.iter().flat_map(|s| s.to_vec()).collect();
                out.push((bytes, frame.checksum, frame.segment_bytes));
                true
            });
            out
        };
        let mut syn = seg(SYN, 10, 0);
        syn.mss = Some(1_000);
        let out = send(&mut stack, syn);
        let first = u32::from_be_bytes(out[0].0[38..42].try_into().unwrap());
        send(&mut stack, seg(ACK, 11, first.wrapping_add(1)));
        let mut events = Vec::with_capacity(4);
        stack.events(&mut events);
        let [Event::Accepted { connection, .. }] = events[..] else {
            panic!("{events:?}");
        };
        let bytes: Vec<u8> = (0..9_500_u32).map(|i| (i / 7) as u8).collect();
        stack
            .send(connection, &[std::io::IoSlice::new(&bytes)])
            .unwrap();
        let out = send(&mut stack, seg(ACK, 11, first.wrapping_add(1)));
        let mut stream = Vec::new();
        for (mut frame, checksum_at, segment_bytes) in out {
            let at = checksum_at.expect("offloaded");
            let start = usize::from(at.start);
            assert_eq!(start, 34);
            let whole = checksum(&[&frame[start..]]);
            let place = start + usize::from(at.offset);
            frame[place..place + 2].copy_from_slice(&whole.to_be_bytes());
            let (_, body) = unframe(&frame);
            let segment = Segment::parse(body, own, peer);
            let long = segment.payload.len() > 1_000;
            assert_eq!(segment_bytes, if long { 1_000 } else { 0 });
            assert!(segmentation > 0 || !long);
            stream.extend(segment.payload);
        }
        assert_eq!(stream, bytes);
    }
}

#[test]
fn lent_memory_is_sent_where_it_lies_and_released_when_acknowledged() {
    use precursor_netstack::{Lender, Lent};
    struct Memory(Vec<u8>);
    impl Lender for Memory {
        fn bytes(&self, handle: u64, offset: u32, length: u32) -> &[u8] {
            &self.0[(handle + u64::from(offset)) as usize..][..length as usize]
        }
    }
    let memory = Memory((0..=255).cycle().take(4_000).collect());
    let mut script = Script::plain();
    let id = script.id();
    let pieces = [(0, 1_500), (2_000, 700)].map(|(handle, length)| Lent { handle, length });
    assert_eq!(script.stack.send_lent(id, &pieces), Ok(2_200));
    let mut sent = Vec::new();
    script
        .stack
        .transmit_lent(script.now, usize::MAX, &memory, &mut |frame| {
            for slice in &frame.slices[1..] {
                let inside = memory.0.as_ptr_range().contains(&slice.as_ptr());
                assert!(inside, "no copy");
                sent.extend_from_slice(slice);
            }
            true
        });
    assert_eq!(sent, [&memory.0[..1_500], &memory.0[2_000..2_700]].concat());
    script.inject(seg(ACK, 1, 1_001));
    assert_eq!(script.told(), []);
    script.inject(data(1, 1_601, b"!"));
    let told = script.told();
    assert!(
        told.contains(&Event::Released {
            connection: id,
            bytes: 1_500
        }),
        "{told:?}"
    );
    script.inject(seg(ACK, 2, 2_201));
    assert_eq!(
        script.told(),
        [Event::Released {
            connection: id,
            bytes: 700
        }]
    );
    let mut handles = Vec::new();
    script.stack.returned(&mut handles);
    assert_eq!(handles, [0, 2_000]);
    // After a close no event names the connection; the handle comes back all the same.
    let pieces = [500, 600].map(|handle| Lent {
        handle,
        length: 100,
    });
    assert_eq!(script.stack.send_lent(id, &pieces), Ok(200));
    script.stack.close(id, script.now);
    script
        .stack
        .transmit_lent(script.now, usize::MAX, &memory, &mut |_| true);
    script.stack.returned(&mut handles);
    assert_eq!(handles.len(), 2);
    script.inject(seg(ACK, 2, 2_301));
    script.stack.returned(&mut handles);
    assert_eq!(handles, [0, 2_000, 500]);
    script.inject(seg(crate::wire::RST, 2, 0));
    script.stack.returned(&mut handles);
    assert_eq!(handles, [0, 2_000, 500, 600]);
    assert_eq!(script.told(), []);
}

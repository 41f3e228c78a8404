//! What an operator sees of clients past the kernel, and what a hostile network does to them.

use std::io::IoSlice;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use precursor_tests_cluster::client::Connection;
use precursor_tests_cluster::node::{Node, page, sample, wait_until};
use precursor_tests_netns::Wire;
use precursor_transport_afxdp::PacketDevice;
use precursor_transport_port::FrameDevice;

use crate::wire::{BROKER, logged, node_on, wire};

const METRICS_PORT: u16 = 9464;

/// A counter of the broker's own TCP.
fn counted(wire: &Wire, name: &str) -> f64 {
    let _near = wire.near.enter();
    let page = page(METRICS_PORT, "/metrics").expect("the metrics").1;
    let name = format!("precursor_wire_{name}{{shard=\"0\"}}");
    sample(&page, &name).unwrap_or_else(|| panic!("no {name} in:\n{page}"))
}

/// Waits for it to be more: counters are put on the page once a second.
fn count_reaches(wire: &Wire, name: &str, more_than: f64) -> bool {
    wait_until(Duration::from_secs(20), || counted(wire, name) > more_than)
}

/// A capture shows frames while somebody reads it, and the metrics count them.
#[test]
fn a_capture_and_what_is_counted() {
    let wire = wire();
    let captures = tempfile::tempdir().expect("a directory");
    let capture = captures.path().join("capture-0.pcap");
    let directory = format!("network.capture.dir={}", captures.path().display());
    let settings = [
        "metrics.listen=127.0.0.1:9464",
        "network.driver=afxdp",
        "network.tcp.congestion.control=bbr",
        "network.afxdp.mode=native",
        "network.afxdp.copy=copy",
        "network.afxdp.ring.frames=1024",
        directory.as_str(),
    ];
    let mut node = node_on(&wire, &settings);
    node.serve();
    let mode = "native mode, 1 queue, copying";
    assert!(logged(&node, mode), "{}", node.log());
    let reader = std::thread::spawn({
        let capture = capture.clone();
        move || std::fs::read(capture)
    });
    // A reader is looked for once a second.
    std::thread::sleep(Duration::from_millis(2_500));
    let entered = wire.far.enter();
    let mut connection = node.connect();
    connection.create_topic("seen", 1, &[]).unwrap();
    let values: Vec<Vec<u8>> = (0..20).map(|n| vec![n; 5_000]).collect();
    for value in &values {
        let produced = connection.produce("seen", 0, std::slice::from_ref(value));
        produced.expect("a broker that serves takes a record");
    }
    let mut found = Vec::new();
    while found.len() < values.len() {
        let fetched = connection.fetch_when_open("seen", 0, found.len() as i64);
        found.extend(fetched.records.into_iter().map(|record| record.value));
    }
    assert!(found == values);
    drop(entered);
    // Each value takes four frames of 1,500 bytes on its way here. Each has an answer; on its way back it
    // may leave in a larger frame, with others.
    assert!(count_reaches(&wire, "segments_in_total", 80.0));
    assert!(count_reaches(&wire, "segments_out_total", 20.0));
    let counted = |name| counted(&wire, name);
    assert!(counted("frames_in_total") >= counted("segments_in_total"));
    assert_eq!(counted("connections"), 1.0);
    assert_eq!(counted("frames_malformed_total"), 0.0);
    assert!(node.stop().success());
    assert!(!capture.exists(), "the FIFO goes with the broker");
    let captured = reader.join().expect("it reads").expect("a FIFO");
    let frames = frames_of(&captured);
    let to_broker = |frame: &&&[u8]| frame[12..14] == [8, 0] && frame[30..34] == [10, 0, 0, 2];
    let from_broker = |frame: &&&[u8]| frame[12..14] == [8, 0] && frame[26..30] == [10, 0, 0, 2];
    assert!(frames.iter().filter(to_broker).count() > 80);
    assert!(frames.iter().filter(from_broker).count() > 20);
}

/// The frames of a capture.
fn frames_of(capture: &[u8]) -> Vec<&[u8]> {
    // Nanoseconds, as libpcap's format has it.
    assert_eq!(capture[..4], 0xa1b2_3c4d_u32.to_le_bytes());
    let (mut at, mut frames) = (24, Vec::new());
    while at < capture.len() {
        let length = &capture[at + 8..at + 12];
        let length = u32::from_le_bytes(length.try_into().expect("four bytes")) as usize;
        frames.push(&capture[at + 16..at + 16 + length]);
        at += 16 + length;
    }
    frames
}

#[test]
fn an_address_in_a_vlan_is_found_there_only() {
    let wire = wire();
    let mut node = node_on(&wire, &["network.driver=afxdp", "network.vlan=7"]);
    node.serve();
    let _far = wire.far.enter();
    let mut device = PacketDevice::open("far").expect("an interface");
    let own = device.mac_address();
    let mut ask = |tag: &[u8], awaited: bool| {
        // Who has the broker's address?
        let mut frame = [&[0xff; 6][..], &own, tag].concat();
        frame.extend([8, 6, 0, 1, 8, 0, 6, 4, 0, 1]);
        frame.extend(own);
        frame.extend([10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 10, 0, 0, 2]);
        device.send(&[IoSlice::new(&frame)]);
        device.flush();
        let (start, mut answers) = (Instant::now(), Vec::new());
        let is_answer = |frame: &[u8]| {
            frame
                .windows(8)
                .any(|part| part == [8, 6, 0, 1, 8, 0, 6, 4])
                && frame[..6] == own
        };
        // Silence is believed after half a second; an answer is waited for.
        let longest = Duration::from_millis(if awaited { 20_000 } else { 500 });
        while start.elapsed() < longest && (answers.is_empty() || !awaited) {
            device.receive_burst(8, &mut |frame| {
                if is_answer(frame) {
                    answers.push(frame.to_vec());
                }
            });
        }
        answers
    };
    assert_eq!(ask(&[], false), [[0_u8; 0]; 0], "untagged");
    assert_eq!(
        ask(&[0x81, 0, 0, 8], false),
        [[0_u8; 0]; 0],
        "in another VLAN"
    );
    let answers = ask(&[0x81, 0, 0, 7], true);
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert!(node.stop().success());
}

/// SYNs from everywhere as fast as one processor makes them: whoever is connected is served, and who
/// answers a cookie connects.
#[test]
fn a_flood_of_syns_leaves_clients_served() {
    let wire = wire();
    let settings = [
        "metrics.listen=127.0.0.1:9464",
        "network.driver=afxdp",
        // The answers to strangers go where they came from, and end there.
        "network.gateway=10.0.0.1",
    ];
    let mut node = node_on(&wire, &settings);
    node.serve();
    let _far = wire.far.enter();
    let mut connection = node.connect();
    connection.create_topic("served", 1, &[]).unwrap();
    let quiet = produce_for(&node, &mut connection, Duration::from_secs(1));
    let (stop, flooded) = (AtomicBool::new(false), AtomicU64::new(0));
    let (beside, new) = std::thread::scope(|scope| {
        scope.spawn(|| flood(&wire, &stop, &flooded));
        let stops = StopAtEnd(&stop);
        let beside = produce_for(&node, &mut connection, Duration::from_secs(3));
        let start = Instant::now();
        node.connect()
            .api_versions()
            .expect("a new client is served");
        let new = start.elapsed();
        // A slow machine takes longer to make a flood of it.
        wait_until(Duration::from_secs(60), || {
            flooded.load(Ordering::Relaxed) > 50_000
        });
        drop(stops);
        (beside, new)
    });
    count_reaches(&wire, "syn_cookies_sent_total", 10_000.0);
    count_reaches(&wire, "syn_cookies_accepted_total", 0.0);
    let (sent, cookies) = (
        flooded.into_inner(),
        counted(&wire, "syn_cookies_sent_total"),
    );
    println!(
        "{sent} SYNs, {cookies} cookies; {} produces in 1 s before (longest {:?}), {} in 3 s beside \
         (longest {:?}); a new client after {new:?}",
        quiet.0, quiet.1, beside.0, beside.1
    );
    assert!(
        sent > 50_000 && cookies > 10_000.0,
        "{sent} SYNs, {cookies} cookies"
    );
    assert!(counted(&wire, "syn_cookies_accepted_total") >= 1.0);
    assert!(beside.0 > 100, "{} requests in three seconds", beside.0);
    assert!(beside.1 < Duration::from_secs(1), "one took {:?}", beside.1);
    // No more are half open than the listener's backlog holds.
    assert!(counted(&wire, "connections") <= 1_026.0);
    assert!(node.stop().success());
}

/// Sets it also when the test fails, so that the flood ends.
struct StopAtEnd<'a>(&'a AtomicBool);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// How many records were taken one by one, and the longest time that one took.
fn produce_for(node: &Node, connection: &mut Connection, time: Duration) -> (u32, Duration) {
    let (mut count, mut longest) = (0, Duration::ZERO);
    let start = Instant::now();
    while start.elapsed() < time {
        let one = Instant::now();
        let produced = connection.produce("served", 0, &[vec![1; 100]]);
        produced.unwrap_or_else(|error| panic!("{error:?}:\n{}", node.log()));
        longest = longest.max(one.elapsed());
        count += 1;
    }
    (count, longest)
}

/// SYNs from ever other addresses and ports outside of the network, until it is told to stop.
fn flood(wire: &Wire, stop: &AtomicBool, sent: &AtomicU64) {
    let address = std::str::from_utf8;
    let read = wire
        .near
        .command("cat")
        .arg("/sys/class/net/near/address")
        .output();
    let read = read.expect("cat").stdout;
    let text = address(&read).expect("hexadecimal digits");
    let to: Vec<u8> = text
        .trim()
        .split(':')
        .map(|digits| u8::from_str_radix(digits, 16).expect("a byte"))
        .collect();
    let _far = wire.far.enter();
    let mut device = PacketDevice::open("far").expect("an interface");
    let mut frame = [to, device.mac_address().to_vec()].concat();
    frame.extend([8, 0, 0x45, 0, 0, 44, 0, 0, 0x40, 0, 64, 6, 0, 0, 0, 0, 0, 0]);
    frame.extend(
        BROKER
            .parse::<std::net::Ipv4Addr>()
            .expect("it is one")
            .octets(),
    );
    // To port 9092, an offer of 1,460 bytes a segment. A veth pair's receiver trusts TCP's checksum.
    frame.extend([
        0, 0, 0x23, 0x84, 0, 0, 0, 1, 0, 0, 0, 0, 0x60, 2, 0xff, 0xff, 0, 0, 0, 0,
    ]);
    frame.extend([2, 4, 5, 0xb4]);
    let mut number: u32 = 0;
    while !stop.load(Ordering::Relaxed) {
        for _ in 0..32 {
            number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let from = number.to_be_bytes();
            frame[26..30].copy_from_slice(&[11, from[0], from[1], from[2]]);
            frame[34..36].copy_from_slice(&[from[1] | 0x80, from[0]]);
            frame[24..26].fill(0);
            let mut sum: u32 = frame[14..34]
                .chunks(2)
                .map(|pair| u32::from(pair[0]) << 8 | u32::from(pair[1]))
                .sum();
            while sum > 0xffff {
                sum = (sum & 0xffff) + (sum >> 16);
            }
            frame[24..26].copy_from_slice(&(!(sum as u16)).to_be_bytes());
            device.send(&[IoSlice::new(&frame)]);
        }
        device.flush();
        sent.fetch_add(32, Ordering::Relaxed);
    }
}

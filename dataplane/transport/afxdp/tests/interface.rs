//! Opening interfaces: what is said when it cannot be done, what passes beside us, and what is left
//! when we are gone. Needs root.

use std::io::{BufRead, BufReader, IoSlice, Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use precursor_memory::CountingAllocator;
use precursor_tests_netns::{Namespace, Wire};
use precursor_transport_afxdp::{
    AfXdpDevice, AfXdpError, AfXdpInterface, AfXdpOptions, AttachMode, CopyMode, PacketDevice,
    Redirection,
};
use precursor_transport_port::{FrameDevice, SendOffload};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

const PATIENCE: Duration = Duration::from_secs(60);

fn options(interface: &str) -> AfXdpOptions {
    let redirection = Redirection {
        addresses: vec!["10.0.0.2".parse().unwrap(), "fd00::2".parse().unwrap()],
        ports: vec![9092],
        vlan: None,
    };
    AfXdpOptions::new(interface, redirection)
}

fn open(options: AfXdpOptions, shards: usize) -> (AfXdpInterface, Vec<AfXdpDevice>) {
    let mut interface = AfXdpInterface::open(options).unwrap_or_else(|error| panic!("{error}"));
    let devices = interface
        .devices(shards)
        .unwrap_or_else(|error| panic!("{error}"));
    (interface, devices)
}

/// The sentence that opening ends in.
fn refusal(options: AfXdpOptions) -> (AfXdpError, String) {
    let opened = AfXdpInterface::open(options).and_then(|mut interface| interface.devices(1));
    let error = opened.err().expect("it cannot be opened");
    let sentence = error.to_string();
    println!("{sentence}");
    assert!(!sentence.contains('\n'));
    (error, sentence)
}

/// A frame that the filter takes: an ARP request for our address.
fn arp_request(from: [u8; 6]) -> Vec<u8> {
    let mut frame = vec![0xff; 6];
    frame.extend_from_slice(&from);
    frame.extend_from_slice(&[8, 6, 0, 1, 8, 0, 6, 4, 0, 1]);
    frame.extend_from_slice(&from);
    frame.extend_from_slice(&[10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 10, 0, 0, 2]);
    frame.resize(60, 0);
    frame
}

fn has_program(end: &Namespace) -> bool {
    end.ip(&["link", "show", end.interface()]).contains("xdp")
}

#[test]
fn what_was_fallen_back_to_is_said() {
    let wire = Wire::new(2);
    let _near = wire.near.enter();
    let (interface, devices) = open(options("near"), 1);
    let report = interface.report();
    println!("{report}");
    assert!(report.starts_with("AF_XDP on near (veth): native mode, 2 queues, copying"));
    assert!(
        report.contains("zero-copy refused: "),
        "veth cannot do without a copy"
    );
    assert!(has_program(&wire.near));
    drop((interface, devices));
    assert!(!has_program(&wire.near), "dropped is detached");
    let skb = AfXdpOptions {
        attach: AttachMode::Skb,
        copy: CopyMode::Copy,
        ..options("near")
    };
    let (interface, _devices) = open(skb, 1);
    let report = interface.report();
    assert_eq!(report, "AF_XDP on near (veth): SKB mode, 2 queues, copying");
}

#[test]
fn an_interface_without_native_mode_falls_back() {
    let wire = Wire::new(1);
    let _near = wire.near.enter();
    // The loopback device's driver runs no XDP programs.
    wire.near.ip(&["link", "set", "lo", "mtu", "1500"]);
    let (interface, devices) = open(options("lo"), 1);
    let report = interface.report();
    println!("{report}");
    assert!(report.contains("SKB mode (native mode refused: "));
    let native = AfXdpOptions {
        attach: AttachMode::Native,
        ..options("lo")
    };
    drop((interface, devices));
    let (error, sentence) = refusal(native);
    assert!(
        matches!(error, AfXdpError::NoNativeMode { .. }),
        "{sentence}"
    );
}

#[test]
fn each_refusal_is_one_sentence_with_the_mend() {
    let wire = Wire::new(1);
    let _near = wire.near.enter();

    let (error, sentence) = refusal(options("nowhere"));
    assert!(matches!(error, AfXdpError::NoInterface { .. }));
    assert!(sentence.contains("`nowhere`") && sentence.contains("ip link"));
    for name in ["", "a-name-that-is-far-too-long", "a/b"] {
        assert!(matches!(
            refusal(options(name)).0,
            AfXdpError::NoInterface { .. }
        ));
    }

    let zero_copy = AfXdpOptions {
        copy: CopyMode::ZeroCopy,
        ..options("near")
    };
    assert!(matches!(
        refusal(zero_copy).0,
        AfXdpError::NoZeroCopy { .. }
    ));

    wire.near.add_address("10.0.0.2/24");
    let (error, sentence) = refusal(options("near"));
    assert!(matches!(error, AfXdpError::AddressIsKernels { .. }));
    assert!(sentence.contains("10.0.0.2") && sentence.contains("ip address del"));
    wire.near
        .ip(&["address", "del", "10.0.0.2/24", "dev", "near"]);

    let held = open(options("near"), 1);
    let (error, sentence) = refusal(options("near"));
    assert!(
        matches!(error, AfXdpError::ProgramAttached { .. }),
        "{sentence}"
    );
    assert!(sentence.contains("ip link set near xdp off"));
    drop(held);

    wire.near.ip(&["link", "set", "near", "down"]);
    let (error, sentence) = refusal(options("near"));
    assert!(matches!(error, AfXdpError::InterfaceDown { .. }));
    assert!(sentence.contains("ip link set near up"));
    wire.near.ip(&["link", "set", "near", "up", "mtu", "9000"]);
    assert!(matches!(
        refusal(options("near")).0,
        AfXdpError::MtuTooLarge { .. }
    ));

    let odd = AfXdpOptions {
        ring_frames: 1000,
        ..options("near")
    };
    assert!(matches!(refusal(odd).0, AfXdpError::Options(_)));
}

#[test]
fn other_traffic_passes_and_ours_does_not() {
    let wire = Wire::new(1);
    wire.near.add_address("10.0.0.3/24");
    wire.far.add_address("10.0.0.1/24");
    let near = wire.near.enter();
    let (_interface, mut devices) = open(options("near"), 1);
    // The kernel serves the same port at its own address, and another beside it.
    let listener = TcpListener::bind("10.0.0.3:9092").unwrap();
    let datagrams = UdpSocket::bind("10.0.0.3:53").unwrap();
    drop(near);
    let _far = wire.far.enter();
    let mut client = TcpStream::connect("10.0.0.3:9092").expect("TCP to the kernel passes");
    client.write_all(b"hello").unwrap();
    let (mut server, _) = listener.accept().unwrap();
    let mut buffer = [0; 5];
    server.read_exact(&mut buffer).unwrap();
    server.write_all(&buffer).unwrap();
    client.read_exact(&mut buffer).unwrap();
    assert_eq!(&buffer, b"hello");
    let sender = UdpSocket::bind("10.0.0.1:0").unwrap();
    sender.send_to(b"query", "10.0.0.3:53").unwrap();
    assert_eq!(datagrams.recv(&mut buffer).unwrap(), 5);
    assert_eq!(
        devices[0].receive_burst(64, &mut |_| {}),
        0,
        "none of it is ours"
    );

    let mut peer = PacketDevice::open("far").unwrap();
    let request = arp_request(peer.mac_address());
    assert!(peer.send(&[IoSlice::new(&request)]));
    peer.flush();
    let mut ours = Vec::new();
    let start = Instant::now();
    while ours.is_empty() {
        assert!(start.elapsed() < PATIENCE);
        devices[0].receive_burst(64, &mut |frame| ours.push(frame.to_vec()));
    }
    assert_eq!(ours, [request]);
}

#[test]
fn queues_are_shared_out() {
    let wire = Wire::new(3);
    let _near = wire.near.enter();
    for (shards, expected) in [
        (1, vec![3]),
        (2, vec![2, 1]),
        (3, vec![1; 3]),
        (4, vec![1, 1, 1, 0]),
    ] {
        let (interface, mut devices) = open(options("near"), shards);
        assert_eq!(interface.queue_count(), 3);
        let counts: Vec<usize> = devices.iter().map(AfXdpDevice::queue_count).collect();
        assert_eq!(counts, expected);
        for device in &mut devices {
            assert!(device.wait_descriptor().is_some());
            assert_eq!(device.send_capacity() > 0, device.queue_count() > 0);
            assert_eq!(device.receive_burst(8, &mut |_| {}), 0);
            device.flush();
        }
    }
    // The kernel lets go of sockets some time after they were closed.
    let start = Instant::now();
    let mut ethtool = wire.near.command("ethtool");
    ethtool.args(["-L", "near", "tx", "1"]);
    while !ethtool.status().expect("ethtool").success() {
        assert!(start.elapsed() < PATIENCE, "the queues stay taken");
        std::thread::sleep(Duration::from_millis(20));
    }
    let mut interface = AfXdpInterface::open(options("near")).unwrap();
    let sentence = match interface.devices(3) {
        Err(error @ AfXdpError::NoTransmitQueue { .. }) => error.to_string(),
        _ => panic!("two of three shards could not answer"),
    };
    assert!(sentence.contains("ethtool -L near"), "{sentence}");
    drop(interface);
    let (_interface, devices) = open(options("near"), 1);
    assert!(devices[0].send_capacity() > 0);
}

/// Sum of 16-bit words, folded: 0xffff over a whole segment and its pseudo-header.
fn ones_sum(parts: &[&[u8]]) -> u16 {
    let mut sum: u64 = 0;
    for part in parts {
        for pair in part.chunks(2) {
            sum += u64::from(pair[0]) << 8 | u64::from(*pair.get(1).unwrap_or(&0));
        }
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum as u16
}

/// Whether `uname -r` is at least that.
fn is_linux(major: u32, minor: u32) -> bool {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    let mut numbers = release.split('.').map(|text| text.parse().unwrap_or(0));
    (numbers.next(), numbers.next()) >= (Some(major), Some(minor))
}

#[test]
fn the_kernel_finishes_checksums() {
    let wire = Wire::new(1);
    let mut ethtool = wire.near.command("ethtool");
    // With a device that cannot, so that the frame that arrives is seen finished.
    let words = ["-K", "near", "tx", "off"];
    assert!(ethtool.args(words).output().unwrap().status.success());
    let near = wire.near.enter();
    let (_interface, mut devices) = open(options("near"), 1);
    let device = &mut devices[0];
    drop(near);
    let _far = wire.far.enter();
    let mut peer = PacketDevice::open("far").unwrap();
    let offers = device.capabilities().send_checksums;
    assert_eq!(offers, is_linux(6, 11), "copying sockets finish since 6.11");
    if !offers {
        println!("this kernel finishes none: the netstack does");
        return;
    }
    for payload in [0, 1, 999, 1_460] {
        let tcp_bytes = 20 + payload;
        let mut frame = Vec::from(peer.mac_address());
        frame.extend([2, 0, 0, 0, 0, 9, 8, 0, 0x45, 0]);
        frame.extend((20 + tcp_bytes as u16).to_be_bytes());
        frame.extend([0, 0, 0x40, 0, 64, 6, 0, 0]);
        frame.extend([10, 0, 0, 2, 10, 0, 0, 1]);
        let header = !ones_sum(&[&frame[14..34]]);
        frame[24..26].copy_from_slice(&header.to_be_bytes());
        frame.extend([0x23, 0x84, 0x80, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, 16, 1, 0]);
        let pseudo_end = [0, 6, (tcp_bytes >> 8) as u8, tcp_bytes as u8];
        let pseudo = ones_sum(&[&frame[26..34], &pseudo_end]);
        frame.extend(pseudo.to_be_bytes());
        frame.extend([0, 0]);
        frame.extend((0..payload).map(|at| at as u8));
        let offload = SendOffload {
            checksum_start: 34,
            checksum_offset: 16,
            segment_bytes: 0,
        };
        let (head, tail) = frame.split_at(50);
        assert!(device.send_offloaded(&[IoSlice::new(head), IoSlice::new(tail)], offload));
        // One that is finished goes as it is.
        assert!(device.send(&[IoSlice::new(&frame)]));
        device.flush();
        let mut received = Vec::new();
        let start = Instant::now();
        while received.len() < 2 && start.elapsed() < PATIENCE {
            peer.receive_burst(8, &mut |frame| received.push(frame.to_vec()));
        }
        let [finished, as_it_was] = &received[..] else {
            panic!("{} frames of {payload} bytes arrived", received.len());
        };
        assert_eq!(as_it_was, &frame);
        let sum = ones_sum(&[&finished[26..34], &pseudo_end, &finished[34..]]);
        assert_eq!(sum, 0xffff, "{payload} bytes: the checksum is right");
        assert_eq!(finished[52..], frame[52..], "and nothing else changed");
        assert_eq!(finished[..50], frame[..50]);
    }
}

#[test]
fn receiving_and_sending_allocate_nothing() {
    let wire = Wire::new(1);
    let near = wire.near.enter();
    let (_interface, mut devices) = open(options("near"), 1);
    let device = &mut devices[0];
    drop(near);
    let _far = wire.far.enter();
    let mut peer = PacketDevice::open("far").unwrap();
    let request = arp_request(peer.mac_address());
    let mut taken = 0;
    for _ in 0..50 {
        for _ in 0..20 {
            assert!(peer.send(&[IoSlice::new(&request)]));
        }
        peer.flush();
        let ((), counts) = CountingAllocator::counted(|| {
            let mut bytes = 0;
            while device.receive_burst(32, &mut |frame| bytes += frame.len()) > 0 {
                taken += 1;
            }
            for _ in 0..20 {
                assert!(device.send(&[IoSlice::new(&request), IoSlice::new(&[0; 100])]));
            }
            device.flush();
            assert!(device.wait_descriptor().is_some());
        });
        assert_eq!(counts.total(), 0, "{counts:?}");
    }
    assert!(taken > 0);
    assert_eq!(device.counters().sent, 1000);
}

#[test]
fn a_flood_is_taken_while_it_comes() {
    const COUNT: u64 = 300_000;
    for ring_frames in [64, 2048] {
        let wire = Wire::new(1);
        let near = wire.near.enter();
        let options = AfXdpOptions {
            ring_frames,
            ..options("near")
        };
        let (_interface, mut devices) = open(options, 1);
        drop(near);
        let device = &mut devices[0];
        std::thread::scope(|scope| {
            let flood = scope.spawn(|| {
                let _far = wire.far.enter();
                let mut peer = PacketDevice::open("far").unwrap();
                let request = arp_request(peer.mac_address());
                for _ in 0..COUNT / 100 {
                    for _ in 0..100 {
                        assert!(peer.send(&[IoSlice::new(&request)]));
                    }
                    peer.flush();
                }
            });
            let expected = arp_request([0; 6]).len();
            while !flood.is_finished() {
                device.receive_burst(64, &mut |frame| assert_eq!(frame.len(), expected));
            }
        });
        let start = Instant::now();
        while device.receive_burst(64, &mut |_| {}) > 0 || start.elapsed().as_millis() < 20 {}
        let counters = device.counters();
        println!("{ring_frames} frames: {counters:?}");
        assert_eq!(counters.received + counters.receive_dropped, COUNT);
    }
}

#[test]
fn an_overrun_is_counted() {
    let wire = Wire::new(1);
    let near = wire.near.enter();
    let small = AfXdpOptions {
        ring_frames: 64,
        ..options("near")
    };
    let (_interface, devices) = open(small, 1);
    drop(near);
    let _far = wire.far.enter();
    let mut peer = PacketDevice::open("far").unwrap();
    let request = arp_request(peer.mac_address());
    for _ in 0..10 {
        for _ in 0..50 {
            assert!(peer.send(&[IoSlice::new(&request)]));
        }
        peer.flush();
    }
    let start = Instant::now();
    while devices[0].counters().receive_dropped < 500 - 64 {
        assert!(start.elapsed() < PATIENCE, "{:?}", devices[0].counters());
    }
    println!("{:?}", devices[0].statistics().next());
}

/// Names the part that a run of this program plays as a child of a test.
const PART: &str = "PRECURSOR_AFXDP_TEST_PART";

/// Runs this program again, inside a namespace, for [`part_of_a_child`] alone.
fn child(end: &Namespace, before: &[&str], part: &str) -> Child {
    let mut command = Command::new("ip");
    command.args(["netns", "exec", end.name()]).args(before);
    command.arg(std::env::current_exe().unwrap());
    command
        .args(["--exact", "part_of_a_child", "--nocapture"])
        .env(PART, part);
    command.stdout(Stdio::piped()).stderr(Stdio::inherit());
    command.spawn().expect("`ip netns exec`")
}

fn line_with(child: &mut Child, word: &str) -> String {
    let lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
    let mut lines = lines.map(|line| line.unwrap());
    lines
        .find(|line| line.contains(word))
        .expect("the child says so")
}

/// Does nothing unless a test of this file started it as a child.
#[test]
fn part_of_a_child() {
    match std::env::var(PART).as_deref() {
        Ok("hold") => {
            let _held = open(options("near"), 1);
            println!("holding");
            std::thread::sleep(Duration::from_secs(60));
        }
        Ok("refused") => println!("refused: {}", refusal(options("near")).1),
        _ => {}
    }
}

#[test]
fn a_killed_process_leaves_nothing_behind() {
    let wire = Wire::new(2);
    for _ in 0..3 {
        // `ip netns exec` becomes the program, so that the kill reaches it.
        let mut holder = child(&wire.near, &[], "hold");
        line_with(&mut holder, "holding");
        assert!(has_program(&wire.near));
        holder.kill().unwrap();
        holder.wait().unwrap();
        // The next one starts at once, whatever the kernel still takes apart.
        let near = wire.near.enter();
        drop(open(options("near"), 1));
        drop(near);
    }
    let start = Instant::now();
    while has_program(&wire.near) {
        assert!(start.elapsed() < PATIENCE, "the program is still there");
    }
}

#[test]
fn without_privilege_it_is_said_what_is_needed() {
    let wire = Wire::new(1);
    let bare = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"];
    let mut refused = child(&wire.near, &bare, "refused");
    let sentence = line_with(&mut refused, "refused: ");
    assert!(
        sentence.contains("CAP_NET_ADMIN") && sentence.contains("root"),
        "{sentence}"
    );
    assert!(refused.wait().unwrap().success());
}

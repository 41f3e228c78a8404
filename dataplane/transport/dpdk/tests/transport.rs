//! Our own TCP on DPDK's devices passes the suite that every transport passes, with the kernel's TCP as
//! the client: over net_af_xdp on a veth pair, and over net_tap, whose port checks and inserts checksums
//! and cuts segments as a card does. Needs root, and libdpdk on the build host.

#[path = "../../bypass/tests/veth/mod.rs"]
mod veth;

use std::io::IoSlice;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use precursor_tests_netns::{Namespace, Wire};
use precursor_transport_bypass::{BypassOptions, BypassTransport};
use precursor_transport_dpdk::{DpdkDevice, DpdkInterface, DpdkOptions};
use precursor_transport_port::conformance::{Client, Network, Received};
use precursor_transport_port::{Event, FrameDevice, Transport, Wait, conformance_suite};

use veth::{KernelClient, PipeBell};

conformance_suite!(af_xdp, DpdkNetwork::new(Kind::AfXdp));
conformance_suite!(tap, DpdkNetwork::new(Kind::Tap { offloads: true }));

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    AfXdp,
    /// The kernel is at the other end of the device itself.
    Tap {
        offloads: bool,
    },
}

struct DpdkNetwork {
    wire: Wire,
    kind: Kind,
}

impl DpdkNetwork {
    fn new(kind: Kind) -> DpdkNetwork {
        let wire = Wire::new(1);
        wire.far.add_address("10.0.0.1/24");
        DpdkNetwork { wire, kind }
    }

    fn clients(&self) -> &Namespace {
        match self.kind {
            Kind::AfXdp => &self.wire.far,
            Kind::Tap { .. } => &self.wire.near,
        }
    }
}

impl Network for DpdkNetwork {
    type Transport = BypassTransport<DpdkDevice>;
    type Client = KernelClient;
    type Bell = PipeBell;

    fn transport(&mut self, connections_max: usize) -> BypassTransport<DpdkDevice> {
        static COUNT: AtomicU32 = AtomicU32::new(1);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let _near = self.wire.near.enter();
        let (words, offloads) = match self.kind {
            Kind::AfXdp => (format!("net_af_xdp{number},iface=near"), true),
            Kind::Tap { offloads } => (format!("net_tap{number},iface=tap{number}"), offloads),
        };
        let options = DpdkOptions {
            offloads,
            ..DpdkOptions::new("", Vec::new())
        };
        let opened = DpdkInterface::plug(&words, &options, 1);
        let interface = opened.unwrap_or_else(|error| panic!("{error}"));
        println!("{}", interface.report());
        if let Kind::Tap { .. } = self.kind {
            let name = format!("tap{number}");
            // The device and the kernel's end begin with one and the same address.
            let mac = format!("02:00:00:01:00:{number:02x}");
            // Its driver holds a segment with its Ethernet header against the MTU: segments that fill
            // a frame it neither cuts nor refuses (22.11). A client of a smaller MTU wants smaller ones.
            let words = ["link", "set", &name, "address", &mac, "mtu", "1480"];
            self.wire.near.ip(&words);
            self.wire
                .near
                .ip(&["address", "add", "10.0.0.1/24", "dev", &name]);
        }
        let device = interface.devices(1).expect("a queue").remove(0);
        let options = BypassOptions {
            connections_max,
            ..BypassOptions::new("10.0.0.2".parse().expect("an address"), 24)
        };
        BypassTransport::new(device, options).expect("it starts")
    }

    fn listen_address(&self) -> SocketAddr {
        "10.0.0.2:9092".parse().expect("an address")
    }

    fn connect(&mut self, address: SocketAddr) -> KernelClient {
        KernelClient::connect(self.clients(), address)
    }

    fn bell(&mut self) -> PipeBell {
        PipeBell::new()
    }
}

/// Sends so many bytes to a kernel client that knows what must come; returns how many frames it took.
fn carry(kind: Kind, bytes: usize) -> u64 {
    const PATIENCE: Duration = Duration::from_secs(60);
    let byte = |at: usize| (at % 251) as u8;
    let mut network = DpdkNetwork::new(kind);
    let mut transport = network.transport(4);
    let offloads = kind == Kind::Tap { offloads: true };
    let capabilities = transport.device().capabilities();
    assert_eq!(capabilities.send_checksums, offloads);
    assert_eq!(capabilities.receive_checksums_trusted, offloads);
    assert_eq!(capabilities.segmentation_bytes_max > 0, offloads);
    let address = transport.listen(network.listen_address()).expect("a port");
    let mut client = network.connect(address);
    let payload: Vec<u8> = (0..bytes).map(byte).collect();
    let (mut sent, mut received) = (0, 0);
    let (mut events, mut buffer) = (Vec::with_capacity(16), vec![0; 256 << 10]);
    let mut connection = None;
    let start = Instant::now();
    while received < bytes {
        assert!(
            start.elapsed() < PATIENCE,
            "{received} of {bytes} bytes came"
        );
        events.clear();
        transport
            .poll(Wait::None, &mut events)
            .expect("polling works");
        for event in &events {
            if let Event::Accepted { connection: id, .. } = event {
                connection = Some(*id);
            }
        }
        if let Some(id) = connection
            && sent < bytes
            && let Ok(taken) = transport.send(id, &[IoSlice::new(&payload[sent..])])
        {
            sent += taken;
        }
        if let Received::Bytes(count) = client.receive(&mut buffer) {
            assert!(
                buffer[..count] == payload[received..received + count],
                "at {received}"
            );
            received += count;
        }
    }
    transport.device().counters().sent
}

/// The device cuts large frames into segments and inserts their checksums, which the kernel checks.
#[test]
fn a_device_that_cuts_segments_gets_large_frames() {
    const BYTES: usize = 8 << 20;
    let whole = carry(Kind::Tap { offloads: true }, BYTES);
    let segments = carry(Kind::Tap { offloads: false }, BYTES);
    println!("{whole} frames that the device cut, {segments} without");
    assert!(segments as usize >= BYTES / 1460);
    assert!(whole * 2 < segments, "{whole} frames against {segments}");
}

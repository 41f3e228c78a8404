//! Bulk to kernel clients in large frames, which the kernel cuts or a driver carries. Needs root.

mod veth;

use std::io::IoSlice;
use std::time::{Duration, Instant};

use precursor_transport_afxdp::AttachMode;
use precursor_transport_port::conformance::{Client, Network, Received};
use precursor_transport_port::{Event, FrameDevice, Transport, Wait};

use veth::{V4, V6, VethNetwork};

const PATIENCE: Duration = Duration::from_secs(60);
const BYTES: usize = 32 << 20;

/// Sends to a client that knows what must come; returns how many frames it took.
fn carry(mut network: VethNetwork) -> u64 {
    let mut transport = network.transport(4);
    let capabilities = transport.device().capabilities();
    let cuts = capabilities.segmentation_bytes_max > 0;
    assert_eq!(cuts, capabilities.send_checksums);
    let address = transport.listen(network.listen_address()).expect("a port");
    let mut client = network.connect(address);
    let payload: Vec<u8> = (0..BYTES).map(|at| (at % 251) as u8).collect();
    let (mut sent, mut received) = (0, 0);
    let (mut events, mut buffer) = (Vec::with_capacity(16), vec![0; 256 << 10]);
    let mut connection = None;
    let start = Instant::now();
    while received < BYTES {
        assert!(start.elapsed() < PATIENCE, "{received} of {BYTES} bytes");
        events.clear();
        let polled = transport.poll(Wait::None, &mut events);
        polled.expect("polling works");
        for event in &events {
            if let Event::Accepted { connection: id, .. } = event {
                connection = Some(*id);
            }
        }
        if let Some(id) = connection
            && sent < BYTES
            && let Ok(taken) = transport.send(id, &[IoSlice::new(&payload[sent..])])
        {
            sent += taken;
        }
        if let Received::Bytes(count) = client.receive(&mut buffer) {
            let expected = &payload[received..received + count];
            assert!(buffer[..count] == *expected, "at {received}");
            received += count;
        }
    }
    match cuts {
        true => transport.device().counters().sent,
        // Nothing is cut on a kernel that finishes no checksums.
        false => 1,
    }
}

#[test]
fn bulk_leaves_in_large_frames() {
    for network in [
        VethNetwork::new(AttachMode::Native, V4),
        VethNetwork::new(AttachMode::Native, V6),
        VethNetwork::new(AttachMode::Skb, V4),
    ] {
        let frames = carry(network);
        println!("{frames} frames");
        assert!((frames as usize) < BYTES / 1_500 / 4, "{frames} frames");
    }
}

/// As behind a device that cuts nothing.
#[test]
fn bulk_arrives_cut_by_the_kernel() {
    for address in [V4, V6] {
        let network = VethNetwork::new(AttachMode::Native, address);
        network.offload_nothing();
        let frames = carry(network);
        assert!((frames as usize) < BYTES / 1_500 / 4, "{frames} frames");
    }
}

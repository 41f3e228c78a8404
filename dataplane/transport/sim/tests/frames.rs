//! The simulated cable passes the suite of frame devices, and its faults are what they say.

use std::io::IoSlice;
use std::os::fd::BorrowedFd;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use precursor_transport_port::frame_conformance::FrameLink;
use precursor_transport_port::{FrameDevice, frame_conformance_suite};
use precursor_transport_sim::{FrameFaults, SimFrameDevice, sim_frame_devices};

frame_conformance_suite!(perfect, Cable, readable);

struct Cable;

impl FrameLink for Cable {
    type Device = SimFrameDevice;
    type Peer = SimFrameDevice;

    fn devices(&mut self) -> (SimFrameDevice, SimFrameDevice) {
        sim_frame_devices(1, FrameFaults::default(), 1500).expect("pipes")
    }
}

fn readable(descriptor: BorrowedFd<'_>, wait: Duration) -> bool {
    let timeout = PollTimeout::try_from(wait).expect("a short wait");
    let mut set = [PollFd::new(descriptor, PollFlags::POLLIN)];
    poll(&mut set, timeout).expect("polling works") > 0
}

const COUNT: u16 = 10_000;

/// The numbers of the frames that came out, in their order, and how many were changed.
fn history(seed: u64, faults: FrameFaults) -> (Vec<u16>, usize) {
    let (mut from, mut to) = sim_frame_devices(seed, faults, 100).unwrap();
    let mut numbers = Vec::new();
    let mut changed = 0;
    for number in 0..COUNT {
        let [high, low] = number.to_be_bytes();
        let frame = [[high; 30], [low; 30]];
        assert!(from.send(&[IoSlice::new(&frame[0]), IoSlice::new(&frame[1])]));
        if number % 16 != 15 {
            continue;
        }
        from.flush();
        to.receive_burst(64, &mut |frame| {
            let (high, low) = frame.split_at(30);
            let whole = high.iter().all(|b| *b == high[3]) && low.iter().all(|b| *b == low[3]);
            changed += usize::from(!whole);
            numbers.push(u16::from_be_bytes([high[3], low[3]]));
        });
    }
    (numbers, changed)
}

fn missing(numbers: &[u16]) -> usize {
    (0..COUNT)
        .filter(|number| !numbers.contains(number))
        .count()
}

#[test]
fn one_seed_is_one_history() {
    let faults = FrameFaults {
        loss_per_mille: 20,
        duplicate_per_mille: 20,
        reorder_per_mille: 20,
        corrupt_per_mille: 20,
    };
    println!("seeds 7 and 8");
    assert_eq!(history(7, faults), history(7, faults));
    assert_ne!(history(7, faults), history(8, faults));
}

#[test]
fn each_fault_alone_does_what_it_says() {
    println!("seed 3");
    let (numbers, changed) = history(3, FrameFaults::default());
    assert_eq!(numbers, (0..COUNT).collect::<Vec<_>>());
    assert_eq!(changed, 0);

    let loss = FrameFaults {
        loss_per_mille: 100,
        ..FrameFaults::default()
    };
    let lost = missing(&history(3, loss).0);
    assert!((800..1200).contains(&lost), "{lost} of {COUNT} lost");

    let duplicate = FrameFaults {
        duplicate_per_mille: 100,
        ..FrameFaults::default()
    };
    let (numbers, _) = history(3, duplicate);
    assert_eq!(missing(&numbers), 0);
    assert!((10_800..11_200).contains(&numbers.len()));

    let reorder = FrameFaults {
        reorder_per_mille: 100,
        ..FrameFaults::default()
    };
    let (numbers, _) = history(3, reorder);
    assert_eq!((missing(&numbers), numbers.len()), (0, usize::from(COUNT)));
    let overtaken = numbers.windows(2).filter(|pair| pair[0] > pair[1]).count();
    assert!((500..1200).contains(&overtaken), "{overtaken} overtaken");

    let corrupt = FrameFaults {
        corrupt_per_mille: 100,
        ..FrameFaults::default()
    };
    let (numbers, changed) = history(3, corrupt);
    assert_eq!(numbers.len(), usize::from(COUNT));
    assert!((800..1200).contains(&changed), "{changed} changed");
}

//! Two frame devices on one simulated cable, with seeded faults.

use std::collections::VecDeque;
use std::io::{IoSlice, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use precursor_transport_port::{
    FRAME_HEADER_BYTES_MAX, FrameCapabilities, FrameCounters, FrameDevice,
};

use crate::random::Random;

/// Frames that a device queues for sending, and frames that wait to be received at most.
const QUEUE_FRAMES_MAX: usize = 1024;
/// Frames that overtake a late one, at most.
const LATENESS_FRAMES_MAX: u64 = 6;

/// What may happen to frames on the cable, each in parts of a thousand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FrameFaults {
    pub loss_per_mille: u32,
    pub duplicate_per_mille: u32,
    /// A frame is overtaken by some that were sent after it.
    pub reorder_per_mille: u32,
    /// One bit is turned.
    pub corrupt_per_mille: u32,
}

/// One end of a simulated cable ([`sim_frame_devices`]). Each end is owned by one thread; histories
/// repeat where it is the same one.
pub struct SimFrameDevice {
    cable: Arc<Mutex<Cable>>,
    end: usize,
    mtu: usize,
    queued: Vec<Vec<u8>>,
    counters: FrameCounters,
    bell: Bell,
}

/// Two devices that receive what the other sends, less what `faults` do to it. The same seed and
/// the same calls make the same faults.
///
/// # Errors
/// No pipe can be made for the descriptors to wait on.
pub fn sim_frame_devices(
    seed: u64,
    faults: FrameFaults,
    mtu: usize,
) -> std::io::Result<(SimFrameDevice, SimFrameDevice)> {
    let (bell_a, bell_b) = (Bell::new()?, Bell::new()?);
    let cable = Arc::new(Mutex::new(Cable {
        random: Random::new(seed),
        faults,
        arriving: [Direction::new(&bell_a)?, Direction::new(&bell_b)?],
    }));
    let device = |end, bell| SimFrameDevice {
        cable: cable.clone(),
        end,
        mtu,
        queued: Vec::with_capacity(QUEUE_FRAMES_MAX),
        counters: FrameCounters::default(),
        bell,
    };
    Ok((device(0, bell_a), device(1, bell_b)))
}

struct Cable {
    random: Random,
    faults: FrameFaults,
    /// By the end that receives.
    arriving: [Direction; 2],
}

fn lock(cable: &Mutex<Cable>) -> MutexGuard<'_, Cable> {
    cable.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Frames on their way to one end.
struct Direction {
    frames: VecDeque<Vec<u8>>,
    /// Late ones: each waits until this many others have passed, or until nothing else comes.
    late: Vec<(u64, Vec<u8>)>,
    dropped: u64,
    rung: bool,
    ringer: std::io::PipeWriter,
}

impl Direction {
    fn new(bell: &Bell) -> std::io::Result<Direction> {
        Ok(Direction {
            frames: VecDeque::with_capacity(QUEUE_FRAMES_MAX),
            late: Vec::new(),
            dropped: 0,
            rung: false,
            ringer: bell.writer.try_clone()?,
        })
    }

    fn deliver(&mut self, frame: Vec<u8>) {
        self.arrive(frame);
        for (others, _) in &mut self.late {
            *others -= 1;
        }
        while let Some(due) = self.late.iter().position(|(others, _)| *others == 0) {
            let (_, frame) = self.late.remove(due);
            self.arrive(frame);
        }
    }

    fn arrive(&mut self, frame: Vec<u8>) {
        if self.frames.len() == QUEUE_FRAMES_MAX {
            self.dropped += 1;
            return;
        }
        self.frames.push_back(frame);
        self.ring();
    }

    fn ring(&mut self) {
        if !self.rung {
            // One byte in an empty pipe always has room.
            self.rung = self.ringer.write_all(b"!").is_ok();
        }
    }
}

impl Cable {
    fn carry(&mut self, to: usize, mut frame: Vec<u8>) {
        let faults = self.faults;
        if self.random.chance(faults.loss_per_mille) {
            return;
        }
        if self.random.chance(faults.corrupt_per_mille) {
            let bit = self.random.between(0, frame.len() as u64 * 8 - 1) as usize;
            frame[bit / 8] ^= 1 << (bit % 8);
        }
        if self.random.chance(faults.duplicate_per_mille) {
            self.arriving[to].deliver(frame.clone());
        }
        if self.random.chance(faults.reorder_per_mille) {
            let others = self.random.between(1, LATENESS_FRAMES_MAX);
            let direction = &mut self.arriving[to];
            direction.late.push((others, frame));
            direction.ring();
        } else {
            self.arriving[to].deliver(frame);
        }
    }
}

impl FrameDevice for SimFrameDevice {
    fn capabilities(&self) -> FrameCapabilities {
        FrameCapabilities {
            name: "sim",
            receive_checksums_trusted: false,
            send_checksums: false,
            segmentation_bytes_max: 0,
        }
    }

    fn mac_address(&self) -> [u8; 6] {
        [0x02, 0, 0, 0, 0, self.end as u8 + 1]
    }

    fn mtu(&self) -> usize {
        self.mtu
    }

    fn receive_burst(&mut self, frames_max: usize, take: &mut dyn FnMut(&[u8])) -> usize {
        let mut count = 0;
        while count < frames_max {
            let mut cable = lock(&self.cable);
            let direction = &mut cable.arriving[self.end];
            if direction.frames.is_empty() && !direction.late.is_empty() {
                let (_, frame) = direction.late.remove(0);
                direction.arrive(frame);
            }
            let Some(frame) = direction.frames.pop_front() else {
                break;
            };
            if direction.frames.is_empty() && direction.late.is_empty() {
                direction.rung = false;
                self.bell.drain();
            }
            drop(cable);
            take(&frame);
            count += 1;
        }
        self.counters.received += count as u64;
        count
    }

    fn send_capacity(&self) -> usize {
        QUEUE_FRAMES_MAX - self.queued.len()
    }

    fn send(&mut self, slices: &[IoSlice<'_>]) -> bool {
        let frame: Vec<u8> = slices
            .iter()
            .flat_map(|slice| slice.iter())
            .copied()
            .collect();
        assert!((14..=FRAME_HEADER_BYTES_MAX + self.mtu).contains(&frame.len()));
        if self.queued.len() == QUEUE_FRAMES_MAX {
            return false;
        }
        self.queued.push(frame);
        true
    }

    fn flush(&mut self) {
        let mut cable = lock(&self.cable);
        self.counters.sent += self.queued.len() as u64;
        for frame in self.queued.drain(..) {
            cable.carry(1 - self.end, frame);
        }
    }

    fn wait_descriptor(&self) -> Option<BorrowedFd<'_>> {
        Some(self.bell.reader.as_fd())
    }

    fn counters(&self) -> FrameCounters {
        let cable = lock(&self.cable);
        FrameCounters {
            receive_dropped: cable.arriving[self.end].dropped,
            ..self.counters
        }
    }
}

/// A pipe with a byte in it while frames wait.
struct Bell {
    reader: std::io::PipeReader,
    writer: std::io::PipeWriter,
}

impl Bell {
    fn new() -> std::io::Result<Bell> {
        let (reader, writer) = std::io::pipe()?;
        Ok(Bell { reader, writer })
    }

    fn drain(&mut self) {
        // Only called when the byte is there.
        self.reader.read_exact(&mut [0]).ok();
    }
}

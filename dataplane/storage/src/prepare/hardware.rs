//! Devices that compress in the place of a worker's processor, where there are any. What a device
//! fails at, software does.

use precursor_compression::{HARDWARE_BYTES_MAX, HardwareCodec, Recipe};
use std::sync::atomic::{AtomicBool, Ordering};

/// Opens a worker's devices, on its thread: each has proved itself.
pub type OpenDevices = fn() -> Vec<Box<dyn HardwareCodec>>;

/// Fewer bytes are sooner compressed than a device is asked.
pub(crate) const BYTES_MIN: usize = 4 << 10;
/// A device that fails so often in a row is not asked again: each time may have been a timeout.
const FAILURES_MAX: u32 = 16;
/// Plain bytes of a batch that memory is kept for.
const PLAIN_BYTES_KEPT: usize = 4 << 20;

/// Who compressed a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum By {
    #[default]
    Software,
    Device,
    /// A device failed, and software did it.
    SoftwareAfterAll,
}

/// The devices of one worker. Belongs to its thread.
#[derive(Default)]
pub(crate) struct Hardware {
    devices: Vec<(Box<dyn HardwareCodec>, u32)>,
    /// A batch's records, which a device takes all at once.
    pub plain: Vec<u8>,
}

impl Hardware {
    pub fn open(devices: OpenDevices) -> Hardware {
        Hardware {
            devices: devices().into_iter().map(|device| (device, 0)).collect(),
            plain: Vec::new(),
        }
    }

    /// Whether a device has this codec, at the level that nobody chose: it has no others.
    pub fn has(&self, recipe: Recipe) -> bool {
        let is_its = |device: &dyn HardwareCodec| device.format().codec() == recipe.codec;
        recipe.is_own_level() && self.devices.iter().any(|(device, _)| is_its(&**device))
    }

    /// Makes room for another batch.
    pub fn clear(&mut self) {
        self.plain.clear();
        self.plain.shrink_to(PLAIN_BYTES_KEPT);
    }

    /// Takes more of a batch; false when it is more than devices take.
    pub fn push(&mut self, more: &[u8]) -> bool {
        let fits = more.len() <= HARDWARE_BYTES_MAX - self.plain.len();
        if fits {
            self.plain.extend_from_slice(more);
        }
        fits
    }

    /// Compresses the batch that was taken, behind `out`, which must not become longer than
    /// `length_max`.
    pub fn compress(&mut self, recipe: Recipe, out: &mut Vec<u8>, length_max: usize) -> By {
        if self.plain.len() < BYTES_MIN {
            return By::Software;
        }
        let mut by = By::Software;
        for (device, failures) in &mut self.devices {
            if device.format().codec() != recipe.codec {
                continue;
            }
            match device.compress(&self.plain) {
                // Software may do better; what does not fit even then is refused.
                Ok(compressed) if compressed.len() > length_max.saturating_sub(out.len()) => {
                    *failures = 0;
                }
                Ok(compressed) => {
                    *failures = 0;
                    out.extend_from_slice(&compressed);
                    return By::Device;
                }
                Err(error) => {
                    *failures += 1;
                    by = By::SoftwareAfterAll;
                    tell(device.name(), &error, *failures);
                }
            }
        }
        self.devices
            .retain(|(_, failures)| *failures < FAILURES_MAX);
        by
    }
}

/// The first failure of all, and when a device is given up.
fn tell(device: &str, error: &std::io::Error, failures: u32) {
    static TOLD: AtomicBool = AtomicBool::new(false);
    if failures == FAILURES_MAX {
        tracing::warn!(device, %error, "failed {FAILURES_MAX} times in a row: not asked again");
    } else if !TOLD.swap(true, Ordering::Relaxed) {
        tracing::warn!(device, %error, "compression in hardware failed: software did it");
    }
}

//! Codecs in hardware, for the workers that compress.

use precursor_codecs_sys::{Device, NotPresent};
use precursor_compression::HardwareCodec;
use std::sync::atomic::{AtomicBool, Ordering};

/// Opens the devices that this machine has and that do what every codec must. What is found is told
/// once, whoever asks.
pub fn devices() -> Vec<Box<dyn HardwareCodec>> {
    static TOLD: [AtomicBool; Device::ALL.len()] =
        [const { AtomicBool::new(false) }; Device::ALL.len()];
    let open = |(device, told): (&Device, &AtomicBool)| {
        let opened = device.open();
        let name = device.name();
        match &opened {
            // Whoever has no device need not read of it at each start.
            Err(absent) if !matches!(absent, NotPresent::DoesNotConform(_)) => {
                tracing::debug!("compression by {name}: {absent}");
            }
            _ if told.swap(true, Ordering::Relaxed) => {}
            Ok(codec) => tracing::info!("compression by {name}: {:?}", codec.format()),
            Err(fault) => tracing::warn!("compression by {name}: {fault}"),
        }
        opened.ok()
    };
    Device::ALL.iter().zip(&TOLD).filter_map(open).collect()
}

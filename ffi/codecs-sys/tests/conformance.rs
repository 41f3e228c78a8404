//! What every codec must do, of the software's and of whatever devices this machine has.

use precursor_codecs_sys::{Device, Format, HardwareCodec, PLAIN_BYTES_MAX};
use precursor_compression::{compress, decompress_bounded};
use precursor_protocol::records::Codec;
use std::io;

/// The software that reads and writes a device's format.
struct Software(Format);

fn codec(format: Format) -> Codec {
    match format {
        Format::Gzip => Codec::Gzip,
        Format::Zstd => Codec::Zstd,
    }
}

impl HardwareCodec for Software {
    fn format(&self) -> Format {
        self.0
    }

    fn reads_all(&self) -> bool {
        true
    }

    fn compress(&mut self, plain: &[u8]) -> io::Result<Vec<u8>> {
        match plain.len() > PLAIN_BYTES_MAX {
            true => Err(io::ErrorKind::FileTooLarge.into()),
            false => compress(codec(self.0), plain),
        }
    }

    fn decompress(&mut self, compressed: &[u8], bytes_max: usize) -> io::Result<Vec<u8>> {
        decompress_bounded(codec(self.0), compressed, bytes_max)
    }
}

fn samples() -> Vec<Vec<u8>> {
    let text: Vec<u8> = (0..40_000)
        .flat_map(|n| {
            format!(
                "{{\"id\":{n},\"city\":\"Bern\",\"sum\":{}}}",
                n * 7919 % 1009
            )
            .into_bytes()
        })
        .collect();
    let mut state = 42u64;
    let noise = std::iter::repeat_with(|| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 56) as u8
    });
    vec![
        vec![7],
        b"to be or not to be".repeat(3),
        text,
        vec![0; 1 << 20],
        noise.take(300_000).collect(),
    ]
}

fn conforms(device: &mut dyn HardwareCodec, name: &str) {
    let mut software = Software(device.format());
    for sample in samples() {
        let about = format!("{name}, {} bytes", sample.len());
        let compressed = device.compress(&sample).expect(&about);
        assert!(
            compressed.len() < sample.len() + sample.len() / 8 + 1024,
            "{about}"
        );
        let length = sample.len();
        assert_eq!(
            device.decompress(&compressed, length).expect(&about),
            sample,
            "{about}"
        );
        assert_eq!(
            software.decompress(&compressed, length).expect(&about),
            sample,
            "{about}"
        );
        if device.reads_all() {
            let other = software.compress(&sample).expect(&about);
            assert_eq!(
                device.decompress(&other, length).expect(&about),
                sample,
                "{about}"
            );
        }
        // Less room than is needed, half of the bytes, other bytes.
        assert!(
            device.decompress(&compressed, length - 1).is_err(),
            "{about}"
        );
        assert!(
            device
                .decompress(&compressed[..compressed.len() / 2], length)
                .is_err(),
            "{about}"
        );
        assert!(
            device
                .decompress(b"this was never compressed", 100)
                .is_err(),
            "{about}"
        );
        // And it goes on as if nothing had been.
        assert_eq!(
            device.decompress(&compressed, length).expect(&about),
            sample,
            "{about}"
        );
    }
    assert!(
        device.compress(&vec![0; PLAIN_BYTES_MAX + 1]).is_err(),
        "{name}"
    );
}

#[test]
fn the_software_conforms() {
    for format in [Format::Gzip, Format::Zstd] {
        conforms(&mut Software(format), &format!("software {format:?}"));
    }
}

#[test]
fn the_devices_that_are_here_conform() {
    for device in Device::ALL {
        match device.open() {
            Ok(mut open) => conforms(&mut *open, device.name()),
            Err(absent) => println!("{}: {absent}", device.name()),
        }
    }
}

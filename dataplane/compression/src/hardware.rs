//! Codecs outside of the processor: what a device has to offer, and what it must do before it is
//! believed.

use crate::{compress, decompress_bounded};
use precursor_protocol::records::Codec;
use std::io;

/// What a device writes and reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Members of gzip (RFC 1952).
    Gzip,
    /// Frames of zstd (RFC 8878).
    Zstd,
}

impl Format {
    /// The codec of record batches that has this format.
    pub fn codec(self) -> Codec {
        match self {
            Format::Gzip => Codec::Gzip,
            Format::Zstd => Codec::Zstd,
        }
    }
}

/// An open device. Calls block; it belongs to one thread. It has one level, its own.
pub trait HardwareCodec {
    /// For log lines.
    fn name(&self) -> &'static str;

    fn format(&self) -> Format;

    /// Whether it decompresses what others have compressed, and not only its own.
    fn reads_all(&self) -> bool;

    /// Compresses bytes, at most [`HARDWARE_BYTES_MAX`].
    ///
    /// # Errors
    /// What the library reports.
    fn compress(&mut self, plain: &[u8]) -> io::Result<Vec<u8>>;

    /// Decompresses what comes to at most `bytes_max`.
    ///
    /// # Errors
    /// The bytes are not of this format, or come to more; what the library reports.
    fn decompress(&mut self, compressed: &[u8], bytes_max: usize) -> io::Result<Vec<u8>>;
}

/// Plain bytes of one call at most.
pub const HARDWARE_BYTES_MAX: usize = 16 << 20;

/// The software that reads and writes a device's format.
pub struct Software(pub Format);

impl HardwareCodec for Software {
    fn name(&self) -> &'static str {
        "software"
    }

    fn format(&self) -> Format {
        self.0
    }

    fn reads_all(&self) -> bool {
        true
    }

    fn compress(&mut self, plain: &[u8]) -> io::Result<Vec<u8>> {
        match plain.len() > HARDWARE_BYTES_MAX {
            true => Err(io::ErrorKind::FileTooLarge.into()),
            false => compress(self.0.codec(), plain),
        }
    }

    fn decompress(&mut self, compressed: &[u8], bytes_max: usize) -> io::Result<Vec<u8>> {
        decompress_bounded(self.0.codec(), compressed, bytes_max)
    }
}

/// Has a codec do what each must, on text, on what does not shrink and on what shrinks to nothing;
/// takes some ten milliseconds.
///
/// # Errors
/// What it does otherwise.
pub fn conforms(device: &mut dyn HardwareCodec) -> Result<(), String> {
    for sample in samples() {
        one_conforms(device, &sample).map_err(|what| format!("{} bytes: {what}", sample.len()))?;
    }
    match device.compress(&vec![0; HARDWARE_BYTES_MAX + 1]) {
        Ok(_) => Err("takes more than may be given to it".to_owned()),
        Err(_) => Ok(()),
    }
}

fn samples() -> Vec<Vec<u8>> {
    let line = |n: u32| {
        format!(
            "{{\"id\":{n},\"city\":\"Bern\",\"sum\":{}}}",
            n * 7919 % 1009
        )
    };
    let text: Vec<u8> = (0..40_000).flat_map(|n| line(n).into_bytes()).collect();
    let mut state = 42u64;
    let noise = std::iter::repeat_with(|| {
        let next = state.wrapping_mul(6_364_136_223_846_793_005);
        state = next.wrapping_add(1);
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

fn one_conforms(device: &mut dyn HardwareCodec, sample: &[u8]) -> Result<(), String> {
    let mut software = Software(device.format());
    let failed = |what: &'static str| move |error: io::Error| format!("{what}: {error}");
    let same = |what: &str, plain: Vec<u8>| match plain == sample {
        true => Ok(()),
        false => Err(format!("{what} gives other bytes")),
    };
    let length = sample.len();
    let compressed = device.compress(sample).map_err(failed("compressing"))?;
    if compressed.len() > length + length / 8 + 1024 {
        return Err(format!("compresses to {}", compressed.len()));
    }
    let plain = device.decompress(&compressed, length);
    same("its own", plain.map_err(failed("its own"))?)?;
    let plain = software.decompress(&compressed, length);
    same("software", plain.map_err(failed("software"))?)?;
    if device.reads_all() {
        let other = software.compress(sample).map_err(failed("software"))?;
        let plain = device.decompress(&other, length);
        same("what software wrote", plain.map_err(failed("software's"))?)?;
    }
    // Less room than is needed, half of the bytes, other bytes.
    let half = &compressed[..compressed.len() / 2];
    let bad: [(&[u8], usize); 3] = [
        (&compressed, length - 1),
        (half, length),
        (b"this was never compressed", 100),
    ];
    if let Some(at) = bad
        .iter()
        .position(|(bytes, room)| device.decompress(bytes, *room).is_ok())
    {
        return Err(format!("takes what is bad, number {at}"));
    }
    // And it goes on as if nothing had been.
    let plain = device.decompress(&compressed, length);
    same("after errors", plain.map_err(failed("after errors"))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_software_conforms() {
        for format in [Format::Gzip, Format::Zstd] {
            conforms(&mut Software(format)).unwrap();
        }
    }

    /// Software with one fault.
    struct Faulty(usize);

    impl HardwareCodec for Faulty {
        fn name(&self) -> &'static str {
            "faulty"
        }

        fn format(&self) -> Format {
            Format::Gzip
        }

        fn reads_all(&self) -> bool {
            self.0 == 0
        }

        fn compress(&mut self, plain: &[u8]) -> io::Result<Vec<u8>> {
            let mut compressed = Software(Format::Gzip).compress(plain)?;
            match self.0 {
                // Only its own reader knows.
                1 => compressed.iter_mut().for_each(|byte| *byte ^= 1),
                2 => compressed.resize(compressed.len() + plain.len() / 4 + 2048, 0),
                _ => {}
            }
            Ok(compressed)
        }

        fn decompress(&mut self, compressed: &[u8], bytes_max: usize) -> io::Result<Vec<u8>> {
            let turned: Vec<u8> = compressed.iter().map(|byte| byte ^ 1).collect();
            let mut software = Software(Format::Gzip);
            match self.0 {
                0 => Err(io::ErrorKind::Other.into()),
                1 => software.decompress(&turned, bytes_max),
                3 => Ok(software
                    .decompress(compressed, bytes_max)
                    .unwrap_or_default()),
                _ => software.decompress(compressed, bytes_max),
            }
        }
    }

    #[test]
    fn what_does_otherwise_does_not_conform() {
        let said = [0, 1, 2, 3].map(|fault| conforms(&mut Faulty(fault)).unwrap_err());
        let parts = [
            "its own: ",
            "software: ",
            "compresses to ",
            "takes what is bad",
        ];
        for (said, part) in said.iter().zip(parts) {
            assert!(said.contains(part), "{said}, not {part}");
        }
    }
}

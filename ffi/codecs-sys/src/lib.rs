//! Codecs in hardware: Intel QAT, Intel IAA and GPUs, through the libraries of their vendors.
//!
//! Nothing is linked: each library is opened when it is asked for, and a device counts as present
//! only when its library has opened it, without the library's own way around in software. What a
//! device compresses is in a format that every software codec reads, and the other way round.
#![deny(unsafe_op_in_unsafe_fn, clippy::undocumented_unsafe_blocks)]

mod library;
mod nvcomp;
mod qatzip;
mod qpl;

use std::fmt;
use std::io;

/// What a device writes and reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Members of gzip (RFC 1952).
    Gzip,
    /// Frames of zstd (RFC 8878).
    Zstd,
}

/// A kind of device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Device {
    /// Intel QuickAssist, by libqatzip.
    Qat,
    /// Intel In-Memory Analytics Accelerator, by libqpl.
    Iaa,
    /// A CUDA device, by nvCOMP 5.
    Gpu,
}

impl Device {
    pub const ALL: [Device; 3] = [Device::Qat, Device::Iaa, Device::Gpu];

    pub fn name(self) -> &'static str {
        match self {
            Device::Qat => "Intel QAT",
            Device::Iaa => "Intel IAA",
            Device::Gpu => "GPU (nvCOMP)",
        }
    }

    /// Opens the device.
    ///
    /// # Errors
    /// It is not present, and why.
    pub fn open(self) -> Result<Box<dyn HardwareCodec>, NotPresent> {
        match self {
            Device::Qat => qatzip::Qat::open().map(|qat| Box::new(qat) as _),
            Device::Iaa => qpl::Iaa::open().map(|iaa| Box::new(iaa) as _),
            Device::Gpu => nvcomp::Gpu::open().map(|gpu| Box::new(gpu) as _),
        }
    }
}

/// An open device. Calls block; it belongs to one thread.
pub trait HardwareCodec {
    fn format(&self) -> Format;

    /// Whether it decompresses what others have compressed, and not only its own.
    fn reads_all(&self) -> bool;

    /// Compresses bytes, at most [`PLAIN_BYTES_MAX`].
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

/// Bytes of one call at most.
pub const PLAIN_BYTES_MAX: usize = 16 << 20;

/// Why a device cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotPresent {
    /// None of these names could be opened.
    NoLibrary(&'static [&'static str]),
    /// The library lacks a function: it is of another version.
    NoSymbol(&'static str),
    /// The library found no device that it could use: the function and what it returned.
    NoDevice(&'static str, i64),
}

impl fmt::Display for NotPresent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotPresent::NoLibrary(names) => {
                write!(f, "not present ({} is not installed)", names[0])
            }
            NotPresent::NoSymbol(name) => write!(f, "not present (the library has no {name})"),
            NotPresent::NoDevice(function, code) => {
                write!(f, "not present ({function} found no device: {code})")
            }
        }
    }
}

impl std::error::Error for NotPresent {}

/// What a library's function returned instead of success.
fn failed(function: &str, code: i64) -> io::Error {
    io::Error::other(format!("{function} returned {code}"))
}

fn too_large() -> io::Error {
    let message = format!("more than {PLAIN_BYTES_MAX} bytes");
    io::Error::new(io::ErrorKind::FileTooLarge, message)
}

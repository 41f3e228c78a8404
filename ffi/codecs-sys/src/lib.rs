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

use precursor_compression::{HARDWARE_BYTES_MAX as PLAIN_BYTES_MAX, HardwareCodec, conforms};
use std::fmt;
use std::io;

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

    /// Opens the device and has it do what every codec must.
    ///
    /// # Errors
    /// It is not present, and why; or it is not to be believed.
    pub fn open(self) -> Result<Box<dyn HardwareCodec>, NotPresent> {
        let mut open: Box<dyn HardwareCodec> = match self {
            Device::Qat => Box::new(qatzip::Qat::open()?),
            Device::Iaa => Box::new(qpl::Iaa::open()?),
            Device::Gpu => Box::new(nvcomp::Gpu::open()?),
        };
        match conforms(&mut *open) {
            Ok(()) => Ok(open),
            Err(what) => Err(NotPresent::DoesNotConform(what)),
        }
    }
}

/// Why a device cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotPresent {
    /// None of these names could be opened.
    NoLibrary(&'static [&'static str]),
    /// The library lacks a function: it is of another version.
    NoSymbol(&'static str),
    /// The library found no device that it could use: the function and what it returned.
    NoDevice(&'static str, i64),
    /// The library would do the work in software: its name for that state.
    SoftwareOnly(i64),
    /// There is one, and it does what no codec may.
    DoesNotConform(String),
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
            NotPresent::SoftwareOnly(state) => {
                write!(
                    f,
                    "not present (its library would work in software: {state})"
                )
            }
            NotPresent::DoesNotConform(what) => write!(f, "not used: it failed its test ({what})"),
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

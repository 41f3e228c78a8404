//! Codecs in hardware.

use precursor_codecs_sys::{Device, NotPresent};
use precursor_compression::Format;

use super::{Finding, State};

/// Opens each kind of device.
pub fn codecs() -> Vec<Finding> {
    let opened = |device: Device| (device, device.open().map(|open| open.format()));
    let found = Device::ALL.map(opened);
    found
        .into_iter()
        .map(|(device, open)| finding(device, open))
        .collect()
}

fn finding(device: Device, open: Result<Format, NotPresent>) -> Finding {
    let why = "The software codecs do all the work; a device could take some of it off the \
               processors.";
    let name = match device {
        Device::Qat => "codec: Intel QAT",
        Device::Iaa => "codec: Intel IAA",
        Device::Gpu => "codec: GPU",
    };
    match open {
        Ok(Format::Gzip) => Finding::new(name, why, State::Good, "present: gzip"),
        Ok(Format::Zstd) => Finding::new(name, why, State::Good, "present: zstd"),
        Err(fault @ NotPresent::DoesNotConform(_)) => {
            Finding::new(name, why, State::Improvable, fault.to_string())
        }
        Err(absent) => Finding::new(name, why, State::Absent, absent.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_said_and_why() {
        let absent = NotPresent::NoLibrary(&["libqpl.so.1"]);
        let found = finding(Device::Iaa, Err(absent));
        assert_eq!(found.state, State::Absent);
        assert_eq!(found.found, "not present (libqpl.so.1 is not installed)");
        let present = finding(Device::Gpu, Ok(Format::Zstd));
        assert_eq!(
            (present.state, &*present.found),
            (State::Good, "present: zstd")
        );
    }

    #[test]
    fn every_kind_is_looked_for() {
        assert_eq!(codecs().len(), Device::ALL.len());
    }
}

//! What every codec must do, of whatever devices this machine has.

use precursor_codecs_sys::{Device, NotPresent};

/// Each is opened, and has proved itself by that, or is told to be absent.
#[test]
fn the_devices_that_are_here_conform() {
    for device in Device::ALL {
        match device.open() {
            Ok(open) => assert_eq!(open.name(), device.name()),
            Err(NotPresent::DoesNotConform(what)) => panic!("{}: {what}", device.name()),
            Err(absent) => println!("{}: {absent}", device.name()),
        }
    }
}

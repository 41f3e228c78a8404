//! In-memory transport with seeded faults, for tests.
//!
//! A [`SimNetwork`] joins server-side [`SimTransport`]s with [`SimClient`] handles that a test
//! drives. Time is virtual: it moves when a transport is polled or the test says so
//! ([`SimNetwork::advance`]), so one seed and one order of calls give one history.
//! [`sim_frame_devices`] makes two frame devices on one cable, for netstacks.
//!
//! ```
//! use std::time::Duration;
//! use precursor_transport_port::{Event, Transport, Wait};
//! use precursor_transport_sim::{SimFaults, SimNetwork};
//!
//! let network = SimNetwork::new(7, SimFaults::default());
//! let mut transport = network.transport(16);
//! let address = transport.listen("127.0.0.1:0".parse().unwrap()).unwrap();
//! let mut client = network.connect(address);
//! assert_eq!(client.send(b"hello"), 5);
//! let mut events = Vec::with_capacity(8);
//! transport.poll(Wait::AtMost(Duration::from_millis(1)), &mut events).unwrap();
//! assert!(matches!(events[0], Event::Accepted { .. }));
//! ```
#![forbid(unsafe_code)]

mod client;
mod frames;
mod network;
mod pipe;
mod random;
mod transport;

pub use client::{ClientReceived, SimClient};
pub use frames::{FrameFaults, SimFrameDevice, sim_frame_devices};
pub use network::{SimFaults, SimNetwork};
pub use transport::SimTransport;

//! Kernel sockets by epoll or io_uring.
//!
//! [`KernelTransport`] is the [`Transport`] that every host offers. Which of the two drivers it
//! runs on is chosen at start ([`Driver`]) and told by [`KernelTransport::report`].
//!
//! Bytes are sent by copying them into the socket, from as many slices and in as large portions as
//! the shard offers. The ways around the copy were measured on loopback, out of 256 MiB of memory
//! and in turns with plain sends of 1 MiB: `sendfile`, `splice` and `vmsplice` gave 0.6 to 1.0
//! times their throughput and cost as much processor time or more; `MSG_ZEROCOPY` gave half, for
//! loopback copies after all. They are also unsound for memory that is used again: a receiver's
//! queue still refers to the sender's pages after everything was acknowledged.

mod epoll;
mod lingering;
mod listener;
mod slots;
mod sys;
mod uring;

use std::io::IoSlice;
use std::net::SocketAddr;
use std::os::fd::RawFd;
use std::str::FromStr;

use precursor_transport_port::{
    Capabilities, ConnectionId, Event, ReceiveError, SendError, Transport, TransportError, Wait,
    WireStatistics,
};

pub use listener::SharedListener;

/// Which kernel interface carries the bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Driver {
    /// The one that measured better: epoll, because of its shorter round trip.
    #[default]
    Auto,
    Epoll,
    /// Takes bulk input at less cost and costs nothing to poll while idle. Where the host forbids
    /// it, epoll serves.
    IoUring,
}

impl FromStr for Driver {
    type Err = String;

    fn from_str(text: &str) -> Result<Driver, String> {
        match text {
            "auto" => Ok(Driver::Auto),
            "epoll" => Ok(Driver::Epoll),
            "io_uring" => Ok(Driver::IoUring),
            other => Err(format!(
                "`{other}` is no network driver; use auto, epoll or io_uring"
            )),
        }
    }
}

/// How a [`KernelTransport`] is built. One instance per shard; options may be cloned.
#[derive(Clone, Debug)]
pub struct KernelOptions {
    pub driver: Driver,
    /// Most connections at a time. One above it is accepted and closed at once, so that its client
    /// sees an end rather than a hang.
    pub connections_max: usize,
    /// A socket that several shards accept from. [`Transport::listen`] with its address
    /// uses it instead of binding a socket of its own.
    pub shared_listener: Option<SharedListener>,
    /// Microseconds that the kernel may poll a device's queue for a socket (`SO_BUSY_POLL`), where
    /// the process may ask for it; 0 leaves the host's setting.
    pub busy_poll_us: u32,
    /// Size of each socket's send buffer in bytes; 0 leaves it to the kernel's own tuning.
    pub send_buffer_bytes: usize,
    /// Size of each socket's receive buffer in bytes; 0 leaves it to the kernel's own tuning.
    pub receive_buffer_bytes: usize,
}

impl Default for KernelOptions {
    fn default() -> KernelOptions {
        KernelOptions {
            driver: Driver::Auto,
            connections_max: 16_384,
            shared_listener: None,
            busy_poll_us: 0,
            send_buffer_bytes: 0,
            receive_buffer_bytes: 0,
        }
    }
}

/// Connections over kernel sockets. Owned by one shard thread, the one that polls it first.
pub struct KernelTransport {
    driver: Chosen,
    report: String,
}

// One of them exists per shard, so their sizes do not matter.
#[allow(clippy::large_enum_variant)]
enum Chosen {
    Epoll(epoll::EpollTransport),
    IoUring(uring::UringTransport),
}

impl KernelTransport {
    /// Allocates everything that the transport will ever need.
    ///
    /// # Errors
    /// [`TransportError::System`] when descriptors or memory run out. A host that forbids io_uring
    /// is no error: epoll serves instead, and the report says why.
    pub fn new(options: KernelOptions) -> Result<KernelTransport, TransportError> {
        let descriptors = sys::raise_descriptor_limit();
        let connections_max = options.connections_max;
        let (driver, mut report) = choose(options)?;
        if (descriptors as usize) < connections_max {
            report.push_str(&format!(
                "; the process may hold {descriptors} descriptors, fewer than the \
                 {connections_max} connections allowed: raise `ulimit -n`",
            ));
        }
        Ok(KernelTransport { driver, report })
    }

    /// One sentence for the start log: which driver runs and why.
    pub fn report(&self) -> &str {
        &self.report
    }

    fn driver(&self) -> &dyn Transport {
        match &self.driver {
            Chosen::Epoll(driver) => driver,
            Chosen::IoUring(driver) => driver,
        }
    }
}

fn choose(options: KernelOptions) -> Result<(Chosen, String), TransportError> {
    let why = match options.driver {
        Driver::IoUring => match uring::UringTransport::new(options.clone()) {
            Ok(driver) => {
                let report = String::from("kernel sockets by io_uring, as configured");
                return Ok((Chosen::IoUring(driver), report));
            }
            Err(refusal) => format!("epoll instead of io_uring: {refusal}"),
        },
        Driver::Epoll => String::from("epoll, as configured"),
        Driver::Auto => String::from("epoll, whose round trip measured shorter than io_uring's"),
    };
    let driver = epoll::EpollTransport::new(options)?;
    Ok((Chosen::Epoll(driver), format!("kernel sockets by {why}")))
}

/// Calls a method of the chosen driver, without a virtual call.
macro_rules! driver {
    ($self:ident, $method:ident($($argument:expr),*)) => {
        match &mut $self.driver {
            Chosen::Epoll(driver) => driver.$method($($argument),*),
            Chosen::IoUring(driver) => driver.$method($($argument),*),
        }
    };
}

impl Transport for KernelTransport {
    fn capabilities(&self) -> Capabilities {
        self.driver().capabilities()
    }

    fn listen(&mut self, address: SocketAddr) -> Result<SocketAddr, TransportError> {
        driver!(self, listen(address))
    }

    fn stop_listening(&mut self) {
        driver!(self, stop_listening());
    }

    fn watch(&mut self, descriptor: RawFd, token: u32) -> Result<(), TransportError> {
        driver!(self, watch(descriptor, token))
    }

    fn poll(&mut self, wait: Wait, events: &mut Vec<Event>) -> Result<(), TransportError> {
        driver!(self, poll(wait, events))
    }

    fn receive(&mut self, id: ConnectionId, buffer: &mut [u8]) -> Result<usize, ReceiveError> {
        driver!(self, receive(id, buffer))
    }

    fn send(&mut self, id: ConnectionId, slices: &[IoSlice<'_>]) -> Result<usize, SendError> {
        driver!(self, send(id, slices))
    }

    fn close(&mut self, id: ConnectionId) {
        driver!(self, close(id));
    }

    fn connection_count(&self) -> usize {
        self.driver().connection_count()
    }

    fn refused_count(&self) -> u64 {
        self.driver().refused_count()
    }

    fn wire(&self) -> Option<WireStatistics> {
        None
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{Ipv4Addr, TcpStream};
    use std::time::Duration;

    use super::*;

    const LOOPBACK: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

    #[test]
    fn a_busy_port_is_refused() {
        let listener = SharedListener::bind(LOOPBACK).unwrap();
        let again = SharedListener::bind(listener.local_address());
        assert!(matches!(again, Err(TransportError::AddressInUse(_))));
    }

    #[test]
    fn a_restart_binds_at_once() {
        for driver in [Driver::Epoll, Driver::IoUring] {
            let mut address = LOOPBACK;
            // Each round leaves connections in TIME_WAIT, for the server closes first.
            for _ in 0..5 {
                let options = KernelOptions {
                    driver,
                    ..KernelOptions::default()
                };
                let mut transport = KernelTransport::new(options).unwrap();
                address = transport.listen(address).unwrap();
                let mut client = TcpStream::connect(address).unwrap();
                let mut events = Vec::with_capacity(4);
                while events.is_empty() {
                    transport.poll(Wait::Forever, &mut events).unwrap();
                }
                drop(transport);
                assert_eq!(client.read(&mut [0]).unwrap(), 0, "{driver:?}");
            }
        }
    }

    #[test]
    fn two_shards_accept_from_one_socket() {
        let listener = SharedListener::bind(LOOPBACK).unwrap();
        let options = KernelOptions {
            connections_max: 8,
            shared_listener: Some(listener.clone()),
            ..KernelOptions::default()
        };
        let mut shards: Vec<KernelTransport> = (0..2)
            .map(|_| KernelTransport::new(options.clone()).unwrap())
            .collect();
        for shard in &mut shards {
            let bound = shard.listen(listener.local_address()).unwrap();
            assert_eq!(bound, listener.local_address());
        }
        let mut events = Vec::with_capacity(4);
        for shard in &mut shards {
            let mut client = TcpStream::connect(listener.local_address()).unwrap();
            client.write_all(b"hello").unwrap();
            let mut buffer = [0; 16];
            let mut echoed = 0;
            while echoed < 5 {
                events.clear();
                let wait = Wait::AtMost(Duration::from_millis(100));
                shard.poll(wait, &mut events).unwrap();
                for event in &events {
                    let (Event::Accepted { connection, .. } | Event::Readable(connection)) = event
                    else {
                        continue;
                    };
                    if let Ok(length) = shard.receive(*connection, &mut buffer) {
                        let slice = [IoSlice::new(&buffer[..length])];
                        echoed += shard.send(*connection, &slice).unwrap();
                    }
                }
            }
            client.read_exact(&mut buffer[..5]).unwrap();
            assert_eq!(&buffer[..5], b"hello");
        }
    }
}

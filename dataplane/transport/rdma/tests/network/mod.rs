//! Transports under test, and clients of both kinds. The device is the lab's.

#![allow(dead_code)]

use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsRawFd, RawFd};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use precursor_transport_kernel::{KernelOptions, KernelTransport};
use precursor_transport_port::conformance::{Bell, Client, Network, Received};
use precursor_transport_rdma::{
    ConnectError, RdmaConnection, RdmaListener, RdmaOptions, RdmaTransport, WithRdma,
};

/// The lab's processor is emulated.
const PATIENCE: Duration = Duration::from_secs(120);

/// An address of an RDMA device of this host: of the interface that scripts/lab makes.
pub fn device_address() -> SocketAddr {
    let text = std::env::var("LAB_ADDRESS").unwrap_or("10.77.0.1".to_owned());
    SocketAddr::new(text.parse().expect("an address"), 0)
}

/// Listens on the device.
pub struct Host(pub Option<RdmaListener>);

impl Host {
    pub fn start(&mut self, clients_max: usize, access_bytes: u32) -> RdmaTransport {
        let options = RdmaOptions {
            address: device_address(),
            clients_max,
            access_bytes,
            access_timeout: PATIENCE,
        };
        let (listener, mut transports) =
            RdmaListener::start(&options, 1).unwrap_or_else(|error| panic!("{error}"));
        self.0 = Some(listener);
        transports.remove(0)
    }

    pub fn address(&self) -> SocketAddr {
        self.0.as_ref().expect("it listens").address()
    }
}

pub fn kernel(connections_max: usize) -> KernelTransport {
    let options = KernelOptions {
        connections_max,
        ..KernelOptions::default()
    };
    KernelTransport::new(options).expect("kernel sockets")
}

/// With as much memory for each client, each way.
pub struct RdmaNetwork(Host, u32);

impl RdmaNetwork {
    pub fn new() -> RdmaNetwork {
        RdmaNetwork(Host(None), 128 << 10)
    }

    /// Everything goes by SEND.
    pub fn by_send() -> RdmaNetwork {
        RdmaNetwork(Host(None), 0)
    }
}

impl Network for RdmaNetwork {
    type Transport = WithRdma<KernelTransport>;
    type Client = RdmaClient;
    type Bell = PipeBell;

    fn transport(&mut self, connections_max: usize) -> WithRdma<KernelTransport> {
        let rdma = self.0.start(connections_max, self.1);
        WithRdma::new(kernel(4), Some(rdma)).expect("epoll watches")
    }
    fn patience(&self) -> Duration {
        PATIENCE
    }
    /// Twice what its credits let one side have with the other.
    fn more_than_fits(&self) -> usize {
        512 << 10
    }
    fn connect(&mut self, _: SocketAddr) -> RdmaClient {
        let address = self.0.address();
        let start = Instant::now();
        RdmaClient::Connecting(std::thread::spawn(move || {
            loop {
                match RdmaConnection::connect(address, None) {
                    // Many at once, and a slow machine: the kernel's times run out. A client asks again.
                    Err(ConnectError::NoWay { .. }) if start.elapsed() < PATIENCE => {}
                    connected => return connected,
                }
            }
        }))
    }
    fn bell(&mut self) -> PipeBell {
        PipeBell::new()
    }
}

pub struct TcpBesideRdma(Host);

impl TcpBesideRdma {
    pub fn new() -> TcpBesideRdma {
        TcpBesideRdma(Host(None))
    }
}

impl Network for TcpBesideRdma {
    type Transport = WithRdma<KernelTransport>;
    type Client = TcpClient;
    type Bell = PipeBell;

    fn transport(&mut self, connections_max: usize) -> WithRdma<KernelTransport> {
        let rdma = self.0.start(7, 0);
        WithRdma::new(kernel(connections_max), Some(rdma)).expect("epoll watches")
    }
    fn patience(&self) -> Duration {
        PATIENCE
    }
    fn connect(&mut self, address: SocketAddr) -> TcpClient {
        let stream = TcpStream::connect(address).expect("the transport listens");
        stream.set_nonblocking(true).expect("no waiting");
        TcpClient(stream)
    }
    fn bell(&mut self) -> PipeBell {
        PipeBell::new()
    }
}

pub enum RdmaClient {
    Connecting(JoinHandle<Result<RdmaConnection, ConnectError>>),
    Connected(Box<RdmaConnection>),
    TurnedAway,
}

impl RdmaClient {
    /// The connection, as far as it is known already; with `wait`, once it is known.
    fn connection(&mut self, wait: bool) -> Option<&mut RdmaConnection> {
        if let RdmaClient::Connecting(connecting) = self
            && (wait || connecting.is_finished())
        {
            let connecting = std::mem::replace(self, RdmaClient::TurnedAway);
            let RdmaClient::Connecting(connecting) = connecting else {
                unreachable!("just looked at");
            };
            match connecting.join().expect("connecting does not panic") {
                Ok(connection) => *self = RdmaClient::Connected(Box::new(connection)),
                Err(error) => println!("{error}"),
            }
        }
        match self {
            RdmaClient::Connected(connection) => Some(connection),
            _ => None,
        }
    }
}

impl Client for RdmaClient {
    fn send(&mut self, bytes: &[u8]) -> usize {
        let connection = self.connection(false);
        connection.map_or(0, |connection| connection.try_send(bytes).unwrap_or(0))
    }

    fn receive(&mut self, buffer: &mut [u8]) -> Received {
        if let Some(connection) = self.connection(false) {
            // A poller asks the kernel now and then only: a test wants to know at once.
            let over = connection.check().is_err();
            return match connection.try_receive(buffer) {
                Ok(Some(0)) => Received::End,
                Ok(Some(length)) => Received::Bytes(length),
                Ok(None) if over => Received::Reset,
                Ok(None) => Received::Nothing,
                Err(_) => Received::Reset,
            };
        }
        match self {
            RdmaClient::TurnedAway => Received::Reset,
            _ => Received::Nothing,
        }
    }

    fn finish_sending(&mut self) {
        if let Some(connection) = self.connection(true) {
            connection.finish_sending();
        }
    }

    fn reset(mut self) {
        // Dropped without an end.
        self.connection(true);
    }
}

pub struct TcpClient(TcpStream);

impl Client for TcpClient {
    fn send(&mut self, bytes: &[u8]) -> usize {
        (&self.0).write(bytes).unwrap_or(0)
    }

    fn receive(&mut self, buffer: &mut [u8]) -> Received {
        match (&self.0).read(buffer) {
            Ok(0) => Received::End,
            Ok(length) => Received::Bytes(length),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Received::Nothing,
            Err(_) => Received::Reset,
        }
    }

    fn finish_sending(&mut self) {
        self.0.shutdown(std::net::Shutdown::Write).expect("open");
    }

    fn reset(self) {
        let linger = libc::linger {
            l_onoff: 1,
            l_linger: 0,
        };
        // SAFETY: the descriptor is open, and the option is of the size that is said.
        unsafe {
            libc::setsockopt(
                self.0.as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_LINGER,
                (&raw const linger).cast(),
                size_of::<libc::linger>() as libc::socklen_t,
            );
        }
    }
}

pub struct PipeBell {
    reader: PipeReader,
    writer: PipeWriter,
    rung: usize,
}

impl PipeBell {
    pub fn new() -> PipeBell {
        let (reader, writer) = io::pipe().expect("a pipe");
        PipeBell {
            reader,
            writer,
            rung: 0,
        }
    }
}

impl Bell for PipeBell {
    fn descriptor(&self) -> RawFd {
        self.reader.as_raw_fd()
    }
    fn ring(&mut self) {
        self.writer.write_all(b"!").expect("a pipe has room");
        self.rung += 1;
    }
    fn drain(&mut self) {
        for _ in 0..std::mem::take(&mut self.rung) {
            self.reader.read_exact(&mut [0]).expect("it was rung");
        }
    }
}

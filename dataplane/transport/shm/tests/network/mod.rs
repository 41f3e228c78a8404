//! Transports under test, and clients of both kinds.

#![allow(dead_code)]

use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::fd::{AsRawFd, RawFd};
use std::path::PathBuf;
use std::time::Duration;

use precursor_transport_kernel::{KernelOptions, KernelTransport};
use precursor_transport_port::conformance::{Bell, Client, Network, Received};
use precursor_transport_shm::{
    SOCKET_NAME, ShmConnection, ShmListener, ShmOptions, ShmTransport, WithShm,
};
use tempfile::TempDir;

/// Listens in a directory of its own.
pub struct Host {
    pub directory: TempDir,
    pub listener: Option<ShmListener>,
}

impl Host {
    pub fn new() -> Host {
        Host {
            directory: tempfile::tempdir().expect("a directory"),
            listener: None,
        }
    }

    pub fn socket(&self) -> PathBuf {
        self.directory.path().join(SOCKET_NAME)
    }

    pub fn start(&mut self, clients_max: usize) -> ShmTransport {
        let options = ShmOptions {
            socket: self.socket(),
            clients_max,
            ring_bytes: 32 << 10,
            group: None,
        };
        self.listener = None;
        let (listener, mut transports) = ShmListener::start(&options, 1).expect("it listens");
        self.listener = Some(listener);
        transports.remove(0)
    }

    pub fn connect(&self) -> ShmClient {
        ShmClient(ShmConnection::attach(&self.socket(), None).ok())
    }
}

pub struct ShmNetwork(Host);

impl ShmNetwork {
    pub fn new() -> ShmNetwork {
        ShmNetwork(Host::new())
    }
}

impl Network for ShmNetwork {
    type Transport = ShmTransport;
    type Client = ShmClient;
    type Bell = PipeBell;

    fn transport(&mut self, connections_max: usize) -> ShmTransport {
        self.0.start(connections_max)
    }
    fn connect(&mut self, _: SocketAddr) -> ShmClient {
        self.0.connect()
    }
    fn listen_address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], 1))
    }
    fn bell(&mut self) -> PipeBell {
        PipeBell::new()
    }
}

fn kernel(connections_max: usize) -> KernelTransport {
    let options = KernelOptions {
        connections_max,
        ..KernelOptions::default()
    };
    KernelTransport::new(options).expect("kernel sockets")
}

pub struct ShmBesideKernel(Host);

impl ShmBesideKernel {
    pub fn new() -> ShmBesideKernel {
        ShmBesideKernel(Host::new())
    }
}

impl Network for ShmBesideKernel {
    type Transport = WithShm<KernelTransport>;
    type Client = ShmClient;
    type Bell = PipeBell;

    fn transport(&mut self, connections_max: usize) -> WithShm<KernelTransport> {
        let shm = self.0.start(connections_max);
        WithShm::new(kernel(4), Some(shm)).expect("epoll watches epoll")
    }
    fn connect(&mut self, _: SocketAddr) -> ShmClient {
        self.0.connect()
    }
    fn bell(&mut self) -> PipeBell {
        PipeBell::new()
    }
}

pub struct TcpBesideShm(Host);

impl TcpBesideShm {
    pub fn new() -> TcpBesideShm {
        TcpBesideShm(Host::new())
    }
}

impl Network for TcpBesideShm {
    type Transport = WithShm<KernelTransport>;
    type Client = TcpClient;
    type Bell = PipeBell;

    fn transport(&mut self, connections_max: usize) -> WithShm<KernelTransport> {
        let shm = self.0.start(7);
        WithShm::new(kernel(connections_max), Some(shm)).expect("epoll watches epoll")
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

/// `None`: it was turned away.
pub struct ShmClient(pub Option<ShmConnection>);

impl Client for ShmClient {
    fn send(&mut self, bytes: &[u8]) -> usize {
        let connection = self.0.as_mut();
        connection.map_or(0, |connection| connection.try_send(bytes).unwrap_or(0))
    }

    fn receive(&mut self, buffer: &mut [u8]) -> Received {
        let Some(connection) = &mut self.0 else {
            return Received::End;
        };
        match connection.try_receive(buffer) {
            Ok(Some(0)) => Received::End,
            Ok(Some(length)) => Received::Bytes(length),
            Ok(None) => match connection.wait(false, Some(Duration::ZERO)) {
                Ok(()) => Received::Nothing,
                Err(_) => Received::Reset,
            },
            Err(_) => Received::Reset,
        }
    }

    fn finish_sending(&mut self) {
        self.0.as_mut().expect("it was let in").finish_sending();
    }

    fn reset(self) {}
}

pub struct TcpClient(TcpStream);

impl Client for TcpClient {
    fn send(&mut self, bytes: &[u8]) -> usize {
        if bytes.is_empty() {
            return 0;
        }
        self.0.write(bytes).unwrap_or(0)
    }

    fn receive(&mut self, buffer: &mut [u8]) -> Received {
        match self.0.read(buffer) {
            Ok(0) => Received::End,
            Ok(length) => Received::Bytes(length),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Received::Nothing,
            Err(_) => Received::Reset,
        }
    }

    fn finish_sending(&mut self) {
        self.0.shutdown(Shutdown::Write).expect("it is connected");
    }

    fn reset(self) {
        let socket = socket2::SockRef::from(&self.0);
        socket.set_linger(Some(Duration::ZERO)).expect("an option");
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

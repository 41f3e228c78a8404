//! AF_XDP on one end of a veth pair, the kernel's sockets on the other.
#![allow(dead_code)]

use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::fd::{AsRawFd, RawFd};
use std::time::Duration;

use precursor_tests_netns::{Namespace, Wire};
use precursor_transport_afxdp::{
    AfXdpDevice, AfXdpInterface, AfXdpOptions, AttachMode, Redirection,
};
use precursor_transport_bypass::{BypassOptions, BypassTransport};
use precursor_transport_port::conformance::{Bell, Client, Network, Received};
use socket2::{Domain, SockRef, Socket, Type};

/// Servers to listen at, and the client's address with its network's prefix.
pub const V4: (&str, &str) = ("10.0.0.2:9092", "10.0.0.1/24");
pub const V6: (&str, &str) = ("[fd00::2]:9092", "fd00::1/64");

pub struct VethNetwork {
    wire: Wire,
    attach: AttachMode,
    server: SocketAddr,
    prefix: u8,
}

impl VethNetwork {
    pub fn new(attach: AttachMode, (server, client): (&str, &str)) -> VethNetwork {
        VethNetwork::with_queues(attach, (server, client), 1)
    }

    pub fn with_queues(
        attach: AttachMode,
        (server, client): (&str, &str),
        queues: u32,
    ) -> VethNetwork {
        let wire = Wire::new(queues);
        wire.far.allow_ipv6();
        wire.far.add_address(client);
        let (_, prefix) = client.split_once('/').expect("a prefix");
        if attach == AttachMode::Skb {
            // Segments larger than a frame do not fit, and in this mode the peer's kernel does not
            // know.
            offload_nothing(&wire.far);
        }
        VethNetwork {
            wire,
            attach,
            server: server.parse().expect("an address"),
            prefix: prefix.parse().expect("a number"),
        }
    }

    /// The near end's device segments nothing and inserts no checksums.
    pub fn offload_nothing(&self) {
        offload_nothing(&self.wire.near);
    }

    /// Takes the interface away.
    pub fn unplug(&self) {
        self.wire
            .near
            .ip(&["link", "del", self.wire.near.interface()]);
    }

    pub fn transports(
        &self,
        shards: usize,
        connections_max: usize,
    ) -> Vec<BypassTransport<AfXdpDevice>> {
        let redirection = Redirection {
            addresses: vec![self.server.ip()],
            ports: vec![self.server.port()],
            vlan: None,
        };
        let options = AfXdpOptions {
            attach: self.attach,
            ..AfXdpOptions::new(self.wire.near.interface(), redirection)
        };
        let _near = self.wire.near.enter();
        let mut interface = AfXdpInterface::open(options).unwrap_or_else(|e| panic!("{e}"));
        let devices = interface.devices(shards).unwrap_or_else(|e| panic!("{e}"));
        let options = BypassOptions {
            connections_max,
            ..BypassOptions::new(self.server.ip(), self.prefix)
        };
        let start = |device| BypassTransport::new(device, options.clone()).expect("it starts");
        devices.into_iter().map(start).collect()
    }
}

fn offload_nothing(end: &Namespace) {
    let mut ethtool = end.command("ethtool");
    let words = ["tx", "off", "tso", "off", "gso", "off"];
    ethtool.args(["-K", end.interface()]).args(words);
    let output = ethtool.output().expect("`ethtool` is needed");
    assert!(output.status.success(), "{output:?}");
}

impl Network for VethNetwork {
    type Transport = BypassTransport<AfXdpDevice>;
    type Client = KernelClient;
    type Bell = PipeBell;

    fn transport(&mut self, connections_max: usize) -> Self::Transport {
        self.transports(1, connections_max).remove(0)
    }

    fn listen_address(&self) -> SocketAddr {
        self.server
    }

    fn connect(&mut self, address: SocketAddr) -> KernelClient {
        KernelClient::connect(&self.wire.far, address)
    }

    fn bell(&mut self) -> PipeBell {
        PipeBell::new()
    }
}

pub struct KernelClient {
    stream: TcpStream,
}

impl KernelClient {
    /// Begins to connect, from a namespace.
    pub fn connect(from: &Namespace, address: SocketAddr) -> KernelClient {
        let _entered = from.enter();
        let socket =
            Socket::new(Domain::for_address(address), Type::STREAM, None).expect("a socket");
        socket
            .set_nonblocking(true)
            .expect("it can be non-blocking");
        match socket.connect(&address.into()) {
            Err(error) if error.raw_os_error() == Some(libc::EINPROGRESS) => {}
            other => other.expect("connecting begins"),
        }
        KernelClient {
            stream: socket.into(),
        }
    }
}

impl Client for KernelClient {
    fn send(&mut self, bytes: &[u8]) -> usize {
        if bytes.is_empty() {
            return 0;
        }
        self.stream.write(bytes).unwrap_or(0)
    }

    fn receive(&mut self, buffer: &mut [u8]) -> Received {
        match self.stream.read(buffer) {
            Ok(0) => Received::End,
            Ok(length) => Received::Bytes(length),
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock | io::ErrorKind::NotConnected => Received::Nothing,
                _ => Received::Reset,
            },
        }
    }

    fn finish_sending(&mut self) {
        self.stream
            .shutdown(Shutdown::Write)
            .expect("it is connected");
    }

    fn reset(self) {
        let linger = Some(Duration::ZERO);
        SockRef::from(&self.stream)
            .set_linger(linger)
            .expect("a socket");
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

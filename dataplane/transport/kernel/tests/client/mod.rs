//! Clients over std's sockets, for the suite.

use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::fd::{AsRawFd, RawFd};

use precursor_transport_kernel::{Driver, KernelOptions, KernelTransport};
use precursor_transport_port::conformance::{Bell, Client, Network, Received};

pub struct KernelNetwork {
    driver: Driver,
}

impl KernelNetwork {
    pub fn new(driver: Driver) -> KernelNetwork {
        KernelNetwork { driver }
    }
}

impl Network for KernelNetwork {
    type Transport = KernelTransport;
    type Client = KernelClient;
    type Bell = PipeBell;

    fn transport(&mut self, connections_max: usize) -> KernelTransport {
        KernelTransport::new(KernelOptions {
            driver: self.driver,
            connections_max,
            ..KernelOptions::default()
        })
        .expect("the driver starts")
    }

    fn connect(&mut self, address: SocketAddr) -> KernelClient {
        let stream = TcpStream::connect(address).expect("the transport listens");
        stream
            .set_nonblocking(true)
            .expect("a socket can be non-blocking");
        KernelClient { stream }
    }

    fn bell(&mut self) -> PipeBell {
        let (reader, writer) = io::pipe().expect("a pipe");
        PipeBell {
            reader,
            writer,
            rung: 0,
        }
    }
}

pub struct KernelClient {
    stream: TcpStream,
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
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Received::Nothing,
            Err(_) => Received::Reset,
        }
    }

    fn finish_sending(&mut self) {
        self.stream
            .shutdown(Shutdown::Write)
            .expect("the stream is connected");
    }

    fn reset(self) {
        let linger = libc::linger {
            l_onoff: 1,
            l_linger: 0,
        };
        // SAFETY: the pointer and length name `linger`, which outlives the call.
        let result = unsafe {
            libc::setsockopt(
                self.stream.as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_LINGER,
                (&raw const linger).cast(),
                size_of::<libc::linger>() as libc::socklen_t,
            )
        };
        assert_eq!(result, 0);
    }
}

pub struct PipeBell {
    reader: PipeReader,
    writer: PipeWriter,
    rung: usize,
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

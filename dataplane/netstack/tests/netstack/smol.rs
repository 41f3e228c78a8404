//! A host that runs smoltcp.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};

use smoltcp::iface::{Config, Interface, SocketHandle, SocketSet};
use smoltcp::phy::{Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::socket::tcp;
use smoltcp::time::Instant;
use smoltcp::wire::{EthernetAddress, HardwareAddress, IpCidr};

use crate::double::{Host, Read};
use crate::ours::{MACS, PORT, address};

struct Queues {
    received: VecDeque<Vec<u8>>,
    sent: Vec<Vec<u8>>,
    mtu: usize,
}

struct Received(Vec<u8>);
struct Sent<'a>(&'a mut Vec<Vec<u8>>);

impl RxToken for Received {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        f(&self.0)
    }
}

impl TxToken for Sent<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, f: F) -> R {
        let mut frame = vec![0; length];
        let result = f(&mut frame);
        self.0.push(frame);
        result
    }
}

impl Device for Queues {
    type RxToken<'a> = Received;
    type TxToken<'a> = Sent<'a>;

    fn receive(&mut self, _: Instant) -> Option<(Received, Sent<'_>)> {
        let frame = self.received.pop_front()?;
        Some((Received(frame), Sent(&mut self.sent)))
    }

    fn transmit(&mut self, _: Instant) -> Option<Sent<'_>> {
        Some(Sent(&mut self.sent))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ethernet;
        capabilities.max_transmission_unit = self.mtu + 14;
        capabilities
    }
}

pub struct Smol {
    queues: Queues,
    interface: Interface,
    sockets: SocketSet<'static>,
    handle: SocketHandle,
    started: bool,
}

fn instant(now: u64) -> Instant {
    Instant::from_micros((now / 1_000) as i64)
}

impl Smol {
    fn new(side: usize, v6: bool, mtu: usize, buffer: usize, now: u64) -> Smol {
        let mut queues = Queues {
            received: VecDeque::new(),
            sent: Vec::new(),
            mtu,
        };
        let hardware = HardwareAddress::Ethernet(EthernetAddress(MACS[side]));
        let mut config = Config::new(hardware);
        config.random_seed = 7;
        let mut interface = Interface::new(config, &mut queues, instant(now));
        let prefix = if v6 { 64 } else { 24 };
        interface.update_ip_addrs(|list| {
            list.push(IpCidr::new(address(side, v6).into(), prefix))
                .expect("room");
        });
        let buffers = || tcp::SocketBuffer::new(vec![0; buffer]);
        let mut socket = tcp::Socket::new(buffers(), buffers());
        socket.set_nagle_enabled(false);
        let mut sockets = SocketSet::new(Vec::new());
        let handle = sockets.add(socket);
        Smol {
            queues,
            interface,
            sockets,
            handle,
            started: false,
        }
    }

    pub fn listening(side: usize, v6: bool, mtu: usize, buffer: usize, now: u64) -> Smol {
        let mut smol = Smol::new(side, v6, mtu, buffer, now);
        smol.socket().listen(PORT).expect("listens");
        smol
    }

    pub fn connecting(side: usize, to: SocketAddr, mtu: usize, buffer: usize, now: u64) -> Smol {
        let v6 = matches!(to.ip(), IpAddr::V6(_));
        let mut smol = Smol::new(side, v6, mtu, buffer, now);
        let handle = smol.handle;
        let socket = smol.sockets.get_mut::<tcp::Socket<'_>>(handle);
        socket
            .connect(smol.interface.context(), to, 50_000)
            .expect("a way");
        smol
    }

    pub fn socket(&mut self) -> &mut tcp::Socket<'static> {
        self.sockets.get_mut(self.handle)
    }
}

impl Host for Smol {
    fn receive(&mut self, frame: &[u8], _: u64) {
        self.queues.received.push_back(frame.to_vec());
    }

    fn turn(&mut self, now: u64, out: &mut Vec<Vec<u8>>) {
        self.interface
            .poll(instant(now), &mut self.queues, &mut self.sockets);
        self.started |= self.socket().may_send();
        out.append(&mut self.queues.sent);
    }

    fn next_timeout(&mut self, now: u64) -> Option<u64> {
        let delay = self.interface.poll_delay(instant(now), &self.sockets)?;
        Some(now + delay.total_micros() * 1_000)
    }

    fn write(&mut self, bytes: &[u8], _: u64) -> usize {
        self.socket().send_slice(bytes).unwrap_or(0)
    }

    fn read(&mut self, buffer: &mut [u8], _: u64) -> Read {
        if !self.started {
            return Read::Nothing;
        }
        match self.socket().recv_slice(buffer) {
            Ok(0) => Read::Nothing,
            Ok(count) => Read::Bytes(count),
            Err(tcp::RecvError::Finished) => Read::End,
            Err(tcp::RecvError::InvalidState) => Read::Broken,
        }
    }

    fn finish(&mut self, _: u64) {
        self.socket().close();
    }

    fn is_connected(&mut self) -> bool {
        self.started
    }
}

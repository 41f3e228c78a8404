//! A simulated cable with the netstack at both ends: the transport on this one, and a host on a
//! thread of its own on the other.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use precursor_netstack::{Stack, StackConfig};
use precursor_transport_bypass::{BypassOptions, BypassTransport};
use precursor_transport_port::conformance::{Client, Network, Received};
use precursor_transport_port::{ConnectionId, FrameDevice, ReceiveError};
use precursor_transport_sim::{FrameFaults, SimFrameDevice, sim_frame_devices};

use crate::veth::PipeBell;

const SERVER: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2));
const HOST: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));

pub struct SimNetwork {
    seed: u64,
    faults: FrameFaults,
    host: Option<Host>,
}

impl SimNetwork {
    pub fn new(seed: u64, faults: FrameFaults) -> SimNetwork {
        println!("seed {seed}, {faults:?}");
        SimNetwork {
            seed,
            faults,
            host: None,
        }
    }
}

impl Network for SimNetwork {
    type Transport = BypassTransport<SimFrameDevice>;
    type Client = HostClient;
    type Bell = PipeBell;

    fn transport(&mut self, connections_max: usize) -> Self::Transport {
        let devices = sim_frame_devices(self.seed, self.faults, 1500);
        let (near, far) = devices.expect("pipes");
        self.host = Some(Host::start(far));
        let options = BypassOptions {
            connections_max,
            ..BypassOptions::new(SERVER, 24)
        };
        BypassTransport::new(near, options).expect("the transport starts")
    }

    fn listen_address(&self) -> SocketAddr {
        SocketAddr::new(SERVER, 0)
    }

    fn connect(&mut self, address: SocketAddr) -> HostClient {
        let host = self.host.as_ref().expect("the transport was made first");
        let shared = host.shared.clone();
        let id = {
            let mut end = lock(&shared);
            let now = end.now();
            let id = end.stack.connect(address, now).expect("a port is free");
            end.turn();
            id
        };
        HostClient { shared, id }
    }

    fn bell(&mut self) -> PipeBell {
        PipeBell::new()
    }
}

/// The far end, turning on its own until dropped.
struct Host {
    shared: Arc<Mutex<End>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

struct End {
    stack: Stack,
    device: SimFrameDevice,
    started: Instant,
}

fn lock(end: &Mutex<End>) -> MutexGuard<'_, End> {
    end.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Host {
    fn start(device: SimFrameDevice) -> Host {
        let config = StackConfig::new(device.mac_address(), HOST, 24, device.mtu(), [9; 32]);
        let shared = Arc::new(Mutex::new(End {
            stack: Stack::new(config, 0),
            device,
            started: Instant::now(),
        }));
        let stop = Arc::new(AtomicBool::new(false));
        let (end, ends) = (shared.clone(), stop.clone());
        let thread = std::thread::spawn(move || {
            while !ends.load(Ordering::Relaxed) {
                if !lock(&end).turn() {
                    std::thread::sleep(Duration::from_micros(100));
                }
            }
        });
        Host {
            shared,
            stop,
            thread: Some(thread),
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

impl End {
    fn now(&self) -> u64 {
        self.started.elapsed().as_nanos() as u64
    }

    fn turn(&mut self) -> bool {
        let now = self.now();
        let (stack, device) = (&mut self.stack, &mut self.device);
        let received = device.receive_burst(64, &mut |frame| stack.receive(frame, now));
        stack.poll_timers(now);
        while stack.wants_transmit()
            && stack.transmit(now, 64, &mut |frame| device.send(frame.slices)) > 0
        {
            device.flush();
        }
        // Clients ask; they need not be told.
        let mut events = Vec::with_capacity(64);
        stack.events(&mut events);
        received > 0
    }
}

pub struct HostClient {
    shared: Arc<Mutex<End>>,
    id: ConnectionId,
}

impl Client for HostClient {
    fn send(&mut self, bytes: &[u8]) -> usize {
        let mut end = lock(&self.shared);
        let taken = end.stack.send(self.id, &[std::io::IoSlice::new(bytes)]);
        end.turn();
        taken.unwrap_or(0)
    }

    fn receive(&mut self, buffer: &mut [u8]) -> Received {
        let mut end = lock(&self.shared);
        end.turn();
        let received = end.stack.recv(self.id, buffer);
        end.turn();
        match received {
            Ok(count) => Received::Bytes(count),
            Err(ReceiveError::WouldBlock) => Received::Nothing,
            Err(ReceiveError::EndOfStream) => Received::End,
            Err(ReceiveError::Broken) => Received::Reset,
        }
    }

    fn finish_sending(&mut self) {
        let mut end = lock(&self.shared);
        end.stack.finish_sending(self.id);
        end.turn();
    }

    fn reset(self) {
        let mut end = lock(&self.shared);
        end.stack.abort(self.id);
        end.turn();
    }
}

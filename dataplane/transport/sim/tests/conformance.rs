//! The simulated transport passes the suite that every transport passes, with and without faults.

use std::net::SocketAddr;
use std::os::fd::RawFd;

use precursor_transport_port::conformance::{Bell, Client, Network, Received};
use precursor_transport_port::conformance_suite;
use precursor_transport_sim::{ClientReceived, SimClient, SimFaults, SimNetwork, SimTransport};

conformance_suite!(perfect, Sim::new(1, SimFaults::default()));
conformance_suite!(slow_and_partial, Sim::new(2, partial()));

fn partial() -> SimFaults {
    SimFaults {
        delay_us: (0, 700),
        partial_receive_per_mille: 300,
        partial_send_per_mille: 300,
        ..SimFaults::default()
    }
}

struct Sim {
    network: SimNetwork,
    bells: RawFd,
}

impl Sim {
    fn new(seed: u64, faults: SimFaults) -> Sim {
        println!("seed {seed}");
        Sim {
            network: SimNetwork::new(seed, faults),
            bells: 1000,
        }
    }
}

impl Network for Sim {
    type Transport = SimTransport;
    type Client = SimulatedClient;
    type Bell = SimulatedBell;

    fn transport(&mut self, connections_max: usize) -> SimTransport {
        self.network.transport(connections_max)
    }

    fn connect(&mut self, address: SocketAddr) -> SimulatedClient {
        SimulatedClient(self.network.connect(address))
    }

    fn bell(&mut self) -> SimulatedBell {
        self.bells += 1;
        SimulatedBell {
            network: self.network.clone(),
            descriptor: self.bells,
        }
    }
}

struct SimulatedClient(SimClient);

impl Client for SimulatedClient {
    fn send(&mut self, bytes: &[u8]) -> usize {
        // The suite wants small sends whole: a simulated partial send is retried here.
        let mut taken = 0;
        while taken < bytes.len() {
            match self.0.send(&bytes[taken..]) {
                0 => break,
                more => taken += more,
            }
        }
        taken
    }

    fn receive(&mut self, buffer: &mut [u8]) -> Received {
        match self.0.receive(buffer) {
            ClientReceived::Bytes(length) => Received::Bytes(length),
            ClientReceived::Nothing => Received::Nothing,
            ClientReceived::End => Received::End,
            ClientReceived::Reset => Received::Reset,
        }
    }

    fn finish_sending(&mut self) {
        self.0.finish_sending();
    }

    fn reset(self) {
        self.0.reset();
    }
}

struct SimulatedBell {
    network: SimNetwork,
    descriptor: RawFd,
}

impl Bell for SimulatedBell {
    fn descriptor(&self) -> RawFd {
        self.descriptor
    }

    fn ring(&mut self) {
        self.network.ring(self.descriptor);
    }

    fn drain(&mut self) {}
}

//! Opening a port and sharing its queues out.

use std::ffi::{CString, c_int};
use std::path::PathBuf;
use std::sync::Arc;

use precursor_dpdk_sys::{self as sys, PortCounters, PortFacts, PortOptions};

use crate::arguments::{self, Host};
use crate::environment::{self, Environment};
use crate::{DpdkDevice, DpdkError, DpdkOptions, LogLevel, leftover};

/// RTE_MAX_ETHPORTS of ordinary builds.
const PORTS_MAX: usize = 32;
/// Frames that a queue takes before it must be flushed.
const PENDING_MAX: u16 = 512;
/// Drivers that hand on what the kernel's interface below them carries.
const ON_KERNEL_DRIVERS: [&str; 2] = ["net_af_packet", "net_af_xdp"];
/// Kernel interfaces whose frames come from this host's memory, with checksums left unfinished.
const LOCAL_KERNEL_DRIVERS: [&str; 1] = ["veth"];

/// An open port with a queue pair for each shard, as far as it has so many. Closed when this and all
/// devices that came out of it are gone.
pub struct DpdkInterface {
    port: Arc<Port>,
    environment: &'static Environment,
}

/// What the devices of a port share.
pub(crate) struct Port {
    raw: *mut sys::Port,
    environment: &'static Environment,
    pub(crate) facts: PortFacts,
    pub(crate) offloads: u32,
    queues: u16,
    note: Option<PathBuf>,
}

// SAFETY: a port is changed by its opening and closing alone, of which there is one each; what
// happens in between (counters, link state, whether it is gone) DPDK allows to every thread.
unsafe impl Send for Port {}
// SAFETY: as above.
unsafe impl Sync for Port {}

impl DpdkInterface {
    /// Starts the environment and opens the port in it that the options name, with a queue pair for
    /// each of `shards` where it has as many.
    ///
    /// # Errors
    /// One clear sentence each: [`DpdkError`].
    pub fn open(options: &DpdkOptions, shards: usize) -> Result<DpdkInterface, DpdkError> {
        let words = arguments::complete(&options.interface, &options.arguments, Host::ask())?;
        for interface in options.note.iter().flat_map(|note| leftover::clear(note)) {
            let line = format!("took the XDP program of a killed process off `{interface}`");
            (options.log)(LogLevel::Notice, &line);
        }
        let environment = environment::start(&words, options.log)?;
        let facts = choose(&environment.ports(), &options.interface)?;
        environment.open_port(facts, options, shards)
    }

    /// As [`DpdkInterface::open`], with a virtual device that is made now, in this thread's network
    /// namespace: `net_af_packet7,iface=eth1`.
    ///
    /// # Errors
    /// As there.
    pub fn plug(
        device: &str,
        options: &DpdkOptions,
        shards: usize,
    ) -> Result<DpdkInterface, DpdkError> {
        let words = format!("--vdev={device}");
        let mut words = arguments::complete("", &[words], Host::ask())?;
        words.retain(|word| !word.starts_with("--vdev"));
        let environment = environment::start(&words, options.log)?;
        environment.probe(device)?;
        let name = device.split(',').next().unwrap_or_default();
        let ports = environment.ports();
        let found = ports.iter().find(|port| text(&port.name) == name);
        let facts = *found.ok_or_else(|| DpdkError::NoPort {
            why: environment::complaints("the device makes no port"),
        })?;
        environment.open_port(facts, options, shards)
    }

    /// Two ports joined by rings of as many frames, without any device: for tests and measurements.
    ///
    /// # Errors
    /// As for [`DpdkInterface::open`].
    pub fn ring_pair(
        name: &str,
        frames: u32,
        options: &DpdkOptions,
    ) -> Result<(DpdkInterface, DpdkInterface), DpdkError> {
        let words = [String::from("--vdev=net_ring0")];
        let mut words = arguments::complete("", &words, Host::ask())?;
        words.retain(|word| !word.starts_with("--vdev"));
        let environment = environment::start(&words, options.log)?;
        let numbers = environment.join(name, frames)?;
        let ports = environment.ports();
        let mut ends = numbers.into_iter().map(|number| {
            let facts = ports.iter().find(|port| port.port == number);
            let mut facts = *facts.ok_or_else(|| DpdkError::NoPort {
                why: String::from("the pair of rings has vanished"),
            })?;
            // Rings have no hardware address: one that is administered here.
            let [high, low] = number.to_be_bytes();
            facts.mac_address = [2, 0, 0, 0, high, low];
            environment.open_port(facts, options, 1)
        });
        match (ends.next(), ends.next()) {
            (Some(near), Some(far)) => Ok((near?, far?)),
            _ => unreachable!("a pair has two ends"),
        }
    }

    /// Makes one device per shard. Shards beyond the queues get one that carries nothing.
    ///
    /// # Errors
    /// Memory runs out.
    pub fn devices(self, shards: usize) -> Result<Vec<DpdkDevice>, DpdkError> {
        assert!(
            usize::from(self.port.queues) <= shards,
            "every queue needs its shard"
        );
        let device = |number: usize| {
            let number = u16::try_from(number).ok().filter(|n| *n < self.port.queues);
            DpdkDevice::new(&self.port, number)
        };
        (0..shards).map(device).collect()
    }

    /// One sentence for the start log: the port, its driver, its queues and what it does itself.
    pub fn report(&self) -> String {
        let facts = &self.port.facts;
        let offloads: Vec<&str> = [
            (sys::RECEIVE_CHECKSUM, "checks checksums"),
            (sys::SEND_CHECKSUM, "inserts checksums"),
            (sys::SEGMENTATION, "cuts segments"),
        ]
        .iter()
        .filter(|(offload, _)| self.port.offloads & offload != 0)
        .map(|(_, words)| *words)
        .collect();
        let offloads = match offloads.is_empty() {
            true => String::from("no offloads"),
            false => format!("the device {}", offloads.join(", ")),
        };
        let node = match facts.numa_node {
            ..0 => String::new(),
            node => format!(", memory of node {node}"),
        };
        let (name, driver) = (text(&facts.name), text(&facts.driver));
        let below = match text(&facts.kernel_name) {
            below if below.is_empty() || below == name => String::new(),
            below => format!(" on {below}"),
        };
        let queues = self.port.queues;
        let word = if queues == 1 { "queue" } else { "queues" };
        let link = match self.port.link() {
            Some(0 | u32::MAX) => String::from("link up"),
            Some(megabits) => format!("link up at {megabits} Mbit/s"),
            None => String::from("link down"),
        };
        let version = self.environment.version();
        format!("{version}: {name} ({driver}){below}, {queues} {word}{node}, {offloads}, {link}")
    }
}

impl Environment {
    fn probe(&self, device: &str) -> Result<(), DpdkError> {
        let _devices = environment::lock_devices();
        let refused = |why: &str| DpdkError::Port {
            what: "making the virtual device",
            port: device.to_owned(),
            why: why.to_owned(),
        };
        let words = CString::new(device).map_err(|_| refused("a zero byte in its name"))?;
        // SAFETY: a text that ends in a zero; the environment stands and its lists are held.
        match unsafe { (self.dpdk.probe)(words.as_ptr()) } {
            0 => Ok(()),
            error => {
                let described = environment::describe(&self.dpdk, error);
                Err(refused(&environment::complaints(&described)))
            }
        }
    }

    fn join(&self, name: &str, frames: u32) -> Result<[u16; 2], DpdkError> {
        let _devices = environment::lock_devices();
        let names = [format!("{name}_a"), format!("{name}_b")];
        let names = names.map(|name| CString::new(name).expect("names of our own"));
        let mut numbers = [0; 2];
        let (near, far) = (names[0].as_ptr(), names[1].as_ptr());
        // SAFETY: two texts that end in zeros, and room for two numbers; the lists are held.
        match unsafe { (self.dpdk.ring_pair)(near, far, frames, numbers.as_mut_ptr()) } {
            0 => Ok(numbers),
            error => Err(DpdkError::Port {
                what: "joining two ports by rings",
                port: name.to_owned(),
                why: environment::complaints(&environment::describe(&self.dpdk, error)),
            }),
        }
    }

    /// All ports that nobody hides.
    fn ports(&self) -> Vec<PortFacts> {
        let _devices = environment::lock_devices();
        let mut ports = [PortFacts::EMPTY; PORTS_MAX];
        // SAFETY: room for as many as are asked for.
        let count = unsafe { (self.dpdk.ports)(ports.as_mut_ptr(), PORTS_MAX as c_int) };
        ports[..usize::try_from(count).unwrap_or(0).min(PORTS_MAX)].to_vec()
    }

    fn open_port(
        &'static self,
        facts: PortFacts,
        options: &DpdkOptions,
        shards: usize,
    ) -> Result<DpdkInterface, DpdkError> {
        assert!(shards > 0, "somebody must serve the port");
        let _devices = environment::lock_devices();
        let queues = u16::try_from(shards).unwrap_or(u16::MAX);
        let queues = queues.min(queues_that_serve(&facts));
        let offloads = if options.offloads { facts.offloads } else { 0 };
        let wanted = PortOptions {
            port: facts.port,
            queues,
            ring_frames: options.ring_frames,
            pending_max: PENDING_MAX,
            offloads,
            vlan: options.vlan.unwrap_or(0),
            padding: 0,
        };
        let mut raw = std::ptr::null_mut();
        // SAFETY: the options outlive the call, and the result has room for the port; the lists are
        // held.
        let error = unsafe { (self.dpdk.port_open)(&wanted, &mut raw) };
        if error != 0 {
            let described = match -error {
                libc::ENOMEM => String::from(
                    "out of memory for packets; reserve more hugepages, or raise -m in \
                     network.dpdk.args",
                ),
                _ => environment::describe(&self.dpdk, error),
            };
            return Err(DpdkError::Port {
                what: "opening the port",
                port: text(&facts.name),
                why: environment::complaints(&described),
            });
        }
        let port = Port {
            raw,
            environment: self,
            facts,
            offloads,
            queues,
            note: options.note.clone(),
        };
        if let Some(note) = &port.note
            && facts.interface_index != 0
        {
            leftover::note(note, &text(&facts.kernel_name)).map_err(|error| DpdkError::Port {
                what: "noting what is attached to",
                port: text(&facts.name),
                why: error.to_string(),
            })?;
        }
        Ok(DpdkInterface {
            port: Arc::new(port),
            environment: self,
        })
    }
}

/// Queues of a port over which connections are spread, each on one for good: by the port, or by the
/// kernel's interface below it. Where nobody does (net_memif, net_ring, net_pcap), the other end may
/// send a connection's frames on any queue, and a shard would meet connections of another's.
fn queues_that_serve(facts: &PortFacts) -> u16 {
    let below = text(&facts.driver);
    match facts.spreads != 0 || ON_KERNEL_DRIVERS.contains(&below.as_str()) {
        true => facts.receive_queues_max.min(facts.send_queues_max).max(1),
        false => 1,
    }
}

/// The port that the interface's name means.
fn choose(ports: &[PortFacts], interface: &str) -> Result<PortFacts, DpdkError> {
    let address = arguments::pci_address(interface);
    let is_meant = |port: &&PortFacts| {
        let name = text(&port.name);
        name == interface
            || text(&port.kernel_name) == interface
            || address.as_ref().is_some_and(|address| {
                // Drivers with several ports behind one address number them.
                name.strip_prefix(address.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
            })
    };
    match (ports.iter().find(is_meant), ports) {
        (Some(port), _) => Ok(*port),
        (None, [only]) => Ok(*only),
        (None, []) => Err(DpdkError::NoPort {
            why: environment::complaints(
                "a card must be bound to vfio-pci (scripts/setup-nic.sh) and have its driver in \
                 DPDK",
            ),
        }),
        (None, several) => Err(DpdkError::WhichPort {
            interface: interface.to_owned(),
            found: several.iter().map(|port| text(&port.name)).collect(),
        }),
    }
}

/// A text of C in its field.
fn text(field: &[u8]) -> String {
    let end = field.iter().position(|byte| *byte == 0);
    String::from_utf8_lossy(&field[..end.unwrap_or(field.len())]).into_owned()
}

impl Port {
    pub(crate) fn dpdk(&self) -> &'static sys::Dpdk {
        &self.environment.dpdk
    }

    pub(crate) fn raw(&self) -> *mut sys::Port {
        self.raw
    }

    /// Received frames need not be checked: the device or the shim did, or they never left this
    /// host's memory.
    pub(crate) fn checksums_are_right(&self) -> bool {
        let is_local = ON_KERNEL_DRIVERS.contains(&text(&self.facts.driver).as_str())
            && LOCAL_KERNEL_DRIVERS.contains(&text(&self.facts.kernel_driver).as_str());
        is_local || self.offloads & sys::RECEIVE_CHECKSUM != 0
    }

    /// Megabits per second (0 or all ones: unknown), or nothing while the link is down.
    pub(crate) fn link(&self) -> Option<u32> {
        let mut megabits = 0;
        // SAFETY: the port is open, and the number outlives the call.
        let is_up = unsafe { (self.dpdk().port_link)(self.raw, &mut megabits) };
        (is_up != 0).then_some(megabits)
    }

    pub(crate) fn is_gone(&self) -> bool {
        // SAFETY: the port is open.
        unsafe { (self.dpdk().port_is_gone)(self.raw) != 0 }
    }

    pub(crate) fn counters(&self) -> PortCounters {
        let mut counters = PortCounters::default();
        // SAFETY: the port is open, and the counters outlive the call.
        unsafe { (self.dpdk().port_counters)(self.raw, &mut counters) };
        counters
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        let _devices = environment::lock_devices();
        // SAFETY: opened once and closed once; all devices, which hold the queues, are gone.
        unsafe { (self.dpdk().port_close)(self.raw) };
        if let Some(note) = &self.note {
            // The port has taken its own off.
            std::fs::remove_file(note).ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(name: &str, kernel_name: &str) -> PortFacts {
        let mut facts = PortFacts::EMPTY;
        facts.name[..name.len()].copy_from_slice(name.as_bytes());
        facts.kernel_name[..kernel_name.len()].copy_from_slice(kernel_name.as_bytes());
        facts
    }

    #[test]
    fn a_port_has_more_queues_than_one_only_where_connections_keep_to_theirs() {
        let facts = |driver: &str, spreads| {
            let mut facts = port("port", "");
            facts.driver[..driver.len()].copy_from_slice(driver.as_bytes());
            (facts.receive_queues_max, facts.send_queues_max) = (8, 4);
            facts.spreads = spreads;
            queues_that_serve(&facts)
        };
        assert_eq!(facts("net_ixgbe", 1), 4, "by the card");
        assert_eq!(facts("net_af_packet", 0), 4, "by the kernel below");
        assert_eq!(facts("net_memif", 0), 1, "by nobody");
    }

    #[test]
    fn a_port_is_meant_by_its_name_its_interface_or_its_address() {
        let ports = [
            port("net_af_packet0", "near"),
            port("0000:01:00.0", ""),
            port("0000:01:00.1_port0", "ens1"),
        ];
        let chosen = |interface| choose(&ports, interface).map(|facts| text(&facts.name));
        assert_eq!(chosen("near").unwrap(), "net_af_packet0");
        assert_eq!(chosen("net_af_packet0").unwrap(), "net_af_packet0");
        assert_eq!(chosen("01:00.0").unwrap(), "0000:01:00.0");
        assert_eq!(chosen("0000:01:00.1").unwrap(), "0000:01:00.1_port0");
        let refusal = chosen("eth9").unwrap_err().to_string();
        assert!(refusal.contains("several ports"), "{refusal}");
        assert!(choose(&ports[..1], "anything").is_ok(), "the only one");
        let refusal = choose(&[], "01:00.0").unwrap_err().to_string();
        assert!(refusal.contains("no device to drive"), "{refusal}");
    }
}

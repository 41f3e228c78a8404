//! Opening an interface and sharing its queues out.

use std::net::IpAddr;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::sys::socket::SockaddrStorage;

use crate::attachment::Attachment;
use crate::queue::{Opened, Queue};
use crate::sys::{self, Link};
use crate::{AfXdpDevice, AfXdpError, AfXdpOptions};

const RING_FRAMES_MIN: u32 = 64;
const RING_FRAMES_MAX: u32 = 1 << 15;
/// What the kernel keeps free before a received frame (XDP_PACKET_HEADROOM).
const HEADROOM_BYTES: usize = 256;
/// What it keeps behind one in native mode (`struct skb_shared_info`), at most.
const TAILROOM_BYTES: usize = 384;
const CHUNK_BYTES_MAX: usize = 4096;
/// How long a queue that a process has just left is waited for.
const QUEUE_PATIENCE: Duration = Duration::from_millis(1000);
const QUEUE_POLL: Duration = Duration::from_millis(50);

/// A network interface with our filter on it. The filter goes when this and every device that came
/// out of it are gone, or the process is.
pub struct AfXdpInterface {
    options: AfXdpOptions,
    link: Link,
    attachment: Arc<Attachment>,
    /// How the queues get their frames, in words; known once there are devices.
    copying: Option<String>,
}

impl AfXdpInterface {
    /// Looks the interface up in this thread's network namespace, and attaches the filter. Until
    /// there are devices, everything still passes to the kernel.
    ///
    /// # Errors
    /// One clear sentence each: [`AfXdpError`].
    pub fn open(options: AfXdpOptions) -> Result<AfXdpInterface, AfXdpError> {
        options.redirection.check()?;
        let frames = options.ring_frames;
        if !frames.is_power_of_two() || !(RING_FRAMES_MIN..=RING_FRAMES_MAX).contains(&frames) {
            return Err(AfXdpError::Options(
                "an AF_XDP ring holds a power of two of frames, from 64 to 32768",
            ));
        }
        let link = sys::link(&options.interface).map_err(|source| match source.raw_os_error() {
            Some(libc::ENODEV) => AfXdpError::NoInterface {
                interface: options.interface.clone(),
            },
            _ => AfXdpError::of("asking for a network interface", source),
        })?;
        if !link.is_up {
            return Err(AfXdpError::InterfaceDown {
                interface: options.interface,
            });
        }
        let mtu_max = CHUNK_BYTES_MAX - HEADROOM_BYTES - TAILROOM_BYTES - 18;
        if link.mtu > mtu_max {
            return Err(AfXdpError::MtuTooLarge {
                interface: options.interface,
                mtu: link.mtu,
                mtu_max,
            });
        }
        check_addresses(&options)?;
        let attachment = Arc::new(Attachment::new(&options, &link)?);
        Ok(AfXdpInterface {
            options,
            link,
            attachment,
            copying: None,
        })
    }

    /// Queues that receive.
    pub fn queue_count(&self) -> u32 {
        self.link.receive_queues
    }

    /// The interface's hardware address.
    pub fn mac_address(&self) -> [u8; 6] {
        self.link.mac_address
    }

    /// Makes one device per shard: queue `n` belongs to shard `n` modulo `shards`. Shards beyond
    /// the queues get a device that carries nothing.
    ///
    /// # Errors
    /// One clear sentence each: [`AfXdpError`].
    pub fn devices(&mut self, shards: usize) -> Result<Vec<AfXdpDevice>, AfXdpError> {
        assert!(shards > 0, "somebody must serve the queues");
        let mut shares: Vec<Vec<(u32, Queue)>> = Vec::new();
        shares.resize_with(shards, Vec::new);
        for number in 0..self.link.receive_queues {
            let opened = self.open_queue(number)?;
            self.tell(&opened);
            let socket = opened.queue.descriptor();
            sys::set_socket(self.attachment.map().as_fd(), number, socket)
                .map_err(|source| AfXdpError::of("giving a queue its AF_XDP socket", source))?;
            shares[number as usize % shards].push((number, opened.queue));
        }
        let devices = shares.into_iter().map(|queues| {
            AfXdpDevice::new(&self.options, &self.link, queues, self.attachment.clone())
        });
        devices.collect()
    }

    fn open_queue(&self, number: u32) -> Result<Opened, AfXdpError> {
        let needed = self.link.mtu + 18 + HEADROOM_BYTES;
        let chunk_bytes = if needed <= 2048 { 2048 } else { 4096 };
        let start = Instant::now();
        loop {
            match Queue::open(&self.options, self.link.index, number, chunk_bytes) {
                Err(AfXdpError::QueueBusy { .. }) if start.elapsed() < QUEUE_PATIENCE => {
                    std::thread::sleep(QUEUE_POLL);
                }
                outcome => return outcome,
            }
        }
    }

    fn tell(&mut self, opened: &Opened) {
        self.copying = Some(
            match (&opened.copies_because, opened.queue.is_zero_copy()) {
                (_, true) => String::from("zero-copy"),
                (Some(why), false) => format!("copying (zero-copy refused: {why})"),
                (None, false) => String::from("copying"),
            },
        );
    }

    /// One sentence for the start log: the mode, the queues, and why it is not a better one.
    pub fn report(&self) -> String {
        let (interface, queues) = (&self.options.interface, self.link.receive_queues);
        let driver = match self.link.driver.as_str() {
            "" => "driver unknown",
            driver => driver,
        };
        let queue_word = if queues == 1 { "queue" } else { "queues" };
        let attached = self.attachment.report();
        let copying = self.copying.as_deref().unwrap_or("no sockets yet");
        format!("AF_XDP on {interface} ({driver}): {attached}, {queues} {queue_word}, {copying}")
    }
}

/// The kernel would go on resolving neighbours and answering at an address that it has itself.
fn check_addresses(options: &AfXdpOptions) -> Result<(), AfXdpError> {
    let addresses = nix::ifaddrs::getifaddrs()
        .map_err(|errno| AfXdpError::of("asking for the kernel's addresses", errno.into()))?;
    for held in addresses {
        let address = held.address.as_ref().and_then(ip_address);
        if held.interface_name == options.interface
            && let Some(address) = address
            && options.redirection.addresses.contains(&address)
        {
            return Err(AfXdpError::AddressIsKernels {
                interface: held.interface_name,
                address,
            });
        }
    }
    Ok(())
}

fn ip_address(address: &SockaddrStorage) -> Option<IpAddr> {
    if let Some(v4) = address.as_sockaddr_in() {
        return Some(IpAddr::V4(v4.ip()));
    }
    address.as_sockaddr_in6().map(|v6| IpAddr::V6(v6.ip()))
}

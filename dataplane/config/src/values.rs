//! The types that options take, each with its one spelling.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs};

/// An enum whose variants are spelt in the configuration exactly as written here.
macro_rules! choice {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {
            $($(#[$doc])* $variant,)+
        }

        impl $name {
            /// The variant of this spelling.
            pub fn parse(text: &str) -> Option<Self> {
                match text {
                    $($text => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self {
                    $(Self::$variant => $text,)+
                })
            }
        }
    };
}

/// Bytes per second, never NaN.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate(f64);

impl Eq for Rate {}

impl Rate {
    /// What bounds nothing.
    pub const UNBOUNDED: Rate = Rate(f64::MAX);

    /// A number from 1024, as Java spells doubles.
    pub fn parse(text: &str) -> Option<Rate> {
        let rate: f64 = text.trim().parse().ok()?;
        (rate >= 1024.0 && rate.is_finite()).then_some(Rate(rate))
    }

    pub fn bytes_per_second(self) -> f64 {
        self.0
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < 1e7 {
            write!(f, "{:?}", self.0)
        } else {
            write!(f, "{:E}", self.0)
        }
    }
}

/// A part of a whole: 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Part(f64);

impl Eq for Part {}

impl Part {
    pub const WHOLE: Part = Part(1.0);

    /// A number from 0 to 1.
    pub fn parse(text: &str) -> Option<Part> {
        let part: f64 = text.trim().parse().ok()?;
        (0.0..=1.0).contains(&part).then_some(Part(part))
    }

    /// This part of a number of bytes.
    pub fn of(self, bytes: usize) -> usize {
        (bytes as f64 * self.0) as usize
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

choice! {
    /// What a shard does when it has nothing to do (`dataplane.idle`).
    IdlePolicy {
        /// Spin, then sleep on the doorbell.
        Adaptive = "adaptive",
        /// Never sleep: burns its core.
        Busy = "busy",
        /// Sleep at once.
        Sleep = "sleep",
    }
}

choice! {
    /// Whether devices may compress for the broker (`dataplane.codec.hardware`).
    CodecHardware {
        /// Those that are there and prove themselves at the start.
        Auto = "auto",
        Off = "off",
    }
}

choice! {
    /// How clients' bytes get here (`network.driver`).
    NetworkDriver {
        /// The best that the host allows, said at start.
        Auto = "auto",
        Epoll = "epoll",
        IoUring = "io_uring",
        /// Past the kernel, by a TCP of our own on `network.interface`.
        AfXdp = "afxdp",
        /// The same, on a card or a virtual device that DPDK drives.
        Dpdk = "dpdk",
        /// Kernel sockets, and RDMA clients at the same address.
        Rdma = "rdma",
    }
}

choice! {
    /// Where AF_XDP's filter runs (`network.afxdp.mode`).
    XdpMode {
        /// Native where the driver can, else SKB.
        Auto = "auto",
        /// In the driver.
        Native = "native",
        /// On the kernel's packet buffers.
        Skb = "skb",
    }
}

choice! {
    /// How AF_XDP's frames get to the broker's memory (`network.afxdp.copy`).
    FrameCopy {
        /// Without a copy where the driver can.
        Auto = "auto",
        ZeroCopy = "zero-copy",
        Copy = "copy",
    }
}

choice! {
    /// What decides how fast a connection past the kernel sends (`network.tcp.congestion.control`).
    CongestionControl {
        Cubic = "cubic",
        Bbr = "bbr",
        NewReno = "newreno",
    }
}

choice! {
    /// A feature that is used where it works, demanded, or left alone.
    Switch {
        Auto = "auto",
        On = "on",
        Off = "off",
    }
}

choice! {
    /// The form of log lines (`log.format`).
    LogFormat {
        Text = "text",
        Json = "json",
    }
}

choice! {
    /// The least severe line that is written (`log.level`).
    LogLevel {
        Error = "error",
        Warn = "warn",
        Info = "info",
        Debug = "debug",
        Trace = "trace",
    }
}

/// An address with the length of its network's prefix: `10.0.0.2/24`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NetworkAddress {
    pub address: IpAddr,
    pub prefix: u8,
}

impl NetworkAddress {
    /// Reads `ADDRESS/PREFIX`. `None` when either is none, or the address is not one host's.
    pub fn parse(text: &str) -> Option<NetworkAddress> {
        let (address, prefix) = text.split_once('/')?;
        let address: IpAddr = address.parse().ok()?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let prefix = integer(prefix, 1, bits)?;
        let is_one_host = !address.is_unspecified()
            && !address.is_multicast()
            && !address.is_loopback()
            && address != IpAddr::V4(Ipv4Addr::BROADCAST);
        is_one_host.then_some(NetworkAddress { address, prefix })
    }
}

impl fmt::Display for NetworkAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

/// A `HOST:PORT`; an IPv6 address stands in brackets: `[::1]:9092`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// A name or an address, without brackets.
    pub host: String,
    pub port: u16,
}

impl Endpoint {
    /// Reads `HOST:PORT` or `[ADDRESS]:PORT`. `None` when the host is empty or contains a blank, or
    /// the port is not from 0 to 65535.
    pub fn parse(text: &str) -> Option<Endpoint> {
        let (host, port) = text.rsplit_once(':')?;
        let host = match host.strip_prefix('[') {
            Some(rest) => rest.strip_suffix(']')?,
            None if host.contains(':') => return None,
            None => host,
        };
        let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '[' | ']' | '/');
        if host.is_empty() || !host.chars().all(plain) || !port.bytes().all(|b| b.is_ascii_digit())
        {
            return None;
        }
        Some(Endpoint {
            host: host.to_owned(),
            port: port.parse().ok()?,
        })
    }

    /// The first address that the host resolves to, IPv4 before IPv6: some clients try `::1` first
    /// when a broker says `localhost`, so a broker that listens on one address takes IPv4.
    ///
    /// # Errors
    /// The name does not resolve.
    pub fn resolve(&self) -> io::Result<SocketAddr> {
        let addresses: Vec<SocketAddr> =
            (self.host.as_str(), self.port).to_socket_addrs()?.collect();
        let ipv4 = addresses.iter().find(|address| address.is_ipv4());
        ipv4.or(addresses.first()).copied().ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::NotFound,
                format!("'{}' has no address", self.host),
            )
        })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// An integer within bounds.
pub(crate) fn integer<T: std::str::FromStr + PartialOrd>(text: &str, low: T, high: T) -> Option<T> {
    let value = text.parse::<T>().ok()?;
    (value >= low && value <= high).then_some(value)
}

/// Bytes: a plain number, or one with KiB, MiB or GiB.
pub(crate) fn bytes(text: &str, low: u64, high: u64) -> Option<u64> {
    let units = [("KiB", 1u64 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];
    let (digits, unit) = units
        .iter()
        .find_map(|(suffix, unit)| Some((text.strip_suffix(suffix)?.trim_end(), *unit)))
        .unwrap_or((text, 1));
    let value = digits.parse::<u64>().ok()?.checked_mul(unit)?;
    (value >= low && value <= high).then_some(value)
}

/// A list of processors such as `1`, `0,2` or `0,4-7`; empty text is an empty list.
pub(crate) fn cpu_list(text: &str, cpu_max: usize) -> Option<Vec<usize>> {
    let mut cpus = Vec::new();
    for part in text.split(',').map(str::trim).filter(|_| !text.is_empty()) {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let first: usize = first.trim().parse().ok()?;
        let last: usize = last.trim().parse().ok()?;
        if first > last || last > cpu_max {
            return None;
        }
        cpus.extend(first..=last);
    }
    let mut sorted = cpus.clone();
    sorted.sort_unstable();
    sorted.dedup();
    (sorted.len() == cpus.len()).then_some(cpus)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints() {
        let good = [
            ("127.0.0.1:9092", "127.0.0.1", 9092),
            ("[::1]:0", "::1", 0),
            ("broker-1.example:65535", "broker-1.example", 65535),
        ];
        for (text, host, port) in good {
            let endpoint = Endpoint::parse(text).expect(text);
            assert_eq!((endpoint.host.as_str(), endpoint.port), (host, port));
            assert_eq!(endpoint.to_string(), text);
        }
        for bad in [
            "", ":1", "a", "a:", "a:65536", "a:-1", "a:+1", "::1:9", "a b:1", "[::1:9", "a/b:1",
        ] {
            assert_eq!(Endpoint::parse(bad), None, "{bad}");
        }
        let address = Endpoint::parse("localhost:1").unwrap().resolve().unwrap();
        assert!(address.ip().is_loopback());
    }

    #[test]
    fn byte_sizes() {
        assert_eq!(bytes("64", 0, 100), Some(64));
        assert_eq!(bytes("64KiB", 0, u64::MAX), Some(65536));
        assert_eq!(bytes("2 GiB", 0, u64::MAX), Some(2 << 30));
        assert_eq!(bytes("18446744073709551615GiB", 0, u64::MAX), None);
        assert_eq!(bytes("1.5MiB", 0, u64::MAX), None);
        assert_eq!(bytes("-1", 0, u64::MAX), None);
    }

    #[test]
    fn cpu_lists() {
        assert_eq!(cpu_list("", 9), Some(vec![]));
        assert_eq!(cpu_list("0, 4-6", 9), Some(vec![0, 4, 5, 6]));
        for bad in ["1,", "a", "3-1", "10", "1,1", "0-2,2", "-1"] {
            assert_eq!(cpu_list(bad, 9), None, "{bad}");
        }
    }
}

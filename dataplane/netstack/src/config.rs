//! What the owner of a [`crate::Stack`] decides.

use std::net::IpAddr;

use crate::wire::ethernet::Mac;

/// A point in time: nanoseconds since an origin that the caller chooses and keeps.
pub type Nanos = u64;

pub(crate) const MILLISECOND: Nanos = 1_000_000;
pub(crate) const SECOND: Nanos = 1_000_000_000;

/// Everything a stack is told at its birth. [`StackConfig::new`] has defaults for a server.
#[derive(Clone, Debug)]
pub struct StackConfig {
    pub mac: Mac,
    /// Frames are sent with this VLAN's tag, and only frames with it are taken.
    pub vlan: Option<u16>,
    /// Own addresses with the lengths of their prefixes. At most 255.
    pub addresses: Vec<(IpAddr, u8)>,
    /// Where packets to other prefixes go: at most one of each family counts.
    pub gateways: Vec<IpAddr>,
    /// Neighbours that are never asked for and never learnt anew.
    pub static_neighbours: Vec<(IpAddr, Mac)>,
    /// Largest IP packet, in bytes, as the device says.
    pub mtu: usize,
    /// Random bytes of the caller: keys of the tables, of sequence numbers and of cookies.
    pub seed: [u8; 32],
    pub offloads: Offloads,
    pub limits: Limits,
    pub tcp: TcpConfig,
}

/// What the device does so that the stack need not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Offloads {
    /// Checksums of TCP are inserted by the device: [`crate::Frame::checksum`] says where.
    pub transmit_checksum: bool,
    /// Frames with wrong checksums never reach the stack.
    pub receive_checksum: bool,
    /// Most payload bytes of a frame that the device cuts into segments itself; 0: it cannot.
    /// Needs `transmit_checksum`.
    pub segmentation_bytes_max: usize,
}

/// Bounds of memory and of what strangers may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Control blocks: established, half-open and closing together.
    pub connections_max: usize,
    /// Connections that hold data at the same time, in either direction.
    pub active_max: usize,
    /// Bytes of one chunk of buffer memory.
    pub chunk_bytes: usize,
    /// Chunks that all buffers share.
    pub chunks_max: usize,
    /// Neighbours (ARP, neighbour discovery) that are remembered.
    pub neighbours_max: usize,
    /// Connections in TIME-WAIT; the oldest makes room (RFC 9293, 3.6.1 permits reuse by
    /// timestamps only, so this is a bound for a broker under many short connections).
    pub time_wait_max: usize,
    /// New connections from one address (of IPv6: one /64) in one second; 0: any number.
    pub connections_per_second: u32,
    /// Answers without a connection (echo, reset, ARP) that wait for the device.
    pub replies_max: usize,
    /// Resets and ICMP answers to strangers in one second.
    pub replies_per_second: u32,
}

/// Which congestion control a stack uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CongestionControl {
    /// RFC 9438.
    #[default]
    Cubic,
    /// RFC 5681 and RFC 6582.
    NewReno,
    /// draft-cardwell-iccrg-bbr-congestion-control-00: by measured bandwidth, whatever is lost.
    Bbr,
}

/// When silent peers are asked whether they live (RFC 9293, 3.8.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeepAlive {
    pub idle: Nanos,
    pub interval: Nanos,
    pub probes: u8,
}

/// TCP's own settings. Times are in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TcpConfig {
    /// Most bytes of one connection that wait to be read: its largest receive window.
    pub receive_bytes_max: u32,
    /// Most bytes of one connection that wait to be acknowledged or sent.
    pub send_bytes_max: u32,
    pub congestion_control: CongestionControl,
    pub rto_initial: Nanos,
    pub rto_min: Nanos,
    pub rto_max: Nanos,
    /// How long a peer may hold back the acknowledgment of a lone segment.
    pub peer_ack_delay: Nanos,
    /// How long the acknowledgment of a lone segment is held back here.
    pub ack_delay: Nanos,
    /// Retransmissions of one segment before the connection fails.
    pub retries: u8,
    /// Retransmissions of a SYN, or of its answer.
    pub syn_retries: u8,
    pub keep_alive: Option<KeepAlive>,
    /// Twice the time that a segment lives (RFC 9293: 4 minutes; here as others do).
    pub time_wait: Nanos,
    /// How long a closed connection waits for its peer's end.
    pub fin_wait: Nanos,
    /// Smaller values of peers are taken as this: tiny segments cost the sender most.
    pub mss_min: u16,
    /// Segments in flight, or pieces of them, of one connection.
    pub segments_max: usize,
    /// Window of a connection's beginning, in segments (RFC 6928).
    pub initial_window: u32,
    pub timestamps: bool,
    pub sack: bool,
    pub window_scaling: bool,
}

impl StackConfig {
    /// One address on a device with this hardware address and MTU.
    pub fn new(mac: Mac, address: IpAddr, prefix: u8, mtu: usize, seed: [u8; 32]) -> StackConfig {
        StackConfig {
            mac,
            vlan: None,
            addresses: vec![(address, prefix)],
            gateways: Vec::new(),
            static_neighbours: Vec::new(),
            mtu,
            seed,
            offloads: Offloads::default(),
            limits: Limits::default(),
            tcp: TcpConfig::default(),
        }
    }
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            connections_max: 65_536,
            active_max: 4_096,
            chunk_bytes: 4_096,
            chunks_max: 16_384,
            neighbours_max: 4_096,
            time_wait_max: 16_384,
            connections_per_second: 0,
            replies_max: 256,
            replies_per_second: 1_000,
        }
    }
}

impl Default for TcpConfig {
    fn default() -> TcpConfig {
        TcpConfig {
            receive_bytes_max: 1 << 20,
            send_bytes_max: 1 << 20,
            congestion_control: CongestionControl::Cubic,
            rto_initial: SECOND,
            rto_min: 5 * MILLISECOND,
            rto_max: 60 * SECOND,
            peer_ack_delay: 40 * MILLISECOND,
            ack_delay: 10 * MILLISECOND,
            retries: 15,
            syn_retries: 5,
            keep_alive: Some(KeepAlive {
                idle: 7_200 * SECOND,
                interval: 75 * SECOND,
                probes: 9,
            }),
            time_wait: 60 * SECOND,
            fin_wait: 60 * SECOND,
            mss_min: 64,
            segments_max: 4_096,
            initial_window: 10,
            timestamps: true,
            sack: true,
            window_scaling: true,
        }
    }
}

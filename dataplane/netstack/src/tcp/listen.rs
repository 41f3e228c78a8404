//! Connections of peers: SYNs, their limits, and cookies when the backlog is full.

use siphasher::sip::SipHasher13;

use super::connection::milliseconds;
use super::cookies::Remembered;
use super::{Connection, Cookies, Flags, State};
use crate::config::{Nanos, SECOND};
use crate::stack::Stack;
use crate::table::Key;
use crate::wire::ethernet::Mac;
use crate::wire::ip::{self, Address};
use crate::wire::tcp::{self, Header, Options, Segment, Timestamps};

/// An address and port that peers may connect to.
pub struct Listener {
    /// None: any own address of the family.
    pub address: Option<Address>,
    pub v4: bool,
    pub port: u16,
    /// Half-open connections with a control block; further ones get a cookie.
    pub backlog: usize,
    pub half_open: usize,
    pub open: bool,
}

impl Listener {
    fn takes(&self, address: Address, port: u16) -> bool {
        let fits = match self.address {
            Some(own) => own == address,
            None => self.v4 == address.is_v4(),
        };
        self.open && self.port == port && fits
    }
}

/// How many connections an address opened in this second. Addresses share counters by a keyed
/// hash, so memory is bounded whoever knocks.
pub struct RateLimit {
    per_second: u32,
    hash: SipHasher13,
    counters: Vec<(u32, u32)>,
}

impl RateLimit {
    const COUNTERS: usize = 4_096;

    pub fn new(per_second: u32, key: [u8; 16]) -> RateLimit {
        let counters = if per_second == 0 {
            0
        } else {
            RateLimit::COUNTERS
        };
        RateLimit {
            per_second,
            hash: SipHasher13::new_with_key(&key),
            counters: vec![(0, 0); counters],
        }
    }

    /// Counts a connection; false when it comes too fast.
    fn allow(&mut self, address: Address, now: Nanos) -> bool {
        if self.counters.is_empty() {
            return true;
        }
        let significant = if address.is_v4() { 16 } else { 8 };
        let hash = self.hash.hash(&address.0[..significant]) as usize;
        let counter = &mut self.counters[hash % RateLimit::COUNTERS];
        let second = (now / SECOND) as u32;
        if counter.0 != second {
            *counter = (second, 0);
        }
        counter.1 += 1;
        counter.1 <= self.per_second
    }
}

impl Stack {
    pub(crate) fn find_connection(&self, key: &Key) -> Option<usize> {
        let same = |slot: u32| self.connections[slot as usize].key() == *key;
        self.table.find(key, same).map(|slot| slot as usize)
    }

    pub(crate) fn find_listener(&self, local: u8, port: u16) -> Option<u16> {
        let address = self.addresses[usize::from(local)].0;
        let found = self
            .listeners
            .iter()
            .position(|listener| listener.takes(address, port));
        found.map(|index| index as u16)
    }

    /// A segment that belongs to no connection.
    pub(crate) fn take_stranger(
        &mut self,
        key: &Key,
        segment: &Segment<'_>,
        link: Mac,
        now: Nanos,
    ) {
        let listener = self.find_listener(key.local, key.local_port);
        let control = segment.flags & (tcp::SYN | tcp::ACK | tcp::RST | tcp::FIN);
        match (listener, control) {
            (_, flags) if flags & tcp::RST != 0 => {}
            (Some(listener), tcp::SYN) => self.take_syn(listener, key, segment, link, now),
            (Some(listener), flags)
                if flags & tcp::ACK != 0
                    && flags & tcp::SYN == 0
                    && self.take_cookie(listener, key, segment, link, now) => {}
            _ => self.refuse(key, segment, link, now),
        }
    }

    fn take_syn(&mut self, listener: u16, key: &Key, segment: &Segment<'_>, link: Mac, now: Nanos) {
        if !self.rate_limit.allow(key.remote, now) {
            self.statistics.connections_too_fast += 1;
            return;
        }
        let waiting = &self.listeners[usize::from(listener)];
        if waiting.half_open >= waiting.backlog {
            self.send_cookie(key, segment, link, now);
            return;
        }
        let Some(slot) = self.occupy(key, State::SynReceived, now) else {
            self.statistics.connections_refused += 1;
            self.refuse(key, segment, link, now);
            return;
        };
        self.listeners[usize::from(listener)].half_open += 1;
        let offset = self.cookies.timestamp_offset(key);
        let sequence = self.cookies.initial_sequence(key, now);
        let mss = self.mss_of(key);
        let connection = &mut self.connections[slot];
        connection.listener = listener;
        connection.link = link;
        connection.flags.set(Flags::PASSIVE | Flags::SYN_PENDING);
        connection.timestamp_offset = offset;
        connection.send_unacknowledged = sequence;
        connection.send_next = sequence;
        connection.receive_next = segment.sequence.wrapping_add(1);
        connection.receive_edge = connection.receive_next;
        self.agree(slot, &segment.options, mss, now);
        let connection = &mut self.connections[slot];
        connection.send_window = u32::from(segment.window);
        connection.send_window_max = connection.send_window;
        connection.window_sequence = segment.sequence;
        connection.window_acknowledgment = sequence;
        self.ready.push(slot as u32);
    }

    /// Our own largest segment towards `key`'s peer.
    pub(crate) fn mss_of(&self, key: &Key) -> u16 {
        let headers = ip::header_bytes(key.remote.is_v4()) + tcp::HEADER;
        let mss = self.config.mtu.saturating_sub(headers);
        mss.clamp(28, usize::from(u16::MAX)) as u16
    }

    /// Takes over what a SYN offers and we want too.
    pub(crate) fn agree(&mut self, slot: usize, options: &Options, own_mss: u16, now: Nanos) {
        let config = &self.config.tcp;
        let connection = &mut self.connections[slot];
        let assumed = if connection.remote.is_v4() { 536 } else { 1220 };
        let offered = options.mss.unwrap_or(assumed).max(config.mss_min);
        connection.mss = offered.min(own_mss);
        connection
            .flags
            .set_to(Flags::SACK, options.sack_permitted && config.sack);
        if let (Some(timestamps), true) = (options.timestamps, config.timestamps) {
            connection.flags.set(Flags::TIMESTAMPS);
            connection.timestamp_recent = timestamps.value;
            connection.timestamp_recent_at = (now / SECOND) as u32;
        } else {
            connection.flags.clear(Flags::TIMESTAMPS);
        }
        if let (Some(shift), true) = (options.window_scale, config.window_scaling) {
            connection.flags.set(Flags::WINDOW_SCALE);
            connection.send_scale = shift;
            connection.receive_scale = scale_of(config.receive_bytes_max);
        } else {
            connection.flags.clear(Flags::WINDOW_SCALE);
            connection.send_scale = 0;
            connection.receive_scale = 0;
        }
        let segment = connection.segment_bytes();
        connection.congestion_window = segment.saturating_mul(config.initial_window.max(1));
    }

    /// A connection is established, by a handshake or a cookie.
    pub(crate) fn establish(&mut self, slot: usize, now: Nanos) {
        let connection = &mut self.connections[slot];
        connection.state = State::Established;
        // The handshake was a round trip, if nothing of it was repeated.
        if connection.backoff == 0 && connection.retransmit_at != 0 {
            let timeout = connection.retransmission_timeout(&self.config.tcp, false);
            let sent_at = connection.retransmit_at.saturating_sub(timeout);
            connection.measure(now.saturating_sub(sent_at));
        }
        connection.backoff = 0;
        connection.retransmit_at = 0;
        connection.flags.clear(Flags::SYN_PENDING);
        connection.flags.set(Flags::COUNTED);
        self.established += 1;
        let connection = &mut self.connections[slot];
        if connection.flags.has(Flags::PASSIVE) {
            self.statistics.connections_accepted += 1;
            connection.flags.set(Flags::TELL_ACCEPTED);
            let (remote, link) = (connection.remote, connection.link);
            // It answered what was sent to this hardware address: as good as an answer to ARP.
            if self.is_on_link(remote) {
                self.neighbours.insert(remote, link, now);
            }
        } else {
            self.statistics.connections_opened += 1;
            connection.flags.set(Flags::TELL_WRITABLE);
        }
        self.tell.push(slot as u32);
    }

    fn send_cookie(&mut self, key: &Key, segment: &Segment<'_>, link: Mac, now: Nanos) {
        let config = &self.config.tcp;
        let offered = &segment.options;
        let own_mss = self.mss_of(key);
        let assumed = if key.remote.is_v4() { 536 } else { 1220 };
        let mss = offered
            .mss
            .unwrap_or(assumed)
            .max(config.mss_min)
            .min(own_mss);
        let timestamps = offered.timestamps.filter(|_| config.timestamps);
        // Without timestamps there is no place to remember these.
        let scale = offered
            .window_scale
            .filter(|_| timestamps.is_some() && config.window_scaling);
        let kept = Options {
            window_scale: scale,
            sack_permitted: offered.sack_permitted && config.sack && timestamps.is_some(),
            ..Options::default()
        };
        let answer = Options {
            mss: Some(own_mss),
            window_scale: scale.map(|_| scale_of(config.receive_bytes_max)),
            sack_permitted: kept.sack_permitted,
            timestamps: timestamps.map(|peer| Timestamps {
                value: self.cookies.timestamp(key, &kept, now),
                echo: peer.value,
            }),
            ..Options::default()
        };
        let header = Header {
            source_port: key.local_port,
            destination_port: key.remote_port,
            sequence: self.cookies.cookie(key, segment.sequence, mss, now),
            acknowledgment: segment.sequence.wrapping_add(1),
            flags: tcp::SYN | tcp::ACK,
            window: config.receive_bytes_max.min(65_535) as u16,
            options: answer,
        };
        self.statistics.cookies_sent += 1;
        self.push_segment(key, link, &header);
    }

    /// The last step of a handshake whose first two were not remembered. False: no cookie of ours.
    fn take_cookie(
        &mut self,
        listener: u16,
        key: &Key,
        segment: &Segment<'_>,
        link: Mac,
        now: Nanos,
    ) -> bool {
        let cookie = segment.acknowledgment.wrapping_sub(1);
        let peer_sequence = segment.sequence.wrapping_sub(1);
        let Some(mss) = self.cookies.check(key, peer_sequence, cookie, now) else {
            self.statistics.cookies_refused += 1;
            return false;
        };
        let echo = segment.options.timestamps.map(|timestamps| timestamps.echo);
        let Remembered {
            mss,
            window_scale,
            sack_permitted,
        } = Cookies::remembered(mss, echo.filter(|_| self.config.tcp.timestamps));
        let Some(slot) = self.occupy(key, State::Established, now) else {
            self.statistics.connections_refused += 1;
            return false;
        };
        let options = Options {
            mss: Some(mss),
            window_scale,
            sack_permitted,
            timestamps: segment.options.timestamps,
            ..Options::default()
        };
        let own_mss = self.mss_of(key);
        let offset = self.cookies.timestamp_offset(key);
        self.agree(slot, &options, own_mss, now);
        let offered = self.config.tcp.receive_bytes_max.min(65_535);
        let connection = &mut self.connections[slot];
        connection.listener = listener;
        connection.link = link;
        connection.flags.set(Flags::PASSIVE);
        connection.timestamp_offset = offset;
        connection.send_unacknowledged = segment.acknowledgment;
        connection.send_next = segment.acknowledgment;
        connection.receive_next = segment.sequence;
        connection.acknowledged = segment.sequence;
        connection.receive_edge = segment.sequence.wrapping_add(offered);
        connection.send_window = u32::from(segment.window) << connection.send_scale;
        connection.send_window_max = connection.send_window;
        connection.window_sequence = segment.sequence;
        connection.window_acknowledgment = segment.acknowledgment;
        self.statistics.cookies_accepted += 1;
        self.establish(slot, now);
        self.segment_arrives(slot, segment, now);
        true
    }

    /// Resets whoever sends what belongs to nothing (RFC 9293, 3.10.7.1).
    pub(crate) fn refuse(&mut self, key: &Key, segment: &Segment<'_>, link: Mac, now: Nanos) {
        if segment.has(tcp::RST) {
            return;
        }
        if !self.replies.allow(now) {
            self.statistics.replies_dropped += 1;
            return;
        }
        let (sequence, acknowledgment, flags) = if segment.has(tcp::ACK) {
            (segment.acknowledgment, 0, tcp::RST)
        } else {
            (0, segment.end(), tcp::RST | tcp::ACK)
        };
        let header = Header {
            source_port: key.local_port,
            destination_port: key.remote_port,
            sequence,
            acknowledgment,
            flags,
            ..Header::default()
        };
        self.statistics.resets_sent += 1;
        self.push_segment(key, link, &header);
    }

    /// Queues a segment without payload that belongs to no connection.
    pub(crate) fn push_segment(&mut self, key: &Key, link: Mac, header: &Header) {
        let from = self.addresses[usize::from(key.local)].0;
        let to = key.remote;
        let length = tcp::HEADER + header.options.length();
        self.push_ip_reply(link, from, to, ip::PROTOCOL_TCP, 64, length, |out| {
            tcp::write(out, header);
            let sum = ip::pseudo_header(from, to, ip::PROTOCOL_TCP, length);
            let checksum = sum.bytes(out).finish();
            tcp::set_checksum(out, checksum);
        });
    }

    /// A new SYN in TIME-WAIT opens the connection anew when it is clearly later (RFC 9293,
    /// 3.10.7.4; RFC 6191): by its timestamp, or by its sequence number.
    pub(crate) fn reopens(connection: &Connection, segment: &Segment<'_>) -> bool {
        if segment.flags & (tcp::SYN | tcp::ACK | tcp::RST) != tcp::SYN {
            return false;
        }
        match segment.options.timestamps {
            Some(timestamps) if connection.flags.has(Flags::TIMESTAMPS) => {
                crate::sequence::after(timestamps.value, connection.timestamp_recent)
            }
            _ => crate::sequence::after(segment.sequence, connection.receive_next),
        }
    }

    /// The SYN or SYN-ACK of a connection.
    pub(crate) fn syn_header(&self, slot: usize, now: Nanos) -> Header {
        let connection = &self.connections[slot];
        let config = &self.config.tcp;
        let answer = connection.state == State::SynReceived;
        let agreed = |flag: Flags, wanted: bool| {
            if answer {
                connection.flags.has(flag)
            } else {
                wanted
            }
        };
        let echo = if answer {
            connection.timestamp_recent
        } else {
            0
        };
        let timestamps = Timestamps {
            value: milliseconds(now).wrapping_add(connection.timestamp_offset),
            echo,
        };
        let scale = scale_of(config.receive_bytes_max);
        Header {
            source_port: connection.local_port,
            destination_port: connection.remote_port,
            sequence: connection.send_unacknowledged,
            acknowledgment: if answer { connection.receive_next } else { 0 },
            flags: if answer {
                tcp::SYN | tcp::ACK
            } else {
                tcp::SYN
            },
            window: config.receive_bytes_max.min(65_535) as u16,
            options: Options {
                mss: Some(self.mss_of(&connection.key())),
                window_scale: agreed(Flags::WINDOW_SCALE, config.window_scaling).then_some(scale),
                sack_permitted: agreed(Flags::SACK, config.sack),
                timestamps: agreed(Flags::TIMESTAMPS, config.timestamps).then_some(timestamps),
                ..Options::default()
            },
        }
    }
}

/// The least shift with which a window fits into 16 bits.
fn scale_of(window: u32) -> u8 {
    (0..14)
        .find(|shift| window >> shift <= 65_535)
        .unwrap_or(14)
}

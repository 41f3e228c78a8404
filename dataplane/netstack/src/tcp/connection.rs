//! The control block: all that an idle connection is.

use crate::config::Nanos;
use crate::list::NONE;
use crate::table::Key;
use crate::wire::ethernet::Mac;
use crate::wire::ip::Address;
use crate::wire::tcp::SackBlock;

/// RFC 9293, 3.3.2. LISTEN has no control block here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Closed,
    SynSent,
    SynReceived,
    Established,
    FinWait1,
    FinWait2,
    CloseWait,
    Closing,
    LastAck,
    TimeWait,
}

impl State {
    /// The user may still hand over bytes.
    pub fn can_send(self) -> bool {
        matches!(self, State::Established | State::CloseWait)
    }

    /// The peer may still send bytes.
    pub fn can_receive(self) -> bool {
        matches!(self, State::Established | State::FinWait1 | State::FinWait2)
    }

    /// Both sides have agreed on sequence numbers.
    pub fn is_synchronized(self) -> bool {
        !matches!(self, State::Closed | State::SynSent | State::SynReceived)
    }
}

/// Facts of a connection, one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(u32);

macro_rules! flags {
    ($($(#[$doc:meta])* $name:ident = $bit:expr,)*) => {
        impl Flags {
            $($(#[$doc])* pub const $name: Flags = Flags(1 << $bit);)*
        }
    };
}

flags! {
    /// An acknowledgment must leave at once.
    ACK_NOW = 0,
    /// A SYN, or its answer, must leave.
    SYN_PENDING = 1,
    /// A window or keep-alive probe must leave.
    PROBE_PENDING = 2,
    /// A tail loss probe must leave.
    TAIL_PROBE_PENDING = 3,
    /// The user has no more to send.
    FIN_QUEUED = 4,
    FIN_SENT = 5,
    /// The end was lost, or its probe is due: send it again.
    FIN_AGAIN = 6,
    /// The peer's end was received in order.
    PEER_FIN = 7,
    /// The user closed: the id is stale, arriving bytes are dropped.
    ORPHAN = 8,
    /// It was opened by the peer.
    PASSIVE = 9,
    SACK = 10,
    TIMESTAMPS = 11,
    WINDOW_SCALE = 12,
    /// A send was not taken whole: tell when it can go on.
    WANTS_WRITE = 13,
    TELL_ACCEPTED = 14,
    TELL_READABLE = 15,
    TELL_WRITABLE = 16,
    TELL_FAILED = 17,
    /// Counted as established.
    COUNTED = 18,
    /// The RTT was measured at least once.
    RTT_KNOWN = 19,
    /// A retransmission timer is a tail loss probe's.
    PROBE_TIMER = 20,
    /// A segment in order waits for its acknowledgment.
    ACK_WAITS = 21,
    /// All is acknowledged, but not whether the tail loss probe among it repaired a loss: that the
    /// next acknowledgments tell (RFC 8985, 7.4.2). Kept here while there are no buffers.
    PROBE_UNJUDGED = 22,
}

impl Flags {
    pub fn has(self, flag: Flags) -> bool {
        self.0 & flag.0 != 0
    }

    pub fn set(&mut self, flag: Flags) {
        self.0 |= flag.0;
    }

    pub fn clear(&mut self, flag: Flags) {
        self.0 &= !flag.0;
    }

    pub fn set_to(&mut self, flag: Flags, on: bool) {
        if on { self.set(flag) } else { self.clear(flag) }
    }

    /// Clears and tells whether it was set.
    pub fn take(&mut self, flag: Flags) -> bool {
        let was = self.has(flag);
        self.clear(flag);
        was
    }
}

impl std::ops::BitOr for Flags {
    type Output = Flags;

    fn bitor(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }
}

/// One connection. Sequence variables carry RFC 9293's names in words; times are nanoseconds and 0
/// where a timer is not set.
#[derive(Clone, Copy, Debug)]
pub struct Connection {
    pub remote: Address,
    pub remote_port: u16,
    pub local_port: u16,
    pub local: u8,
    pub state: State,
    /// Peers' shift count, and ours (RFC 7323, 2).
    pub send_scale: u8,
    pub receive_scale: u8,
    pub flags: Flags,
    pub generation: u32,
    /// The [`super::Active`] with buffers; [`NONE`] while there is no data.
    pub active: u32,
    pub listener: u16,
    /// Most payload bytes of a segment, before timestamps are taken off.
    pub mss: u16,

    /// SND.UNA, SND.NXT (of a free slot: the next free one), SND.WND, SND.WL1, SND.WL2.
    pub send_unacknowledged: u32,
    pub send_next: u32,
    pub send_window: u32,
    pub window_sequence: u32,
    pub window_acknowledgment: u32,
    /// The largest window that the peer ever offered.
    pub send_window_max: u32,
    pub congestion_window: u32,
    pub slow_start_threshold: u32,
    /// CUBIC's W_max, in bytes.
    pub window_before_loss: u32,

    /// RCV.NXT; the right edge that was offered; the last acknowledgment sent.
    pub receive_next: u32,
    pub receive_edge: u32,
    pub acknowledged: u32,
    /// TS.Recent, when it was taken (seconds), and what is added to our own clock.
    pub timestamp_recent: u32,
    pub timestamp_recent_at: u32,
    pub timestamp_offset: u32,
    /// Microseconds.
    pub rtt_smoothed: u32,
    pub rtt_variation: u32,
    pub rtt_min: u32,
    /// A segment that came twice, to be reported by the next acknowledgment (RFC 2883).
    pub duplicate: SackBlock,

    /// Retransmission, tail loss probe, window probe, FIN-WAIT-2 and TIME-WAIT share a timer.
    pub retransmit_at: Nanos,
    pub acknowledge_at: Nanos,
    /// When the peer was last heard.
    pub heard_at: Nanos,
    /// When an answer to an unacceptable segment last left, in milliseconds.
    pub challenged_at: u32,
    /// When payload last left, in milliseconds.
    pub data_sent_at: u32,
    /// Where the first segment came from.
    pub link: Mac,
    /// Timeouts in a row.
    pub backoff: u8,
    /// Duplicate acknowledgments received in a row.
    pub duplicates: u8,
    /// Acknowledgments owed for segments out of order.
    pub acknowledgments_owed: u8,
    /// Segments in order since the last acknowledgment.
    pub segments_unacknowledged: u8,
    /// Keep-alive or window probes without an answer.
    pub probes: u8,
}

impl Connection {
    pub fn new(key: &Key, state: State, generation: u32) -> Connection {
        Connection {
            remote: key.remote,
            remote_port: key.remote_port,
            local_port: key.local_port,
            local: key.local,
            state,
            send_scale: 0,
            receive_scale: 0,
            flags: Flags::default(),
            generation,
            active: NONE,
            listener: 0,
            mss: 536,
            send_unacknowledged: 0,
            send_next: 0,
            send_window: 0,
            window_sequence: 0,
            window_acknowledgment: 0,
            send_window_max: 0,
            congestion_window: 0,
            slow_start_threshold: u32::MAX,
            window_before_loss: 0,
            receive_next: 0,
            receive_edge: 0,
            acknowledged: 0,
            timestamp_recent: 0,
            timestamp_recent_at: 0,
            timestamp_offset: 0,
            rtt_smoothed: 0,
            rtt_variation: 0,
            rtt_min: u32::MAX,
            duplicate: SackBlock::default(),
            retransmit_at: 0,
            acknowledge_at: 0,
            heard_at: 0,
            challenged_at: 0,
            data_sent_at: 0,
            link: [0; 6],
            backoff: 0,
            duplicates: 0,
            acknowledgments_owed: 0,
            segments_unacknowledged: 0,
            probes: 0,
        }
    }

    pub fn key(&self) -> Key {
        Key {
            remote: self.remote,
            remote_port: self.remote_port,
            local_port: self.local_port,
            local: self.local,
        }
    }

    /// Payload bytes of a full segment, with the options that every segment carries.
    pub fn segment_bytes(&self) -> u32 {
        let options = if self.flags.has(Flags::TIMESTAMPS) {
            crate::wire::tcp::TIMESTAMPS as u32
        } else {
            0
        };
        u32::from(self.mss).saturating_sub(options).max(1)
    }

    /// Sequence space sent and not acknowledged.
    pub fn outstanding(&self) -> u32 {
        self.send_next.wrapping_sub(self.send_unacknowledged)
    }

    /// Our FIN is on the way.
    pub fn fin_outstanding(&self) -> bool {
        self.flags.has(Flags::FIN_SENT) && self.outstanding() > 0
    }

    /// Right end of what the peer allows to send.
    pub fn send_edge(&self) -> u32 {
        self.send_unacknowledged.wrapping_add(self.send_window)
    }

    /// Our clock for timestamps at `now`: milliseconds, shifted for each connection.
    pub fn timestamp(&self, now: Nanos) -> u32 {
        milliseconds(now).wrapping_add(self.timestamp_offset)
    }
}

/// The timestamp clock: it wraps after 49 days, as TCP's timestamps do.
pub fn milliseconds(now: Nanos) -> u32 {
    (now / crate::config::MILLISECOND) as u32
}

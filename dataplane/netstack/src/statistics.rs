//! What a stack counts.

/// Counts since the start. Frames and segments; bytes are payload.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    pub frames_received: u64,
    pub frames_sent: u64,
    /// Not for this station, VLAN or address, or of a protocol that is not served.
    pub frames_foreign: u64,
    /// Lengths, versions or checksums that cannot be.
    pub frames_malformed: u64,
    pub fragments_refused: u64,
    /// Answers without a connection that found no room, or came too fast.
    pub replies_dropped: u64,
    pub echo_replies: u64,
    pub neighbours_learnt: u64,
    pub neighbours_evicted: u64,
    pub neighbours_unreachable: u64,

    pub segments_received: u64,
    pub segments_sent: u64,
    pub bytes_received: u64,
    pub bytes_sent: u64,
    pub segments_retransmitted: u64,
    pub retransmission_timeouts: u64,
    pub tail_loss_probes: u64,
    /// Times that a lost segment was found without a timeout.
    pub fast_recoveries: u64,
    /// Recoveries that turned out needless and were taken back.
    pub recoveries_undone: u64,
    pub out_of_order_received: u64,
    pub duplicates_received: u64,
    /// Outside of the receive window.
    pub out_of_window: u64,
    /// Refused by timestamps (PAWS), or without the timestamps agreed on.
    pub timestamps_refused: u64,
    /// Payload dropped because buffer memory was lent out.
    pub memory_refused: u64,
    pub challenges_sent: u64,
    pub window_probes_sent: u64,
    pub keep_alives_sent: u64,
    pub path_mtu_lowered: u64,

    pub connections_accepted: u64,
    pub connections_opened: u64,
    pub connections_failed: u64,
    /// Turned away because a limit was reached.
    pub connections_refused: u64,
    /// Turned away because their address opens connections too fast.
    pub connections_too_fast: u64,
    pub cookies_sent: u64,
    pub cookies_accepted: u64,
    pub cookies_refused: u64,
    pub resets_sent: u64,
    pub resets_received: u64,
    pub time_wait_recycled: u64,
}

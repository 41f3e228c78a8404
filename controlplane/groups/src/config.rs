//! What can be set. Names, units and defaults are Kafka's where Kafka has the option.

/// The options of group coordination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupConfig {
    /// `group.initial.rebalance.delay.ms`: how long an empty group's first rebalance waits for
    /// more members.
    pub initial_rebalance_delay_ms: u32,
    /// `group.min.session.timeout.ms`.
    pub session_timeout_ms_min: i32,
    /// `group.max.session.timeout.ms`.
    pub session_timeout_ms_max: i32,
    /// `group.max.size`: members of one group.
    pub group_size_max: usize,
    /// `offset.metadata.max.bytes`; like Kafka it counts UTF-16 units.
    pub offset_metadata_length_max: usize,
    /// `offsets.retention.minutes`, in milliseconds.
    pub offsets_retention_ms: i64,
    /// `offsets.retention.check.interval.ms`.
    pub offsets_retention_check_interval_ms: u64,
    pub limits: CoordinatorLimits,
}

impl Default for GroupConfig {
    fn default() -> Self {
        GroupConfig {
            initial_rebalance_delay_ms: 3_000,
            session_timeout_ms_min: 6_000,
            session_timeout_ms_max: 1_800_000,
            group_size_max: i32::MAX as usize,
            offset_metadata_length_max: 4_096,
            offsets_retention_ms: 7 * 24 * 60 * 60 * 1_000,
            offsets_retention_check_interval_ms: 600_000,
            limits: CoordinatorLimits::default(),
        }
    }
}

/// Bounds that Kafka does not have: memory that clients can take is finite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoordinatorLimits {
    /// Groups of one coordinator; one more is refused with POLICY_VIOLATION.
    pub groups_max: usize,
    /// Members of one group, and ids given out to members that have not come back, whatever
    /// `group.max.size` says: GROUP_MAX_SIZE_REACHED.
    pub members_max: usize,
    /// Protocols that one member may offer: INVALID_REQUEST.
    pub protocols_max: usize,
    /// Bytes of one member's protocols, names and metadata: INVALID_REQUEST.
    pub member_bytes_max: usize,
    /// Bytes of all members' protocols of one group: GROUP_MAX_SIZE_REACHED.
    pub group_bytes_max: usize,
    /// Partitions with committed offsets of one group: INVALID_COMMIT_OFFSET_SIZE.
    pub offsets_per_group_max: usize,
    /// Bytes of records in one append that is not one client's own (expiry, deletion).
    pub append_bytes_max: usize,
}

impl Default for CoordinatorLimits {
    fn default() -> Self {
        CoordinatorLimits {
            groups_max: 1_000_000,
            members_max: 10_000,
            protocols_max: 64,
            member_bytes_max: 1 << 20,
            group_bytes_max: 64 << 20,
            offsets_per_group_max: 1_000_000,
            append_bytes_max: 512 << 10,
        }
    }
}

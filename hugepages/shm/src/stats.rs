//! One page of counters per shard: the shard writes, anybody reads. The names are one table, so that
//! whoever shows them needs no list of its own.

use std::mem::{align_of, offset_of, size_of};
use std::sync::atomic::{AtomicU64, Ordering};

/// A number with one writer, the shard's thread, which therefore needs no atomic addition.
#[derive(Debug, Default)]
#[repr(transparent)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds; only the owning shard.
    pub fn add(&self, amount: u64) {
        let value = self.0.load(Ordering::Relaxed).wrapping_add(amount);
        self.0.store(value, Ordering::Relaxed);
    }

    /// Subtracts, for gauges; only the owning shard.
    pub fn subtract(&self, amount: u64) {
        let value = self.0.load(Ordering::Relaxed).wrapping_sub(amount);
        self.0.store(value, Ordering::Relaxed);
    }

    /// Sets, for gauges; only the owning shard.
    pub fn set(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }

    /// The value now.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Whether a number only grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CounterKind {
    /// Grows, and begins again at zero with a new region.
    Total,
    /// The value at this moment.
    Gauge,
}

/// A row of the table of counters.
#[derive(Clone, Copy, Debug)]
pub struct CounterName {
    pub name: &'static str,
    pub kind: CounterKind,
    /// What it counts, in one sentence.
    pub help: &'static str,
    read: fn(&ShardStats) -> &Counter,
}

macro_rules! shard_stats {
    ($($name:ident $kind:ident $help:literal;)*) => {
        /// A shard's counters, eight to a cache line, those that change together in one line.
        #[derive(Debug, Default)]
        #[repr(C, align(4096))]
        pub struct ShardStats {
            $(#[doc = $help] pub $name: Counter,)*
        }

        impl ShardStats {
            /// Every counter, in the order of the page.
            pub const COUNTERS: &[CounterName] = &[$(CounterName {
                name: stringify!($name),
                kind: CounterKind::$kind,
                help: $help,
                read: |stats| &stats.$name,
            },)*];
        }
    };
}

shard_stats! {
    // Requests.
    produce_requests Total "Produce requests taken.";
    fetch_requests Total "Fetch requests taken.";
    list_offsets_requests Total "ListOffsets requests taken.";
    metadata_requests Total "Metadata requests answered here.";
    other_requests Total "Other requests answered here.";
    control_forwarded Total "Requests passed to the control plane.";
    control_answered Total "Answers that came back from the control plane.";
    requests_failed Total "Requests answered with an error for the whole request.";
    // Records.
    records_in Total "Records appended.";
    bytes_in Total "Bytes of record batches appended.";
    batches_in Total "Record batches appended.";
    batches_duplicate Total "Record batches recognised as already appended.";
    batches_refused Total "Record batches refused, for whatever reason.";
    batches_out Total "Record batches sent to consumers.";
    bytes_out Total "Bytes of record batches sent to consumers.";
    records_out Total "Records sent to consumers.";
    // Connections.
    connections Gauge "Connections open.";
    connections_accepted Total "Connections accepted.";
    closed_bad_frame Total "Connections closed because of bytes that are no request.";
    closed_idle Total "Connections closed because nothing came for too long.";
    closed_limit Total "Connections refused because there were too many.";
    closed_failed Total "Connections that their peer or the network ended.";
    network_bytes_in Total "Bytes received.";
    network_bytes_out Total "Bytes sent.";
    // Waits.
    fetches_parked Gauge "Fetch requests that wait for records.";
    fetches_woken Total "Parked fetch requests answered by an append.";
    fetches_timed_out Total "Parked fetch requests answered because their time was up.";
    produces_parked Gauge "Produce requests that wait for durability or replicas.";
    produces_delayed Total "Produce requests that waited because memory was short.";
    control_ring_full Total "Times that the ring to the control plane had no room.";
    peer_ring_full Total "Times that a ring to another shard had no room.";
    control_malformed Total "Messages from the control plane that could not be read.";
    // Disk.
    disk_reads Total "Reads finished.";
    disk_read_bytes Total "Bytes read.";
    disk_writes Total "Writes finished.";
    disk_write_bytes Total "Bytes written.";
    disk_syncs Total "Syncs finished.";
    disk_errors Total "Reads, writes and syncs that failed.";
    disk_in_flight Gauge "Operations under way.";
    disk_recovered_bytes Total "Bytes that only the region had, written by recovery.";
    // Memory.
    pool_bytes_free Gauge "Bytes of the extent pool that are backed by memory and not lent.";
    pool_bytes_in_use Gauge "Bytes of the extent pool that are lent.";
    pool_bytes_in_use_max Gauge "The most of the extent pool that was ever lent.";
    pool_exhausted Total "Times that an extent was asked for and none could be had.";
    pool_set_aside Total "Extents that recovery could not believe and set aside.";
    buffer_bytes_in_use Gauge "Bytes of the buffer pool that are lent.";
    buffer_exhausted Total "Times that a buffer was asked for and none could be had.";
    buffer_large_bytes Gauge "Bytes of buffers too large for the pool.";
    // The loop.
    loop_turns Total "Turns of the poll loop.";
    loop_turns_busy Total "Turns of the poll loop that found something to do.";
    loop_sleeps Total "Times that the shard went to sleep.";
    logs Gauge "Partition logs here.";
    logs_offline Gauge "Partition logs here that are offline.";
    image_version Gauge "Version of the metadata image in use.";
    requests_throttled Total "Requests after which a connection had to wait for a quota.";
    throttle_ms Total "Milliseconds that connections had to wait for quotas, all together.";
    options_ignored Total "Changed options of the node that are not the data plane's.";
    // Compaction.
    cleaner_runs Total "Compactions of a log that came to an end.";
    cleaner_bytes_read Total "Bytes of segments that compaction went through.";
    cleaner_bytes_written Total "Bytes of the segments that compaction made of them.";
    cleaner_records_dropped Total "Records that compaction removed.";
    // Damage.
    quarantined_batches Total "Places in segments whose bytes made no batch and were taken out.";
    quarantined_bytes Total "Bytes that were taken out of segments because they made no batch.";
    // Compression.
    appends_parked Gauge "Produced batches that wait for compression, or behind one that does.";
    batches_prepared Total "Produced batches that were decompressed, and maybe compressed anew.";
    cold_segments Total "Cold segments that were compressed.";
    cold_bytes_before Total "Bytes of cold segments before they were compressed.";
    cold_bytes_after Total "Bytes of cold segments after they were compressed.";
    cold_failures Total "Cold segments that could not be compressed.";
    cold_chunks_read Total "Chunks of cold segments that were decompressed.";
    cold_chunks_damaged Total "Chunks of cold segments that could not be decompressed.";
    // The pools of memory, further.
    pool_bytes_max Gauge "Bytes that the extent pool may grow to.";
    pool_bytes_free_whole Gauge "Of the extent pool's free bytes, those of 2 MiB chunks of which nothing is lent.";
    pool_hits Total "Extents that were lent from memory that was there.";
    pool_misses Total "Extents for which memory had to be had from the filesystem first.";
    pool_bytes_huge Gauge "Bytes of the extent pool that lie on huge pages.";
    pool_trims Total "Times that memory of the extent pool was given back to the system.";
    pool_trimmed_bytes Total "Bytes of the extent pool that were given back to the system.";
    buffer_bytes_max Gauge "Bytes that the buffer pool may grow to.";
    buffer_bytes_free Gauge "Bytes of the buffer pool that are backed by memory and not lent.";
    buffer_bytes_free_whole Gauge "Of the buffer pool's free bytes, those of 2 MiB chunks of which nothing is lent.";
    buffer_bytes_in_use_max Gauge "The most of the buffer pool that was ever lent.";
    buffer_hits Total "Buffers that were lent from memory that was there.";
    buffer_misses Total "Buffers for which memory had to be had from the system first.";
    buffer_bytes_huge Gauge "Bytes of the buffer pool that lie on huge pages.";
    buffer_trims Total "Times that memory of the buffer pool was given back to the system.";
    buffer_trimmed_bytes Total "Bytes of the buffer pool that were given back to the system.";
    slab_objects Gauge "Objects that slabs (answers, fetches, produces) have made.";
    slab_objects_in_use Gauge "Objects of slabs that are in use.";
    slab_objects_in_use_max Gauge "The most objects of each slab that were ever in use at once, added up.";
    slab_hits Total "Objects that lay ready in a slab.";
    slab_misses Total "Objects that a slab had to make first.";
    // Past the kernel: our own TCP and its device. Zero where the kernel's sockets serve.
    wire_frames_in Total "Frames that came past the kernel.";
    wire_frames_out Total "Frames that left past the kernel.";
    wire_frames_in_dropped Total "Frames that the device dropped on the way in: its rings were full.";
    wire_frames_out_dropped Total "Frames that the device dropped on the way out.";
    wire_frames_malformed Total "Frames of which no sense could be made.";
    wire_frames_foreign Total "Frames that were for another station, address or VLAN.";
    wire_send_full Total "Times that the device had no room for a frame.";
    wire_segments_in Total "TCP segments received past the kernel.";
    wire_segments_out Total "TCP segments sent past the kernel.";
    wire_segments_retransmitted Total "TCP segments sent again.";
    wire_retransmission_timeouts Total "Retransmission timeouts.";
    wire_tail_loss_probes Total "Tail loss probes sent.";
    wire_fast_recoveries Total "Losses that were found without a timeout.";
    wire_recoveries_undone Total "Recoveries that were taken back because nothing had been lost.";
    wire_segments_out_of_order Total "TCP segments that came out of order.";
    wire_segments_duplicate Total "TCP segments that came twice.";
    wire_memory_refused Total "TCP segments dropped for want of buffers.";
    wire_window_probes Total "Probes of shut windows.";
    wire_challenges Total "Acknowledgments that challenge a suspicious segment (RFC 5961).";
    wire_connections Gauge "TCP control blocks in use: established, half-open and closing.";
    wire_connections_with_data Gauge "TCP connections that hold data.";
    wire_connections_failed Total "TCP connections that failed.";
    wire_connections_refused Total "TCP connections turned away at a limit.";
    wire_connections_too_fast Total "TCP connections turned away because their address opens too many.";
    wire_syn_cookies_sent Total "SYN cookies sent.";
    wire_syn_cookies_accepted Total "Connections made of a SYN cookie.";
    wire_syn_cookies_refused Total "Acknowledgments whose SYN cookie was none of ours.";
    wire_resets_out Total "TCP resets sent.";
    wire_resets_in Total "TCP resets received.";
    wire_time_wait_recycled Total "TCP connections in TIME-WAIT that made room.";
    wire_neighbours_unreachable Total "Neighbours that did not answer ARP or neighbour discovery.";
    wire_capture_dropped Total "Frames that a capture had no room for.";
    // Reads of logs, syncs and recovery, further.
    disk_sync_us Total "Microseconds that syncs took, all together.";
    disk_sync_us_max Gauge "Microseconds that the longest sync took.";
    log_reads_hot Total "Reads of logs that memory answered.";
    log_reads_cold Total "Reads of logs that needed the disk, or what was read from it before.";
    log_index_hits Total "Cold reads that found their segment's index in memory.";
    log_index_misses Total "Cold reads whose segment's index had to be read first.";
    log_cache_hits Total "Pieces of segments (256 KiB) that cold reads found in memory.";
    log_cache_misses Total "Pieces of segments (256 KiB) that were read from disk.";
    log_segments Gauge "Segments of the partition logs here.";
    log_recovery_ms Gauge "Milliseconds from the start until the logs that were there were open.";
    // Compression, further.
    hardware_batches Total "Produced batches that a device compressed, not a processor.";
    hardware_failures Total "Produced batches at which a device failed, so that a processor compressed them.";
    // Batches that clients write into the log's memory.
    batches_written_in_place Total "Batches that RDMA clients wrote into the log's memory and that became its tail there.";
    bytes_written_in_place Total "Bytes of those batches: none was copied.";
    batches_written_copied Total "Batches that RDMA clients wrote into the log's memory and that had to be copied.";
}

const _: () = {
    assert!(size_of::<ShardStats>() == 4096 && align_of::<ShardStats>() == 4096);
    assert!(offset_of!(ShardStats, records_in) == 64);
    assert!(offset_of!(ShardStats, connections) == 128);
    assert!(offset_of!(ShardStats, fetches_parked) == 192);
    assert!(offset_of!(ShardStats, disk_reads) == 256);
    assert!(offset_of!(ShardStats, pool_bytes_free) == 320);
    assert!(offset_of!(ShardStats, loop_turns) == 384);
    assert!(ShardStats::COUNTERS.len() * size_of::<Counter>() <= size_of::<ShardStats>());
};

impl ShardStats {
    /// Every counter with its value now.
    pub fn values(&self) -> impl Iterator<Item = (&'static CounterName, u64)> + '_ {
        Self::COUNTERS
            .iter()
            .map(|counter| (counter, (counter.read)(self).get()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_names_each_counter_once_and_reads_the_right_one() {
        let stats = ShardStats::default();
        stats.records_in.add(5);
        stats.connections.add(3);
        stats.connections.subtract(1);
        stats.image_version.set(9);
        let values: std::collections::BTreeMap<_, _> = stats
            .values()
            .map(|(row, value)| (row.name, value))
            .collect();
        assert_eq!(values.len(), ShardStats::COUNTERS.len());
        assert_eq!(values["records_in"], 5);
        assert_eq!(values["connections"], 2);
        assert_eq!(values["image_version"], 9);
        assert_eq!(values["records_out"], 0);
    }
}

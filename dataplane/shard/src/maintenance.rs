//! Events of the store, timers, and the sweep over connections that nobody hears of.

use crate::connection::Connection;
use crate::control;
use crate::core::{CloseReason, Core, Timer};
use crate::fetch;
use crate::follows;
use crate::handlers::{metadata, produce};
use crate::queries;
use crate::trim;
use precursor_memory::SlabUse;
use precursor_shm::ShardStats;
use precursor_shm::control::ToControl;
use precursor_storage::{LogId, StoreEvent};
use precursor_transport_port::{ConnectionId, WireStatistics};

/// Between two sweeps over all connections.
pub(crate) const SWEEP_INTERVAL_MS: u64 = 1_000;

/// Connections that wait for memory look again this often, because memory also comes back in ways
/// that no event tells: buffers returned, gathers released.
pub(crate) const MEMORY_RETRY_US: u64 = 200;

/// A connection that is owed bytes and takes none for this long, while others lack memory, holds
/// what they need.
const STALLED_MS: u64 = 5_000;

/// Acts on one event of the store.
pub(crate) fn store_event(core: &mut Core, event: StoreEvent) {
    match event {
        StoreEvent::Online { log } => {
            tell_state(core, log, None);
            control::log_settled(core, log);
        }
        StoreEvent::Offline { log, error } => {
            produce::offline(core, log, error);
            tell_state(core, log, Some(error));
            control::log_settled(core, log);
        }
        StoreEvent::Durable { log, offset } => produce::durable(core, log, offset),
        StoreEvent::ReadReady { ticket } => fetch::read_ready(core, ticket),
        StoreEvent::LookupReady { ticket } => queries::lookup_ready(core, ticket),
        StoreEvent::MemoryFreed => serve_the_waiting_for_memory(core),
    }
}

fn tell_state(core: &mut Core, log: LogId, error: Option<precursor_model::ErrorCode>) {
    let uid = core.waiters.get_mut(log).and_then(|waiters| waiters.uid);
    if let Some(log) = uid {
        core.control.tell(&ToControl::LogState { log, error });
    }
}

/// Connections that stopped for want of memory try again.
pub(crate) fn serve_the_waiting_for_memory(core: &mut Core) {
    while let Some(id) = core.out_of_memory.pop() {
        core.serve_later(id);
    }
}

/// Acts on one timer.
pub(crate) fn fire(core: &mut Core, timer: Timer) {
    match timer {
        Timer::Fetch(key) => fetch::expire(core, key),
        Timer::FetchRetry(key) => fetch::advance(core, key),
        Timer::Produce(key) => produce::expire(core, key),
        Timer::Metadata(key) => metadata::expire(core, key),
        Timer::Unmute(connection) => core.unmute(connection),
    }
}

/// Finds connections that are to be closed for what they do not do.
pub(crate) fn sweep(core: &mut Core) {
    let now_ms = core.now_ms();
    let idle_ms_max = core.options.connections_idle_ms_max;
    let short_of_memory = !core.out_of_memory.is_empty();
    let verdict = |connection: &Connection| {
        let quiet_ms = now_ms.saturating_sub(connection.active_ms);
        let stalled = short_of_memory && connection.send_blocked && quiet_ms >= STALLED_MS;
        if stalled {
            Some(CloseReason::Stalled)
        } else if quiet_ms >= idle_ms_max && !is_waiting(connection) {
            Some(CloseReason::Idle)
        } else {
            None
        }
    };
    let condemned: Vec<(ConnectionId, CloseReason)> = core
        .connections
        .iter()
        .filter_map(|connection| Some((connection.id, verdict(connection)?)))
        .collect();
    for (id, reason) in condemned {
        core.close_later(id, reason);
    }
    follows::sweep(core);
    trim::sweep(core);
    publish_gauges(core);
}

/// What others count, put on the shard's page.
fn publish_gauges(core: &mut Core) {
    let stats = &core.stats;
    let disk = core.store.stats();
    stats.disk_reads.set(disk.disk_reads);
    stats.disk_read_bytes.set(disk.disk_read_bytes);
    stats.disk_writes.set(disk.disk_writes);
    stats.disk_write_bytes.set(disk.disk_write_bytes);
    stats.disk_syncs.set(disk.disk_syncs);
    stats.disk_errors.set(disk.disk_errors);
    stats.disk_recovered_bytes.set(disk.recovered_bytes);
    stats.cleaner_runs.set(disk.cleaner_runs);
    stats.cleaner_bytes_read.set(disk.cleaner_bytes_read);
    stats.cleaner_bytes_written.set(disk.cleaner_bytes_written);
    stats
        .cleaner_records_dropped
        .set(disk.cleaner_records_dropped);
    stats.quarantined_batches.set(disk.quarantined_batches);
    stats.quarantined_bytes.set(disk.quarantined_bytes);
    stats.cold_segments.set(disk.cold_segments);
    stats.cold_bytes_before.set(disk.cold_bytes_before);
    stats.cold_bytes_after.set(disk.cold_bytes_after);
    stats.cold_failures.set(disk.cold_failures);
    stats.cold_chunks_read.set(disk.cold_chunks_read);
    stats.cold_chunks_damaged.set(disk.cold_chunks_damaged);
    stats.hardware_batches.set(disk.hardware_batches);
    stats.hardware_failures.set(disk.hardware_failures);
    stats.disk_sync_us.set(disk.sync_us);
    stats.disk_sync_us_max.set(disk.sync_us_max);
    stats.latency().syncs.publish(core.store.sync_times());
    stats.log_reads_hot.set(disk.reads_hot);
    stats.log_reads_cold.set(disk.reads_cold);
    stats.log_index_hits.set(disk.index_hits);
    stats.log_index_misses.set(disk.index_misses);
    stats.log_cache_hits.set(disk.cache_hits);
    stats.log_cache_misses.set(disk.cache_misses);
    stats.log_segments.set(disk.segments);
    stats.log_recovery_ms.set(disk.recovery_us / 1000);
    let pool = core.store.pool_use();
    stats.pool_bytes_free.set(pool.bytes_free as u64);
    stats.pool_bytes_in_use.set(pool.bytes_in_use as u64);
    stats
        .pool_bytes_in_use_max
        .set(pool.bytes_in_use_max as u64);
    stats.pool_exhausted.set(pool.exhausted);
    stats.pool_set_aside.set(pool.set_aside as u64);
    stats.pool_bytes_max.set(pool.bytes as u64);
    stats
        .pool_bytes_free_whole
        .set(pool.bytes_free_whole as u64);
    stats.pool_hits.set(pool.hits);
    stats.pool_misses.set(pool.misses);
    stats.pool_bytes_huge.set(pool.bytes_huge as u64);
    stats.pool_trims.set(pool.trims);
    stats.pool_trimmed_bytes.set(pool.bytes_trimmed);
    stats.control_ring_full.set(core.control.full_count);
    publish_buffers(core);
    publish_slabs(core);
}

/// What our own TCP and its device counted.
pub(crate) fn publish_wire(stats: &ShardStats, wire: &WireStatistics) {
    let frames = &wire.frames;
    for (counter, value) in [
        (&stats.wire_frames_in, frames.received),
        (&stats.wire_frames_out, frames.sent),
        (&stats.wire_frames_in_dropped, frames.receive_dropped),
        (&stats.wire_frames_out_dropped, frames.send_dropped),
        (&stats.wire_frames_malformed, wire.frames_malformed),
        (&stats.wire_frames_foreign, wire.frames_foreign),
        (&stats.wire_send_full, wire.send_full),
        (&stats.wire_segments_in, wire.segments_received),
        (&stats.wire_segments_out, wire.segments_sent),
        (
            &stats.wire_segments_retransmitted,
            wire.segments_retransmitted,
        ),
        (
            &stats.wire_retransmission_timeouts,
            wire.retransmission_timeouts,
        ),
        (&stats.wire_tail_loss_probes, wire.tail_loss_probes),
        (&stats.wire_fast_recoveries, wire.fast_recoveries),
        (&stats.wire_recoveries_undone, wire.recoveries_undone),
        (
            &stats.wire_segments_out_of_order,
            wire.out_of_order_received,
        ),
        (&stats.wire_segments_duplicate, wire.duplicates_received),
        (&stats.wire_memory_refused, wire.memory_refused),
        (&stats.wire_window_probes, wire.window_probes_sent),
        (&stats.wire_challenges, wire.challenges_sent),
        (&stats.wire_connections, wire.connections),
        (
            &stats.wire_connections_with_data,
            wire.connections_with_data,
        ),
        (&stats.wire_connections_failed, wire.connections_failed),
        (&stats.wire_connections_refused, wire.connections_refused),
        (&stats.wire_connections_too_fast, wire.connections_too_fast),
        (&stats.wire_syn_cookies_sent, wire.cookies_sent),
        (&stats.wire_syn_cookies_accepted, wire.cookies_accepted),
        (&stats.wire_syn_cookies_refused, wire.cookies_refused),
        (&stats.wire_resets_out, wire.resets_sent),
        (&stats.wire_resets_in, wire.resets_received),
        (&stats.wire_time_wait_recycled, wire.time_wait_recycled),
        (
            &stats.wire_neighbours_unreachable,
            wire.neighbours_unreachable,
        ),
        (&stats.wire_capture_dropped, wire.capture_dropped),
    ] {
        counter.set(value);
    }
}

fn publish_buffers(core: &Core) {
    let stats = &core.stats;
    let used = core.buffers.usage();
    stats.buffer_bytes_max.set(used.bytes as u64);
    stats.buffer_bytes_free.set(used.bytes_free as u64);
    stats
        .buffer_bytes_free_whole
        .set(used.bytes_free_whole as u64);
    stats.buffer_bytes_in_use.set(used.bytes_in_use as u64);
    stats
        .buffer_bytes_in_use_max
        .set(used.bytes_in_use_max as u64);
    stats.buffer_large_bytes.set(used.large_bytes as u64);
    stats.buffer_hits.set(used.hits);
    stats.buffer_misses.set(used.misses);
    stats.buffer_exhausted.set(used.exhausted);
    stats.buffer_bytes_huge.set(used.bytes_huge as u64);
    stats.buffer_trims.set(used.trims);
    stats.buffer_trimmed_bytes.set(used.bytes_trimmed);
}

fn publish_slabs(core: &Core) {
    let slabs = [
        core.answers.usage(),
        core.fetches.usage(),
        core.produces.usage(),
        core.producers_asked.usage(),
        core.metadata_waits.usage(),
    ];
    let used: SlabUse = slabs.into_iter().sum();
    let stats = &core.stats;
    stats.slab_objects.set(used.objects as u64);
    stats.slab_objects_in_use.set(used.in_use as u64);
    stats.slab_objects_in_use_max.set(used.in_use_max as u64);
    stats.slab_hits.set(used.hits);
    stats.slab_misses.set(used.misses);
}

/// Whether it is we who keep the connection waiting.
fn is_waiting(connection: &Connection) -> bool {
    (connection.first.is_some() && !connection.send_blocked) || connection.muted
}

//! Memory goes back to the system when there is little to do.
//!
//! What a pool was given it keeps while it is at work: written extents are the cache of consumers
//! that are close behind, and taking memory costs more than having it. When little was moved for a
//! while, a pool above its threshold goes back to its initial memory, a bounded piece at each sweep;
//! the pools' helper threads return it.

use crate::core::Core;

/// How long little must be moved before anything is given back.
const QUIET_MS: u64 = 10_000;
/// Little: the pool's bytes divided by this, written and read together in that time.
const QUIET_SHARE: u64 = 64;
/// Bytes of extents that are on disk that are let go of at one sweep.
const EVICTED_BYTES_MAX: usize = 16 << 20;
/// Chunks given back at one sweep.
const CHUNKS_MAX: usize = 16;

/// What is remembered between sweeps.
#[derive(Debug, Default)]
pub(crate) struct Trimming {
    window_began_ms: u64,
    /// Bytes in and out when the window began.
    moved: u64,
    is_quiet: bool,
    extents: bool,
    buffers: bool,
}

impl Trimming {
    /// Takes note of what was moved so far.
    fn watch(&mut self, now_ms: u64, moved: u64, pool_bytes: u64) {
        let little = moved.saturating_sub(self.moved) < pool_bytes / QUIET_SHARE;
        if !little {
            self.is_quiet = false;
        } else if now_ms.saturating_sub(self.window_began_ms) < QUIET_MS {
            return;
        } else {
            self.is_quiet = true;
        }
        self.window_began_ms = now_ms;
        self.moved = moved;
    }
}

/// Begins to give back above the threshold, and goes on until the initial memory is left.
fn goes_on(
    trims: bool,
    is_quiet: bool,
    backed: usize,
    kept: Option<usize>,
    initial: usize,
) -> bool {
    let above = kept.is_some_and(|kept| backed > kept);
    is_quiet && backed > initial && (trims || above)
}

/// Looks at both pools, once a second.
pub(crate) fn sweep(core: &mut Core) {
    core.store.settle_pool();
    core.buffers.settle();
    let memory = core.options.memory;
    let extents = core.store.pool_use();
    let moved = core.stats.bytes_in.get() + core.stats.bytes_out.get();
    let now_ms = core.now_ms();
    let trimming = &mut core.trimming;
    trimming.watch(now_ms, moved, extents.bytes as u64);
    let (initial, kept) = (memory.extents.initial_bytes, memory.extents_bytes_kept);
    let (quiet, backed) = (trimming.is_quiet, extents.bytes_backed);
    trimming.extents = goes_on(trimming.extents, quiet, backed, kept, initial);
    let trims = trimming.extents;
    if trims && !core.store.trim(initial, EVICTED_BYTES_MAX, CHUNKS_MAX) {
        // What is left is held by something: another look when the next window is over.
        core.trimming.is_quiet = false;
    }
    let used = core.buffers.usage();
    let (initial, kept) = (memory.buffers.initial_bytes, memory.buffers_bytes_kept);
    let backed = used.bytes_in_use + used.bytes_free;
    let trims = core.trimming.buffers;
    core.trimming.buffers = goes_on(trims, quiet, backed, kept, initial);
    if core.trimming.buffers {
        core.buffers.trim(initial, CHUNKS_MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_moved_little_for_a_while_is_quiet() {
        let mut trimming = Trimming::default();
        let mut watch = |now_ms, moved| {
            trimming.watch(now_ms, moved, 6_400);
            trimming.is_quiet
        };
        assert!(!watch(1_000, 50));
        assert!(!watch(9_999, 99));
        assert!(watch(10_000, 99), "99 bytes in ten seconds");
        assert!(watch(11_000, 198), "a new window");
        assert!(!watch(12_000, 199), "100 bytes in two");
        assert!(!watch(21_999, 298));
        assert!(watch(22_000, 298));
    }

    #[test]
    fn it_begins_above_the_threshold_and_ends_at_the_initial_memory() {
        let kept = Some(80);
        assert!(!goes_on(false, true, 80, kept, 10));
        assert!(goes_on(false, true, 81, kept, 10));
        assert!(!goes_on(false, false, 81, kept, 10), "there is work");
        assert!(goes_on(true, true, 11, kept, 10));
        assert!(!goes_on(true, true, 10, kept, 10));
        assert!(!goes_on(false, true, 100, None, 10));
    }
}

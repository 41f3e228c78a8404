//! Descriptions of the logs here, a piece a turn: a node with 10,000 logs must not stall its records
//! for them.

use crate::core::Core;
use precursor_shm::control::{
    DirectoryDescription, LOG_DESCRIPTIONS_PER_MESSAGE_MAX, LogDescription, ToControl,
};
use precursor_storage::{DirectoryError, DirectoryState, LogId};
use std::collections::VecDeque;

/// Questions that wait at a time; the control plane asks one after the other.
const ASKED_MAX: usize = 16;
/// Logs described in one turn.
const LOGS_PER_TURN: usize = 128;

const _: () = assert!(LOGS_PER_TURN <= LOG_DESCRIPTIONS_PER_MESSAGE_MAX);

/// The questions that are not answered whole, oldest first.
#[derive(Default)]
pub(crate) struct Describing {
    tokens: VecDeque<u64>,
    /// Slot of the store that the first one goes on with.
    next: u32,
}

impl Describing {
    /// The control plane is new: nobody waits.
    pub fn clear(&mut self) {
        *self = Describing::default();
    }
}

pub(super) fn ask(core: &mut Core, token: u64) {
    if core.describing.tokens.len() < ASKED_MAX {
        core.describing.tokens.push_back(token);
    } else {
        core.stats.control_malformed.add(1);
    }
}

/// Goes on with the first question. Returns whether there was one.
pub(crate) fn go_on(core: &mut Core) -> bool {
    let Some(token) = core.describing.tokens.front().copied() else {
        return false;
    };
    if !core.control.has_room() {
        return false;
    }
    let mut entries = Vec::new();
    let mut last = true;
    while let Some(log) = core.store.log_from(core.describing.next) {
        if entries.len() == LOGS_PER_TURN {
            last = false;
            break;
        }
        core.describing.next = log.slot + 1;
        entries.extend(describe(core, log));
    }
    if last {
        core.describing.tokens.pop_front();
        core.describing.next = 0;
        let directories = directories(core);
        core.control
            .tell(&ToControl::DirectoryDescriptions { token, directories });
    }
    core.control.tell(&ToControl::LogDescriptions {
        token,
        last,
        entries,
    });
    true
}

fn directories(core: &Core) -> Vec<DirectoryDescription> {
    let states = core.store.directories().states().into_iter();
    let describe = |state: DirectoryState| DirectoryDescription {
        error: state.error.map_or(0, DirectoryError::number),
        is_full: state.is_full,
        partitions: state.partitions,
        total_bytes: state.total_bytes,
        usable_bytes: state.usable_bytes,
    };
    states.map(describe).collect()
}

fn describe(core: &mut Core, log: LogId) -> Option<LogDescription> {
    let uid = core.waiters.get_mut(log)?.uid?;
    let offsets = core.store.offsets(log);
    let sizes = core.store.sizes(log);
    let traffic = core.traffic.get(log);
    Some(LogDescription {
        log: uid,
        log_start_offset: offsets.start,
        high_watermark: offsets.high_watermark,
        log_end_offset: offsets.end,
        size_bytes: sizes.bytes,
        memory_bytes: sizes.memory_bytes,
        segments: sizes.segments,
        directory: core.store.directory_of(log)?,
        records_in: traffic.records_in,
        batches_in: traffic.batches_in,
        bytes_in: traffic.bytes_in,
        bytes_out: traffic.bytes_out,
    })
}

//! What a log takes over from the helper that opened it.

use crate::api::LogState;
use crate::coldseg::ColdState;
use crate::epochs::LeaderEpochs;
use crate::log::{Log, Segment, SegmentIndex, Writer};
use crate::producers::ProducerState;
use crate::recovery::OpenedLog;
use crate::transactions::Aborted;
use std::collections::VecDeque;
use std::sync::Arc;

impl Log {
    /// Takes over what the helper found.
    pub fn become_online(&mut self, opened: OpenedLog) {
        // Lists have room from the start; they are replaced by longer ones when half full.
        let mut segments = VecDeque::with_capacity(2 * opened.sealed.len() + 4);
        self.extents.reserve(8);
        for sealed in &opened.sealed {
            segments.push_back(Segment {
                base: sealed.base,
                size: sealed.size,
                newest: sealed.newest,
                first_ms: None,
                file: None,
                index: SegmentIndex::Absent,
                loading: false,
                snapshot: None,
                generation: 0,
                cold: match sealed.stored < sealed.size {
                    true => ColdState::Cold(sealed.stored),
                    false => ColdState::Plain,
                },
                aborted: Aborted::of(&sealed.aborted),
            });
        }
        let active = &opened.active;
        segments.push_back(Segment {
            base: active.base,
            size: active.size,
            newest: active.newest,
            first_ms: opened.first_timestamp,
            file: Some(opened.active_file),
            index: SegmentIndex::Growing(Arc::new(opened.index)),
            loading: false,
            snapshot: None,
            generation: 0,
            cold: ColdState::Plain,
            aborted: Aborted::growing(
                Arc::new(opened.active.aborted.clone()),
                opened.aborted_on_disk,
            ),
        });
        self.segments = segments;
        self.writer = Writer::at(active.base, active.size);
        self.parked_block = opened.tail_block;
        self.index_bytes = opened.index_bytes;
        self.start = opened.start;
        self.end = opened.end;
        // Recovery synced what it validated.
        self.durable = opened.end;
        self.durable_base = active.base;
        self.durable_position = active.size;
        self.recovery_point = opened.recovery_point;
        let (recovery_point, start) = opened.checkpointed;
        self.checkpointed = (recovery_point, start, self.clean_to);
        let room = (2 * opened.producers.room().0).max(7);
        self.producers = opened.producers;
        self.producers.move_to(ProducerState::with_capacity(room));
        let room = 2 * opened.epochs.room().0 + 2;
        self.epochs = opened.epochs;
        self.epochs.move_to(LeaderEpochs::with_capacity(room));
        self.epochs_changed = true;
        self.state = LogState::Online;
        let report = opened.report;
        let (rescued, cut) = (report.bytes_rescued, report.bytes_cut);
        if report.set_aside > 0 {
            // Memory that recovery could not believe is not an ordinary crash.
            tracing::warn!(
                topic = %self.topic,
                partition = self.partition,
                set_aside = report.set_aside,
                "extents of the region were set aside"
            );
        }
        if rescued + cut > 0 {
            tracing::debug!(
                topic = %self.topic,
                partition = self.partition,
                end = self.end,
                batches_validated = report.batches_validated,
                bytes_rescued = rescued,
                bytes_cut = cut,
                "recovered a log"
            );
        }
    }
}

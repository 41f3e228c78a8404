//! Which group is to be looked at when. One entry per group.

use std::collections::BTreeSet;
use std::sync::Arc;

#[derive(Debug, Default)]
pub(crate) struct Timers {
    entries: BTreeSet<(u64, Arc<str>)>,
}

impl Timers {
    pub(crate) fn insert(&mut self, at: u64, group_id: &Arc<str>) {
        self.entries.insert((at, group_id.clone()));
    }

    pub(crate) fn remove(&mut self, at: u64, group_id: &Arc<str>) {
        self.entries.remove(&(at, group_id.clone()));
    }

    pub(crate) fn next(&self) -> Option<u64> {
        self.entries.first().map(|(at, _)| *at)
    }

    /// Takes what is due, in order of time.
    pub(crate) fn take_due(&mut self, now_ms: u64) -> Vec<Arc<str>> {
        let mut due = Vec::new();
        while self.next().is_some_and(|at| at <= now_ms) {
            due.extend(self.entries.pop_first().map(|(_, group_id)| group_id));
        }
        due
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
    }
}

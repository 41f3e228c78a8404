//! Whether a segment's indexes agree with its batches, batch by batch.

use super::finding::Finding;
use crate::batch::BatchHeader;
use crate::index::{OFFSET_ENTRY, TIME_ENTRY, offset_entry, time_entry};
use precursor_model::Offset;
use std::path::PathBuf;

/// Both indexes of a segment, and how far the batches have come.
pub(super) struct IndexCheck {
    base: Offset,
    offsets: File<(u32, u32)>,
    times: File<(i64, u32)>,
    newest: i64,
    /// Batches are missing: the newest timestamp may have been theirs.
    has_holes: bool,
}

/// An index file, its entries, and what is wrong with it.
struct File<E> {
    path: PathBuf,
    entries: Vec<E>,
    entry_bytes: u64,
    /// Entries that were looked at.
    checked: usize,
    wrong: u64,
    first_wrong: Option<(u64, String)>,
}

impl<E: Copy> File<E> {
    fn next(&self) -> Option<E> {
        self.entries.get(self.checked).copied()
    }

    fn accept(&mut self) {
        self.checked += 1;
    }

    fn reject(&mut self, what: impl FnOnce() -> String) {
        let at = self.checked as u64 * self.entry_bytes;
        self.first_wrong.get_or_insert_with(|| (at, what()));
        self.wrong += 1;
        self.checked += 1;
    }

    fn finish(self, kind: &'static str) -> Option<Finding> {
        let (at, what) = self.first_wrong?;
        let others = match self.wrong {
            1 => String::new(),
            count => format!("; {} more entries are wrong", count - 1),
        };
        let finding = Finding::damage(kind, self.path, format!("{what}{others}"));
        Some(finding.at(at, at + self.entry_bytes))
    }
}

impl IndexCheck {
    /// Of the two files' paths and contents; a missing file is an empty one.
    pub fn new(base: Offset, offsets: (PathBuf, &[u8]), times: (PathBuf, &[u8])) -> IndexCheck {
        let (offset_entries, offset_rest) = offsets.1.as_chunks::<OFFSET_ENTRY>();
        let (time_entries, time_rest) = times.1.as_chunks::<TIME_ENTRY>();
        let cut = |rest: &[u8], whole: usize| {
            let at = (whole - rest.len()) as u64;
            (!rest.is_empty()).then(|| (at, "the file ends within an entry".to_owned()))
        };
        let mut check = IndexCheck {
            base,
            offsets: File {
                path: offsets.0,
                entries: offset_entries.iter().map(offset_entry).collect(),
                entry_bytes: OFFSET_ENTRY as u64,
                checked: 0,
                wrong: u64::from(!offset_rest.is_empty()),
                first_wrong: cut(offset_rest, offsets.1.len()),
            },
            times: File {
                path: times.0,
                entries: time_entries.iter().map(time_entry).collect(),
                entry_bytes: TIME_ENTRY as u64,
                checked: 0,
                wrong: u64::from(!time_rest.is_empty()),
                first_wrong: cut(time_rest, times.1.len()),
            },
            newest: -1,
            has_holes: false,
        };
        check.check_order();
        check
    }

    /// Entries go up; one that does not is wrong whatever the log says.
    fn check_order(&mut self) {
        let broken = |index: usize, bytes: usize| {
            let at = ((index + 1) * bytes) as u64;
            (at, "its entries do not go up".to_owned())
        };
        let offsets = self.offsets.entries.windows(2);
        let at = { offsets }.position(|w| w[0].0 >= w[1].0 || w[0].1 >= w[1].1);
        if let Some(at) = at {
            self.offsets.wrong += 1;
            self.offsets.first_wrong = Some(broken(at, OFFSET_ENTRY));
            self.offsets.entries.clear();
        }
        let times = self.times.entries.windows(2);
        let at = { times }.position(|w| w[0].0 >= w[1].0 || w[0].1 >= w[1].1);
        if let Some(at) = at {
            self.times.wrong += 1;
            self.times.first_wrong = Some(broken(at, TIME_ENTRY));
            self.times.entries.clear();
        }
    }

    /// The next sound batch.
    pub fn batch(&mut self, header: &BatchHeader, position: u64) {
        self.newest = self.newest.max(header.max_timestamp);
        let base = self.base;
        while let Some((relative, at)) = self.offsets.next()
            && u64::from(at) <= position
        {
            let offset = base + i64::from(relative);
            if u64::from(at) < position {
                self.offsets.reject(|| {
                    format!("no batch begins at byte {at}, where offset {offset} should be")
                });
            } else if offset != header.last_offset() {
                let last = header.last_offset();
                self.offsets.reject(|| {
                    format!("the batch at byte {at} ends at offset {last}, not at {offset}")
                });
            } else {
                self.offsets.accept();
            }
        }
        while let Some((timestamp, relative)) = self.times.next()
            && base + i64::from(relative) <= header.last_offset()
        {
            let offset = base + i64::from(relative);
            let newest = self.newest;
            if offset != header.last_offset() {
                self.times
                    .reject(|| format!("no batch ends at offset {offset}, of time {timestamp}"));
            } else if timestamp != header.max_timestamp || timestamp != newest {
                self.times.reject(|| {
                    format!("the newest time up to offset {offset} is {newest}, not {timestamp}")
                });
            } else {
                self.times.accept();
            }
        }
    }

    /// Bytes and offsets that hold no sound batch: what points there cannot be judged.
    pub fn hole(&mut self, end: u64, next: Option<Offset>) {
        self.has_holes = true;
        while self.offsets.next().is_some_and(|e| u64::from(e.1) < end) {
            self.offsets.accept();
        }
        let next = next.unwrap_or(Offset::MAX);
        while self
            .times
            .next()
            .is_some_and(|e| self.base + i64::from(e.1) < next)
        {
            self.times.accept();
        }
    }

    /// At the segment's end. `complete`: both indexes should cover all of it.
    pub fn finish(mut self, size: u64, complete: bool) -> impl Iterator<Item = Finding> {
        while let Some((_, at)) = self.offsets.next() {
            self.offsets
                .reject(|| format!("it points to byte {at}, and the segment has {size}"));
        }
        while let Some((_, relative)) = self.times.next() {
            let offset = self.base + i64::from(relative);
            self.times
                .reject(|| format!("it names offset {offset}, which the segment does not reach"));
        }
        let last = self.times.entries.last().map_or(-1, |entry| entry.0);
        let newest = self.newest;
        let lacks = complete && !self.has_holes && newest >= 0 && last != newest;
        if lacks && self.times.first_wrong.is_none() {
            self.times.reject(|| {
                format!("the segment's newest time is {newest}; the last entry says {last}")
            });
        }
        let offsets = self.offsets.finish("index");
        offsets.into_iter().chain(self.times.finish("time-index"))
    }
}

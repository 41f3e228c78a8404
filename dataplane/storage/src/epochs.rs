//! Which leader epoch began at which offset (KIP-101), and its checkpoint file.

use precursor_model::Offset;

/// A log's leader epochs, oldest first; epochs and offsets go up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LeaderEpochs {
    entries: Vec<(i32, Offset)>,
}

impl LeaderEpochs {
    /// No epochs yet, and room for this many.
    pub fn with_capacity(epochs: usize) -> LeaderEpochs {
        LeaderEpochs {
            entries: Vec::with_capacity(epochs),
        }
    }

    pub fn capacity(&self) -> usize {
        self.entries.capacity()
    }

    /// How many epochs are known, and how many can be before the list must grow.
    pub fn room(&self) -> (usize, usize) {
        (self.entries.len(), self.entries.capacity())
    }

    /// Becomes equal to another.
    pub fn copy_from(&mut self, other: &LeaderEpochs) {
        self.entries.clear();
        self.entries.extend_from_slice(&other.entries);
    }

    /// Moves to an empty, longer list; returns the shell.
    pub fn move_to(&mut self, mut longer: LeaderEpochs) -> LeaderEpochs {
        longer.entries.append(&mut self.entries);
        std::mem::replace(self, longer)
    }

    /// Takes note that records from `start` on carry `epoch`; true when that is news.
    pub fn assign(&mut self, epoch: i32, start: Offset) -> bool {
        let news = epoch >= 0 && self.entries.last().is_none_or(|last| last.0 < epoch);
        if news {
            // An epoch in which nothing was appended ends where it began.
            self.entries.retain(|entry| entry.1 < start);
            self.entries.push((epoch, start));
        }
        news
    }

    pub fn latest(&self) -> Option<i32> {
        self.entries.last().map(|entry| entry.0)
    }

    /// Epochs and where they began, oldest first.
    pub fn entries(&self) -> &[(i32, Offset)] {
        &self.entries
    }

    /// Where the latest epoch began.
    pub fn latest_start(&self) -> Option<Offset> {
        self.entries.last().map(|entry| entry.1)
    }

    /// The epoch of the record at `offset`; -1 when unknown.
    pub fn epoch_of(&self, offset: Offset) -> i32 {
        let after = self.entries.partition_point(|entry| entry.1 <= offset);
        after
            .checked_sub(1)
            .map_or(-1, |index| self.entries[index].0)
    }

    /// Forgets what lies at or past a log's new end.
    pub fn truncate_end(&mut self, end: Offset) -> bool {
        let before = self.entries.len();
        self.entries.retain(|entry| entry.1 < end);
        self.entries.len() != before
    }

    /// Forgets what ended at or before a log's new start; the epoch of the start moves to it.
    pub fn truncate_start(&mut self, start: Offset) -> bool {
        let after = self.entries.partition_point(|entry| entry.1 <= start);
        let Some(first) = after.checked_sub(1) else {
            return false;
        };
        let moved = first > 0 || self.entries[first].1 != start;
        self.entries.drain(..first);
        self.entries[0].1 = start;
        moved
    }

    /// Kafka's `LeaderEpochFileCache.endOffsetFor`; (-1, -1) when `epoch` is not known.
    pub fn end_offset_for(&self, epoch: i32, end: Offset) -> (i32, Offset) {
        match self.latest() {
            Some(latest) if latest == epoch => return (epoch, end),
            Some(latest) if latest > epoch && epoch >= 0 => {}
            _ => return (-1, -1),
        }
        let higher = self.entries.partition_point(|entry| entry.0 <= epoch);
        let ended = self.entries[higher].1;
        match higher.checked_sub(1) {
            Some(floor) => (self.entries[floor].0, ended),
            None => (epoch, ended),
        }
    }

    /// The lines of `leader-epoch-checkpoint`.
    pub fn encode(&self) -> String {
        let mut text = format!("0\n{}\n", self.entries.len());
        for (epoch, start) in &self.entries {
            text.push_str(&format!("{epoch} {start}\n"));
        }
        text
    }

    /// Reads [`Self::encode`]'s lines; `None` when they are not sound.
    pub fn decode(text: &str) -> Option<LeaderEpochs> {
        let mut lines = text.lines();
        if lines.next()? != "0" {
            return None;
        }
        let count: usize = lines.next()?.parse().ok()?;
        let mut epochs = LeaderEpochs::default();
        for line in lines.by_ref() {
            let (epoch, start) = line.split_once(' ')?;
            let entry: (i32, Offset) = (epoch.parse().ok()?, start.parse().ok()?);
            let ascending = |last: &(i32, Offset)| last.0 < entry.0 && last.1 <= entry.1;
            if !epochs.entries.last().is_none_or(ascending) {
                return None;
            }
            epochs.entries.push(entry);
        }
        (epochs.entries.len() == count).then_some(epochs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epochs() -> LeaderEpochs {
        let mut epochs = LeaderEpochs::default();
        assert!(epochs.assign(1, 0));
        assert!(epochs.assign(3, 10));
        assert!(!epochs.assign(3, 15));
        assert!(epochs.assign(4, 20));
        epochs
    }

    #[test]
    fn ends_of_epochs_are_kafkas() {
        let epochs = epochs();
        assert_eq!(epochs.end_offset_for(4, 25), (4, 25));
        assert_eq!(epochs.end_offset_for(3, 25), (3, 20));
        assert_eq!(epochs.end_offset_for(2, 25), (1, 10));
        assert_eq!(epochs.end_offset_for(0, 25), (0, 0));
        assert_eq!(epochs.end_offset_for(5, 25), (-1, -1));
        assert_eq!(epochs.epoch_of(10), 3);
        assert_eq!(epochs.epoch_of(9), 1);
    }

    #[test]
    fn the_file_comes_back_and_both_ends_move() {
        let mut epochs = epochs();
        assert_eq!(epochs.encode(), "0\n3\n1 0\n3 10\n4 20\n");
        assert_eq!(LeaderEpochs::decode(&epochs.encode()), Some(epochs.clone()));
        assert_eq!(LeaderEpochs::decode("0\n2\n1 0\n"), None);
        assert_eq!(LeaderEpochs::decode("0\n2\n3 5\n2 9\n"), None);
        assert!(epochs.truncate_start(12));
        assert!(!epochs.truncate_start(12));
        assert_eq!(epochs.encode(), "0\n2\n3 12\n4 20\n");
        assert!(epochs.truncate_end(20));
        assert_eq!(epochs.encode(), "0\n1\n3 12\n");
    }
}

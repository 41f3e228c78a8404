//! Images that are in force while logs that came with them are still being opened.

use precursor_storage::LogId;
use std::collections::HashMap;

/// Which image waits for which logs.
#[derive(Default)]
pub(super) struct Applying {
    /// The image that a log came with.
    opening: HashMap<LogId, u64>,
    /// How many logs an image waits for.
    waiting: HashMap<u64, usize>,
}

impl Applying {
    /// An image is in force, and these logs are to be opened. True when it waits for none.
    pub fn begin(&mut self, version: u64, opening: Vec<LogId>) -> bool {
        if opening.is_empty() {
            return true;
        }
        *self.waiting.entry(version).or_default() += opening.len();
        self.opening
            .extend(opening.into_iter().map(|log| (log, version)));
        false
    }

    /// A log is served, or cannot be. The image that waited for nothing else any more.
    pub fn settled(&mut self, log: LogId) -> Option<u64> {
        let version = self.opening.remove(&log)?;
        let waiting = self.waiting.get_mut(&version)?;
        *waiting -= 1;
        if *waiting > 0 {
            return None;
        }
        self.waiting.remove(&version);
        Some(version)
    }

    /// A whole image takes the place of all before it.
    pub fn forget(&mut self) {
        self.opening.clear();
        self.waiting.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(slot: u32) -> LogId {
        LogId {
            slot,
            generation: 0,
        }
    }

    #[test]
    fn an_image_is_applied_with_its_own_last_log() {
        let mut applying = Applying::default();
        assert!(applying.begin(1, vec![]));
        assert!(!applying.begin(2, vec![log(0), log(1)]));
        assert!(!applying.begin(3, vec![log(2)]));
        assert_eq!(applying.settled(log(0)), None);
        assert_eq!(applying.settled(log(2)), Some(3));
        assert_eq!(applying.settled(log(2)), None);
        assert_eq!(applying.settled(log(1)), Some(2));
        assert!(!applying.begin(4, vec![log(3)]));
        applying.forget();
        assert_eq!(applying.settled(log(3)), None);
    }
}

//! One group: committed offsets, and members if it has a kind that has them.

use crate::offsets::Offsets;
use std::sync::Arc;

/// A group of any kind.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) id: Arc<str>,
    pub(crate) offsets: Offsets,
    /// Appends of this group whose outcome is outstanding.
    pub(crate) appends_pending: u32,
}

impl Group {
    pub(crate) fn new(id: Arc<str>) -> Group {
        Group {
            id,
            offsets: Offsets::default(),
            appends_pending: 0,
        }
    }

    /// Nothing is known of it that would be missed.
    pub(crate) fn is_blank(&self) -> bool {
        self.offsets.is_empty()
    }
}

//! Differences that are meant, each named in docs/differences.md.

use crate::compare::{Difference, without_numbers};
use precursor_protocol::ApiKey;

/// A difference that is meant.
pub struct Known {
    /// The heading or row in docs/differences.md that speaks of it, word for word.
    pub name: &'static str,
    pub key: ApiKey,
    /// The field, without numbers of list entries.
    pub field: &'static str,
    /// Whether these two values are the difference that is meant, and no other.
    is_meant: fn(kafka: &str, ours: &str) -> bool,
}

/// All of them.
pub const KNOWN: &[Known] = &[];

/// The name of the known difference that this is.
pub fn find(key: ApiKey, difference: &Difference) -> Option<&'static str> {
    let field = without_numbers(&difference.field);
    let kafka = difference.kafka.as_deref().unwrap_or_default();
    let ours = difference.ours.as_deref().unwrap_or_default();
    let known = KNOWN
        .iter()
        .find(|known| known.key == key && known.field == field && (known.is_meant)(kafka, ours));
    known.map(|known| known.name)
}

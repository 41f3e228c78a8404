//! What looking at a data directory brought to light.

use precursor_model::Offset;
use std::path::PathBuf;

/// Whether something is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Records are lost, or a file is not what it must be.
    Damage,
    /// Worth knowing, and as it may be.
    Note,
}

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub severity: Severity,
    /// A short name of what is wrong, for scripts: `batch`, `torn-tail`, `index`, …
    pub kind: &'static str,
    pub file: PathBuf,
    /// Bytes of the file: from, up to.
    pub bytes: Option<(u64, u64)>,
    /// The first and the last offset that are concerned.
    pub offsets: Option<(Offset, Offset)>,
    /// What is wrong, in words.
    pub what: String,
}

impl Finding {
    pub(crate) fn damage(kind: &'static str, file: PathBuf, what: impl Into<String>) -> Finding {
        Finding {
            severity: Severity::Damage,
            kind,
            file,
            bytes: None,
            offsets: None,
            what: what.into(),
        }
    }

    pub(crate) fn note(kind: &'static str, file: PathBuf, what: impl Into<String>) -> Finding {
        Finding {
            severity: Severity::Note,
            ..Finding::damage(kind, file, what)
        }
    }

    pub(crate) fn at(mut self, from: u64, to: u64) -> Finding {
        self.bytes = Some((from, to));
        self
    }

    /// `to` is the offset behind the last; nothing is said of an empty range.
    pub(crate) fn of_offsets(mut self, from: Offset, to: Offset) -> Finding {
        self.offsets = (from < to).then(|| (from, to - 1));
        self
    }
}

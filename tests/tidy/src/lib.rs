//! Holds the crates to the architecture's dependency edges and the house rules, and makes the
//! documents that come out of tables in the code.
#![forbid(unsafe_code)]

pub mod commands;
pub mod documents;
pub mod edges;
pub mod sources;

use std::path::PathBuf;

/// The repository's root.
pub fn root() -> PathBuf {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    // The folder exists: this source file is in it.
    PathBuf::from(root).canonicalize().expect("the repository")
}

/// One broken rule: where, and what to do instead.
#[derive(Debug, PartialEq, Eq)]
pub struct Complaint {
    pub place: String,
    pub sentence: String,
}

impl Complaint {
    pub fn new(place: impl Into<String>, sentence: impl Into<String>) -> Complaint {
        Complaint {
            place: place.into(),
            sentence: sentence.into(),
        }
    }
}

impl std::fmt::Display for Complaint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.place, self.sentence)
    }
}

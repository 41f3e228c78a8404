//! Files of a host below a root, so that tests can bring hosts of their own.

use std::path::{Path, PathBuf};

/// Where the libraries of a Linux system lie.
const LIBRARY_FOLDERS: [&str; 7] = [
    "lib",
    "lib64",
    "usr/lib",
    "usr/lib64",
    "usr/local/lib",
    "usr/lib/x86_64-linux-gnu",
    "usr/lib/aarch64-linux-gnu",
];

/// A host's files.
pub struct Host {
    root: PathBuf,
}

impl Host {
    /// The host that this runs on.
    pub fn here() -> Host {
        Host::at(Path::new("/"))
    }

    /// A host whose files are below `root`.
    pub fn at(root: &Path) -> Host {
        Host {
            root: root.to_path_buf(),
        }
    }

    /// A small file's text without blanks at its ends; `None`: it cannot be read.
    pub fn text(&self, path: &str) -> Option<String> {
        let text = std::fs::read_to_string(self.root.join(path)).ok()?;
        Some(text.trim().to_owned())
    }

    /// A file that holds one number.
    pub fn number(&self, path: &str) -> Option<u64> {
        self.text(path)?.parse().ok()
    }

    /// The number behind `field` in a file of lines such as `HugePages_Total:  3`.
    pub fn field(&self, path: &str, field: &str) -> Option<u64> {
        let text = self.text(path)?;
        let line = text.lines().find_map(|line| line.strip_prefix(field))?;
        line.trim_start_matches(':')
            .split_whitespace()
            .next()?
            .parse()
            .ok()
    }

    /// The names in a directory, in order; none where it is missing.
    pub fn names(&self, path: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.root.join(path))
            .into_iter()
            .flatten();
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }

    /// The chosen word of a file such as `always [madvise] never`.
    pub fn chosen(&self, path: &str) -> Option<String> {
        let text = self.text(path)?;
        let (_, rest) = text.split_once('[')?;
        rest.split_once(']').map(|(word, _)| word.to_owned())
    }

    /// The file name of a library of which only the beginning is known.
    pub fn library(&self, beginning: &str) -> Option<String> {
        LIBRARY_FOLDERS.iter().find_map(|folder| {
            let names = self.names(folder);
            names.into_iter().find(|name| name.starts_with(beginning))
        })
    }

    /// Where a path is.
    pub fn path(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }
}

//! Which log directories were used before. A directory whose file system is not mounted looks like an
//! empty one: its partitions would be made anew, without their records. So each directory carries an
//! id in a file, and the data directory remembers them.

use precursor_disk::FileSystem;
use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// In each directory: its id.
pub(crate) const MARKER: &str = ".log-directory";
const HEADING: &str = "version: 0";

/// Ids of directories by their paths.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Registry {
    ids: BTreeMap<PathBuf, u64>,
    is_changed: bool,
}

impl Registry {
    /// The record; an empty one when there is none.
    pub fn read(files: &dyn FileSystem, path: &Path) -> io::Result<Registry> {
        match files.read(path) {
            Ok(bytes) => {
                let text = String::from_utf8_lossy(&bytes);
                Self::decode(&text).ok_or_else(|| {
                    let sentence = "the record of log directories is not sound; without it all are \
                                    taken as they are";
                    io::Error::new(ErrorKind::InvalidData, sentence)
                })
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Registry::default()),
            Err(error) => Err(error),
        }
    }

    fn decode(text: &str) -> Option<Registry> {
        let mut lines = text.lines();
        if lines.next()? != HEADING {
            return None;
        }
        let entry = |line: &str| {
            let (id, path) = line.split_once(' ')?;
            Some((PathBuf::from(path), u64::from_str_radix(id, 16).ok()?))
        };
        Some(Registry {
            ids: lines.map(entry).collect::<Option<_>>()?,
            is_changed: false,
        })
    }

    fn encode(&self) -> String {
        let mut text = format!("{HEADING}\n");
        for (path, id) in &self.ids {
            text.push_str(&format!("{id:016x} {}\n", path.display()));
        }
        text
    }

    /// Writes the record when it has changed.
    pub fn write(&self, files: &dyn FileSystem, path: &Path) -> io::Result<()> {
        match self.is_changed {
            true => files.replace(path, self.encode().as_bytes()),
            false => Ok(()),
        }
    }

    /// The id that a directory had when it was used last.
    pub fn id_of(&self, directory: &Path) -> Option<u64> {
        self.ids.get(directory).copied()
    }

    /// Remembers a directory's id.
    pub fn remember(&mut self, directory: &Path, id: u64) {
        if self.id_of(directory) != Some(id) {
            self.ids.insert(directory.to_owned(), id);
            self.is_changed = true;
        }
    }
}

/// The id of a directory that was used before, with that id, or is used for the first time: then it
/// is given one. `None`: it is another one.
///
/// # Errors
/// The directory cannot be read or written.
pub(crate) fn admit(
    files: &dyn FileSystem,
    directory: &Path,
    known: Option<u64>,
) -> io::Result<Option<u64>> {
    let marker = directory.join(MARKER);
    let found = match files.read(&marker) {
        Ok(bytes) => u64::from_str_radix(String::from_utf8_lossy(&bytes).trim(), 16).ok(),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    if known.is_some() {
        return Ok(found.filter(|found| Some(*found) == known));
    }
    match found {
        Some(id) => Ok(Some(id)),
        None => {
            let id = RandomState::new().build_hasher().finish();
            files.replace(&marker, format!("{id:016x}\n").as_bytes())?;
            Ok(Some(id))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use precursor_disk::sim::SimFileSystem;

    #[test]
    fn a_directory_that_lost_its_mark_is_not_the_one_that_was_used() {
        let files = SimFileSystem::new();
        let files: &dyn FileSystem = &files;
        let [a, b, record] = ["/a", "/b", "/record"].map(Path::new);
        for directory in [a, b] {
            files.create_directory(directory).unwrap();
        }
        let mut registry = Registry::default();
        for directory in [a, b] {
            let id = admit(files, directory, None).unwrap().unwrap();
            registry.remember(directory, id);
        }
        registry.write(files, record).unwrap();
        let mut registry = Registry::read(files, record).unwrap();
        let id = registry.id_of(a).unwrap();
        assert_eq!(admit(files, a, Some(id)).unwrap(), Some(id));
        registry.remember(a, id);
        files.remove_file(&b.join(MARKER)).unwrap();
        assert_eq!(admit(files, b, registry.id_of(b)).unwrap(), None);
        assert!(!registry.is_changed);
        assert_eq!(Registry::decode("version: 0\nx /a\n"), None);
        assert_eq!(Registry::decode("version: 1\n"), None);
    }
}

//! The blocking view of files that helper jobs have, and the handle that the engine shares.

use std::any::Any;
use std::fmt;
use std::io;
use std::os::fd::RawFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenMode {
    /// For the engine: past the page cache where the file system can, aligned access only.
    Data,
    /// For helper jobs: any offset and length.
    Plain,
    /// As `Plain`, made when absent.
    Create,
    /// For those who only look: any offset and length, and nothing can be written.
    Read,
}

/// A file that is read and written at offsets. Calls block.
pub trait RandomFile: Send + Sync {
    /// Reads up to `buffer.len()` bytes; fewer only at the end of the file.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;
    /// Writes all of `bytes`.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;
    fn length(&self) -> io::Result<u64>;
    /// Bytes that the file takes up, where it is kept in another form than it is read in.
    fn stored_length(&self) -> io::Result<u64> {
        self.length()
    }
    fn set_length(&self, length: u64) -> io::Result<()>;
    /// Reserves room up to `end`, as zeros, where writes into reserved room are cheaper than writes
    /// that make the file longer and the file system is not nearly full; elsewhere nothing happens.
    /// Never makes a file shorter.
    fn reserve(&self, end: u64) -> io::Result<()>;
    /// Data, and the metadata needed to read it, are on the device when this returns.
    fn sync(&self) -> io::Result<()>;
    /// The descriptor for io_uring; `None` for a double, and for what is not read as it is kept.
    fn descriptor(&self) -> Option<RawFd>;
}

impl fmt::Debug for dyn RandomFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RandomFile")
            .field(&self.descriptor())
            .finish()
    }
}

/// A shared handle of an open file.
pub type DiskFile = Arc<dyn RandomFile>;

/// What [`FileSystem::sync_all`] makes durable.
pub enum Unsynced<'a> {
    /// A file's bytes.
    File(DiskFile),
    /// The names in a directory.
    Directory(&'a Path),
}

/// The file system that holds a directory, as it is at this moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Volume {
    pub total_bytes: u64,
    /// That this user may still write.
    pub usable_bytes: u64,
    pub is_read_only: bool,
    /// Changes when another file system is mounted in the directory's place, or none.
    pub device: u64,
}

/// A file that is made, synced and removed to see whether a directory can be written.
const PROBE: &str = ".probe";

/// Longest file that is read whole: Kafka's indexes, the longest of these, take as much at most.
const READ_BYTES_MAX: u64 = 1 << 31;

/// What helper jobs may do with files. Calls block.
pub trait FileSystem: Send + Sync {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<DiskFile>;
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    fn remove_file(&self, path: &Path) -> io::Result<()>;
    /// Makes a directory and those above it.
    fn create_directory(&self, path: &Path) -> io::Result<()>;
    /// Removes a directory and all in it.
    fn remove_directory(&self, path: &Path) -> io::Result<()>;
    /// Names in a directory, in no order; `NotFound` when it is absent.
    fn list(&self, path: &Path) -> io::Result<Vec<String>>;
    /// Creations, renames and removals in a directory are on the device when this returns.
    fn sync_directory(&self, path: &Path) -> io::Result<()>;
    /// Makes all of these durable, in no order; one result for each. A device that is asked for
    /// many at once takes little longer than for one.
    fn sync_all(&self, unsynced: &[Unsynced<'_>]) -> Vec<io::Result<()>>;
    /// Takes an exclusive lock of a file (made when absent), waiting for it; held until dropped.
    fn lock(&self, path: &Path) -> io::Result<Box<dyn Any + Send>>;
    /// The file system that a directory lies in.
    fn volume(&self, directory: &Path) -> io::Result<Volume>;
}

impl dyn FileSystem + '_ {
    /// A whole file; `NotFound` when it is absent, `InvalidData` when it is longer than 2 GiB, which
    /// none of those is that are read so.
    pub fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let file = self.open(path, OpenMode::Read)?;
        let length = file.length()?;
        if length > READ_BYTES_MAX {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut bytes = vec![0; length as usize];
        let got = file.read_at(&mut bytes, 0)?;
        bytes.truncate(got);
        Ok(bytes)
    }

    /// Replaces a file's content so that after a power cut it holds the old or the new, whole.
    pub fn replace(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut outcomes = self.replace_all(&[(path.to_owned(), bytes)]);
        outcomes.pop().unwrap_or(Ok(()))
    }

    /// As [`Self::replace`] for many files, whose syncs wait together; one result for each.
    pub fn replace_all(&self, contents: &[(PathBuf, &[u8])]) -> Vec<io::Result<()>> {
        let staged: Vec<_> = contents
            .iter()
            .map(|(path, bytes)| self.stage(path, bytes))
            .collect();
        let staged_files = staged.iter().flatten();
        let unsynced: Vec<_> = staged_files
            .map(|(_, file)| Unsynced::File(file.clone()))
            .collect();
        let mut synced = self.sync_all(&unsynced).into_iter();
        drop(unsynced);
        let renamed: Vec<io::Result<()>> = staged
            .into_iter()
            .zip(contents)
            .map(|(staged, (path, _))| {
                let (temporary, _) = staged?;
                synced.next().unwrap_or(Ok(()))?;
                self.rename(&temporary, path)
            })
            .collect();
        let is_renamed = renamed
            .iter()
            .zip(contents)
            .filter(|(done, _)| done.is_ok());
        let directories: Vec<_> = is_renamed
            .map(|(_, (path, _))| Unsynced::Directory(path.parent().unwrap_or(Path::new("."))))
            .collect();
        let mut synced = self.sync_all(&directories).into_iter();
        renamed
            .into_iter()
            .map(|done| done.and_then(|()| synced.next().unwrap_or(Ok(()))))
            .collect()
    }

    /// Whether files of a directory can be made, written, synced and removed.
    ///
    /// # Errors
    /// What the operating system said of the first of these that failed.
    pub fn probe(&self, directory: &Path) -> io::Result<()> {
        let path = directory.join(PROBE);
        let file = self.open(&path, OpenMode::Create)?;
        file.write_at(b"probe\n", 0)?;
        file.sync()?;
        drop(file);
        match self.remove_file(&path) {
            // Of two that look at the same time, one removes it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }

    /// The new content of a file under another name.
    fn stage(&self, path: &Path, bytes: &[u8]) -> io::Result<(PathBuf, DiskFile)> {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".tmp");
        let temporary = path.with_file_name(name);
        let file = self.open(&temporary, OpenMode::Create)?;
        file.set_length(0)?;
        file.write_at(bytes, 0)?;
        Ok((temporary, file))
    }
}

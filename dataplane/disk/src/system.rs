//! The operating system's files.

use crate::{BLOCK, DiskFile, FileSystem, OpenMode, RandomFile, Unsynced, Volume};
use std::any::Any;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Threads of [`FileSystem::sync_all`]. Each call of fsync waits for a commit of the journal and a
/// flush of the device; those that wait together share them. One call for the whole file system
/// (`syncfs`) would share them too, but would also write whatever other programs have not written.
const SYNC_THREADS_MAX: usize = 64;

/// Files of the operating system.
pub struct SystemFileSystem {
    direct: bool,
    /// Directories in which nothing is opened past the page cache.
    buffered: Vec<PathBuf>,
}

impl SystemFileSystem {
    /// `direct`: files opened for data bypass the page cache (see [`direct_io_works`]).
    pub fn new(direct: bool) -> Self {
        SystemFileSystem {
            direct,
            buffered: Vec::new(),
        }
    }

    /// Files in and below these directories go through the page cache whatever others do.
    pub fn buffered_in(mut self, directories: Vec<PathBuf>) -> Self {
        self.buffered = directories;
        self
    }

    /// Whether any file is opened past the page cache.
    pub fn uses_direct_io(&self) -> bool {
        self.direct
    }

    fn is_direct(&self, path: &Path) -> bool {
        self.direct && !self.buffered.iter().any(|place| path.starts_with(place))
    }
}

/// True when files of this directory can be written and read with O_DIRECT in blocks of [`BLOCK`].
pub fn direct_io_works(directory: &Path) -> bool {
    let path = directory.join(format!(".direct-io-{}", std::process::id()));
    let works = (|| -> io::Result<()> {
        let file = OpenOptions::new()
            .create(true)
            .truncate(true)
            .read(true)
            .write(true)
            .custom_flags(libc::O_DIRECT)
            .open(&path)?;
        let mut memory = vec![0u8; 2 * BLOCK as usize];
        let start = memory.as_ptr().align_offset(BLOCK as usize);
        let block = &mut memory[start..start + BLOCK as usize];
        file.write_all_at(block, BLOCK)?;
        file.read_exact_at(block, 0)
    })();
    let _ = fs::remove_file(&path);
    works.is_ok()
}

/// One part in so many of a file system is never reserved: others write there too.
const FREE_SHARE_LEFT: u64 = 10;

/// Whether the file system of a file has so much room that this many bytes of it may be reserved.
///
/// # Errors
/// The operating system does not say.
pub fn may_reserve(file: &File, bytes: u64) -> io::Result<bool> {
    let found = statvfs_of(file)?;
    let [available, total] = [found.f_bavail, found.f_blocks].map(|blocks| blocks * found.f_frsize);
    Ok(available >= bytes + total / FREE_SHARE_LEFT)
}

fn statvfs_of(file: &File) -> io::Result<libc::statvfs> {
    // SAFETY: all-zero bytes are a valid value of this plain structure of integers.
    let mut found: libc::statvfs = unsafe { std::mem::zeroed() };
    // SAFETY: a descriptor that is open as long as `file`, and room for the answer.
    let outcome = unsafe { libc::fstatvfs(file.as_raw_fd(), &raw mut found) };
    match outcome {
        0 => Ok(found),
        _ => Err(io::Error::last_os_error()),
    }
}

struct SystemFile {
    file: File,
    /// Past the page cache, where a write that makes the file longer excludes every other.
    is_direct: bool,
}

impl RandomFile for SystemFile {
    fn read_at(&self, mut buffer: &mut [u8], mut offset: u64) -> io::Result<usize> {
        let mut total = 0;
        while !buffer.is_empty() {
            match self.file.read_at(buffer, offset) {
                Ok(0) => break,
                Ok(got) => {
                    total += got;
                    offset += got as u64;
                    buffer = &mut buffer[got..];
                    // The file's end: the rest would not begin with a block.
                    if self.is_direct && !offset.is_multiple_of(BLOCK) {
                        break;
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(total)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.file.write_all_at(bytes, offset)
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        self.file.set_len(length)
    }

    fn reserve(&self, end: u64) -> io::Result<()> {
        let length = self.length()?;
        if !self.is_direct || length >= end {
            return Ok(());
        }
        if !may_reserve(&self.file, end - length)? {
            return Ok(());
        }
        let [start, bytes] = [length, end - length].map(|n| n as libc::off_t);
        // SAFETY: a system call on a descriptor that is open as long as `self.file`.
        let outcome = unsafe { libc::fallocate(self.file.as_raw_fd(), 0, start, bytes) };
        match outcome {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }

    fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn descriptor(&self) -> Option<RawFd> {
        Some(self.file.as_raw_fd())
    }
}

impl FileSystem for SystemFileSystem {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<DiskFile> {
        let mut options = OpenOptions::new();
        options.read(true).write(true);
        let is_direct = mode == OpenMode::Data && self.is_direct(path);
        match mode {
            OpenMode::Data if is_direct => {
                options.custom_flags(libc::O_DIRECT);
            }
            OpenMode::Data | OpenMode::Plain => {}
            OpenMode::Read => {
                options.write(false);
            }
            OpenMode::Create => {
                options.create(true);
            }
        }
        Ok(Arc::new(SystemFile {
            file: options.open(path)?,
            is_direct,
        }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn create_directory(&self, path: &Path) -> io::Result<()> {
        fs::create_dir_all(path)
    }

    fn remove_directory(&self, path: &Path) -> io::Result<()> {
        fs::remove_dir_all(path)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(path)? {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        Ok(names)
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }

    fn sync_all(&self, unsynced: &[Unsynced<'_>]) -> Vec<io::Result<()>> {
        let sync = |part: &[Unsynced<'_>]| -> Vec<io::Result<()>> {
            let one = |target: &Unsynced<'_>| match target {
                Unsynced::File(file) => file.sync(),
                Unsynced::Directory(path) => self.sync_directory(path),
            };
            part.iter().map(one).collect()
        };
        let share = unsynced.len().div_ceil(SYNC_THREADS_MAX).max(1);
        let mut parts = unsynced.chunks(share);
        let own = parts.next().unwrap_or_default();
        std::thread::scope(|scope| {
            let spawned: Vec<_> = parts
                .map(|part| {
                    let thread = std::thread::Builder::new().name("sync".to_owned());
                    (part, thread.spawn_scoped(scope, move || sync(part)))
                })
                .collect();
            let mut results = sync(own);
            for (part, thread) in spawned {
                // Where there are no more threads to be had, this one does it.
                results.extend(match thread {
                    Ok(thread) => thread.join().expect("a sync does not panic"),
                    Err(_) => sync(part),
                });
            }
            results
        })
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Any + Send>> {
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path)?;
        file.lock()?;
        Ok(Box::new(file))
    }

    fn volume(&self, directory: &Path) -> io::Result<Volume> {
        let directory = File::open(directory)?;
        let found = statvfs_of(&directory)?;
        Ok(Volume {
            total_bytes: found.f_blocks.saturating_mul(found.f_frsize),
            usable_bytes: found.f_bavail.saturating_mul(found.f_frsize),
            is_read_only: found.f_flag & libc::ST_RDONLY != 0,
            device: directory.metadata()?.dev(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaced_files_hold_the_new_content_and_no_temporary_stays() {
        let directory = tempfile::tempdir().unwrap();
        let files: &dyn FileSystem = &SystemFileSystem::new(false);
        let path = directory.path().join("a");
        files.replace(&path, b"longer than the next").unwrap();
        files.replace(&path, b"short").unwrap();
        assert_eq!(files.read(&path).unwrap(), b"short");
        assert_eq!(files.list(directory.path()).unwrap(), ["a"]);
    }

    #[test]
    fn many_syncs_give_their_results_in_order() {
        let directory = tempfile::tempdir().unwrap();
        let files = SystemFileSystem::new(false);
        let places: Vec<_> = (0..100)
            .map(|n| directory.path().join(format!("{n}")))
            .collect();
        for (n, place) in places.iter().enumerate() {
            if n % 7 != 3 {
                files.create_directory(place).unwrap();
            }
        }
        let unsynced: Vec<_> = places.iter().map(|p| Unsynced::Directory(p)).collect();
        let results = files.sync_all(&unsynced);
        assert_eq!(results.len(), places.len());
        for (n, result) in results.iter().enumerate() {
            assert_eq!(result.is_ok(), n % 7 != 3, "{n}: {result:?}");
        }
        assert!(files.sync_all(&[]).is_empty());
    }

    #[test]
    fn direct_io_is_found_where_it_works_and_leaves_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let _ = direct_io_works(directory.path());
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
        assert!(!direct_io_works(Path::new("/proc")));
    }
}

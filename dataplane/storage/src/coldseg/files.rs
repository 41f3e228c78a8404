//! A file system in which a container goes by the name of the segment that it holds.
//!
//! Whoever opens, lists, renames or removes `<base>.log` need not know whether the segment is cold:
//! recovery, compaction, searches by time, verification and repair read it as it was. Its bytes
//! cannot be written; who must write to it has it thawed first ([`super::thaw`]).

use crate::coldseg::container::Container;
use crate::coldseg::{base_in, container_path};
use crate::layout::base_of;
use precursor_compression::ColdDecompressor;
use precursor_disk::{DiskFile, FileSystem, OpenMode, RandomFile, Unsynced, Volume};
use precursor_model::Offset;
use std::any::Any;
use std::collections::{HashSet, VecDeque};
use std::io::{self, ErrorKind};
use std::os::fd::RawFd;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Decompressors that are kept, each with its dictionary prepared.
const DECOMPRESSORS_MAX: usize = 8;
/// Bytes of decompressed chunks that are kept, all files together.
const CHUNK_BYTES_KEPT: usize = 4 << 20;

/// A file system in which containers appear as the segments that they hold.
pub struct ColdFiles<'a> {
    inner: Inner<'a>,
    shared: Arc<Shared>,
}

enum Inner<'a> {
    Owned(Arc<dyn FileSystem>),
    Lent(&'a dyn FileSystem),
}

impl ColdFiles<'static> {
    /// On a file system that others have too.
    pub fn new(inner: Arc<dyn FileSystem>) -> Self {
        ColdFiles {
            inner: Inner::Owned(inner),
            shared: Arc::default(),
        }
    }
}

impl<'a> ColdFiles<'a> {
    /// On a file system that is lent.
    pub fn on(inner: &'a dyn FileSystem) -> Self {
        ColdFiles {
            inner: Inner::Lent(inner),
            shared: Arc::default(),
        }
    }

    /// What was read through this file system.
    pub(crate) fn shared(&self) -> Arc<Shared> {
        self.shared.clone()
    }
}

/// What the open containers of a file system have in common.
#[derive(Default)]
pub(crate) struct Shared {
    /// Chunks that were decompressed, and that could not be.
    pub decompressions: AtomicU64,
    pub failures: AtomicU64,
    files: AtomicU64,
    kept: Mutex<Kept>,
}

/// A file and the number of a chunk of it.
type ChunkKey = (u64, u32);

#[derive(Default)]
struct Kept {
    /// By dictionary, the one used last at the back.
    decompressors: VecDeque<(u64, ColdDecompressor)>,
    /// By file and number, the one read last at the back.
    chunks: VecDeque<(ChunkKey, Arc<Vec<u8>>)>,
    chunk_bytes: usize,
}

impl Shared {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn chunk(&self, key: ChunkKey) -> Option<Arc<Vec<u8>>> {
        let mut kept = self.kept();
        let at = kept.chunks.iter().rposition(|(other, _)| *other == key)?;
        let found = kept.chunks.remove(at)?;
        let bytes = found.1.clone();
        kept.chunks.push_back(found);
        Some(bytes)
    }

    fn keep_chunk(&self, key: ChunkKey, bytes: &Arc<Vec<u8>>) {
        let mut kept = self.kept();
        kept.chunk_bytes += bytes.len();
        kept.chunks.push_back((key, bytes.clone()));
        while kept.chunk_bytes > CHUNK_BYTES_KEPT
            && let Some((_, old)) = kept.chunks.pop_front()
        {
            kept.chunk_bytes -= old.len();
        }
    }

    fn forget(&self, file: u64) {
        let mut kept = self.kept();
        kept.chunks.retain(|((of, _), _)| *of != file);
        kept.chunk_bytes = kept.chunks.iter().map(|(_, bytes)| bytes.len()).sum();
    }

    fn take_decompressor(&self, dictionary: u64) -> Option<ColdDecompressor> {
        let mut kept = self.kept();
        let of = |(id, _): &(u64, ColdDecompressor)| *id == dictionary;
        let at = kept.decompressors.iter().position(of)?;
        kept.decompressors.remove(at).map(|(_, found)| found)
    }

    fn keep_decompressor(&self, dictionary: u64, decompressor: ColdDecompressor) {
        let mut kept = self.kept();
        kept.decompressors.push_back((dictionary, decompressor));
        if kept.decompressors.len() > DECOMPRESSORS_MAX {
            kept.decompressors.pop_front();
        }
    }
}

/// A segment that is read out of its container.
struct ColdFile {
    container: Container,
    /// `None`: the chunks need none, or it is missing.
    dictionary: Option<DiskFile>,
    number: u64,
    shared: Arc<Shared>,
    complained: AtomicBool,
}

impl ColdFile {
    fn chunk(&self, chunk: u32) -> io::Result<Arc<Vec<u8>>> {
        let key = (self.number, chunk);
        if let Some(kept) = self.shared.chunk(key) {
            return Ok(kept);
        }
        let plain = match self.decompressor()? {
            None => None,
            Some(mut decompressor) => {
                let plain = self.container.plain_chunk(chunk, &mut decompressor)?;
                let dictionary = self.container.summary().dictionary;
                self.shared.keep_decompressor(dictionary, decompressor);
                plain
            }
        };
        let bytes = match plain {
            Some(bytes) => {
                self.shared.decompressions.fetch_add(1, Ordering::Relaxed);
                bytes
            }
            None => {
                self.shared.failures.fetch_add(1, Ordering::Relaxed);
                self.complain(chunk);
                vec![0; self.container.summary().plain_bytes_of(chunk)]
            }
        };
        let bytes = Arc::new(bytes);
        self.shared.keep_chunk(key, &bytes);
        Ok(bytes)
    }

    /// `None`: the dictionary is missing or damaged.
    fn decompressor(&self) -> io::Result<Option<ColdDecompressor>> {
        let id = self.container.summary().dictionary;
        if let Some(kept) = self.shared.take_decompressor(id) {
            return Ok(Some(kept));
        }
        if id == 0 {
            return ColdDecompressor::new(None).map(Some);
        }
        let Some(file) = &self.dictionary else {
            return Ok(None);
        };
        match self.container.dictionary_in(file)? {
            // One that zstd refuses is as good as none.
            Some(dictionary) => Ok(ColdDecompressor::new(Some(&dictionary.bytes)).ok()),
            None => Ok(None),
        }
    }

    fn complain(&self, chunk: u32) {
        if !self.complained.swap(true, Ordering::Relaxed) {
            tracing::error!(
                segment = self.container.summary().base,
                chunk,
                dictionary = self.container.summary().dictionary,
                "a chunk of a cold segment is damaged, or its dictionary is: it reads as zeroes"
            );
        }
    }
}

impl Drop for ColdFile {
    fn drop(&mut self) {
        self.shared.forget(self.number);
    }
}

fn read_only() -> io::Error {
    let message = "a cold segment is not written to";
    io::Error::new(ErrorKind::Unsupported, message)
}

impl RandomFile for ColdFile {
    /// A damaged chunk reads as zeroes, which make no batch: who reads deals with it as with any
    /// other bytes that make none.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let summary = self.container.summary();
        let size = summary.chunk_bytes as usize;
        let left = summary.plain_bytes.saturating_sub(offset);
        let wanted = buffer
            .len()
            .min(usize::try_from(left).unwrap_or(usize::MAX));
        let mut filled = 0;
        while filled < wanted {
            let at = offset + filled as u64;
            let chunk = self.chunk((at / size as u64) as u32)?;
            let from = (at % size as u64) as usize;
            let count = (chunk.len() - from).min(wanted - filled);
            buffer[filled..filled + count].copy_from_slice(&chunk[from..from + count]);
            filled += count;
        }
        Ok(filled)
    }

    fn write_at(&self, _bytes: &[u8], _offset: u64) -> io::Result<()> {
        Err(read_only())
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.container.summary().plain_bytes)
    }

    fn stored_length(&self) -> io::Result<u64> {
        self.container.stored_bytes()
    }

    fn set_length(&self, _length: u64) -> io::Result<()> {
        Err(read_only())
    }

    fn reserve(&self, _end: u64) -> io::Result<()> {
        Err(read_only())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }

    fn descriptor(&self) -> Option<RawFd> {
        None
    }
}

impl ColdFiles<'_> {
    fn files(&self) -> &dyn FileSystem {
        match &self.inner {
            Inner::Owned(files) => &**files,
            Inner::Lent(files) => *files,
        }
    }

    fn is_there(&self, path: &Path) -> io::Result<bool> {
        match self.files().open(path, OpenMode::Read) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The segment out of its container; `NotFound` when there is none.
    fn open_cold(&self, directory: &Path, base: Offset) -> io::Result<DiskFile> {
        let files = self.files();
        let container = Container::open(files, &container_path(directory, base), base)?;
        let dictionary = match container.summary().dictionary {
            0 => None,
            _ => container.open_dictionary(files, directory)?,
        };
        Ok(Arc::new(ColdFile {
            container,
            dictionary,
            number: self.shared.files.fetch_add(1, Ordering::Relaxed),
            shared: self.shared.clone(),
            complained: AtomicBool::new(false),
        }))
    }

    fn remove_container(&self, directory: &Path, base: Offset) -> io::Result<bool> {
        match self.files().remove_file(&container_path(directory, base)) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
}

impl FileSystem for ColdFiles<'_> {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<DiskFile> {
        let Some((directory, base)) = base_in(path, "log") else {
            return self.files().open(path, mode);
        };
        let mode_there = match mode {
            OpenMode::Create => OpenMode::Plain,
            mode => mode,
        };
        match self.files().open(path, mode_there) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            opened => return opened,
        }
        match self.open_cold(directory, base) {
            Err(error) if error.kind() == ErrorKind::NotFound => self.files().open(path, mode),
            opened => opened,
        }
    }

    /// A segment that is moved away takes its container with it; one that is put in place
    /// supersedes its container.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        if let Some((directory, base)) = base_in(from, "log")
            && !self.is_there(from)?
        {
            let mut name = to.file_name().unwrap_or_default().to_owned();
            name.push(".cold");
            let container = container_path(directory, base);
            return self.files().rename(&container, &to.with_file_name(name));
        }
        self.files().rename(from, to)?;
        if let Some((directory, base)) = base_in(to, "log") {
            self.remove_container(directory, base)?;
        }
        Ok(())
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        let Some((directory, base)) = base_in(path, "log") else {
            return self.files().remove_file(path);
        };
        // First what would show itself once the other is gone.
        let was_cold = self.remove_container(directory, base)?;
        match self.files().remove_file(path) {
            Err(error) if error.kind() == ErrorKind::NotFound && was_cold => Ok(()),
            removed => removed,
        }
    }

    fn create_directory(&self, path: &Path) -> io::Result<()> {
        self.files().create_directory(path)
    }

    fn remove_directory(&self, path: &Path) -> io::Result<()> {
        self.files().remove_directory(path)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        let mut names = self.files().list(path)?;
        let of = |kind| move |name: &String| base_of(name, kind);
        if !names
            .iter()
            .any(|name| of(super::CONTAINER)(name).is_some())
        {
            return Ok(names);
        }
        // A container beside its segment is left over from a swap, and is shown as it is.
        let plain: HashSet<Offset> = names.iter().filter_map(of("log")).collect();
        for name in &mut names {
            if base_of(name, super::CONTAINER).is_some_and(|base| !plain.contains(&base)) {
                name.truncate(name.len() - ".cold".len());
            }
        }
        Ok(names)
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        self.files().sync_directory(path)
    }

    fn sync_all(&self, unsynced: &[Unsynced<'_>]) -> Vec<io::Result<()>> {
        self.files().sync_all(unsynced)
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Any + Send>> {
        self.files().lock(path)
    }

    fn volume(&self, directory: &Path) -> io::Result<Volume> {
        self.files().volume(directory)
    }
}

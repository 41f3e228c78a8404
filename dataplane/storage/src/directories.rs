//! The directories that hold partitions, as Kafka's `log.dirs`: which partition is where, where the
//! next one goes, and which directory can be used no more.

use crate::layout::{CLEAN_MARKER, PARTITION_METADATA, decode_partition_metadata};
use crate::registry::{Registry, admit};
use crate::write_behind::is_for_want_of_space;
use precursor_disk::{FileSystem, Progress, Volume, within};
use precursor_model::TopicId;
use std::collections::HashMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

/// Most directories of a node.
pub const LOG_DIRECTORIES_MAX: usize = 256;

// Reasons of our own for which a directory is not used, beside the system's error numbers.
const MOUNT_CHANGED: i32 = -1;
const READ_ONLY: i32 = -2;
const NOT_THE_SAME: i32 = -3;
const UNKNOWN: i32 = -4;
const NO_ANSWER: i32 = -5;

/// Why a directory is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DirectoryError(i32);

impl DirectoryError {
    fn of(error: &io::Error) -> DirectoryError {
        DirectoryError(error.raw_os_error().unwrap_or(UNKNOWN))
    }

    /// For messages to other processes: the system's error number, or a negative one of ours.
    pub fn number(self) -> i32 {
        self.0
    }

    /// Reads [`Self::number`]; `None` for 0, which is no error.
    pub fn from_number(number: i32) -> Option<DirectoryError> {
        (number != 0).then_some(DirectoryError(number))
    }
}

impl fmt::Display for DirectoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            MOUNT_CHANGED => f.write_str("another file system is mounted there than at the start"),
            READ_ONLY => f.write_str("its file system is read-only"),
            NOT_THE_SAME => f.write_str(
                "it is not the directory that was used before: is its file system mounted?",
            ),
            NO_ANSWER => f.write_str("its disk does not answer"),
            UNKNOWN => f.write_str("it cannot be used"),
            errno => io::Error::from_raw_os_error(errno).fmt(f),
        }
    }
}

#[derive(Debug)]
struct Directory {
    path: PathBuf,
    /// 0: it can be used.
    error: AtomicI32,
    /// Partitions that it holds, of all shards.
    partitions: AtomicU32,
    device: AtomicU64,
    total_bytes: AtomicU64,
    usable_bytes: AtomicU64,
    /// 0: producers are served. Else the bytes that must be usable before they are again.
    full_until: AtomicU64,
}

/// What is to stay free in each directory's file system.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SpareRoom {
    pub bytes: u64,
    /// Of the file system's size.
    pub percent: u8,
}

impl SpareRoom {
    /// Below this producers are refused.
    fn limit(self, total_bytes: u64) -> u64 {
        self.bytes
            .max((u128::from(total_bytes) * u128::from(self.percent) / 100) as u64)
    }

    /// They are served again from here on, so that they are not now and then.
    fn resume(self, total_bytes: u64) -> u64 {
        let limit = self.limit(total_bytes);
        limit + (limit / 4).max(RESUME_BYTES)
    }
}

const UNTIL_NEXT_LOOK: u64 = u64::MAX;
/// Room that a fast producer fills between two looks.
const NEAR_BYTES: u64 = 2 << 30;
/// Room that must be made at least, once producers were refused for want of it.
const RESUME_BYTES: u64 = 4 << 20;

/// A directory as it is at this moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectoryState {
    pub path: PathBuf,
    /// `None`: it can be used.
    pub error: Option<DirectoryError>,
    pub partitions: u32,
    /// Producers are refused, for want of room.
    pub is_full: bool,
    pub total_bytes: u64,
    pub usable_bytes: u64,
}

/// A partition's directory that was there at the start.
#[derive(Clone, Copy, Debug)]
struct Found {
    directory: u16,
    /// Read where the name alone does not say which it is.
    topic: Option<TopicId>,
}

/// Why the directories cannot be used at all.
#[derive(Debug)]
pub enum DirectoriesError {
    /// None of them can be used: each with its reason.
    NoneUsable(Vec<(PathBuf, DirectoryError)>),
    /// Two of them hold the same partition.
    Duplicate {
        partition: String,
        places: [PathBuf; 2],
    },
    /// The record of directories that were used before.
    Registry { path: PathBuf, source: io::Error },
}

impl fmt::Display for DirectoriesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DirectoriesError::NoneUsable(all) => {
                f.write_str("no directory for partitions can be used")?;
                for (path, error) in all {
                    write!(f, "; {}: {error}", path.display())?;
                }
                Ok(())
            }
            DirectoriesError::Duplicate {
                partition,
                places: [a, b],
            } => write!(
                f,
                "the partition {partition} is in {} and in {}: move one of the two away",
                a.display(),
                b.display()
            ),
            DirectoriesError::Registry { path, source } => {
                write!(f, "{}: {source}", path.display())
            }
        }
    }
}

impl std::error::Error for DirectoriesError {}

/// The directories that hold partitions. Shared by the shards of a node and whoever watches them.
#[derive(Debug)]
pub struct LogDirectories {
    directories: Vec<Directory>,
    found: HashMap<Box<str>, Vec<Found>>,
    spare: SpareRoom,
    /// Grows when a directory can be used no more, is full or has room again.
    version: AtomicU64,
}

impl LogDirectories {
    /// Looks at every directory: makes those that are missing, and lists the partitions that they
    /// hold. One that cannot be used is remembered as such; the others go on. `registry` is where
    /// the directories of earlier starts are recorded, so that one whose file system is not mounted
    /// is not taken for an empty one. A directory that has not answered after `wait` has failed too:
    /// a disk that hangs holds up its own partitions.
    ///
    /// # Errors
    /// None can be used, two hold the same partition, or the record cannot be read or written.
    pub fn open(
        files: &Arc<dyn FileSystem>,
        paths: &[PathBuf],
        registry: Option<&Path>,
        (spare, wait): (SpareRoom, Duration),
    ) -> Result<LogDirectories, DirectoriesError> {
        let failed = |source| DirectoriesError::Registry {
            path: registry.unwrap_or(Path::new("")).to_owned(),
            source,
        };
        let mut known = match registry {
            Some(path) => Some(Registry::read(&**files, path).map_err(failed)?),
            None => None,
        };
        let mut all = LogDirectories {
            directories: Vec::with_capacity(paths.len()),
            found: HashMap::new(),
            spare,
            version: AtomicU64::new(0),
        };
        let paths = &paths[..paths.len().min(LOG_DIRECTORIES_MAX)];
        let looks = paths.iter().map(|path| {
            let id = known.as_ref().map(|known| known.id_of(path));
            let (files, path) = (files.clone(), path.clone());
            move |_: &Progress| Seen::of(&*files, &path, id)
        });
        for (path, seen) in paths.iter().zip(within(wait, looks)) {
            let mut directory = Directory::new(path);
            match seen.unwrap_or(Err(DirectoryError(NO_ANSWER))) {
                Ok(seen) => all.take_in(&mut directory, seen, known.as_mut()),
                Err(error) => {
                    directory.error = AtomicI32::new(error.0);
                    tracing::error!(
                        directory = %path.display(),
                        %error,
                        "a log directory cannot be used: its partitions are offline"
                    );
                }
            }
            all.directories.push(directory);
        }
        if let (Some(known), Some(path)) = (known, registry) {
            known.write(&**files, path).map_err(failed)?;
        }
        if all.usable().next().is_none() {
            let errors = all.states().into_iter();
            return Err(DirectoriesError::NoneUsable(
                errors.filter_map(|d| Some((d.path, d.error?))).collect(),
            ));
        }
        all.tell_duplicates(&**files)?;
        for number in 0..all.directories.len() as u16 {
            all.weigh(number);
        }
        Ok(all)
    }

    /// Names of partitions' directories in a directory; none where it is absent.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn partitions_in(files: &dyn FileSystem, path: &Path) -> io::Result<Vec<String>> {
        match files.list(path) {
            Ok(names) => Ok(names
                .into_iter()
                .filter(|name| is_partition(name))
                .collect()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    fn take_in(&mut self, directory: &mut Directory, seen: Seen, known: Option<&mut Registry>) {
        let number = self.directories.len() as u16;
        if let (Some(known), Some(id)) = (known, seen.id) {
            known.remember(&directory.path, id);
        }
        directory.take(seen.volume);
        for name in seen.partitions {
            *directory.partitions.get_mut() += 1;
            let found = Found {
                directory: number,
                topic: None,
            };
            self.found.entry(name.into()).or_default().push(found);
        }
    }

    /// Of one name in two directories, says which topic each is of.
    fn tell_duplicates(&mut self, files: &dyn FileSystem) -> Result<(), DirectoriesError> {
        let directories = &self.directories;
        for (name, places) in self.found.iter_mut().filter(|(_, places)| places.len() > 1) {
            for place in places.iter_mut() {
                let path = directories[usize::from(place.directory)].path.join(&**name);
                let text = files.read(&path.join(PARTITION_METADATA));
                let text = text.unwrap_or_default();
                let metadata = decode_partition_metadata(&String::from_utf8_lossy(&text));
                place.topic = metadata.map(|(topic, _)| topic);
            }
            places.sort_by_key(|place| place.topic.map(|topic| topic.0));
            let twice = places
                .windows(2)
                .find(|pair| pair[0].topic == pair[1].topic);
            if let Some([a, b]) = twice {
                let place =
                    |found: &Found| self.directories[usize::from(found.directory)].path.clone();
                return Err(DirectoriesError::Duplicate {
                    partition: name.to_string(),
                    places: [place(a), place(b)],
                });
            }
        }
        Ok(())
    }

    pub fn path(&self, directory: u16) -> &Path {
        &self.directories[usize::from(directory)].path
    }

    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.directories.iter().map(|directory| &*directory.path)
    }

    /// Directories that can be used.
    pub fn usable(&self) -> impl Iterator<Item = u16> {
        (0..self.directories.len() as u16).filter(|number| self.error(*number).is_none())
    }

    /// A directory that cannot be used, if there is one.
    pub fn failed(&self) -> Option<u16> {
        (0..self.directories.len() as u16).find(|number| self.error(*number).is_some())
    }

    /// Why a directory is not used; `None`: it is.
    pub fn error(&self, directory: u16) -> Option<DirectoryError> {
        let error = &self.directories[usize::from(directory)].error;
        DirectoryError::from_number(error.load(Ordering::Acquire))
    }

    /// Where a partition was at the start.
    pub fn find(&self, name: &str, topic: TopicId) -> Option<u16> {
        let places = self.found.get(name)?;
        let own = places.iter().find(|place| place.topic == Some(topic));
        let found = own.or_else(|| places.first())?;
        Some(found.directory)
    }

    /// Whether a directory of this name was there at the start.
    pub fn holds(&self, name: &str) -> bool {
        self.found.contains_key(name)
    }

    /// The directory with the fewest partitions, of those that can be used; it has one more now.
    pub fn place(&self) -> Option<u16> {
        let partitions = |number: u16| &self.directories[usize::from(number)].partitions;
        let least = self
            .usable()
            .min_by_key(|number| partitions(*number).load(Ordering::Relaxed))?;
        partitions(least).fetch_add(1, Ordering::Relaxed);
        Some(least)
    }

    /// A partition of a directory is gone.
    pub fn forget(&self, directory: u16) {
        let partitions = &self.directories[usize::from(directory)].partitions;
        let one_less = |count: u32| Some(count.saturating_sub(1));
        // Always some: the error is not one.
        let _ = partitions.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less);
    }

    /// Grows when a directory can be used no more, is full, or has room again.
    pub fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// What `work` says of each directory that can be used, by number; one that neither answers nor
    /// goes on for `wait` has failed.
    pub(crate) fn ask<T: Send + 'static>(
        &self,
        wait: Duration,
        work: impl Fn(&Path, &Progress) -> T + Clone + Send + 'static,
    ) -> Vec<Option<T>> {
        let usable: Vec<u16> = self.usable().collect();
        let works = usable.iter().map(|number| {
            let (path, work) = (self.path(*number).to_owned(), work.clone());
            move |progress: &Progress| work(&path, progress)
        });
        let mut all: Vec<Option<T>> = self.directories.iter().map(|_| None).collect();
        for (number, answer) in usable.iter().zip(within(wait, works)) {
            if answer.is_none() {
                self.fail_for(*number, DirectoryError(NO_ANSWER));
            }
            all[usize::from(*number)] = answer;
        }
        all
    }

    /// A directory cannot be used any more; said once.
    pub fn fail(&self, directory: u16, error: &io::Error) {
        self.fail_for(directory, DirectoryError::of(error));
    }

    fn fail_for(&self, number: u16, error: DirectoryError) {
        let directory = &self.directories[usize::from(number)];
        let first =
            directory
                .error
                .compare_exchange(0, error.0, Ordering::AcqRel, Ordering::Relaxed);
        if first.is_ok() {
            self.version.fetch_add(1, Ordering::Release);
            tracing::error!(
                directory = %directory.path.display(),
                %error,
                "a log directory failed: its partitions are offline until the next start"
            );
        }
    }

    /// Looks at the file system of a directory that has not failed. Calls block.
    pub fn look(&self, number: u16, files: &dyn FileSystem) {
        let directory = &self.directories[usize::from(number)];
        if self.error(number).is_some() {
            return;
        }
        match files.volume(&directory.path) {
            Err(error) => self.fail(number, &error),
            Ok(volume) if volume.device != directory.device.load(Ordering::Relaxed) => {
                self.fail_for(number, DirectoryError(MOUNT_CHANGED));
            }
            Ok(volume) if volume.is_read_only => {
                self.fail_for(number, DirectoryError(READ_ONLY));
            }
            Ok(volume) => {
                directory.store(volume);
                self.weigh(number);
            }
        }
    }

    /// Whether producers of this directory's partitions are refused, for want of room.
    pub fn is_full(&self, directory: u16) -> bool {
        let directory = &self.directories[usize::from(directory)];
        directory.full_until.load(Ordering::Acquire) > 0
    }

    /// Whether a look soon is worth it, because the directory is nearly full.
    pub(crate) fn is_nearly_full(&self, number: u16) -> bool {
        let directory = &self.directories[usize::from(number)];
        let total_bytes = directory.total_bytes.load(Ordering::Relaxed);
        let near = 2 * self.spare.resume(total_bytes) + NEAR_BYTES;
        directory.usable_bytes.load(Ordering::Relaxed) < near
    }

    /// The file system took no more, whatever it says of its room: the look after the next one may
    /// find that there is some.
    pub fn no_space(&self, number: u16) {
        self.set_full(number, UNTIL_NEXT_LOOK);
    }

    /// Compares the room of a directory with what is to stay free.
    fn weigh(&self, number: u16) {
        let directory = &self.directories[usize::from(number)];
        let usable_bytes = directory.usable_bytes.load(Ordering::Relaxed);
        let total_bytes = directory.total_bytes.load(Ordering::Relaxed);
        let full_until = directory.full_until.load(Ordering::Acquire);
        let resume = self.spare.resume(total_bytes);
        if full_until == UNTIL_NEXT_LOOK {
            directory.full_until.store(resume, Ordering::Release);
        } else if full_until == 0 && usable_bytes < self.spare.limit(total_bytes) {
            self.set_full(number, resume);
        } else if full_until > 0 && usable_bytes >= full_until {
            directory.full_until.store(0, Ordering::Release);
            self.version.fetch_add(1, Ordering::Release);
            let directory = directory.path.display();
            tracing::info!(%directory, usable_bytes, "there is room again: producers are served");
        }
    }

    fn set_full(&self, number: u16, until: u64) {
        let directory = &self.directories[usize::from(number)];
        if directory.full_until.swap(until, Ordering::AcqRel) == 0 {
            self.version.fetch_add(1, Ordering::Release);
            tracing::warn!(
                directory = %directory.path.display(),
                usable_bytes = directory.usable_bytes.load(Ordering::Relaxed),
                usable_bytes_needed = (until != UNTIL_NEXT_LOOK).then_some(until),
                "a log directory has too little room: producers are refused until there is more"
            );
        }
    }

    /// Every directory as it is now.
    pub fn states(&self) -> Vec<DirectoryState> {
        let numbers = 0..self.directories.len() as u16;
        let state = |(number, directory): (u16, &Directory)| DirectoryState {
            path: directory.path.clone(),
            error: self.error(number),
            partitions: directory.partitions.load(Ordering::Relaxed),
            is_full: self.is_full(number),
            total_bytes: directory.total_bytes.load(Ordering::Relaxed),
            usable_bytes: directory.usable_bytes.load(Ordering::Relaxed),
        };
        numbers.zip(&self.directories).map(state).collect()
    }
}

/// What a directory is at the start.
struct Seen {
    /// Where directories of earlier starts are recorded.
    id: Option<u64>,
    volume: Volume,
    partitions: Vec<String>,
}

impl Seen {
    /// Makes the directory where it is missing, and looks at it. `known`: where directories of
    /// earlier starts are recorded, the id that it had.
    fn of(
        files: &dyn FileSystem,
        path: &Path,
        known: Option<Option<u64>>,
    ) -> Result<Seen, DirectoryError> {
        let failed = |error: io::Error| DirectoryError::of(&error);
        files.create_directory(path).map_err(failed)?;
        let id = match known {
            None => None,
            Some(known) => match admit(files, path, known).map_err(failed)? {
                None => return Err(DirectoryError(NOT_THE_SAME)),
                id => id,
            },
        };
        let volume = files.volume(path).map_err(failed)?;
        match files.probe(path) {
            // Consumers can be served all the same.
            Err(error) if !is_for_want_of_space(&error) => return Err(failed(error)),
            _ => {}
        }
        Ok(Seen {
            id,
            volume,
            partitions: LogDirectories::partitions_in(files, path).map_err(failed)?,
        })
    }
}

impl Directory {
    fn new(path: &Path) -> Directory {
        Directory {
            path: path.to_owned(),
            error: AtomicI32::new(0),
            partitions: AtomicU32::new(0),
            device: AtomicU64::new(0),
            total_bytes: AtomicU64::new(0),
            usable_bytes: AtomicU64::new(0),
            full_until: AtomicU64::new(0),
        }
    }

    fn take(&mut self, volume: Volume) {
        *self.device.get_mut() = volume.device;
        self.store(volume);
    }

    fn store(&self, volume: Volume) {
        self.total_bytes
            .store(volume.total_bytes, Ordering::Relaxed);
        self.usable_bytes
            .store(volume.usable_bytes, Ordering::Relaxed);
    }
}

/// Whether a name is that of a partition's directory: `TOPIC-NUMBER`, as the marker of a clean stop
/// is called too.
fn is_partition(name: &str) -> bool {
    if name.starts_with(CLEAN_MARKER) {
        return false;
    }
    let number = name.rsplit_once('-').filter(|(topic, _)| !topic.is_empty());
    number.is_some_and(|(_, n)| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
}

//! A double of disk and file system, in memory: it can lose power, tear writes, run full and fail.
//!
//! What was not synced may be lost at a power cut: bytes by sectors, names by directories.

use crate::engine::{Kind, Operation};
use crate::thread::run_blocking;
use crate::{DiskFile, FileSystem, OpenMode, RandomFile, Unsynced, Volume};
use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::os::fd::RawFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

const SECTOR: usize = 512;

/// A small generator of its own, so that histories stay what they were when crates move on.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Random(seed)
    }

    /// The next 64 bits (splitmix64).
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`, which is not 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.number() % bound
    }

    /// True once in `of` times.
    pub fn once_in(&mut self, of: u64) -> bool {
        self.below(of) == 0
    }
}

enum Pending {
    Write(u64, Vec<u8>),
    Length(u64),
}

#[derive(Default)]
struct Node {
    current: Vec<u8>,
    durable: Vec<u8>,
    pending: Vec<Pending>,
}

impl Node {
    /// What is pending is durable from now on. The rest is as it was: files may be long.
    fn keep(&mut self) {
        for change in self.pending.drain(..) {
            match change {
                Pending::Length(length) => set_length(&mut self.durable, length as usize),
                Pending::Write(offset, bytes) => {
                    let (at, end) = (offset as usize, offset as usize + bytes.len());
                    if self.durable.len() < end {
                        set_length(&mut self.durable, end);
                    }
                    self.durable[at..end].copy_from_slice(&bytes);
                }
            }
        }
    }

    fn lose_power(&mut self, random: &mut Random) {
        let mut content = std::mem::take(&mut self.durable);
        for change in self.pending.drain(..) {
            match change {
                Pending::Length(length) if random.once_in(2) => {
                    set_length(&mut content, length as usize);
                }
                Pending::Length(_) => {}
                Pending::Write(offset, bytes) => {
                    let mut at = offset as usize;
                    // Sector by sector, as a disk does.
                    let mut rest = &bytes[..];
                    while !rest.is_empty() {
                        let step = (SECTOR - at % SECTOR).min(rest.len());
                        if random.once_in(2) {
                            if content.len() < at + step {
                                set_length(&mut content, at + step);
                            }
                            content[at..at + step].copy_from_slice(&rest[..step]);
                        }
                        at += step;
                        rest = &rest[step..];
                    }
                }
            }
        }
        self.current.clone_from(&content);
        self.durable = content;
    }
}

/// As `resize` with zeroes, but at once: without optimisation that goes byte by byte, and room in
/// segments is reserved by the megabyte.
fn set_length(bytes: &mut Vec<u8>, length: usize) {
    bytes.truncate(length);
    bytes.append(&mut vec![0; length - bytes.len()]);
}

type Names = BTreeMap<PathBuf, Arc<Mutex<Node>>>;

#[derive(Default)]
struct World {
    files: Names,
    /// The files of a directory as of its last sync.
    durable: BTreeMap<PathBuf, Names>,
    directories: BTreeSet<PathBuf>,
    /// Those made since the last sync of the directory that they are in.
    directories_unsynced: BTreeSet<PathBuf>,
    /// Handles of earlier lives are dead.
    life: u64,
    failures: Vec<(String, i32)>,
    sync_failures: Vec<(String, i32)>,
    bytes_max: Option<u64>,
    /// Changes that succeed before all fail; `None`: no end.
    changes_left: Option<u64>,
}

impl World {
    /// Counts a change; fails when there are no more.
    fn change(&mut self) -> io::Result<()> {
        match &mut self.changes_left {
            None => Ok(()),
            Some(0) => Err(io::Error::from_raw_os_error(libc::EIO)),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
        }
    }

    fn check(&self, path: &Path) -> io::Result<()> {
        failure_of(&self.failures, path)
    }

    fn check_sync(&self, path: &Path) -> io::Result<()> {
        failure_of(&self.sync_failures, path)
    }

    fn bytes_used(&self) -> u64 {
        let length = |node: &Arc<Mutex<Node>>| locked(node).current.len() as u64;
        self.files.values().map(length).sum()
    }

    fn remove_directory(&mut self, path: &Path) {
        self.files.retain(|file, _| !file.starts_with(path));
        self.durable.retain(|place, _| !place.starts_with(path));
        self.directories.retain(|place| !place.starts_with(path));
        self.directories_unsynced
            .retain(|place| !place.starts_with(path));
    }

    fn of_directory(&self, directory: &Path) -> Names {
        self.files
            .iter()
            .filter(|(path, _)| path.parent() == Some(directory))
            .map(|(path, node)| (path.clone(), node.clone()))
            .collect()
    }
}

fn failure_of(failures: &[(String, i32)], path: &Path) -> io::Result<()> {
    let path = path.to_string_lossy();
    match failures.iter().find(|(part, _)| path.contains(part)) {
        Some((_, errno)) => Err(io::Error::from_raw_os_error(*errno)),
        None => Ok(()),
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The double. Clones share one disk.
#[derive(Clone, Default)]
pub struct SimFileSystem(Arc<Mutex<World>>);

impl SimFileSystem {
    pub fn new() -> Self {
        Self::default()
    }

    /// The process died: handles of its life do nothing any more, files stay as they are.
    pub fn kill_process(&self) {
        locked(&self.0).life += 1;
    }

    /// The power was cut: what was not synced is lost in part, as drawn.
    pub fn lose_power(&self, random: &mut Random) {
        let mut world = locked(&self.0);
        world.life += 1;
        for made in std::mem::take(&mut world.directories_unsynced) {
            if random.once_in(2) {
                world.remove_directory(&made);
            }
        }
        let directories: Vec<PathBuf> = world.directories.iter().cloned().collect();
        for directory in directories {
            // The journal of a directory is at its last sync or at its present.
            if random.once_in(2) {
                let durable = world.durable.get(&directory).cloned().unwrap_or_default();
                world
                    .files
                    .retain(|path, _| path.parent() != Some(&directory));
                world.files.extend(durable);
            } else {
                let present = world.of_directory(&directory);
                world.durable.insert(directory, present);
            }
        }
        let nodes: Vec<_> = world.files.values().cloned().collect();
        for node in nodes {
            locked(&node).lose_power(random);
        }
    }

    /// Operations on paths that contain `part` fail with `errno`, until [`Self::heal`].
    pub fn fail(&self, part: &str, errno: i32) {
        locked(&self.0).failures.push((part.to_owned(), errno));
    }

    /// As [`Self::fail`], for syncs alone.
    pub fn fail_syncs(&self, part: &str, errno: i32) {
        let failure = (part.to_owned(), errno);
        locked(&self.0).sync_failures.push(failure);
    }

    /// After this many more changes (creations, writes, syncs, renames, removals) every one fails,
    /// until [`Self::heal`]: what a process leaves that dies there.
    pub fn stop_after(&self, changes: u64) {
        locked(&self.0).changes_left = Some(changes);
    }

    /// True when [`Self::stop_after`]'s last change was made.
    pub fn is_stopped(&self) -> bool {
        locked(&self.0).changes_left == Some(0)
    }

    /// No more failures.
    pub fn heal(&self) {
        let mut world = locked(&self.0);
        world.changes_left = None;
        world.failures.clear();
        world.sync_failures.clear();
        world.bytes_max = None;
    }

    /// Writes that need more bytes than this in all fail with ENOSPC.
    pub fn set_space(&self, bytes_max: u64) {
        locked(&self.0).bytes_max = Some(bytes_max);
    }

    /// Changes a file's bytes in place, as a failing disk does.
    pub fn corrupt(&self, path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
        let node = locked(&self.0).files.get(path).cloned();
        if let Some(node) = node {
            let mut node = locked(&node);
            change(&mut node.current);
            node.durable = node.current.clone();
            node.pending.clear();
        }
    }

    /// Every file with its bytes.
    pub fn contents(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let world = locked(&self.0);
        let bytes = |node: &Arc<Mutex<Node>>| locked(node).current.clone();
        let files = world.files.iter();
        files
            .map(|(path, node)| (path.clone(), bytes(node)))
            .collect()
    }

    /// Makes the disk hold exactly these files, durably.
    pub fn restore(&self, files: &[(PathBuf, Vec<u8>)]) {
        let mut world = locked(&self.0);
        *world = World {
            life: world.life + 1,
            ..World::default()
        };
        for (path, bytes) in files {
            let node = Node {
                current: bytes.clone(),
                durable: bytes.clone(),
                pending: Vec::new(),
            };
            world.files.insert(path.clone(), Arc::new(Mutex::new(node)));
            let directories = path.ancestors().skip(1).map(Path::to_owned);
            world.directories.extend(directories);
        }
    }

    /// Every path of a file.
    pub fn paths(&self) -> Vec<PathBuf> {
        locked(&self.0).files.keys().cloned().collect()
    }
}

struct SimFile {
    path: PathBuf,
    node: Arc<Mutex<Node>>,
    world: SimFileSystem,
    life: u64,
}

impl SimFile {
    fn check(&self, growth: impl FnOnce(&Node) -> u64) -> io::Result<()> {
        let world = locked(&self.world.0);
        if world.life != self.life {
            return Err(io::Error::from_raw_os_error(libc::EBADF));
        }
        world.check(&self.path)?;
        let growth = growth(&locked(&self.node));
        match world.bytes_max {
            Some(most) if growth > 0 && world.bytes_used() + growth > most => {
                Err(io::Error::from_raw_os_error(libc::ENOSPC))
            }
            _ => Ok(()),
        }
    }
}

impl RandomFile for SimFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.check(|_| 0)?;
        let node = locked(&self.node);
        let start = (offset as usize).min(node.current.len());
        let count = buffer.len().min(node.current.len() - start);
        buffer[..count].copy_from_slice(&node.current[start..start + count]);
        Ok(count)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        locked(&self.world.0).change()?;
        let end = offset as usize + bytes.len();
        self.check(|node| end.saturating_sub(node.current.len()) as u64)?;
        let mut node = locked(&self.node);
        if node.current.len() < end {
            set_length(&mut node.current, end);
        }
        node.current[offset as usize..end].copy_from_slice(bytes);
        node.pending.push(Pending::Write(offset, bytes.to_vec()));
        Ok(())
    }

    fn length(&self) -> io::Result<u64> {
        Ok(locked(&self.node).current.len() as u64)
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        locked(&self.world.0).change()?;
        self.check(|_| 0)?;
        let mut node = locked(&self.node);
        set_length(&mut node.current, length as usize);
        node.pending.push(Pending::Length(length));
        Ok(())
    }

    fn reserve(&self, end: u64) -> io::Result<()> {
        if self.length()? >= end {
            return Ok(());
        }
        self.set_length(end)
    }

    fn sync(&self) -> io::Result<()> {
        locked(&self.world.0).change()?;
        self.check(|_| 0)?;
        locked(&self.world.0).check_sync(&self.path)?;
        locked(&self.node).keep();
        Ok(())
    }

    fn descriptor(&self) -> Option<RawFd> {
        None
    }
}

impl FileSystem for SimFileSystem {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<DiskFile> {
        let mut world = locked(&self.0);
        world.check(path)?;
        let present = world.files.get(path).cloned();
        let node = match present {
            Some(node) => node,
            None if mode == OpenMode::Create => {
                let parent = path.parent().unwrap_or(Path::new(""));
                if !world.directories.contains(parent) {
                    return Err(io::ErrorKind::NotFound.into());
                }
                world.change()?;
                let node = Arc::new(Mutex::new(Node::default()));
                world.files.insert(path.to_owned(), node.clone());
                node
            }
            None => return Err(io::ErrorKind::NotFound.into()),
        };
        Ok(Arc::new(SimFile {
            path: path.to_owned(),
            node,
            world: self.clone(),
            life: world.life,
        }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut world = locked(&self.0);
        world.check(to)?;
        world.change()?;
        let moved = if world.directories.contains(from) {
            let names = world.of_directory(from);
            world.directories.remove(from);
            world.directories.insert(to.to_owned());
            if world.directories_unsynced.remove(from) {
                world.directories_unsynced.insert(to.to_owned());
            }
            names
        } else {
            let node = world.files.get(from).cloned();
            let node = node.ok_or(io::ErrorKind::NotFound)?;
            Names::from([(from.to_owned(), node)])
        };
        for (path, node) in moved {
            world.files.remove(&path);
            let rest = path.strip_prefix(from).unwrap_or(Path::new(""));
            let target = if rest.as_os_str().is_empty() {
                to.to_owned()
            } else {
                to.join(rest)
            };
            world.files.insert(target, node);
        }
        Ok(())
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        let mut world = locked(&self.0);
        world.check(path)?;
        world.change()?;
        let removed = world.files.remove(path);
        removed
            .map(|_| ())
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn create_directory(&self, path: &Path) -> io::Result<()> {
        let mut world = locked(&self.0);
        world.check(path)?;
        for directory in path.ancestors() {
            if world.directories.contains(directory) {
                break;
            }
            world.change()?;
            world.directories.insert(directory.to_owned());
            // The root's own are there before the first life.
            if directory.parent().is_some_and(|p| p.parent().is_some()) {
                world.directories_unsynced.insert(directory.to_owned());
            }
        }
        Ok(())
    }

    fn remove_directory(&self, path: &Path) -> io::Result<()> {
        locked(&self.0).remove_directory(path);
        Ok(())
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        let world = locked(&self.0);
        if !world.directories.contains(path) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let names = world.files.keys().chain(world.directories.iter());
        Ok(names
            .filter(|place| place.parent() == Some(path))
            .filter_map(|place| Some(place.file_name()?.to_string_lossy().into_owned()))
            .collect())
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        let mut world = locked(&self.0);
        world.check(path)?;
        world.change()?;
        let present = world.of_directory(path);
        world.durable.insert(path.to_owned(), present);
        let within = |made: &PathBuf| made.parent() == Some(path);
        world.directories_unsynced.retain(|made| !within(made));
        Ok(())
    }

    fn sync_all(&self, unsynced: &[Unsynced<'_>]) -> Vec<io::Result<()>> {
        let one = |target: &Unsynced<'_>| match target {
            Unsynced::File(file) => file.sync(),
            Unsynced::Directory(path) => self.sync_directory(path),
        };
        unsynced.iter().map(one).collect()
    }

    fn lock(&self, _path: &Path) -> io::Result<Box<dyn Any + Send>> {
        Ok(Box::new(()))
    }

    fn volume(&self, directory: &Path) -> io::Result<Volume> {
        let world = locked(&self.0);
        world.check(directory)?;
        let total_bytes = world.bytes_max.unwrap_or(1 << 50);
        Ok(Volume {
            total_bytes,
            usable_bytes: total_bytes.saturating_sub(world.bytes_used()),
            is_read_only: false,
            device: 1,
        })
    }
}

/// Runs operations late and in a drawn order.
pub(crate) struct SimDriver {
    random: Random,
    queue: Vec<(u32, DiskFile, Operation, Vec<u8>)>,
}

impl SimDriver {
    pub fn new(seed: u64) -> Self {
        SimDriver {
            random: Random::new(seed),
            queue: Vec::new(),
        }
    }

    pub fn push(&mut self, index: u32, file: &DiskFile, operation: &Operation) {
        // A device may fetch the bytes early or late: both are drawn.
        let mut early = Vec::new();
        if operation.kind == Kind::Write && self.random.once_in(2) {
            // SAFETY: the range lies within the disk's memory, which is mapped.
            let bytes = unsafe { std::slice::from_raw_parts(operation.address, operation.length) };
            early.extend_from_slice(bytes);
        }
        let operation = Operation { ..*operation };
        self.queue.push((index, file.clone(), operation, early));
    }

    pub fn poll(&mut self, done: &mut Vec<(u32, Result<u32, i32>)>) {
        for _ in 0..self.queue.len() {
            if self.random.once_in(2) {
                let chosen = self.random.below(self.queue.len() as u64) as usize;
                let (index, file, mut operation, mut early) = self.queue.swap_remove(chosen);
                if !early.is_empty() {
                    operation.address = early.as_mut_ptr();
                }
                done.push((index, run_blocking(&file, &operation)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn synced_bytes_survive_power_loss_and_others_may_not() {
        let disk = SimFileSystem::new();
        let files: &dyn FileSystem = &disk;
        let directory = Path::new("/data");
        files.create_directory(directory).unwrap();
        let mut lost = 0;
        for seed in 0..20 {
            let path = directory.join(format!("f{seed}"));
            let file = files.open(&path, OpenMode::Create).unwrap();
            file.write_at(&[7; 2048], 0).unwrap();
            file.sync().unwrap();
            files.sync_directory(directory).unwrap();
            file.write_at(&[9; 2048], 2048).unwrap();
            disk.lose_power(&mut Random::new(seed));
            assert!(file.read_at(&mut [0], 0).is_err(), "a dead handle");
            let bytes = files.read(&path).unwrap();
            assert_eq!(bytes[..2048], [7; 2048]);
            lost += usize::from(bytes.len() < 4096 || bytes[2048..] != [9; 2048]);
        }
        assert!(lost > 10, "unsynced bytes were lost {lost} times of 20");
    }

    #[test]
    fn replaced_files_are_durable_and_one_that_fails_keeps_no_other() {
        let directory = Path::new("/data");
        for seed in 0..20 {
            let disk = SimFileSystem::new();
            let files: &dyn FileSystem = &disk;
            files.create_directory(directory).unwrap();
            let path = |n: u32| directory.join(format!("f{n}"));
            for n in 0..4 {
                files.replace(&path(n), &[1; 3000]).unwrap();
            }
            disk.fail_syncs("f2", libc::EIO);
            let contents: Vec<_> = (0..4).map(|n| (path(n), &[2; 2000][..])).collect();
            let outcomes = files.replace_all(&contents);
            disk.heal();
            disk.lose_power(&mut Random::new(seed));
            for (n, outcome) in outcomes.iter().enumerate() {
                let found = files.read(&path(n as u32)).unwrap();
                let wanted = if n == 2 { vec![1; 3000] } else { vec![2; 2000] };
                assert_eq!((outcome.is_ok(), found), (n != 2, wanted), "{n}");
            }
        }
    }

    #[test]
    fn space_and_failures_are_told() {
        let disk = SimFileSystem::new();
        disk.create_directory(Path::new("/d")).unwrap();
        let file = disk.open(Path::new("/d/a"), OpenMode::Create).unwrap();
        disk.set_space(100);
        file.write_at(&[1; 100], 0).unwrap();
        let error = file.write_at(&[1; 1], 100).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::ENOSPC));
        disk.heal();
        disk.fail("/d/", libc::EIO);
        assert_eq!(file.sync().unwrap_err().raw_os_error(), Some(libc::EIO));
    }
}

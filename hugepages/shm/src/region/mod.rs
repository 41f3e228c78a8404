//! The region: one named file of shared memory that outlives the processes on it.
//!
//! Whoever comes first makes it (under a lock in the data directory), everybody else attaches and
//! checks that it fits: version, node, data directory, sizes. One that does not fit is never guessed
//! at; the error says what to do.

mod create;
mod error;
mod find;
mod place;
#[cfg(all(test, not(loom)))]
pub(crate) mod tests;

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use precursor_memory::Mapping;

use crate::buffer::BufferPool;
use crate::doorbell::{Doorbell, DoorbellName};
use crate::extent::ExtentPool;
use crate::latency::ShardLatency;
use crate::layout::{Layout, RingName};
use crate::ring::{Consumer, Producer, RingUsage, SharedMemory};
use crate::stats::ShardStats;
use crate::status::StatusPage;
pub use error::RegionError;

/// Whether the region is to lie on reserved huge pages (`memory.hugepages`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Hugepages {
    /// Where enough are reserved.
    #[default]
    Auto,
    /// Or not at all.
    On,
    /// Never.
    Off,
}

/// Which region, and how large.
#[derive(Clone, Debug)]
pub struct RegionOptions {
    pub node_id: i32,
    /// Its records belong to this data directory; made if it is not there.
    pub data_dir: PathBuf,
    /// The directory in which the region's own directory is made (`memory.region.dir`); `None`: a
    /// mount of hugetlbfs if pages are reserved, else `/dev/shm`, else a memfd.
    pub directory: Option<PathBuf>,
    pub hugepages: Hugepages,
    /// How many shards the data plane has; at least 1.
    pub shards: u16,
    /// Extent pools of all shards together, in bytes; 0: a sixteenth of the machine's memory within
    /// 64 MiB and 1 GiB, or what an existing region has.
    pub pool_bytes: u64,
    /// Buffer pools of all shards together, in bytes; 0: a quarter of the extent pools, within 16 MiB
    /// and 256 MiB, or what an existing region has.
    pub buffer_bytes: u64,
    /// Each control ring, in bytes; 0: 1 MiB, or what an existing region has.
    pub control_ring_bytes: u32,
}

impl RegionOptions {
    /// One shard and everything else automatic.
    pub fn new(node_id: i32, data_dir: impl Into<PathBuf>) -> RegionOptions {
        RegionOptions {
            node_id,
            data_dir: data_dir.into(),
            directory: None,
            hugepages: Hugepages::Auto,
            shards: 1,
            pool_bytes: 0,
            buffer_bytes: 0,
            control_ring_bytes: 0,
        }
    }
}

/// What the region lies on, which says what it survives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegionKind {
    /// Reserved huge pages under a name: survives every process.
    Hugetlbfs,
    /// Shared memory under a name: survives every process.
    Tmpfs,
    /// A file on an ordinary filesystem, because the operator named a directory there: survives every
    /// process, but the kernel writes it to disk, which costs.
    File,
    /// Nameless memory, because nothing else could be had: lives as long as a process that holds it.
    Memfd,
}

impl fmt::Display for RegionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            RegionKind::Hugetlbfs => "hugetlbfs",
            RegionKind::Tmpfs => "tmpfs",
            RegionKind::File => "an ordinary filesystem (slow)",
            RegionKind::Memfd => "a memfd (records not on disk are lost when every process dies)",
        })
    }
}

/// Whether [`Region::create_or_attach`] made the region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    Created,
    /// It was there; it may hold records of a data plane that died.
    Existing,
}

/// A process's attachment to the region. Clones share it; the memory stays mapped until the last
/// clone, pool, ring end and buffer is gone.
#[derive(Clone, Debug)]
pub struct Region {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    mapping: Mapping,
    file: File,
    layout: Layout,
    kind: RegionKind,
    /// The region's file; for a memfd, the name under which its creator's is reachable.
    path: PathBuf,
    /// Our directory: doorbells are here, also those of a memfd.
    directory: PathBuf,
    data_dir: PathBuf,
    /// Per shard, bits of [`Part`]: what this process has taken.
    claimed: Box<[AtomicU32]>,
    taken_processors: OnceLock<Box<[usize]>>,
}

/// What only one owner at a time may have.
#[derive(Clone, Copy, Debug)]
#[repr(u32)]
pub(crate) enum Part {
    ToControlProducer = 1,
    ToControlConsumer = 2,
    ToDataProducer = 4,
    ToDataConsumer = 8,
    ExtentPool = 16,
    BufferPool = 32,
}

/// Proof that a part was taken, given back on drop; keeps the memory mapped.
#[derive(Debug)]
pub(crate) struct Claim {
    region: Region,
    shard: u16,
    part: Part,
}

impl Claim {
    pub fn region(&self) -> &Region {
        &self.region
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let claimed = &self.region.inner.claimed[usize::from(self.shard)];
        claimed.fetch_and(!(self.part as u32), Ordering::AcqRel);
    }
}

impl Region {
    /// Attaches to this node's region, or makes it when there is none. Safe against others who do the
    /// same at this moment.
    ///
    /// # Errors
    /// See [`RegionError`].
    pub fn create_or_attach(options: &RegionOptions) -> Result<(Region, Found), RegionError> {
        create::create_or_attach(options)
    }

    /// Attaches to this node's region.
    ///
    /// # Errors
    /// [`RegionError::NotFound`] if there is none, or why it does not fit.
    pub fn attach_existing(options: &RegionOptions) -> Result<Region, RegionError> {
        create::attach_existing(options)
    }

    /// Processors that belong to others, before the first pool is taken: its helper threads keep off
    /// them. Told once.
    pub fn set_taken_processors(&self, taken: &[usize]) {
        let _ = self.inner.taken_processors.set(taken.into());
    }

    pub(crate) fn taken_processors(&self) -> &[usize] {
        self.inner.taken_processors.get().map_or(&[], |taken| taken)
    }

    /// What the region lies on.
    pub fn kind(&self) -> RegionKind {
        self.inner.kind
    }

    /// The region's file.
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// How many shards it was made for.
    pub fn shards(&self) -> u16 {
        self.inner.layout.sizes.shards
    }

    /// Bytes from end to end; only those that were touched take memory (on hugetlbfs: all).
    pub fn bytes(&self) -> u64 {
        self.inner.layout.region_bytes
    }

    /// The extent pool of one shard, in bytes.
    pub fn pool_bytes(&self) -> u64 {
        self.inner.layout.sizes.pool_bytes
    }

    /// The buffer pool of one shard, in bytes.
    pub fn buffer_bytes(&self) -> u64 {
        self.inner.layout.sizes.buffer_bytes
    }

    /// Removes the region's name and its doorbells, after a clean stop. Who is attached stays so; who
    /// comes later makes a new one. A newer region of the same name is left alone.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn unlink(&self) -> io::Result<()> {
        let _lock = create::lock(&self.inner.data_dir)?;
        let inner = &self.inner;
        if inner.kind != RegionKind::Memfd {
            match fs::metadata(&inner.path) {
                Ok(found) if found.ino() != inner.file.metadata()?.ino() => return Ok(()),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        // The region's file first: dying half-way leaves doorbells, which are found again or harmless.
        for name in ["region", "region.new"] {
            remove(&inner.directory.join(name))?;
        }
        for shard in 0..self.shards() {
            remove(&inner.directory.join(DoorbellName::Shard(shard).file_name()))?;
        }
        remove(&inner.directory.join(DoorbellName::Control.file_name()))?;
        match fs::remove_dir(&inner.directory) {
            // Somebody keeps a file of theirs there: not ours to remove.
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => Ok(()),
            other => other,
        }
    }

    /// Who runs and where it listens.
    pub fn status(&self) -> &StatusPage {
        // SAFETY: `part` checked the place; the page consists of atomics, so any bytes are a value and
        // others may write them meanwhile; it lives as long as `self`.
        unsafe { self.part::<StatusPage>(Layout::STATUS).as_ref() }
    }

    /// A shard's counters.
    ///
    /// # Panics
    /// If there is no such shard.
    pub fn stats(&self, shard: u16) -> &ShardStats {
        self.assert_shard(shard);
        let offset = self.inner.layout.stats(shard);
        // SAFETY: as for the status page.
        unsafe { self.part::<ShardStats>(offset).as_ref() }
    }

    /// How long a shard's requests took.
    ///
    /// # Panics
    /// If there is no such shard.
    pub fn latency(&self, shard: u16) -> &ShardLatency {
        self.assert_shard(shard);
        let offset = self.inner.layout.latency(shard);
        // SAFETY: as for the status page: nothing but atomic words.
        unsafe { self.part::<ShardLatency>(offset).as_ref() }
    }

    /// How full a shard's rings are: the one from it to the control plane, and the one back.
    ///
    /// # Panics
    /// If there is no such shard.
    pub fn ring_usage(&self, shard: u16) -> (RingUsage, RingUsage) {
        self.assert_shard(shard);
        let usage = |name| self.ring(name, shard).usage();
        (usage(RingName::ToControl), usage(RingName::ToData))
    }

    /// The shard's end of its ring to the control plane.
    ///
    /// # Panics
    /// This and the next three: if there is no such shard, or this end is held by this process already.
    pub fn to_control_producer(&self, shard: u16) -> Producer {
        let claim = self.claim(shard, Part::ToControlProducer);
        Producer::new(self.ring(RingName::ToControl, shard), claim)
    }

    /// The control plane's end of the ring from a shard.
    pub fn to_control_consumer(&self, shard: u16) -> Consumer {
        let claim = self.claim(shard, Part::ToControlConsumer);
        Consumer::new(self.ring(RingName::ToControl, shard), claim)
    }

    /// The control plane's end of the ring to a shard.
    pub fn to_data_producer(&self, shard: u16) -> Producer {
        let claim = self.claim(shard, Part::ToDataProducer);
        Producer::new(self.ring(RingName::ToData, shard), claim)
    }

    /// The shard's end of the ring from the control plane.
    pub fn to_data_consumer(&self, shard: u16) -> Consumer {
        let claim = self.claim(shard, Part::ToDataConsumer);
        Consumer::new(self.ring(RingName::ToData, shard), claim)
    }

    /// Opens a doorbell, to ring it or to sleep on it.
    ///
    /// # Errors
    /// What the operating system says about the FIFO.
    pub fn doorbell(&self, name: DoorbellName) -> io::Result<Doorbell> {
        Doorbell::open(&self.inner.directory.join(name.file_name()))
    }

    /// The shard's extents, with what a dead predecessor left in them ([`ExtentPool::recovered`]).
    ///
    /// # Panics
    /// If there is no such shard, or its pool is held by this process already.
    pub fn extent_pool(&self, shard: u16) -> ExtentPool {
        ExtentPool::attach(self.claim(shard, Part::ExtentPool), shard)
    }

    /// The shard's buffers.
    ///
    /// # Panics
    /// If there is no such shard, or its pool (or a buffer of it) is held by this process already.
    pub fn buffer_pool(&self, shard: u16) -> BufferPool {
        BufferPool::attach(self.claim(shard, Part::BufferPool), shard)
    }

    /// Has the shard's pools, as far as they have no memory yet, take it from this NUMA node while
    /// there is any.
    ///
    /// # Errors
    /// There is no such node, or the kernel does not allow it.
    pub fn prefer_node(&self, shard: u16, node: u32) -> io::Result<()> {
        self.assert_shard(shard);
        let layout = self.layout();
        let mapping = self.mapping();
        let sizes = layout.sizes;
        let (pool, bytes) = (layout.pool(shard) as usize, sizes.pool_bytes as usize);
        mapping.prefer_node(pool, bytes, node)?;
        let (buffers, bytes) = (layout.buffers(shard) as usize, sizes.buffer_bytes as usize);
        mapping.prefer_node(buffers, bytes, node)
    }

    /// Bytes of the region that lie on huge pages in this process now, as the kernel says. Walks the
    /// page tables: not for a shard's thread.
    ///
    /// # Errors
    /// `/proc` cannot be read.
    pub fn huge_bytes(&self) -> io::Result<u64> {
        self.mapping().huge_bytes().map(|bytes| bytes as u64)
    }

    pub(crate) fn layout(&self) -> &Layout {
        &self.inner.layout
    }

    pub(crate) fn file(&self) -> &File {
        &self.inner.file
    }

    pub(crate) fn mapping(&self) -> &Mapping {
        &self.inner.mapping
    }

    pub(crate) fn data_dir(&self) -> &Path {
        &self.inner.data_dir
    }

    /// The address of something in the region.
    pub(crate) fn part<T>(&self, offset: u64) -> NonNull<T> {
        let offset = offset as usize;
        let bytes = std::mem::size_of::<T>();
        assert!(offset.is_multiple_of(std::mem::align_of::<T>()));
        assert!(offset + bytes <= self.inner.mapping.len());
        // SAFETY: within the mapping by the assertion.
        let pointer = unsafe { self.inner.mapping.as_ptr().add(offset) };
        NonNull::new(pointer.cast()).expect("a mapping is not at address 0")
    }

    /// Makes sure that a range of the file has memory behind it, so that touching it cannot be a
    /// SIGBUS. False when the filesystem has none left.
    pub(crate) fn back(&self, offset: u64, bytes: u64) -> bool {
        if self.is_reserved() {
            // When it was mapped.
            return true;
        }
        create::allocate(&self.inner.file, offset, bytes).is_ok()
    }

    /// Whether all of the memory is reserved for the region, so that nobody gains by its return.
    pub(crate) fn is_reserved(&self) -> bool {
        self.inner.kind == RegionKind::Hugetlbfs
    }

    /// Gives a range's memory back to the system; it reads as zeroes from then on, and is to be
    /// [backed](Region::back) before it is touched again.
    pub(crate) fn give_back(&self, offset: u64, bytes: u64) -> io::Result<()> {
        create::deallocate(&self.inner.file, offset, bytes)
    }

    fn ring(&self, name: RingName, shard: u16) -> SharedMemory {
        let layout = self.layout();
        let control = self.part(layout.ring(name, shard));
        let bytes = self.part(layout.ring_bytes(name, shard));
        let capacity = layout.sizes.control_ring_bytes as usize;
        // SAFETY: the layout gave this ring these places, all inside the mapping, which the claim that
        // goes with this keeps alive; a ring's bytes begin at a page.
        unsafe { SharedMemory::new(control, bytes, capacity) }
    }

    fn assert_shard(&self, shard: u16) {
        let shards = self.shards();
        assert!(shard < shards, "shard {shard} of a region for {shards}");
    }

    fn claim(&self, shard: u16, part: Part) -> Claim {
        self.assert_shard(shard);
        let before = self.inner.claimed[usize::from(shard)].fetch_or(part as u32, Ordering::AcqRel);
        assert!(
            before & part as u32 == 0,
            "{part:?} of shard {shard} has an owner already"
        );
        Claim {
            region: self.clone(),
            shard,
            part,
        }
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// The name under which other processes of this user reach a descriptor of ours.
fn descriptor_path(file: &File) -> PathBuf {
    PathBuf::from(format!(
        "/proc/{}/fd/{}",
        std::process::id(),
        file.as_raw_fd()
    ))
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).open(path)
}

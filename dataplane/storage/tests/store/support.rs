//! A store on a double of the disk, a region of its own, and a clock that the test moves.

use precursor_disk::sim::{Random, SimFileSystem};
use precursor_model::{LogConfig, LogUid, TopicId};
use precursor_protocol::records::BatchBuilder;
use precursor_shm::{ExtentPool, Hugepages, Region, RegionOptions};
use precursor_storage::{
    AppendError, AppendOptions, Appended, Blank, LogId, LogSpec, LogState, Lookup, Now, Read,
    ReadError, ReadOptions, Store, StoreEvent, StoreOptions, TimedOffset, Written,
};
use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

pub const DATA: &str = "/data";

/// How many seeds a test takes: `few`, unless `PRECURSOR_MODEL_HISTORIES` says otherwise.
pub fn histories(few: u64) -> u64 {
    let wanted = std::env::var("PRECURSOR_MODEL_HISTORIES");
    wanted.ok().and_then(|n| n.parse().ok()).unwrap_or(few)
}

pub struct Bench {
    pub files: SimFileSystem,
    pub store: Option<Store>,
    pub now: Now,
    pub events: Vec<StoreEvent>,
    pub options: StoreOptions,
    region: Option<Region>,
    region_options: RegionOptions,
    _directory: tempfile::TempDir,
}

impl Bench {
    pub fn new(pool_bytes: u64, seed: u64) -> Bench {
        let directory = tempfile::Builder::new()
            .prefix("precursor-storage-")
            .tempdir_in("/dev/shm")
            .unwrap();
        let mut region_options = RegionOptions::new(1, directory.path().join("data"));
        region_options.directory = Some(directory.path().to_owned());
        region_options.hugepages = Hugepages::Off;
        region_options.pool_bytes = pool_bytes;
        region_options.buffer_bytes = 2 << 20;
        region_options.control_ring_bytes = 4096;
        let mut bench = Bench {
            files: SimFileSystem::new(),
            store: None,
            now: Now {
                monotonic_us: 1_000_000,
                wall_ms: 1_700_000_000_000,
            },
            events: Vec::new(),
            options: StoreOptions::new(DATA, 0),
            region: None,
            region_options,
            _directory: directory,
        };
        bench.start(seed);
        bench
    }

    /// The pool of the region, which is made where there is none.
    pub fn pool(&mut self) -> ExtentPool {
        let region = match self.region.take() {
            Some(region) => region,
            None => Region::create_or_attach(&self.region_options).unwrap().0,
        };
        let pool = region.extent_pool(0);
        self.region = Some(region);
        pool
    }

    pub fn region(&self) -> Region {
        self.region.clone().unwrap()
    }

    /// The next store has a region of its own: a forgotten one keeps what it had.
    pub fn forget_region(&mut self) {
        if let Some(region) = self.region.take() {
            region.unlink().unwrap();
        }
    }

    /// Opens the store on whatever region and disk there are.
    pub fn start(&mut self, seed: u64) {
        let pool = self.pool();
        let files = Arc::new(self.files.clone());
        let store = Store::open_simulated(self.options.clone(), files, pool, self.now, seed);
        self.store = Some(store.unwrap());
    }

    pub fn store(&mut self) -> &mut Store {
        self.store.as_mut().unwrap()
    }

    /// The process dies; region and disk stay.
    pub fn crash(&mut self) {
        self.files.kill_process();
        self.store = None;
        self.events.clear();
    }

    /// The machine dies: the region and what was not synced are gone.
    pub fn lose_power(&mut self, random: &mut Random) {
        self.files.lose_power(random);
        self.store = None;
        self.events.clear();
        if let Some(region) = self.region.take() {
            region.unlink().unwrap();
        }
    }

    pub fn shutdown(&mut self) {
        let now = self.now;
        self.store.take().unwrap().shutdown(now).unwrap();
        self.events.clear();
    }

    pub fn poll(&mut self) -> bool {
        self.now.monotonic_us += 100;
        let now = self.now;
        let mut events = std::mem::take(&mut self.events);
        let work = self.store().poll(now, &mut events);
        self.events = events;
        work
    }

    pub fn pass(&mut self, milliseconds: u64) {
        self.now.monotonic_us += milliseconds * 1000;
        self.now.wall_ms += milliseconds as i64;
    }

    pub fn poll_until(&mut self, mut done: impl FnMut(&mut Store) -> bool) {
        for _ in 0..100_000 {
            if done(self.store.as_mut().unwrap()) {
                return;
            }
            self.poll();
        }
        panic!("the store does not come to it");
    }

    /// Makes or opens a log and waits for it to be online.
    pub fn open_log(&mut self, uid: u64, topic: &str, config: &LogConfig) -> LogId {
        let id = self.ensure(uid, topic, config);
        self.poll_until(|store| store.state(id) != LogState::Opening);
        assert_eq!(self.store().state(id), LogState::Online);
        id
    }

    pub fn ensure(&mut self, uid: u64, topic: &str, config: &LogConfig) -> LogId {
        let now = self.now;
        let spec = LogSpec {
            uid: LogUid(uid),
            topic_id: TopicId([uid as u8; 16]),
            topic,
            partition: 0,
            config: config.clone(),
            leader_epoch: 3,
            is_new: true,
        };
        self.store().ensure_log(spec, now).unwrap()
    }

    pub fn append(&mut self, id: LogId, batch: &[u8]) -> Result<Appended, AppendError> {
        self.append_with(id, batch, AppendOptions::at(self.now))
    }

    pub fn append_with(
        &mut self,
        id: LogId,
        batch: &[u8],
        options: AppendOptions,
    ) -> Result<Appended, AppendError> {
        match self.store().append(id, batch, options) {
            Err(AppendError::Unprepared) => self.append_prepared(id, batch, options),
            appended => appended,
        }
    }

    /// By way of a worker, as a shard does it.
    fn append_prepared(
        &mut self,
        id: LogId,
        batch: &[u8],
        options: AppendOptions,
    ) -> Result<Appended, AppendError> {
        let region = self.region.as_ref().unwrap();
        let mut buffers = region.buffer_pool(0);
        buffers.set_large_bytes_max(512 << 20);
        let pooled = buffers.take(batch.len());
        let mut records = pooled.or_else(|| buffers.take_large(batch.len())).unwrap();
        records[..batch.len()].copy_from_slice(batch);
        let now = self.now;
        let store = self.store();
        let batch = (records, batch.len());
        let sent = store.prepare(id, 7, batch, Vec::new(), options);
        assert!(sent.is_ok(), "no other batch is with the worker");
        let prepared = store.next_prepared().unwrap();
        assert_eq!(prepared.token, 7);
        store.append_prepared(id, &prepared, now)
    }

    /// Lends room for a batch, where memory has it.
    pub fn lend_blank(&mut self, id: LogId, bytes: usize) -> Option<Blank> {
        let now = self.now;
        self.store().lend_blank(id, bytes as u32, now).unwrap()
    }

    /// Writes a batch into a blank, behind the store's back, and has it appended.
    pub fn append_blank(&mut self, blank: Blank, batch: &[u8]) -> Written {
        poke(blank.address, batch);
        let options = AppendOptions::at(self.now);
        self.store()
            .append_blank(blank, batch.len() as u32, options)
    }

    /// Appends, polling while the store is busy.
    pub fn append_all(&mut self, id: LogId, batch: &[u8]) -> Appended {
        for _ in 0..100_000 {
            match self.append(id, batch) {
                Ok(appended) => return appended,
                Err(AppendError::Busy) => drop(self.poll()),
                Err(error) => panic!("{error:?}"),
            }
        }
        panic!("the store stays busy");
    }

    /// Reads, waiting for the disk, and copies.
    pub fn read(&mut self, id: LogId, options: ReadOptions) -> Result<Vec<u8>, ReadError> {
        let gather = match self.read_gather(id, options) {
            Err(ReadError::Busy) => {
                self.poll_until(|store| match store.read(id, options) {
                    Ok(Read::Ready(gather)) => {
                        store.release(gather);
                        true
                    }
                    Ok(Read::Pending(ticket)) => {
                        store.cancel_read(ticket);
                        false
                    }
                    Err(error) => error != ReadError::Busy,
                });
                self.read_gather(id, options)?
            }
            other => other?,
        };
        let store = self.store();
        let bytes = store.slices(&gather).collect::<Vec<_>>().concat();
        assert_eq!(bytes.len(), gather.len());
        store.release(gather);
        Ok(bytes)
    }

    fn read_gather(
        &mut self,
        id: LogId,
        options: ReadOptions,
    ) -> Result<precursor_storage::Gather, ReadError> {
        match self.store().read(id, options)? {
            Read::Ready(gather) => Ok(gather),
            Read::Pending(ticket) => {
                let mut result = Err(ReadError::Busy);
                for _ in 0..100_000 {
                    self.poll();
                    result = self.store().take_read(ticket);
                    if !matches!(result, Err(ReadError::Busy)) {
                        break;
                    }
                    let ready = StoreEvent::ReadReady { ticket };
                    if self.events.contains(&ready) {
                        break;
                    }
                }
                result
            }
        }
    }

    pub fn read_from(&mut self, id: LogId, offset: i64, max_bytes: usize) -> Vec<u8> {
        let options = ReadOptions {
            offset,
            max_bytes,
            at_least_one: true,
            committed: false,
        };
        self.read(id, options).unwrap()
    }

    pub fn find_time(&mut self, id: LogId, timestamp: i64) -> Option<TimedOffset> {
        let lookup = self.store().offset_for_time(id, timestamp).unwrap();
        self.await_lookup(lookup)
    }

    pub fn newest(&mut self, id: LogId) -> Option<TimedOffset> {
        let lookup = self.store().newest_record(id).unwrap();
        self.await_lookup(lookup)
    }

    fn await_lookup(&mut self, lookup: Lookup) -> Option<TimedOffset> {
        match lookup {
            Lookup::Ready(found) => found,
            Lookup::Pending(ticket) => {
                for _ in 0..100_000 {
                    self.poll();
                    if self.events.contains(&StoreEvent::LookupReady { ticket }) {
                        return self.store().take_lookup(ticket).unwrap();
                    }
                }
                panic!("the lookup does not end");
            }
        }
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.store = None;
        if let Some(region) = self.region.take() {
            let _ = region.unlink();
        }
    }
}

/// Writes memory of this process as the kernel does it: the store is not asked.
pub fn poke(address: usize, bytes: &[u8]) {
    let memory = OpenOptions::new().write(true).open("/proc/self/mem");
    memory.unwrap().write_all_at(bytes, address as u64).unwrap();
}

/// A client's batch of `count` records that take about `bytes`, with timestamps from `time` on.
pub fn batch(count: usize, bytes: usize, time: i64, producer: Option<(i64, i16, i32)>) -> Vec<u8> {
    let mut builder = BatchBuilder::new();
    if let Some((id, epoch, sequence)) = producer {
        builder.set_producer(id, epoch, sequence);
    }
    let value = vec![time as u8; (bytes / count).max(1)];
    for at in 0..count {
        builder.append(time + at as i64, Some(b"k"), Some(&value), &[]);
    }
    let mut out = Vec::new();
    builder.build(&mut out);
    out
}

/// What the log holds of a batch: the same but for the offset and the epoch.
pub fn stored(batch: &[u8], base_offset: i64) -> Vec<u8> {
    let mut out = batch.to_vec();
    out[..8].copy_from_slice(&base_offset.to_be_bytes());
    out[12..16].copy_from_slice(&3i32.to_be_bytes());
    out
}

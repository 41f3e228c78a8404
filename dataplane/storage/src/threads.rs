//! The threads of a store: what works beside the shard's.

use crate::api::{Now, OpenError, StoreOptions};
use crate::coldseg::Freezer;
use crate::compaction::Cleaner;
use crate::jobs::run;
use crate::lanes::{JobHelper, directory_lanes, lane_name, lanes};
use crate::prepare::Workers;
use precursor_disk::{FileSystem, Helper, Wake};
use std::io;
use std::sync::Arc;

/// Jobs that a helper holds at most; more wait on the shard.
const HELPER_DEPTH: usize = 32;

/// What they work on, and what they wake the shard by.
pub(crate) type SharedWith<'a> = (&'a Arc<dyn FileSystem>, &'a Arc<Wake>);

pub(crate) struct Threads {
    pub helpers: Vec<JobHelper>,
    /// By lane of directories, as the next.
    pub cleaners: Box<[Cleaner]>,
    pub freezers: Box<[Freezer]>,
    pub workers: Workers,
}

impl Threads {
    /// Starts those that a store of so many directories has.
    pub fn start(
        options: &StoreOptions,
        roots: usize,
        (files, wake): SharedWith<'_>,
        now: Now,
    ) -> Result<Threads, OpenError> {
        let failed = |what: &str| {
            let what = format!("cannot start {what}");
            move |source| OpenError::System { what, source }
        };
        let helpers = (0..lanes(roots)).map(|lane| helper(options, lane, files, wake));
        let helpers = helpers.collect::<io::Result<Vec<_>>>();
        let by_directory = directory_lanes(roots);
        let cleaners = Cleaner::start(options, by_directory, files, wake, now);
        let freezers = Freezer::start(options, by_directory, files, wake, now);
        let workers = Workers::spawn(&options.workers, options.shard, wake);
        Ok(Threads {
            helpers: helpers.map_err(failed("the file helper threads"))?,
            cleaners: cleaners.map_err(failed("the cleaner threads"))?,
            freezers: freezers.map_err(failed("the threads that compress cold segments"))?,
            workers: workers.map_err(failed("the threads that compress"))?,
        })
    }

    /// None: their work is done within `poll`.
    pub fn inline(
        options: &StoreOptions,
        roots: usize,
        (files, _): SharedWith<'_>,
        now: Now,
    ) -> Result<Threads, OpenError> {
        let inline = |_| {
            let files = files.clone();
            Helper::inline(HELPER_DEPTH, move |job| run(&*files, job))
        };
        let by_directory = directory_lanes(roots);
        Ok(Threads {
            helpers: (0..lanes(roots)).map(inline).collect(),
            cleaners: Cleaner::inline(options.cleaner, by_directory, files, now),
            freezers: Freezer::inline(options.cold, by_directory, files, now),
            workers: Workers::inline(&options.workers),
        })
    }
}

/// A thread for what blocks by nature.
fn helper(
    options: &StoreOptions,
    lane: usize,
    files: &Arc<dyn FileSystem>,
    wake: &Arc<Wake>,
) -> io::Result<JobHelper> {
    let (files, taken) = (files.clone(), options.workers.taken_cpus.clone());
    let name = lane_name("files", options.shard, lane);
    // What blocks in the kernel must not do so beside a shard that is pinned.
    let settle = move || precursor_disk::keep_off(&taken);
    Helper::spawn_settled(name, HELPER_DEPTH, wake.clone(), settle, move |job| {
        run(&*files, job)
    })
}

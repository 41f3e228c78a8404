//! Cleans one log, group after group of its segments, on a thread of its own.
//!
//! [`Job::Begin`] reads what was appended since the last run and notes where each key was last
//! written; each [`Job::Group`] then writes one new segment. What is held between the two is freed
//! with the last group.

use crate::compaction::filter::{Filter, Kept, Rules};
use crate::compaction::groups::{GroupLimits, Source, group_segments};
use crate::compaction::key_map::KeyMap;
use crate::compaction::pace::Pace;
use crate::compaction::segment_reader::SegmentReader;
use crate::compaction::segment_writer::{CleanedSegment, SegmentWriter};
use crate::compaction::swap::discard;
use crate::compaction::transactions::Fates;
use crate::layout::segment_file;
use precursor_compression::decompress;
use precursor_disk::{DiskFile, FileSystem, OpenMode};
use precursor_model::Offset;
use precursor_protocol::records::{BatchView, Codec, Records};
use std::collections::{HashMap, VecDeque};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What is to be cleaned.
#[derive(Debug)]
pub(crate) struct Plan {
    pub directory: Arc<PathBuf>,
    /// Sealed segments from the log's start on, on disk whole.
    pub sources: Vec<Source>,
    /// Everything below is clean.
    pub first_dirty: Offset,
    /// Nothing from here on is looked at.
    pub uncleanable: Offset,
    pub limits: GroupLimits,
    pub index_interval: u32,
    pub rules: Rules,
    pub map_bytes: usize,
}

/// How much room a plan has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PlanSize {
    pub sources: usize,
    pub producers: usize,
}

impl PlanSize {
    /// What comes to the log while the plan is made has room too.
    fn with_reserve(self) -> PlanSize {
        PlanSize {
            sources: self.sources + self.sources / 4 + 8,
            producers: self.producers + self.producers / 4 + 64,
        }
    }
}

impl Plan {
    /// A plan that says nothing yet: the shard fills it without calling the allocator.
    fn blank(directory: Arc<PathBuf>, size: PlanSize) -> Box<Plan> {
        let size = size.with_reserve();
        Box::new(Plan {
            directory,
            sources: Vec::with_capacity(size.sources),
            first_dirty: 0,
            uncleanable: 0,
            limits: GroupLimits {
                bytes: 0,
                index_bytes: 0,
            },
            index_interval: 0,
            rules: Rules {
                now_ms: 0,
                delete_retention_ms: 0,
                producers: HashMap::with_capacity(size.producers),
            },
            map_bytes: 0,
        })
    }

    pub fn holds(&self, size: PlanSize) -> bool {
        self.sources.capacity() >= size.sources && self.rules.producers.capacity() >= size.producers
    }
}

#[derive(Debug)]
pub(crate) enum Job {
    /// Makes a plan with room for that much of the log in a directory.
    Blank(Arc<PathBuf>, PlanSize),
    Begin(Box<Plan>),
    Group,
    /// Frees what is held.
    Rest,
}

/// What a job came to.
#[derive(Debug)]
pub(crate) enum Outcome {
    Blank(Box<Plan>),
    Begun(io::Result<Begun>),
    Group(io::Result<Group>),
    Rests,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Begun {
    /// The log is clean up to here once every group is.
    pub end: Offset,
    /// How many times [`Job::Group`] is to be sent.
    pub groups: usize,
}

/// A group that was cleaned.
#[derive(Debug)]
pub(crate) struct Group {
    /// `None`: its segment is as it should be.
    pub cleaned: Option<CleanedSegment>,
    pub bytes_read: u64,
    pub records_dropped: u64,
}

/// The cleaner's thread.
pub(crate) struct Worker {
    files: Arc<dyn FileSystem>,
    pace: Pace,
    run: Option<Run>,
}

struct Run {
    directory: Arc<PathBuf>,
    index_interval: u32,
    filter: Filter,
    groups: VecDeque<Vec<Source>>,
}

impl Worker {
    pub fn new(files: Arc<dyn FileSystem>, pace: Pace) -> Worker {
        Worker {
            files,
            pace,
            run: None,
        }
    }

    /// Does a job, blocking.
    pub fn run(&mut self, job: Job) -> Outcome {
        match job {
            Job::Blank(directory, size) => Outcome::Blank(Plan::blank(directory, size)),
            Job::Begin(plan) => Outcome::Begun(self.begin(*plan)),
            Job::Rest => {
                self.run = None;
                Outcome::Rests
            }
            Job::Group => {
                let result = self.clean_group();
                if result.is_err() {
                    self.run = None;
                }
                Outcome::Group(result)
            }
        }
    }

    fn begin(&mut self, plan: Plan) -> io::Result<Begun> {
        self.run = None;
        let mapper = Mapper {
            files: &*self.files,
            pace: &mut self.pace,
            plan: &plan,
            // Offsets are at most as many as keys.
            map: KeyMap::new(
                plan.map_bytes,
                (plan.uncleanable - plan.first_dirty).max(0) as u64,
            ),
            fates: None,
            upper: plan.uncleanable,
            latest: plan.first_dirty - 1,
        };
        let (map, fates, latest) = mapper.read_dirty()?;
        let end = latest + 1;
        if end <= plan.first_dirty {
            return Ok(Begun { end, groups: 0 });
        }
        let within = plan.sources.partition_point(|source| source.base < end);
        let index_bytes = |source: &Source| {
            let path = segment_file(&plan.directory, source.base, "index");
            let file = self.files.open(&path, OpenMode::Plain);
            file.and_then(|file| file.length()).unwrap_or(0)
        };
        let groups = group_segments(&plan.sources[..within], plan.limits, index_bytes);
        let begun = Begun {
            end,
            groups: groups.len(),
        };
        self.run = Some(Run {
            directory: plan.directory,
            index_interval: plan.index_interval,
            filter: Filter::new(plan.rules, map, latest, fates),
            groups: groups.into(),
        });
        Ok(begun)
    }

    fn clean_group(&mut self) -> io::Result<Group> {
        let run = self.run.as_mut();
        let Some((run, sources)) = run.and_then(|run| {
            let sources = run.groups.pop_front()?;
            Some((run, sources))
        }) else {
            return Err(ErrorKind::NotFound.into());
        };
        let result = run.clean(&*self.files, &mut self.pace, &sources);
        if result.is_err() {
            // Nobody will ask for it.
            let _ = discard(&*self.files, &run.directory, sources[0].base);
        }
        if run.groups.is_empty() {
            self.run = None;
        }
        result
    }
}

impl Run {
    fn clean(
        &mut self,
        files: &dyn FileSystem,
        pace: &mut Pace,
        sources: &[Source],
    ) -> io::Result<Group> {
        let dropped_before = self.filter.records_dropped;
        let directory = self.directory.clone();
        let open = |source: &Source| open_log(files, &directory, source);
        let only = match sources {
            [only] => Some(open(only)?),
            _ => None,
        };
        let mut writer = SegmentWriter::new(files, &directory, sources, only, self.index_interval);
        let group_end = sources.last().map_or(0, |source| source.end);
        for source in sources {
            let mut reader = SegmentReader::new(open(source)?, source.size);
            while let Some(batch) = reader.next(pace)? {
                let ends = batch.last_offset() + 1 == group_end;
                match self.filter.judge(&batch, ends)? {
                    Kept::Unchanged => writer.keep(batch.bytes(), pace)?,
                    Kept::Changed(bytes) => writer.change(Some(bytes), pace)?,
                    Kept::Nothing => writer.change(None, pace)?,
                }
            }
        }
        Ok(Group {
            cleaned: writer.finish(pace)?,
            bytes_read: sources.iter().map(|source| source.size).sum(),
            records_dropped: self.filter.records_dropped - dropped_before,
        })
    }
}

fn open_log(files: &dyn FileSystem, directory: &Path, source: &Source) -> io::Result<DiskFile> {
    files.open(
        &segment_file(directory, source.base, "log"),
        OpenMode::Plain,
    )
}

/// Reads the dirty part and notes where each key was last written.
struct Mapper<'a> {
    files: &'a dyn FileSystem,
    pace: &'a mut Pace,
    plan: &'a Plan,
    map: KeyMap,
    /// Read when the first batch of a transaction is met: most logs have none.
    fates: Option<Fates>,
    /// Where to end: a transaction whose outcome is not known begins here at the latest.
    upper: Offset,
    /// The last offset that the map knows of.
    latest: Offset,
}

impl Mapper<'_> {
    /// Ends where the range does, or the map's room.
    fn read_dirty(mut self) -> io::Result<(KeyMap, Fates, Offset)> {
        let plan = self.plan;
        'segments: for (at, source) in plan.sources.iter().enumerate() {
            if source.end <= plan.first_dirty {
                continue;
            }
            let file = open_log(self.files, &plan.directory, source)?;
            let mut reader = SegmentReader::new(file, source.size);
            while let Some(batch) = reader.next(self.pace)? {
                if batch.last_offset() < plan.first_dirty {
                    continue;
                }
                if batch.is_transactional() && self.fates.is_none() {
                    self.read_fates(at)?;
                }
                if batch.last_offset() >= self.upper || !self.map_batch(&batch)? {
                    break 'segments;
                }
            }
        }
        Ok((self.map, self.fates.unwrap_or_default(), self.latest))
    }

    fn read_fates(&mut self, from: usize) -> io::Result<()> {
        let sources = &self.plan.sources[from..];
        let mut fates = Fates::from(sources[0].base);
        for source in sources {
            let file = open_log(self.files, &self.plan.directory, source)?;
            fates.read_segment(&file, source.size)?;
        }
        self.upper = self.upper.min(fates.first_open().unwrap_or(self.upper));
        self.fates = Some(fates);
        Ok(())
    }

    /// Notes a batch's keys; false when there is no room for them.
    fn map_batch(&mut self, batch: &BatchView<'_>) -> io::Result<bool> {
        let aborted = self
            .fates
            .as_ref()
            .is_some_and(|fates| fates.is_aborted(batch));
        if !batch.is_control() && !aborted {
            let count = batch.record_count().max(0) as usize;
            if count > self.map.room() {
                if !self.map.is_empty() {
                    return Ok(false);
                }
                self.map.grow_for(count);
            }
            let plain;
            let bytes = match batch.codec() {
                Codec::None => batch.record_bytes(),
                _ if count == 0 => &[],
                codec => {
                    plain = decompress(codec, batch.record_bytes())?;
                    &plain
                }
            };
            for record in Records::new(bytes, batch.record_count()) {
                let record =
                    record.map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
                let offset = batch.base_offset() + i64::from(record.offset_delta);
                if let Some(key) = record.key
                    && offset >= self.plan.first_dirty
                {
                    self.map.put(key, offset);
                }
            }
        }
        self.latest = batch.last_offset();
        Ok(true)
    }
}

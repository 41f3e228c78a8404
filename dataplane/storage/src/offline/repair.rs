//! `precursor storage repair`: says what is to be done about damage, and does it.

use super::finding::{Finding, Severity};
use super::inventory::Inventory;
use super::verify::{Watch, verify};
use crate::coldseg::{self, CONTAINER, ColdFiles, container_path, thaw};
use crate::compaction::recover;
use crate::epochs::LeaderEpochs;
use crate::find_time::rebuild_index;
use crate::index_builder::INDEX_INTERVAL;
use crate::jobs::read_offsets;
use crate::layout::{
    CLEANER_OFFSETS, LEADER_EPOCHS, LOG_STARTS, OffsetMap, PARTITION_METADATA, RECOVERY_POINTS,
    base_of, decode_offsets, encode_offsets, segment_file,
};
use crate::quarantine::{Sick, mend, move_aside};
use crate::segment_files::{create_segment, segment_bases, write_index};
use crate::segment_walk::{Piece, SegmentWalk};
use crate::transactions::{TRANSACTION_INDEX, aborted_by_segment, write_aborted};
use precursor_disk::{FileSystem, OpenMode};
use precursor_model::Offset;
use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Mending may bring to light what damage hid: how often to look again.
const ROUNDS_MAX: usize = 4;

/// One thing that is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// End what compaction or an earlier repair began.
    Finish(PathBuf),
    /// Make an empty segment in a partition that has none.
    Create { directory: PathBuf, base: Offset },
    /// Write a segment anew without its bad bytes; these go to the quarantine. `fill_to`: where
    /// offsets are missing at its end, an empty batch takes their place.
    Mend {
        directory: PathBuf,
        base: Offset,
        next_base: Option<Offset>,
        fill_to: Option<Offset>,
    },
    /// Write a cold segment plain, because its container is damaged and can yet be read.
    Thaw { directory: PathBuf, base: Offset },
    /// Make a segment's indexes again from its batches.
    Index { directory: PathBuf, base: Offset },
    /// Make a segment's transaction index again from the log's batches.
    Transactions { directory: PathBuf, base: Offset },
    /// Move a file that cannot be read as what it should be to the quarantine.
    Aside(PathBuf),
    /// Make the list of leader epochs again from the batches.
    Epochs(PathBuf),
    /// Correct what the checkpoints say of a partition, where its log does not reach as far.
    Checkpoints {
        directory: PathBuf,
        topic: String,
        partition: i32,
    },
    /// Put an offset checkpoint that makes no sense aside and begin it anew.
    NewCheckpoint(PathBuf),
}

impl Step {
    /// The file or directory that is changed.
    pub fn path(&self) -> PathBuf {
        match self {
            Step::Finish(path)
            | Step::Aside(path)
            | Step::NewCheckpoint(path)
            | Step::Checkpoints {
                directory: path, ..
            } => path.clone(),
            Step::Epochs(directory) => directory.join(LEADER_EPOCHS),
            Step::Index { directory, base } => segment_file(directory, *base, "index"),
            Step::Transactions { directory, base } => {
                segment_file(directory, *base, TRANSACTION_INDEX)
            }
            Step::Thaw { directory, base } => container_path(directory, *base),
            Step::Create { directory, base }
            | Step::Mend {
                directory, base, ..
            } => segment_file(directory, *base, "log"),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Step::Finish(_) => "end the change of segments that was begun",
            Step::Create { .. } => "make an empty segment",
            Step::Mend { fill_to: None, .. } => {
                "write the segment anew without its bad bytes, which go to the quarantine"
            }
            Step::Mend { .. } => {
                "write the segment anew without its bad bytes, which go to the quarantine; empty \
                 batches take the place of the offsets that are lost"
            }
            Step::Thaw { .. } => "write the segment plain again, out of its container",
            Step::Index { .. } => "make both indexes of the segment again from its batches",
            Step::Transactions { .. } => {
                "make the transaction index again from the markers of the log"
            }
            Step::Aside(_) => "move the file to the quarantine",
            Step::Epochs(_) => "make it again from the batches' leader epochs",
            Step::Checkpoints { .. } => {
                "correct recovery point, log start and cleaned part to what the log holds"
            }
            Step::NewCheckpoint(_) => "move it to the quarantine and begin it anew",
        })
    }
}

/// What is to be done, and what repair cannot do.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    pub steps: Vec<Step>,
    pub left: Vec<Finding>,
}

/// What became of a plan.
#[derive(Debug, Default)]
pub struct Repaired {
    pub done: Vec<Step>,
    pub failed: Vec<(Step, io::Error)>,
}

/// Looks at a directory and says what is to be done; nothing is changed.
///
/// # Errors
/// Something cannot be read.
pub fn plan(files: &dyn FileSystem, data_dir: &Path, watch: &mut dyn Watch) -> io::Result<Plan> {
    let files: &dyn FileSystem = &ColdFiles::on(files);
    let mut gathered = Gathered {
        watch,
        findings: Vec::new(),
    };
    verify(files, data_dir, &mut gathered)?;
    let findings = gathered.findings;
    let mut plan = Plan::default();
    for name in [RECOVERY_POINTS, LOG_STARTS, CLEANER_OFFSETS] {
        let path = data_dir.join(name);
        let is_bad = |f: &Finding| f.file == path && f.severity == Severity::Damage;
        if findings.iter().any(is_bad) {
            plan.steps.push(Step::NewCheckpoint(path));
        }
    }
    let inventory = Inventory::read(files, data_dir)?;
    let points = known_offsets(files, &data_dir.join(RECOVERY_POINTS))?;
    let starts = known_offsets(files, &data_dir.join(LOG_STARTS))?;
    for partition in &inventory.partitions {
        let key = (partition.topic.clone(), partition.partition);
        let within = findings
            .iter()
            .filter(|f| f.file.starts_with(&partition.path));
        let planner = Planner {
            files,
            directory: &partition.path,
            findings: within.collect(),
            recovery_point: points.get(&key).copied(),
            log_start: starts.get(&key).copied(),
        };
        let correct = planner.plan(&mut plan)?;
        if correct {
            plan.steps.push(Step::Checkpoints {
                directory: partition.path.clone(),
                topic: key.0,
                partition: key.1,
            });
        }
    }
    Ok(plan)
}

fn known_offsets(files: &dyn FileSystem, path: &Path) -> io::Result<OffsetMap> {
    read_offsets(files, path)
}

/// Does what [`plan`] says until there is nothing more to do.
///
/// # Errors
/// Something cannot be read. Steps that fail are told in the outcome.
pub fn repair(
    files: &dyn FileSystem,
    data_dir: &Path,
    watch: &mut dyn Watch,
) -> io::Result<Repaired> {
    let files: &dyn FileSystem = &ColdFiles::on(files);
    let mut repaired = Repaired::default();
    for _ in 0..ROUNDS_MAX {
        let steps = plan(files, data_dir, watch)?.steps;
        repaired.failed.clear();
        let before = repaired.done.len();
        for step in steps {
            match take(files, data_dir, &step) {
                Ok(()) => repaired.done.push(step),
                Err(error) => repaired.failed.push((step, error)),
            }
        }
        if repaired.done.len() == before {
            break;
        }
    }
    Ok(repaired)
}

/// Passes on what is read, and keeps what is found.
struct Gathered<'a> {
    watch: &'a mut dyn Watch,
    findings: Vec<Finding>,
}

impl Watch for Gathered<'_> {
    fn found(&mut self, finding: Finding) {
        self.findings.push(finding.clone());
        self.watch.found(finding);
    }

    fn read(&mut self, bytes: u64) {
        self.watch.read(bytes);
    }
}

/// Decides about one partition.
struct Planner<'a> {
    files: &'a dyn FileSystem,
    directory: &'a Path,
    findings: Vec<&'a Finding>,
    recovery_point: Option<Offset>,
    log_start: Option<Offset>,
}

impl Planner<'_> {
    /// Adds what is to be done; true when the checkpoints say too much of the partition.
    fn plan(&self, plan: &mut Plan) -> io::Result<bool> {
        let directory = self.directory.to_owned();
        if self.findings.iter().any(|f| f.kind == "leftover") {
            // What else there is shows when that is done.
            plan.steps.push(Step::Finish(directory));
            return Ok(false);
        }
        let damages: Vec<&Finding> = { &self.findings }
            .iter()
            .filter(|f| f.severity == Severity::Damage)
            .copied()
            .collect();
        if damages.is_empty() {
            return Ok(false);
        }
        let bases = segment_bases(self.files, self.directory)?;
        let Some(last) = bases.last() else {
            let offsets = [self.recovery_point, self.log_start, Some(0)];
            let base = offsets.into_iter().flatten().max().unwrap_or(0);
            plan.steps.push(Step::Create { directory, base });
            return Ok(false);
        };
        let mut sick = BTreeSet::new();
        let mut indexes = BTreeSet::new();
        let mut thawed = BTreeSet::new();
        let mut checkpoints = false;
        for damage in damages {
            let name = damage
                .file
                .file_name()
                .unwrap_or_default()
                .to_string_lossy();
            if let Some(base) = base_of(&name, CONTAINER) {
                // Of chunks that cannot be read the batches tell.
                if damage.kind == "container" {
                    thawed.insert(base);
                }
                continue;
            }
            if damage.kind == "dictionary" {
                continue;
            }
            let index = base_of(&name, "index").or(base_of(&name, "timeindex"));
            if let Some(base) = base_of(&name, "log") {
                // What lies between two segments goes to the end of the first.
                let is_join = damage.kind == "missing" && damage.bytes.is_none();
                let before = bases.partition_point(|other| *other < base);
                match before.checked_sub(1).filter(|_| is_join) {
                    Some(previous) => sick.insert(bases[previous]),
                    None => sick.insert(base),
                };
            } else if let Some(base) = index {
                indexes.insert(base);
            } else if let Some(base) = base_of(&name, TRANSACTION_INDEX) {
                let directory = directory.clone();
                plan.steps.push(Step::Transactions { directory, base });
            } else if name == LEADER_EPOCHS {
                plan.steps.push(Step::Epochs(directory.clone()));
            } else if name == PARTITION_METADATA {
                plan.left.push(damage.clone());
            } else if damage.kind == "producers" {
                plan.steps.push(Step::Aside(damage.file.clone()));
            } else if damage.file == directory && damage.offsets.is_some_and(|o| o.0 >= *last) {
                // Offsets at the end were given away and are not there.
                sick.insert(*last);
            } else {
                checkpoints = true;
            }
        }
        for base in thawed.difference(&sick) {
            let (directory, base) = (directory.clone(), *base);
            plan.steps.push(Step::Thaw { directory, base });
        }
        self.plan_segments(&bases, &sick, &indexes, plan);
        Ok(checkpoints)
    }

    fn plan_segments(
        &self,
        bases: &[Offset],
        sick: &BTreeSet<Offset>,
        indexes: &BTreeSet<Offset>,
        plan: &mut Plan,
    ) {
        for (at, base) in bases.iter().enumerate() {
            let next_base = bases.get(at + 1).copied();
            let directory = self.directory.to_owned();
            if sick.contains(base) {
                plan.steps.push(Step::Mend {
                    directory,
                    base: *base,
                    next_base,
                    fill_to: next_base.or(self.recovery_point),
                });
            } else if indexes.contains(base) {
                plan.steps.push(Step::Index {
                    directory,
                    base: *base,
                });
            }
        }
        for base in indexes.iter().filter(|base| !bases.contains(base)) {
            for kind in ["index", "timeindex", TRANSACTION_INDEX] {
                let path = segment_file(self.directory, *base, kind);
                if self.files.open(&path, OpenMode::Read).is_ok() {
                    plan.steps.push(Step::Aside(path));
                }
            }
        }
    }
}

fn take(files: &dyn FileSystem, data_dir: &Path, step: &Step) -> io::Result<()> {
    match step {
        Step::Finish(directory) => {
            recover(files, directory)?;
            coldseg::recover(files, directory, std::iter::empty())
        }
        Step::Thaw { directory, base } => thaw(files, directory, *base),
        Step::Create { directory, base } => create_segment(files, directory, *base).map(drop),
        Step::Aside(path) => move_aside(files, data_dir, path),
        Step::Epochs(directory) => rebuild_epochs(files, data_dir, directory),
        Step::Index { directory, base } => {
            let path = segment_file(directory, *base, "log");
            let file = files.open(&path, OpenMode::Read)?;
            let size = file.length()?;
            let index = rebuild_index(&file, *base, size)?;
            write_index(files, directory, *base, &index)
        }
        Step::Transactions { directory, base } => {
            let bases = segment_bases(files, directory)?;
            let at = bases.iter().position(|other| other == base);
            let mut all = aborted_by_segment(files, directory, &bases)?;
            let aborted = at.map_or(Vec::new(), |at| all.swap_remove(at));
            write_aborted(files, directory, *base, 0, &aborted)
        }
        Step::Mend {
            directory,
            base,
            next_base,
            fill_to,
        } => {
            let path = segment_file(directory, *base, "log");
            let epochs = files.read(&directory.join(LEADER_EPOCHS)).ok();
            let epochs =
                epochs.and_then(|bytes| LeaderEpochs::decode(&String::from_utf8_lossy(&bytes)));
            let sick = Sick {
                data_dir: data_dir.to_owned(),
                directory: directory.clone(),
                base: *base,
                size: files.open(&path, OpenMode::Read)?.length()?,
                next_base: *next_base,
                fill_to: *fill_to,
                index_interval: INDEX_INTERVAL,
                epochs,
            };
            mend(files, &sick).map(drop)
        }
        Step::Checkpoints {
            directory,
            topic,
            partition,
        } => correct_checkpoints(files, data_dir, directory, (topic, *partition)),
        Step::NewCheckpoint(path) => {
            move_aside(files, data_dir, path)?;
            files.replace(path, encode_offsets(&OffsetMap::new()).as_bytes())
        }
    }
}

/// The sound batches of a partition, in order.
fn each_batch(
    files: &dyn FileSystem,
    directory: &Path,
    bases: &[Offset],
    mut visit: impl FnMut(i32, Offset),
) -> io::Result<Offset> {
    let mut end = bases.first().copied().unwrap_or(0);
    for (at, base) in bases.iter().enumerate() {
        let file = files.open(&segment_file(directory, *base, "log"), OpenMode::Read)?;
        let size = file.length()?;
        let mut walk = SegmentWalk::new(file, size, *base, bases.get(at + 1).copied());
        while let Some(piece) = walk.next()? {
            if let Piece::Batch { header, .. } = piece {
                visit(header.leader_epoch, header.base_offset);
            }
        }
        end = walk.expected();
    }
    Ok(end)
}

fn rebuild_epochs(files: &dyn FileSystem, data_dir: &Path, directory: &Path) -> io::Result<()> {
    let bases = segment_bases(files, directory)?;
    let mut epochs = LeaderEpochs::default();
    each_batch(files, directory, &bases, |epoch, offset| {
        epochs.assign(epoch, offset);
    })?;
    let path = directory.join(LEADER_EPOCHS);
    if files.open(&path, OpenMode::Read).is_ok() {
        move_aside(files, data_dir, &path)?;
    }
    files.replace(&path, epochs.encode().as_bytes())
}

fn correct_checkpoints(
    files: &dyn FileSystem,
    data_dir: &Path,
    directory: &Path,
    (topic, partition): (&str, i32),
) -> io::Result<()> {
    let bases = segment_bases(files, directory)?;
    let first = bases.first().copied().unwrap_or(0);
    let last = &bases[bases.len().saturating_sub(1)..];
    let end = each_batch(files, directory, last, |_, _| {})?;
    let key = (topic.to_owned(), partition);
    for (name, least) in [
        (RECOVERY_POINTS, 0),
        (LOG_STARTS, first),
        (CLEANER_OFFSETS, 0),
    ] {
        let path = data_dir.join(name);
        let Ok(bytes) = files.read(&path) else {
            continue;
        };
        let Some(mut offsets) = decode_offsets(&String::from_utf8_lossy(&bytes)) else {
            continue;
        };
        if let Some(offset) = offsets.get_mut(&key) {
            *offset = (*offset).max(least).min(end);
            files.replace(&path, encode_offsets(&offsets).as_bytes())?;
        }
    }
    Ok(())
}

//! Reads one partition's directory and tells what is wrong.

use super::container_check::check_container;
use super::finding::Finding;
use super::index_check::IndexCheck;
use super::transaction_check::TransactionCheck;
use super::verify::Report;
use crate::batch::BatchHeader;
use crate::coldseg;
use crate::epochs::LeaderEpochs;
use crate::layout::{
    LEADER_EPOCHS, PARTITION_METADATA, base_of, decode_partition_metadata, segment_file,
};
use crate::producers::ProducerState;
use crate::segment_files::segment_bases;
use crate::segment_walk::{Fault, Hole, Piece, SegmentWalk};
use crate::transactions::TRANSACTION_INDEX;
use precursor_disk::{FileSystem, OpenMode};
use precursor_model::Offset;
use std::io::{self, ErrorKind};
use std::path::Path;

/// Whether a name is that of one of a partition's files.
pub(super) fn is_own(name: &str) -> bool {
    let kinds = [
        "log",
        "index",
        "timeindex",
        TRANSACTION_INDEX,
        "snapshot",
        "producers",
    ];
    kinds.iter().any(|kind| base_of(name, kind).is_some())
        || coldseg::is_dictionary(name)
        || [LEADER_EPOCHS, PARTITION_METADATA].contains(&name)
}

/// Or of one that is on its way to be, or not any more.
pub(super) fn is_leftover(name: &str) -> bool {
    let ends = [".cleaned", ".swap", ".deleted", ".tmp", ".log.cold"];
    ends.iter().any(|end| name.ends_with(end))
}

/// What is known of a partition besides its files.
pub(super) struct PartitionCheck<'a> {
    pub files: &'a dyn FileSystem,
    pub directory: &'a Path,
    pub stopped_cleanly: bool,
    /// A region is left: what the files lack may be there.
    pub region_left: bool,
    pub recovery_point: Option<Offset>,
    pub log_start: Option<Offset>,
    pub clean_to: Option<Offset>,
}

/// What the segments have shown so far.
struct Progress {
    /// Where the next segment should begin; `None` before the first.
    end: Option<Offset>,
    /// The leader epoch of the last batch.
    epoch: i32,
    epochs: Option<LeaderEpochs>,
    transactions: TransactionCheck,
}

impl PartitionCheck<'_> {
    pub fn run(&self, report: &mut Report<'_>) -> io::Result<()> {
        let mut names = self.files.list(self.directory)?;
        names.sort();
        let swapping = self.check_names(&names, report);
        self.check_metadata(report)?;
        let bases = segment_bases(self.files, self.directory)?;
        if bases.is_empty() {
            let what = "the partition has no segment";
            report.found(Finding::damage("missing", self.directory.to_owned(), what));
            return Ok(());
        }
        let mut progress = Progress {
            end: None,
            epoch: -1,
            epochs: self.read_epochs(report)?,
            transactions: TransactionCheck::default(),
        };
        for (at, base) in bases.iter().enumerate() {
            let next = bases.get(at + 1).copied();
            self.check_join(*base, swapping, &progress, report);
            self.check_segment(*base, next, &mut progress, report)?;
        }
        let end = progress.end.unwrap_or(bases[0]);
        self.check_ends(bases[0], end, &progress, report);
        // A log that never had a batch has had no epoch to note.
        if self.stopped_cleanly && !names.iter().any(|name| name == LEADER_EPOCHS) && end > bases[0]
        {
            let path = self.directory.join(LEADER_EPOCHS);
            report.found(Finding::damage("missing", path, "it is missing"));
        }
        self.check_producers(&names, end, report)
    }

    /// Names that are nobody's, and what was left over. True when compaction was putting segments
    /// in place.
    fn check_names(&self, names: &[String], report: &mut Report<'_>) -> bool {
        let mut swapping = false;
        for name in names {
            let path = self.directory.join(name);
            if is_own(name) {
                continue;
            }
            swapping |= name.ends_with(".log.swap");
            report.found(match is_leftover(name) {
                true => Finding::note(
                    "leftover",
                    path,
                    "left over from a change that did not come to its end; opening the log ends it",
                ),
                false => Finding::note(
                    "foreign",
                    path,
                    "it is none of a partition's files, and is left alone",
                ),
            });
        }
        swapping
    }

    fn check_metadata(&self, report: &mut Report<'_>) -> io::Result<()> {
        let path = self.directory.join(PARTITION_METADATA);
        match self.read_optional(&path)? {
            None => {
                let what = "it is missing: whose log this is cannot be told";
                report.found(Finding::damage("missing", path, what));
            }
            Some(bytes) => {
                if decode_partition_metadata(&String::from_utf8_lossy(&bytes)).is_none() {
                    let what = "it says no topic id";
                    report.found(Finding::damage("partition-metadata", path, what));
                }
            }
        }
        Ok(())
    }

    fn read_epochs(&self, report: &mut Report<'_>) -> io::Result<Option<LeaderEpochs>> {
        let path = self.directory.join(LEADER_EPOCHS);
        let Some(bytes) = self.read_optional(&path)? else {
            return Ok(None);
        };
        let epochs = LeaderEpochs::decode(&String::from_utf8_lossy(&bytes));
        if epochs.is_none() {
            let what = "it is no list of leader epochs that go up";
            report.found(Finding::damage("leader-epochs", path, what));
        }
        Ok(epochs)
    }

    fn check_join(
        &self,
        base: Offset,
        swapping: bool,
        progress: &Progress,
        report: &mut Report<'_>,
    ) {
        let Some(end) = progress.end.filter(|end| *end < base && !swapping) else {
            return;
        };
        let path = segment_file(self.directory, base, "log");
        let what = format!(
            "the segment before it ends at offset {}: what lies between is missing",
            end - 1
        );
        report.found(Finding::damage("missing", path, what).of_offsets(end, base));
    }

    fn check_segment(
        &self,
        base: Offset,
        next: Option<Offset>,
        progress: &mut Progress,
        report: &mut Report<'_>,
    ) -> io::Result<()> {
        let path = segment_file(self.directory, base, "log");
        let file = self.files.open(&path, OpenMode::Read)?;
        let size = file.length()?;
        report.outcome.segments += 1;
        check_container(self.files, self.directory, base, report)?;
        let index_path = segment_file(self.directory, base, "index");
        let time_path = segment_file(self.directory, base, "timeindex");
        let offsets = self.read_optional(&index_path)?;
        let times = self.read_optional(&time_path)?;
        let mut check = IndexCheck::new(
            base,
            (index_path.clone(), offsets.as_deref().unwrap_or_default()),
            (time_path.clone(), times.as_deref().unwrap_or_default()),
        );
        let mut walk = SegmentWalk::new(file, size, base, next);
        let mut read = 0;
        while let Some(piece) = walk.next()? {
            let end = match piece {
                Piece::Batch {
                    header,
                    position,
                    end,
                } => {
                    report.outcome.batches += 1;
                    report.outcome.records += u64::from(header.count.max(0).unsigned_abs());
                    check.batch(&header, position);
                    let bytes: &[u8] = match header.is_control() {
                        true => walk.bytes(position, end)?,
                        false => &[],
                    };
                    progress.transactions.batch(&header, bytes);
                    self.check_epoch(&path, &header, (position, end), progress, report);
                    end
                }
                Piece::Hole(hole) => {
                    self.report_hole(&path, &hole, next, report);
                    check.hole(hole.end, hole.next);
                    // Room at the end of what a crash left is none.
                    if hole.next.is_some() || next.is_some() {
                        progress.transactions.hole();
                    }
                    hole.end
                }
            };
            report.outcome.bytes += end - read;
            report.watch.read(end - read);
            read = end;
        }
        let end = walk.expected();
        progress.end = Some(end);
        let settled = self.recovery_point.is_some_and(|point| end <= point);
        let complete = self.stopped_cleanly || (settled && next.is_some());
        // Indexes are written with the batches that they point to: of none, there need be no file.
        if complete && size > 0 {
            for (path, bytes) in [(index_path, &offsets), (time_path, &times)] {
                if bytes.is_none() {
                    let what = "it is missing; it can be made again from the segment";
                    report.found(Finding::damage("missing", path, what));
                }
            }
        }
        let aborted = segment_file(self.directory, base, TRANSACTION_INDEX);
        let aborted = self.read_optional(&aborted)?;
        let transactions = &mut progress.transactions;
        let wrong = transactions.finish(self.directory, (base, end), aborted.as_deref(), complete);
        wrong.into_iter().for_each(|finding| report.found(finding));
        let both = complete && times.is_some();
        for finding in check.finish(size, both) {
            report.found(finding);
        }
        Ok(())
    }

    fn report_hole(
        &self,
        path: &Path,
        hole: &Hole,
        next_base: Option<Offset>,
        report: &mut Report<'_>,
    ) {
        let is_tail = hole.next.is_none();
        let until = hole.next.or(next_base);
        let kind = match hole.fault {
            Fault::Torn | Fault::Header { .. } | Fault::Padding
                if is_tail && next_base.is_none() =>
            {
                "torn-tail"
            }
            Fault::Gap { .. } => "missing",
            _ => "batch",
        };
        let path = path.to_owned();
        // Room that was made ahead, or the end of what a region still holds.
        let is_padding = hole.fault == Fault::Padding
            && !self.stopped_cleanly
            && next_base.is_none_or(|next| next == hole.first);
        let found = match is_padding || (is_tail && next_base.is_none() && self.region_left) {
            true => Finding::note(kind, path, hole.fault.to_string()),
            false => Finding::damage(kind, path, hole.fault.to_string()),
        };
        let found = found.at(hole.position, hole.end);
        report.found(match until {
            Some(until) => found.of_offsets(hole.first, until),
            None => found.of_offsets(hole.first, hole.first + 1),
        });
    }

    /// The epoch is not under the batch's checksum; the checkpoint knows it.
    fn check_epoch(
        &self,
        path: &Path,
        header: &BatchHeader,
        (position, end): (u64, u64),
        progress: &mut Progress,
        report: &mut Report<'_>,
    ) {
        let epoch = header.leader_epoch;
        let is_recorded = self
            .recovery_point
            .is_some_and(|p| header.last_offset() < p);
        let recorded = progress
            .epochs
            .as_ref()
            .filter(|_| is_recorded)
            .map(|epochs| epochs.epoch_of(header.base_offset))
            .filter(|recorded| *recorded >= 0);
        let what = match recorded {
            Some(recorded) if recorded != epoch => {
                format!("the batch carries leader epoch {epoch}; {LEADER_EPOCHS} says {recorded}")
            }
            None if (0..progress.epoch).contains(&epoch) => {
                format!("leader epoch {epoch} comes behind epoch {}", progress.epoch)
            }
            _ => {
                progress.epoch = epoch;
                return;
            }
        };
        let finding = Finding::damage("batch-epoch", path.to_owned(), what);
        let finding = finding.at(position, end);
        report.found(finding.of_offsets(header.base_offset, header.last_offset() + 1));
    }

    /// What the checkpoints say of a log that lies from `first` up to `end`.
    fn check_ends(&self, first: Offset, end: Offset, progress: &Progress, report: &mut Report<'_>) {
        let directory = || self.directory.to_owned();
        if let Some(point) = self.recovery_point.filter(|point| *point > end) {
            let what = format!("the log was on disk up to offset {}", point - 1);
            report.found(Finding::damage("missing", directory(), what).of_offsets(end, point));
        }
        let names = [
            ("log start", self.log_start),
            ("cleaned part", self.clean_to),
        ];
        for (name, offset) in names {
            if let Some(offset) = offset.filter(|offset| *offset > end) {
                let what = format!("the {name} is noted at offset {offset}, the log ends at {end}");
                report.found(Finding::damage("checkpoint", directory(), what));
            }
        }
        if let Some(start) = self.log_start.filter(|start| *start < first)
            && self.stopped_cleanly
        {
            let what = "the log's first segments are missing";
            report.found(Finding::damage("missing", directory(), what).of_offsets(start, first));
        }
        let latest = progress
            .epochs
            .as_ref()
            .and_then(LeaderEpochs::latest_start);
        if let Some(start) = latest.filter(|start| *start > end) {
            let path = self.directory.join(LEADER_EPOCHS);
            let what = format!("an epoch begins at offset {start}, and the log ends at {end}");
            report.found(Finding::damage("leader-epochs", path, what));
        }
    }

    fn check_producers(
        &self,
        names: &[String],
        end: Offset,
        report: &mut Report<'_>,
    ) -> io::Result<()> {
        for name in names {
            let path = self.directory.join(name);
            let (offset, state) = match (base_of(name, "producers"), base_of(name, "snapshot")) {
                (Some(offset), _) => (
                    offset,
                    ProducerState::decode_whole(&self.files.read(&path)?),
                ),
                (_, Some(offset)) => (
                    offset,
                    ProducerState::decode_snapshot(&self.files.read(&path)?),
                ),
                _ => continue,
            };
            if state.is_none() {
                let what = "the producers' state does not fit its checksum or format";
                report.found(Finding::damage("producers", path, what));
            } else if offset > end {
                let what = format!("it is of offset {offset}, and the log ends at {end}");
                report.found(Finding::damage("producers", path, what));
            }
        }
        Ok(())
    }

    fn read_optional(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        match self.files.read(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            other => other.map(Some),
        }
    }
}

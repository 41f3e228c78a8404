//! `precursor storage adopt`: takes over what Apache Kafka (KRaft) left in its log directories.
//!
//! Segments are taken as they are: their format is ours. Indexes are made again, offsets that are
//! missing between or at the end of segments are covered by empty batches, and the topics' names,
//! ids, options and leader epochs come from Kafka's metadata log. The source is never changed.

use super::finding::Finding;
use super::inventory::partition_of;
use super::kafka_metadata::KafkaMetadata;
use super::repair::repair;
use super::verify::Watch;
use crate::epochs::LeaderEpochs;
use crate::find_time::rebuild_index;
use crate::layout::{
    LEADER_EPOCHS, LOG_STARTS, OffsetMap, PARTITION_METADATA, RECOVERY_POINTS, base_of,
    decode_offsets, decode_partition_metadata, encode_offsets, segment_file,
};
use crate::producers::ProducerState;
use crate::segment_files::{segment_bases, write_index};
use crate::segment_walk::{Fault, Piece, SegmentWalk};
use crate::transactions::{aborted_by_segment, write_aborted};
use precursor_disk::{FileSystem, OpenMode};
use precursor_model::{LogConfig, Offset, TopicId};
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

const METADATA_TOPIC: &str = "__cluster_metadata";
/// Kafka's own state that nothing here reads.
const LEFT_BEHIND: [&str; 2] = ["__transaction_state", "__share_group_state"];
/// Kafka leaves it in each log directory when it stops, and takes it away when it starts.
const CLEAN_STOP: &str = ".kafka_cleanshutdown";
/// In a data directory that is being filled.
const ADOPTING: &str = ".adopting";

/// What is to be taken over.
#[derive(Clone, Debug)]
pub struct AdoptOptions {
    /// Kafka's `log.dirs`.
    pub sources: Vec<PathBuf>,
    pub data_dir: PathBuf,
    /// Sealed segments become hard links in place of copies.
    pub link: bool,
    /// Also of a Kafka that did not stop cleanly, and what is damaged: all that is good.
    pub recover: bool,
}

/// A topic that is taken over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdoptedTopic {
    pub name: String,
    pub id: TopicId,
    /// Kafka's last leader epoch of each partition.
    pub leader_epochs: Vec<i32>,
    /// Options that a broker of ours knows.
    pub configs: BTreeMap<String, String>,
    /// Names of those that it does not.
    pub configs_dropped: Vec<String>,
}

/// What a look at the sources came to.
#[derive(Clone, Debug, Default)]
pub struct Survey {
    pub cluster_id: String,
    pub topics: Vec<AdoptedTopic>,
    pub next_producer_id: i64,
    /// Directories that are left where they are, and why.
    pub skipped: Vec<(PathBuf, &'static str)>,
    pub bytes: u64,
    pub segments: u64,
    /// Where each partition lies.
    partitions: BTreeMap<(String, i32), PathBuf>,
}

/// Looks at Kafka's directories; nothing is changed. `watch` is told of damage, and of bytes read.
///
/// # Errors
/// A sentence: why they cannot be taken over.
pub fn survey(
    files: &dyn FileSystem,
    options: &AdoptOptions,
    watch: &mut dyn Watch,
) -> Result<Survey, String> {
    let mut survey = Survey::default();
    let mut metadata = None;
    for source in &options.sources {
        survey.cluster_id = cluster_id(source)?;
        if !source.join(CLEAN_STOP).exists() && !options.recover {
            return Err(format!(
                "Kafka did not stop cleanly on {}: its last records may be torn",
                source.display()
            ));
        }
        let directory = source.join(format!("{METADATA_TOPIC}-0"));
        if directory.is_dir() {
            let read = KafkaMetadata::read(files, &directory);
            metadata = Some(read.map_err(cannot("read", &directory))?);
        }
    }
    let metadata = metadata.ok_or_else(|| {
        format!("none of the directories holds {METADATA_TOPIC}-0, which names the topics; name that one too")
    })?;
    for source in &options.sources {
        find_partitions(files, source, &metadata, &mut survey)?;
    }
    survey.next_producer_id = metadata.next_producer_id;
    gather_topics(&metadata, &mut survey)?;
    let damages = read_segments(files, &mut survey, watch)?;
    match damages {
        0 => Ok(survey),
        _ if options.recover => Ok(survey),
        1 => Err("one batch of the segments is damaged".to_owned()),
        more => Err(format!("{more} batches of the segments are damaged")),
    }
}

fn cannot<'a>(act: &'a str, path: &'a Path) -> impl FnOnce(io::Error) -> String + 'a {
    move |error| format!("cannot {act} {}: {error}", path.display())
}

fn cluster_id(source: &Path) -> Result<String, String> {
    let path = source.join("meta.properties");
    let text = fs::read_to_string(&path).map_err(|_| {
        format!(
            "{} is no log directory of Kafka: it has no meta.properties",
            source.display()
        )
    })?;
    let value = |name: &str| {
        let mut lines = text.lines().filter_map(|line| line.split_once('='));
        lines.find_map(|(key, value)| (key.trim() == name).then(|| value.trim().to_owned()))
    };
    if value("version").as_deref() != Some("1") {
        return Err(format!(
            "{} was written by a Kafka with ZooKeeper; only KRaft's can be taken over",
            source.display()
        ));
    }
    value("cluster.id").ok_or_else(|| format!("{} names no cluster.id", path.display()))
}

fn find_partitions(
    files: &dyn FileSystem,
    source: &Path,
    metadata: &KafkaMetadata,
    survey: &mut Survey,
) -> Result<(), String> {
    let mut names = files.list(source).map_err(cannot("read", source))?;
    names.sort();
    for name in names {
        let path = source.join(&name);
        if !path.is_dir() {
            continue;
        }
        let Some((topic, partition)) = partition_of(&name) else {
            let why = "it is no partition, or one that was being moved or deleted";
            survey.skipped.push((path, why));
            continue;
        };
        if topic == METADATA_TOPIC {
            continue;
        }
        if LEFT_BEHIND.contains(&topic) {
            let why = "transactions and share groups are not taken over";
            survey.skipped.push((path, why));
            continue;
        }
        let text = fs::read_to_string(path.join(PARTITION_METADATA)).unwrap_or_default();
        let id = decode_partition_metadata(&text).map(|(id, _)| id);
        let known = id.and_then(|id| metadata.topics.get(&id));
        if known.is_none_or(|known| known.name != topic) {
            let why = "no topic of the cluster has its id: it was deleted";
            survey.skipped.push((path, why));
            continue;
        }
        let key = (topic.to_owned(), partition);
        if let Some(other) = survey.partitions.insert(key, path) {
            return Err(format!(
                "{name} is in two places, also in {}",
                other.display()
            ));
        }
    }
    Ok(())
}

fn gather_topics(metadata: &KafkaMetadata, survey: &mut Survey) -> Result<(), String> {
    for (id, topic) in &metadata.topics {
        if LEFT_BEHIND.contains(&topic.name.as_str()) {
            continue;
        }
        let mut leader_epochs = Vec::new();
        for (at, (partition, epoch)) in topic.partitions.iter().enumerate() {
            let name = format!("{}-{partition}", topic.name);
            if usize::try_from(*partition) != Ok(at) {
                return Err(format!("the metadata log lacks a partition before {name}"));
            }
            let key = (topic.name.clone(), *partition);
            if !survey.partitions.contains_key(&key) {
                return Err(format!(
                    "{name} is in none of the directories: name all of the broker's log.dirs; \
                     partitions that only other brokers have cannot be taken over"
                ));
            }
            leader_epochs.push(*epoch);
        }
        let mut known = LogConfig::default();
        let all = metadata
            .configs
            .get(&topic.name)
            .cloned()
            .unwrap_or_default();
        let (configs, dropped): (BTreeMap<_, _>, BTreeMap<_, _>) = all
            .into_iter()
            .partition(|(name, value)| known.set(name, value).is_ok());
        survey.topics.push(AdoptedTopic {
            name: topic.name.clone(),
            id: *id,
            leader_epochs,
            configs,
            configs_dropped: dropped.into_keys().collect(),
        });
    }
    survey.topics.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(())
}

/// Checks every batch; returns how many places are damaged.
fn read_segments(
    files: &dyn FileSystem,
    survey: &mut Survey,
    watch: &mut dyn Watch,
) -> Result<u64, String> {
    let mut damages = 0;
    for ((topic, _), directory) in &survey.partitions {
        let bases = segment_bases(files, directory).map_err(cannot("read", directory))?;
        for (at, base) in bases.iter().enumerate() {
            let path = segment_file(directory, *base, "log");
            let file = files.open(&path, OpenMode::Read);
            let file = file.map_err(cannot("read", &path))?;
            let size = file.length().map_err(cannot("read", &path))?;
            survey.bytes += size;
            survey.segments += 1;
            let mut walk = SegmentWalk::new(file, size, *base, bases.get(at + 1).copied());
            let mut read = 0;
            while let Some(piece) = walk.next().map_err(cannot("read", &path))? {
                let end = match piece {
                    Piece::Batch { end, .. } => end,
                    Piece::Hole(hole) => {
                        if let Fault::Header { magic: 0 | 1, .. } = hole.fault {
                            return Err(format!(
                                "topic {topic} holds messages in a format from before Kafka 0.11 \
                                 ({}, byte {}); copy it to a new topic with Kafka first",
                                path.display(),
                                hole.position
                            ));
                        }
                        if !matches!(hole.fault, Fault::Gap { .. }) {
                            damages += 1;
                            let what = hole.fault.to_string();
                            let finding = Finding::damage("batch", path.clone(), what);
                            let until = hole.next.unwrap_or(hole.first + 1);
                            let finding = finding.at(hole.position, hole.end);
                            watch.found(finding.of_offsets(hole.first, until));
                        }
                        hole.end
                    }
                };
                watch.read(end - read);
                read = end;
            }
        }
    }
    Ok(damages)
}

/// Fills a new data directory with what a survey found. Until it returns, the directory is marked
/// as not whole, and doing it again begins anew.
///
/// # Errors
/// A sentence: what could not be read or written.
pub fn adopt(
    files: &dyn FileSystem,
    options: &AdoptOptions,
    survey: &Survey,
    watch: &mut dyn Watch,
) -> Result<(), String> {
    let data_dir = &options.data_dir;
    claim(files, data_dir)?;
    for ((topic, partition), source) in &survey.partitions {
        let target = data_dir.join(format!("{topic}-{partition}"));
        take_partition(files, source, &target, options.link, watch)
            .map_err(|error| format!("cannot take over {}: {error}", source.display()))?;
    }
    let starts = log_starts(&options.sources, survey);
    let write = |name: &str, offsets: &OffsetMap| {
        let path = data_dir.join(name);
        let written = files.replace(&path, encode_offsets(offsets).as_bytes());
        written.map_err(cannot("write", &path))
    };
    write(LOG_STARTS, &starts)?;
    let repaired = repair(files, data_dir, watch).map_err(cannot("read", data_dir))?;
    if let Some((step, error)) = repaired.failed.first() {
        let path = step.path();
        return Err(format!("{}: cannot {step}: {error}", path.display()));
    }
    write(RECOVERY_POINTS, &ends(files, data_dir, survey)?)?;
    files
        .sync_directory(data_dir)
        .map_err(cannot("write", data_dir))
}

/// Says that the data directory is whole.
///
/// # Errors
/// The mark cannot be taken away.
pub fn adopted(files: &dyn FileSystem, data_dir: &Path) -> Result<(), String> {
    let mark = data_dir.join(ADOPTING);
    let removed = files.remove_file(&mark);
    removed
        .and_then(|()| files.sync_directory(data_dir))
        .map_err(cannot("remove", &mark))
}

/// A data directory that is new, or that an adoption did not come to its end with.
fn claim(files: &dyn FileSystem, data_dir: &Path) -> Result<(), String> {
    files
        .create_directory(data_dir)
        .map_err(cannot("make", data_dir))?;
    let names = files.list(data_dir).map_err(cannot("read", data_dir))?;
    let mark = data_dir.join(ADOPTING);
    let is_ours = |name: &String| name == ADOPTING || name.ends_with(".lock");
    if !names.iter().all(is_ours) && !names.iter().any(|name| name == ADOPTING) {
        return Err(format!(
            "{} is not empty: only a new data directory takes over Kafka's",
            data_dir.display()
        ));
    }
    files.replace(&mark, b"").map_err(cannot("write", &mark))
}

fn take_partition(
    files: &dyn FileSystem,
    source: &Path,
    target: &Path,
    link: bool,
    watch: &mut dyn Watch,
) -> io::Result<()> {
    files.create_directory(target)?;
    let bases = segment_bases(files, source)?;
    for (at, base) in bases.iter().enumerate() {
        let from = segment_file(source, *base, "log");
        let to = segment_file(target, *base, "log");
        let is_last = at + 1 == bases.len();
        if to.exists() {
            // Of an adoption that did not come to its end.
            fs::remove_file(&to)?;
        }
        // The last segment is written to: it must not be the source's file.
        match link && !is_last {
            true => fs::hard_link(&from, &to)?,
            false => drop(fs::copy(&from, &to)?),
        }
        let file = files.open(&to, OpenMode::Read)?;
        file.sync()?;
        let size = file.length()?;
        write_index(files, target, *base, &rebuild_index(&file, *base, size)?)?;
        watch.read(size);
    }
    // Made again as the other indexes are: what cannot be read of a damaged segment is mended later.
    let aborted = aborted_by_segment(files, target, &bases)?;
    for (base, aborted) in bases.iter().zip(aborted) {
        write_aborted(files, target, *base, 0, &aborted)?;
    }
    for name in files.list(source)? {
        let path = source.join(&name);
        let is_wanted = match base_of(&name, "snapshot") {
            Some(_) => ProducerState::decode_snapshot(&fs::read(&path)?).is_some(),
            None if name == LEADER_EPOCHS => {
                LeaderEpochs::decode(&fs::read_to_string(&path)?).is_some()
            }
            None => false,
        };
        if is_wanted {
            files.replace(&target.join(&name), &fs::read(&path)?)?;
        }
    }
    let metadata = fs::read(source.join(PARTITION_METADATA))?;
    files.replace(&target.join(PARTITION_METADATA), &metadata)
}

/// Where logs begin, as Kafka's checkpoints have it.
fn log_starts(sources: &[PathBuf], survey: &Survey) -> OffsetMap {
    let mut starts = OffsetMap::new();
    for source in sources {
        let text = fs::read_to_string(source.join(LOG_STARTS)).unwrap_or_default();
        starts.extend(decode_offsets(&text).unwrap_or_default());
    }
    starts.retain(|key, _| survey.partitions.contains_key(key));
    starts
}

/// Where logs end: everything was read.
fn ends(files: &dyn FileSystem, data_dir: &Path, survey: &Survey) -> Result<OffsetMap, String> {
    let mut ends = OffsetMap::new();
    for key in survey.partitions.keys() {
        let directory = data_dir.join(format!("{}-{}", key.0, key.1));
        let end = end_of(files, &directory).map_err(cannot("read", &directory))?;
        ends.insert(key.clone(), end);
    }
    Ok(ends)
}

fn end_of(files: &dyn FileSystem, directory: &Path) -> io::Result<Offset> {
    let bases = segment_bases(files, directory)?;
    let Some(base) = bases.last() else {
        return Ok(0);
    };
    let file = files.open(&segment_file(directory, *base, "log"), OpenMode::Read)?;
    let size = file.length()?;
    let mut walk = SegmentWalk::new(file, size, *base, None);
    while walk.next()?.is_some() {}
    Ok(walk.expected())
}

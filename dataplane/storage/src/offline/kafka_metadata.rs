//! What Kafka's `__cluster_metadata` log says of topics (KRaft, KIP-631): the records that matter,
//! from the newest snapshot and the log behind it.

use crate::layout::base_of;
use crate::segment_files::segment_bases;
use crate::segment_walk::{Piece, SegmentWalk};
use precursor_disk::{FileSystem, OpenMode};
use precursor_model::{Offset, TopicId};
use precursor_protocol::DecodeError;
use precursor_protocol::read::Reader;
use precursor_protocol::records::BatchView;
use std::collections::BTreeMap;
use std::io;
use std::path::Path;

/// The records' keys (Kafka: `MetadataRecordType`).
const TOPIC: u32 = 2;
const PARTITION: u32 = 3;
const CONFIG: u32 = 4;
const PARTITION_CHANGE: u32 = 5;
const REMOVE_TOPIC: u32 = 9;
const PRODUCER_IDS: u32 = 15;
/// `ConfigResource.Type.TOPIC`.
const TOPIC_RESOURCE: i8 = 2;
/// `PartitionChangeRecord.Leader`: its tag, and "the leader stays".
const LEADER_TAG: u32 = 1;
const NO_LEADER_CHANGE: i32 = -2;

/// A topic as Kafka's controllers know it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct KafkaTopic {
    pub name: String,
    /// The leader epoch of each partition.
    pub partitions: BTreeMap<i32, i32>,
}

/// What a metadata log comes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct KafkaMetadata {
    pub topics: BTreeMap<TopicId, KafkaTopic>,
    /// Options of topics, by name.
    pub configs: BTreeMap<String, BTreeMap<String, String>>,
    /// The first producer id that nobody was given.
    pub next_producer_id: i64,
}

impl KafkaMetadata {
    /// Reads the directory `__cluster_metadata-0`.
    ///
    /// # Errors
    /// `InvalidData` with a sentence: a record makes no sense; what the file system says.
    pub fn read(files: &dyn FileSystem, directory: &Path) -> io::Result<KafkaMetadata> {
        let mut metadata = KafkaMetadata::default();
        let names = files.list(directory)?;
        // `<offset>-<epoch>.checkpoint` holds all records below its offset.
        let snapshots = names.iter().filter_map(|name| {
            let (offset, epoch) = name.strip_suffix(".checkpoint")?.split_once('-')?;
            let offset = base_of(&format!("{offset}.log"), "log")?;
            Some((offset, epoch.parse::<u32>().ok()?, name))
        });
        let mut from = 0;
        if let Some((offset, _, name)) = snapshots.max() {
            metadata.replay(files, &directory.join(name), 0, 0)?;
            from = offset;
        }
        let bases = segment_bases(files, directory)?;
        let first = bases.partition_point(|base| *base <= from);
        for base in &bases[first.saturating_sub(1)..] {
            let path = crate::layout::segment_file(directory, *base, "log");
            metadata.replay(files, &path, *base, from)?;
        }
        Ok(metadata)
    }

    /// Takes the records of a file from an offset on; they are not compressed.
    fn replay(
        &mut self,
        files: &dyn FileSystem,
        path: &Path,
        base: Offset,
        from: Offset,
    ) -> io::Result<()> {
        let file = files.open(path, OpenMode::Read)?;
        let size = file.length()?;
        let mut walk = SegmentWalk::new(file, size, base, Some(Offset::MAX));
        while let Some(piece) = walk.next()? {
            let Piece::Batch {
                header,
                position,
                end,
            } = piece
            else {
                // What a crash tore off was agreed on by nobody.
                break;
            };
            let bytes = walk.bytes(position, end)?;
            let Ok(view) = BatchView::parse(bytes) else {
                break;
            };
            if view.is_control() {
                continue;
            }
            for record in view.records() {
                let record = record.map_err(|error| nonsense(path, position, &error))?;
                let offset = header.base_offset + i64::from(record.offset_delta);
                let Some(value) = record.value.filter(|_| offset >= from) else {
                    continue;
                };
                self.apply(value)
                    .map_err(|error| nonsense(path, position, &error))?;
            }
        }
        Ok(())
    }

    /// One record: frame version, key, version, and the message in its flexible form.
    fn apply(&mut self, value: &[u8]) -> Result<(), DecodeError> {
        let mut frame = Reader::new(value, 0, true);
        let _frame_version = frame.unsigned_varint()?;
        let key = frame.unsigned_varint()?;
        let version = frame.unsigned_varint()? as i16;
        let mut reader = Reader::new(frame.remaining(), version, true);
        match key {
            TOPIC => {
                let name = reader.string()?;
                let id = reader.topic_id()?;
                self.topics.entry(id).or_default().name = name;
            }
            PARTITION => {
                let partition = reader.int32()?;
                let id = reader.topic_id()?;
                for _replicas in ["all", "in sync", "removing", "adding"] {
                    reader.array::<i32>()?;
                }
                let _leader = reader.int32()?;
                let epoch = reader.int32()?;
                let topic = self.topics.entry(id).or_default();
                topic.partitions.insert(partition, epoch);
            }
            PARTITION_CHANGE => {
                let partition = reader.int32()?;
                let id = reader.topic_id()?;
                let changes = reader.unknown_tags()?;
                let leader = changes.iter().find(|field| field.tag == LEADER_TAG);
                let leader = leader.and_then(|field| field.data.first_chunk::<4>());
                let changed =
                    leader.is_some_and(|leader| i32::from_be_bytes(*leader) != NO_LEADER_CHANGE);
                let topic = self.topics.get_mut(&id);
                let epoch = topic.and_then(|topic| topic.partitions.get_mut(&partition));
                if let Some(epoch) = epoch.filter(|_| changed) {
                    *epoch += 1;
                }
            }
            CONFIG => {
                let kind = reader.int8()?;
                let resource = reader.string()?;
                let name = reader.string()?;
                let value = reader.option_string(true)?;
                if kind == TOPIC_RESOURCE {
                    let configs = self.configs.entry(resource).or_default();
                    match value {
                        Some(value) => configs.insert(name, value),
                        None => configs.remove(&name),
                    };
                }
            }
            REMOVE_TOPIC => {
                let id = reader.topic_id()?;
                if let Some(topic) = self.topics.remove(&id) {
                    self.configs.remove(&topic.name);
                }
            }
            PRODUCER_IDS => {
                let _broker = reader.int32()?;
                let _epoch = reader.int64()?;
                self.next_producer_id = reader.int64()?;
            }
            _ => {}
        }
        Ok(())
    }
}

fn nonsense(path: &Path, position: u64, error: &dyn std::fmt::Display) -> io::Error {
    let text = format!(
        "{}, batch at byte {position}: a metadata record cannot be read: {error}",
        path.display()
    );
    io::Error::new(io::ErrorKind::InvalidData, text)
}

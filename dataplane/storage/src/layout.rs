//! Names and small text files of a data directory, as Kafka writes them.

use crate::api::LogSpec;
use precursor_model::{LogUid, Offset, TopicId};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub(crate) const RECOVERY_POINTS: &str = "recovery-point-offset-checkpoint";
pub(crate) const LOG_STARTS: &str = "log-start-offset-checkpoint";
pub(crate) const CLEANER_OFFSETS: &str = "cleaner-offset-checkpoint";
pub(crate) const LEADER_EPOCHS: &str = "leader-epoch-checkpoint";
pub(crate) const PARTITION_METADATA: &str = "partition.metadata";
/// Serialises the shards' changes of the files above that they share.
pub(crate) const CHECKPOINT_LOCK: &str = ".checkpoint.lock";
/// Bytes that were found and not believed.
pub(crate) const SET_ASIDE: &str = "set-aside";

/// A file of a segment, by its base offset and kind.
pub(crate) fn segment_file(directory: &Path, base: Offset, kind: &str) -> PathBuf {
    directory.join(format!("{base:020}.{kind}"))
}

/// The base offset in a name such as `00000000000000000042.log`.
pub(crate) fn base_of(name: &str, kind: &str) -> Option<Offset> {
    let digits = name.strip_suffix(kind)?.strip_suffix('.')?;
    let decimal = digits.len() == 20 && digits.bytes().all(|b| b.is_ascii_digit());
    decimal.then(|| digits.parse().ok()).flatten()
}

/// The name of a partition's directory.
pub(crate) fn partition_name(spec: &LogSpec<'_>) -> String {
    format!("{}-{}", spec.topic, spec.partition)
}

/// The directory of a partition.
pub(crate) fn partition_directory(log_directory: &Path, spec: &LogSpec<'_>) -> PathBuf {
    log_directory.join(partition_name(spec))
}

/// How the names of the files begin that mark clean stops.
pub(crate) const CLEAN_MARKER: &str = ".clean-shutdown-";

/// A file that marks a shard's clean stop; absent after a crash.
pub(crate) fn clean_marker(data_dir: &Path, shard: u16) -> PathBuf {
    data_dir.join(format!("{CLEAN_MARKER}{shard}"))
}

/// Held by a shard's process, and by its ring until its last operation has ended.
pub(crate) fn ring_lock(data_dir: &Path, shard: u16) -> PathBuf {
    data_dir.join(format!(".ring-{shard}.lock"))
}

/// `partition.metadata`: Kafka reads the first two lines, the third is ours.
pub(crate) fn encode_partition_metadata(topic: TopicId, uid: LogUid) -> String {
    format!("version: 0\ntopic_id: {topic}\nlog_uid: {}\n", uid.0)
}

/// The topic's id, and the log's uid when the third line is there.
pub(crate) fn decode_partition_metadata(text: &str) -> Option<(TopicId, Option<LogUid>)> {
    let mut lines = text.lines();
    if lines.next()? != "version: 0" {
        return None;
    }
    let topic = lines.next()?.strip_prefix("topic_id: ")?.parse().ok()?;
    let uid = lines
        .next()
        .and_then(|line| line.strip_prefix("log_uid: ")?.parse().ok());
    Some((topic, uid.map(LogUid)))
}

/// Offsets by topic and partition.
pub(crate) type OffsetMap = BTreeMap<(String, i32), Offset>;

/// The lines of an offset checkpoint.
pub(crate) fn encode_offsets(offsets: &OffsetMap) -> String {
    let mut text = format!("0\n{}\n", offsets.len());
    for ((topic, partition), offset) in offsets {
        text.push_str(&format!("{topic} {partition} {offset}\n"));
    }
    text
}

/// Reads [`encode_offsets`]' lines; `None` when they are not sound.
pub(crate) fn decode_offsets(text: &str) -> Option<OffsetMap> {
    let mut lines = text.lines();
    if lines.next()? != "0" {
        return None;
    }
    let count: usize = lines.next()?.parse().ok()?;
    let mut offsets = OffsetMap::new();
    for line in lines {
        let mut words = line.split(' ');
        let key = (words.next()?.to_owned(), words.next()?.parse().ok()?);
        offsets.insert(key, words.next()?.parse().ok()?);
        if words.next().is_some() {
            return None;
        }
    }
    (offsets.len() == count).then_some(offsets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kafkas() {
        let path = segment_file(Path::new("/d/t-0"), 42, "log");
        assert_eq!(path, Path::new("/d/t-0/00000000000000000042.log"));
        assert_eq!(base_of("00000000000000000042.log", "log"), Some(42));
        assert_eq!(base_of("00000000000000000042.log.deleted", "log"), None);
        assert_eq!(base_of("0042.log", "log"), None);
        assert_eq!(base_of("+0000000000000000042.log", "log"), None);
    }

    #[test]
    fn small_files_come_back() {
        let id = TopicId([7; 16]);
        let text = encode_partition_metadata(id, LogUid(9));
        assert_eq!(
            decode_partition_metadata(&text),
            Some((id, Some(LogUid(9))))
        );
        let kafkas = format!("version: 0\ntopic_id: {id}");
        assert_eq!(decode_partition_metadata(&kafkas), Some((id, None)));
        let offsets = OffsetMap::from([(("a".to_owned(), 0), 5), (("b.c".to_owned(), 1), 7)]);
        let text = encode_offsets(&offsets);
        assert_eq!(text, "0\n2\na 0 5\nb.c 1 7\n");
        assert_eq!(decode_offsets(&text), Some(offsets));
        assert_eq!(decode_offsets("0\n2\na 0 5\n"), None);
        assert_eq!(decode_offsets("1\n0\n"), None);
    }
}

//! Taking over a directory that looks like Kafka's: what is refused, and what becomes of gaps. (A
//! real Kafka's directories: tests/clients/test_adoption.py.)

use precursor_disk::SystemFileSystem;
use precursor_protocol::records::{BatchBuilder, BatchHeader};
use precursor_storage::offline::{
    AdoptOptions, Finding, Survey, Verification, Watch, adopt, adopted, survey, verify,
};
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// `TopicId` of 16 times 7, as Kafka writes it.
const TOPIC_ID: [u8; 16] = [7; 16];

struct Quiet;

impl Watch for Quiet {
    fn found(&mut self, _finding: Finding) {}
}

/// Kafka's directory and a data directory that is not there yet.
struct Place {
    _temporary: TempDir,
    options: AdoptOptions,
}

/// A batch of records at an offset.
fn batch(base: i64, count: i64) -> Vec<u8> {
    let mut builder = BatchBuilder::new();
    for n in 0..count {
        builder.append(1_000 + base + n, Some(b"k"), Some(b"some value"), &[]);
    }
    let mut out = Vec::new();
    builder.build(&mut out);
    out[..8].copy_from_slice(&base.to_be_bytes());
    out[12..16].copy_from_slice(&5i32.to_be_bytes());
    out
}

/// Metadata records as KRaft frames them: frame version, key, version, and the flexible message.
fn metadata_log() -> Vec<u8> {
    let mut topic = vec![1, 2, 0, 2, b't'];
    topic.extend(TOPIC_ID);
    topic.push(0);
    let mut partition = vec![1, 3, 0];
    partition.extend(0i32.to_be_bytes());
    partition.extend(TOPIC_ID);
    for list in [1, 1, 0, 0] {
        // Replicas and in-sync replicas: broker 1.
        partition.push(list + 1);
        partition.extend(1i32.to_be_bytes().iter().take(4 * usize::from(list)));
    }
    for number in [1i32, 4, 9] {
        partition.extend(number.to_be_bytes());
    }
    partition.push(0);
    // The leader changed: tag 1 of 4 bytes.
    let mut change = vec![1, 5, 0];
    change.extend(0i32.to_be_bytes());
    change.extend(TOPIC_ID);
    change.extend([1, 1, 4]);
    change.extend(1i32.to_be_bytes());
    let mut out = Vec::new();
    let mut builder = BatchBuilder::new();
    let config = |name: &[u8], value: &[u8]| {
        let mut record = vec![1, 4, 0, 2, 2, b't', name.len() as u8 + 1];
        record.extend(name);
        record.push(value.len() as u8 + 1);
        record.extend(value);
        record.push(0);
        record
    };
    let options = [
        config(b"retention.ms", b"1234"),
        config(b"no.such.option", b"true"),
    ];
    let mut ids = vec![1, 15, 0];
    ids.extend(1i32.to_be_bytes());
    ids.extend(1i64.to_be_bytes());
    ids.extend(3000i64.to_be_bytes());
    ids.push(0);
    for record in [topic, partition, change]
        .iter()
        .chain(&options)
        .chain([&ids])
    {
        builder.append(1, None, Some(record), &[]);
    }
    builder.build(&mut out);
    out
}

fn kafka(segments: &[(i64, Vec<u8>)]) -> Place {
    let temporary = tempfile::tempdir().unwrap();
    let source = temporary.path().join("kafka");
    let partition = source.join("t-0");
    fs::create_dir_all(&partition).unwrap();
    fs::create_dir_all(source.join("__cluster_metadata-0")).unwrap();
    let metadata = "__cluster_metadata-0/00000000000000000000.log";
    fs::write(source.join(metadata), metadata_log()).unwrap();
    let properties = "version=1\ncluster.id=4L6g3nShT-eMCtK--X86sw\nnode.id=1\n";
    fs::write(source.join("meta.properties"), properties).unwrap();
    fs::write(source.join(".kafka_cleanshutdown"), "{}").unwrap();
    let id = precursor_model::TopicId(TOPIC_ID);
    let metadata = format!("version: 0\ntopic_id: {id}");
    fs::write(partition.join("partition.metadata"), metadata).unwrap();
    fs::write(partition.join("leader-epoch-checkpoint"), "0\n1\n5 0\n").unwrap();
    for (base, bytes) in segments {
        fs::write(partition.join(format!("{base:020}.log")), bytes).unwrap();
        // As Kafka leaves the active one's: room for entries to come.
        fs::write(partition.join(format!("{base:020}.index")), [0; 800]).unwrap();
    }
    Place {
        options: AdoptOptions {
            sources: vec![source],
            data_dir: temporary.path().join("data"),
            link: false,
            recover: false,
        },
        _temporary: temporary,
    }
}

impl Place {
    fn source(&self) -> PathBuf {
        self.options.sources[0].clone()
    }

    fn survey(&self) -> Result<Survey, String> {
        survey(&SystemFileSystem::new(false), &self.options, &mut Quiet)
    }

    fn adopt(&self) -> Result<Verification, String> {
        let files = SystemFileSystem::new(false);
        let found = self.survey()?;
        adopt(&files, &self.options, &found, &mut Quiet)?;
        adopted(&files, &self.options.data_dir)?;
        Ok(verify(&files, &self.options.data_dir, &mut Quiet).unwrap())
    }
}

fn batches(path: &Path) -> Vec<(i64, i64, i32)> {
    let bytes = fs::read(path).unwrap();
    let (mut at, mut found) = (0, Vec::new());
    while at < bytes.len() {
        let header = BatchHeader::parse_prefix(&bytes[at..]).unwrap();
        found.push((header.base_offset, header.last_offset(), header.count));
        at += header.total_length().unwrap();
    }
    found
}

#[test]
fn topics_epochs_options_and_gaps_are_taken_over() {
    // Compaction left gaps: within a segment, between two, and in a follower's last one.
    let first = [batch(0, 5), batch(8, 2)].concat();
    let last = [batch(20, 5), batch(30, 5), batch(35, 5)].concat();
    for link in [false, true] {
        let mut place = kafka(&[(0, first.clone()), (20, last.clone())]);
        place.options.link = link;
        let found = place.survey().unwrap();
        assert_eq!(found.cluster_id, "4L6g3nShT-eMCtK--X86sw");
        assert_eq!(found.next_producer_id, 3000);
        let [topic] = &found.topics[..] else {
            panic!("{found:?}");
        };
        assert_eq!((&topic.name[..], &topic.leader_epochs[..]), ("t", &[5][..]));
        let retention = topic.configs.get("retention.ms").map(String::as_str);
        assert_eq!((topic.configs.len(), retention), (1, Some("1234")));
        assert_eq!(topic.configs_dropped, ["no.such.option"]);
        let outcome = place.adopt().unwrap();
        assert_eq!((outcome.damages, outcome.records), (0, 22));
        let data = place.options.data_dir.join("t-0");
        let taken = batches(&data.join("00000000000000000000.log"));
        assert_eq!(taken, [(0, 4, 5), (8, 9, 2), (10, 19, 0)]);
        let taken = batches(&data.join("00000000000000000020.log"));
        assert_eq!(taken, [(20, 24, 5), (25, 29, 0), (30, 34, 5), (35, 39, 5)]);
        // The source is as it was, also where it was linked.
        let source = place.source().join("t-0");
        assert_eq!(
            fs::read(source.join("00000000000000000000.log")).unwrap(),
            first
        );
        assert_eq!(
            fs::read(source.join("00000000000000000020.log")).unwrap(),
            last
        );
        let points = place
            .options
            .data_dir
            .join("recovery-point-offset-checkpoint");
        assert_eq!(fs::read_to_string(points).unwrap(), "0\n1\nt 0 40\n");
    }
}

#[test]
fn a_link_is_a_link_but_for_the_last_segment() {
    use std::os::unix::fs::MetadataExt;
    let mut place = kafka(&[(0, batch(0, 5)), (5, batch(5, 5))]);
    place.options.link = true;
    assert_eq!(place.adopt().unwrap().damages, 0);
    let links = |name: &str| {
        let path = place.options.data_dir.join("t-0").join(name);
        fs::metadata(path).unwrap().nlink()
    };
    assert_eq!(links("00000000000000000000.log"), 2);
    assert_eq!(links("00000000000000000005.log"), 1);
}

#[test]
fn what_cannot_be_taken_over_is_refused_with_a_sentence() {
    let refused = |place: &Place, part: &str| {
        let sentence = place.adopt().unwrap_err();
        assert!(sentence.contains(part), "{sentence}");
        assert!(!place.options.data_dir.exists());
    };
    let place = kafka(&[(0, batch(0, 5))]);
    fs::remove_file(place.source().join(".kafka_cleanshutdown")).unwrap();
    refused(&place, "did not stop cleanly");

    let mut old = batch(0, 5);
    old[16] = 1;
    refused(
        &kafka(&[(0, old)]),
        "topic t holds messages in a format from before",
    );

    let mut damaged = batch(0, 5);
    damaged[70] ^= 1;
    refused(&kafka(&[(0, [damaged, batch(5, 5)].concat())]), "damaged");

    let place = kafka(&[(0, batch(0, 5))]);
    fs::write(
        place.source().join("meta.properties"),
        "version=0\ncluster.id=a\n",
    )
    .unwrap();
    refused(&place, "ZooKeeper");
    fs::remove_file(place.source().join("meta.properties")).unwrap();
    refused(&place, "no log directory of Kafka");

    let place = kafka(&[(0, batch(0, 5))]);
    fs::rename(place.source().join("t-0"), place.source().join("t-1")).unwrap();
    refused(&place, "t-0 is in none of the directories");

    let place = kafka(&[(0, batch(0, 5))]);
    fs::create_dir_all(&place.options.data_dir).unwrap();
    fs::write(place.options.data_dir.join("something"), "").unwrap();
    assert!(place.adopt().unwrap_err().contains("is not empty"));
}

#[test]
fn what_is_good_is_recovered_and_a_second_attempt_begins_anew() {
    let mut damaged = batch(5, 5);
    damaged[70] ^= 1;
    let torn = &batch(20, 5)[..40];
    let place = kafka(&[(
        0,
        [&batch(0, 5)[..], &damaged, &batch(10, 5), torn].concat(),
    )]);
    fs::remove_file(place.source().join(".kafka_cleanshutdown")).unwrap();
    let mut options = place.options.clone();
    options.recover = true;
    let place = Place { options, ..place };
    // Broken off: the directory is filled, and its mark is still there.
    let files = SystemFileSystem::new(false);
    adopt(&files, &place.options, &place.survey().unwrap(), &mut Quiet).unwrap();
    let outcome = place.adopt().unwrap();
    assert_eq!((outcome.damages, outcome.records), (0, 10));
    let taken = batches(&place.options.data_dir.join("t-0/00000000000000000000.log"));
    assert_eq!(taken, [(0, 4, 5), (5, 9, 0), (10, 14, 5)]);
    // It is whole now: a third one is refused.
    assert!(place.adopt().unwrap_err().contains("is not empty"));
}

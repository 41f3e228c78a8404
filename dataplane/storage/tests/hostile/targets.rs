//! What the fuzzer calls, and the tests beside this file. Whatever the bytes are, reading ends in
//! an answer, and memory is bounded by what was given.

use precursor_disk::sim::SimFileSystem;
use precursor_disk::{FileSystem, OpenMode};
use precursor_memory::{crc32c, crc32c_append};
use precursor_protocol::records::BatchBuilder;
use precursor_storage::ColdFiles;
use precursor_storage::offline::{Finding, Severity, Watch, dump_file, repair, verify};
use siphasher::sip::SipHasher13;
use std::path::Path;

const SUMMARY: usize = 64;
const PREFIX: usize = 16;
const DICTIONARY_HEADER: usize = 32;
/// A container that claims more is not read as a whole here.
const READ_MAX: u64 = 64 << 20;

/// A container and the dictionary that it may need: how long the first is (4 bytes, little endian),
/// the first, the second. The first bit of the length says whether checksums are made right, so that
/// what lies behind them is reached.
pub fn containers(data: &[u8]) {
    let Some((length, rest)) = data.split_first_chunk() else {
        return;
    };
    let length = u32::from_le_bytes(*length);
    let at = (length >> 1) as usize % (rest.len() + 1);
    let (mut container, mut dictionary) = (rest[..at].to_vec(), rest[at..].to_vec());
    if length & 1 == 1 {
        set_right(&mut container, &mut dictionary);
    }
    let files = SimFileSystem::new();
    let directory = Path::new("/data/t-0");
    files.create_directory(directory).unwrap();
    let id = container
        .get(32..40)
        .map_or(0, |id| u64::from_le_bytes(id.try_into().unwrap()));
    let contents = [
        ("00000000000000000000.log.cold".to_owned(), &container),
        (format!("{id:016x}.dict"), &dictionary),
    ];
    for (name, bytes) in contents {
        let file = files.open(&directory.join(name), OpenMode::Create).unwrap();
        file.write_at(bytes, 0).unwrap();
    }
    read(&files, &directory.join("00000000000000000000.log"));
}

fn read(files: &SimFileSystem, segment: &Path) {
    let cold = ColdFiles::on(files);
    // A version of another day is refused, and nothing else is.
    let Ok(file) = cold.open(segment, OpenMode::Data) else {
        return;
    };
    let length = file.length().unwrap();
    if length > READ_MAX {
        return;
    }
    let mut piece = vec![0; 10_000];
    let mut position = 0;
    while position < length {
        let got = file.read_at(&mut piece, position).unwrap();
        assert_eq!(got as u64, (length - position).min(10_000));
        position += got as u64;
    }
    assert_eq!(file.read_at(&mut piece, length).unwrap(), 0);
    dump_file(files, segment, true, &mut |_| Ok(())).unwrap();
    verify(files, Path::new("/data"), &mut Nobody).unwrap();
}

/// A transaction index, whatever it says, beside a log of a few transactions: it is read and verified,
/// and after a repair nothing is wrong with it.
pub fn transaction_indexes(data: &[u8]) {
    let files = SimFileSystem::new();
    let directory = Path::new("/data/t-0");
    files.create_directory(directory).unwrap();
    let write = |kind: &str, bytes: &[u8]| {
        let path = directory.join(format!("00000000000000000000.{kind}"));
        let file = files.open(&path, OpenMode::Create).unwrap();
        file.write_at(bytes, 0).unwrap();
        path
    };
    write("log", &transactions());
    let index = write("txnindex", data);
    // A version of another day is refused, and nothing else is.
    let dumped = dump_file(&files, &index, true, &mut |_| Ok(()));
    let is_other = data.chunks_exact(34).any(|entry| entry[..2] != [0, 0]);
    assert_eq!(dumped.is_err(), is_other);
    let mut found = Indexes(0);
    verify(&files, Path::new("/data"), &mut found).unwrap();
    repair(&files, Path::new("/data"), &mut Nobody).unwrap();
    let mut left = Indexes(0);
    verify(&files, Path::new("/data"), &mut left).unwrap();
    assert_eq!(left.0, 0, "{} before", found.0);
}

/// Six transactions of three producers, every other one of which is aborted.
fn transactions() -> Vec<u8> {
    let (mut log, mut offset) = (Vec::new(), 0i64);
    for at in 0..6 {
        for (is_marker, key) in [(false, [0; 4]), (true, [0, 0, 0, at as u8 % 2])] {
            let mut builder = BatchBuilder::new();
            builder.set_producer(at % 3, 0, if is_marker { -1 } else { at as i32 });
            builder.set_transactional(true);
            builder.set_control(is_marker);
            builder.append(1, Some(&key), Some(&[0; 6]), &[]);
            let start = log.len();
            builder.build(&mut log);
            log[start..start + 8].copy_from_slice(&offset.to_be_bytes());
            offset += 1;
        }
    }
    log
}

/// Counts what is wrong with transaction indexes.
struct Indexes(usize);

impl Watch for Indexes {
    fn found(&mut self, finding: Finding) {
        let is_damage = finding.severity == Severity::Damage;
        self.0 += usize::from(is_damage && finding.kind == "transaction-index");
    }
}

struct Nobody;

impl Watch for Nobody {
    fn found(&mut self, _finding: Finding) {}
}

/// Makes every checksum what it should be with these bytes.
fn set_right(container: &mut [u8], dictionary: &mut [u8]) {
    if dictionary.len() > DICTIONARY_HEADER {
        let length = (dictionary.len() - DICTIONARY_HEADER) as u32;
        let id = SipHasher13::new()
            .hash(&dictionary[DICTIONARY_HEADER..])
            .max(1);
        dictionary[12..16].copy_from_slice(&length.to_le_bytes());
        dictionary[16..24].copy_from_slice(&id.to_le_bytes());
        let crc = crc32c_append(crc32c(&dictionary[..28]), &dictionary[DICTIONARY_HEADER..]);
        dictionary[28..32].copy_from_slice(&crc.to_le_bytes());
        if let Some(named) = container.get_mut(32..40).filter(|named| *named != [0; 8]) {
            named.copy_from_slice(&id.to_le_bytes());
        }
    }
    let mut at = SUMMARY;
    while let Some(prefix) = container.get(at..at + PREFIX) {
        let length = u32::from_le_bytes(prefix[8..12].try_into().unwrap()) as usize;
        let from = at + PREFIX;
        let Some(bytes) = container.get(from..from.saturating_add(length)) else {
            break;
        };
        let crc = crc32c_append(crc32c(&prefix[..12]), bytes);
        container[at + 12..from].copy_from_slice(&crc.to_le_bytes());
        at = from + length;
    }
    if container.len() >= SUMMARY {
        let crc = crc32c(&container[..60]);
        container[60..SUMMARY].copy_from_slice(&crc.to_le_bytes());
    }
}

//! Dictionaries of zstd: files beside the segments whose chunks need them.

use crate::coldseg::format::field;
use crate::layout::base_of;
use precursor_compression::{DICTIONARY_BYTES_MAX, train_dictionary_within};
use precursor_disk::{DiskFile, FileSystem, OpenMode};
use precursor_memory::{crc32c, crc32c_append};
use siphasher::sip::SipHasher13;
use std::collections::HashSet;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

const MAGIC: [u8; 8] = *b"PRCRDICT";
const VERSION: u16 = 1;
const HEADER_BYTES: usize = 32;
/// Samples of this many bytes are what a dictionary is made of, at most.
pub(crate) const SAMPLE_BYTES_MAX: usize = 8 << 20;
/// zstd wants some; fewer records have nothing to share.
const SAMPLES_MIN: usize = 64;
/// Of the samples, so much is the dictionary at most: more would only repeat them.
const SAMPLES_SHARE: usize = 16;

/// A dictionary that was made here, or read and believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Dictionary {
    /// A hash of the bytes; never 0.
    pub id: u64,
    /// What it made of the samples of its time: bytes before, by bytes after, times 1000.
    pub ratio_permille: u32,
    pub bytes: Vec<u8>,
}

impl Dictionary {
    /// Makes one of samples; `None` when they have too little in common.
    pub fn train(samples: &[Vec<u8>]) -> Option<Dictionary> {
        if samples.len() < SAMPLES_MIN {
            return None;
        }
        let sampled: usize = samples.iter().map(Vec::len).sum();
        let bytes = train_dictionary_within(samples, sampled / SAMPLES_SHARE).ok()?;
        (!bytes.is_empty()).then(|| Dictionary {
            id: id_of(&bytes),
            ratio_permille: 0,
            bytes,
        })
    }

    pub fn encode(&self) -> Vec<u8> {
        let mut out = vec![0; HEADER_BYTES];
        out[..8].copy_from_slice(&MAGIC);
        out[8..10].copy_from_slice(&VERSION.to_le_bytes());
        out[12..16].copy_from_slice(&(self.bytes.len() as u32).to_le_bytes());
        out[16..24].copy_from_slice(&self.id.to_le_bytes());
        out[24..28].copy_from_slice(&self.ratio_permille.to_le_bytes());
        let crc = crc32c_append(crc32c(&out[..28]), &self.bytes);
        out[28..].copy_from_slice(&crc.to_le_bytes());
        out.extend_from_slice(&self.bytes);
        out
    }

    /// Reads [`Self::encode`]'s bytes; `None` when they are not sound.
    pub fn decode(file: &[u8]) -> Option<Dictionary> {
        let (header, bytes) = file.split_at_checked(HEADER_BYTES)?;
        let crc = u32::from_le_bytes(field(header, 28));
        let id = u64::from_le_bytes(field(header, 16));
        let sound = header[..8] == MAGIC
            && u16::from_le_bytes(field(header, 8)) == VERSION
            && u32::from_le_bytes(field(header, 12)) as usize == bytes.len()
            && crc32c_append(crc32c(&header[..28]), bytes) == crc
            && id == id_of(bytes);
        sound.then(|| Dictionary {
            id,
            ratio_permille: u32::from_le_bytes(field(header, 24)),
            bytes: bytes.to_vec(),
        })
    }

    /// Reads an open file; `None` when it is not sound.
    pub fn read(file: &DiskFile) -> io::Result<Option<Dictionary>> {
        let most = HEADER_BYTES + DICTIONARY_BYTES_MAX;
        let length = file.length()?;
        if length > most as u64 {
            return Ok(None);
        }
        let mut bytes = vec![0; length as usize];
        let got = file.read_at(&mut bytes, 0)?;
        bytes.truncate(got);
        Ok(Dictionary::decode(&bytes))
    }

    /// Writes it beside the segments of a directory, durably.
    pub fn write(&self, files: &dyn FileSystem, directory: &Path) -> io::Result<()> {
        files.replace(&path_of(directory, self.id), &self.encode())
    }
}

fn id_of(bytes: &[u8]) -> u64 {
    SipHasher13::new().hash(bytes).max(1)
}

pub(crate) fn path_of(directory: &Path, id: u64) -> PathBuf {
    directory.join(format!("{id:016x}.dict"))
}

/// The id in a name such as `00c0ffee00c0ffee.dict`.
pub(crate) fn id_in(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".dict")?;
    let hexadecimal = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    let is_id = digits.len() == 16 && digits.bytes().all(hexadecimal);
    is_id
        .then(|| u64::from_str_radix(digits, 16).ok())
        .flatten()
}

/// The dictionaries of a directory, in no order; those that are not sound are left out.
pub(crate) fn present(files: &dyn FileSystem, directory: &Path) -> io::Result<Vec<Dictionary>> {
    let mut found = Vec::new();
    for name in files.list(directory)? {
        if let Some(id) = id_in(&name) {
            let file = files.open(&directory.join(&name), OpenMode::Read)?;
            found.extend(Dictionary::read(&file)?.filter(|dictionary| dictionary.id == id));
        }
    }
    Ok(found)
}

/// Removes the dictionaries that no container of the directory needs, finished or not. One whose
/// container cannot be read keeps them all.
pub(crate) fn prune(files: &dyn FileSystem, directory: &Path) -> io::Result<()> {
    let names = match files.list(directory) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        names => names?,
    };
    let ids: Vec<u64> = names.iter().filter_map(|name| id_in(name)).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let mut needed = HashSet::new();
    for name in &names {
        // A directory that hides containers behind the names of segments shows them here.
        let base = base_of(name, "log").or_else(|| base_of(name, super::CONTAINER));
        let begun = base_of(name, super::CONTAINER_BEGUN);
        let path = match (base, begun) {
            (Some(base), _) => super::container_path(directory, base),
            (_, Some(base)) => super::begun_path(directory, base),
            _ => continue,
        };
        match super::container::dictionary_of(files, &path) {
            Ok(Some(id)) => needed.insert(id),
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Ok(None) | Err(_) => return Ok(()),
        };
    }
    for id in ids.into_iter().filter(|id| !needed.contains(id)) {
        match files.remove_file(&path_of(directory, id)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dictionary() -> Dictionary {
        let samples: Vec<Vec<u8>> = (0..500)
            .map(|n| format!("{{\"id\":{n},\"city\":\"Bern\",\"zip\":{}}}", n * 7).into_bytes())
            .collect();
        Dictionary::train(&samples).unwrap()
    }

    #[test]
    fn a_dictionary_comes_back_and_no_changed_one_does() {
        let dictionary = dictionary();
        let bytes = dictionary.encode();
        assert_eq!(Dictionary::decode(&bytes), Some(dictionary));
        for at in (0..bytes.len()).filter(|at| !(10..12).contains(at)) {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert_eq!(Dictionary::decode(&changed), None, "byte {at}");
        }
        for cut in [0, 31, 32, bytes.len() - 1] {
            assert_eq!(Dictionary::decode(&bytes[..cut]), None, "{cut}");
        }
    }

    #[test]
    fn names_are_ids() {
        let path = path_of(Path::new("/d"), 0xc0ffee);
        assert_eq!(path, Path::new("/d/0000000000c0ffee.dict"));
        assert_eq!(id_in("0000000000c0ffee.dict"), Some(0xc0ffee));
        assert_eq!(id_in("0000000000C0FFEE.dict"), None);
        assert_eq!(id_in("c0ffee.dict"), None);
        assert_eq!(id_in("0000000000c0ffee.dict.tmp"), None);
    }

    #[test]
    fn too_few_samples_make_none() {
        assert_eq!(Dictionary::train(&[b"one".to_vec()]), None);
    }
}

//! Pieces of a segment that stand for all of it.

use crate::coldseg::dictionary::SAMPLE_BYTES_MAX;
use crate::coldseg::throttle::Throttle;
use crate::compaction::SegmentReader;
use precursor_disk::DiskFile;
use precursor_memory::crc32c_append;
use std::io;

/// Batches are cut into pieces of this size: about what records share lies that close.
const PIECE_BYTES: usize = 512;
/// Chunks on which codecs are tried.
const CHUNKS_MAX: u64 = 8;

/// What a walk over a segment gave.
pub(crate) struct Sample {
    /// Pieces of batches, evenly taken.
    pub pieces: Vec<Vec<u8>>,
    /// CRC-32C of the whole segment.
    pub crc: u32,
}

/// Walks all batches of a segment, each checked against its checksum.
///
/// # Errors
/// `InvalidData`: a batch is damaged; then the segment stays as it is.
pub(crate) fn walk(file: &DiskFile, size: u64, throttle: &mut Throttle) -> io::Result<Sample> {
    let mut reader = SegmentReader::new(file.clone(), size);
    let mut sample = Sample {
        pieces: Vec::new(),
        crc: 0,
    };
    // So many bytes are passed over for each one that is taken.
    let stride = (size / SAMPLE_BYTES_MAX as u64).max(1);
    let (mut walked, mut taken) = (0u64, 0u64);
    while let Some(batch) = reader.next(throttle.pace())? {
        let bytes = batch.bytes();
        sample.crc = crc32c_append(sample.crc, bytes);
        walked += bytes.len() as u64;
        for piece in bytes.chunks(PIECE_BYTES) {
            if (taken + piece.len() as u64) * stride > walked {
                break;
            }
            taken += piece.len() as u64;
            sample.pieces.push(piece.to_vec());
        }
    }
    Ok(sample)
}

/// Chunks of a segment from evenly spaced places, as they will be compressed.
pub(crate) fn chunks(file: &DiskFile, size: u64, chunk_bytes: u32) -> io::Result<Vec<Vec<u8>>> {
    let chunk_bytes = u64::from(chunk_bytes);
    let count = size.div_ceil(chunk_bytes);
    let wanted = count.min(CHUNKS_MAX);
    (0..wanted)
        .map(|n| {
            let position = n * count / wanted * chunk_bytes;
            let mut chunk = vec![0; (size - position).min(chunk_bytes) as usize];
            let got = file.read_at(&mut chunk, position)?;
            chunk.truncate(got);
            Ok(chunk)
        })
        .collect()
}

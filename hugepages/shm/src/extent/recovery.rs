//! What a predecessor left in the directory: read as untrusted bytes, believed entry by entry.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::time::{SystemTime, UNIX_EPOCH};

use precursor_memory::{CHUNK_BYTES, CHUNK_UNITS, ClaimError, ORDER_MAX, UNIT_BYTES};
use precursor_model::LogUid;

use super::directory::{FREE, RawEntry, chunk_bytes};
use super::{ExtentId, ExtentPool, ExtentState};

/// An extent that a predecessor lent for a log, with believable bounds. What it holds is still to be
/// validated; and of two that claim the same range of a file, at most one is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecoveredExtent {
    pub id: ExtentId,
    pub log: LogUid,
    pub segment_base: i64,
    pub file_position: u64,
    /// Of the extent, in bytes.
    pub size: usize,
    /// Bytes that were part of the log; at most `size`.
    pub committed: u64,
    pub state: ExtentState,
}

/// Why a directory entry was not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetAsideReason {
    /// A state that does not exist.
    State,
    /// Its checksum is wrong.
    Checksum,
    /// Its size or place within the pool, or its range of the file, is impossible.
    Bounds,
    /// More is committed than the extent holds.
    Committed,
    /// An entry before it has some of this memory.
    Overlap,
    /// The filesystem has no memory behind it.
    Memory,
}

/// A directory entry that was not believed.
#[derive(Clone, Debug)]
pub struct SetAside {
    /// The 4 KiB unit of the pool that it stands for.
    pub unit: u32,
    pub reason: SetAsideReason,
    /// The entry as it was found.
    pub entry: [u8; 64],
}

impl ExtentPool {
    /// Rebuilds the book-keeping from the directory. Reads it through the file: reading the mapping
    /// would take memory for parts that never were used.
    pub(super) fn recover(&mut self) {
        let mut entries = vec![0_u8; chunk_bytes()];
        for chunk in 0..self.blocks.buddy.chunks_max() {
            if !self.has_directory(chunk) || self.read_directory(chunk, &mut entries).is_err() {
                continue;
            }
            // Fresh and freed entries have no state: the usual chunk ends here.
            let (list, _) = entries.as_chunks::<64>();
            if list
                .iter()
                .all(|entry| RawEntry::from_bytes(entry).state == FREE)
            {
                continue;
            }
            self.recover_chunk(chunk, list);
        }
        if !self.set_aside.is_empty() {
            self.deal_with_set_aside();
        }
    }

    /// Whether the chunk's part of the directory was ever written. Filesystems that cannot tell say yes.
    fn has_directory(&self, chunk: usize) -> bool {
        let region = self.claim.region();
        let start = region.layout().directory(self.shard) + (chunk * chunk_bytes()) as u64;
        // SAFETY: a descriptor that is open, and plain numbers.
        let data = unsafe {
            libc::lseek(
                region.file().as_raw_fd(),
                start as libc::off_t,
                libc::SEEK_DATA,
            )
        };
        if data < 0 {
            // ENXIO: a hole up to the end of the file.
            return io::Error::last_os_error().raw_os_error() != Some(libc::ENXIO);
        }
        (data as u64) < start + chunk_bytes() as u64
    }

    fn read_directory(&self, chunk: usize, entries: &mut [u8]) -> io::Result<()> {
        let region = self.claim.region();
        let offset = region.layout().directory(self.shard) + (chunk * entries.len()) as u64;
        region.file().read_exact_at(entries, offset)
    }

    fn recover_chunk(&mut self, chunk: usize, entries: &[[u8; 64]]) {
        // Idempotent: what has memory already keeps it, holes get zeroes.
        let backed = self.blocks.supply.claim(chunk);
        if backed {
            self.blocks.buddy.add_chunk(chunk);
        }
        for (index, bytes) in entries.iter().enumerate() {
            let entry = RawEntry::from_bytes(bytes);
            if entry.state == FREE {
                continue;
            }
            let unit = (chunk * CHUNK_UNITS + index) as u32;
            let believed = if backed {
                self.believe(unit, &entry)
            } else {
                Err(SetAsideReason::Memory)
            };
            match believed {
                Ok(extent) => self.recovered.push(extent),
                Err(reason) => self.set_aside.push(SetAside {
                    unit,
                    reason,
                    entry: *bytes,
                }),
            }
        }
    }

    fn believe(&mut self, unit: u32, entry: &RawEntry) -> Result<RecoveredExtent, SetAsideReason> {
        let state = ExtentState::from_u32(entry.state).ok_or(SetAsideReason::State)?;
        let place = unit % (4096 / 64);
        if entry.check != entry.checksum(place) {
            return Err(SetAsideReason::Checksum);
        }
        let order = u8::try_from(entry.order)
            .ok()
            .filter(|order| *order <= ORDER_MAX)
            .ok_or(SetAsideReason::Bounds)?;
        let size = UNIT_BYTES << order;
        let end = entry.file_position.checked_add(size as u64);
        if entry.log == 0 || entry.segment_base < 0 || end.is_none_or(|end| end > i64::MAX as u64) {
            return Err(SetAsideReason::Bounds);
        }
        if entry.committed > size as u64 {
            return Err(SetAsideReason::Committed);
        }
        self.blocks
            .buddy
            .claim(unit, order)
            .map_err(|error| match error {
                ClaimError::Misplaced => SetAsideReason::Bounds,
                ClaimError::Taken => SetAsideReason::Overlap,
            })?;
        self.generations[unit as usize] = entry.generation;
        Ok(RecoveredExtent {
            id: ExtentId {
                unit,
                generation: entry.generation,
            },
            log: LogUid(entry.log),
            segment_base: entry.segment_base,
            file_position: entry.file_position,
            size,
            committed: entry.committed,
            state,
        })
    }

    /// Keeps what was not believed in a file, then forgets it here. Where that fails its memory stays
    /// out of use, for the next start to try again.
    fn deal_with_set_aside(&mut self) {
        if self.write_set_aside().is_ok() {
            for entry in &self.set_aside {
                self.entry(entry.unit).close();
            }
            return;
        }
        for entry in &self.set_aside {
            // Refused where another extent has the memory, which keeps it in use anyway.
            let _ = self.blocks.buddy.claim(entry.unit, entry.order());
        }
    }

    /// Per entry: the 64 bytes of the entry; unit, reason and the length of what follows as
    /// little-endian u32; the bytes of its extent, as far as no entry before it brought them.
    fn write_set_aside(&self) -> io::Result<()> {
        let region = self.claim.region();
        let directory = region.data_dir().join("set-aside");
        fs::create_dir_all(&directory)?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let name = format!(
            "region-shard-{}-{}-{}.bin",
            self.shard,
            now.map_or(0, |since| since.as_millis()),
            std::process::id()
        );
        let mut file = BufWriter::new(fs::File::create_new(directory.join(name))?);
        let mut copied_to = 0;
        let mut bytes = vec![0; CHUNK_BYTES];
        for entry in &self.set_aside {
            let start = entry.unit as usize * UNIT_BYTES;
            let end = start + (UNIT_BYTES << entry.order());
            let start = start.max(copied_to).min(end);
            let bytes = &mut bytes[..end - start];
            region
                .file()
                .read_exact_at(bytes, region.layout().pool(self.shard) + start as u64)?;
            file.write_all(&entry.entry)?;
            for field in [entry.unit, entry.reason as u32, bytes.len() as u32] {
                file.write_all(&field.to_le_bytes())?;
            }
            file.write_all(bytes)?;
            copied_to = copied_to.max(end);
        }
        file.into_inner()?.sync_all()
    }
}

impl SetAside {
    /// The order that the entry claims, or that of one unit if that cannot be at this place.
    fn order(&self) -> u8 {
        let claimed = RawEntry::from_bytes(&self.entry).order;
        match u8::try_from(claimed) {
            Ok(order) if order <= ORDER_MAX && self.unit.is_multiple_of(1 << order) => order,
            _ => 0,
        }
    }
}

//! Where everything lies in the region: computed from a few sizes, the same by every process.

use std::mem::{align_of, offset_of, size_of};

use precursor_memory::{CHUNK_BYTES, UNIT_BYTES, crc32c};

use crate::extent::DirectoryEntry;
use crate::latency::ShardLatency;
use crate::ring::RingControl;
use crate::stats::ShardStats;
use crate::status::StatusPage;

/// The first eight bytes of a region.
pub(crate) const MAGIC: u64 = u64::from_le_bytes(*b"PRECURSR");
/// Changes with every change of a layout in this crate or of the control messages' encoding.
pub(crate) const ABI_VERSION: u32 = 7;

const PAGE: u64 = 4096;
/// What the pools are aligned to: a huge page, and a chunk of the extent allocator.
const CHUNK: u64 = CHUNK_BYTES as u64;
/// A bound for sizes read from a header, far above any machine's memory, so that sums cannot overflow.
const BYTES_MAX: u64 = 1 << 46;

/// The first bytes of a region. Every field but the version is written before the version is.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(crate) struct Header {
    pub magic: u64,
    /// Zero until everything else is in place; stored last (Release).
    pub abi_version: u32,
    pub node_id: i32,
    pub region_bytes: u64,
    /// Extent pool of one shard.
    pub pool_bytes: u64,
    /// Buffer pool of one shard.
    pub buffer_bytes: u64,
    pub control_ring_bytes: u32,
    pub shards: u32,
    /// Which data directory this region's records belong to.
    pub data_dir_hash: u64,
    pub created_ms: u64,
    /// CRC-32C of the fields above, with the version that is published.
    pub check: u32,
    pub reserved: u32,
}

const _: () = {
    assert!(size_of::<Header>() == 72 && align_of::<Header>() == 8);
    assert!(offset_of!(Header, magic) == 0);
    assert!(offset_of!(Header, abi_version) == 8);
    assert!(offset_of!(Header, node_id) == 12);
    assert!(offset_of!(Header, region_bytes) == 16);
    assert!(offset_of!(Header, control_ring_bytes) == 40);
    assert!(offset_of!(Header, shards) == 44);
    assert!(offset_of!(Header, check) == 64);
};

impl Header {
    /// From the first bytes of a file, believing nothing.
    pub fn from_bytes(bytes: &[u8; size_of::<Header>()]) -> Header {
        // SAFETY: the array is as long as the struct, all fields are integers, for which any bytes
        // are a value, and the read does not need alignment.
        unsafe { std::ptr::read_unaligned(bytes.as_ptr().cast()) }
    }

    /// The checksum that `check` must hold when `version` is published.
    pub fn checksum(&self, version: u32) -> u32 {
        let mut bytes = [0_u8; offset_of!(Header, check)];
        bytes[..8].copy_from_slice(&self.magic.to_le_bytes());
        bytes[8..12].copy_from_slice(&version.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.node_id.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.region_bytes.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.pool_bytes.to_le_bytes());
        bytes[32..40].copy_from_slice(&self.buffer_bytes.to_le_bytes());
        bytes[40..44].copy_from_slice(&self.control_ring_bytes.to_le_bytes());
        bytes[44..48].copy_from_slice(&self.shards.to_le_bytes());
        bytes[48..56].copy_from_slice(&self.data_dir_hash.to_le_bytes());
        bytes[56..64].copy_from_slice(&self.created_ms.to_le_bytes());
        crc32c(&bytes)
    }
}

/// The sizes that determine a layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sizes {
    pub shards: u16,
    /// Of one shard; whole chunks.
    pub pool_bytes: u64,
    /// Of one shard; whole chunks.
    pub buffer_bytes: u64,
    /// Of one ring; a power of two of at least a page.
    pub control_ring_bytes: u32,
}

/// The four rings' places: which side writes it, and for which shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RingName {
    ToControl,
    ToData,
}

/// Offsets of a region's parts, from its first byte.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    pub sizes: Sizes,
    stats: u64,
    latency: u64,
    rings: u64,
    directories: u64,
    pools: u64,
    buffers: u64,
    pub region_bytes: u64,
}

impl Layout {
    /// Where the status page is in every region.
    pub const STATUS: u64 = PAGE;

    /// `None` for sizes that no region of this version can have.
    pub fn new(sizes: Sizes) -> Option<Layout> {
        let Sizes {
            shards,
            pool_bytes,
            buffer_bytes,
            control_ring_bytes,
        } = sizes;
        let whole_chunks =
            |bytes: u64| (CHUNK..=BYTES_MAX).contains(&bytes) && bytes.is_multiple_of(CHUNK);
        let ring = u64::from(control_ring_bytes);
        if shards == 0
            || !whole_chunks(pool_bytes)
            || !whole_chunks(buffer_bytes)
            || !ring.is_power_of_two()
            || ring < PAGE
        {
            return None;
        }
        let shards = u64::from(shards);
        let stats = Self::STATUS + size_of::<StatusPage>() as u64;
        let latency = stats + shards * size_of::<ShardStats>() as u64;
        let rings = latency + shards * size_of::<ShardLatency>() as u64;
        let directories = rings + shards * 2 * (PAGE + ring);
        let directory_end = directories + shards * Self::directory_bytes(pool_bytes);
        let pools = directory_end.next_multiple_of(CHUNK);
        let buffers = pools + shards.checked_mul(pool_bytes)?;
        let region_bytes = buffers + shards.checked_mul(buffer_bytes)?;
        (region_bytes <= BYTES_MAX).then_some(Layout {
            sizes,
            stats,
            latency,
            rings,
            directories,
            pools,
            buffers,
            region_bytes,
        })
    }

    fn directory_bytes(pool_bytes: u64) -> u64 {
        pool_bytes / UNIT_BYTES as u64 * size_of::<DirectoryEntry>() as u64
    }

    pub fn stats(&self, shard: u16) -> u64 {
        self.stats + u64::from(shard) * size_of::<ShardStats>() as u64
    }

    pub fn latency(&self, shard: u16) -> u64 {
        self.latency + u64::from(shard) * size_of::<ShardLatency>() as u64
    }

    /// A ring's control block; its bytes begin a page later.
    pub fn ring(&self, name: RingName, shard: u16) -> u64 {
        let index = u64::from(shard) * 2 + u64::from(name == RingName::ToData);
        self.rings + index * (PAGE + u64::from(self.sizes.control_ring_bytes))
    }

    /// A ring's bytes.
    pub fn ring_bytes(&self, name: RingName, shard: u16) -> u64 {
        self.ring(name, shard) + PAGE
    }

    pub fn directory(&self, shard: u16) -> u64 {
        self.directories + u64::from(shard) * Self::directory_bytes(self.sizes.pool_bytes)
    }

    pub fn pool(&self, shard: u16) -> u64 {
        self.pools + u64::from(shard) * self.sizes.pool_bytes
    }

    pub fn buffers(&self, shard: u16) -> u64 {
        self.buffers + u64::from(shard) * self.sizes.buffer_bytes
    }

    /// Bytes from the start that are in use from the first moment: all before the directories, which
    /// get their memory chunk by chunk with the pools.
    pub fn front_bytes(&self) -> u64 {
        self.directories
    }
}

const _: () = assert!(size_of::<RingControl>() <= PAGE as usize);

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes() -> Sizes {
        Sizes {
            shards: 3,
            pool_bytes: 8 * CHUNK,
            buffer_bytes: 2 * CHUNK,
            control_ring_bytes: 1 << 16,
        }
    }

    #[test]
    fn parts_follow_each_other_without_touching() {
        let layout = Layout::new(sizes()).unwrap();
        let ring = PAGE + (1 << 16);
        let mut parts = vec![(0, PAGE), (Layout::STATUS, PAGE)];
        for shard in 0..3 {
            parts.push((layout.stats(shard), size_of::<ShardStats>() as u64));
            let bytes = size_of::<ShardLatency>() as u64;
            parts.push((layout.latency(shard), bytes));
            parts.push((layout.ring(RingName::ToControl, shard), ring));
            parts.push((layout.ring(RingName::ToData, shard), ring));
            parts.push((layout.directory(shard), 8 * 512 * 64));
            parts.push((layout.pool(shard), 8 * CHUNK));
            parts.push((layout.buffers(shard), 2 * CHUNK));
        }
        parts.sort_unstable();
        for pair in parts.windows(2) {
            assert!(pair[0].0 + pair[0].1 <= pair[1].0, "{pair:?}");
        }
        let (last, bytes) = parts[parts.len() - 1];
        assert_eq!(last + bytes, layout.region_bytes);
        assert_eq!(layout.pool(2) % CHUNK, 0);
        assert_eq!(layout.region_bytes % CHUNK, 0);
    }

    #[test]
    fn impossible_sizes_have_no_layout() {
        let change = |f: fn(&mut Sizes)| {
            let mut sizes = sizes();
            f(&mut sizes);
            Layout::new(sizes)
        };
        assert!(change(|s| s.shards = 0).is_none());
        assert!(change(|s| s.pool_bytes = 0).is_none());
        assert!(change(|s| s.pool_bytes += 1).is_none());
        assert!(change(|s| s.pool_bytes = u64::MAX / CHUNK * CHUNK).is_none());
        assert!(change(|s| s.pool_bytes = BYTES_MAX).is_none());
        assert!(change(|s| s.buffer_bytes = CHUNK - 1).is_none());
        assert!(change(|s| s.control_ring_bytes = 5000).is_none());
        assert!(change(|s| s.control_ring_bytes = 0).is_none());
        assert!(change(|_| ()).is_some());
    }
}

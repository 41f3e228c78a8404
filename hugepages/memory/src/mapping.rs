//! Memory mappings as raw memory: a base address and a length that stay valid until dropped.

use std::fs::File;
use std::io;

use memmap2::{Advice, MmapOptions, MmapRaw};

/// Base-2 logarithm of the huge page size that is asked for: 2 MiB.
const HUGE_PAGE_BITS: u8 = 21;

/// A mapping of whole pages. It hands out addresses, never references: who may read or write which
/// part is for the owner of the layout to say.
#[derive(Debug)]
pub struct Mapping {
    raw: MmapRaw,
    hugetlb: bool,
}

impl Mapping {
    /// Private zeroed memory of ordinary pages, touched lazily.
    ///
    /// # Errors
    /// What `mmap` says, usually out of address space or over a limit.
    pub fn anonymous(bytes: usize) -> io::Result<Mapping> {
        let map = MmapOptions::new().len(bytes).map_anon()?;
        Ok(Mapping {
            raw: map.into(),
            hugetlb: false,
        })
    }

    /// Private zeroed memory on reserved 2 MiB pages; where none are left, on ordinary pages with
    /// transparent huge pages advised. [`Mapping::is_hugetlb`] tells which.
    ///
    /// # Errors
    /// What `mmap` says when not even ordinary pages can be had.
    pub fn anonymous_huge(bytes: usize) -> io::Result<Mapping> {
        let huge = MmapOptions::new()
            .len(bytes)
            .huge(Some(HUGE_PAGE_BITS))
            .map_anon();
        if let Ok(map) = huge {
            return Ok(Mapping {
                raw: map.into(),
                hugetlb: true,
            });
        }
        let mapping = Mapping::anonymous(bytes)?;
        mapping.advise_huge();
        Ok(mapping)
    }

    /// The first `bytes` of `file`, shared with every other mapping of it. On hugetlbfs this is
    /// where the pages are reserved, so it fails there when too few are left.
    ///
    /// # Errors
    /// What `mmap` says.
    pub fn shared(file: &File, bytes: usize) -> io::Result<Mapping> {
        let raw = MmapOptions::new().len(bytes).map_raw(file)?;
        Ok(Mapping {
            raw,
            hugetlb: false,
        })
    }

    /// The first byte.
    pub fn as_ptr(&self) -> *mut u8 {
        self.raw.as_mut_ptr()
    }

    /// Bytes mapped.
    pub fn len(&self) -> usize {
        self.raw.len()
    }

    /// Never true: an empty mapping cannot be made.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the memory is on reserved huge pages (known for anonymous mappings only).
    pub fn is_hugetlb(&self) -> bool {
        self.hugetlb
    }

    /// Asks for transparent huge pages. Advice: kernels without them ignore it.
    pub fn advise_huge(&self) {
        let _ = self.raw.advise(Advice::HugePage);
    }

    /// Brings the pages of a range in now, writable, so that later writes take no page fault.
    /// A kernel that does not know how leaves them to be faulted in one by one.
    ///
    /// # Errors
    /// The backing file has no room for these pages (touching them would be a SIGBUS).
    pub fn prefault(&self, offset: usize, bytes: usize) -> io::Result<()> {
        match self.raw.advise_range(Advice::PopulateWrite, offset, bytes) {
            // EINVAL: a kernel before 5.14.
            Err(error) if error.raw_os_error() == Some(libc::EINVAL) => Ok(()),
            other => other,
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn bytes(mapping: &mut Mapping) -> &mut [u8] {
        // SAFETY: the whole mapping, which the tests use from one place at a time.
        unsafe { std::slice::from_raw_parts_mut(mapping.as_ptr(), mapping.len()) }
    }

    #[test]
    fn anonymous_memory_is_zero_and_writable_with_or_without_huge_pages() {
        let bytes_asked = 4 << 20;
        for mut mapping in [
            Mapping::anonymous(bytes_asked).unwrap(),
            Mapping::anonymous_huge(bytes_asked).unwrap(),
        ] {
            assert_eq!(mapping.len(), bytes_asked);
            mapping.prefault(2 << 20, 2 << 20).unwrap();
            assert!(bytes(&mut mapping).iter().all(|byte| *byte == 0));
            bytes(&mut mapping).fill(9);
        }
    }

    #[test]
    fn mappings_of_one_file_are_one_memory_and_end_where_it_ends() {
        let path = std::env::temp_dir().join(format!("precursor-mapping-{}", std::process::id()));
        let file = File::options()
            .read(true)
            .write(true)
            .create_new(true)
            .open(&path)
            .unwrap();
        std::fs::remove_file(&path).unwrap();
        file.set_len(8192).unwrap();
        let first = Mapping::shared(&file, 16384).unwrap();
        let mut second = Mapping::shared(&file, 8192).unwrap();
        bytes(&mut second)[8191] = 5;
        // SAFETY: within the file.
        assert_eq!(unsafe { first.as_ptr().add(8191).read() }, 5);
        first.prefault(0, 8192).unwrap();
        let beyond = first.prefault(8192, 8192);
        assert!(beyond.is_err(), "touching it would be a SIGBUS");
    }
}

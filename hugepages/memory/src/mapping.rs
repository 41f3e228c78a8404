//! Memory mappings as raw memory: a base address and a length that stay valid until dropped.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::ptr::{self, NonNull};

/// A huge page that is asked for: 2 MiB.
const HUGE_PAGE_BYTES: usize = 2 << 20;

/// A mapping of whole pages. It hands out addresses, never references: who may read or write which
/// part is for the owner of the layout to say.
#[derive(Debug)]
pub struct Mapping {
    base: NonNull<u8>,
    bytes: usize,
}

// SAFETY: an address and a length; what is behind them is not tied to a thread, and nothing here
// reads or writes it.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

/// What `mmap` is told besides place and length.
#[derive(Clone, Copy)]
struct Kind {
    protection: i32,
    flags: i32,
    descriptor: i32,
}

const READ_WRITE: i32 = libc::PROT_READ | libc::PROT_WRITE;
const ANONYMOUS: Kind = Kind {
    protection: READ_WRITE,
    flags: libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
    descriptor: -1,
};

impl Mapping {
    /// Private zeroed memory of ordinary pages, touched lazily.
    ///
    /// # Errors
    /// What `mmap` says, usually out of address space or over a limit.
    pub fn anonymous(bytes: usize) -> io::Result<Mapping> {
        Mapping::map(bytes, ANONYMOUS)
    }

    /// Private zeroed memory on reserved 2 MiB pages; where none are left, on ordinary pages with
    /// transparent huge pages advised, which the kernel gives as it has them.
    /// [`Mapping::huge_bytes`] tells what was got. The length is rounded up to whole huge pages.
    ///
    /// # Errors
    /// What `mmap` says when not even ordinary pages can be had.
    pub fn anonymous_huge(bytes: usize) -> io::Result<Mapping> {
        let bytes = bytes.next_multiple_of(HUGE_PAGE_BYTES);
        let reserved = Kind {
            flags: ANONYMOUS.flags | libc::MAP_HUGETLB | libc::MAP_HUGE_2MB,
            ..ANONYMOUS
        };
        if let Ok(mapping) = Mapping::map(bytes, reserved) {
            return Ok(mapping);
        }
        let mapping = Mapping::map_aligned(bytes, ANONYMOUS)?;
        mapping.advise_huge();
        Ok(mapping)
    }

    /// The first `bytes` of `file`, shared with every other mapping of it, at an address that huge
    /// pages can have. On hugetlbfs this is where the pages are reserved, so it fails there when too
    /// few are left.
    ///
    /// # Errors
    /// What `mmap` says.
    pub fn shared(file: &File, bytes: usize) -> io::Result<Mapping> {
        let kind = Kind {
            protection: READ_WRITE,
            flags: libc::MAP_SHARED,
            descriptor: file.as_raw_fd(),
        };
        Mapping::map_aligned(bytes, kind)
    }

    /// The first byte.
    pub fn as_ptr(&self) -> *mut u8 {
        self.base.as_ptr()
    }

    /// Bytes mapped.
    pub fn len(&self) -> usize {
        self.bytes
    }

    /// Never true: an empty mapping cannot be made.
    pub fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// Asks for transparent huge pages. Advice: kernels without them ignore it.
    pub fn advise_huge(&self) {
        let _ = self.advise(libc::MADV_HUGEPAGE, 0, self.bytes);
    }

    /// Makes a range of 2 MiB blocks, whose memory is there, lie on huge pages, and maps them. Needs
    /// no setting of the host: asking for certain ranges is allowed where taking them by itself is
    /// not (`MADV_COLLAPSE`, Linux 6.1).
    ///
    /// # Errors
    /// The kernel cannot, or has no such page now; the range stays as it was.
    pub fn make_huge(&self, offset: usize, bytes: usize) -> io::Result<()> {
        self.advise(libc::MADV_COLLAPSE, offset, bytes)
    }

    /// Brings the pages of a range in now, writable, so that later writes take no page fault.
    /// A kernel that does not know how leaves them to be faulted in one by one.
    ///
    /// # Errors
    /// The backing file has no room for these pages (touching them would be a SIGBUS).
    pub fn prefault(&self, offset: usize, bytes: usize) -> io::Result<()> {
        match self.advise(libc::MADV_POPULATE_WRITE, offset, bytes) {
            // EINVAL: a kernel before 5.14.
            Err(error) if error.raw_os_error() == Some(libc::EINVAL) => Ok(()),
            other => other,
        }
    }

    /// Bytes of the mapping that lie on huge pages of any kind now, as the kernel says (`smaps`).
    /// It walks the page tables: not for the hot path.
    ///
    /// # Errors
    /// `/proc` cannot be read.
    pub fn huge_bytes(&self) -> io::Result<usize> {
        let smaps = fs::read_to_string("/proc/self/smaps")?;
        let start = self.base.as_ptr() as usize;
        Ok(huge_bytes_in(&smaps, start, start + self.bytes))
    }

    /// Has the pages of a range that are not there yet come from this NUMA node while it has any.
    /// For a shared mapping of memory this holds for every process.
    ///
    /// # Errors
    /// There is no such node, or the kernel knows none.
    pub fn prefer_node(&self, offset: usize, bytes: usize, node: u32) -> io::Result<()> {
        let range = self.range(offset, bytes);
        crate::numa::prefer_node_for(range, bytes, node)
    }

    fn advise(&self, advice: i32, offset: usize, bytes: usize) -> io::Result<()> {
        let range = self.range(offset, bytes);
        // SAFETY: the range is within the mapping, and none of the advice used here changes what
        // reading it yields.
        match unsafe { libc::madvise(range.cast(), bytes, advice) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }

    fn range(&self, offset: usize, bytes: usize) -> *mut u8 {
        let fits = offset
            .checked_add(bytes)
            .is_some_and(|end| end <= self.bytes);
        assert!(fits, "{bytes} bytes at {offset} of {}", self.bytes);
        self.base.as_ptr().wrapping_add(offset)
    }

    fn map(bytes: usize, kind: Kind) -> io::Result<Mapping> {
        let base = mmap(ptr::null_mut(), bytes, kind)?;
        Ok(Mapping { base, bytes })
    }

    /// At a multiple of a huge page's size, which `mmap` by itself promises to nobody.
    fn map_aligned(bytes: usize, kind: Kind) -> io::Result<Mapping> {
        let too_long = || io::Error::from_raw_os_error(libc::ENOMEM);
        let room = bytes.checked_add(HUGE_PAGE_BYTES).ok_or_else(too_long)?;
        let reserved = Kind {
            protection: libc::PROT_NONE,
            flags: libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
            descriptor: -1,
        };
        let reserved = Mapping::map(room, reserved)?;
        let start = reserved.base.as_ptr() as usize;
        let skipped = start.next_multiple_of(HUGE_PAGE_BYTES) - start;
        let aligned = reserved.base.as_ptr().wrapping_add(skipped);
        let fixed = Kind {
            flags: kind.flags | libc::MAP_FIXED,
            ..kind
        };
        let base = mmap(aligned.cast(), bytes, fixed)?;
        // Only what lies before and behind it is the reservation's still.
        std::mem::forget(reserved);
        let end = (bytes + skipped).next_multiple_of(4096);
        unmap(start as *mut u8, skipped);
        unmap((start + end) as *mut u8, room.next_multiple_of(4096) - end);
        Ok(Mapping { base, bytes })
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        unmap(self.base.as_ptr(), self.bytes);
    }
}

fn mmap(place: *mut libc::c_void, bytes: usize, kind: Kind) -> io::Result<NonNull<u8>> {
    let Kind {
        protection,
        flags,
        descriptor,
    } = kind;
    // SAFETY: without a fixed place the kernel takes one where nothing is; a fixed one is within a
    // reservation of ours that nobody uses.
    let base = unsafe { libc::mmap(place, bytes, protection, flags, descriptor, 0) };
    match NonNull::new(base.cast::<u8>()) {
        Some(base) if base.as_ptr().cast::<libc::c_void>() != libc::MAP_FAILED => Ok(base),
        _ => Err(io::Error::last_os_error()),
    }
}

fn unmap(start: *mut u8, bytes: usize) {
    if bytes > 0 {
        // SAFETY: a range that was mapped here and that nobody uses any more.
        unsafe { libc::munmap(start.cast(), bytes) };
    }
}

/// The kinds of huge pages that `smaps` tells apart.
const HUGE_FIELDS: [&str; 5] = [
    "AnonHugePages:",
    "ShmemPmdMapped:",
    "FilePmdMapped:",
    "Shared_Hugetlb:",
    "Private_Hugetlb:",
];

/// The huge pages of the mappings that lie within a range of addresses.
fn huge_bytes_in(smaps: &str, start: usize, end: usize) -> usize {
    let mut within = false;
    let mut kibibytes = 0;
    for line in smaps.lines() {
        let mut words = line.split_whitespace();
        let first = words.next().unwrap_or("");
        if let Some((from, to)) = first.split_once('-') {
            let address = |text| usize::from_str_radix(text, 16);
            if let (Ok(from), Ok(to)) = (address(from), address(to)) {
                within = from >= start && to <= end;
            }
        } else if within && HUGE_FIELDS.contains(&first) {
            let number = words.next().and_then(|number| number.parse::<usize>().ok());
            kibibytes += number.unwrap_or(0);
        }
    }
    kibibytes * 1024
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

    fn unnamed_file() -> File {
        // SAFETY: a C string literal and a flag.
        let descriptor = unsafe { libc::memfd_create(c"test".as_ptr(), libc::MFD_CLOEXEC) };
        assert!(descriptor >= 0);
        // SAFETY: just opened, and nobody else's.
        unsafe { std::os::fd::FromRawFd::from_raw_fd(descriptor) }
    }

    #[test]
    fn mappings_of_one_file_are_one_memory_and_end_where_it_ends() {
        let file = unnamed_file();
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

    #[test]
    fn mappings_take_and_give_back_exactly_their_addresses() {
        let own = || {
            let maps = fs::read_to_string("/proc/self/maps").unwrap();
            maps.matches("memfd:test").count()
        };
        let file = unnamed_file();
        file.set_len(5 << 20).unwrap();
        for length in [1, 4096, 5 << 20] {
            let mapping = Mapping::shared(&file, length).unwrap();
            assert_eq!(mapping.as_ptr() as usize % HUGE_PAGE_BYTES, 0);
            assert!(own() >= 1);
        }
        assert!(Mapping::anonymous(usize::MAX).is_err());
        assert!(Mapping::shared(&file, usize::MAX).is_err());
    }

    /// Whatever this host gives, it is what is said; and content survives the change of pages.
    #[test]
    fn huge_pages_are_told_as_they_are() {
        let file = unnamed_file();
        file.set_len(4 << 20).unwrap();
        let mut mapping = Mapping::shared(&file, 4 << 20).unwrap();
        bytes(&mut mapping)[2 << 20..].fill(7);
        let before = mapping.huge_bytes().unwrap();
        match mapping.make_huge(2 << 20, 2 << 20) {
            Ok(()) => assert_eq!(mapping.huge_bytes().unwrap(), before.max(2 << 20)),
            Err(error) => {
                eprintln!("no huge page here: {error}");
                assert_eq!(mapping.huge_bytes().unwrap(), before);
            }
        }
        assert!(bytes(&mut mapping)[2 << 20..].iter().all(|byte| *byte == 7));
    }

    #[test]
    fn huge_pages_of_other_mappings_do_not_count() {
        let smaps = "1000-3000 rw-s 00000000 00:01 1 /dev/shm/a b\n\
                     ShmemPmdMapped:     2048 kB\nRss: 77 kB\n\
                     3000-5000 rw-p 00000000 00:00 0\nAnonHugePages:      4096 kB\n\
                     5000-6000 rw-p 00000000 00:00 0\nPrivate_Hugetlb:    8192 kB\n";
        assert_eq!(huge_bytes_in(smaps, 0x1000, 0x5000), 6 << 20);
        assert_eq!(huge_bytes_in(smaps, 0x5000, 0x6000), 8 << 20);
        assert_eq!(huge_bytes_in("torn", 0, usize::MAX), 0);
    }
}

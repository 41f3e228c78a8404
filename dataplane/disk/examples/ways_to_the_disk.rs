//! Compares ways to read sealed segments and to write extents, on one file in one run:
//! `ways_to_the_disk DIRECTORY [MEBIBYTES]`. For each way the rate and the processor seconds per GB.
//!
//! Reads end in memory of the program, as in the cache of chunks: past the page cache (O_DIRECT), or
//! by a mapping whose pages are faulted in ahead (MADV_POPULATE_READ) and copied, from a page cache
//! that was emptied before. Writes are O_DIRECT through io_uring, from memory that is registered
//! with the ring or is not. Offset indexes of sealed segments are decoded to memory, or mapped.

use io_uring::{IoUring, opcode, types};
use std::alloc::{Layout, alloc_zeroed};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::time::Instant;

const MIB: usize = 1 << 20;
const ROUNDS: usize = 3;
/// Operations under way while writing.
const DEPTH: usize = 16;

/// Memory as O_DIRECT wants it, which stays.
fn memory(bytes: usize) -> &'static mut [u8] {
    let layout = Layout::from_size_align(bytes, 2 * MIB).unwrap();
    // SAFETY: a layout that is not empty; the memory is never given back, and nobody else has it.
    let memory = unsafe { std::slice::from_raw_parts_mut(alloc_zeroed(layout), bytes) };
    memory.fill(0xa5);
    memory
}

fn processor_seconds() -> f64 {
    // SAFETY: all zeroes are a value of this struct of integers.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: a struct of ours to write to.
    unsafe { libc::getrusage(libc::RUSAGE_SELF, &mut usage) };
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 * 1e-6;
    seconds(usage.ru_utime) + seconds(usage.ru_stime)
}

/// Ways to do the same, by turns; of each the best of a few rounds.
fn measure(bytes: usize, before: impl Fn(), ways: &[(String, &dyn Fn())]) {
    let gigabytes = bytes as f64 * 1e-9;
    let mut best = vec![(0.0, 0.0); ways.len()];
    for _ in 0..ROUNDS {
        for ((_, way), best) in ways.iter().zip(&mut best) {
            before();
            let (begun, processor) = (Instant::now(), processor_seconds());
            way();
            let rate = gigabytes / begun.elapsed().as_secs_f64();
            let cost = (processor_seconds() - processor) / gigabytes;
            if rate > best.0 {
                *best = (rate, cost);
            }
        }
    }
    for ((what, _), (rate, cost)) in ways.iter().zip(best) {
        println!("{what:<52} {rate:>6.2} GB/s {cost:>6.3} CPU s/GB");
    }
}

/// A mapping of a whole file.
struct Mapped(*const u8, usize);

// SAFETY: memory that is only read.
unsafe impl Sync for Mapped {}

impl Mapped {
    fn of(file: &File, length: usize) -> Mapped {
        // SAFETY: a new mapping of a file that nobody makes shorter while the program runs.
        let start = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                length,
                libc::PROT_READ,
                libc::MAP_SHARED,
                file.as_raw_fd(),
                0,
            )
        };
        assert!(start != libc::MAP_FAILED, "{}", io::Error::last_os_error());
        Mapped(start.cast(), length)
    }

    fn read(&self, out: &mut [u8], at: usize) {
        assert!(at + out.len() <= self.1);
        // SAFETY: within the mapping, as was just checked.
        unsafe {
            let from = self.0.add(at);
            let told = libc::madvise(from.cast_mut().cast(), out.len(), libc::MADV_POPULATE_READ);
            assert_eq!(told, 0, "{}", io::Error::last_os_error());
            std::ptr::copy_nonoverlapping(from, out.as_mut_ptr(), out.len());
        }
    }
}

impl Drop for Mapped {
    fn drop(&mut self) {
        // SAFETY: the whole mapping, which nobody reads any more.
        unsafe { libc::munmap(self.0.cast_mut().cast(), self.1) };
    }
}

/// Has each reader read its part, piece by piece: in order, or at random with as many pieces.
fn read_all(
    length: usize,
    readers: usize,
    piece: usize,
    random: bool,
    read: impl Fn(&mut [u8], usize) + Sync,
) {
    std::thread::scope(|scope| {
        for reader in 0..readers {
            let read = &read;
            scope.spawn(move || {
                let (part, out) = (length / readers, memory(piece));
                let mut seed = reader as u64 + 1;
                for n in 0..part / piece {
                    seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    let n = match random {
                        true => (seed >> 33) as usize % (part / piece),
                        false => n,
                    };
                    read(out, reader * part + n * piece);
                }
            });
        }
    });
}

fn reads(path: &Path, length: usize) -> io::Result<()> {
    let direct = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_DIRECT)
        .open(path)?;
    let buffered = File::open(path)?;
    let cool = || {
        // SAFETY: a descriptor that is open, and plain numbers.
        unsafe { libc::posix_fadvise(buffered.as_raw_fd(), 0, 0, libc::POSIX_FADV_DONTNEED) };
    };
    let cases = [
        (1, MIB, false, "1 reader, in order, 1 MiB"),
        (4, MIB, false, "4 readers, in order, 1 MiB"),
        (1, 64 << 10, true, "1 reader, 64 KiB at random"),
    ];
    for (readers, piece, random, what) in cases {
        let bytes = length / readers / piece * piece * readers;
        let each = |out: &mut [u8], at: usize| direct.read_exact_at(out, at as u64).unwrap();
        let past_the_cache = || read_all(length, readers, piece, random, each);
        let by_mapping = || {
            let mapped = Mapped::of(&buffered, length);
            read_all(length, readers, piece, random, |out, at| {
                mapped.read(out, at)
            });
        };
        let ways: [(String, &dyn Fn()); 2] = [
            (format!("read, O_DIRECT: {what}"), &past_the_cache),
            (format!("read, mapped and copied: {what}"), &by_mapping),
        ];
        measure(bytes, cool, &ways);
    }
    Ok(())
}

fn writes(path: &Path, length: usize) -> io::Result<()> {
    let file = OpenOptions::new()
        .write(true)
        .custom_flags(libc::O_DIRECT)
        .open(path)?;
    let memory = memory(DEPTH * MIB);
    let ring = IoUring::new(DEPTH as u32)?;
    let buffer = libc::iovec {
        iov_base: memory.as_mut_ptr().cast(),
        iov_len: memory.len(),
    };
    // SAFETY: memory that is never given back.
    unsafe { ring.submitter().register_buffers(&[buffer])? };
    let ring = std::cell::RefCell::new(ring);
    for (piece, what) in [(4 << 10, "4 KiB"), (64 << 10, "64 KiB"), (MIB, "1 MiB")] {
        let bytes = (length / piece).min(32_768) * piece;
        let write = |fixed| {
            let sizes = (piece, bytes);
            write_all(&mut ring.borrow_mut(), &file, memory.as_ptr(), sizes, fixed);
        };
        let (plain, registered) = (|| write(false), || write(true));
        let ways: [(String, &dyn Fn()); 2] = [
            (
                format!("write, not registered: {what}, {DEPTH} under way"),
                &plain,
            ),
            (
                format!("write, registered: {what}, {DEPTH} under way"),
                &registered,
            ),
        ];
        measure(bytes, || {}, &ways);
    }
    Ok(())
}

fn write_all(
    ring: &mut IoUring,
    file: &File,
    memory: *const u8,
    (piece, bytes): (usize, usize),
    fixed: bool,
) {
    let file = types::Fd(file.as_raw_fd());
    let (mut at, mut under_way) = (0, 0);
    while at < bytes || under_way > 0 {
        while at < bytes && under_way < DEPTH {
            let slot = at / piece % DEPTH;
            let (position, length) = (at as u64, piece as u32);
            // SAFETY: within the memory, which has DEPTH slots of a piece at least.
            let from = unsafe { memory.add(slot * piece) };
            let entry = match fixed {
                true => opcode::WriteFixed::new(file, from, length, 0)
                    .offset(position)
                    .build(),
                false => opcode::Write::new(file, from, length)
                    .offset(position)
                    .build(),
            };
            // SAFETY: the memory stays, and nobody writes to it.
            unsafe { ring.submission().push(&entry).unwrap() };
            at += piece;
            under_way += 1;
        }
        ring.submit_and_wait(1).unwrap();
        for completion in ring.completion() {
            assert_eq!(completion.result(), piece as i32);
            under_way -= 1;
        }
    }
}

/// Entries of the offset index of a segment of 1 GiB.
const ENTRIES: usize = 1 << 18;
const LOOKUPS: u32 = 2_000_000;

fn entry(bytes: &[u8]) -> (u32, u32) {
    let field = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
    (field(0), field(4))
}

/// How long it takes to have an index, and to look up in it: decoded in memory, or mapped.
fn indexes(path: &Path) -> io::Result<()> {
    let entries = (0..ENTRIES as u32).flat_map(|n| [n * 37 + 36, n * 4096]);
    let bytes: Vec<u8> = entries.flat_map(u32::to_be_bytes).collect();
    std::fs::write(path, &bytes)?;
    let file = File::open(path)?;
    let is_sound = |all: &[(u32, u32)]| all.windows(2).all(|pair| pair[0].0 < pair[1].0);
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        let mut read = vec![0; bytes.len()];
        file.read_exact_at(&mut read, 0)?;
        let decoded: Vec<(u32, u32)> = read.chunks_exact(8).map(entry).collect();
        assert!(is_sound(&decoded));
        let took = begun.elapsed();
        let by_search = |offset: u32| decoded.partition_point(|entry| entry.0 <= offset);
        println!(
            "index, decoded: {took:?}, {:.0} ns a lookup",
            lookups(by_search)
        );

        let begun = Instant::now();
        let mapped = Mapped::of(&file, bytes.len());
        let mut last = [0; 8];
        let mut before = None;
        for at in (0..bytes.len()).step_by(8) {
            // SAFETY: within the mapping.
            unsafe { std::ptr::copy_nonoverlapping(mapped.0.add(at), last.as_mut_ptr(), 8) };
            let offset = entry(&last).0;
            assert!(before.is_none_or(|before| before < offset));
            before = Some(offset);
        }
        let took = begun.elapsed();
        // SAFETY: the whole mapping, which stays meanwhile.
        let entries = unsafe { std::slice::from_raw_parts(mapped.0, mapped.1) };
        let (entries, _) = entries.as_chunks::<8>();
        let by_search = |offset: u32| entries.partition_point(|bytes| entry(bytes).0 <= offset);
        println!(
            "index, mapped:  {took:?}, {:.0} ns a lookup",
            lookups(by_search)
        );
    }
    Ok(())
}

fn lookups(search: impl Fn(u32) -> usize) -> f64 {
    let (begun, mut seed, mut sum) = (Instant::now(), 1u64, 0);
    for _ in 0..LOOKUPS {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        sum += search((seed >> 33) as u32 % (ENTRIES as u32 * 37));
    }
    std::hint::black_box(sum);
    begun.elapsed().as_secs_f64() * 1e9 / f64::from(LOOKUPS)
}

fn main() -> io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let directory = arguments.next().expect("a directory on the disk");
    let mebibytes = arguments
        .next()
        .map_or(1024, |text| text.parse().expect("a number"));
    let (path, length) = (Path::new(&directory).join("ways.bin"), mebibytes * MIB);
    let file = File::create(&path)?;
    let piece = memory(MIB);
    for at in 0..mebibytes {
        file.write_all_at(piece, (at * MIB) as u64)?;
    }
    file.sync_all()?;
    let outcome = reads(&path, length)
        .and_then(|()| writes(&path, length))
        .and_then(|()| indexes(&path.with_extension("index")));
    std::fs::remove_file(&path)?;
    let _ = std::fs::remove_file(path.with_extension("index"));
    outcome
}

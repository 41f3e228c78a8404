//! A global allocator that can be armed on one thread: the proof that a hot path allocates nothing.
//!
//! ```text
//! #[global_allocator]
//! static ALLOCATOR: CountingAllocator = CountingAllocator::new();
//! let (value, counts) = CountingAllocator::counted(|| shard.run_once(now, wait));
//! assert_eq!(counts.total(), 0);
//! ```

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// What the armed thread asked of the allocator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AllocationCounts {
    /// New blocks.
    pub allocations: u64,
    /// Blocks made larger or smaller.
    pub reallocations: u64,
    /// Blocks given back.
    pub frees: u64,
    /// Bytes asked for, by new blocks and by growing ones.
    pub bytes: u64,
}

impl AllocationCounts {
    /// Calls of any kind.
    pub fn total(&self) -> u64 {
        self.allocations + self.reallocations + self.frees
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Mode {
    Off,
    Count,
    Abort,
}

thread_local! {
    // Constant initialisers and no destructors: touching these never allocates.
    static MODE: Cell<Mode> = const { Cell::new(Mode::Off) };
    static COUNTS: Cell<AllocationCounts> = const {
        Cell::new(AllocationCounts { allocations: 0, reallocations: 0, frees: 0, bytes: 0 })
    };
}

/// The system's allocator, watched where a thread asks for it. Unarmed it costs one thread-local read.
#[derive(Debug, Default)]
pub struct CountingAllocator;

impl CountingAllocator {
    /// For a `#[global_allocator]` static.
    pub const fn new() -> CountingAllocator {
        CountingAllocator
    }

    /// Starts counting on this thread, from zero.
    pub fn arm() {
        COUNTS.set(AllocationCounts::default());
        MODE.set(Mode::Count);
    }

    /// From here on any allocation, reallocation or free on this thread prints where it happened
    /// and aborts the process (an allocator must not unwind).
    pub fn arm_abort() {
        COUNTS.set(AllocationCounts::default());
        MODE.set(Mode::Abort);
    }

    /// Stops watching this thread and says what it saw.
    pub fn disarm() -> AllocationCounts {
        MODE.set(Mode::Off);
        COUNTS.get()
    }

    /// Whether this process's allocator is a `CountingAllocator` (a test that forgot to install it
    /// would count nothing and pass).
    pub fn is_installed() -> bool {
        let ((), counts) = Self::counted(|| drop(std::hint::black_box(Box::new(1_u8))));
        counts.allocations == 1
    }

    /// Runs `work` with this thread armed.
    pub fn counted<R>(work: impl FnOnce() -> R) -> (R, AllocationCounts) {
        Self::arm();
        let result = work();
        (result, Self::disarm())
    }

    fn note(what: &str, bytes: usize, count: impl FnOnce(&mut AllocationCounts)) {
        // A thread that is being torn down has no thread-locals any more, and is no hot path.
        let Ok(mode) = MODE.try_with(Cell::get) else {
            return;
        };
        if mode == Mode::Off {
            return;
        }
        if mode == Mode::Abort {
            MODE.set(Mode::Off);
            let place = std::backtrace::Backtrace::force_capture();
            eprintln!("{what} of {bytes} bytes on a thread that promised none\n{place}");
            std::process::abort();
        }
        let mut counts = COUNTS.get();
        count(&mut counts);
        COUNTS.set(counts);
    }
}

// SAFETY: every block comes from and goes back to `System`, with the layout that the caller gave.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Self::note("allocation", layout.size(), |counts| {
            counts.allocations += 1;
            counts.bytes += layout.size() as u64;
        });
        // SAFETY: the caller keeps `alloc`'s contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        Self::note("allocation", layout.size(), |counts| {
            counts.allocations += 1;
            counts.bytes += layout.size() as u64;
        });
        // SAFETY: the caller keeps `alloc_zeroed`'s contract.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        Self::note("reallocation", bytes, |counts| {
            counts.reallocations += 1;
            counts.bytes += bytes.saturating_sub(layout.size()) as u64;
        });
        // SAFETY: the caller keeps `realloc`'s contract.
        unsafe { System.realloc(block, layout, bytes) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        Self::note("free", layout.size(), |counts| counts.frees += 1);
        // SAFETY: the caller keeps `dealloc`'s contract.
        unsafe { System.dealloc(block, layout) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[global_allocator]
    static ALLOCATOR: CountingAllocator = CountingAllocator::new();

    #[test]
    fn counts_on_the_armed_thread_only() {
        assert!(CountingAllocator::is_installed());
        let (sum, counts) = CountingAllocator::counted(|| (0..100_u64).sum::<u64>());
        assert_eq!((sum, counts.total()), (4950, 0));

        let (list, counts) = CountingAllocator::counted(|| {
            let mut list = Vec::with_capacity(4);
            list.extend_from_slice(&[1_u64, 2, 3, 4]);
            list.push(5);
            list
        });
        assert_eq!((counts.allocations, counts.reallocations), (1, 1));
        assert_eq!(counts.bytes, 8 * 8);
        drop(list);

        CountingAllocator::arm();
        std::thread::scope(|scope| {
            let other = scope.spawn(|| {
                let ((), counts) = CountingAllocator::counted(|| {});
                drop(vec![0_u8; 1000]);
                counts
            });
            assert_eq!(other.join().unwrap().total(), 0);
        });
        CountingAllocator::disarm();
    }

    /// Aborts, so it runs in a process of its own: this very test, told by its environment.
    #[test]
    fn aborts_when_told_to() {
        const VARIABLE: &str = "PRECURSOR_MEMORY_TEST_ABORT";
        if std::env::var_os(VARIABLE).is_some() {
            CountingAllocator::arm_abort();
            std::hint::black_box(Box::new(7_u64));
            unreachable!("the allocation above aborts");
        }
        let output = std::process::Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "counting::tests::aborts_when_told_to",
                "--nocapture",
            ])
            .env(VARIABLE, "1")
            .output()
            .unwrap();
        assert!(!output.status.success());
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(text.contains("allocation of 8 bytes"), "{text}");
    }
}

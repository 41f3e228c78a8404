//! A thread's turn on a processor.

use std::io;
use std::mem::size_of;

/// The shortest turn that Linux's fair scheduler grants, nanoseconds.
const SLICE_NS_MIN: u64 = 100_000;

/// `SCHED_FLAG_KEEP_POLICY`.
const KEEP_POLICY: u64 = 0x08;

/// `struct sched_attr` of sched_setattr(2), first version.
#[repr(C)]
struct SchedAttr {
    size: u32,
    policy: u32,
    flags: u64,
    nice: i32,
    priority: u32,
    runtime_ns: u64,
    deadline_ns: u64,
    period_ns: u64,
}

/// Asks for the shortest turns that there are, for the calling thread and those that it starts: it
/// then gets a processor sooner after it was woken, before threads that run long, at the price of
/// being interrupted more often. Needs no privilege and takes no greater share of the processor.
///
/// # Errors
/// The kernel refuses. One before Linux 6.12 takes the call and does nothing.
pub fn ask_for_short_turns() -> io::Result<()> {
    let attr = SchedAttr {
        size: size_of::<SchedAttr>() as u32,
        policy: 0,
        flags: KEEP_POLICY,
        // As it is: nothing here is meant to change the thread's weight.
        nice: nice()?,
        priority: 0,
        runtime_ns: SLICE_NS_MIN,
        deadline_ns: 0,
        period_ns: 0,
    };
    // SAFETY: the kernel reads `size` bytes of the structure, which lives for the call; 0 names the
    // calling thread.
    let outcome = unsafe { libc::syscall(libc::SYS_sched_setattr, 0, &raw const attr, 0) };
    match outcome {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

fn nice() -> io::Result<i32> {
    let mut attr = SchedAttr {
        size: 0,
        policy: 0,
        flags: 0,
        nice: 0,
        priority: 0,
        runtime_ns: 0,
        deadline_ns: 0,
        period_ns: 0,
    };
    let size = size_of::<SchedAttr>();
    // SAFETY: the kernel writes at most `size` bytes into the structure, which lives for the call.
    let outcome = unsafe { libc::syscall(libc::SYS_sched_getattr, 0, &raw mut attr, size, 0) };
    match outcome {
        0 => Ok(attr.nice),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Lets the calling thread run on every processor that the process may use but these, which belong
/// to others; on all of them where none would be left. Threads begin with the processors of whoever
/// started them, so one that a pinned thread starts would stay beside it.
pub fn keep_off(taken: &[usize]) {
    const BYTES: usize = size_of::<libc::cpu_set_t>();
    // SAFETY: a set of processors is bits; all zero is the empty one.
    let mut allowed: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: the set is as long as is said. The process's first thread, which nobody pins, has the
    // processors that the system gave to the process.
    let got = unsafe { libc::sched_getaffinity(libc::getpid(), BYTES, &raw mut allowed) };
    if got != 0 {
        return;
    }
    let mut wanted = allowed;
    for cpu in taken.iter().filter(|cpu| **cpu < 8 * BYTES) {
        // SAFETY: the set has a bit for the processor.
        unsafe { libc::CPU_CLR(*cpu, &mut wanted) };
    }
    // SAFETY: both sets are whole.
    if unsafe { libc::CPU_COUNT(&wanted) } == 0 {
        wanted = allowed;
    }
    // SAFETY: the set is as long as is said; 0 is the calling thread.
    unsafe { libc::sched_setaffinity(0, BYTES, &raw const wanted) };
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_thread_keeps_off_the_processors_of_others_where_there_are_more() {
        let allowed = || {
            let status = std::fs::read_to_string("/proc/thread-self/status").unwrap();
            let line = status.lines().find(|l| l.starts_with("Cpus_allowed:"));
            let mask = line.unwrap().split_whitespace().nth(1).unwrap();
            u64::from_str_radix(mask.rsplit(',').next().unwrap(), 16).unwrap()
        };
        let all = allowed();
        let first = all.trailing_zeros() as usize;
        let seen = std::thread::spawn(move || {
            keep_off(&[first, 100_000]);
            let kept = allowed();
            keep_off(&(0..64).collect::<Vec<_>>());
            (kept, allowed())
        });
        let others = all & !(1 << first);
        let expected = if others == 0 { all } else { others };
        assert_eq!(seen.join().unwrap(), (expected, all));
    }

    #[test]
    fn the_weight_stays_as_it_was() {
        std::thread::spawn(|| {
            let before = nice().unwrap();
            ask_for_short_turns().unwrap();
            assert_eq!(nice().unwrap(), before);
        })
        .join()
        .unwrap();
    }
}

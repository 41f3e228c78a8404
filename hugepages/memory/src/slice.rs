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

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

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

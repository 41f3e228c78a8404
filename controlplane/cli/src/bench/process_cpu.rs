//! Processor time of other processes, and where threads run.

use std::fs;

use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::Pid;

use crate::failure::Failure;

/// Processor seconds that a process has used so far, user and system, all live threads.
///
/// Read from each thread's `schedstat`, which counts nanoseconds; from `stat`, which counts ticks of
/// 10 ms, where the kernel has no `schedstat`. `None` when the process is gone.
pub fn cpu_seconds(pid: u32) -> Option<f64> {
    cpu_seconds_by_schedstat(pid).or_else(|| cpu_seconds_by_stat(pid))
}

fn cpu_seconds_by_schedstat(pid: u32) -> Option<f64> {
    let mut nanoseconds = 0u64;
    for task in fs::read_dir(format!("/proc/{pid}/task")).ok()? {
        let path = task.ok()?.path().join("schedstat");
        let text = fs::read_to_string(path).ok()?;
        nanoseconds += text.split_whitespace().next()?.parse::<u64>().ok()?;
    }
    (nanoseconds > 0).then_some(nanoseconds as f64 / 1e9)
}

fn cpu_seconds_by_stat(pid: u32) -> Option<f64> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let ticks = ticks_of_stat(&text)?;
    let per_second = nix::unistd::sysconf(nix::unistd::SysconfVar::CLK_TCK).ok()??;
    Some(ticks as f64 / per_second as f64)
}

/// utime + stime of a line of `/proc/<pid>/stat`: fields 14 and 15. The second field, the command,
/// may itself hold blanks and brackets, so counting starts behind its last bracket.
fn ticks_of_stat(line: &str) -> Option<u64> {
    let (_, rest) = line.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

/// Resident bytes of a process: all, and without what it shares with others.
pub fn resident_bytes(pid: u32) -> Option<(u64, u64)> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let kilobytes = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse::<u64>().ok()
    };
    let all = kilobytes("VmRSS:")?;
    let shared = kilobytes("RssShmem:").unwrap_or(0);
    Some((all << 10, all.saturating_sub(shared) << 10))
}

/// Pins the calling thread to one processor.
///
/// # Errors
/// There is no such processor for this process.
pub fn pin(cpu: usize) -> Result<(), Failure> {
    let mut set = CpuSet::new();
    let pinned = set
        .set(cpu)
        .and_then(|()| sched_setaffinity(Pid::from_raw(0), &set));
    pinned.map_err(|error| {
        Failure::usage(format!(
            "this program cannot run on processor {cpu}: {error}"
        ))
        .next("Processors are counted from 0; see: nproc")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stat_line_with_a_hostile_name() {
        let line = "7 (a) b (c)) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14";
        assert_eq!(ticks_of_stat(line), Some(11 + 12));
        assert_eq!(ticks_of_stat("7 (x) S 1"), None);
    }

    #[test]
    fn work_is_seen() {
        let pid = std::process::id();
        let before = cpu_seconds(pid).unwrap();
        let mut sum = 0u64;
        while cpu_seconds(pid).unwrap() - before < 0.01 {
            sum = (0..1_000_000).fold(sum, |sum, n| sum.wrapping_mul(31).wrapping_add(n));
        }
        assert!(std::hint::black_box(sum) != 1);
        let (all, own) = resident_bytes(pid).unwrap();
        assert!(all >= own && own > 0);
        assert_eq!(cpu_seconds(0), None);
    }
}

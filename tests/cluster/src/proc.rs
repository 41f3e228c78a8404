//! What the kernel says of a process: /proc/PID.

use std::fs;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use nix::sys::ptrace;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

/// Ticks per second of /proc/PID/stat; fixed at 100 on every Linux that Rust runs on.
const TICKS_PER_SECOND: u64 = 100;

/// Processor time of a process so far, user and system.
pub fn cpu_time(pid: i32) -> Option<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold spaces; fields count from its end.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks: u64 = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    Some(Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND))
}

/// How often the thread with this name has given up its processor to wait for something: a lock, a
/// disk, a sleep. A thread that only polls never does.
pub fn waits(pid: i32, thread: &str) -> Option<u64> {
    let (_, waits) = threads(pid)?.find(|(name, _)| name == thread)?;
    Some(waits)
}

/// As [`waits`], of all threads of a process: how often it was woken.
pub fn waits_of_all(pid: i32) -> Option<u64> {
    Some(threads(pid)?.map(|(_, waits)| waits).sum())
}

/// Stops one thread of a process, as if it were caught in a call that does not return, until the
/// process is gone. False when there is no such thread, or it cannot be stopped.
pub fn freeze(pid: i32, thread: &str) -> bool {
    let tid = fs::read_dir(format!("/proc/{pid}/task"))
        .ok()
        .and_then(|tasks| {
            let mut tasks = tasks.filter_map(Result::ok);
            let task = tasks.find(|task| {
                let name = fs::read_to_string(task.path().join("comm"));
                name.is_ok_and(|name| name.trim_end() == thread)
            });
            task?.file_name().to_str()?.parse().ok()
        });
    let Some(tid) = tid.map(Pid::from_raw) else {
        return false;
    };
    let (done, outcome) = mpsc::channel();
    // Only the thread that stopped it may wait for its end, without which the process stays.
    thread::spawn(move || {
        let stopped = ptrace::seize(tid, ptrace::Options::empty())
            .and_then(|()| ptrace::interrupt(tid))
            .is_ok();
        // The test has ended when nobody listens.
        let _ = done.send(stopped);
        let gone = |status| {
            use WaitStatus::{Exited, Signaled};
            matches!(status, Ok(Exited(..) | Signaled(..)) | Err(_))
        };
        while stopped && !gone(waitpid(tid, Some(WaitPidFlag::__WALL))) {}
    });
    outcome.recv().unwrap_or(false)
}

/// Threads of a process by name, and how often each has waited.
fn threads(pid: i32) -> Option<impl Iterator<Item = (String, u64)>> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).ok()?;
    Some(tasks.filter_map(|task| {
        let task = task.ok()?.path();
        let name = fs::read_to_string(task.join("comm")).ok()?;
        let status = fs::read_to_string(task.join("status")).ok()?;
        let count = status
            .lines()
            .find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))?;
        Some((name.trim_end().to_owned(), count.trim().parse().ok()?))
    }))
}

/// Resident bytes of a process: of mappings whose file is below `apart`, and of all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resident {
    pub apart: u64,
    pub other: u64,
}

/// Sums /proc/PID/smaps.
pub fn resident(pid: i32, apart: &str) -> Option<Resident> {
    let smaps = fs::read_to_string(format!("/proc/{pid}/smaps")).ok()?;
    let mut sum = Resident { apart: 0, other: 0 };
    let mut is_apart = false;
    for line in smaps.lines() {
        if let Some(rss) = line.strip_prefix("Rss:") {
            let kilobytes: u64 = rss.trim().trim_end_matches("kB").trim().parse().ok()?;
            *(if is_apart {
                &mut sum.apart
            } else {
                &mut sum.other
            }) += kilobytes * 1024;
        } else if line
            .split_whitespace()
            .next()
            .is_some_and(|word| !word.ends_with(':'))
        {
            is_apart = line.contains(apart);
        }
    }
    Some(sum)
}

/// Processes whose program is called `program` and whose command line mentions `mention`.
pub fn find(program: &str, mention: &str) -> Vec<i32> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok())
        .filter(|pid| {
            let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line);
            let first = line.split('\0').next().unwrap_or_default();
            first.rsplit('/').next() == Some(program) && line.contains(mention) && alive(*pid)
        })
        .collect()
}

/// Whether a process runs still; a zombie does not.
pub fn alive(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat
        .rsplit_once(") ")
        .and_then(|(_, rest)| rest.chars().next());
    state.is_some_and(|state| state != 'Z' && state != 'X')
}

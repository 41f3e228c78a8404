//! Memory, processor time and files of both processes, from `/proc`.

use crate::families::{Families, Family, Kind};
use crate::server::MonitorOptions;
use std::path::PathBuf;

/// Clock ticks per second in `/proc/PID/stat`: fixed at 100 in Linux' interface to user space.
const TICKS_PER_SECOND: f64 = 100.0;

/// What one process uses.
#[derive(Debug, PartialEq)]
struct Usage {
    resident_bytes: u64,
    anonymous_bytes: u64,
    cpu_seconds: f64,
    threads: u64,
    open_files: u64,
}

pub(super) fn add(families: &mut Families, options: &MonitorOptions) {
    let processes = [
        ("data-plane", options.region.status().data_pid()),
        ("control-plane", std::process::id()),
    ];
    let mut resident = families.begin(
        Kind::Gauge,
        "process_resident_bytes",
        "Resident memory, the touched part of the region included.",
    );
    let mut anonymous = families.begin(
        Kind::Gauge,
        "process_anonymous_bytes",
        "Resident memory of the process itself, without files and the region.",
    );
    let mut cpu = families.begin(
        Kind::Counter,
        "process_cpu_seconds",
        "Processor time, user and system.",
    );
    let mut threads = families.begin(Kind::Gauge, "process_threads", "Threads.");
    let mut files = families.begin(Kind::Gauge, "process_open_files", "Open file descriptors.");
    for (process, pid) in processes {
        // A process that is away has no numbers.
        let Some(usage) = usage(pid) else { continue };
        let sample = |family: &mut Family, value: f64| {
            family.sample(&[("process", process)], value);
        };
        sample(&mut resident, usage.resident_bytes as f64);
        sample(&mut anonymous, usage.anonymous_bytes as f64);
        sample(&mut cpu, usage.cpu_seconds);
        sample(&mut threads, usage.threads as f64);
        sample(&mut files, usage.open_files as f64);
    }
    for family in [resident, anonymous, cpu, threads, files] {
        families.add(family);
    }
}

fn usage(pid: u32) -> Option<Usage> {
    if pid == 0 {
        return None;
    }
    let directory = PathBuf::from("/proc").join(pid.to_string());
    let status = std::fs::read_to_string(directory.join("status")).ok()?;
    let stat = std::fs::read_to_string(directory.join("stat")).ok()?;
    let open_files = std::fs::read_dir(directory.join("fd")).map_or(0, Iterator::count);
    Some(Usage {
        resident_bytes: status_number(&status, "VmRSS:")? * 1024,
        anonymous_bytes: status_number(&status, "RssAnon:")? * 1024,
        threads: status_number(&status, "Threads:")?,
        cpu_seconds: cpu_seconds(&stat)?,
        open_files: open_files as u64,
    })
}

/// The number behind `field` in `/proc/PID/status`.
fn status_number(status: &str, field: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    line.split_whitespace().next()?.parse().ok()
}

/// User and system time of `/proc/PID/stat`, whose second field may hold blanks and parentheses.
fn cpu_seconds(stat: &str) -> Option<f64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u64>().ok();
    let (user, system) = (ticks()?, ticks()?);
    Some((user + system) as f64 / TICKS_PER_SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_behind_a_name_with_blanks_and_parentheses() {
        let stat = "7 (a ) b) S 1 7 7 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 3 0 99 0";
        assert_eq!(cpu_seconds(stat), Some(3.0));
        assert_eq!(cpu_seconds("7 (a) S 1"), None);
        let status = "Name:\tx\nVmRSS:\t  2048 kB\nThreads:\t3\n";
        assert_eq!(status_number(status, "VmRSS:"), Some(2048));
        assert_eq!(status_number(status, "Threads:"), Some(3));
        assert_eq!(status_number(status, "VmSwap:"), None);
    }

    #[test]
    fn this_process_uses_something_and_nobody_uses_nothing() {
        let own = usage(std::process::id()).unwrap();
        assert!(own.resident_bytes > 4096 && own.threads > 0 && own.open_files > 0);
        assert_eq!(usage(0), None);
    }
}

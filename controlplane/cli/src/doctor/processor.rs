//! Kernel, processors and clock.

use super::host::Host;
use super::{Finding, State};

/// The oldest kernel on which everything that a broker can use is there.
const KERNEL_MIN: (u32, u32) = (6, 1);

pub fn kernel(host: &Host) -> Finding {
    let why = "io_uring and AF_XDP became complete with Linux 6.1.";
    let release = host.text("proc/sys/kernel/osrelease").unwrap_or_default();
    let mut numbers = release
        .split(['.', '-'])
        .map(|part| part.parse().unwrap_or(0));
    let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    let state = if version >= KERNEL_MIN {
        State::Good
    } else {
        State::Improvable
    };
    let finding = Finding::new("kernel", why, state, format!("Linux {release}"));
    match state {
        State::Good => finding,
        _ => finding.mend("Install a kernel from 6.1 on"),
    }
}

pub fn processors(host: &Host) -> Finding {
    let why = "Each shard is a thread that wants a core; the control plane takes what is left.";
    let usable = std::thread::available_parallelism().map_or(1, usize::from);
    let isolated = host
        .text("sys/devices/system/cpu/isolated")
        .unwrap_or_default();
    let found = match isolated.as_str() {
        "" => format!("{usable} usable, none isolated"),
        isolated => format!("{usable} usable; isolated: {isolated}"),
    };
    let state = if usable >= 4 {
        State::Good
    } else {
        State::Improvable
    };
    let finding = Finding::new("processors", why, state, found);
    match state {
        State::Good => finding,
        _ => finding.mend(
            "Give the machine four or more; pin shards with --set dataplane.cpus=1-3, and keep \
             others away with isolcpus=1-3 on the kernel's command line",
        ),
    }
}

pub fn governor(host: &Host) -> Finding {
    let why = "A processor that saves power answers late: it must wake up first.";
    let governor = host.text("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
    let name = "cpu governor";
    match governor.as_deref() {
        None => Finding::new(
            name,
            why,
            State::Good,
            "none here (a virtual machine's host decides)",
        ),
        Some("performance") => Finding::new(name, why, State::Good, "performance"),
        Some(other) => Finding::new(name, why, State::Improvable, other).mend(
            "echo performance | sudo tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor",
        ),
    }
}

pub fn clock(host: &Host) -> Finding {
    let why = "A shard reads the clock every turn; only some sources are read without the kernel.";
    let folder = "sys/devices/system/clocksource/clocksource0";
    let source = host.text(&format!("{folder}/current_clocksource"));
    let source = source.unwrap_or_else(|| "unknown".to_owned());
    let fast = matches!(
        source.as_str(),
        "tsc" | "kvm-clock" | "hyperv_clocksource_tsc_page" | "arch_sys_counter"
    );
    if fast {
        return Finding::new("clock source", why, State::Good, source);
    }
    let available = host.text(&format!("{folder}/available_clocksource"));
    let has_tsc = available.is_some_and(|names| names.split(' ').any(|name| name == "tsc"));
    let finding = Finding::new("clock source", why, State::Improvable, source);
    match has_tsc {
        true => finding.mend(format!("echo tsc | sudo tee /{folder}/current_clocksource")),
        false => finding.mend("Choose a machine whose processors have an invariant TSC"),
    }
}

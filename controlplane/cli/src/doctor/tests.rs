//! Hosts made of files.

use std::path::Path;

use super::*;

fn put(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

#[test]
fn a_good_host_is_left_alone() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    put(root, "proc/sys/kernel/osrelease", "6.12.9-amd64\n");
    put(
        root,
        "proc/meminfo",
        "HugePages_Total:     512\nHugePages_Free:      512\nHugepagesize:       2048 kB\nSwapTotal:      0 kB\n",
    );
    put(
        root,
        "proc/mounts",
        "hugetlbfs /dev/hugepages hugetlbfs rw 0 0\n",
    );
    put(
        root,
        "sys/kernel/mm/transparent_hugepage/enabled",
        "always [madvise] never\n",
    );
    put(
        root,
        "sys/devices/system/clocksource/clocksource0/current_clocksource",
        "tsc\n",
    );
    put(
        root,
        "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor",
        "performance\n",
    );
    put(root, "proc/sys/net/core/somaxconn", "4096\n");
    put(root, "usr/lib/libibverbs.so.1", "");
    put(root, "usr/lib/librdmacm.so.1", "");
    put(root, "sys/class/infiniband/mlx5_0/x", "");
    let host = Host::at(root);
    for finding in [
        processor::kernel(&host),
        processor::governor(&host),
        processor::clock(&host),
        memory::numa(&host),
        memory::hugepages(&host),
        memory::transparent_hugepages(&host),
        memory::swap(&host),
        network::backlog(&host),
        network::rdma(&host),
    ] {
        assert_eq!(finding.state, State::Good, "{finding:?}");
        assert_eq!(finding.mend, None);
    }
}

#[test]
fn what_could_be_better_comes_with_a_command() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    put(root, "proc/sys/kernel/osrelease", "5.10.0-8-amd64\n");
    put(
        root,
        "proc/meminfo",
        "HugePages_Total:       0\nHugePages_Free:        0\nHugepagesize:       2048 kB\nSwapTotal:      2097152 kB\n",
    );
    put(
        root,
        "proc/mounts",
        "hugetlbfs /dev/hugepages hugetlbfs rw 0 0\n",
    );
    put(root, "proc/sys/vm/swappiness", "60\n");
    put(
        root,
        "sys/kernel/mm/transparent_hugepage/enabled",
        "[always] madvise never\n",
    );
    put(
        root,
        "sys/devices/system/clocksource/clocksource0/current_clocksource",
        "hpet\n",
    );
    put(
        root,
        "sys/devices/system/clocksource/clocksource0/available_clocksource",
        "hpet tsc acpi_pm\n",
    );
    put(
        root,
        "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor",
        "powersave\n",
    );
    put(root, "sys/devices/system/node/node0/x", "");
    put(root, "sys/devices/system/node/node1/x", "");
    put(root, "proc/sys/kernel/numa_balancing", "1\n");
    put(root, "proc/sys/net/core/somaxconn", "128\n");
    let host = Host::at(root);
    for (finding, command) in [
        (processor::kernel(&host), "6.1"),
        (processor::governor(&host), "performance"),
        (processor::clock(&host), "echo tsc"),
        (memory::numa(&host), "numa_balancing=0"),
        (memory::hugepages(&host), "vm.nr_hugepages=512"),
        (memory::transparent_hugepages(&host), "madvise"),
        (memory::swap(&host), "swappiness"),
        (network::backlog(&host), "somaxconn"),
    ] {
        assert_eq!(finding.state, State::Improvable, "{finding:?}");
        assert!(
            finding.mend.as_ref().unwrap().contains(command),
            "{finding:?}"
        );
    }
    assert_eq!(network::dpdk(&host).state, State::Absent);
    assert_eq!(network::rdma(&host).state, State::Absent);
}

#[test]
fn an_empty_host_is_no_reason_to_fail() {
    let root = tempfile::tempdir().unwrap();
    let findings = examine(&Host::at(root.path()));
    assert_eq!(findings.len(), 19);
    assert!(findings.iter().all(|finding| !finding.found.is_empty()));
}

#[test]
fn this_host_is_examined_by_trying() {
    let findings = examine(&Host::here());
    let io_uring = findings.iter().find(|finding| finding.name == "io_uring");
    assert!(!io_uring.unwrap().found.is_empty());
    let json = to_json(&findings);
    let first = json[0].as_object().unwrap();
    let names: Vec<&String> = first.keys().collect();
    assert_eq!(names, ["found", "mend", "name", "state", "why"]);
}

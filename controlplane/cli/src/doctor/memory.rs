//! Memory: where the region may lie, and what disturbs it.

use nix::sys::resource::{Resource, getrlimit};
use nix::sys::statvfs::statvfs;

use super::host::Host;
use super::{Finding, State};

const MIB: u64 = 1 << 20;

pub fn numa(host: &Host) -> Finding {
    let why = "Memory of another node is slower; a shard should use its own.";
    let names = host.names("sys/devices/system/node");
    let nodes = names.iter().filter(|name| {
        let number = name.strip_prefix("node");
        number.is_some_and(|number| number.parse::<u32>().is_ok())
    });
    match nodes.count() {
        0 | 1 => Finding::new("numa", why, State::Good, "one node"),
        nodes => {
            let balancing = host.number("proc/sys/kernel/numa_balancing").unwrap_or(0);
            let found = format!("{nodes} nodes, automatic balancing {}", on_off(balancing));
            match balancing {
                0 => Finding::new("numa", why, State::Good, found),
                _ => Finding::new("numa", why, State::Improvable, found).mend(
                    "sudo sysctl -w kernel.numa_balancing=0, and pin the shards to one node's \
                     processors: --set dataplane.cpus=0-3",
                ),
            }
        }
    }
}

fn on_off(value: u64) -> &'static str {
    match value {
        0 => "off",
        _ => "on",
    }
}

pub fn hugepages(host: &Host) -> Finding {
    let why = "The region on hugepages costs fewer page faults and misses of the TLB, and cannot \
               be swapped.";
    let meminfo = |field| host.field("proc/meminfo", field).unwrap_or(0);
    let (total, free) = (meminfo("HugePages_Total"), meminfo("HugePages_Free"));
    let size = meminfo("Hugepagesize") * 1024;
    let mounts = host.text("proc/mounts").unwrap_or_default();
    let mount = mounts.lines().find_map(|line| {
        let mut words = line.split(' ').skip(1);
        let place = words.next()?;
        (words.next()? == "hugetlbfs").then(|| place.to_owned())
    });
    let mount_sentence = match &mount {
        Some(place) => format!("hugetlbfs at {place}"),
        None => "no hugetlbfs mounted".to_owned(),
    };
    let found = format!(
        "{free} of {total} pages of {} MiB free, {mount_sentence}",
        size / MIB
    );
    let reserve = format!(
        "sudo sysctl -w vm.nr_hugepages={}   # 1 GiB; then: precursor serve --set memory.hugepages=auto",
        (1024 * MIB).checked_div(size).unwrap_or(512)
    );
    match (size, free, mount) {
        (0, _, _) => Finding::new("hugepages", why, State::Absent, "the kernel has none")
            .mend("Choose a kernel with CONFIG_HUGETLBFS"),
        (_, 0, Some(_)) => Finding::new("hugepages", why, State::Improvable, found).mend(reserve),
        (_, _, None) => Finding::new("hugepages", why, State::Improvable, found).mend(format!(
            "sudo mkdir -p /dev/hugepages && sudo mount -t hugetlbfs none /dev/hugepages; {reserve}"
        )),
        _ => Finding::new("hugepages", why, State::Good, found),
    }
}

pub fn transparent_hugepages(host: &Host) -> Finding {
    let why = "'always' makes the kernel move pages while requests wait; 'madvise' leaves it to \
               the program.";
    let name = "transparent hugepages";
    let folder = "sys/kernel/mm/transparent_hugepage";
    let enabled = host.chosen(&format!("{folder}/enabled"));
    match enabled.as_deref() {
        None => Finding::new(name, why, State::Good, "the kernel has none"),
        Some("always") => Finding::new(name, why, State::Improvable, "always")
            .mend(format!("echo madvise | sudo tee /{folder}/enabled")),
        Some(other) => Finding::new(name, why, State::Good, other),
    }
}

pub fn shared_memory(host: &Host) -> Finding {
    let why = "Without hugepages the region lies on /dev/shm and must fit there.";
    let name = "shared memory";
    let mend = "sudo mount -o remount,size=50% /dev/shm";
    match statvfs(&host.path("dev/shm")) {
        Err(_) => Finding::new(name, why, State::Absent, "there is no /dev/shm").mend(
            "sudo mount -t tmpfs tmpfs /dev/shm, or name a tmpfs: --set memory.region.dir=DIR",
        ),
        Ok(space) => {
            let block = space.fragment_size();
            let free = space.blocks_available() * block / MIB;
            let found = format!(
                "{free} of {} MiB free at /dev/shm",
                space.blocks() * block / MIB
            );
            match free {
                256.. => Finding::new(name, why, State::Good, found),
                _ => Finding::new(name, why, State::Improvable, found).mend(mend),
            }
        }
    }
}

pub fn locked_memory() -> Finding {
    let why = "Drivers that move data without the kernel (RDMA, AF_XDP, DPDK) lock their memory.";
    let name = "locked memory";
    match getrlimit(Resource::RLIMIT_MEMLOCK) {
        Ok((_, hard)) if hard == nix::libc::RLIM_INFINITY => {
            Finding::new(name, why, State::Good, "unlimited")
        }
        Ok((soft, _)) => Finding::new(
            name,
            why,
            State::Improvable,
            format!("{} MiB at most", soft / MIB),
        )
        .mend("LimitMEMLOCK=infinity in the systemd unit, or: ulimit -l unlimited"),
        Err(error) => Finding::new(name, why, State::Absent, error.to_string()),
    }
}

pub fn swap(host: &Host) -> Finding {
    let why = "A page that was swapped out is read from disk while requests wait.";
    let total = host.field("proc/meminfo", "SwapTotal").unwrap_or(0);
    let swappiness = host.number("proc/sys/vm/swappiness").unwrap_or(60);
    let found = format!("{} MiB, swappiness {swappiness}", total / 1024);
    match (total, swappiness) {
        (0, _) => Finding::new("swap", why, State::Good, "none"),
        (_, 0..=10) => Finding::new("swap", why, State::Good, found),
        _ => Finding::new("swap", why, State::Improvable, found)
            .mend("sudo sysctl -w vm.swappiness=1"),
    }
}

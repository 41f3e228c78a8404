//! `scripts/setup-nic.sh` and `scripts/setup-hugepages.sh`: on a tree that looks like /sys and a thread
//! that answers like the kernel's PCI bus, because cards are not here; with the real `ip` and
//! `ethtool` in a network namespace. Needs root.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::thread;
use std::time::Duration;

use precursor_tests_netns::Wire;
use tempfile::TempDir;

const CARD: &str = "0000:3b:00.0";
const SIBLING: &str = "0000:3b:00.1";

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../scripts")
        .join(name)
}

/// What it printed, and whether it succeeded.
fn said(output: &Output) -> (String, bool) {
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    (text, output.status.success())
}

/// A tree in the place of /, and programs in the place of `ip` and `ethtool`.
struct Host {
    root: TempDir,
    path: String,
}

impl Host {
    fn new() -> Host {
        let root = TempDir::with_prefix("precursor-setup-").expect("a directory");
        let path = std::env::var("PATH").expect("a path");
        Host { root, path }
    }

    fn at(&self, path: &str) -> PathBuf {
        self.root.path().join(path)
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.at(path);
        fs::create_dir_all(path.parent().expect("below the root")).expect("a directory");
        fs::write(path, text).expect("a file");
    }

    fn read(&self, path: &str) -> String {
        let text = fs::read_to_string(self.at(path));
        text.unwrap_or_default().trim_end().to_owned()
    }

    /// A program that notes how it is called, and prints what it is told to.
    fn program(&mut self, name: &str, prints: &str) {
        let calls = self.at("calls");
        let text = format!(
            "#!/bin/sh\necho {name} \"$@\" >> {}\ncat <<'END'\n{prints}\nEND\n",
            calls.display()
        );
        self.write(&format!("bin/{name}"), &text);
        let chmod = Command::new("chmod")
            .arg("+x")
            .arg(self.at(&format!("bin/{name}")))
            .status();
        assert!(chmod.expect("chmod").success());
        let bin = self.at("bin").display().to_string();
        if !self.path.starts_with(&bin) {
            self.path = format!("{bin}:{}", self.path);
        }
    }

    fn calls(&self) -> Vec<String> {
        let calls = self.read("calls");
        fs::remove_file(self.at("calls")).ok();
        let asks = ["ip route", "ip -6", "ip link show"];
        let changes = |line: &&str| !asks.iter().any(|ask| line.starts_with(ask));
        calls.lines().filter(changes).map(str::to_owned).collect()
    }

    fn run(&self, name: &str, words: &[&str]) -> (String, bool) {
        let mut command = Command::new(script(name));
        command
            .args(words)
            .env("ROOT", self.root.path())
            .env("PATH", &self.path);
        said(&command.output().expect("bash"))
    }

    fn succeeds(&self, name: &str, words: &[&str]) -> String {
        let (text, success) = self.run(name, words);
        assert!(success, "{name} {words:?}: {text}");
        text
    }

    fn fails(&self, name: &str, words: &[&str], expected: &str) {
        let (text, success) = self.run(name, words);
        assert!(
            !success && text.contains(expected),
            "{name} {words:?}: {text}"
        );
    }

    /// Every file below the root with its content, without what programs note.
    fn tree(&self) -> Vec<String> {
        let find = Command::new("find")
            .arg(self.root.path())
            .args([
                "-not", "-name", "calls", "-printf", "%P %l\\n", "-type", "f",
            ])
            .args(["-exec", "cat", "{}", ";"])
            .output();
        let mut lines: Vec<String> = said(&find.expect("find"))
            .0
            .lines()
            .map(str::to_owned)
            .collect();
        lines.sort();
        lines
    }
}

/// A card with an interface, eight possible virtual functions, a group it shares, and a kernel that
/// binds what it is told to.
fn with_card() -> Host {
    let host = Host::new();
    let device = |address: &str| format!("sys/bus/pci/devices/{address}");
    for address in [CARD, SIBLING] {
        host.write(&format!("{}/driver_override", device(address)), "(null)\n");
        let link = |to: &str, name: &str| {
            symlink(to, host.at(&format!("{}/{name}", device(address)))).expect("a link");
        };
        link("../../drivers/ixgbe", "driver");
        link("../../../../kernel/iommu_groups/17", "iommu_group");
    }
    host.write("sys/bus/pci/drivers/ixgbe/name", "");
    host.write("sys/bus/pci/drivers/vfio-pci/name", "");
    host.write(&format!("{}/net/eth5/flags", device(CARD)), "");
    host.write(&format!("{}/sriov_totalvfs", device(CARD)), "8\n");
    host.write(&format!("{}/sriov_numvfs", device(CARD)), "0\n");
    host.write(&format!("{}/sriov_drivers_autoprobe", device(CARD)), "1\n");
    fs::create_dir_all(host.at("sys/class/net/eth5")).expect("a directory");
    let to = format!("../../../bus/pci/devices/{CARD}");
    symlink(to, host.at("sys/class/net/eth5/device")).expect("a link");
    fs::create_dir_all(host.at("sys/kernel/iommu_groups/17/devices")).expect("a directory");
    for address in [CARD, SIBLING] {
        let to = host.at(&device(address));
        let link = format!("sys/kernel/iommu_groups/17/devices/{address}");
        symlink(to, host.at(&link)).expect("a link");
    }
    let bus = host.at("sys/bus/pci");
    for pipe in [
        "drivers/ixgbe/unbind",
        "drivers/vfio-pci/unbind",
        "drivers_probe",
    ] {
        let made = Command::new("mkfifo").arg(bus.join(pipe)).status();
        assert!(made.expect("mkfifo").success());
        let (bus, pipe) = (bus.clone(), pipe.to_owned());
        // Ends with the process.
        thread::spawn(move || serve_pipe(&bus, &pipe));
    }
    host
}

/// What the kernel does when its files are written.
fn serve_pipe(bus: &Path, pipe: &str) {
    while let Ok(address) = fs::read_to_string(bus.join(pipe)) {
        let device = bus.join("devices").join(address.trim());
        if pipe == "drivers_probe" {
            let wish = fs::read_to_string(device.join("driver_override")).unwrap_or_default();
            let driver = match wish.trim() {
                "" | "(null)" => "ixgbe",
                driver => driver,
            };
            // The kernel does one after the other; here each file has its own thread.
            let link = device.join("driver");
            while symlink(format!("../../drivers/{driver}"), &link).is_err() {
                thread::sleep(Duration::from_millis(5));
            }
        } else {
            fs::remove_file(device.join("driver")).ok();
        }
    }
}

fn driver(host: &Host) -> String {
    let link = fs::read_link(host.at(&format!("sys/bus/pci/devices/{CARD}/driver")));
    let link = link.map(|link| link.file_name().expect("a name").display().to_string());
    link.unwrap_or_default()
}

/// Waits for what the thread in the kernel's place makes of it.
fn assert_driver(host: &Host, expected: &str, said: &str) {
    for _ in 0..400 {
        if driver(host) == expected {
            return;
        }
        thread::sleep(Duration::from_millis(5));
    }
    panic!("{} drives it, not {expected}: {said}", driver(host));
}

const NIC: &str = "setup-nic.sh";
const PAGES: &str = "setup-hugepages.sh";

#[test]
fn a_card_goes_to_vfio_and_back() {
    let mut host = with_card();
    host.program("ip", "");
    let before = host.tree();
    let dry = host.succeeds(NIC, &["bind", "eth5", "--dry-run"]);
    assert!(
        dry.contains(&format!("+ echo '{CARD}' > /sys/bus/pci/drivers_probe")),
        "{dry}"
    );
    assert_eq!(host.tree(), before, "a dry run changes nothing");

    let text = host.succeeds(NIC, &["bind", "eth5"]);
    assert_driver(&host, "vfio-pci", &text);
    assert!(
        text.contains(&format!("must not be the kernel's either: {SIBLING}")),
        "{text}"
    );
    let again = host.succeeds(NIC, &["bind", "3b:00.0"]);
    assert!(
        again.contains("vfio-pci's already") && !again.contains('+'),
        "{again}"
    );

    let text = host.succeeds(NIC, &["undo", CARD]);
    assert_driver(&host, "ixgbe", &text);
    assert!(host.succeeds(NIC, &["undo", CARD]).contains("nothing"));
    // One without an interface, as a virtual function is.
    let text = host.succeeds(NIC, &["bind", SIBLING, "--dry-run"]);
    assert!(text.contains("+ echo 'vfio-pci' >"), "{text}");
}

#[test]
fn virtual_functions_are_made_and_taken_away() {
    let mut host = with_card();
    host.program("ip", "");
    let numvfs = format!("sys/bus/pci/devices/{CARD}/sriov_numvfs");
    let autoprobe = format!("sys/bus/pci/devices/{CARD}/sriov_drivers_autoprobe");
    let words = [
        "vfs",
        "eth5",
        "2",
        "--mac",
        "02:00:00:00:00:fe",
        "--vlan",
        "7",
        "--spoof-check",
        "off",
        "--trust",
        "on",
    ];
    host.succeeds(NIC, &words);
    assert_eq!(
        (host.read(&numvfs), host.read(&autoprobe)),
        ("2".into(), "0".into())
    );
    let set = |number: u32, mac: &str| {
        format!("ip link set eth5 vf {number} mac {mac} vlan 7 spoofchk off trust on")
    };
    let expected = [set(0, "02:00:00:00:00:fe"), set(1, "02:00:00:00:00:ff")];
    assert_eq!(host.calls(), expected);
    let again = host.succeeds(NIC, &["vfs", "eth5", "2"]);
    assert!(again.contains("2 virtual functions already"), "{again}");
    host.succeeds(NIC, &["vfs", CARD, "4"]);
    assert_eq!(host.read(&numvfs), "4");
    host.fails(NIC, &["vfs", "eth5", "9"], "8 virtual functions at most");
    host.succeeds(NIC, &["vfs", "eth5", "2", "--undo"]);
    assert_eq!(
        (host.read(&numvfs), host.read(&autoprobe)),
        ("0".into(), "1".into())
    );
    host.fails(NIC, &["vfs", SIBLING, "1"], "has no virtual functions");
}

#[test]
fn queues_interrupts_and_coalescing_are_set_and_undone() {
    let mut host = with_card();
    host.program("ip", "");
    let told = "Channel parameters for eth5:\nPre-set maximums:\nCombined:\t8\n\
                Current hardware settings:\nRX:\t\tn/a\nTX:\t\tn/a\nCombined:\t4\n\
                Adaptive RX: on  TX: on\nrx-usecs:\t3";
    host.program("ethtool", told);
    let row = |irq: u32, name: &str| format!(" {irq}:  0  0  PCI-MSI {irq}-edge  {name}\n");
    let rows = [
        // Of the link, not of a queue.
        row(39, "eth5"),
        row(40, "eth5-TxRx-0"),
        row(41, "eth5-TxRx-1"),
        row(42, "eth55-TxRx-0"),
        row(43, &format!("mlx5_comp1@pci:{CARD}")),
        row(44, &format!("mlx5_async0@pci:{SIBLING}")),
    ];
    host.write("proc/interrupts", &rows.concat());
    for irq in 39..45 {
        host.write(&format!("proc/irq/{irq}/smp_affinity_list"), "0-7\n");
    }
    let affinity = |host: &Host, irq| host.read(&format!("proc/irq/{irq}/smp_affinity_list"));
    let changes = |host: &Host| -> Vec<String> {
        let calls = host.calls().into_iter();
        calls
            .filter(|call| call.contains("-L") || call.contains("-C"))
            .collect()
    };
    host.succeeds(NIC, &["queues", "eth5", "2", "--cpus", "2,3"]);
    assert_eq!(changes(&host), ["ethtool -L eth5 combined 2"]);
    let now = [39, 40, 41, 42, 43, 44].map(|irq| affinity(&host, irq));
    let expected = ["0-7", "2", "3", "0-7", "3", "0-7"];
    assert_eq!(now, expected, "and those of others are left alone");
    host.fails(NIC, &["queues", "eth5", "9"], "has 8 queues at most");
    host.succeeds(NIC, &["coalesce", "eth5", "10"]);
    assert_eq!(
        changes(&host),
        [
            "ethtool -C eth5 adaptive-rx off",
            "ethtool -C eth5 rx-usecs 10"
        ]
    );
    assert!(
        host.succeeds(NIC, &["queues", "eth5", "4"])
            .contains("4 queues already")
    );
    assert!(
        host.succeeds(NIC, &["coalesce", "eth5", "adaptive"])
            .contains("already")
    );
    host.succeeds(NIC, &["undo", "eth5"]);
    let undone = changes(&host);
    assert!(
        undone.contains(&"ethtool -L eth5 combined 4".to_owned()),
        "{undone:?}"
    );
    assert!(
        undone.contains(&"ethtool -C eth5 rx-usecs 3".to_owned()),
        "{undone:?}"
    );
    assert!(
        undone.contains(&"ethtool -C eth5 adaptive-rx on".to_owned()),
        "{undone:?}"
    );
    assert_eq!(affinity(&host, 40), "0-7");
}

#[test]
fn the_card_of_the_default_route_is_refused_until_told_twice() {
    let mut host = with_card();
    host.program("ip", "default via 10.0.0.1 dev br0 proto dhcp metric 100");
    // The route goes by a bridge over the card.
    fs::create_dir_all(host.at("sys/class/net/br0/lower_eth5")).expect("a directory");
    for words in [
        &["bind", "eth5"][..],
        &["bind", CARD, "--force"],
        &["vfs", "eth5", "1"],
    ] {
        host.fails(NIC, words, "carries this host's default route (by br0)");
    }
    assert_eq!(driver(&host), "ixgbe");
    let text = host.succeeds(NIC, &["bind", "eth5", "--force", "--force"]);
    assert_driver(&host, "vfio-pci", &text);
}

#[test]
fn nonsense_is_one_sentence() {
    let mut host = with_card();
    host.program("ip", "");
    fs::create_dir_all(host.at("sys/class/net/veth0")).expect("a directory");
    for (words, expected) in [
        (&[][..], "what is to be done?"),
        (&["bind"], "which card?"),
        (&["grab", "eth5"], "no command 'grab'"),
        (&["bind", "eth9"], "no network interface 'eth9'"),
        (
            &["bind", "../x"],
            "neither an interface's name nor a PCI address",
        ),
        (&["bind", "0000:99:00.0"], "no PCI device"),
        (&["bind", "veth0"], "is no PCI device"),
        (&["vfs", "eth5"], "takes 2 words"),
        (&["vfs", "eth5", "many"], "wants a number"),
        (
            &["vfs", "eth5", "1", "--mac", "01:00:00:00:00:00"],
            "no address of one host",
        ),
        (&["vfs", "eth5", "1", "--vlan", "5000"], "0 to 4094"),
        (&["vfs", "eth5", "1", "--trust", "maybe"], "on or off"),
        (&["bind", "eth5", "--now"], "no option --now"),
    ] {
        host.fails(NIC, words, expected);
    }
    for (words, expected) in [
        (&[][..], "how many pages?"),
        (&["-4"], "no option"),
        (&["12", "13"], "one number"),
        (&["12", "--size", "4K"], "2M or 1G"),
        (&["12"], "no NUMA nodes"),
    ] {
        host.fails(PAGES, words, expected);
    }
}

/// With the kernel's own interface, `ip` and `ethtool`.
#[test]
fn queues_of_a_real_interface_in_a_namespace() {
    let wire = Wire::new(2);
    let host = Host::new();
    fs::create_dir_all(host.at("sys/class/net/near")).expect("a directory");
    let run = |words: &[&str]| {
        let mut command = wire.near.command("env");
        command
            .arg(format!("ROOT={}", host.root.path().display()))
            .arg(script(NIC))
            .args(words);
        said(&command.output().expect("ip netns exec"))
    };
    let queues = || {
        let output = wire.near.command("ethtool").args(["-l", "near"]).output();
        let text = said(&output.expect("ethtool")).0;
        let now = text.split("Current").nth(1).unwrap_or_default().to_owned();
        let found = now.lines().find_map(|line| line.strip_prefix("RX:"));
        found.unwrap_or_default().trim().to_owned()
    };
    assert_eq!(queues(), "2");
    let (text, success) = run(&["queues", "near", "1"]);
    assert!(success && queues() == "1", "{text}");
    assert!(run(&["queues", "near", "1"]).0.contains("1 queues already"));
    assert!(run(&["undo", "near"]).1);
    assert_eq!(queues(), "2");
    wire.near.add_address("10.0.0.2/24");
    wire.near
        .ip(&["route", "add", "default", "via", "10.0.0.1"]);
    let (text, success) = run(&["queues", "near", "1"]);
    assert!(!success && text.contains("default route"), "{text}");
    let (text, success) = run(&["queues", "near", "1", "--force", "--force"]);
    assert!(success && queues() == "1", "{text}");
}

#[test]
fn hugepages_are_reserved_per_node_and_given_back() {
    let host = Host::new();
    let pool = |node: u32, size: u32| {
        format!("sys/devices/system/node/node{node}/hugepages/hugepages-{size}kB/nr_hugepages")
    };
    for node in 0..2 {
        host.write(&pool(node, 2048), "0\n");
        host.write(&pool(node, 1_048_576), "0\n");
    }
    host.write(&pool(0, 2048), "16\n");
    let before = host.tree();
    let dry = host.succeeds(PAGES, &["64", "--dry-run", "--mount", "/mnt/huge"]);
    assert!(dry.contains("64 pages of 2048 kB on node 1"), "{dry}");
    assert_eq!(host.tree(), before, "a dry run changes nothing");
    host.succeeds(PAGES, &["64", "--mount", "/mnt/huge-2m"]);
    host.succeeds(PAGES, &["2", "--size", "1G", "--node", "1"]);
    let counts = |host: &Host| {
        [(0, 2048), (1, 2048), (0, 1_048_576), (1, 1_048_576)].map(|(n, s)| host.read(&pool(n, s)))
    };
    assert_eq!(counts(&host), ["64", "64", "0", "2"]);
    let unit = host.read("etc/systemd/system/precursor-hugepages-1048576-node1.service");
    assert!(
        unit.contains("echo 2 > /sys/devices/system/node/node1/"),
        "{unit}"
    );
    let mount = host.read("etc/systemd/system/mnt-huge\\x2d2m.mount");
    assert!(
        mount.contains("pagesize=2M") && mount.contains("Where=/mnt/huge-2m"),
        "{mount}"
    );
    assert!(
        host.at("etc/systemd/system/sysinit.target.wants/mnt-huge\\x2d2m.mount")
            .is_symlink()
    );
    let again = host.succeeds(PAGES, &["64"]);
    assert!(
        again.contains("64 pages of 2048 kB already") && !again.contains('+'),
        "{again}"
    );
    host.fails(
        PAGES,
        &["1", "--node", "7"],
        "there is no NUMA node 7; there are: 0 1",
    );
    host.succeeds(PAGES, &["--undo"]);
    assert_eq!(
        counts(&host),
        ["16", "0", "0", "0"],
        "what was there before"
    );
    let left = Command::new("find")
        .arg(host.root.path())
        .args(["-name", "*precursor-*.service"])
        .output();
    assert_eq!(said(&left.expect("find")).0, "");
}

#[test]
fn the_scripts_are_as_shellcheck_wants_them() {
    let mut command = Command::new("shellcheck");
    match command.arg(script(NIC)).arg(script(PAGES)).output() {
        Ok(output) => assert!(output.status.success(), "{}", said(&output).0),
        // What the linter says can be had wherever it is installed; nothing else depends on it.
        Err(error) => println!("shellcheck is not installed: {error}"),
    }
}

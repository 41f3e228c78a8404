//! Network namespaces with veth pairs, for tests. They need root and `ip` (iproute2), and say so
//! where these are missing: nothing is skipped.
#![forbid(unsafe_code)]

use std::fs::File;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use nix::sched::{CloneFlags, setns};

/// Begins the name of every namespace of ours; the id of the process that made it follows.
const PREFIX: &str = "pctest";

const UP_PATIENCE: Duration = Duration::from_secs(20);

/// Two namespaces joined by a veth pair, `near` in one and `far` in the other. Removed when
/// dropped, also when a test fails; what a killed test left behind, the next one removes.
pub struct Wire {
    pub near: Namespace,
    pub far: Namespace,
}

/// One end of a [`Wire`].
pub struct Namespace {
    name: String,
    interface: &'static str,
}

impl Wire {
    /// `queues` of the near end, and as many of the far one. Addresses are the test's affair; IPv6
    /// is off until [`Namespace::allow_ipv6`], so that the wire is silent.
    ///
    /// # Panics
    /// The namespaces cannot be made: no root, no `ip`.
    pub fn new(queues: u32) -> Wire {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        remove_orphans();
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = |end| format!("{PREFIX}-{}-{number}-{end}", std::process::id());
        let wire = Wire {
            near: Namespace::new(name("near"), "near"),
            far: Namespace::new(name("far"), "far"),
        };
        let queues = queues.to_string();
        let queues = ["numtxqueues", &queues, "numrxqueues", &queues];
        let mut words = vec!["link", "add", "near", "netns", &wire.near.name];
        words.extend(queues);
        words.extend([
            "type",
            "veth",
            "peer",
            "name",
            "far",
            "netns",
            &wire.far.name,
        ]);
        words.extend(queues);
        ip(&words);
        for end in [&wire.near, &wire.far] {
            end.ip(&["link", "set", "lo", "up"]);
            end.ip(&["link", "set", end.interface, "up"]);
        }
        wire.near.wait_until_up();
        wire.far.wait_until_up();
        wire
    }
}

impl Namespace {
    fn new(name: String, interface: &'static str) -> Namespace {
        ip(&["netns", "add", &name]);
        let namespace = Namespace { name, interface };
        let entered = namespace.enter();
        for scope in ["all", "default"] {
            let setting = format!("/proc/sys/net/ipv6/conf/{scope}/disable_ipv6");
            // A kernel without IPv6 is silent anyway.
            std::fs::write(setting, "1").ok();
        }
        drop(entered);
        namespace
    }

    /// The name that `ip netns exec` takes.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The interface of the pair that is in here.
    pub fn interface(&self) -> &'static str {
        self.interface
    }

    /// Moves this thread into the namespace until the result is dropped. Sockets belong to the
    /// namespace in which they were made, also afterwards.
    pub fn enter(&self) -> Entered {
        let before = File::open("/proc/thread-self/ns/net").expect("this thread has a namespace");
        let path = Path::new("/run/netns").join(&self.name);
        let namespace = File::open(&path).expect("the namespace is there");
        setns(&namespace, CloneFlags::CLONE_NEWNET).expect("entering a namespace needs root");
        Entered { before }
    }

    /// The kernel drops what is sent before its link watch has seen the other end, which a crowded
    /// machine delays.
    fn wait_until_up(&self) {
        let start = Instant::now();
        while !self
            .ip(&["-o", "link", "show", self.interface])
            .contains("state UP")
        {
            assert!(start.elapsed() < UP_PATIENCE, "the wire stays down");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Runs `ip` in here.
    ///
    /// # Panics
    /// It fails.
    pub fn ip(&self, words: &[&str]) -> String {
        let mut all = vec!["-n", &self.name];
        all.extend(words);
        ip(&all)
    }

    /// Gives the interface of the pair an address, as "10.0.0.1/24".
    pub fn add_address(&self, address: &str) {
        self.ip(&["address", "add", address, "dev", self.interface, "nodad"]);
    }

    /// Turns IPv6 on for the interface of the pair, without addresses of its own making.
    pub fn allow_ipv6(&self) {
        let entered = self.enter();
        let directory = format!("/proc/sys/net/ipv6/conf/{}", self.interface);
        for (setting, value) in [
            ("addr_gen_mode", "1"),
            ("accept_ra", "0"),
            ("disable_ipv6", "0"),
        ] {
            std::fs::write(format!("{directory}/{setting}"), value).expect("a kernel with IPv6");
        }
        drop(entered);
    }

    /// A command that runs in here.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name, program]);
        command
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // The veth pair goes with its namespaces.
        let removed = Command::new("ip")
            .args(["netns", "del", &self.name])
            .output();
        if !removed.is_ok_and(|output| output.status.success()) {
            eprintln!("the network namespace {} is left behind", self.name);
        }
    }
}

/// Brings the thread back where it was.
pub struct Entered {
    before: File,
}

impl Drop for Entered {
    fn drop(&mut self) {
        setns(&self.before, CloneFlags::CLONE_NEWNET).expect("the way back is open");
    }
}

fn ip(words: &[&str]) -> String {
    let output = Command::new("ip").args(words).output();
    let output = output.expect("`ip` is needed: install iproute2");
    let Output { status, stdout, .. } = &output;
    assert!(
        status.success(),
        "`ip {}` failed (these tests need root): {}",
        words.join(" "),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(stdout).into_owned()
}

/// Removes namespaces whose process is gone: it was killed before it could.
fn remove_orphans() {
    let Ok(entries) = std::fs::read_dir("/run/netns") else {
        return;
    };
    for name in entries.flatten().map(|entry| entry.file_name()) {
        let name = name.to_string_lossy();
        let mut parts = name.split('-');
        let ours = parts.next() == Some(PREFIX);
        let Some(process) = parts.next().filter(|_| ours) else {
            continue;
        };
        if process.parse::<u32>().is_ok() && !Path::new("/proc").join(process).exists() {
            // Another test may be removing it at the same time.
            Command::new("ip")
                .args(["netns", "del", &name])
                .output()
                .ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wire_carries_and_leaves_nothing_behind() {
        let wire = Wire::new(2);
        wire.near.add_address("10.9.8.1/24");
        wire.far.add_address("10.9.8.2/24");
        let listener = {
            let _entered = wire.near.enter();
            std::net::TcpListener::bind("10.9.8.1:0").expect("the address is there")
        };
        let address = listener.local_addr().expect("it is bound");
        {
            let _entered = wire.far.enter();
            std::net::TcpStream::connect(address).expect("the wire carries");
        }
        assert!(
            std::net::TcpStream::connect(address).is_err(),
            "not from here"
        );
        let names = [wire.near.name().to_owned(), wire.far.name().to_owned()];
        assert!(
            names
                .iter()
                .all(|name| Path::new("/run/netns").join(name).exists())
        );
        drop(wire);
        assert!(
            !names
                .iter()
                .any(|name| Path::new("/run/netns").join(name).exists())
        );
    }
}

//! Regions that are removed whatever happens, and children that die with their parent.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use precursor_shm::{Hugepages, Region, RegionOptions};

const ROLE: &str = "PRECURSOR_SHM_TEST_ROLE";
const DATA: &str = "PRECURSOR_SHM_TEST_DATA";
const ARGUMENT: &str = "PRECURSOR_SHM_TEST_ARGUMENT";

/// A data directory and the options of its region; removes both.
pub struct Fixture {
    pub data: tempfile::TempDir,
    pub options: RegionOptions,
}

impl Fixture {
    pub fn new() -> Fixture {
        let data = tempfile::tempdir().unwrap();
        let options = options(data.path());
        Fixture { data, options }
    }

    pub fn region(&self) -> Region {
        Region::create_or_attach(&self.options).unwrap().0
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        if let Ok(region) = Region::attach_existing(&self.options) {
            let _ = region.unlink();
        }
    }
}

pub fn options(data: &Path) -> RegionOptions {
    RegionOptions {
        directory: Some(PathBuf::from("/dev/shm")),
        hugepages: Hugepages::Off,
        pool_bytes: 8 << 20,
        buffer_bytes: 4 << 20,
        control_ring_bytes: 1 << 16,
        ..RegionOptions::new(7, data)
    }
}

/// A child process playing a role on a data directory; killed when this is dropped.
pub struct Running(pub Child);

impl Running {
    pub fn start(role: &str, data: &Path, argument: u64) -> Running {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "support::child", "--nocapture"])
            .env(ROLE, role)
            .env(DATA, data)
            .env(ARGUMENT, argument.to_string())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Running(child)
    }

    /// SIGKILL, and its corpse collected.
    pub fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    pub fn succeeded(mut self) -> bool {
        self.0.wait().unwrap().success()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Not a test of its own: where children begin.
#[test]
fn child() {
    let Ok(role) = std::env::var(ROLE) else {
        return;
    };
    // SAFETY: no preconditions; a parent that dies must not leave children that run for ever.
    unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
    let data = PathBuf::from(std::env::var_os(DATA).unwrap());
    let argument = std::env::var(ARGUMENT).unwrap().parse().unwrap();
    match role.as_str() {
        "push" => crate::killed::push_for_ever(&data, argument),
        "append" => crate::killed::append_for_ever(&data),
        "idle" => crate::idle::attach_and_measure(&data),
        "race" => crate::race::create_and_count(&data),
        other => panic!("role {other}"),
    }
}

/// Waits for something that another process does.
pub fn until(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !done() {
        assert!(Instant::now() < deadline, "waited a minute for {what}");
        std::thread::sleep(Duration::from_micros(200));
    }
}

pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % bound
    }
}

//! Brokers on devices that no build machine has, in the virtual machine of `scripts/lab`, which is built
//! where it is missing.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use precursor_tests_cluster::node::binaries;

#[test]
fn dpdk_on_an_sriov_virtual_function_serves_kcat_and_outlives_kills() {
    let program = env!("CARGO_BIN_EXE_precursor-tests-cluster");
    in_lab("sriov", &[program, "lab-dpdk"]);
}

/// All in one machine: what a transport has to keep, clients that keep to nothing, and a broker.
#[test]
fn native_clients_are_served_over_rdma_and_hostile_ones_harm_nobody() {
    let script = "set -e
        for tests in \"${@:2}\"; do \"$tests\" --quiet --test-threads=1; done
        some='rdma::bytes rdma::an_end by_send::bytes what_is_granted'
        for tests in \"${@:2}\"; do
            LAB_ADDRESS=$LAB_ADDRESS6 \"$tests\" --quiet --test-threads=1 $some
        done
        exec \"$1\" lab-rdma";
    let program = env!("CARGO_BIN_EXE_precursor-tests-cluster");
    let words = ["bash", "-c", script, "bash", program];
    let mut words: Vec<&OsStr> = words.iter().map(OsStr::new).collect();
    let programs = programs_of_the_transport();
    words.extend(programs.iter().map(|program| program.as_os_str()));
    in_lab("rdma", &words);
}

/// The transport's own tests that need a device, built.
fn programs_of_the_transport() -> Vec<PathBuf> {
    let output = Command::new(env!("CARGO"))
        .args(["test", "--quiet", "--locked", "--no-run"])
        .args(["-p", "precursor-transport-rdma", "--features", "lab"])
        .args(["--lib", "--test", "conformance", "--message-format", "json"])
        .output()
        .expect("cargo runs");
    let told = String::from_utf8(output.stdout).expect("text");
    let named = told.split("\"executable\":\"").skip(1);
    let programs: Vec<PathBuf> = named
        .map(|rest| PathBuf::from(rest.split('"').next().unwrap_or_default()))
        .collect();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(programs.len(), 2, "{errors}");
    programs
}

fn in_lab<S: AsRef<OsStr>>(profile: &str, words: &[S]) {
    let lab = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/lab");
    let status = Command::new(lab)
        .args(["run", "--profile", profile, "--seconds", "900", "--"])
        .args(words)
        .env("BROKER_BIN_DIR", binaries())
        .status()
        .expect("scripts/lab");
    assert!(status.success(), "{status}; its last words stand above");
}

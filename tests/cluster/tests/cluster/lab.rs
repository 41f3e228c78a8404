//! Brokers on devices that no build machine has, in the virtual machine of `scripts/lab`, which is built
//! where it is missing.

use std::path::Path;
use std::process::Command;

use precursor_tests_cluster::node::binaries;

#[test]
fn dpdk_on_an_sriov_virtual_function_serves_kcat_and_outlives_kills() {
    let lab = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/lab");
    let status = Command::new(lab)
        .args(["run", "--profile", "sriov", "--seconds", "900", "--"])
        .args([env!("CARGO_BIN_EXE_precursor-tests-cluster"), "lab-dpdk"])
        .env("BROKER_BIN_DIR", binaries())
        .status()
        .expect("scripts/lab");
    assert!(status.success(), "{status}; its last words stand above");
}

//! `scripts/setup-hugepages.sh` and `scripts/setup-nic.sh` with a real kernel, its pages, an SR-IOV card
//! and VFIO: in the virtual machine of `scripts/lab`, which it builds where it is missing.

use std::path::Path;
use std::process::Command;

/// Runs a script of `tests/lab` in the machine; its steps are printed.
fn holds_in_the_lab(options: &[&str], script: &str) {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new(here.join("../../scripts/lab"))
        .args(["run", "--seconds", "600"])
        .args(options)
        .arg("--")
        .arg("bash")
        .arg(here.join("tests/lab").join(script))
        .output()
        .expect("scripts/lab");
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    println!("{text}");
    assert!(
        output.status.success(),
        "{script}: {}, see above",
        output.status
    );
}

#[test]
fn hugepages_of_a_real_kernel_are_reserved_mounted_and_given_back() {
    let options = ["--nodes", "2", "--memory", "6144"];
    holds_in_the_lab(&options, "hugepages.sh");
}

#[test]
fn a_card_with_virtual_functions_is_set_up_and_set_back() {
    holds_in_the_lab(&["--profile", "nic"], "nic.sh");
}

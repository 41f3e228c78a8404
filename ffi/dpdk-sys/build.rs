//! Compiles the shim against the libdpdk of this host into a shared object, which the crate embeds.
//! Without libdpdk (pkg-config does not find it) it embeds nothing, and says so when it is asked.
//! `PRECURSOR_DPDK=off` leaves it out, `PRECURSOR_DPDK=on` fails the build where it is missing.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

const SOURCES: [&str; 2] = ["shim/shim.c", "shim/shim.h"];
/// What the shim's calls need: DPDK 22.11 made the bus of a device a question.
const VERSION_MIN: &str = "22.11";

fn main() {
    for source in SOURCES {
        println!("cargo::rerun-if-changed={source}");
    }
    for variable in ["PRECURSOR_DPDK", "PKG_CONFIG_PATH", "CC"] {
        println!("cargo::rerun-if-env-changed={variable}");
    }
    // A libdpdk that is installed later is noticed by the folders in which it is described.
    let folders = pkg_config(&["--variable=pc_path", "pkg-config"]).unwrap_or_default();
    for folder in folders.trim().split(':').filter(|f| Path::new(f).is_dir()) {
        println!("cargo::rerun-if-changed={folder}");
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it")).join("shim.so");
    let wish = env::var("PRECURSOR_DPDK").unwrap_or_default();
    let built = match wish.as_str() {
        "off" => Err(String::from("PRECURSOR_DPDK=off")),
        _ => build(&out),
    };
    if let Err(why) = built {
        assert!(wish != "on", "PRECURSOR_DPDK=on, but {why}");
        std::fs::write(&out, []).expect("the build's own folder");
    }
}

fn build(out: &Path) -> Result<(), String> {
    let at_least = format!("libdpdk >= {VERSION_MIN}");
    let flags = pkg_config(&["--cflags", &at_least])
        .ok_or_else(|| format!("pkg-config does not find {at_least}"))?;
    let libraries = pkg_config(&["--libs", "libdpdk"]).ok_or("pkg-config names no libraries")?;
    let compiler = env::var("CC").unwrap_or_else(|_| String::from("cc"));
    let output = Command::new(&compiler)
        .args(["-shared", "-fPIC", "-O3", "-std=gnu11", "-Wall", "-Wextra"])
        .args([
            "-Wno-unused-parameter",
            "-DALLOW_EXPERIMENTAL_API",
            "-fvisibility=hidden",
        ])
        .args(flags.split_whitespace())
        .arg(SOURCES[0])
        .arg("-o")
        .arg(out)
        .args(libraries.split_whitespace())
        .output()
        .map_err(|error| format!("the C compiler `{compiler}` does not start: {error}"))?;
    match output.status.success() {
        true => Ok(()),
        // A libdpdk that is there and does not fit is worth a look.
        false => panic!(
            "the DPDK shim does not compile (PRECURSOR_DPDK=off leaves it out): {}",
            String::from_utf8_lossy(&output.stderr)
        ),
    }
}

fn pkg_config(words: &[&str]) -> Option<String> {
    let output = Command::new("pkg-config").args(words).output().ok()?;
    let succeeded = output.status.success();
    succeeded.then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

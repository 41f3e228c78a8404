//! Help, completions and manual pages, for every command there is.

use std::process::Command;

fn precursor(words: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_precursor"))
        .args(words)
        .output()
        .unwrap();
    assert!(output.status.success(), "{words:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The commands that a help text lists.
fn listed(help: &str) -> Vec<String> {
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let own = lines.take_while(|line| line.starts_with("  "));
    let names = own.filter_map(|line| line.split_whitespace().next());
    names
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

fn check_help(words: &[&str], seen: &mut Vec<String>) {
    let help = precursor(&[words, &["--help"]].concat());
    assert!(help.contains("Usage: precursor"), "{words:?}: {help}");
    assert!(
        help.lines().next().is_some_and(|line| !line.is_empty()),
        "{words:?}"
    );
    // The short help is a help as well.
    precursor(&[words, &["-h"]].concat());
    for command in listed(&help) {
        let deeper = [words, &[&command]].concat();
        check_help(&deeper, seen);
        seen.push(deeper.join(" "));
    }
}

#[test]
fn every_command_has_its_help() {
    let mut seen = Vec::new();
    check_help(&[], &mut seen);
    for command in [
        "serve",
        "topic create",
        "topic list",
        "topic describe",
        "topic alter",
        "topic delete",
        "topic add-partitions",
        "produce",
        "consume",
        "group list",
        "group describe",
        "group reset-offsets",
        "group delete",
        "config describe",
        "config set",
        "compression advise",
        "config unset",
        "quota list",
        "quota set",
        "quota unset",
        "cluster status",
        "memory",
        "top",
        "doctor",
        "bench",
        "completions",
        "man",
    ] {
        assert!(
            seen.iter().any(|name| name == command),
            "{command}: {seen:?}"
        );
    }
}

#[test]
fn shells_complete_every_command() {
    for shell in ["bash", "zsh", "fish"] {
        let script = precursor(&["completions", shell]);
        for word in ["reset-offsets", "add-partitions", "doctor", "key-separator"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    // bash is everywhere; it must take the script.
    let script = precursor(&["completions", "bash"]);
    let taken = Command::new("bash").args(["-n", "-c", &script]).status();
    assert!(taken.unwrap().success());
}

#[test]
fn every_command_has_its_page() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("man1");
    let report = precursor(&["man", path.to_str().unwrap(), "--output", "json"]);
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    for name in [
        "precursor.1",
        "precursor-topic-create.1",
        "precursor-group-reset-offsets.1",
    ] {
        let page = std::fs::read_to_string(path.join(name)).unwrap();
        assert!(page.contains(".SH SYNOPSIS"), "{name}");
        assert!(
            report["pages"]
                .as_array()
                .unwrap()
                .iter()
                .any(|page| page == name)
        );
    }
    let output = Command::new(env!("CARGO_BIN_EXE_precursor"))
        .args(["man", "/proc/nowhere"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("/proc/nowhere"), "{error}");
}

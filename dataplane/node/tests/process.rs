//! The program itself: what it refuses, in a sentence and without leaving anything behind.

use std::process::Command;

#[test]
fn a_wrong_command_line_is_said() {
    for (words, sentence) in [
        (&["--nonsense"][..], "unknown argument '--nonsense'"),
        (
            &["--set", "dataplane.shard=1"],
            "did you mean 'dataplane.shards'?",
        ),
        (&["--config", "/nonexistent.toml"], "/nonexistent.toml"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_precursor-dataplane"))
            .args(words)
            .output()
            .unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(error.starts_with("precursor-dataplane: "), "{error}");
        assert!(error.contains(sentence), "{error}");
        assert!(output.stdout.is_empty());
    }
}

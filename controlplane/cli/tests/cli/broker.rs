//! One real broker for each test, and the program run against it.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use precursor_tests_cluster::node::{Node, precursor};
use serde_json::Value;

/// A broker, and commands that are sent to it.
pub struct Broker {
    node: Node,
    /// Also when it is stopped.
    bootstrap: String,
}

impl Broker {
    pub fn start() -> Broker {
        // Small: many tests run at a time.
        let node = Node::start(&["memory.region.bytes=64MiB", "memory.hugepages=off"]);
        let bootstrap = node.address().to_string();
        Broker { node, bootstrap }
    }

    pub fn data_dir(&self) -> std::path::PathBuf {
        self.node.data_dir()
    }

    /// Stops it cleanly.
    pub fn stop(&mut self) {
        assert!(self.node.stop().success());
    }

    /// Starts it on the same data.
    pub fn start_again(&mut self) {
        self.node.serve();
        self.bootstrap = self.node.address().to_string();
    }

    /// The program with these words; its environment is as a script's.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = precursor();
        for (name, _) in std::env::vars() {
            if name.starts_with("PRECURSOR_") {
                command.env_remove(name);
            }
        }
        command.args(words).args(["--bootstrap", &self.bootstrap]);
        command.stdin(Stdio::null());
        command
    }

    /// Runs to the end.
    pub fn run(&self, words: &[&str]) -> Output {
        self.command(words).output().unwrap()
    }

    /// Runs with standard input.
    pub fn run_with(&self, words: &[&str], input: &[u8]) -> Output {
        let mut child = self
            .command(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        child.wait_with_output().unwrap()
    }

    /// Runs to its success, and returns its standard output.
    pub fn text(&self, words: &[&str]) -> String {
        succeeded(words, &self.run(words))
    }

    /// Runs with --output json to its success, and returns what it printed.
    pub fn json(&self, words: &[&str]) -> Value {
        let words = [words, &["--output", "json"]].concat();
        let text = succeeded(&words, &self.run(&words));
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{words:?}: {error}: {text}"))
    }

    /// Runs to a failure of this code; returns its sentence and what it says to do next.
    pub fn refused(&self, words: &[&str], code: i32) -> (String, String) {
        let words = [words, &["--output", "json"]].concat();
        let output = self.run(&words);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{words:?}: {error}");
        let error: Value = serde_json::from_str(&error)
            .unwrap_or_else(|not_json| panic!("{words:?}: {not_json}: {error}"));
        let next = error["next"].as_str();
        let next = next.unwrap_or_else(|| panic!("{words:?} says nothing to do next: {error}"));
        (error["error"].as_str().unwrap().to_owned(), next.to_owned())
    }
}

/// The standard output of a success.
pub fn succeeded(words: &[&str], output: &Output) -> String {
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{words:?}: {error}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The names of an object's fields, in order.
pub fn fields(value: &Value) -> Vec<&str> {
    let object = value
        .as_object()
        .unwrap_or_else(|| panic!("no object: {value}"));
    object.keys().map(String::as_str).collect()
}

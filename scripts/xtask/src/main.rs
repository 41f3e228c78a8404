//! Project commands: verify, fix, generate.
//!
//! `verify` never writes; `fix` may; `generate --check` says which generated files are stale.
#![forbid(unsafe_code)]

use std::process::{Command, ExitCode};

const USAGE: &str = "usage: cargo xtask verify | fix | generate [--check]";

/// One step: what it is about, and the cargo command that does it.
struct Step {
    about: &'static str,
    cargo: &'static [&'static str],
}

const FORMAT_CHECK: Step = Step {
    about: "every file is formatted ('cargo xtask fix' mends it)",
    cargo: &["fmt", "--all", "--check"],
};

const FORMAT: Step = Step {
    about: "every file is formatted",
    cargo: &["fmt", "--all"],
};

const CLIPPY: Step = Step {
    about: "clippy has nothing to say",
    cargo: &[
        "clippy",
        "--quiet",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ],
};

const PROTOCOL: Step = Step {
    about: "the protocol's messages are made from its schema",
    cargo: &["run", "--quiet", "-p", "precursor-protocol-generator"],
};

const PROTOCOL_CHECK: Step = Step {
    about: "the protocol's messages fit its schema ('cargo xtask generate' mends it)",
    cargo: &[
        "run",
        "--quiet",
        "-p",
        "precursor-protocol-generator",
        "--",
        "--check",
    ],
};

const DOCUMENTS: Step = Step {
    about: "the generated documents are made",
    cargo: &["run", "--quiet", "-p", "precursor-tests-tidy"],
};

const DOCUMENTS_CHECK: Step = Step {
    about: "the generated documents are fresh ('cargo xtask generate' mends it)",
    cargo: &[
        "run",
        "--quiet",
        "-p",
        "precursor-tests-tidy",
        "--",
        "--check",
    ],
};

const TIDY: Step = Step {
    about: "the house rules are kept",
    cargo: &["test", "--quiet", "-p", "precursor-tests-tidy"],
};

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let steps: &[&Step] = match words.as_slice() {
        ["verify"] => &[
            &FORMAT_CHECK,
            &CLIPPY,
            &PROTOCOL_CHECK,
            &DOCUMENTS_CHECK,
            &TIDY,
        ],
        ["fix"] => &[&PROTOCOL, &DOCUMENTS, &FORMAT],
        ["generate"] => &[&PROTOCOL, &DOCUMENTS],
        ["generate", "--check"] => &[&PROTOCOL_CHECK, &DOCUMENTS_CHECK],
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    for step in steps {
        if !run(step) {
            eprintln!("xtask: this does not hold: {}", step.about);
            return ExitCode::FAILURE;
        }
        eprintln!("xtask: {}", step.about);
    }
    ExitCode::SUCCESS
}

/// Runs a step at the workspace's root; false when it failed or could not be started.
fn run(step: &Step) -> bool {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    match Command::new(cargo)
        .args(step.cargo)
        .current_dir(root)
        .status()
    {
        Ok(status) => status.success(),
        Err(error) => {
            eprintln!("xtask: cargo cannot be started: {error}");
            false
        }
    }
}

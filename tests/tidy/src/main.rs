//! Writes the documents that are made from tables in the code; `--check` only looks.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use precursor_tests_tidy::{documents, root};

fn main() -> ExitCode {
    let root = root();
    match std::env::args().nth(1).as_deref() {
        Some("--check") => {
            let stale = documents::stale(&root);
            for complaint in &stale {
                eprintln!("{complaint}");
            }
            ExitCode::from(u8::from(!stale.is_empty()))
        }
        Some(other) => {
            eprintln!("documents: '{other}' is not known; the only argument is --check");
            ExitCode::from(2)
        }
        None => {
            for (path, text) in documents::documents(&root) {
                if let Err(error) = std::fs::write(root.join(path), text) {
                    eprintln!("documents: {path} cannot be written: {error}");
                    return ExitCode::FAILURE;
                }
            }
            ExitCode::SUCCESS
        }
    }
}

//! `precursor-protocol-generator [--check]`, from the repository's root.
#![forbid(unsafe_code)]

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let check = std::env::args().any(|argument| argument == "--check");
    let root = Path::new(".");
    let result = if check {
        precursor_protocol_generator::check(root)
    } else {
        precursor_protocol_generator::generate(root)
    };
    match result {
        Err(error) => {
            eprintln!("generate: {error}");
            ExitCode::FAILURE
        }
        Ok(paths) => {
            let verb = if check { "stale" } else { "written" };
            for path in &paths {
                println!("{verb}: {}", path.display());
            }
            if check && !paths.is_empty() {
                ExitCode::FAILURE
            } else {
                ExitCode::SUCCESS
            }
        }
    }
}

//! `precursor completions` and `precursor man`: made from the command line's own description, so
//! that they cannot disagree with it.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap_complete::Shell;
use serde_json::json;

use crate::failure::Failure;
use crate::output::Output;

/// The arguments of `precursor completions`.
#[derive(Debug, clap::Args)]
pub struct CompletionsArguments {
    /// The shell to complete in: bash, zsh or fish (elvish and powershell come along)
    #[arg(value_enum)]
    shell: Shell,
}

/// The arguments of `precursor man`.
#[derive(Debug, clap::Args)]
pub struct ManArguments {
    /// Where the pages are written, one per command; made when it is missing
    #[arg(value_name = "DIR")]
    directory: PathBuf,
}

/// Writes a shell's completion script to standard output.
///
/// # Errors
/// Standard output is closed.
pub fn completions(
    arguments: &CompletionsArguments,
    mut command: clap::Command,
) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, "precursor", &mut script);
    let mut out = std::io::stdout().lock();
    out.write_all(&script)
        .and_then(|()| out.flush())
        .map_err(Failure::from_output)
}

/// Writes a page in section 1 for the program and for each of its commands.
///
/// # Errors
/// The directory cannot be written.
pub fn man(
    arguments: &ManArguments,
    command: clap::Command,
    output: Output,
) -> Result<(), Failure> {
    let directory = &arguments.directory;
    let written = write_pages(directory, command).map_err(|error| {
        Failure::new(format!(
            "no page can be written in {}: {error}",
            directory.display()
        ))
        .next("Name a directory that you may write: precursor man DIR")
    })?;
    if output.json() {
        return output.value(&json!({ "directory": directory, "pages": written }));
    }
    output.line(&format!(
        "{} pages written; read one with: man {}",
        written.len(),
        directory.join("precursor.1").display()
    ))
}

fn write_pages(directory: &Path, mut command: clap::Command) -> std::io::Result<Vec<String>> {
    std::fs::create_dir_all(directory)?;
    // Hands the global arguments and the long names ("precursor-topic-create") down.
    command.build();
    let mut names = Vec::new();
    let mut open = vec![command];
    while let Some(command) = open.pop() {
        // clap's own `help` describes what the other pages do.
        open.extend(
            command
                .get_subcommands()
                .filter(|child| child.get_name() != "help")
                .cloned(),
        );
        let man = clap_mangen::Man::new(command);
        let mut page = Vec::new();
        man.render(&mut page)?;
        let name = man.get_filename();
        std::fs::write(directory.join(&name), page)?;
        names.push(name);
    }
    names.sort();
    Ok(names)
}

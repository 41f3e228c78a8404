//! Makes `dataplane/protocol/src/generated` from `dataplane/protocol/schema`.
//!
//! The output is committed; [`check`] says whether it is what the schema gives.
#![forbid(unsafe_code)]

mod keys;
mod message;
mod names;
mod oracle;
mod schema;
mod view;

use schema::Message;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// First line of every generated file.
pub(crate) const HEADING: &str =
    "// Generated from dataplane/protocol/schema by `cargo xtask generate`; not to be edited.\n\n";

/// The folders that hold nothing but generated files, from the repository's root.
const FOLDERS: [&str; 3] = [
    "dataplane/protocol/src/generated",
    "tests/messages/src/generated_random",
    "tests/messages/src/generated_oracle",
];

/// Files by their path from the repository's root.
type Files = BTreeMap<PathBuf, String>;

/// Writes every generated file that differs and removes those that are no longer generated; gives
/// back their paths. `root` is the repository's.
pub fn generate(root: &Path) -> io::Result<Vec<PathBuf>> {
    let (wanted, present) = (make(root)?, present(root)?);
    let stale = stale(&wanted, &present);
    for path in &stale {
        let target = root.join(path);
        match wanted.get(path) {
            None => fs::remove_file(target)?,
            Some(text) => {
                fs::create_dir_all(target.parent().unwrap_or(root))?;
                fs::write(target, text)?;
            }
        }
    }
    Ok(stale)
}

/// The generated files that are not what the schema gives; none: all is well. Writes nothing.
pub fn check(root: &Path) -> io::Result<Vec<PathBuf>> {
    Ok(stale(&make(root)?, &present(root)?))
}

fn stale(wanted: &Files, present: &Files) -> Vec<PathBuf> {
    let mut stale: Vec<PathBuf> = wanted
        .iter()
        .filter(|(path, text)| present.get(*path) != Some(text))
        .map(|(path, _)| path.clone())
        .collect();
    stale.extend(present.keys().filter(|p| !wanted.contains_key(*p)).cloned());
    stale
}

fn present(root: &Path) -> io::Result<Files> {
    let mut files = Files::new();
    for folder in FOLDERS {
        collect(root, Path::new(folder), &mut files)?;
    }
    Ok(files)
}

fn collect(root: &Path, folder: &Path, files: &mut Files) -> io::Result<()> {
    let entries = match fs::read_dir(root.join(folder)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let path = folder.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            collect(root, &path, files)?;
        } else {
            files.insert(path, fs::read_to_string(entry.path())?);
        }
    }
    Ok(())
}

/// Every generated file, formatted.
fn make(root: &Path) -> io::Result<Files> {
    let messages = read_schema(&root.join("dataplane/protocol/schema"))?;
    let folder = PathBuf::from(FOLDERS[0]);
    let mut files = Files::new();
    files.insert(folder.join("api_keys.rs"), keys::emit(&messages));
    files.insert(
        folder.join("mod.rs"),
        format!("{HEADING}pub mod api_keys;\npub mod messages;\npub mod views;\n"),
    );
    let module = |m: &Message| names::snake_case(&m.name);
    for m in &messages {
        let file = format!("{}.rs", module(m));
        files.insert(folder.join("messages").join(&file), message::emit(m));
        if m.view {
            files.insert(folder.join("views").join(&file), view::emit(m));
        }
    }
    let mut names: Vec<(String, &Message)> = messages.iter().map(|m| (module(m), m)).collect();
    names.sort_by(|a, b| a.0.cmp(&b.0));
    let mut owned = format!(
        "{HEADING}//! Every message as an owned struct. A message's parts are in the module of its name.\n\n"
    );
    let mut views = format!(
        "{HEADING}//! Requests borrowed from their frame. A request's parts are in the module of its name.\n\n"
    );
    for (module, m) in &names {
        owned += &format!("pub mod {module};\n");
        if m.view {
            views += &format!("pub mod {module};\n");
        }
    }
    owned.push('\n');
    views.push('\n');
    for (module, m) in &names {
        owned += &format!("pub use {module}::{};\n", m.name);
        if m.view {
            views += &format!("pub use {module}::{}View;\n", m.name);
        }
    }
    owned += &oracle::emit_every_message(&messages);
    files.insert(folder.join("messages/mod.rs"), owned);
    files.insert(folder.join("views/mod.rs"), views);
    for_tests(&messages, &mut files);
    format(root, files)
}

/// Random messages and their twins of another implementation, for the tests.
fn for_tests(messages: &[Message], files: &mut Files) {
    let (random, oracle) = (Path::new(FOLDERS[1]), Path::new(FOLDERS[2]));
    for m in messages {
        let file = format!("{}.rs", names::snake_case(&m.name));
        files.insert(random.join(&file), oracle::emit_random(m));
        files.insert(oracle.join(&file), oracle::emit_oracle(m));
    }
    files.insert(
        random.join("mod.rs"),
        oracle::emit_index(messages, "Random messages."),
    );
    files.insert(
        oracle.join("mod.rs"),
        oracle::emit_index(messages, "Our messages as the oracle has them."),
    );
}

fn read_schema(folder: &Path) -> io::Result<Vec<Message>> {
    let mut messages = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let text = fs::read_to_string(&path)?;
        let parsed = schema::parse(&text)
            .map_err(|error| io::Error::other(format!("{}: {error}", path.display())))?;
        messages.extend(parsed);
    }
    messages.sort_by(|a, b| (a.key, &a.name).cmp(&(b.key, &b.name)));
    Ok(messages)
}

/// Formats files as the repository's rustfmt.toml says, all in one run of rustfmt.
fn format(root: &Path, files: Files) -> io::Result<Files> {
    let scratch = Scratch::new()?;
    for (path, text) in &files {
        let target = scratch.0.join(path);
        fs::create_dir_all(target.parent().unwrap_or(&scratch.0))?;
        fs::write(target, text)?;
    }
    let status = Command::new("rustfmt")
        .args(["--edition", "2024", "--config-path"])
        .arg(root.join("rustfmt.toml"))
        .args(files.keys().map(|path| scratch.0.join(path)))
        .status()
        .map_err(|error| io::Error::other(format!("rustfmt did not start: {error}")))?;
    if !status.success() {
        return Err(io::Error::other("rustfmt refused the generated code"));
    }
    files
        .into_keys()
        .map(|path| Ok((path.clone(), fs::read_to_string(scratch.0.join(path))?)))
        .collect()
}

/// A temporary folder that goes with its value.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> io::Result<Scratch> {
        let path = std::env::temp_dir().join(format!("precursor-generate-{}", std::process::id()));
        fs::create_dir_all(&path)?;
        Ok(Scratch(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Nothing depends on it: a leftover in the temporary folder harms nobody.
        let _ = fs::remove_dir_all(&self.0);
    }
}

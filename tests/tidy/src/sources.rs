//! Rules about text: leftovers, host names, lengths of files and functions.

use std::path::{Path, PathBuf};

use crate::Complaint;

/// Style asks for about 500 lines of a file and 70 of a function; a little more is reported, this
/// much is refused.
pub const FILE_LINES_STYLE: usize = 500;
pub const FILE_LINES_MAX: usize = 650;
pub const FUNCTION_LINES_STYLE: usize = 70;
pub const FUNCTION_LINES_MAX: usize = 100;

/// One text file of the repository: its path from the root, and what it says.
pub struct Source {
    pub path: String,
    pub text: String,
}

/// Every text file that belongs to the repository, in order of path.
pub fn sources(root: &Path) -> Vec<Source> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for path in entries(&folder) {
            let place = path.strip_prefix(root).unwrap_or(&path);
            let place = place.to_string_lossy().into_owned();
            if path.is_dir() {
                if !outside(&place) {
                    folders.push(path);
                }
            } else if let Ok(text) = std::fs::read_to_string(&path) {
                found.push(Source { path: place, text });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect()
}

/// Examples in the documentation of crates whose examples scripts/test does not run: it names those
/// that have any.
pub fn examples_that_nobody_runs(sources: &[Source]) -> Vec<Complaint> {
    let script = sources.iter().find(|source| source.path == "scripts/test");
    let script = script.map_or("", |source| &source.text);
    let asked = script.lines().find(|line| line.contains(" --doc "));
    let asked: Vec<&str> = asked.unwrap_or("").split_whitespace().collect();
    let manifests = sources.iter().filter_map(|source| {
        Some((
            source.path.strip_suffix("Cargo.toml")?,
            package(&source.text)?,
        ))
    });
    let packages: Vec<(&str, &str)> = manifests.collect();
    let mut complaints = Vec::new();
    for source in sources.iter().filter(|source| source.path.ends_with(".rs")) {
        let above = packages
            .iter()
            .filter(|(folder, _)| source.path.starts_with(folder));
        let Some((_, package)) = above.max_by_key(|(folder, _)| folder.len()) else {
            continue;
        };
        if let Some(line) = example(&source.text).filter(|_| !asked.contains(package)) {
            let place = format!("{}:{line}", source.path);
            let sentence =
                format!("an example that scripts/test does not run: add '-p {package}' to --doc");
            complaints.push(Complaint::new(place, sentence));
        }
    }
    complaints
}

/// The name that a manifest gives its package.
fn package(manifest: &str) -> Option<&str> {
    let name = manifest
        .lines()
        .find_map(|line| line.strip_prefix("name = "))?;
    Some(name.trim_matches('"'))
}

/// The line at which documentation has its first example in Rust.
fn example(text: &str) -> Option<usize> {
    let mut inside = false;
    for (number, line) in text.lines().enumerate() {
        let line = line.trim_start();
        let documentation = line
            .strip_prefix("//!")
            .or_else(|| line.strip_prefix("///"));
        let Some(language) = documentation.and_then(|line| line.trim_start().strip_prefix("```"))
        else {
            continue;
        };
        if !inside && language != "text" {
            return Some(number + 1);
        }
        inside = !inside;
    }
    None
}

/// Folders that git does not keep, and the fuzz corpus, which is bytes.
fn outside(place: &str) -> bool {
    let name = place.rsplit('/').next().unwrap_or(place);
    matches!(
        name,
        ".git" | "target" | ".cache" | "data" | "__pycache__" | "node_modules" | "corpus"
    ) || name.starts_with("target-")
}

fn generated(path: &str) -> bool {
    path.contains("/generated/") || path.ends_with("_generated.rs")
}

/// Marks of unfinished work. Written in halves, since this file is looked at too.
const LEFTOVERS: &[(&str, &str)] = &[
    ("tod", "o!("),
    ("unimplement", "ed!("),
    ("#[igno", "re"),
    ("FIX", "ME"),
    ("TO", "DO"),
    ("db", "g!("),
    ("pytest.mark.sk", "ip"),
];

/// Hosts of package registries: a build uses what the machine is configured for.
const REGISTRY_HOSTS: &[(&str, &str)] = &[
    ("crates", ".io"),
    ("docs", ".rs/"),
    ("pypi", ".org"),
    ("repo.maven", ".apache.org"),
    ("repo1", ".maven.org"),
    ("registry.npmjs", ".org"),
    ("deb.debian", ".org"),
    ("proxy.golang", ".org"),
];

/// Unfinished work and registry hosts, anywhere.
pub fn leftovers(sources: &[Source]) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for source in sources
        .iter()
        .filter(|source| !source.path.ends_with("Cargo.lock"))
    {
        for (number, line) in source.text.lines().enumerate() {
            let place = format!("{}:{}", source.path, number + 1);
            for (left, right) in LEFTOVERS {
                if line.contains(&format!("{left}{right}")) {
                    let sentence = format!("'{left}{right}' is left; finish it or take it out");
                    complaints.push(Complaint::new(&place, sentence));
                }
            }
            for (left, right) in REGISTRY_HOSTS {
                if line.contains(&format!("{left}{right}")) {
                    let sentence = "names a registry's host; name the package alone";
                    complaints.push(Complaint::new(&place, sentence));
                }
            }
        }
    }
    complaints
}

/// Something longer than style asks.
pub struct Long {
    pub place: String,
    pub lines: usize,
    pub refused: bool,
}

/// Rust files and functions over the style's length; tests, examples and generated code left out.
pub fn long(sources: &[Source]) -> Vec<Long> {
    let mut found = Vec::new();
    for source in sources {
        let of_tests = ["/tests", "/examples/", "/benches/"]
            .iter()
            .any(|place| format!("/{}", source.path).contains(place));
        if !source.path.ends_with(".rs") || generated(&source.path) || of_tests {
            continue;
        }
        let lines: Vec<&str> = source
            .text
            .lines()
            .take_while(|line| !line.starts_with("#[cfg(test)]"))
            .collect();
        if lines.len() > FILE_LINES_STYLE {
            found.push(Long {
                place: source.path.clone(),
                lines: lines.len(),
                refused: lines.len() > FILE_LINES_MAX,
            });
        }
        found.extend(long_functions(&source.path, &lines));
    }
    found
}

/// Finds functions by rustfmt's shape: the brace that closes a function has its indentation.
fn long_functions(path: &str, lines: &[&str]) -> Vec<Long> {
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let indent = line.len() - line.trim_start().len();
        if !starts_function(line.trim_start()) || line.trim_end().ends_with([';', '}']) {
            continue;
        }
        let close = format!("{}}}", " ".repeat(indent));
        let end = lines[start..].iter().position(|line| *line == close);
        let length = end.map_or(0, |end| end + 1);
        if length > FUNCTION_LINES_STYLE {
            found.push(Long {
                place: format!("{path}:{}", start + 1),
                lines: length,
                refused: length > FUNCTION_LINES_MAX,
            });
        }
    }
    found
}

fn starts_function(line: &str) -> bool {
    let mut words = line.split_whitespace();
    words
        .by_ref()
        .find(|word| !word.starts_with("pub") && !QUALIFIERS.contains(word))
        == Some("fn")
}

const QUALIFIERS: &[&str] = &[
    "const", "async", "unsafe", "extern", "\"C\"", "crate)", "super)",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn source(path: &str, text: String) -> Source {
        Source {
            path: path.to_owned(),
            text,
        }
    }

    #[test]
    fn a_leftover_and_a_host_are_named_with_their_line() {
        let text = format!(
            "fine\n// {}{} later\nhttps://{}{}/x",
            "TO", "DO", "pypi", ".org"
        );
        let found = leftovers(&[source("a.py", text)]);
        let places: Vec<&str> = found.iter().map(|c| c.place.as_str()).collect();
        assert_eq!(places, ["a.py:2", "a.py:3"]);
    }

    #[test]
    fn lengths_count_without_tests() {
        let body = "        work();\n".repeat(120);
        let text = format!("impl X {{\n    pub(crate) fn f(&self) {{\n{body}    }}\n}}\n");
        let found = long(&[source("a/src/x.rs", text)]);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].lines, found[0].refused), (122, true));
        let tests = format!("#[cfg(test)]\n{}", "x\n".repeat(900));
        assert!(long(&[source("a/src/y.rs", tests)]).is_empty());
    }
}

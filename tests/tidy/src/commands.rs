//! What the documents tell a reader to run must exist.

use std::path::Path;

use crate::Complaint;
use crate::sources::Source;

/// Sub-commands of `cargo xtask` that documents may name.
const XTASK: &[&str] = &["verify", "fix", "generate"];

/// Commands, `--set` keys and links in Markdown files that lead nowhere.
pub fn broken(root: &Path, sources: &[Source]) -> Vec<Complaint> {
    let options: Vec<&str> = precursor_config::OPTIONS
        .iter()
        .map(|option| option.name)
        .collect();
    let mut complaints = Vec::new();
    for source in sources.iter().filter(|source| source.path.ends_with(".md")) {
        for (number, line) in source.text.lines().enumerate() {
            let place = format!("{}:{}", source.path, number + 1);
            let mut complain = |sentence: String| {
                complaints.push(Complaint::new(&place, sentence));
            };
            for path in paths(line) {
                if !root.join(path).exists() {
                    complain(format!("'{path}' does not exist"));
                }
            }
            for task in after(line, "cargo xtask ") {
                if !XTASK.contains(&task) {
                    complain(format!("there is no 'cargo xtask {task}'"));
                }
            }
            for setting in after(line, "--set ") {
                let key = setting.split('=').next().unwrap_or(setting);
                if key != "key" && !key.starts_with("topic.") && !options.contains(&key) {
                    complain(format!("there is no option '{key}'"));
                }
            }
            for link in links(line) {
                let folder = root.join(&source.path);
                let folder = folder.parent().unwrap_or(root);
                if !folder.join(link).exists() {
                    complain(format!("the link '{link}' leads nowhere"));
                }
            }
        }
    }
    complaints
}

/// Words that name a file of the repository, in code spans or command lines.
fn paths(line: &str) -> impl Iterator<Item = &str> {
    const TOPS: &[&str] = &["scripts/", "tests/", "benches/", "docs/", ".ci/"];
    line.split(|c: char| c.is_whitespace() || "`()[]|\"',;:*…{}<>".contains(c))
        .map(|word| word.trim_start_matches("./").trim_end_matches('.'))
        .filter(|word| {
            TOPS.iter()
                .any(|top| word.starts_with(top) && *word != *top)
        })
}

/// The word that follows each appearance of `before`.
fn after<'a>(line: &'a str, before: &'a str) -> impl Iterator<Item = &'a str> {
    line.match_indices(before).filter_map(move |(at, _)| {
        line[at + before.len()..]
            .split(|c: char| c.is_whitespace() || "`|)…,;".contains(c))
            .next()
            .filter(|word| !word.is_empty())
    })
}

/// Relative targets of Markdown links, without their anchors.
fn links(line: &str) -> impl Iterator<Item = &str> {
    line.match_indices("](").filter_map(|(at, _)| {
        let rest = &line[at + 2..];
        let target = rest[..rest.find(')')?].split('#').next()?;
        let outside = target.contains("://") || target.is_empty();
        (!outside).then_some(target)
    })
}

/// Every `precursor …` command of a document's code blocks, as its words after `precursor`.
pub fn precursor_commands(text: &str) -> Vec<Vec<String>> {
    let mut inside = false;
    let mut found = Vec::new();
    for line in text.lines() {
        if line.starts_with("```") {
            inside = !inside;
            continue;
        }
        for piece in line.split('|').filter(|_| inside) {
            let mut words = piece.split_whitespace();
            let program = words.find(|word| *word != "$" && *word != "sudo");
            if program.is_some_and(|word| word == "precursor" || word.ends_with("/precursor")) {
                let words = words.take_while(|word| !word.starts_with('#'));
                found.push(words.map(str::to_owned).collect());
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_exist_is_named() {
        let text = "`scripts/none` and `scripts/test`\n`cargo xtask dance`\n\
                    `--set node.idd=3 --set node.id=3`\n[gone](nowhere.md)\n";
        let source = Source {
            path: "docs/x.md".to_owned(),
            text: text.to_owned(),
        };
        let found = broken(&crate::root(), &[source]);
        let sentences: Vec<&str> = found.iter().map(|c| c.sentence.as_str()).collect();
        assert_eq!(
            sentences,
            [
                "'scripts/none' does not exist",
                "there is no 'cargo xtask dance'",
                "there is no option 'node.idd'",
                "the link 'nowhere.md' leads nowhere"
            ]
        );
    }

    #[test]
    fn commands_are_read_from_code_blocks_alone() {
        let text = "precursor outside\n```sh\n$ precursor topic create logs --partitions 3\n\
                    echo hi | target/release/precursor produce logs  # a comment\n```\n";
        let found = precursor_commands(text);
        assert_eq!(found.len(), 2);
        assert_eq!(found[0], ["topic", "create", "logs", "--partitions", "3"]);
        assert_eq!(found[1], ["produce", "logs"]);
    }
}

//! The house rules, each a test over the repository as it lies.
#![forbid(unsafe_code)]

use precursor_tests_tidy::edges::Workspace;
use precursor_tests_tidy::{Complaint, commands, documents, root, sources};

fn none(rule: &str, complaints: &[Complaint]) {
    let lines: Vec<String> = complaints.iter().map(Complaint::to_string).collect();
    assert!(lines.is_empty(), "{rule}:\n  {}", lines.join("\n  "));
}

#[test]
fn dependencies_point_one_way() {
    let workspace = Workspace::read(&root());
    none("edges between crates", &workspace.forbidden_edges());
}

#[test]
fn async_stays_in_the_control_plane() {
    let workspace = Workspace::read(&root());
    none(
        "tokio and its like",
        &workspace.async_outside_the_control_plane(),
    );
}

#[test]
fn unsafe_code_has_addresses() {
    let workspace = Workspace::read(&root());
    none("unsafe code", &workspace.unsafe_without_an_address());
}

#[test]
fn nothing_is_left_unfinished_and_no_registry_host_is_named() {
    none("leftovers", &sources::leftovers(&sources::sources(&root())));
}

#[test]
fn files_and_functions_stay_readable() {
    let long = sources::long(&sources::sources(&root()));
    for item in &long {
        println!(
            "{}: {} lines (style: {} a file, {} a function)",
            item.place,
            item.lines,
            sources::FILE_LINES_STYLE,
            sources::FUNCTION_LINES_STYLE
        );
    }
    let refused: Vec<&str> = long
        .iter()
        .filter(|item| item.refused)
        .map(|item| item.place.as_str())
        .collect();
    assert!(refused.is_empty(), "far too long, split them: {refused:?}");
}

#[test]
fn examples_in_the_documentation_are_run() {
    let unrun = sources::examples_that_nobody_runs(&sources::sources(&root()));
    none("examples in the documentation", &unrun);
}

#[test]
fn what_the_documents_name_exists() {
    let root = root();
    none(
        "documents",
        &commands::broken(&root, &sources::sources(&root)),
    );
}

#[test]
fn generated_documents_are_fresh() {
    none("generated documents", &documents::stale(&root()));
}

#[test]
fn decisions_are_dated_and_short() {
    let mut complaints = Vec::new();
    for source in sources::sources(&root()) {
        let Some(name) = source.path.strip_prefix("docs/decisions/") else {
            continue;
        };
        let date = name.get(..11).unwrap_or_default();
        let dated = date
            .chars()
            .zip("dddd-dd-dd-".chars())
            .filter(|(c, shape)| match shape {
                'd' => c.is_ascii_digit(),
                other => c == other,
            });
        if dated.count() != 11 || !name.ends_with(".md") {
            complaints.push(Complaint::new(
                &source.path,
                "is not named YYYY-MM-DD-title.md",
            ));
        }
        if !(5..=60).contains(&source.text.lines().count()) {
            complaints.push(Complaint::new(
                &source.path,
                "a decision has ten to forty lines",
            ));
        }
    }
    none("decisions", &complaints);
}

#[test]
fn continuous_integration_calls_the_readme_test_command() {
    let text = std::fs::read_to_string(root().join(".ci/run")).expect(".ci/run");
    let commands: Vec<&str> = text
        .lines()
        .filter(|line| !line.starts_with('#') && !line.trim().is_empty())
        .collect();
    assert_eq!(commands, ["exec scripts/test"]);
}

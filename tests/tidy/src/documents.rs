//! Documents that are made from tables in the code.

use std::fmt::Write;
use std::path::Path;

use precursor_protocol::api::{AnsweredBy, SERVED};

use crate::Complaint;

/// What is otherwise than in Kafka, by request.
const DIFFERENCES: &str = "docs/differences.md";

/// Path from the root and content of each generated document.
pub fn documents(root: &Path) -> Vec<(&'static str, String)> {
    let differences = std::fs::read_to_string(root.join(DIFFERENCES)).unwrap_or_default();
    vec![
        (
            "docs/configuration.md",
            precursor_config::reference_markdown(),
        ),
        ("docs/protocol.md", protocol_matrix(&differences)),
    ]
}

/// Which Kafka requests are served, in which versions, and by which process, and how many rows of
/// the document of differences (its text) each has.
pub fn protocol_matrix(differences: &str) -> String {
    let mut out = String::from(
        "# Kafka requests that are served\n\n\
         Generated from `precursor_protocol::api::SERVED`, the list that dispatch and ApiVersions \
         use. A request in a version that is not taken ends its connection, as in Kafka; ApiVersions \
         alone is answered, with UNSUPPORTED_VERSION and the ranges (KIP-511).\n\n\
         | key | request | versions taken | advertised | answered by | known differences |\n\
         |---|---|---|---|---|---|\n",
    );
    for served in SERVED {
        let by = match served.answered_by {
            AnsweredBy::DataPlane => "data plane",
            AnsweredBy::ControlPlane => "control plane",
        };
        let row = format!("| {:?} |", served.key);
        let known = match differences.lines().filter(|l| l.starts_with(&row)).count() {
            0 => String::new(),
            count => format!(" [{count}](differences.md#answers)"),
        };
        // Writing to a String cannot fail.
        let _ = writeln!(
            out,
            "| {} | {:?} | {}–{} | {}–{} | {by} |{known} |",
            served.key.code(),
            served.key,
            served.version_min,
            served.version_max,
            served.version_min_advertised,
            served.version_max,
        );
    }
    out
}

/// Generated documents that differ from what the code says now.
pub fn stale(root: &Path) -> Vec<Complaint> {
    documents(root)
        .into_iter()
        .filter(|(path, text)| std::fs::read_to_string(root.join(path)).ok().as_ref() != Some(text))
        .map(|(path, _)| Complaint::new(path, "is stale; run 'cargo xtask generate'"))
        .collect()
}

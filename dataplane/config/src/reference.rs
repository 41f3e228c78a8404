//! The table as a document.

use std::fmt::Write;

use precursor_model::TOPIC_OPTIONS;

use crate::load::{TOPIC_PREFIX, variable_of_option};
use crate::options::OPTIONS;

/// Every option as a Markdown document, for `docs/configuration.md`.
pub fn reference_markdown() -> String {
    let mut out = String::from(
        "# Configuration\n\n\
         Generated from the table in `dataplane/config`. A value is looked up in this order, later \
         ones win: the default, the configuration file (TOML; `node.id = 2` and `[node]` with \
         `id = 2` mean the same), the environment, `--set key=value`.\n\n\
         | option | default | takes | environment | |\n|---|---|---|---|---|\n",
    );
    let mut row = |name: &str, default: &str, accepts: &str, doc: &str| {
        let default = if default.is_empty() { "''" } else { default };
        let variable = variable_of_option(name);
        // Writing to a String cannot fail.
        let _ = writeln!(
            out,
            "| `{name}` | `{default}` | {accepts} | `{variable}` | {doc} |"
        );
    };
    for option in OPTIONS {
        row(option.name, option.default, option.accepts, option.doc);
    }
    for option in TOPIC_OPTIONS {
        let name = format!("{TOPIC_PREFIX}{}", option.name);
        row(&name, option.default, option.accepts, option.doc);
    }
    out
}

//! The table as a document.

use std::fmt::Write;

use crate::options::Unit;
use crate::setting::{Setting, Target, settings};

/// Every option as a Markdown document, for `docs/configuration.md`.
pub fn reference_markdown() -> String {
    let mut out = String::from(
        "# Configuration\n\n\
         Generated from the tables in `dataplane/config` and `dataplane/model`. A value is looked up in this \
         order, later ones win: the default, the configuration file (TOML; `node.id = 2` and `[node]` with \
         `id = 2` mean the same), the environment, `--set key=value`, what was set for the whole cluster while it \
         runs, what was set for the node while it runs.\n\n\
         Options that change *at once* are set while the node runs: with `precursor config set`, with Kafka's own \
         tools (`kafka-configs --entity-type brokers`, with or without `--entity-name`), or any Kafka client's \
         IncrementalAlterConfigs. They are kept in the cluster's metadata. The others need a restart.\n\n\
         The environment's name of an option is its name in capitals with `_` for `.` after `PRECURSOR_`: \
         `PRECURSOR_NODE_ID`.\n\n\
         ## Options of the node\n\n\
         | option | type | unit | default | takes | changes | |\n|---|---|---|---|---|---|---|\n",
    );
    let node = |setting: &&Setting| matches!(setting.target, Target::Node(_));
    for setting in settings().iter().filter(node) {
        row(&mut out, setting);
    }
    out.push_str(
        "\n## Defaults of topics\n\n\
         What a topic has where it does not set the option itself, under Kafka's name where Kafka has one. A topic \
         sets it by the name in the first column. Where one source sets an option by several names, the first of \
         them counts.\n\n\
         | topic option | node's default | type | default | takes | |\n|---|---|---|---|---|---|\n",
    );
    for setting in settings().iter().filter(|setting| setting.primary) {
        if let Target::Topic(option) = setting.target {
            let mut names: Vec<&Setting> = settings()
                .iter()
                .filter(|other| other.same_option(setting))
                .collect();
            names.sort_by_key(|name| name.precedence);
            let names: Vec<String> = names.iter().map(|n| format!("`{}`", n.name)).collect();
            // Writing to a String cannot fail.
            let _ = writeln!(
                out,
                "| `{}` | {} | {} | `{}` | {} | {} |",
                option.name,
                names.join(", "),
                option.kind.name(),
                shown(option.default),
                option.accepts,
                option.doc
            );
        }
    }
    out
}

fn row(out: &mut String, setting: &Setting) {
    let Target::Node(option) = setting.target else {
        return;
    };
    let changes = if option.restart { "restart" } else { "at once" };
    let unit = match option.unit {
        Unit::None => "",
        Unit::Bytes => "bytes",
        Unit::Milliseconds => "ms",
        Unit::Microseconds => "µs",
        Unit::Count => "count",
    };
    let _ = writeln!(
        out,
        "| `{}` | {} | {unit} | `{}` | {} | {changes} | {} |",
        option.name,
        option.kind.name(),
        shown(option.default),
        option.accepts,
        option.doc
    );
}

fn shown(default: &str) -> &str {
    if default.is_empty() { "''" } else { default }
}

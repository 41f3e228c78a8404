//! Standard output: text for people, JSON for scripts, tables and colours only on a terminal.

use std::io::{IsTerminal, Write};

use comfy_table::presets::{NOTHING, UTF8_FULL_CONDENSED};
use comfy_table::{Attribute, Cell, Table};
use serde_json::Value;

use crate::failure::Failure;

/// The form of a command's output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum OutputFormat {
    Text,
    Json,
}

/// Standard output of one command.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    pub format: OutputFormat,
    terminal: bool,
}

impl Output {
    pub fn new(format: OutputFormat) -> Output {
        Output {
            format,
            terminal: std::io::stdout().is_terminal(),
        }
    }

    pub fn json(&self) -> bool {
        self.format == OutputFormat::Json
    }

    /// Writes a line of text.
    ///
    /// # Errors
    /// Standard output is closed.
    pub fn line(&self, text: &str) -> Result<(), Failure> {
        let mut out = std::io::stdout().lock();
        writeln!(out, "{text}")
            .and_then(|()| out.flush())
            .map_err(Failure::from_output)
    }

    /// Writes a value as one line of JSON.
    ///
    /// # Errors
    /// Standard output is closed.
    pub fn value(&self, value: &Value) -> Result<(), Failure> {
        self.line(&value.to_string())
    }

    /// Writes rows: framed on a terminal, in bare columns elsewhere.
    ///
    /// # Errors
    /// Standard output is closed.
    pub fn table(&self, header: &[&str], rows: &[Vec<String>]) -> Result<(), Failure> {
        let mut table = Table::new();
        if self.terminal {
            table.load_style(UTF8_FULL_CONDENSED);
            let bold = |name: &&str| Cell::new(name).add_attribute(Attribute::Bold);
            table.set_header(header.iter().map(bold));
        } else {
            table.load_style(NOTHING);
            table.set_header(header);
        }
        for row in rows {
            table.add_row(row);
        }
        let text = table.to_string();
        let lines = text.lines().map(|line| {
            // Bare columns still have the frame's padding on their left.
            let line = if self.terminal {
                line
            } else {
                line.strip_prefix(' ').unwrap_or(line)
            };
            line.trim_end()
        });
        let lines: Vec<&str> = lines.collect();
        self.line(&lines.join("\n"))
    }
}

//! Standard output: text for people, JSON for scripts, tables and colours only on a terminal.

use std::io::{IsTerminal, Write};

use comfy_table::presets::{NOTHING, UTF8_FULL_CONDENSED};
use comfy_table::{Attribute, Cell, Color, ContentArrangement, Table};
use serde_json::Value;

use crate::failure::Failure;

/// The form of a command's output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum OutputFormat {
    Text,
    Json,
}

/// What a field of a table means to its reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Plain,
    Good,
    Doubtful,
    Bad,
}

/// A field of a table.
#[derive(Clone, Debug)]
pub struct Field {
    pub text: String,
    pub tone: Tone,
}

impl Field {
    pub fn toned(text: impl Into<String>, tone: Tone) -> Field {
        Field {
            text: text.into(),
            tone,
        }
    }
}

impl<T: ToString> From<T> for Field {
    fn from(text: T) -> Field {
        Field::toned(text.to_string(), Tone::Plain)
    }
}

/// Standard output of one command.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    pub format: OutputFormat,
    terminal: bool,
    colours: bool,
}

impl Output {
    pub fn new(format: OutputFormat) -> Output {
        let terminal = std::io::stdout().is_terminal();
        Output {
            format,
            terminal,
            colours: terminal && colours_are_wanted(),
        }
    }

    pub fn json(&self) -> bool {
        self.format == OutputFormat::Json
    }

    /// Whether somebody watches.
    pub fn terminal(&self) -> bool {
        self.terminal
    }

    /// Whether text may be coloured.
    pub fn colours(&self) -> bool {
        self.colours
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

    /// Writes rows: framed on a terminal and fitted to its width, in bare columns elsewhere.
    ///
    /// # Errors
    /// Standard output is closed.
    pub fn table<F>(&self, header: &[&str], rows: &[Vec<F>]) -> Result<(), Failure>
    where
        F: Clone + Into<Field>,
    {
        let mut table = Table::new();
        if self.terminal {
            table.load_style(UTF8_FULL_CONDENSED);
            table.set_content_arrangement(ContentArrangement::Dynamic);
        } else {
            table.load_style(NOTHING);
        }
        table.set_header(header.iter().map(|name| match self.colours {
            true => Cell::new(name).add_attribute(Attribute::Bold),
            false => Cell::new(name),
        }));
        for row in rows {
            table.add_row(row.iter().map(|field| self.cell(field.clone().into())));
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

    fn cell(&self, field: Field) -> Cell {
        let cell = Cell::new(field.text);
        match field.tone {
            _ if !self.colours => cell,
            Tone::Plain => cell,
            Tone::Good => cell.fg(Color::Green),
            Tone::Doubtful => cell.fg(Color::Yellow),
            Tone::Bad => cell.fg(Color::Red),
        }
    }
}

/// Whether the user's environment allows colours (<https://no-color.org>).
fn colours_are_wanted() -> bool {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    !refused && !dumb
}

/// A word on standard error that should be noticed.
pub fn alarm(word: &str) -> String {
    if std::io::stderr().is_terminal() && colours_are_wanted() {
        format!("\x1b[1;31m{word}\x1b[0m")
    } else {
        word.to_owned()
    }
}

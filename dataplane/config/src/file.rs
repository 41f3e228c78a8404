//! The configuration file: TOML, flattened to dotted names.

use std::borrow::Cow;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::error::{ConfigError, Source};

/// One setting of the file.
#[derive(Debug)]
pub(crate) struct Entry {
    pub name: String,
    pub value: String,
    pub source: Source,
}

/// Reads a file's settings in their order of appearance.
///
/// # Errors
/// The file cannot be read, is not TOML, holds something other than a scalar or a list of scalars,
/// or sets an option twice.
pub(crate) fn read_file(path: &Path) -> Result<Vec<Entry>, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|error| ConfigError::Unreadable {
        path: path.to_owned(),
        error,
    })?;
    let text = quote_dotted_keys(&text);
    let reader = Reader { path, text: &text };
    let table = DeTable::parse(&text).map_err(|error| ConfigError::Syntax {
        source: reader.source(error.span().map_or(0, |span| span.start)),
        message: error.message().trim().replace('\n', ", "),
    })?;
    let mut entries = Vec::new();
    reader.flatten("", table.get_ref(), &mut entries)?;
    // The parser's tables are sorted by name; messages should come in the order of the file.
    entries.sort_by_key(|(position, _)| *position);
    let entries: Vec<Entry> = entries.into_iter().map(|(_, entry)| entry).collect();
    for (index, entry) in entries.iter().enumerate() {
        if entries[..index]
            .iter()
            .any(|earlier| earlier.name == entry.name)
        {
            return Err(ConfigError::SetTwice {
                source: entry.source.clone(),
                name: entry.name.clone(),
            });
        }
    }
    Ok(entries)
}

struct Reader<'a> {
    path: &'a Path,
    text: &'a str,
}

impl Reader<'_> {
    fn source(&self, position: usize) -> Source {
        let before = &self.text.as_bytes()[..position.min(self.text.len())];
        Source::File {
            path: self.path.to_owned(),
            line: 1 + before.iter().filter(|byte| **byte == b'\n').count(),
        }
    }

    fn flatten(
        &self,
        prefix: &str,
        table: &DeTable<'_>,
        entries: &mut Vec<(usize, Entry)>,
    ) -> Result<(), ConfigError> {
        for (key, value) in table {
            let name = match prefix {
                "" => key.get_ref().to_string(),
                prefix => format!("{prefix}.{}", key.get_ref()),
            };
            if let DeValue::Table(inner) = value.get_ref() {
                self.flatten(&name, inner, entries)?;
                continue;
            }
            let position = key.span().start;
            let source = self.source(position);
            let Some(text) = text_of(value) else {
                return Err(ConfigError::BadValue {
                    source,
                    name,
                    value: self.text[value.span()].to_owned(),
                    accepts: "a string, an integer, true, false or a list of these".to_owned(),
                });
            };
            let value = text.into_owned();
            let entry = Entry {
                name,
                value,
                source,
            };
            entries.push((position, entry));
        }
        Ok(())
    }
}

/// A scalar as the table's parsers read it; a list is joined by commas.
fn text_of<'a>(value: &'a Spanned<DeValue<'_>>) -> Option<Cow<'a, str>> {
    match value.get_ref() {
        DeValue::String(text) => Some(Cow::Borrowed(text)),
        DeValue::Boolean(true) => Some(Cow::Borrowed("true")),
        DeValue::Boolean(false) => Some(Cow::Borrowed("false")),
        DeValue::Integer(number) => {
            let number = i128::from_str_radix(number.as_str(), number.radix()).ok()?;
            Some(Cow::Owned(number.to_string()))
        }
        DeValue::Array(items) => {
            let items: Option<Vec<_>> = items.iter().map(text_of).collect();
            Some(Cow::Owned(items?.join(",")))
        }
        _ => None,
    }
}

/// Quotes bare dotted keys, so that `connections.max` and `connections.max.idle.ms` may stand in one
/// file: to TOML the first makes `max` a number and the second a table, but these are Kafka's names.
fn quote_dotted_keys(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 256);
    for line in text.split_inclusive('\n') {
        let indent = line.len() - line.trim_start().len();
        let (blank, rest) = line.split_at(indent);
        let bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        let length = rest.find(|c| !bare(c)).unwrap_or(rest.len());
        let (key, after) = rest.split_at(length);
        if key.contains('.') && after.trim_start().starts_with('=') {
            out.extend([blank, "\"", key, "\"", after]);
        } else {
            out.push_str(line);
        }
    }
    out
}

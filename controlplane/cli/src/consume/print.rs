//! A record as a line.

use std::io::{self, Write};

use precursor_protocol::records::Record;
use serde_json::{Value, json};

use super::ConsumeArguments;
use crate::bytes;

/// A record and where it stands.
pub struct Placed<'a> {
    pub topic: &'a str,
    pub partition: i32,
    pub offset: i64,
    /// Milliseconds since 1970.
    pub timestamp: i64,
    pub record: Record<'a>,
}

/// What a line shows.
#[derive(Clone, Debug)]
pub struct Layout {
    json: bool,
    timestamps: bool,
    offsets: bool,
    headers: bool,
    /// What stands between key and value, where keys are shown.
    key_separator: Option<String>,
    separator: String,
    null: String,
}

impl Layout {
    pub fn new(arguments: &ConsumeArguments, json: bool) -> Layout {
        let keys = arguments.keys.then(|| arguments.separator.clone());
        Layout {
            json,
            timestamps: arguments.timestamps,
            offsets: arguments.offsets,
            headers: arguments.headers,
            key_separator: arguments.key_separator.clone().or(keys),
            separator: arguments.separator.clone(),
            null: arguments.null.clone(),
        }
    }

    /// Writes a record's line: columns that were asked for, then the value, byte by byte.
    ///
    /// # Errors
    /// The output is closed.
    pub fn write(&self, out: &mut impl Write, placed: &Placed<'_>) -> io::Result<()> {
        if self.json {
            return writeln!(out, "{}", to_json(placed));
        }
        let separator = &self.separator;
        if self.timestamps {
            write!(out, "{}{separator}", placed.timestamp)?;
        }
        if self.offsets {
            write!(out, "{}:{}{separator}", placed.partition, placed.offset)?;
        }
        if self.headers {
            self.write_headers(out, placed)?;
            write!(out, "{separator}")?;
        }
        if let Some(separator) = &self.key_separator {
            out.write_all(self.bytes_or_null(placed.record.key))?;
            write!(out, "{separator}")?;
        }
        out.write_all(self.bytes_or_null(placed.record.value))?;
        out.write_all(b"\n")
    }

    fn write_headers(&self, out: &mut impl Write, placed: &Placed<'_>) -> io::Result<()> {
        for (index, header) in placed.record.headers.enumerate() {
            if index > 0 {
                write!(out, ",")?;
            }
            write!(out, "{}=", header.key)?;
            out.write_all(self.bytes_or_null(header.value))?;
        }
        Ok(())
    }

    fn bytes_or_null<'a>(&'a self, bytes: Option<&'a [u8]>) -> &'a [u8] {
        bytes.unwrap_or(self.null.as_bytes())
    }
}

fn to_json(placed: &Placed<'_>) -> Value {
    let mut value = json!({
        "topic": placed.topic,
        "partition": placed.partition,
        "offset": placed.offset,
        "timestamp": placed.timestamp,
    });
    bytes::put(&mut value, "key", placed.record.key);
    bytes::put(&mut value, "value", placed.record.value);
    let headers = placed.record.headers.map(|header| {
        let mut entry = json!({ "key": header.key });
        bytes::put(&mut entry, "value", header.value);
        entry
    });
    value["headers"] = headers.collect();
    value
}

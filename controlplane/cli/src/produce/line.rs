//! A line becomes a record: text, perhaps with a key before its value, or an object of JSON as
//! `precursor consume --output json` prints it.

use serde_json::Value;

use crate::bytes;

/// How lines are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum LineFormat {
    /// A line is a value, or a key and a value with --key-separator
    Text,
    /// A line is what 'consume --output json' prints: key, value, headers, timestamp
    Json,
}

/// A record before it has a place.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct NewRecord {
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
    pub headers: Vec<(String, Option<Vec<u8>>)>,
    /// Milliseconds since 1970; now where it is left out.
    pub timestamp: Option<i64>,
}

/// What the command line says of lines.
#[derive(Clone, Copy, Debug)]
pub struct LineRules<'a> {
    pub format: LineFormat,
    pub key_separator: Option<&'a str>,
    /// A key or value that is exactly this text is none.
    pub null: Option<&'a str>,
}

impl LineRules<'_> {
    /// Reads one line.
    ///
    /// # Errors
    /// JSON that is no record, in a sentence.
    pub fn read(&self, line: &[u8]) -> Result<NewRecord, String> {
        match self.format {
            LineFormat::Json => from_json(line),
            LineFormat::Text => {
                let (key, value) = split_key(line, self.key_separator);
                Ok(NewRecord {
                    key: key.filter(|key| !self.is_null(key)).map(<[u8]>::to_vec),
                    value: (!self.is_null(value)).then(|| value.to_vec()),
                    ..NewRecord::default()
                })
            }
        }
    }

    fn is_null(&self, text: &[u8]) -> bool {
        self.null.is_some_and(|null| null.as_bytes() == text)
    }
}

fn from_json(line: &[u8]) -> Result<NewRecord, String> {
    let object: Value = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    if !object.is_object() {
        return Err("it is no object".to_owned());
    }
    let mut headers = Vec::new();
    for header in object["headers"].as_array().into_iter().flatten() {
        let key = header["key"].as_str();
        let key = key.ok_or("a header needs a 'key' of text")?;
        headers.push((key.to_owned(), bytes::take(header, "value")?));
    }
    if !(object["headers"].is_array() || object["headers"].is_null()) {
        return Err("'headers' must be a list of objects with key and value".to_owned());
    }
    let timestamp = match &object["timestamp"] {
        Value::Null => None,
        stated => Some(stated.as_i64().ok_or("'timestamp' must be milliseconds")?),
    };
    Ok(NewRecord {
        key: bytes::take(&object, "key")?,
        value: bytes::take(&object, "value")?,
        headers,
        timestamp: timestamp.filter(|timestamp| *timestamp >= 0),
    })
}

/// Key and value of a line; a line without the separator has no key.
fn split_key<'l>(line: &'l [u8], separator: Option<&str>) -> (Option<&'l [u8]>, &'l [u8]) {
    let Some(separator) = separator.map(str::as_bytes).filter(|s| !s.is_empty()) else {
        return (None, line);
    };
    let at = line
        .windows(separator.len())
        .position(|window| window == separator);
    match at {
        Some(at) => (Some(&line[..at]), &line[at + separator.len()..]),
        None => (None, line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_split_at_the_first_separator() {
        let key = |text: &'static str| Some(text.as_bytes());
        assert_eq!(split_key(b"a:b:c", Some(":")), (key("a"), &b"b:c"[..]));
        assert_eq!(split_key(b"a=>b", Some("=>")), (key("a"), &b"b"[..]));
        assert_eq!(split_key(b"abc", Some(":")), (None, &b"abc"[..]));
        assert_eq!(split_key(b":x", Some(":")), (key(""), &b"x"[..]));
        assert_eq!(split_key(b"a:b", None), (None, &b"a:b"[..]));
        assert_eq!(split_key(b"a:b", Some("")), (None, &b"a:b"[..]));
    }

    #[test]
    fn null_is_told_from_empty() {
        let rules = LineRules {
            format: LineFormat::Text,
            key_separator: Some("\t"),
            null: Some("NULL"),
        };
        let read = |line: &str| {
            let record = rules.read(line.as_bytes()).unwrap();
            let text =
                |bytes: Option<Vec<u8>>| bytes.map(|bytes| String::from_utf8(bytes).unwrap());
            (text(record.key), text(record.value))
        };
        assert_eq!(read("k\tNULL"), (Some("k".to_owned()), None));
        assert_eq!(read("NULL\tv"), (None, Some("v".to_owned())));
        assert_eq!(read("k\t"), (Some("k".to_owned()), Some(String::new())));
        assert_eq!(read("NULLS"), (None, Some("NULLS".to_owned())));
    }

    #[test]
    fn json_carries_everything() {
        let rules = LineRules {
            format: LineFormat::Json,
            key_separator: None,
            null: None,
        };
        let line = r#"{"topic":"t","offset":3,"timestamp":17,"key":null,"value_hex":"ff00",
            "headers":[{"key":"a","value":"1"},{"key":"b","value":null}]}"#;
        let record = rules.read(line.as_bytes()).unwrap();
        let expected = NewRecord {
            key: None,
            value: Some(vec![0xff, 0]),
            headers: vec![
                ("a".to_owned(), Some(b"1".to_vec())),
                ("b".to_owned(), None),
            ],
            timestamp: Some(17),
        };
        assert_eq!(record, expected);
        for bad in [
            "",
            "3",
            "{\"value\":3}",
            "{\"headers\":{}}",
            "{\"headers\":[{}]}",
            "{\"timestamp\":\"now\"}",
        ] {
            assert!(rules.read(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}

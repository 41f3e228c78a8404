//! The schema notation: what a message's fields are, in which versions.
//!
//! A file holds the messages of one API. A message is a heading and its fields, one a line:
//! ```text
//! ## FetchRequest (request, key 1) versions 4-18 flexible 12+ [view]
//!   Name: type [versions] [null versions] [tag N @versions] [= default] [ign] [key]
//!   struct Shared
//!     Field: type
//! ```
//! `[]T` is an array; a type that is no primitive is a struct, whose fields follow indented or in a
//! `struct` section of the message. `ign`: dropped, not an error, where the version lacks it.
//! `view`: a borrowed view is generated besides the owned struct.

use std::fmt;

/// A closed range of versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Versions {
    pub low: i16,
    pub high: i16,
}

impl Versions {
    pub const ALL: Versions = Versions {
        low: 0,
        high: i16::MAX,
    };
    pub const NONE: Versions = Versions { low: 1, high: 0 };

    pub fn intersect(self, other: Versions) -> Versions {
        Versions {
            low: self.low.max(other.low),
            high: self.high.min(other.high),
        }
    }

    /// The smallest range that holds both.
    pub fn hull(self, other: Versions) -> Versions {
        if self.is_empty() {
            return other;
        }
        if other.is_empty() {
            return self;
        }
        Versions {
            low: self.low.min(other.low),
            high: self.high.max(other.high),
        }
    }

    pub fn is_empty(self) -> bool {
        self.low > self.high
    }

    fn parse(text: &str) -> Option<Versions> {
        if text == "none" {
            return Some(Versions::NONE);
        }
        if let Some(low) = text.strip_suffix('+') {
            let low = low.parse().ok()?;
            return Some(Versions { low, ..Self::ALL });
        }
        let (low, high) = text.split_once('-').unwrap_or((text, text));
        Some(Versions {
            low: low.parse().ok()?,
            high: high.parse().ok()?,
        })
    }
}

impl fmt::Display for Versions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.high == i16::MAX {
            write!(f, "{}+", self.low)
        } else if self.low == self.high {
            write!(f, "{}", self.low)
        } else {
            write!(f, "{}-{}", self.low, self.high)
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    Bool,
    Int8,
    Int16,
    Uint16,
    Int32,
    Int64,
    Float64,
    Uuid,
    String,
    Bytes,
    Records,
    Struct(String),
    Array(Box<Type>),
}

#[derive(Clone, Debug)]
pub struct Field {
    /// As in the schema, for instance `ThrottleTimeMs`.
    pub name: String,
    pub kind: Type,
    pub versions: Versions,
    pub null: Versions,
    pub tag: Option<u32>,
    pub default: Option<String>,
    pub ignorable: bool,
}

#[derive(Clone, Debug)]
pub struct Struct {
    pub name: String,
    pub fields: Vec<Field>,
    /// Versions of the message in which this struct can occur.
    pub versions: Versions,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Request,
    Response,
}

#[derive(Clone, Debug)]
pub struct Message {
    pub name: String,
    pub direction: Direction,
    pub key: i16,
    pub versions: Versions,
    /// The first flexible version, `i16::MAX` for none.
    pub flexible_from: i16,
    pub view: bool,
    /// The message itself first, then the structs in it in order of appearance.
    pub structs: Vec<Struct>,
}

impl Message {
    pub fn root(&self) -> &Struct {
        &self.structs[0]
    }

    pub fn find(&self, name: &str) -> &Struct {
        self.structs
            .iter()
            .find(|s| s.name == name)
            .unwrap_or_else(|| panic!("{}: no struct {name}", self.name))
    }

    /// The API's name: the message's without `Request` or `Response`.
    pub fn api(&self) -> &str {
        self.name
            .strip_suffix("Request")
            .or_else(|| self.name.strip_suffix("Response"))
            .unwrap_or(&self.name)
    }
}

/// A line that is not in the notation.
#[derive(Debug)]
pub struct SchemaError {
    pub line: String,
    pub reason: String,
}

impl fmt::Display for SchemaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: '{}'", self.reason, self.line)
    }
}

impl std::error::Error for SchemaError {}

fn error(line: &str, reason: &str) -> SchemaError {
    SchemaError {
        line: line.to_owned(),
        reason: reason.to_owned(),
    }
}

/// Reads a schema file.
pub fn parse(text: &str) -> Result<Vec<Message>, SchemaError> {
    let mut messages: Vec<Message> = Vec::new();
    // The structs that are open, with the indent of their fields.
    let mut open: Vec<(usize, usize)> = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        if let Some(heading) = line.strip_prefix("## ") {
            messages.push(parse_heading(heading).ok_or_else(|| error(line, "bad heading"))?);
            open = vec![(0, 2)];
            continue;
        }
        let message = messages
            .last_mut()
            .ok_or_else(|| error(line, "a field before any heading"))?;
        let indent = line.len() - line.trim_start().len();
        let content = line.trim();
        if let Some(definition) = content.strip_prefix("struct ") {
            let name = definition.split(' ').next().unwrap_or(definition);
            open = vec![(add_struct(message, name), indent + 2)];
            continue;
        }
        open.retain(|(_, fields_at)| *fields_at <= indent);
        let Some((owner, fields_at)) = open.last().copied() else {
            return Err(error(line, "a field of no struct"));
        };
        if fields_at != indent {
            return Err(error(line, "bad indent"));
        }
        let field = parse_field(content).ok_or_else(|| error(line, "bad field"))?;
        if let Some(name) = struct_name(&field.kind) {
            let name = name.to_owned();
            let index = add_struct(message, &name);
            open.push((index, indent + 2));
        }
        message.structs[owner].fields.push(field);
    }
    for message in &mut messages {
        settle(message)?;
    }
    Ok(messages)
}

/// The struct that a type is or is an array of.
pub fn struct_name(kind: &Type) -> Option<&str> {
    match kind {
        Type::Struct(name) => Some(name),
        Type::Array(element) => struct_name(element),
        _ => None,
    }
}

fn add_struct(message: &mut Message, name: &str) -> usize {
    if let Some(index) = message.structs.iter().position(|s| s.name == name) {
        return index;
    }
    message.structs.push(Struct {
        name: name.to_owned(),
        fields: Vec::new(),
        versions: Versions::NONE,
    });
    message.structs.len() - 1
}

/// Finds the versions in which each struct occurs, and cuts the fields' versions to them.
fn settle(message: &mut Message) -> Result<(), SchemaError> {
    visit(message, 0, message.versions);
    for s in &mut message.structs {
        if s.fields.is_empty() && s.versions.is_empty() {
            return Err(error(&s.name, "a struct that nothing uses"));
        }
        for field in &mut s.fields {
            field.versions = field.versions.intersect(s.versions);
            field.null = field.null.intersect(field.versions);
        }
    }
    Ok(())
}

fn visit(message: &mut Message, index: usize, versions: Versions) {
    let s = &mut message.structs[index];
    s.versions = s.versions.hull(versions);
    let inner: Vec<(String, Versions)> = s
        .fields
        .iter()
        .filter_map(|f| Some((struct_name(&f.kind)?.to_owned(), f.versions)))
        .collect();
    for (name, field_versions) in inner {
        let within = versions.intersect(field_versions);
        let index = add_struct(message, &name);
        if !within.is_empty() {
            visit(message, index, within);
        }
    }
}

fn parse_heading(heading: &str) -> Option<Message> {
    let (name, rest) = heading.split_once(" (")?;
    let (kind, rest) = rest.split_once(", key ")?;
    let (key, rest) = rest.split_once(") versions ")?;
    let (versions, rest) = rest.split_once(" flexible ")?;
    let mut words = rest.split(' ');
    let flexible = Versions::parse(words.next()?)?;
    let view = match words.next() {
        None => false,
        Some("view") => true,
        Some(_) => return None,
    };
    let versions = Versions::parse(versions)?;
    Some(Message {
        name: name.to_owned(),
        direction: match kind {
            "request" => Direction::Request,
            "response" => Direction::Response,
            _ => return None,
        },
        key: key.parse().ok()?,
        versions,
        flexible_from: if flexible.is_empty() {
            i16::MAX
        } else {
            flexible.low
        },
        view,
        structs: vec![Struct {
            name: name.to_owned(),
            fields: Vec::new(),
            versions,
        }],
    })
}

fn parse_field(content: &str) -> Option<Field> {
    let (name, rest) = content.split_once(": ")?;
    let mut words = rest.split(' ').peekable();
    let mut field = Field {
        name: name.to_owned(),
        kind: parse_type(words.next()?),
        versions: Versions::ALL,
        null: Versions::NONE,
        tag: None,
        default: None,
        ignorable: false,
    };
    if let Some(versions) = words.peek().and_then(|word| Versions::parse(word)) {
        field.versions = versions;
        words.next();
    }
    while let Some(word) = words.next() {
        match word {
            "null" => field.null = Versions::parse(words.next()?)?,
            "tag" => {
                field.tag = Some(words.next()?.parse().ok()?);
                let versions = Versions::parse(words.next()?.strip_prefix('@')?)?;
                field.versions = field.versions.intersect(versions);
            }
            "=" => field.default = Some(words.next()?.to_owned()),
            "ign" => field.ignorable = true,
            // Unique within the array; says nothing about the wire.
            "key" => {}
            _ => return None,
        }
    }
    Some(field)
}

fn parse_type(word: &str) -> Type {
    if let Some(element) = word.strip_prefix("[]") {
        return Type::Array(Box::new(parse_type(element)));
    }
    match word {
        "bool" => Type::Bool,
        "int8" => Type::Int8,
        "int16" => Type::Int16,
        "uint16" => Type::Uint16,
        "int32" => Type::Int32,
        "int64" => Type::Int64,
        "float64" => Type::Float64,
        "uuid" => Type::Uuid,
        "string" => Type::String,
        "bytes" => Type::Bytes,
        "records" => Type::Records,
        name => Type::Struct(name.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notation() {
        let text = "## XRequest (request, key 3) versions 1-5 flexible 4+ view\n  \
            A: []T 2+ null 3+ = null ign\n    B: string 2-4 = \"\"\n  C: int32 4+ tag 0 @4+ = -1 key\n";
        let messages = parse(text).unwrap();
        let message = &messages[0];
        assert_eq!((message.api(), message.key, message.view), ("X", 3, true));
        assert_eq!(message.flexible_from, 4);
        let a = &message.root().fields[0];
        assert_eq!(a.versions, Versions { low: 2, high: 5 });
        assert_eq!(a.null, Versions { low: 3, high: 5 });
        assert_eq!(a.default.as_deref(), Some("null"));
        assert!(a.ignorable);
        let b = &message.find("T").fields[0];
        assert_eq!(b.versions, Versions { low: 2, high: 4 });
        assert_eq!(message.root().fields[1].tag, Some(0));
    }

    #[test]
    fn bad_lines_are_named() {
        for bad in [
            "  A: int32",
            "## X (request, key 1) versions 1 flexible x",
            "## XRequest (request, key 1) versions 1 flexible 1+\n   A: int32",
            "## XRequest (request, key 1) versions 1 flexible 1+\n  A: int32 nul 1",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}

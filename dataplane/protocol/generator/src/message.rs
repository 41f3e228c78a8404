//! Owned messages: structs with defaults, reading and writing.

use crate::names::{
    condition, field_name, has_tags, null_condition, nullable, scalar, scalar_default,
    scalar_method, snake_case, uses_topic_id,
};
use crate::schema::{Direction, Field, Message, Struct, Type};
use std::fmt::Write;

/// The file of one message.
pub fn emit(message: &Message) -> String {
    let mut out = String::new();
    let _ = writeln!(
        out,
        "{}//! {}, API key {}.\n",
        crate::HEADING,
        message.name,
        message.key
    );
    let tags = message.structs.iter().any(|s| has_tags(message, s));
    let _ = writeln!(
        out,
        "use crate::api::ApiKey;
        use crate::error::{{DecodeError, EncodeError}};
        use crate::message::{{Message{}}};
        use crate::read::{{Read, Reader{}}};
        use crate::write::{{Write, Writer}};",
        if message.direction == Direction::Request {
            ", Request"
        } else {
            ""
        },
        if tags { ", TaggedField" } else { "" },
    );
    if uses_topic_id(message) {
        out.push_str("use precursor_model::TopicId;\n");
    }
    for s in &message.structs {
        struct_definition(&mut out, message, s);
        if !defaults_are_own(s) {
            default_impl(&mut out, message, s);
        }
        read_impl(&mut out, message, s);
        write_impl(&mut out, message, s);
    }
    entry_points(&mut out, message);
    out
}

/// A field's type.
pub fn owned_type(field: &Field) -> String {
    fn of(kind: &Type, name: &str) -> String {
        if let Some(scalar) = scalar(kind, name) {
            return scalar.to_owned();
        }
        match kind {
            Type::String => "String".to_owned(),
            Type::Bytes | Type::Records => "Vec<u8>".to_owned(),
            Type::Struct(name) => name.clone(),
            Type::Array(element) => format!("Vec<{}>", of(element, "")),
            _ => unreachable!("scalars are done"),
        }
    }
    let plain = of(&field.kind, &field.name);
    if nullable(field) {
        format!("Option<{plain}>")
    } else {
        plain
    }
}

/// A field's default as an expression, and whether it is what `Default` gives its type.
///
/// Unlike Kafka's own objects a field that can be null is null unless the schema names another
/// default: forgetting to fill it should not claim that something is there.
pub fn owned_default(field: &Field) -> (String, bool) {
    if nullable(field) {
        return match field.default.as_deref() {
            None | Some("null") => ("None".to_owned(), true),
            Some(other) => panic!("{}: a default {other} besides null", field.name),
        };
    }
    match &field.kind {
        Type::String => match field.default.as_deref() {
            None | Some("\"\"") => ("String::new()".to_owned(), true),
            Some(other) => panic!("{}: a string's default {other}", field.name),
        },
        Type::Bytes | Type::Records | Type::Array(_) => ("Vec::new()".to_owned(), true),
        Type::Struct(name) => (format!("{name}::default()"), true),
        _ => scalar_default(field),
    }
}

fn defaults_are_own(s: &Struct) -> bool {
    s.fields.iter().all(|field| owned_default(field).1)
}

fn struct_definition(out: &mut String, message: &Message, s: &Struct) {
    let default = if defaults_are_own(s) { ", Default" } else { "" };
    let doc = if s.name == message.name {
        format!("{}, versions {}.", s.name, s.versions)
    } else {
        format!("Part of [`{}`], versions {}.", message.name, s.versions)
    };
    let _ = writeln!(
        out,
        "\n/// {doc}\n#[derive(Clone, Debug, PartialEq{default})]\npub struct {} {{",
        s.name
    );
    for field in &s.fields {
        if let Some(doc) = field_doc(s, field) {
            let _ = writeln!(out, "/// {doc}");
        }
        let _ = writeln!(out, "pub {}: {},", field_name(field), owned_type(field));
    }
    if has_tags(message, s) {
        out.push_str("/// Tagged fields that we do not know, by rising tag.\n");
        out.push_str("pub unknown_tagged_fields: Vec<TaggedField>,\n");
    }
    out.push_str("}\n");
}

fn field_doc(s: &Struct, field: &Field) -> Option<String> {
    let versions = (field.versions != s.versions).then(|| format!("Versions {}.", field.versions));
    let tag = field.tag.map(|tag| format!("Tag {tag}."));
    let null = (nullable(field) && field.null != field.versions)
        .then(|| format!("May be null in versions {}.", field.null));
    let parts: Vec<String> = [versions, tag, null].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

fn default_impl(out: &mut String, message: &Message, s: &Struct) {
    let _ = writeln!(
        out,
        "\nimpl Default for {} {{ fn default() -> Self {{ Self {{",
        s.name
    );
    for field in &s.fields {
        let _ = writeln!(out, "{}: {},", field_name(field), owned_default(field).0);
    }
    if has_tags(message, s) {
        out.push_str("unknown_tagged_fields: Vec::new(),\n");
    }
    out.push_str("}}}\n");
}

/// The statement that puts the version into a variable, if a condition in `body` asks for it.
pub fn version_variable(body: &str, from: &str) -> String {
    let asked = body.match_indices("version").any(|(at, word)| {
        let name_before = body[..at].ends_with(|c: char| c == '_' || c.is_alphanumeric());
        let after = &body[at + word.len()..];
        let compared = [" >= ", " <= ", " == ", " < "]
            .iter()
            .any(|o| after.starts_with(o));
        !name_before && (compared || body[..at].ends_with('&'))
    });
    if asked {
        format!("let version = {from}.version();\n")
    } else {
        String::new()
    }
}

fn read_expression(field: &Field) -> String {
    let null = null_condition(field);
    match (&field.kind, nullable(field)) {
        (Type::String, false) => "r.string()?".to_owned(),
        (Type::String, true) => format!("r.option_string({null})?"),
        (Type::Bytes | Type::Records, false) => "r.bytes()?".to_owned(),
        (Type::Bytes | Type::Records, true) => format!("r.option_bytes({null})?"),
        (Type::Array(_), false) => "r.array()?".to_owned(),
        (Type::Array(_), true) => format!("r.option_array({null})?"),
        (Type::Struct(name), false) => format!("{name}::read(r)?"),
        (Type::Struct(_), true) => format!("r.option_struct({null})?"),
        (kind, _) => {
            let method = scalar_method(kind, &field.name).expect("the rest are scalars");
            format!("r.{method}()?")
        }
    }
}

fn read_impl(out: &mut String, message: &Message, s: &Struct) {
    let mut body = String::new();
    let mut tagged = Vec::new();
    for field in &s.fields {
        let name = field_name(field);
        let default = owned_default(field).0;
        if field.tag.is_some() {
            let _ = writeln!(body, "let mut {name} = {default};");
            tagged.push(field);
            continue;
        }
        let read = read_expression(field);
        let _ = match condition(field.versions, s.versions) {
            None => writeln!(body, "let {name} = {read};"),
            Some(condition) => writeln!(
                body,
                "let {name} = if {condition} {{ {read} }} else {{ {default} }};"
            ),
        };
    }
    if tagged.is_empty() && has_tags(message, s) {
        body.push_str("let unknown_tagged_fields = r.unknown_tags()?;\n");
    }
    if !tagged.is_empty() {
        body.push_str(
            "let mut unknown_tagged_fields = Vec::new();
            if r.flexible() {
            let mut tags = r.tags()?;
            while let Some((tag, mut field)) = tags.next(r)? {
            match tag {\n",
        );
        for field in tagged {
            let guard = condition(field.versions, s.versions)
                .map_or(String::new(), |condition| format!(" if {condition}"));
            let read = read_expression(field)
                .replace("(r)", "(&mut field)")
                .replace("r.", "field.");
            let _ = writeln!(
                body,
                "{}{guard} => {{ {} = {read}; r.end_tag(&field)?; }}",
                field.tag.expect("tagged"),
                field_name(field),
            );
        }
        body.push_str("tag => unknown_tagged_fields.push(field.to_tagged_field(tag)),\n}}}\n");
    }
    let version = version_variable(&body, "r");
    let mut names: Vec<String> = s.fields.iter().map(field_name).collect();
    if has_tags(message, s) {
        names.push("unknown_tagged_fields".to_owned());
    }
    let _ = writeln!(
        out,
        "\nimpl Read for {} {{
        fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {{
        {version}{body}Ok(Self {{ {} }}) }} }}",
        s.name,
        names.join(", ")
    );
}

fn write_statement(field: &Field) -> String {
    let name = format!("self.{}", field_name(field));
    let null = null_condition(field);
    let wire = &field.name;
    match (&field.kind, nullable(field)) {
        (Type::String, false) => format!("w.string(&{name});"),
        (Type::String, true) => {
            format!("w.option_string({name}.as_deref(), {null}, \"{wire}\");")
        }
        (Type::Bytes | Type::Records, false) => format!("w.bytes(&{name});"),
        (Type::Bytes | Type::Records, true) => {
            format!("w.option_bytes({name}.as_deref(), {null}, \"{wire}\");")
        }
        (Type::Array(_), false) => format!("w.array(&{name});"),
        (Type::Array(_), true) => {
            format!("w.option_array({name}.as_deref(), {null}, \"{wire}\");")
        }
        (Type::Struct(_), false) => format!("{name}.write(w);"),
        (Type::Struct(_), true) => {
            format!("w.option_struct({name}.as_ref(), {null}, \"{wire}\");")
        }
        (Type::Uuid, _) if wire != "TopicId" => format!("w.uuid(&{name});"),
        (kind, _) => {
            let method = scalar_method(kind, wire).expect("the rest are scalars");
            format!("w.{method}({name});")
        }
    }
}

/// Whether a field holds something else than its default.
fn not_default(field: &Field) -> String {
    let name = format!("self.{}", field_name(field));
    if nullable(field) {
        return format!("{name}.is_some()");
    }
    match &field.kind {
        Type::String | Type::Bytes | Type::Records | Type::Array(_) => {
            format!("!{name}.is_empty()")
        }
        Type::Bool if scalar_default(field).1 => name,
        Type::Bool => format!("!{name}"),
        _ => format!("{name} != {}", owned_default(field).0),
    }
}

fn write_impl(out: &mut String, message: &Message, s: &Struct) {
    let mut body = String::new();
    for field in s.fields.iter().filter(|field| field.tag.is_none()) {
        let write = write_statement(field);
        let Some(condition) = condition(field.versions, s.versions) else {
            let _ = writeln!(body, "{write}");
            continue;
        };
        let _ = write!(body, "if {condition} {{ {write} }}");
        if !field.ignorable {
            let _ = write!(
                body,
                " else if {} {{ w.not_in_version(\"{}\"); }}",
                not_default(field),
                field.name
            );
        }
        body.push('\n');
    }
    let mut tagged: Vec<&Field> = s.fields.iter().filter(|f| f.tag.is_some()).collect();
    tagged.sort_by_key(|field| field.tag);
    if tagged.is_empty() && has_tags(message, s) {
        body.push_str("w.unknown_tags(&self.unknown_tagged_fields);\n");
    }
    if !tagged.is_empty() {
        write_tags(&mut body, s, &tagged);
    }
    let version = version_variable(&body, "w");
    let unused = if body.is_empty() { "_" } else { "" };
    let _ = writeln!(
        out,
        "\nimpl Write for {} {{ fn write(&self, {unused}w: &mut Writer<'_>) {{
        {version}{body} }} }}",
        s.name
    );
}

fn write_tags(body: &mut String, s: &Struct, tagged: &[&Field]) {
    let present = |field: &Field| format!("has_{}", snake_case(&field.name));
    for field in tagged {
        let not_default = not_default(field);
        let _ = match condition(field.versions, s.versions) {
            None => writeln!(body, "let {} = {not_default};", present(field)),
            Some(condition) => {
                assert_eq!(field.versions.high, s.versions.high, "tags do not go away");
                if !field.ignorable {
                    let _ = writeln!(
                        body,
                        "if version < {} && {not_default} {{ w.not_in_version(\"{}\"); }}",
                        field.versions.low, field.name
                    );
                }
                writeln!(
                    body,
                    "let {} = {condition} && {not_default};",
                    present(field)
                )
            }
        };
    }
    let known: Vec<String> = tagged
        .iter()
        .map(|field| format!("u32::from({})", present(field)))
        .collect();
    let _ = writeln!(
        body,
        "if w.flexible() {{
        let mut tags = w.tags({}, &self.unknown_tagged_fields);",
        known.join(" + ")
    );
    for field in tagged {
        let _ = writeln!(
            body,
            "if {} {{ w.tagged(&mut tags, {}, |w| {{ {} }}); }}",
            present(field),
            field.tag.expect("tagged"),
            write_statement(field)
        );
    }
    body.push_str(
        "w.rest_of_tags(&mut tags);
        } else if !self.unknown_tagged_fields.is_empty() {
        w.not_in_version(\"tagged fields\"); }\n",
    );
}

/// The expression that says whether `version` of a message is flexible.
pub fn flexible_expression(message: &Message) -> String {
    if message.flexible_from > message.versions.high {
        "false".to_owned()
    } else if message.flexible_from <= message.versions.low {
        "true".to_owned()
    } else {
        format!("version >= {}", message.flexible_from)
    }
}

fn entry_points(out: &mut String, message: &Message) {
    let flexible = flexible_expression(message);
    let _ = writeln!(
        out,
        "\nimpl {name} {{
        pub const VERSION_MIN: i16 = {low};
        pub const VERSION_MAX: i16 = {high};

        /// Reads a body. Bytes after the message are ignored, as Kafka ignores them.
        pub fn decode(body: &[u8], version: i16) -> Result<Self, DecodeError> {{
        Self::decode_prefix(body, version).map(|(message, _)| message) }}

        /// Reads a body; gives back the bytes after the message.
        pub fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {{
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {{
        return Err(DecodeError::UnsupportedVersion {{ version }}); }}
        let mut r = Reader::new(body, version, {flexible});
        let message = Self::read(&mut r)?;
        Ok((message, r.remaining())) }}

        /// Appends the body to `out`; on an error `out` is as it was.
        pub fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {{
        if !(Self::VERSION_MIN..=Self::VERSION_MAX).contains(&version) {{
        return Err(EncodeError::UnsupportedVersion {{ version }}); }}
        let mut w = Writer::new(out, version, {flexible});
        self.write(&mut w);
        w.finish() }}
        }}",
        name = message.name,
        low = message.versions.low,
        high = message.versions.high,
    );
    let _ = writeln!(
        out,
        "\nimpl Message for {name} {{
        const KEY: ApiKey = ApiKey::{api};
        const VERSION_MIN: i16 = {name}::VERSION_MIN;
        const VERSION_MAX: i16 = {name}::VERSION_MAX;

        fn decode_prefix(body: &[u8], version: i16) -> Result<(Self, &[u8]), DecodeError> {{
        {name}::decode_prefix(body, version) }}

        fn encode(&self, out: &mut Vec<u8>, version: i16) -> Result<(), EncodeError> {{
        {name}::encode(self, out, version) }}
        }}",
        name = message.name,
        api = message.api(),
    );
    if message.direction == Direction::Request {
        let _ = writeln!(
            out,
            "\nimpl Request for {} {{ type Response = super::{}Response; }}",
            message.name,
            message.api()
        );
    }
}

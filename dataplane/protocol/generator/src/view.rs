//! Views: requests borrowed from the frame.

use crate::message::{flexible_expression, version_variable};
use crate::names::{
    borrows, condition, field_name, has_tags, null_condition, nullable, scalar, scalar_default,
    scalar_method, snake_case, uses_topic_id,
};
use crate::schema::{Field, Message, Struct, Type};
use std::fmt::Write;

/// The file of one message's views.
pub fn emit(message: &Message) -> String {
    let mut out = String::new();
    let _ = writeln!(
        out,
        "{}//! {}, API key {}, borrowed.\n",
        crate::HEADING,
        message.name,
        message.key
    );
    let _ = writeln!(
        out,
        "use crate::error::DecodeError;
        use crate::generated::messages::{} as owned;
        use crate::read::{{Items, Reader, ReadView}};",
        snake_case(&message.name)
    );
    if uses_topic_id(message) {
        out.push_str("use precursor_model::TopicId;\n");
    }
    for s in &message.structs {
        definition(&mut out, message, s);
        read_impl(&mut out, message, s);
        to_message(&mut out, message, s);
    }
    entry_point(&mut out, message);
    out
}

fn lifetime(message: &Message, s: &Struct) -> &'static str {
    if borrows(message, s) { "<'a>" } else { "" }
}

fn view_type(message: &Message, field: &Field) -> String {
    fn of(message: &Message, kind: &Type, name: &str) -> String {
        if let Some(scalar) = scalar(kind, name) {
            return scalar.to_owned();
        }
        match kind {
            Type::String => "&'a str".to_owned(),
            Type::Bytes | Type::Records => "&'a [u8]".to_owned(),
            Type::Struct(name) => format!("{name}View{}", lifetime(message, message.find(name))),
            Type::Array(element) => format!("Items<'a, {}>", of(message, element, "")),
            _ => unreachable!("scalars are done"),
        }
    }
    let plain = of(message, &field.kind, &field.name);
    if nullable(field) {
        format!("Option<{plain}>")
    } else {
        plain
    }
}

fn view_default(field: &Field) -> (String, bool) {
    if nullable(field) {
        return ("None".to_owned(), true);
    }
    match &field.kind {
        Type::String => ("\"\"".to_owned(), true),
        Type::Bytes | Type::Records => ("&[]".to_owned(), true),
        Type::Array(_) => ("Items::default()".to_owned(), true),
        Type::Struct(name) => (format!("{name}View::default()"), true),
        _ => scalar_default(field),
    }
}

fn definition(out: &mut String, message: &Message, s: &Struct) {
    let lifetime = lifetime(message, s);
    let own = s.fields.iter().all(|field| view_default(field).1);
    let derive = if own { ", Default" } else { "" };
    let _ = writeln!(
        out,
        "\n/// [`owned::{0}`], borrowed.\n#[derive(Clone, Copy, Debug{derive})]
        pub struct {0}View{lifetime} {{",
        s.name
    );
    for field in &s.fields {
        let _ = writeln!(
            out,
            "pub {}: {},",
            field_name(field),
            view_type(message, field)
        );
    }
    out.push_str("}\n");
    if !own {
        let any = if lifetime.is_empty() { "" } else { "<'_>" };
        let _ = writeln!(
            out,
            "\nimpl Default for {}View{any} {{ fn default() -> Self {{ Self {{",
            s.name
        );
        for field in &s.fields {
            let _ = writeln!(out, "{}: {},", field_name(field), view_default(field).0);
        }
        out.push_str("}}}\n");
    }
}

fn read_expression(field: &Field) -> String {
    let null = null_condition(field);
    match (&field.kind, nullable(field)) {
        (Type::String, false) => "r.str()?".to_owned(),
        (Type::String, true) => format!("r.option_str({null})?"),
        (Type::Bytes | Type::Records, false) => "r.slice()?".to_owned(),
        (Type::Bytes | Type::Records, true) => format!("r.option_slice({null})?"),
        (Type::Array(_), false) => "r.items()?".to_owned(),
        (Type::Array(_), true) => format!("r.option_items({null})?"),
        (Type::Struct(name), false) => format!("{name}View::read_view(r)?"),
        (Type::Struct(name), true) => panic!("{name}: views have no structs that may be null"),
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
        let default = view_default(field).0;
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
        body.push_str("r.skip_tags()?;\n");
    }
    if !tagged.is_empty() {
        body.push_str(
            "if r.flexible() {
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
        body.push_str("_ => {} }}}\n");
    }
    let version = version_variable(&body, "r");
    let names: Vec<String> = s.fields.iter().map(field_name).collect();
    let _ = writeln!(
        out,
        "\nimpl<'a> ReadView<'a> for {}View{} {{
        #[inline]
        fn read_view(r: &mut Reader<'a>) -> Result<Self, DecodeError> {{
        {version}{body}Ok(Self {{ {} }}) }} }}",
        s.name,
        lifetime(message, s),
        names.join(", ")
    );
}

fn to_owned_expression(field: &Field) -> String {
    let name = format!("self.{}", field_name(field));
    let element = |kind: &Type| match kind {
        Type::String => ".map(str::to_owned)",
        Type::Struct(_) => ".map(|item| item.to_message())",
        _ => "",
    };
    match (&field.kind, nullable(field)) {
        (Type::String, false) => format!("{name}.to_owned()"),
        (Type::String, true) => format!("{name}.map(str::to_owned)"),
        (Type::Bytes | Type::Records, false) => format!("{name}.to_vec()"),
        (Type::Bytes | Type::Records, true) => format!("{name}.map(<[u8]>::to_vec)"),
        (Type::Array(kind), false) => format!("{name}{}.collect()", element(kind)),
        (Type::Array(kind), true) => {
            format!("{name}.map(|items| items{}.collect())", element(kind))
        }
        (Type::Struct(_), _) => format!("{name}.to_message()"),
        _ => name,
    }
}

fn to_message(out: &mut String, message: &Message, s: &Struct) {
    let any = if borrows(message, s) { "<'_>" } else { "" };
    let _ = writeln!(
        out,
        "\nimpl {0}View{any} {{
        /// An owned copy; unknown tagged fields are not in it.
        pub fn to_message(&self) -> owned::{0} {{ owned::{0} {{",
        s.name
    );
    for field in &s.fields {
        let _ = writeln!(
            out,
            "{}: {},",
            field_name(field),
            to_owned_expression(field)
        );
    }
    if has_tags(message, s) {
        out.push_str("unknown_tagged_fields: Vec::new(),\n");
    }
    out.push_str("}}}\n");
}

fn entry_point(out: &mut String, message: &Message) {
    let _ = writeln!(
        out,
        "\nimpl<'a> {name}View{lifetime} {{
        /// Takes a body apart. The whole of it is walked here, so that no iteration over its
        /// arrays can fail afterwards. Bytes after the message are ignored, as Kafka does.
        pub fn parse(body: &'a [u8], version: i16) -> Result<Self, DecodeError> {{
        if !(owned::{name}::VERSION_MIN..=owned::{name}::VERSION_MAX).contains(&version) {{
        return Err(DecodeError::UnsupportedVersion {{ version }}); }}
        let mut r = Reader::new(body, version, {flexible});
        Self::read_view(&mut r) }} }}",
        name = message.name,
        lifetime = lifetime(message, message.root()),
        flexible = flexible_expression(message),
    );
}

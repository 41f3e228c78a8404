//! For the tests: random messages, and the same messages as another implementation has them.

use crate::message::owned_default;
use crate::names::{condition, field_name, has_tags, null_condition, nullable, snake_case};
use crate::schema::{Field, Message, Struct, Type};
use std::fmt::Write;

/// Fields of Kafka 4.2 to 4.4, and our own, that the other implementation (Kafka 4.1) lacks.
const NOT_IN_ORACLE: &[(&str, &str)] = &[
    ("ApiVersionsRequest", "ClusterId"),
    ("ApiVersionsRequest", "NodeId"),
    ("DescribeClusterResponse", "AdminAddress"),
    ("DeletableGroupResult", "ErrorMessage"),
    ("DescribeLogDirsResult", "IsCordoned"),
    ("TxnOffsetCommitRequestTopic", "TopicId"),
    ("TxnOffsetCommitResponseTopic", "TopicId"),
    ("ShareFetchRequest", "ShareAcquireMode"),
    ("ShareFetchRequest", "IsRenewAck"),
    ("ShareAcknowledgeRequest", "IsRenewAck"),
    ("ShareAcknowledgeResponse", "AcquisitionLockTimeoutMs"),
];

/// The file that makes random values of one message.
pub fn emit_random(message: &Message) -> String {
    let mut out = format!("{}//! Random {}.\n\n", crate::HEADING, message.name);
    let _ = writeln!(
        out,
        "use crate::random::{{Random, Source}};
        use precursor_protocol::messages::{}::*;",
        snake_case(&message.name)
    );
    for s in &message.structs {
        random_impl(&mut out, message, s);
    }
    out
}

fn random_impl(out: &mut String, message: &Message, s: &Struct) {
    let mut body = String::new();
    let mut highest_tag = 0;
    for field in &s.fields {
        let name = field_name(field);
        let default = owned_default(field)
            .0
            .replace("TopicId", "precursor_model::TopicId");
        let mut random = random_expression(&field.kind, &field.name);
        if nullable(field) {
            random = format!("s.option({}, |s| {random})", null_condition(field));
        }
        if let Some(tag) = field.tag {
            highest_tag = highest_tag.max(tag + 1);
            // Left out as often as not.
            random = format!("if s.bool() {{ {random} }} else {{ {default} }}");
        }
        let _ = match condition(field.versions, s.versions) {
            None => writeln!(body, "let {name} = {random};"),
            Some(condition) => writeln!(
                body,
                "let {name} = if {condition} {{ {random} }} else {{ {default} }};"
            ),
        };
    }
    let mut names: Vec<String> = s.fields.iter().map(field_name).collect();
    if has_tags(message, s) {
        let flexible = condition(
            crate::schema::Versions {
                low: message.flexible_from,
                ..s.versions
            },
            s.versions,
        )
        .unwrap_or_else(|| "true".to_owned());
        let _ = writeln!(
            body,
            "let unknown_tagged_fields = s.tags({flexible}, {highest_tag});"
        );
        names.push("unknown_tagged_fields".to_owned());
    }
    let version = if mentions_version(&body) {
        "version"
    } else {
        "_version"
    };
    let _ = writeln!(
        out,
        "\nimpl Random for {0} {{ fn random(s: &mut Source, {version}: i16) -> Self {{
        {body}{0} {{ {1} }} }} }}",
        s.name,
        names.join(", ")
    );
}

/// Whether `version` itself occurs, not only in a field's name.
fn mentions_version(body: &str) -> bool {
    body.split(|c: char| c != '_' && !c.is_alphanumeric())
        .any(|word| word == "version")
}

fn random_expression(kind: &Type, name: &str) -> String {
    match kind {
        Type::Bool => "s.bool()".to_owned(),
        Type::Int8 => "s.int8()".to_owned(),
        Type::Int16 => "s.int16()".to_owned(),
        Type::Uint16 => "s.uint16()".to_owned(),
        Type::Int32 => "s.int32()".to_owned(),
        Type::Int64 => "s.int64()".to_owned(),
        Type::Float64 => "s.float64()".to_owned(),
        Type::Uuid if name == "TopicId" => "s.topic_id()".to_owned(),
        Type::Uuid => "s.uuid()".to_owned(),
        Type::String => "s.string()".to_owned(),
        Type::Bytes | Type::Records => "s.bytes()".to_owned(),
        Type::Struct(name) => format!("{name}::random(s, version)"),
        Type::Array(element) => format!("s.array(|s| {})", random_expression(element, "")),
    }
}

/// The file that turns one message into the other implementation's.
pub fn emit_oracle(message: &Message) -> String {
    let module = snake_case(&message.name);
    let mut body = String::new();
    for s in &message.structs {
        to_oracle(&mut body, message, s);
    }
    let mut uses = vec!["ToOracle"];
    for function in ["tags", "compact_string"] {
        if body.contains(&format!("{function}(")) {
            uses.push(function);
        }
    }
    format!(
        "{}//! {} as the oracle has it.\n
        use crate::oracle::{{{}}};
        use kafka_protocol::messages::{module} as theirs;
        use precursor_protocol::messages::{module} as ours;\n{body}",
        crate::HEADING,
        message.name,
        uses.join(", ")
    )
}

fn to_oracle(out: &mut String, message: &Message, s: &Struct) {
    let mut body = String::new();
    for field in &s.fields {
        if not_in_oracle(s, field) {
            continue;
        }
        let assign = format!(
            "theirs.{} = self.{}.to_oracle(version);",
            their_name(s, field),
            field_name(field)
        );
        let _ = match condition(field.versions, s.versions) {
            None => writeln!(body, "{assign}"),
            Some(condition) => writeln!(body, "if {condition} {{ {assign} }}"),
        };
    }
    if has_tags(message, s) {
        body.push_str("theirs.unknown_tagged_fields = tags(&self.unknown_tagged_fields);\n");
    }
    // A tagged field that it lacks is to it one that it does not know.
    for field in &s.fields {
        if let (Some(tag), Type::String, true) = (field.tag, &field.kind, not_in_oracle(s, field)) {
            let _ = writeln!(
                body,
                "if let Some(text) = &self.{} {{
                theirs.unknown_tagged_fields.insert({tag}, compact_string(text)); }}",
                field_name(field)
            );
        }
    }
    let version = if mentions_version(&body) {
        "version"
    } else {
        "_version"
    };
    let _ = writeln!(
        out,
        "\nimpl ToOracle<theirs::{0}> for ours::{0} {{
        fn to_oracle(&self, {version}: i16) -> theirs::{0} {{
        let mut theirs = theirs::{0}::default();
        {body}theirs }} }}",
        s.name
    );
}

fn not_in_oracle(s: &Struct, field: &Field) -> bool {
    NOT_IN_ORACLE.contains(&(s.name.as_str(), field.name.as_str()))
}

fn their_name(s: &Struct, field: &Field) -> String {
    match (s.name.as_str(), field.name.as_str()) {
        (_, "Match") => "_match".to_owned(),
        (_, "Enable2Pc") => "enable_2_pc".to_owned(),
        ("TxnOffsetCommitRequest", "GenerationIdOrMemberEpoch") => "generation_id".to_owned(),
        (_, name) => snake_case(name),
    }
}

/// The folder's `mod.rs`.
pub fn emit_index(messages: &[Message], about: &str) -> String {
    let mut out = format!("{}//! {about}\n\n", crate::HEADING);
    let mut names: Vec<(String, &str)> = messages
        .iter()
        .map(|m| (snake_case(&m.name), m.name.as_str()))
        .collect();
    names.sort();
    for (module, _) in &names {
        let _ = writeln!(out, "mod {module};");
    }
    out
}

/// Two macros that visit every message, for code that is about all of them.
pub fn emit_every_message(messages: &[Message]) -> String {
    let mut out = String::from(
        "
        /// Expands `$visit!(Message)` for every message.
        #[macro_export]
        macro_rules! every_message {
        ($visit:ident) => {\n",
    );
    for m in messages {
        let _ = writeln!(out, "$visit!({});", m.name);
    }
    out.push_str("};}\n");
    let views: Vec<&Message> = messages.iter().filter(|m| m.view).collect();
    out.push_str(
        "
        /// Expands `$visit!(Message, View)` for every request that has a view.
        #[macro_export]
        macro_rules! every_view {
        ($visit:ident) => {\n",
    );
    for m in views {
        let _ = writeln!(out, "$visit!({0}, {0}View);", m.name);
    }
    out.push_str("};}\n");
    out
}

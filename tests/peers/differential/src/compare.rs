//! Two answers as lists of fields, and where they differ.

use precursor_model::TopicId;
use std::collections::BTreeMap;
use std::fmt::Debug;

/// Fields that say nothing about behaviour: texts for people, addresses, times.
const NEVER_COMPARED: &[&str] = &[
    "throttle_time_ms",
    "error_message",
    "batch_index_error_message",
    "host",
    "client_host",
    "port",
    "cluster_id",
    "admin_address",
    "log_append_time_ms",
    "session_id",
    "last_timestamp",
    // Numbers that each broker makes up.
    "producer_id",
];

/// An answer's fields: path (`topics[0].error_code`) and value, in the answer's order.
pub type Fields = Vec<(String, String)>;

/// One field in which two answers differ; `None`: it is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    pub field: String,
    pub kafka: Option<String>,
    pub ours: Option<String>,
}

/// The fields of any message, from its `Debug` form. `rename` gives the name that both brokers'
/// answers share for an id that each broker makes up by itself.
pub fn fields(message: &impl Debug, rename: impl Fn(&str) -> Option<String>) -> Fields {
    let text = whole_topic_ids(&format!("{message:#?}"));
    let mut fields = Fields::new();
    // Each open bracket: the path that it opened, and how many unnamed values it has had.
    let mut open: Vec<(String, usize)> = vec![(String::new(), 0)];
    for line in text.lines() {
        let line = line.trim();
        let line = line.strip_suffix(',').unwrap_or(line);
        if matches!(line, "}" | "]" | ")") {
            open.pop();
            continue;
        }
        let (path, value) = place(&mut open, line);
        if matches!(value.chars().last(), Some('{' | '[' | '(')) {
            open.push((path, 0));
        } else if let (Some(list), Ok(byte)) = (bytes_of(&path), value.parse::<u8>()) {
            match fields.last_mut() {
                Some((last, text)) if last == list => text.push_str(&format!("{byte:02x}")),
                _ => fields.push((list.to_owned(), format!("{byte:02x}"))),
            }
        } else if compared(&path) {
            let inner = value.trim_start_matches("Some(").trim_matches(['"', ')']);
            let value = rename(inner).unwrap_or_else(|| value.to_owned());
            fields.push((path, value));
        }
    }
    fields
}

/// A line's path below the bracket that is open, and what stands behind the field's name.
fn place<'a>(open: &mut [(String, usize)], line: &'a str) -> (String, &'a str) {
    let depth = open.len();
    let (parent, count) = open.last_mut().expect("the outermost stays open");
    let named = line.split_once(": ").filter(|(name, _)| {
        name.bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    });
    match named {
        Some((name, value)) if parent.is_empty() => (name.to_owned(), value),
        Some((name, value)) => (format!("{parent}.{name}"), value),
        // The message itself has no name.
        None if depth == 1 => (String::new(), line),
        None => {
            *count += 1;
            (format!("{parent}[{}]", *count - 1), line)
        }
    }
}

/// The field that this is one byte of: record batches are one value, not thousands.
fn bytes_of(path: &str) -> Option<&str> {
    let list = path.strip_suffix(']')?.rsplit_once('[')?.0;
    without_numbers(list)
        .ends_with(".records[]")
        .then_some(list)
}

fn compared(path: &str) -> bool {
    let last = path.rsplit('.').next().unwrap_or(path);
    let last = last.split('[').next().unwrap_or(last);
    last != "unknown_tagged_fields" && !NEVER_COMPARED.contains(&last)
}

/// Writes each topic id, sixteen lines of numbers, as the one word that Kafka prints for it.
fn whole_topic_ids(text: &str) -> String {
    const OPENING: &str = "TopicId(\n";
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(OPENING) {
        out.push_str(&rest[..at]);
        let behind = &rest[at + OPENING.len()..];
        let end = behind.find(')').unwrap_or(behind.len());
        let numbers = behind[..end].split(|c: char| !c.is_ascii_digit());
        let bytes: Vec<u8> = numbers.filter_map(|word| word.parse().ok()).collect();
        match <[u8; 16]>::try_from(bytes) {
            Ok(bytes) => out.push_str(&TopicId(bytes).to_string()),
            Err(_) => out.push_str("(not a topic id)"),
        }
        rest = behind.get(end + 1..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

/// Where two lists of fields differ.
pub fn differences(kafka: &Fields, ours: &Fields) -> Vec<Difference> {
    let in_ours: BTreeMap<&str, &str> = ours.iter().map(|(f, v)| (&**f, &**v)).collect();
    let in_kafka: BTreeMap<&str, &str> = kafka.iter().map(|(f, v)| (&**f, &**v)).collect();
    let mut found = Vec::new();
    for (field, value) in kafka {
        let our = in_ours.get(&**field);
        if our != Some(&&**value) {
            found.push(Difference {
                field: field.clone(),
                kafka: Some(value.clone()),
                ours: our.map(|value| (*value).to_owned()),
            });
        }
    }
    for (field, value) in ours {
        if !in_kafka.contains_key(&**field) {
            found.push(Difference {
                field: field.clone(),
                kafka: None,
                ours: Some(value.clone()),
            });
        }
    }
    found
}

/// A field's path without the numbers of list entries: `topics[].error_code`.
pub fn without_numbers(field: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    for character in field.chars() {
        match character {
            '[' => inside = true,
            ']' => inside = false,
            _ if inside => continue,
            _ => {}
        }
        out.push(character);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use precursor_protocol::messages::create_topics_response::*;

    fn answer(id: u8, error_code: i16) -> CreateTopicsResponse {
        CreateTopicsResponse {
            throttle_time_ms: i32::from(id),
            topics: vec![CreatableTopicResult {
                name: "a: b".into(),
                topic_id: TopicId([id; 16]),
                error_code,
                error_message: Some(id.to_string()),
                configs: Some(vec![CreatableTopicConfigs::default()]),
                ..Default::default()
            }],
            ..Default::default()
        }
    }

    #[test]
    fn answers_become_fields_with_paths() {
        let fields = fields(&answer(1, 3), |_| None);
        let find = |path: &str| {
            let field = fields.iter().find(|(field, _)| field == path);
            field.map(|(_, value)| value.as_str())
        };
        assert_eq!(find("topics[0].name"), Some("\"a: b\""));
        assert_eq!(find("topics[0].error_code"), Some("3"));
        let id = TopicId([1; 16]).to_string();
        assert_eq!(find("topics[0].topic_id"), Some(id.as_str()));
        assert_eq!(find("topics[0].error_message"), None);
        assert_eq!(find("topics[0].configs[0][0].config_source"), Some("-1"));
    }

    #[test]
    fn made_up_ids_are_the_same_and_other_fields_are_not() {
        let named = |message: &CreateTopicsResponse| {
            let own = message.topics[0].topic_id.to_string();
            fields(message, |id| (id == own).then(|| "the id".to_owned()))
        };
        let (kafka, ours) = (named(&answer(1, 0)), named(&answer(2, 0)));
        assert_eq!(differences(&kafka, &ours), []);
        let ours = named(&answer(2, 3));
        let difference = Difference {
            field: "topics[0].error_code".into(),
            kafka: Some("0".into()),
            ours: Some("3".into()),
        };
        assert_eq!(differences(&kafka, &ours), [difference]);
        assert_eq!(without_numbers("topics[10].x[1]"), "topics[].x[]");
    }
}

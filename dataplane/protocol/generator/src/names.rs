//! Names and expressions that every kind of output needs.

use crate::schema::{Field, Message, Struct, Type, Versions, struct_name};

/// `ThrottleTimeMs` → `throttle_time_ms`.
pub fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    let characters: Vec<char> = name.chars().collect();
    for (index, c) in characters.iter().enumerate() {
        let after_lower = index > 0 && !characters[index - 1].is_ascii_uppercase();
        let before_lower = characters
            .get(index + 1)
            .is_some_and(char::is_ascii_lowercase);
        if c.is_ascii_uppercase() && index > 0 && (after_lower || before_lower) {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    snake
}

/// A field's name in Rust.
pub fn field_name(field: &Field) -> String {
    let name = snake_case(&field.name);
    match name.as_str() {
        "match" | "type" | "ref" | "move" => format!("r#{name}"),
        _ => name,
    }
}

/// The condition under which `version`, known to be in `within`, is in `versions`; `None` if
/// always.
pub fn condition(versions: Versions, within: Versions) -> Option<String> {
    if versions.is_empty() {
        return Some("false".to_owned());
    }
    let low = (versions.low > within.low).then(|| format!("version >= {}", versions.low));
    let high = (versions.high < within.high).then(|| format!("version <= {}", versions.high));
    match (low, high) {
        (None, None) => None,
        (Some(one), None) | (None, Some(one)) => Some(one),
        (Some(_), Some(_)) if versions.low == versions.high => {
            Some(format!("version == {}", versions.low))
        }
        (Some(_), Some(_)) => Some(format!(
            "({}..={}).contains(&version)",
            versions.low, versions.high
        )),
    }
}

/// The condition under which a field may be null in a version that has it.
pub fn null_condition(field: &Field) -> String {
    condition(field.null, field.versions).unwrap_or_else(|| "true".to_owned())
}

pub fn nullable(field: &Field) -> bool {
    !field.null.is_empty()
}

/// Whether a struct ends in tagged fields in any of its versions.
pub fn has_tags(message: &Message, s: &Struct) -> bool {
    message.flexible_from <= s.versions.high
}

/// The Rust type of a number, bool or uuid.
pub fn scalar(kind: &Type, field_name: &str) -> Option<&'static str> {
    Some(match kind {
        Type::Bool => "bool",
        Type::Int8 => "i8",
        Type::Int16 => "i16",
        Type::Uint16 => "u16",
        Type::Int32 => "i32",
        Type::Int64 => "i64",
        Type::Float64 => "f64",
        Type::Uuid if field_name == "TopicId" => "TopicId",
        Type::Uuid => "[u8; 16]",
        _ => return None,
    })
}

/// The reader's and writer's method for a number, bool or uuid.
pub fn scalar_method(kind: &Type, field_name: &str) -> Option<&'static str> {
    Some(match kind {
        Type::Bool => "bool",
        Type::Int8 => "int8",
        Type::Int16 => "int16",
        Type::Uint16 => "uint16",
        Type::Int32 => "int32",
        Type::Int64 => "int64",
        Type::Float64 => "float64",
        Type::Uuid if field_name == "TopicId" => "topic_id",
        Type::Uuid => "uuid",
        _ => return None,
    })
}

/// The default of a number, bool or uuid as an expression, and whether it is the type's own.
pub fn scalar_default(field: &Field) -> (String, bool) {
    let own = match field.kind {
        Type::Bool => "false",
        Type::Float64 => "0.0",
        Type::Uuid if field.name == "TopicId" => "TopicId::ZERO",
        Type::Uuid => "[0; 16]",
        _ => "0",
    };
    let default = match field.default.as_deref() {
        Some("9223372036854775807") => "i64::MAX",
        Some("-2147483648") => "i32::MIN",
        Some("0x7fffffff") => "i32::MAX",
        Some(text) => text,
        None => own,
    };
    (default.to_owned(), default == own)
}

/// Whether a type needs `TopicId` in scope.
pub fn uses_topic_id(message: &Message) -> bool {
    message
        .structs
        .iter()
        .flat_map(|s| &s.fields)
        .any(|f| f.name == "TopicId" && f.kind == Type::Uuid)
}

/// Whether a struct holds borrowed bytes, strings or arrays.
pub fn borrows(message: &Message, s: &Struct) -> bool {
    s.fields.iter().any(|field| match &field.kind {
        Type::String | Type::Bytes | Type::Records | Type::Array(_) => true,
        kind => struct_name(kind).is_some_and(|name| borrows(message, message.find(name))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snake() {
        for (name, snake) in [
            ("ThrottleTimeMs", "throttle_time_ms"),
            ("timeoutMs", "timeout_ms"),
            ("V3AndBelowTopics", "v3_and_below_topics"),
            ("Enable2Pc", "enable2_pc"),
            ("TopicId", "topic_id"),
            ("ApiVersionsRequest", "api_versions_request"),
        ] {
            assert_eq!(snake_case(name), snake);
        }
    }

    #[test]
    fn conditions() {
        let v = |low, high| Versions { low, high };
        assert_eq!(condition(v(0, 9), v(2, 5)), None);
        assert_eq!(condition(v(3, 9), v(2, 5)).unwrap(), "version >= 3");
        assert_eq!(condition(v(0, 3), v(2, 5)).unwrap(), "version <= 3");
        assert_eq!(condition(v(3, 3), v(2, 5)).unwrap(), "version == 3");
        assert_eq!(condition(Versions::NONE, v(2, 5)).unwrap(), "false");
    }
}

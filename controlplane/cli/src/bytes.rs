//! Keys, values and headers as JSON. Bytes that are not UTF-8 stand in hexadecimal under another
//! name (`value_hex` for `value`), so that a reader never takes one for the other.

use serde_json::Value;

/// Puts bytes into an object: text under `name`, other bytes under `name_hex`, none as null.
pub fn put(object: &mut Value, name: &str, bytes: Option<&[u8]>) {
    match bytes.map(|bytes| (bytes, std::str::from_utf8(bytes))) {
        None => object[name] = Value::Null,
        Some((_, Ok(text))) => object[name] = text.into(),
        Some((bytes, Err(_))) => object[format!("{name}_hex")] = hex(bytes).into(),
    }
}

/// Takes what [`put`] put; a name that is missing is none.
///
/// # Errors
/// Something else stands there, in a sentence.
pub fn take(object: &Value, name: &str) -> Result<Option<Vec<u8>>, String> {
    let other = format!("{name}_hex");
    match (&object[name], &object[&other]) {
        (Value::String(text), Value::Null) => Ok(Some(text.clone().into_bytes())),
        (Value::Null, Value::Null) => Ok(None),
        (Value::Null, Value::String(digits)) => unhex(digits)
            .map(Some)
            .ok_or_else(|| format!("'{other}' is not hexadecimal")),
        (_, Value::Null) => Err(format!("'{name}' must be text or null")),
        _ => Err(format!("of '{name}' and '{other}' one must be left out")),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(digits: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    let byte = |pair: &[u8; 2]| {
        let digits = std::str::from_utf8(pair).ok()?;
        let plain = pair.iter().all(u8::is_ascii_hexdigit);
        plain.then(|| u8::from_str_radix(digits, 16).ok()).flatten()
    };
    rest.is_empty().then(|| pairs.iter().map(byte).collect())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn bytes_that_are_no_text_are_told_apart() {
        let mut object = json!({});
        put(&mut object, "key", None);
        put(&mut object, "value", Some(&[0xff, 0]));
        put(&mut object, "text", Some("ü".as_bytes()));
        assert_eq!(
            object,
            json!({ "key": null, "value_hex": "ff00", "text": "ü" })
        );
        assert_eq!(take(&object, "key"), Ok(None));
        assert_eq!(take(&object, "value"), Ok(Some(vec![0xff, 0])));
        assert_eq!(take(&object, "text"), Ok(Some("ü".as_bytes().to_vec())));
        assert_eq!(take(&object, "absent"), Ok(None));
    }

    #[test]
    fn what_cannot_be_meant_is_said() {
        assert!(take(&json!({ "value": 3 }), "value").is_err());
        assert!(take(&json!({ "value_hex": "f" }), "value").is_err());
        assert!(take(&json!({ "value_hex": "+f" }), "value").is_err());
        assert!(take(&json!({ "value": "a", "value_hex": "61" }), "value").is_err());
    }
}

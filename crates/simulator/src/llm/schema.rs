use serde_json::{Map, Value, json};

/// How deep references and nesting are followed before `null` is good enough.
const MAX_DEPTH: usize = 16;

/// The plainest value that a JSON schema allows: first enum value, empty text, zero, empty list, and
/// all required properties of an object. For schemas as structured outputs use them.
pub(super) fn plainest(schema: &Value) -> Value {
    value(schema, schema, 0)
}

fn value(root: &Value, schema: &Value, depth: usize) -> Value {
    if depth > MAX_DEPTH {
        return Value::Null;
    }
    if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
        let target = target.strip_prefix('#').and_then(|path| root.pointer(path));
        return target.map_or(Value::Null, |target| value(root, target, depth + 1));
    }
    if let Some(fixed) = schema.get("const") {
        return fixed.clone();
    }
    if let Some(first) = first_of(schema, "enum") {
        return first.clone();
    }
    for choice in ["anyOf", "oneOf", "allOf"] {
        if let Some(first) = first_of(schema, choice) {
            return value(root, first, depth + 1);
        }
    }
    match type_of(schema) {
        Some("object") => object(root, schema, depth),
        Some("array") => json!([]),
        Some("string") => json!(""),
        Some("integer") => schema.get("minimum").cloned().unwrap_or(json!(0)),
        Some("number") => schema.get("minimum").cloned().unwrap_or(json!(0.0)),
        Some("boolean") => json!(false),
        _ => Value::Null,
    }
}

fn object(root: &Value, schema: &Value, depth: usize) -> Value {
    let properties = schema.get("properties").and_then(Value::as_object);
    let required = schema.get("required").and_then(Value::as_array);
    let fields = required.into_iter().flatten().filter_map(|name| {
        let name = name.as_str()?;
        let property = properties?.get(name)?;
        Some((name.to_owned(), value(root, property, depth + 1)))
    });
    Value::Object(fields.collect::<Map<_, _>>())
}

fn first_of<'a>(schema: &'a Value, keyword: &str) -> Option<&'a Value> {
    schema.get(keyword)?.as_array()?.first()
}

/// The type, or of several the first; `null` among several is left for last.
fn type_of(schema: &Value) -> Option<&str> {
    match schema.get("type")? {
        Value::String(name) => Some(name),
        Value::Array(names) => names
            .iter()
            .filter_map(Value::as_str)
            .find(|name| *name != "null"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fills_what_is_required_with_the_plainest_values() {
        let schema = json!({
            "type": "object",
            "properties": {
                "intent": { "enum": ["other", "car_inquiry"] },
                "confidence": { "type": "number", "minimum": 0.5 },
                "slots": { "$ref": "#/$defs/slots" },
                "tags": { "type": "array", "items": { "type": "string" } },
                "name": { "type": ["null", "string"] },
                "either": { "anyOf": [{ "type": "boolean" }, { "type": "null" }] },
                "optional": { "type": "string" },
            },
            "required": ["intent", "confidence", "slots", "tags", "name", "either"],
            "$defs": { "slots": {
                "type": "object",
                "properties": { "year": { "type": "integer" } },
                "required": ["year"],
            } },
        });
        let expected = json!({
            "intent": "other",
            "confidence": 0.5,
            "slots": { "year": 0 },
            "tags": [],
            "name": "",
            "either": false,
        });
        assert_eq!(plainest(&schema), expected);
    }

    #[test]
    fn a_schema_that_contains_itself_comes_to_an_end() {
        let schema = json!({
            "type": "object",
            "properties": { "child": { "$ref": "#" } },
            "required": ["child"],
        });
        assert!(plainest(&schema).is_object());
    }
}

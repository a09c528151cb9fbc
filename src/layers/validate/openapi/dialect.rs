//! OpenAPI's own words, as JSON Schema's.

use serde_json::{Map, Value, json};

/// The document with schemas that mean as JSON Schemas what they meant as OpenAPI's.
pub(super) fn as_json_schema(document: &Value, is_3_0: bool) -> Value {
    let mut document = document.clone();
    rewrite(&mut document, is_3_0);
    document
}

/// A document is a file of the host's, which serde_json has read: at most 127 levels deep.
fn rewrite(value: &mut Value, is_3_0: bool) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| rewrite(item, is_3_0)),
        Value::Object(members) => {
            members.values_mut().for_each(|member| rewrite(member, is_3_0));
            ask_for_nothing_write_only(members);
            if is_3_0 {
                name_limits(members);
                allow_null(members);
            }
        }
        _ => {}
    }
}

/// What is `writeOnly` is required of requests alone (OpenAPI 3.0.4, 4.7.24.2).
fn ask_for_nothing_write_only(schema: &mut Map<String, Value>) {
    let Some(Value::Object(properties)) = schema.get("properties") else { return };
    let is_written = |(_, property): &(&String, &Value)| property["writeOnly"] == true;
    let written: Vec<_> =
        properties.iter().filter(is_written).map(|(name, _)| name.clone()).collect();
    if let Some(Value::Array(required)) = schema.get_mut("required") {
        required.retain(|name| !written.iter().any(|written| name == written));
    }
}

/// `nullable: true` beside a type allows null, also where an `enum` doesn't name it (OpenAPI 3.0.3).
fn allow_null(schema: &mut Map<String, Value>) {
    if schema.get("nullable") != Some(&Value::Bool(true)) {
        return;
    }
    schema.remove("nullable");
    let without = Value::Object(std::mem::take(schema));
    schema.insert("anyOf".to_owned(), json!([{ "type": "null" }, without]));
}

/// `exclusiveMinimum: true` says how `minimum` is meant.
fn name_limits(schema: &mut Map<String, Value>) {
    for (limit, exclusive) in [("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")] {
        let Some(is_exclusive) = schema.get(exclusive).and_then(Value::as_bool) else { continue };
        schema.remove(exclusive);
        if let Some(value) = schema.get(limit).cloned().filter(|_| is_exclusive) {
            schema.remove(limit);
            schema.insert(exclusive.to_owned(), value);
        }
    }
}

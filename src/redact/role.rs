//! What a field tells about another one: its name, or what it holds.

/// What a key says of its value.
#[derive(Clone, Copy, Default)]
pub(super) enum Role {
    #[default]
    Other,
    Name,
    Value,
    /// What an envelope holds: a value only if the name says so.
    Content,
}

/// What a key tells about its value, which begins with this byte.
pub(super) fn role(key: &str, first: u8) -> Role {
    let is_nested = matches!(first, b'{' | b'[');
    let is_part = |char: &char| char.is_alphanumeric();
    let key: String = key.chars().filter(is_part).flat_map(char::to_lowercase).collect();
    match key.as_str() {
        "content" | "data" if is_nested => Role::Content,
        key if NAMES.contains(&key) => Role::Name,
        key if VALUES.contains(&key) => Role::Value,
        _ => Role::Other,
    }
}

/// Keys of fields that name another one.
const NAMES: [&str; 20] = [
    "attribute",
    "attributename",
    "field",
    "fieldname",
    "header",
    "headername",
    "k",
    "key",
    "keyname",
    "label",
    "loc",
    "name",
    "param",
    "parameter",
    "parametername",
    "paramname",
    "path",
    "pointer",
    "property",
    "propertyname",
];
/// Keys of fields that say what the named one holds.
const VALUES: [&str; 19] = [
    "actual",
    "attemptedvalue",
    "content",
    "currentvalue",
    "data",
    "fieldvalue",
    "given",
    "got",
    "newvalue",
    "oldvalue",
    "parametervalue",
    "provided",
    "received",
    "submitted",
    "submittedvalue",
    "text",
    "v",
    "val",
    "value",
];

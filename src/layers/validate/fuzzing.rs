//! What must hold of any bytes, for each reader of this layer: run by the targets of `tests/fuzz`, and by the
//! tests here over the same seeds.

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::graphql::only_reads;
use super::path::find;
use super::{json, xml};

/// A GraphQL document, after the name of an operation and a line end. Whether it is taken for a query.
///
/// # Panics
///
/// If something doesn't hold. So do all of these.
pub fn document(bytes: &[u8]) -> Option<bool> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (name, document) = text.split_once('\n')?;
    let name = (!name.is_empty()).then_some(name);
    let is_query = only_reads(document, name);
    let but_pays = format!("mutation Pay {{ pay }} {document}");
    assert!(!only_reads(&but_pays, None), "a mutation stands before it");
    assert!(!only_reads(&but_pays, Some("Pay")), "the mutation is meant");
    let padded = format!("\u{feff}# a comment\n,{document}\n# another");
    assert_eq!(only_reads(&padded, name), is_query, "what is ignored changes nothing");
    if is_query {
        let doubled = format!("{document}\n{document}");
        assert!(!only_reads(&doubled, name), "there are two that may be meant");
    }
    Some(is_query)
}

/// A place in JSON, which follows after a line end.
pub fn pointer(bytes: &[u8]) -> Option<()> {
    let (path, text) = std::str::from_utf8(bytes).ok()?.split_once('\n')?;
    let value = json::read(text.as_bytes()).ok()?;
    let found = find(&value, path, &mut |_| true);
    match path.split('/').any(|segment| segment == "*") {
        false => assert_eq!(found, value.pointer(path), "without stars, it is a JSON pointer"),
        // The first is found at the first index of each array that leads to one.
        true => assert!(found.is_none_or(|found| is_in(found, &value)), "it is a place in it"),
    }
    let mut seen = 0;
    find(&value, path, &mut |_| {
        seen += 1;
        false
    });
    assert_eq!(seen > 0, found.is_some(), "all places are tried");
    Some(())
}

fn is_in(found: &Value, value: &Value) -> bool {
    std::ptr::eq(found, value)
        || match value {
            Value::Array(items) => items.iter().any(|item| is_in(found, item)),
            Value::Object(members) => members.values().any(|member| is_in(found, member)),
            _ => false,
        }
}

/// JSON, perhaps with members that are there twice.
pub fn duplicates(bytes: &[u8]) -> Option<()> {
    let value = json::read(bytes).ok()?;
    let text = json::without_mark(bytes);
    assert!(json::is_json(text), "what has a value is JSON");
    let Members(all) = serde_json::from_slice(text).ok()?;
    let Members(left) = serde_json::from_str(&value.to_string()).ok()?;
    assert_eq!(json::duplicates(text, &value), all - left, "what is lost is counted");
    Some(())
}

/// How many members a text of JSON has.
struct Members(usize);

/// XML, after the names of a path and a line end.
pub fn xml(bytes: &[u8]) -> Option<()> {
    let (path, text) = std::str::from_utf8(bytes).ok()?.split_once('\n')?;
    let path: Vec<_> = path.split(' ').collect();
    let found = xml::text_at(text, &path)?;
    assert!(!found.contains('<') && found == found.trim(), "it is one text");
    let wrapped = format!("<Outer>{text}</Outer>");
    let inside: Vec<_> = std::iter::once("Outer").chain(path).collect();
    if !text.trim_start().starts_with(['\u{feff}', '<']) {
        return None;
    }
    assert_eq!(xml::text_at(&wrapped, &inside), Some(found), "a level changes nothing");
    Some(())
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Count).map(Self)
    }
}

struct Count;

impl<'de> Visitor<'de> for Count {
    type Value = usize;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<usize, A::Error> {
        let mut count = 0;
        while let Some((_, Members(inside))) = members.next_entry::<String, Members>()? {
            count += inside + 1;
        }
        Ok(count)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<usize, A::Error> {
        let mut count = 0;
        while let Some(Members(inside)) = items.next_element()? {
            count += inside;
        }
        Ok(count)
    }

    fn visit_bool<E>(self, _: bool) -> Result<usize, E> {
        Ok(0)
    }

    fn visit_i64<E>(self, _: i64) -> Result<usize, E> {
        Ok(0)
    }

    fn visit_u64<E>(self, _: u64) -> Result<usize, E> {
        Ok(0)
    }

    fn visit_f64<E>(self, _: f64) -> Result<usize, E> {
        Ok(0)
    }

    fn visit_str<E>(self, _: &str) -> Result<usize, E> {
        Ok(0)
    }

    fn visit_unit<E>(self) -> Result<usize, E> {
        Ok(0)
    }
}

#[cfg(test)]
mod tests;

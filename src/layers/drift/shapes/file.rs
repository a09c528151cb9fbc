use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde_json::{Map, Value};

use super::change::ShapeChange;
use super::compare::differences;
use super::error::ShapesError;
use super::json_types::Types;
use super::learned::ShapeKey;
use super::node::{ENTRIES, ITEMS, MOST_PLACES, Node};
use super::words::{MOST, Words, may_be_known};
use crate::redact::is_id_key;

/// The shapes of endpoints' answers, as a file that a team commits.
///
/// The file is JSON with a line for each place in the answers, so that changes are easy to review. It has
/// no values, but for the words of fields that have one of a few.
///
/// ```
/// use outrigger::drift::{DriftKind, Shapes};
///
/// # fn main() -> Result<(), outrigger::drift::ShapesError> {
/// let known = r#"{ "version": 1, "shapes": { "GET /v1/orders/{id} 2xx": {
///     "": { "types": ["object"] },
///     "/id": { "types": ["number"], "always": true },
///     "/state": { "types": ["string"], "always": true, "words": ["open", "paid"] }
/// } } }"#;
/// let now = r#"{ "version": 1, "shapes": { "GET /v1/orders/{id} 2xx": {
///     "": { "types": ["object"] },
///     "/id": { "types": ["string"], "always": true }
/// } } }"#;
///
/// let changes = Shapes::from_json(known)?.changes(&Shapes::from_json(now)?);
/// assert_eq!(changes[0].detail, "/id (string, before: number)");
/// assert_eq!(changes[1].to_string(), "GET /v1/orders/{id} 2xx: a field is gone: /state");
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shapes(BTreeMap<String, Shape>);

#[derive(Clone, Debug, PartialEq)]
struct Shape {
    key: ShapeKey,
    node: Node,
}

impl Shapes {
    /// Reads what [`to_json`](Self::to_json) wrote.
    ///
    /// # Errors
    ///
    /// If it is no such file. The error names the first endpoint and place that can't be read.
    pub fn from_json(text: &str) -> Result<Self, ShapesError> {
        let whole = |problem: &str| ShapesError::new("", problem);
        let file: Value = serde_json::from_str(text)
            .map_err(|error| whole(&format!("the file is not JSON: {error}")))?;
        if file.get("version").and_then(Value::as_u64) != Some(VERSION) {
            return Err(whole(
                "`version` is not 1: export the file with this version of the crate",
            ));
        }
        let shapes = file.get("shapes").and_then(Value::as_object);
        let shapes = shapes.ok_or_else(|| whole("`shapes` is no object: export the file anew"))?;
        let read = |(name, places)| Ok((String::clone(name), Shape::read(name, places)?));
        shapes.iter().map(read).collect::<Result<_, _>>().map(Self)
    }

    /// As JSON, with a line for each place.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut text = format!("{{\n  \"version\": {VERSION},\n  \"shapes\": {{");
        for (at, (name, shape)) in self.0.iter().enumerate() {
            let comma = if at > 0 { "," } else { "" };
            let _ = write!(text, "{comma}\n    {}: {{", Value::from(name.as_str()));
            let mut comma = "";
            shape.node.each(&mut |pointer, node, is_always| {
                let place = written(node, is_always);
                let _ = write!(text, "{comma}\n      {}: {place}", Value::from(pointer));
                comma = ",";
            });
            text.push_str("\n    }");
        }
        text.push_str("\n  }\n}\n");
        text
    }

    /// The endpoints, each with the class of its answers' status: `GET /v1/customers/{id} 2xx`.
    pub fn endpoints(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// What is different in newer shapes of the same endpoints. Endpoints that only one of the two has
    /// are left out.
    #[must_use]
    pub fn changes(&self, now: &Self) -> Vec<ShapeChange> {
        let both = self.0.iter().filter_map(|(name, known)| Some((name, known, now.0.get(name)?)));
        let changes = both.flat_map(|(name, known, now)| {
            let differences = differences(&known.node, &now.node).into_iter();
            differences.map(|difference| ShapeChange::new(name, &difference))
        });
        changes.collect()
    }

    pub(super) fn of(shapes: impl Iterator<Item = (ShapeKey, Node)>) -> Self {
        Self(shapes.map(|(key, node)| (key.name(), Shape { key, node })).collect())
    }

    pub(super) fn each(&self) -> impl Iterator<Item = (&ShapeKey, &Node)> {
        self.0.values().map(|shape| (&shape.key, &shape.node))
    }
}

impl Shape {
    fn read(name: &str, places: &Value) -> Result<Self, ShapesError> {
        let wrong = |problem: &str| ShapesError::new(name, problem);
        let key = ShapeKey::parse(name)
            .ok_or_else(|| wrong("it is no endpoint: write it as `GET /v1/orders/{id} 2xx`"))?;
        let places = places.as_object().ok_or_else(|| wrong("it is no object of places"))?;
        if places.len() > MOST_PLACES {
            return Err(wrong(&format!("it has over {MOST_PLACES} places: take some out")));
        }
        let mut node = Node::default();
        for (pointer, place) in places {
            let wrong = |problem: String| ShapesError::new(format!("{name}, {pointer:?}"), problem);
            check_pointer(pointer).map_err(|problem| wrong(problem.to_owned()))?;
            read_place(pointer, place, &mut node).map_err(wrong)?;
        }
        let mut orphan = None;
        node.each(&mut |pointer, node, _| {
            if node.types.is_empty() && orphan.is_none() {
                orphan = Some(pointer.to_owned());
            }
        });
        match orphan {
            None => Ok(Self { key, node }),
            Some(pointer) => {
                Err(wrong(&format!("the place {pointer:?} is missing: add its types")))
            }
        }
    }
}

fn check_pointer(pointer: &str) -> Result<(), &'static str> {
    let steps = pointer.split('/');
    let is_key = |key: &str| key == ITEMS || key == ENTRIES || !(key.is_empty() || is_id_key(key));
    let is_known =
        pointer.is_empty() || (pointer.starts_with('/') && steps.clone().skip(1).all(is_key));
    match is_known && steps.count() <= DEEPEST {
        true => Ok(()),
        false => Err("it is no place: write it as `/data/*/price`, `{}` for keys that are ids"),
    }
}

/// Reads one line.
fn read_place(pointer: &str, place: &Value, into: &mut Node) -> Result<(), String> {
    let members = place.as_object().ok_or("it is no object with `types`")?;
    if let Some(other) = members.keys().find(|key| !KEYS.contains(&key.as_str())) {
        return Err(format!("there is no `{other}` here: there are {}", KEYS.join(", ")));
    }
    let (node, present) = into.place(pointer);
    for name in texts(members, "types")?.unwrap_or_default() {
        let known =
            Types::named(name).ok_or_else(|| format!("`types`: there is no type {name:?}"))?;
        node.types.add(known);
    }
    if node.types.is_empty() {
        return Err("`types` is missing: name one at least".to_owned());
    }
    node.objects = u64::from(node.types.contains(Types::OBJECT));
    let words = texts(members, "words")?.unwrap_or_default();
    if words.len() > MOST || !words.iter().all(|word| may_be_known(word)) {
        return Err(format!(
            "`words` are at most {MOST}, such as `card_declined`: take others out"
        ));
    }
    node.words = Words::of(words.into_iter().map(Into::into).collect::<BTreeSet<_>>());
    match (members.get("always"), present) {
        (None | Some(Value::Bool(false)), _) => Ok(()),
        (Some(Value::Bool(true)), Some(present)) => {
            *present = 1;
            Ok(())
        }
        (Some(Value::Bool(true)), None) => Err("only a field can be `always` there".to_owned()),
        (Some(_), _) => Err("`always` is neither true nor false".to_owned()),
    }
}

fn texts<'a>(members: &'a Map<String, Value>, key: &str) -> Result<Option<Vec<&'a str>>, String> {
    let Some(value) = members.get(key) else { return Ok(None) };
    let texts = value.as_array().and_then(|list| list.iter().map(Value::as_str).collect());
    let texts: Option<Vec<_>> = texts;
    texts.map(Some).ok_or_else(|| format!("`{key}` is no list of texts"))
}

fn written(node: &Node, is_always: bool) -> Value {
    let mut place = Map::new();
    place.insert("types".into(), node.types.names().collect());
    if is_always {
        place.insert("always".into(), true.into());
    }
    if !node.words.known.is_empty() {
        place.insert("words".into(), node.words.known.iter().map(|word| &**word).collect());
    }
    place.into()
}

const VERSION: u64 = 1;
const KEYS: [&str; 3] = ["types", "always", "words"];
/// As deep as JSON is read.
const DEEPEST: usize = 129;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::json_types::Types;
use super::words::Words;
use crate::redact::is_id_key;

/// What was seen at one place of answers, and below it.
///
/// All counts are of single values, and grow by adding. So it doesn't matter in which order answers come.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Node {
    pub(super) types: Types,
    /// How many objects there were.
    pub(super) objects: u64,
    pub(super) fields: BTreeMap<Box<str>, Field>,
    /// What all entries have in common of an object whose keys are ids, or too many for fields.
    pub(super) entries: Option<Box<Self>>,
    /// What all items of arrays have in common.
    pub(super) items: Option<Box<Self>>,
    pub(super) words: Words,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Field {
    pub(super) node: Node,
    /// How many objects have it.
    pub(super) present: u64,
}

/// How many places there may be yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Room(usize);

impl Node {
    /// What one answer has. An object that has fields in the shape that is `known` has fields here, whatever its
    /// keys are.
    pub(super) fn of(answer: &Value, known: Option<&Self>) -> Self {
        let mut node = Self::default();
        node.see(answer, known, &mut Room::new());
        node
    }

    /// Adds a value. Places for which there is no room are left out.
    fn see(&mut self, value: &Value, known: Option<&Self>, room: &mut Room) {
        self.types.add(Types::of(value));
        match value {
            Value::String(text) => self.words.see(text, room),
            Value::Array(values) => {
                let known = known.and_then(|known| known.items.as_deref());
                for value in values {
                    if let Some(items) = part(&mut self.items, room) {
                        items.see(value, known, room);
                    }
                }
            }
            Value::Object(members) => self.see_object(members, known, room),
            _ => {}
        }
    }

    fn see_object(&mut self, members: &Map<String, Value>, known: Option<&Self>, room: &mut Room) {
        self.objects = self.objects.saturating_add(1);
        let fixed = known.filter(|known| known.entries.is_none() && !known.fields.is_empty());
        let is_table = || members.len() > MOST_FIELDS || members.keys().any(|key| is_id_key(key));
        if fixed.is_none() && is_table() {
            self.fold(room);
        }
        for (key, value) in members {
            if fixed.is_some_and(|known| self.is_left_out(key, known)) {
                continue;
            }
            if self.entries.is_none() && !self.fields.contains_key(key.as_str()) {
                if !room.take() {
                    continue;
                }
                self.fields.insert(key.as_str().into(), Field::default());
                if fixed.is_none() && self.fields.len() > MOST_FIELDS {
                    self.fold(room);
                }
            }
            let known = known.and_then(|known| known.below(key));
            if let Some(entries) = &mut self.entries {
                entries.see(value, known, room);
            } else if let Some(field) = self.fields.get_mut(key.as_str()) {
                field.present = field.present.saturating_add(1);
                field.node.see(value, known, room);
            }
        }
    }

    /// Whether a key has no place beside the fields that are known: it is an id, or they are as many as an object
    /// may have.
    fn is_left_out(&self, key: &str, known: &Self) -> bool {
        let is_new = |key: &str| !known.fields.contains_key(key);
        let new = || self.fields.keys().filter(|key| is_new(key)).count();
        is_new(key)
            && !self.fields.contains_key(key)
            && (is_id_key(key) || known.fields.len() + new() >= MOST_FIELDS)
    }

    /// What is known of the values of this key.
    fn below(&self, key: &str) -> Option<&Self> {
        self.entries.as_deref().or_else(|| self.fields.get(key).map(|field| &field.node))
    }

    /// Makes entries of its fields.
    fn fold(&mut self, room: &mut Room) {
        let fields = std::mem::take(&mut self.fields);
        let Some(entries) = part(&mut self.entries, room) else {
            self.fields = fields;
            return;
        };
        for field in fields.into_values() {
            room.give(field.node.places());
            entries.join(field.node, room);
        }
    }

    /// Adds what was seen elsewhere.
    pub(super) fn join(&mut self, other: Self, room: &mut Room) {
        self.types.add(other.types);
        self.objects = self.objects.saturating_add(other.objects);
        self.words.join(other.words, room);
        join_part(&mut self.items, other.items, room);
        if other.entries.is_some() {
            self.fold(room);
        }
        join_part(&mut self.entries, other.entries, room);
        for (key, field) in other.fields {
            if let Some(entries) = &mut self.entries {
                entries.join(field.node, room);
                continue;
            }
            if !self.fields.contains_key(&key) && !room.take() {
                continue;
            }
            let own = self.fields.entry(key).or_default();
            own.present = own.present.saturating_add(field.present);
            own.node.join(field.node, room);
        }
        if self.fields.len() > MOST_FIELDS {
            self.fold(room);
        }
    }

    /// Adds what is new in an answer that came after the shape was learned: what is always there is known
    /// by then.
    pub(super) fn absorb(&mut self, mut answer: Self, room: &mut Room) {
        answer.forget_counts();
        answer.open_new(Some(self));
        self.join(answer, room);
    }

    /// The word that one answer has at a place that is new isn't one of a few.
    fn open_new(&mut self, known: Option<&Self>) {
        if known.is_none() {
            self.words.open();
        }
        for (key, field) in &mut self.fields {
            field.node.open_new(known.and_then(|known| known.below(key)));
        }
        for (own, known) in [
            (&mut self.items, known.and_then(|known| known.items.as_deref())),
            (&mut self.entries, known.and_then(|known| known.entries.as_deref())),
        ] {
            own.iter_mut().for_each(|own| own.open_new(known));
        }
    }

    fn forget_counts(&mut self) {
        self.objects = 0;
        for field in self.fields.values_mut() {
            field.present = 0;
            field.node.forget_counts();
        }
        self.items.iter_mut().chain(&mut self.entries).for_each(|part| part.forget_counts());
    }

    /// Keeps the words of those places only that have one of a few.
    pub(super) fn settle(&mut self, least: u64) {
        self.words.settle(least);
        self.fields.values_mut().for_each(|field| field.node.settle(least));
        self.items.iter_mut().chain(&mut self.entries).for_each(|part| part.settle(least));
    }

    /// What was seen at this place, if anything was.
    pub(super) fn find(&self, pointer: &str) -> Option<&Self> {
        let steps = pointer.split('/').skip(1);
        steps.into_iter().try_fold(self, |node, step| match step {
            ITEMS => node.items.as_deref(),
            ENTRIES => node.entries.as_deref(),
            key => node.fields.get(key).map(|field| &field.node),
        })
    }

    /// How many places it has, with its words.
    pub(super) fn places(&self) -> usize {
        let mut places = 0;
        self.each(&mut |_, node, _| places += 1 + node.words.known.len());
        places
    }

    /// The place at the end of these steps, made if there is none.
    pub(super) fn place(&mut self, pointer: &str) -> (&mut Self, Option<&mut u64>) {
        let (mut node, mut present) = (self, None);
        for step in pointer.split('/').skip(1) {
            (node, present) = match step {
                ITEMS => (&mut **node.items.get_or_insert_default(), None),
                ENTRIES => (&mut **node.entries.get_or_insert_default(), None),
                key => {
                    let field = node.fields.entry(key.into()).or_default();
                    (&mut field.node, Some(&mut field.present))
                }
            };
        }
        (node, present)
    }

    /// Calls `visit` with each place, what was seen there, and whether it is always there.
    pub(super) fn each<'a>(&'a self, visit: &mut impl FnMut(&str, &'a Self, bool)) {
        self.each_below(&mut String::new(), false, visit);
    }

    fn each_below<'a>(
        &'a self,
        at: &mut String,
        is_always: bool,
        visit: &mut impl FnMut(&str, &'a Self, bool),
    ) {
        visit(at, self, is_always);
        let parts = [(ITEMS, &self.items), (ENTRIES, &self.entries)];
        for (step, part) in parts.iter().filter_map(|(step, part)| Some((step, part.as_ref()?))) {
            below(at, step, |at| part.each_below(at, false, visit));
        }
        for (key, field) in &self.fields {
            let is_always = field.is_always(self);
            below(at, key, |at| field.node.each_below(at, is_always, visit));
        }
    }
}

impl Field {
    /// Whether every object has it.
    pub(super) fn is_always(&self, of: &Node) -> bool {
        self.present > 0 && self.present == of.objects
    }
}

impl Room {
    pub(super) fn new() -> Self {
        Self(MOST_PLACES)
    }

    /// What is left beside these places.
    pub(super) fn beside(node: &Node) -> Self {
        Self(MOST_PLACES.saturating_sub(node.places()))
    }

    pub(super) fn is_none(self) -> bool {
        self.0 == 0
    }

    pub(super) fn take(&mut self) -> bool {
        let is_there = self.0 > 0;
        self.0 -= usize::from(is_there);
        is_there
    }

    pub(super) fn give(&mut self, places: usize) {
        self.0 += places;
    }
}

/// Runs `run` one step further down.
pub(super) fn below<R>(at: &mut String, step: &str, run: impl FnOnce(&mut String) -> R) -> R {
    let length = at.len();
    at.push('/');
    at.push_str(step);
    let result = run(at);
    at.truncate(length);
    result
}

fn part<'a>(part: &'a mut Option<Box<Node>>, room: &mut Room) -> Option<&'a mut Node> {
    if part.is_none() && room.take() {
        *part = Some(Box::default());
    }
    part.as_deref_mut()
}

fn join_part(own: &mut Option<Box<Node>>, other: Option<Box<Node>>, room: &mut Room) {
    if let Some(other) = other
        && let Some(own) = part(own, room)
    {
        own.join(*other, room);
    }
}

/// The items of an array, in a pointer.
pub(super) const ITEMS: &str = "*";
/// The entries of an object whose keys are ids.
pub(super) const ENTRIES: &str = "{}";
/// Objects with more are tables, whose keys somebody else chose.
const MOST_FIELDS: usize = 50;
/// A large resource has some hundred.
pub(super) const MOST_PLACES: usize = 2_000;

//! What is different between a shape that is known and a newer one.

use std::fmt::Write;

use super::json_types::Types;
use super::node::{ENTRIES, ITEMS, Node, below};
use crate::terms::DriftKind;

/// One difference, and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Difference {
    pub(super) kind: DriftKind,
    pub(super) pointer: String,
    /// What is there now, of a type that changed.
    pub(super) types: Option<String>,
}

/// All differences. A field that was always there is "gone" if no object has it now.
pub(super) fn differences(known: &Node, now: &Node) -> Vec<Difference> {
    let mut comparison = Comparison { at: String::new(), found: Vec::new() };
    comparison.compare(known, now);
    comparison.found
}

struct Comparison {
    at: String,
    found: Vec<Difference>,
}

impl Comparison {
    fn compare(&mut self, known: &Node, now: &Node) {
        self.compare_types(known.types, now.types);
        if now.words.has_news_for(&known.words) {
            self.add(DriftKind::NewValue);
        }
        if let (Some(known), Some(now)) = (&known.items, &now.items) {
            self.below(ITEMS, known, now);
        }
        match &known.entries {
            Some(known) => {
                // Keys that look like fields today are ids all the same.
                let fields = now.fields.values().map(|field| &field.node);
                for now in fields.chain(now.entries.as_deref()) {
                    self.below(ENTRIES, known, now);
                }
            }
            None => self.compare_fields(known, now),
        }
    }

    fn compare_types(&mut self, known: Types, now: Types) {
        let (more, before) = (now.without(known), known.without(Types::NULL));
        // Where there was only null, anything may come.
        if before.is_empty() || more.is_empty() {
            return;
        }
        if more.contains(Types::NULL) {
            self.add(DriftKind::NewNull);
        }
        let more = more.without(Types::NULL);
        if !more.is_empty() {
            self.add(DriftKind::TypeChanged);
            let types = Some(format!("{more}, before: {before}"));
            self.found.last_mut().into_iter().for_each(|found| found.types.clone_from(&types));
        }
    }

    fn compare_fields(&mut self, known: &Node, now: &Node) {
        if !known.types.contains(Types::OBJECT) || now.objects == 0 || now.entries.is_some() {
            return;
        }
        for (key, field) in &now.fields {
            match known.fields.get(key) {
                Some(known) => self.below(key, &known.node, &field.node),
                None => below(&mut self.at, key, |at| {
                    self.found.push(Difference::new(DriftKind::NewField, at));
                }),
            }
        }
        let gone = known
            .fields
            .iter()
            .filter(|(key, field)| field.is_always(known) && !now.fields.contains_key(*key));
        for (key, _) in gone {
            below(&mut self.at, key, |at| {
                self.found.push(Difference::new(DriftKind::FieldGone, at));
            });
        }
    }

    fn below(&mut self, step: &str, known: &Node, now: &Node) {
        let length = self.at.len();
        let _ = write!(self.at, "/{step}");
        self.compare(known, now);
        self.at.truncate(length);
    }

    fn add(&mut self, kind: DriftKind) {
        self.found.push(Difference::new(kind, &self.at));
    }
}

impl Difference {
    pub(super) fn new(kind: DriftKind, pointer: &str) -> Self {
        Self { kind, pointer: pointer.to_owned(), types: None }
    }

    /// The place, and what is there now; the whole body has an empty pointer.
    pub(super) fn detail(&self) -> String {
        let place = if self.pointer.is_empty() { "the whole body" } else { &self.pointer };
        match &self.types {
            Some(types) => format!("{place} ({types})"),
            None => place.to_owned(),
        }
    }
}

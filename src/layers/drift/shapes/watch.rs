use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::compare::{Difference, differences};
use super::config::ShapeConfig;
use super::node::{Node, Room};
use crate::terms::DriftKind;

/// The shape of one endpoint's answers, from the first one on.
#[derive(Debug)]
pub(super) struct Watch {
    shape: Arc<Node>,
    room: Room,
    stage: Stage,
    /// The second in which answers are counted.
    second: Instant,
    in_second: u32,
}

#[derive(Debug)]
enum Stage {
    Learning { since: Instant, answers: u32 },
    Frozen(Frozen),
}

/// What may become a change.
#[derive(Debug, Default)]
struct Frozen {
    new: BTreeMap<String, New>,
    /// In how many answers in a row a field was missing that had always been there.
    missing: BTreeMap<String, u32>,
}

/// A field that was not learned.
#[derive(Debug, Default)]
struct New {
    answers: u32,
    present: u32,
}

/// An answer, as it is seen beside a shape.
#[derive(Debug)]
pub(super) struct Seen {
    node: Node,
    known: Option<Arc<Node>>,
}

impl Seen {
    pub(super) fn of(answer: &Value, known: Option<Arc<Node>>) -> Self {
        Self { node: Node::of(answer, known.as_deref()), known }
    }
}

impl Watch {
    pub(super) fn new(now: Instant) -> Self {
        let stage = Stage::Learning { since: now, answers: 0 };
        Self { shape: Arc::default(), room: Room::new(), stage, second: now, in_second: 0 }
    }

    /// One that is known already.
    pub(super) fn frozen(shape: Node, now: Instant) -> Self {
        let (room, stage) = (Room::beside(&shape), Stage::Frozen(Frozen::default()));
        Self { shape: Arc::new(shape), room, stage, ..Self::new(now) }
    }

    /// Whether to look at the next answer: the first ten in a second, and then every tenth.
    pub(super) fn samples(&mut self, now: Instant) -> bool {
        if now.saturating_duration_since(self.second) >= SECOND {
            (self.second, self.in_second) = (now, 0);
        }
        self.in_second = self.in_second.saturating_add(1);
        self.in_second <= ALL_UP_TO || self.in_second.is_multiple_of(ALL_UP_TO)
    }

    /// The shape, once it was learned: answers are [seen](Seen::of) beside it.
    pub(super) fn known(&self) -> Option<Arc<Node>> {
        match self.stage {
            Stage::Learning { .. } => None,
            Stage::Frozen(_) => Some(Arc::clone(&self.shape)),
        }
    }

    /// Takes an answer. Returns what has changed.
    pub(super) fn take(
        &mut self,
        answer: Seen,
        config: &ShapeConfig,
        now: Instant,
    ) -> Vec<Difference> {
        match &mut self.stage {
            Stage::Learning { since, answers } => {
                let shape = Arc::make_mut(&mut self.shape);
                shape.join(answer.node, &mut self.room);
                *answers += 1;
                let is_long = now.saturating_duration_since(*since) >= config.time;
                if *answers >= config.answers && is_long {
                    shape.settle(config.answers.into());
                    self.room = Room::beside(shape);
                    self.stage = Stage::Frozen(Frozen::default());
                }
                Vec::new()
            }
            Stage::Frozen(frozen) => {
                let Seen { node: seen, known } = answer;
                // The shape has changed meanwhile: there are other answers.
                if !known.is_some_and(|known| Arc::ptr_eq(&known, &self.shape)) {
                    return Vec::new();
                }
                let found = differences(&self.shape, &seen);
                let is_full = self.room.is_none();
                let changes = frozen.take(&found, &seen, config, is_full);
                if !found.is_empty() {
                    Arc::make_mut(&mut self.shape).absorb(seen, &mut self.room);
                }
                changes
            }
        }
    }

    /// The shape so far. Which fields have one of a few words is known only when it is learned.
    pub(super) fn shape(&self) -> Node {
        let mut shape = Node::clone(&self.shape);
        if matches!(self.stage, Stage::Learning { .. }) {
            shape.settle(u64::MAX);
        }
        shape
    }
}

impl Frozen {
    fn take(
        &mut self,
        found: &[Difference],
        seen: &Node,
        config: &ShapeConfig,
        is_full: bool,
    ) -> Vec<Difference> {
        let of = |kind| found.iter().filter(move |found| found.kind == kind);
        let room = if is_full { 0 } else { MOST_NEW.saturating_sub(self.new.len()) };
        for new in of(DriftKind::NewField).take(room) {
            self.new.insert(new.pointer.clone(), New::default());
        }
        let at_once = [DriftKind::TypeChanged, DriftKind::NewNull, DriftKind::NewValue];
        let mut changes: Vec<_> =
            found.iter().filter(|found| at_once.contains(&found.kind)).cloned().collect();
        changes.extend(self.new_fields(seen, config));
        changes.extend(self.gone(of(DriftKind::FieldGone), seen, config));
        changes
    }

    /// The fields that a tenth of the answers have. A field that fewer have is an optional one, which was
    /// not met while the shape was learned.
    fn new_fields(&mut self, seen: &Node, config: &ShapeConfig) -> Vec<Difference> {
        let mut changes = Vec::new();
        let least = config.answers.div_ceil(PART_WITH_NEW);
        self.new.retain(|pointer, new| {
            new.answers += 1;
            new.present += u32::from(seen.find(pointer).is_some());
            if new.present >= least {
                changes.push(Difference::new(DriftKind::NewField, pointer));
                return false;
            }
            new.answers < config.answers
        });
        changes
    }

    /// The fields that have been missing for as many answers as the shape was learned from.
    fn gone<'a>(
        &mut self,
        missing: impl Iterator<Item = &'a Difference>,
        seen: &Node,
        config: &ShapeConfig,
    ) -> Vec<Difference> {
        self.missing.retain(|pointer, _| seen.find(pointer).is_none());
        let mut changes = Vec::new();
        for found in missing {
            let answers = self.missing.entry(found.pointer.clone()).or_default();
            *answers = answers.saturating_add(1);
            if *answers == config.answers {
                changes.push(found.clone());
            }
        }
        changes
    }
}

const SECOND: Duration = Duration::from_secs(1);
/// In a second; and the part of those that come after.
const ALL_UP_TO: u32 = 10;
/// One in ten: of those that are in one answer of a hundred, a shape of 200 answers lacks an eighth.
const PART_WITH_NEW: u32 = 10;
/// More at a time are another API.
const MOST_NEW: usize = 100;

#[cfg(test)]
mod tests;

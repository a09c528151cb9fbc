use std::time::Duration;

use serde_json::Value;

use crate::backoff::{Backoff, Jitter, Steps};
use crate::settings::Ratio;
use crate::settings::raw::Raw;
use crate::settings::read::{Reader, Setting, no_such};
use crate::settings::section::{Table, section};
use crate::settings::values::text;

section! {
    /// `[retry.backoff]`: `base` and `factor`, or `base` and `step`, or `fixed`, or `schedule`.
    DelaySettings {
        base: Duration,
        factor: f64,
        step: Duration,
        fixed: Duration,
        schedule: Vec<Duration>,
        cap: Duration,
        jitter: Jitter,
    }
}

impl Table<Backoff> for DelaySettings {
    fn of(backoff: &Backoff) -> Self {
        let mut own = Self { cap: backoff.cap, jitter: Some(backoff.jitter), ..Self::default() };
        match &backoff.steps {
            Steps::Exponential { base, factor } => {
                (own.base, own.factor) = (Some(*base), Some(*factor));
            }
            Steps::Linear { base, step } => (own.base, own.step) = (Some(*base), Some(*step)),
            Steps::Fixed(delay) => own.fixed = Some(*delay),
            Steps::Schedule(delays) => own.schedule = Some(delays.clone()),
        }
        own
    }

    fn merge(&self, backoff: &mut Backoff, reader: &mut Reader<'_>) {
        let kinds = [self.base.is_some(), self.fixed.is_some(), self.schedule.is_some()];
        if kinds.into_iter().filter(|named| *named).count() > 1 {
            reader.wrong("`base`, `fixed` and `schedule` are three ways to wait: use one of them");
            return;
        }
        let jitter = self.jitter.unwrap_or(backoff.jitter);
        match (self.base, self.fixed, &self.schedule) {
            (_, Some(delay), _) => *backoff = Backoff::fixed(delay),
            (_, _, Some(delays)) => *backoff = Backoff::schedule(delays.iter().copied()),
            (Some(base), ..) => match &mut backoff.steps {
                Steps::Exponential { base: known, .. } | Steps::Linear { base: known, .. } => {
                    *known = base;
                }
                _ => *backoff = Backoff::exponential(base, backoff.longest().max(base)),
            },
            _ => {}
        }
        self.merge_growth(backoff, reader);
        if self.cap.is_some() {
            backoff.cap = self.cap;
        }
        // Other steps keep the jitter.
        backoff.jitter = jitter;
    }
}

impl DelaySettings {
    /// How delays grow from their base: by a factor or by a step.
    fn merge_growth(&self, backoff: &mut Backoff, reader: &mut Reader<'_>) {
        let base = match backoff.steps {
            Steps::Exponential { base, .. } | Steps::Linear { base, .. } => Some(base),
            Steps::Fixed(_) | Steps::Schedule(_) => None,
        };
        match (self.factor, self.step, base) {
            (None, None, _) => {}
            (Some(_), Some(_), _) => {
                reader.wrong("`factor` and `step` are two ways to grow: use one of them");
            }
            (Some(factor), None, Some(base)) => backoff.steps = Steps::Exponential { base, factor },
            (None, Some(step), Some(base)) => backoff.steps = Steps::Linear { base, step },
            (_, step, None) => {
                reader.under(if step.is_some() { "step" } else { "factor" }, |reader| {
                    reader.wrong("only delays that grow from a `base` have one");
                });
            }
        }
    }
}

/// A word, or a range of factors.
impl Setting for Jitter {
    fn read(value: &Raw, reader: &mut Reader<'_>) -> Option<Self> {
        let wanted = "one of full, equal, decorrelated, none, or a range such as \"50%..150%\"";
        let word = text(value, wanted, reader)?;
        if let Some((low, high)) = word.split_once("..") {
            let [low, high] = [low, high].map(|part| Raw::Text(part.into()));
            return Some(Self::scale(Ratio::read(&low, reader)?, Ratio::read(&high, reader)?));
        }
        let known = JITTERS.iter().find(|(name, _)| *name == word);
        if known.is_none() {
            let problem = no_such(word, &JITTERS.map(|(name, _)| name));
            reader.wrong(format!("{problem}; a range of factors is written as \"50%..150%\""));
        }
        known.map(|(_, jitter)| *jitter)
    }

    fn write(&self) -> Value {
        match self {
            Self::Scale { low, high } => format!("{low}..{high}").into(),
            word => {
                let known = JITTERS.iter().find(|(_, jitter)| jitter == word);
                known.map(|(name, _)| *name).into()
            }
        }
    }
}

/// The ways to spread that have a name alone.
const JITTERS: [(&str, Jitter); 4] = [
    ("full", Jitter::Full),
    ("equal", Jitter::Equal),
    ("decorrelated", Jitter::Decorrelated),
    ("none", Jitter::None),
];

//! The words that stand for the values of enums.

use serde_json::Value;

use crate::backoff::Jitter;
use crate::bulkhead::Way;
use crate::circuit_breaker::{Mode, Throttled, WhenOpen};
use crate::idempotency::{Form, Honoured, KeyedMethods, Minting};
use crate::integration::preset::Preset;
use crate::rate_limit::{Excess, Learning};
use crate::retry::{EmptyBudget, Rejections};
use crate::settings::Ratio;
use crate::settings::raw::Raw;
use crate::settings::read::{Reader, Setting, no_such};
use crate::settings::values::{text, words};

words! {
    Preset {
        Self::UserFlow => "user_flow" as Self::UserFlow,
        Self::Background => "background" as Self::Background,
    }
    Rejections {
        Self::Fail => "fail" as Self::Fail,
        Self::Wait => "wait" as Self::Wait,
    }
    EmptyBudget {
        Self::Fail => "fail" as Self::Fail,
        Self::Wait => "wait" as Self::Wait,
    }
    Mode {
        Self::Enforce => "enforce" as Self::Enforce,
        Self::ReportOnly => "report-only" as Self::ReportOnly,
    }
    WhenOpen {
        Self::Refuse => "refuse" as Self::Refuse,
        Self::Hold => "hold" as Self::Hold,
    }
    Throttled {
        Self::ProbesOnly => "probes-only" as Self::ProbesOnly,
        Self::Always => "always" as Self::Always,
        Self::Never => "never" as Self::Never,
    }
    Excess {
        Self::Reject => "reject" as Self::Reject,
        Self::Shape => "shape" as Self::Shape,
    }
    Learning {
        Self::On => "on" as Self::On,
        Self::Off => "off" as Self::Off,
    }
    Way {
        Self::Aimd => "aimd" as Self::Aimd,
        Self::Gradient => "gradient" as Self::Gradient,
    }
    Form {
        Self::Bare => "bare" as Self::Bare,
        Self::Quoted => "quoted" as Self::Quoted,
    }
    Honoured {
        Self::CallersOnly => "callers-only" as Self::CallersOnly,
        Self::All => "all" as Self::All,
    }
    KeyedMethods {
        Self::Unsafe => "unsafe" as Self::Unsafe,
        Self::Writing => "writing" as Self::Writing,
    }
    Minting {
        Self::Always => "always" as Self::Always,
        Self::CallersOnly => "callers-only" as Self::CallersOnly,
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

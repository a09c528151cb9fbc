use std::collections::HashMap;
use std::fmt;
use std::time::{Duration, Instant, SystemTime};

use http::uri::Authority;
use http::{Method, Uri};

use super::signal::Signal;
use crate::context::PathTemplate;
use crate::event::Drift;
use crate::terms::DriftKind;

/// Whose answers are compared: a host, a method, and the path's template where the request had one.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Endpoint {
    authority: Option<Authority>,
    pub(super) method: Method,
    pub(super) template: Option<PathTemplate>,
}

/// The time by both clocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Now {
    pub(super) at: Instant,
    pub(super) wall: SystemTime,
}

/// What was noticed, and of what it was told.
#[derive(Debug, Default)]
pub(super) struct State {
    known: HashMap<(Endpoint, DriftKind), Known>,
    media: HashMap<Endpoint, Vec<Box<str>>>,
}

#[derive(Debug)]
struct Known {
    drift: Drift,
    seen: Instant,
    /// What it said when it was told, within the last day.
    told: Vec<(Signal, Instant)>,
}

impl Endpoint {
    pub(super) fn new(uri: &Uri, method: &Method, template: Option<PathTemplate>) -> Self {
        Self { authority: uri.authority().cloned(), method: method.clone(), template }
    }

    fn name(&self) -> String {
        match &self.template {
            Some(template) => format!("{} {template}", self.method),
            None => self.method.to_string(),
        }
    }
}

impl State {
    /// The drift to tell of, if it is new, says something else, or was last told a day ago.
    pub(super) fn notice(&mut self, of: &Endpoint, signal: Signal, now: Now) -> Option<Drift> {
        let key = (of.clone(), signal.kind);
        if !self.known.contains_key(&key) && self.known.len() >= MOST {
            let oldest = self.known.iter().min_by_key(|(_, known)| known.seen);
            let oldest = oldest.map(|(key, _)| key.clone());
            oldest.map(|key| self.known.remove(&key));
        }
        let known = self.known.entry(key).or_insert_with(|| Known::new(of, signal.kind, now));
        known.say(signal, now)
    }

    /// The change of an endpoint's media type, if it is one. What it has been before is known.
    pub(super) fn media(&mut self, of: &Endpoint, essence: &str) -> Option<Signal> {
        of.template.as_ref()?;
        let Some(known) = self.media.get_mut(of) else {
            if self.media.len() < MOST {
                self.media.insert(of.clone(), vec![essence.into()]);
            }
            return None;
        };
        let is_known = known.iter().any(|known| known.eq_ignore_ascii_case(essence));
        if is_known || known.len() >= MOST_MEDIA {
            return None;
        }
        let before = known.join(", ");
        known.push(essence.into());
        Some(Signal::new(DriftKind::MediaType, format!("{essence}, before: {before}")))
    }

    /// All that was seen within a month: dates first, the earliest first.
    pub(super) fn drifts(&self, now: Now) -> Vec<Drift> {
        let is_recent = |known: &&Known| now.at.saturating_duration_since(known.seen) < KEPT;
        let recent = self.known.values().filter(is_recent);
        let mut drifts: Vec<_> = recent.map(|known| known.drift.clone()).collect();
        drifts.sort_by(|one, other| {
            let order = |drift: &Drift| (drift.at.is_none(), drift.at);
            let names = |drift: &Drift| (drift.host.clone(), drift.endpoint.clone());
            order(one)
                .cmp(&order(other))
                .then_with(|| names(one).cmp(&names(other)))
                .then_with(|| one.kind.name().cmp(other.kind.name()))
        });
        drifts
    }

    /// What was noticed is told anew when it is seen again.
    pub(super) fn forget(&mut self) {
        self.known.clear();
    }
}

impl Known {
    fn new(of: &Endpoint, kind: DriftKind, now: Now) -> Self {
        let drift = Drift {
            kind,
            host: of.authority.as_ref().map(|authority| authority.host().to_owned()),
            endpoint: of.name(),
            at: None,
            detail: None,
            first_seen: now.wall,
            last_seen: now.wall,
        };
        Self { drift, seen: now.at, told: Vec::new() }
    }

    fn say(&mut self, signal: Signal, now: Now) -> Option<Drift> {
        self.seen = now.at;
        self.drift.last_seen = now.wall;
        self.told.retain(|(_, at)| now.at.saturating_duration_since(*at) < TOLD_AGAIN);
        // Of the dates of a day the earliest is listed, else what was said last.
        let told = self.told.iter().map(|(told, _)| told);
        let dated = told.chain([&signal]).filter(|signal| signal.at.is_some());
        let listed = dated.min_by_key(|signal| signal.at).unwrap_or(&signal).clone();
        (self.drift.at, self.drift.detail) = (listed.at, listed.detail);
        if self.told.iter().any(|(told, _)| *told == signal) || self.told.len() >= MOST_TOLD {
            return None;
        }
        let Signal { at, detail, .. } = signal.clone();
        self.told.push((signal, now.at));
        Some(Drift { at, detail, ..self.drift.clone() })
    }
}

/// The host may stand beside a password.
impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Endpoint").field(&self.name()).finish()
    }
}

/// Endpoints and kinds. Few APIs have more, and a thousand take some hundred kilobytes.
const MOST: usize = 1_000;
/// JSON, and two files: an endpoint with more has no usual one.
const MOST_MEDIA: usize = 3;
/// A text with a date or an id in it is another one each time.
const MOST_TOLD: usize = 8;
/// Once in each day's log.
const TOLD_AGAIN: Duration = Duration::from_secs(24 * 3600);
/// Longer than between two runs of a monthly job.
const KEPT: Duration = Duration::from_secs(35 * 24 * 3600);

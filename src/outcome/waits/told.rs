use std::time::Duration;

use http::header::RETRY_AFTER;
use http::{Extensions, HeaderMap, HeaderName};

use super::facts::{LimitFacts, Resource, named};
use super::rows::{LimitHeader, Row, Says, may_be_known};
use super::times::{Now, number, wait, whole_seconds};
use crate::outcome::SharedClassifier;
use crate::rt::Clock;
use crate::terms::Class;

/// The waits and limits that one answer announces.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Told {
    pub(crate) limits: LimitFacts,
    /// The longest explicit wait.
    asked: Option<Duration>,
    /// A wait was asked for, explicitly or not.
    asks: bool,
    /// The time between two requests, if only a rate is announced.
    interval: Option<Duration>,
    /// The provider's only resource that a refusal concerns.
    bucket: Option<Resource>,
    is_global: bool,
}

/// The wait that a refusal asked for, saved on the answer for outer layers.
#[derive(Clone, Copy, Debug)]
struct Asked(Duration);

impl Told {
    /// Whether any of these headers may announce a wait or a limit, by their names.
    pub(crate) fn may_be_in(headers: &HeaderMap, own: &[(HeaderName, LimitHeader)]) -> bool {
        let mut names = headers.keys();
        names.any(|name| {
            may_be_known(name.as_str().as_bytes()) || LimitHeader::find(own, name).is_some()
        })
    }

    /// Reads the headers. If there are none of interest, only their names are checked. `own` are
    /// the user's headers, which take precedence over built-in ones.
    pub(crate) fn read(
        headers: &HeaderMap,
        own: &[(HeaderName, LimitHeader)],
        clock: &Clock,
    ) -> Self {
        let (mut told, now) = (Self::default(), Now::of(headers, clock));
        let mut resource = None;
        for (name, value) in headers {
            let row = LimitHeader::find(own, name).map(Row::own);
            let Some(row) = row.or_else(|| Row::of(name.as_str())) else { continue };
            // A number is never that long, so longer values are ignored.
            let text = value.to_str().ok().filter(|text| text.len() <= LONGEST_TEXT);
            told.asks |= name == RETRY_AFTER;
            let Some(text) = text else { continue };
            match row.says {
                Says::State => told.limits.read_state(text),
                Says::Policies => told.limits.read_policies(text),
                Says::Leaky => told.limits.read_leaky(text),
                Says::Resource => resource = Some(Resource::Named(named(text.trim()))),
                Says::Global => told.is_global |= matches!(text.trim(), "true" | "global"),
                Says::This(LimitHeader::Bucket) => told.bucket = Some(bucket(text)),
                Says::This(LimitHeader::Rate) => told.interval = interval(text),
                Says::This(says @ (LimitHeader::Wait | LimitHeader::WaitMillis)) => {
                    told.asked = told.asked.max(wait(text, says.unit(), &now));
                }
                Says::This(says) => told.limits.read(says, row.of, text, &now),
            }
        }
        told.asks |= told.asked.is_some();
        told.limits.join_unnamed();
        for fact in told.limits.0.iter_mut().flatten() {
            fact.resource = told.bucket.or(resource);
            if (fact.remaining, fact.reset) == (Some(0), Some(Duration::ZERO)) {
                // The rest of a second, rounded down.
                fact.reset = Some(Duration::from_secs(1));
            }
        }
        told
    }

    /// How long the provider asks its callers to wait, from now. For a refusal, its limits count
    /// too.
    ///
    /// In this order: an explicit wait; the latest reset of an exhausted limit; the reset of the
    /// limit with the least left; the time between two requests.
    pub(crate) fn wait(&self, class: Class) -> Option<Duration> {
        let asked = self.asked.filter(|asked| !asked.is_zero());
        let of_limits = || self.spent().or_else(|| self.nearest()).or(self.interval);
        let wait = match class {
            Class::Throttled => asked.or_else(of_limits),
            _ => asked,
        };
        wait.or(self.asked)
    }

    /// Whether an ambiguous answer is about a limit: it asks for a wait, or a limit is exhausted.
    pub(crate) fn is_refusal(&self) -> bool {
        self.asks || self.spent().is_some()
    }

    /// Whether a limit is exhausted, whenever it is reset.
    pub(crate) fn has_nothing_left(&self) -> bool {
        self.limits.iter().any(|fact| fact.remaining == Some(0))
    }

    /// The provider's resource that a refusal concerns, if it is only one: the named bucket, or the
    /// exhausted resource.
    pub(crate) fn refused_resource(&self) -> Option<Resource> {
        if let Some(bucket) = self.bucket {
            return (!self.is_global).then_some(bucket);
        }
        let asks = self.asked.is_some_and(|asked| !asked.is_zero());
        let spent = self.limits.iter().find(|fact| fact.remaining == Some(0));
        spent.filter(|fact| !asks && fact.reset.is_some())?.resource
    }

    fn spent(&self) -> Option<Duration> {
        let spent = self.limits.all().filter(|fact| fact.remaining == Some(0));
        spent.filter_map(super::LimitFact::ends_within).max()
    }

    fn nearest(&self) -> Option<Duration> {
        let told = self.limits.all().filter(|fact| fact.reset.is_some());
        let nearest = told.min_by(|one, other| one.share_left().total_cmp(&other.share_left()));
        nearest?.reset
    }

    /// Saves the wait on the answer, so that outer layers needn't read it again.
    pub(crate) fn leave(&self, class: Class, extensions: &mut Extensions) {
        if let Some(wait) = self.wait(class) {
            extensions.insert(Asked(wait));
        }
    }
}

/// How long an answer of this class asks its callers to wait. It is read once.
pub(crate) fn wait_of(
    by: &SharedClassifier,
    class: Class,
    headers: &HeaderMap,
    extensions: &mut Extensions,
    clock: &Clock,
) -> Option<Duration> {
    if let Some(wait) = wait_left(extensions) {
        return Some(wait);
    }
    let told = Told::read(headers, by.limit_headers(), clock);
    told.leave(class, extensions);
    told.wait(class)
}

/// The wait that was saved on an answer, by who knows more of it than its headers say.
pub(crate) fn wait_left(extensions: &Extensions) -> Option<Duration> {
    extensions.get().map(|Asked(wait)| *wait)
}

/// Saves a recommended wait on an answer that asked for none.
pub(crate) fn leave_wait(extensions: &mut Extensions, wait: Duration) {
    extensions.insert(Asked(wait));
}

fn bucket(text: &str) -> Resource {
    Resource::Bucket(named(text.trim()))
}

/// From one request to the next, by so many a second: of rates that are under one a second, whole
/// seconds, because they are told with few digits.
fn interval(text: &str) -> Option<Duration> {
    let rate = number(text.trim()).filter(|rate| *rate > 0.0)?;
    let interval = Duration::try_from_secs_f64(1.0 / rate).ok()?;
    Some(if interval > Duration::from_secs(1) { whole_seconds(interval) } else { interval })
}

/// Longer than all known providers' policies.
const LONGEST_TEXT: usize = 1_024;

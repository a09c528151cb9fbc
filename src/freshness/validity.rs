use std::time::Duration;

use http::{HeaderMap, StatusCode};

use super::age::{Moments, TimedHeaders};
use super::directives::Directives;

/// How long a stored answer may be used, and in which cases beyond that.
#[derive(Clone, Debug)]
pub(crate) struct Validity {
    times: TimedHeaders,
    directives: Directives,
    /// The settings may lend it freshness and windows, if it says nothing itself.
    is_lendable: bool,
    /// Without a word about freshness it may be guessed.
    is_guessable: bool,
}

/// What the settings add to what providers say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Windows {
    /// The lifetime of answers that name none.
    pub(crate) fresh_for: Option<Duration>,
    /// For how long past its lifetime an answer is given while it is fetched anew, if it doesn't say.
    pub(crate) stale_while_revalidate: Duration,
    /// For how long past its lifetime an answer stands in for an error, at least.
    pub(crate) stale_if_error: Duration,
}

/// What to do with a stored answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    /// It is fresh: give it.
    Fresh,
    /// It is stale: give it, and fetch it anew in the background.
    Refresh,
    /// It is stale, and the request accepts that.
    Accepted,
    /// The provider must be asked.
    Ask,
}

/// By whose word a stored answer may stand in for a failure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Failure {
    /// It is an error by RFC 5861, 4: the windows of headers hold.
    pub(crate) by_header: bool,
    /// The settings name it: their window holds.
    pub(crate) by_setting: bool,
}

impl Failure {
    /// By all words that there are.
    pub(crate) const ANY: Self = Self { by_header: true, by_setting: true };
}

impl Validity {
    pub(crate) fn new(status: StatusCode, headers: &HeaderMap, times: TimedHeaders) -> Self {
        let directives = Directives::of(headers);
        let is_guessable = is_heuristic(status) || directives.public;
        Self { times, directives, is_lendable: is_lendable(status), is_guessable }
    }

    pub(crate) fn times(&self) -> &TimedHeaders {
        &self.times
    }

    pub(crate) fn directives(&self) -> &Directives {
        &self.directives
    }

    /// Whether it says itself how long it is fresh.
    pub(super) fn is_explicit(&self) -> bool {
        self.explicit().is_some()
    }

    pub(super) fn is_guessable(&self) -> bool {
        self.is_guessable
    }

    pub(crate) fn age(&self, now: &Moments) -> Duration {
        self.times.age(now)
    }

    /// How long it is fresh, from when it was made.
    pub(crate) fn lifetime(&self, windows: &Windows) -> Duration {
        let lent = || self.lent(windows).fresh_for;
        let guessed = || Some(self.times.heuristic).filter(|_| self.is_guessable);
        self.explicit().or_else(lent).or_else(guessed).unwrap_or_default()
    }

    /// What to do with it at this age, for a request with these directives.
    pub(crate) fn plan(&self, asked: &Directives, windows: &Windows, age: Duration) -> Plan {
        let lifetime = self.lifetime(windows);
        let too_old = asked.max_age.is_some_and(|most| age >= most);
        if self.directives.no_cache || asked.no_cache || too_old {
            return Plan::Ask;
        }
        let staleness = age.saturating_sub(lifetime);
        match age < lifetime {
            true if lifetime - age >= asked.min_fresh.unwrap_or_default() => return Plan::Fresh,
            true => return Plan::Ask,
            false if !self.may_be_stale() => return Plan::Ask,
            false => {}
        }
        if asked.max_stale.is_some_and(|most| staleness <= most) {
            return Plan::Accepted;
        }
        let is_lenient = asked.max_age.is_none() && asked.min_fresh.is_none();
        let window = self.directives.stale_while_revalidate;
        match is_lenient && staleness < window.unwrap_or(self.lent(windows).stale_while_revalidate)
        {
            true => Plan::Refresh,
            false => Plan::Ask,
        }
    }

    /// Whether it may be given in place of a failure.
    pub(crate) fn stands_in(
        &self,
        failure: Failure,
        asked: &Directives,
        windows: &Windows,
        now: &Moments,
    ) -> bool {
        if asked.no_cache || !self.may_be_stale() {
            return false;
        }
        let told = [self.directives.stale_if_error, asked.stale_if_error];
        let told = told.into_iter().filter(|_| failure.by_header).flatten();
        let set = Some(self.lent(windows).stale_if_error).filter(|_| failure.by_setting);
        let window = told.chain(set).max().unwrap_or_default();
        self.age(now).saturating_sub(self.lifetime(windows)) < window
    }

    /// For how long it may be of use past its lifetime.
    pub(super) fn longest_window(&self, windows: &Windows) -> Duration {
        let told = [self.directives.stale_while_revalidate, self.directives.stale_if_error];
        let windows = self.lent(windows);
        let set = [windows.stale_while_revalidate, windows.stale_if_error];
        let longest = told.into_iter().flatten().chain(set).max().unwrap_or_default();
        if self.may_be_stale() { longest } else { Duration::ZERO }
    }

    pub(crate) fn may_be_stale(&self) -> bool {
        !self.directives.no_cache && !self.directives.must_revalidate
    }

    fn lent(&self, windows: &Windows) -> Windows {
        if self.is_lendable { *windows } else { Windows::default() }
    }

    fn explicit(&self) -> Option<Duration> {
        self.directives.max_age.or(self.times.by_expires)
    }
}

/// Statuses whose lifetime may be guessed (RFC 9110, 15.1), without 206.
pub(super) fn is_heuristic(status: StatusCode) -> bool {
    matches!(status.as_u16(), 200 | 203 | 204 | 300 | 301 | 308 | 404 | 405 | 410 | 414 | 501)
}

/// Statuses to which the settings may lend a lifetime: what isn't there may be there soon, and who asks for
/// it asks the provider.
fn is_lendable(status: StatusCode) -> bool {
    is_heuristic(status) && !status.is_client_error() && !status.is_server_error()
}

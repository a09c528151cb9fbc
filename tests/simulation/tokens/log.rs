//! What happened in a world.

use std::time::{Duration, Instant};

use http::Method;

/// A fetch, as the issuer saw it.
#[derive(Clone, Debug)]
pub(crate) struct Fetch {
    pub(crate) tenant: u8,
    pub(crate) began: Instant,
    /// Absent while it runs.
    pub(crate) ended: Option<Instant>,
    /// What it gave; absent if it failed, or was given up.
    pub(crate) token: Option<Given>,
    /// Somebody invalidated what it would bring.
    pub(crate) is_void: bool,
}

/// A token that the issuer gave.
#[derive(Clone, Debug)]
pub(crate) struct Given {
    pub(crate) name: String,
    pub(crate) lifetime: Duration,
    /// The provider knows it.
    pub(crate) is_right: bool,
}

/// A request that reached the provider.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) call: usize,
    pub(crate) at: Instant,
    pub(crate) token: String,
    pub(crate) status: u16,
}

/// A call, and what came of it.
#[derive(Clone, Debug)]
pub(crate) struct Called {
    pub(crate) tenant: u8,
    pub(crate) method: Method,
    pub(crate) began: Instant,
    /// Its requests, by their places in the log.
    pub(crate) sent: Vec<usize>,
    /// Absent if its caller has left.
    pub(crate) end: Option<(Instant, End)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Answered(u16),
    NoToken,
    Failed(String),
}

#[derive(Clone, Debug)]
pub(crate) struct Log {
    pub(crate) began: Instant,
    /// When all was planned to be well again.
    pub(crate) well_from: Instant,
    pub(crate) lifetime: Duration,
    pub(crate) serve_expired: Option<Duration>,
    pub(crate) fetches: Vec<Fetch>,
    pub(crate) sent: Vec<Sent>,
    pub(crate) calls: Vec<Called>,
    /// What people did to a tenant's token.
    pub(crate) acts: Vec<(u8, Instant, Acted)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Acted {
    Invalidated,
    Renewed,
}

impl Fetch {
    /// From when on its token isn't sent any more, if the layer may take it at all.
    pub(crate) fn hard(&self) -> Option<Instant> {
        let token = self.token.as_ref().filter(|token| token.lifetime >= Duration::from_secs(1))?;
        let margin = (token.lifetime / 10).min(Duration::from_secs(30));
        let hard = self.began + token.lifetime - margin;
        (!self.is_void && self.ended? < hard).then_some(hard)
    }
}

impl Log {
    pub(crate) fn of_tenant(&self, tenant: u8) -> impl DoubleEndedIterator<Item = &Fetch> {
        self.fetches.iter().filter(move |fetch| fetch.tenant == tenant)
    }

    /// The fetch whose token the layer has at this time, if that lives, and nobody took it back.
    pub(crate) fn present(&self, tenant: u8, at: Instant) -> Option<&Fetch> {
        let has_ended = |fetch: &&Fetch| fetch.ended.is_some_and(|ended| ended < at);
        let mut fetches = self.of_tenant(tenant).filter(|fetch| fetch.hard().is_some());
        let last = fetches.by_ref().rfind(has_ended)?;
        let came = last.ended?;
        let is_gone = self.acts.iter().any(|(whose, when, act)| {
            *whose == tenant && *act == Acted::Invalidated && (came..=at).contains(when)
        });
        (last.hard()? > at && !is_gone).then_some(last)
    }

    pub(crate) fn attempts(&self, call: usize) -> impl DoubleEndedIterator<Item = &Sent> {
        self.calls[call].sent.iter().map(|at| &self.sent[*at])
    }

    /// How many calls were served, refused, left without a token, repeated.
    pub(crate) fn count(&self, kind: usize) -> usize {
        let ended =
            |end: End| move |called: &&Called| called.end.as_ref().is_some_and(|it| it.1 == end);
        match kind {
            0 => self.calls.iter().filter(ended(End::Answered(200))).count(),
            1 => self.calls.iter().filter(ended(End::Answered(401))).count(),
            2 => self.calls.iter().filter(ended(End::NoToken)).count(),
            _ => (0..self.calls.len()).filter(|call| self.attempts(*call).count() > 1).count(),
        }
    }

    /// All of it in the order of time, a line each.
    pub(crate) fn lines(&self) -> Vec<String> {
        let since = |at: &Instant| *at - self.began;
        let mut lines: Vec<(Duration, String)> = Vec::new();
        for Fetch { tenant, began, ended, token, .. } in &self.fetches {
            lines.push((since(began), format!("a fetch for {tenant}")));
            let came = token.as_ref().map(|token| (&token.name, token.lifetime));
            lines.extend(
                ended.iter().map(|at| (since(at), format!("it ends for {tenant}: {came:?}"))),
            );
        }
        for Sent { call, at, token, status } in &self.sent {
            lines.push((since(at), format!("call {call} sends {token}: {status}")));
        }
        for (number, Called { tenant, method, began, end, .. }) in self.calls.iter().enumerate() {
            lines.push((since(began), format!("call {number}, {method} of {tenant}")));
            lines
                .extend(end.iter().map(|(at, end)| (since(at), format!("call {number}: {end:?}"))));
        }
        for (tenant, at, act) in &self.acts {
            lines.push((since(at), format!("{tenant} is {act:?}")));
        }
        // Those who wait for one fetch go on in any order.
        lines.sort();
        lines.into_iter().map(|(at, line)| format!("{at:>12?}  {line}")).collect()
    }
}

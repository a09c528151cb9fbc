//! The issuer and the provider of a world.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use outrigger::testing::{Answer, Script, SeenRequest};
use outrigger::token::{Token, TokenError};

use super::log::{Fetch, Given, Log, Sent};
use super::spec::{IssuerMode, ProviderMode, Spec};
use crate::clock::{self, millis, secs};

/// Both, and what they wrote down.
#[derive(Clone)]
pub(crate) struct Parties {
    spec: Arc<Spec>,
    log: Arc<Mutex<Log>>,
}

/// The number of a call, as an extension of its request.
#[derive(Clone, Copy)]
pub(crate) struct Number(pub(crate) usize);

impl Parties {
    pub(crate) fn new(spec: &Spec) -> Self {
        let began = clock::now();
        let log = Log {
            began,
            well_from: began + spec.end(),
            lifetime: spec.lifetime,
            serve_expired: spec.serve_expired,
            fetches: Vec::new(),
            sent: Vec::new(),
            calls: Vec::new(),
            acts: Vec::new(),
        };
        Self { spec: Arc::new(spec.clone()), log: Arc::new(Mutex::new(log)) }
    }

    pub(crate) fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) async fn issue(self, tenant: u8) -> Result<Token, TokenError> {
        let fetch = Running::begin(self, tenant);
        let mode = fetch.parties.issuer_mode();
        match mode {
            IssuerMode::Late(time) | IssuerMode::Down(time) => clock::wait(time).await,
            IssuerMode::Hangs => std::future::pending().await,
            _ => clock::wait(millis(50)).await,
        }
        match mode {
            IssuerMode::Down(_) => Err(TokenError::transient("down")),
            IssuerMode::Refuses => Err(TokenError::settled("refused")),
            mode => Ok(fetch.give(mode)),
        }
    }

    pub(crate) fn provider(&self) -> Script {
        let parties = self.clone();
        Script::by(move |request| {
            let status = parties.judge(request);
            Answer::status(status).after(SERVICE_TIME)
        })
    }

    fn judge(&self, request: &SeenRequest) -> u16 {
        let token = request.headers().get("authorization").map(|value| value.to_str().unwrap());
        let token = token.unwrap_or_default().trim_start_matches("Bearer ").to_owned();
        let Number(call) = *request.extensions().get::<Number>().expect("a call has a number");
        let (now, mut log) = (clock::now(), self.log());
        let status = self.status(&log, &token, now);
        let at = log.sent.len();
        log.calls[call].sent.push(at);
        log.sent.push(Sent { call, at: now, token, status });
        status
    }

    fn status(&self, log: &Log, token: &str, now: Instant) -> u16 {
        let (mode, since) = self.provider_mode(log.began, now);
        let mut made = log.fetches.iter().filter(|fetch| {
            fetch.token.as_ref().is_some_and(|given| given.name == token && given.is_right)
        });
        let Some((first, last)) = made.clone().next().zip(made.next_back()) else { return 401 };
        let lives = last.token.as_ref().map_or(Duration::ZERO, |given| given.lifetime);
        let has_ended = last.began + lives <= now && mode != ProviderMode::Tolerates;
        let made = first.ended.unwrap_or(now);
        match mode {
            ProviderMode::Forbids => 403,
            ProviderMode::RefusesAll => 401,
            ProviderMode::Revokes if made < since => 401,
            ProviderMode::RefusesYounger(age) if now < made + age => 401,
            _ if has_ended => 401,
            _ => 200,
        }
    }

    fn issuer_mode(&self) -> IssuerMode {
        let since = clock::now() - self.log().began;
        let mode = self.spec.issuer.iter().find(|(until, _)| since < *until);
        mode.map_or(IssuerMode::Well, |(_, mode)| *mode)
    }

    /// What it does now, and since when.
    fn provider_mode(&self, began: Instant, now: Instant) -> (ProviderMode, Instant) {
        let mut since = began;
        for (until, mode) in &self.spec.provider {
            if now < began + *until {
                return (*mode, since);
            }
            since = began + *until;
        }
        (ProviderMode::Well, since)
    }
}

/// A fetch that runs. It has ended also if it was given up.
struct Running {
    parties: Parties,
    at: usize,
}

impl Running {
    fn begin(parties: Parties, tenant: u8) -> Self {
        let mut log = parties.log();
        let (began, at) = (clock::now(), log.fetches.len());
        log.fetches.push(Fetch { tenant, began, ended: None, token: None, is_void: false });
        drop(log);
        Self { parties, at }
    }

    fn give(&self, mode: IssuerMode) -> Token {
        let now = clock::now();
        let mut log = self.parties.log();
        let (tenant, began) = (log.fetches[self.at].tenant, log.fetches[self.at].began);
        let before = log.of_tenant(tenant).rev().find_map(|fetch| {
            let given = fetch.token.as_ref().filter(|given| given.lifetime > Duration::ZERO)?;
            Some((given.clone(), (fetch.began + given.lifetime).saturating_duration_since(began)))
        });
        let given = match (mode, before) {
            (IssuerMode::Repeats, Some((given, lifetime))) => Given { lifetime, ..given },
            _ => Given {
                name: format!("{tenant}-{}", self.at),
                lifetime: if mode == IssuerMode::Ended { secs(0) } else { log.lifetime },
                is_right: mode != IssuerMode::Wrong,
            },
        };
        log.fetches[self.at].ended = Some(now);
        log.fetches[self.at].token = Some(given.clone());
        Token::new(given.name).expires_in(given.lifetime)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let now = clock::now();
        self.parties.log().fetches[self.at].ended.get_or_insert(now);
    }
}

/// How long the provider takes.
pub(crate) const SERVICE_TIME: Duration = millis(20);

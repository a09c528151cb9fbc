//! What a world of tokens is: plain data, all of it drawn from one seed.

use std::time::Duration;

use http::Method;

use crate::clock::{millis, secs};
use crate::provider::chance::Chance;

#[derive(Clone, Debug)]
pub(crate) struct Spec {
    pub(crate) seed: u64,
    /// Each has a token of its own; none: one for all.
    pub(crate) tenants: u8,
    pub(crate) lifetime: Duration,
    pub(crate) serve_expired: Option<Duration>,
    /// What the issuer does, and until when. After that all is well, as with the provider.
    pub(crate) issuer: Vec<(Duration, IssuerMode)>,
    pub(crate) provider: Vec<(Duration, ProviderMode)>,
    /// By when they begin.
    pub(crate) calls: Vec<CallSpec>,
    pub(crate) acts: Vec<(Duration, Act)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IssuerMode {
    Well,
    /// It takes so long.
    Late(Duration),
    /// Errors that end by themselves, after so long.
    Down(Duration),
    /// Errors that only people can end.
    Refuses,
    Hangs,
    /// Tokens that have ended.
    Ended,
    /// Tokens that the provider doesn't take.
    Wrong,
    /// The token of before, as long as that lives.
    Repeats,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProviderMode {
    Well,
    /// All that were made before this phase are refused.
    Revokes,
    /// Tokens that are younger are refused.
    RefusesYounger(Duration),
    /// All are refused.
    RefusesAll,
    /// 403, whatever the token.
    Forbids,
    /// Ended tokens, too.
    Tolerates,
}

#[derive(Clone, Debug)]
pub(crate) struct CallSpec {
    pub(crate) at: Duration,
    pub(crate) tenant: u8,
    pub(crate) method: Method,
    /// The caller leaves after so long.
    pub(crate) patience: Option<Duration>,
}

/// What people do to a tenant's token.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Act {
    Invalidate(u8),
    Renew(u8),
}

impl Spec {
    pub(crate) fn of(seed: u64) -> Self {
        let mut chance = Chance::new(seed);
        let lifetime = secs(chance.pick(&[5, 60, 300, 3600]));
        let length = lifetime * chance.pick(&[1, 2, 3]) + secs(120);
        let tenants = chance.pick(&[0, 0, 1, 3]);
        let serve_expired = chance.hits(0.3).then(|| lifetime / 2 + secs(10));
        let issuer = phases(length, &mut chance, issuer_mode);
        let provider = phases(length, &mut chance, provider_mode);
        let calls = calls(length, tenants, &mut chance);
        let acts = acts(length, tenants, &mut chance);
        Self { seed, tenants, lifetime, serve_expired, issuer, provider, calls, acts }
    }

    /// When all that was planned is over.
    pub(crate) fn end(&self) -> Duration {
        let last = |phases: Option<Duration>| phases.unwrap_or_default();
        let issuer = last(self.issuer.last().map(|(until, _)| *until));
        issuer.max(last(self.provider.last().map(|(until, _)| *until)))
    }
}

fn phases<M>(
    length: Duration,
    chance: &mut Chance,
    mode: fn(&mut Chance) -> M,
) -> Vec<(Duration, M)> {
    let number = chance.between(1, 5) as u32;
    let mut until = Duration::ZERO;
    let mut phases = Vec::new();
    for _ in 0..number {
        until += chance.time(length / number / 4, length / number);
        phases.push((until, mode(chance)));
    }
    phases
}

fn issuer_mode(chance: &mut Chance) -> IssuerMode {
    match chance.between(0, 9) {
        0..=2 => IssuerMode::Well,
        3 => IssuerMode::Late(chance.pick(&[secs(1), secs(3), millis(4_900), secs(8)])),
        4 => IssuerMode::Down(chance.pick(&[millis(0), millis(50), secs(2)])),
        5 => IssuerMode::Refuses,
        6 => IssuerMode::Hangs,
        7 => IssuerMode::Ended,
        8 => IssuerMode::Wrong,
        _ => IssuerMode::Repeats,
    }
}

fn provider_mode(chance: &mut Chance) -> ProviderMode {
    match chance.between(0, 7) {
        0..=2 => ProviderMode::Well,
        3 => ProviderMode::Revokes,
        4 => ProviderMode::RefusesYounger(chance.pick(&[secs(1), secs(10), secs(90)])),
        5 => ProviderMode::RefusesAll,
        6 => ProviderMode::Forbids,
        _ => ProviderMode::Tolerates,
    }
}

/// Calls in all of it, some at once, some after a silence.
fn calls(length: Duration, tenants: u8, chance: &mut Chance) -> Vec<CallSpec> {
    let most = length / chance.pick(&[60, 150, 300]) * 2;
    let (mut at, mut calls) = (Duration::ZERO, Vec::new());
    while at < length {
        let burst = if chance.hits(0.1) { chance.between(2, 20) } else { 1 };
        for _ in 0..burst {
            calls.push(CallSpec {
                at,
                tenant: chance.between(0, u64::from(tenants.saturating_sub(1))) as u8,
                method: chance.pick(&[Method::GET, Method::POST]),
                patience: chance.hits(0.1).then(|| chance.time(millis(0), secs(3))),
            });
        }
        at += match chance.hits(0.02) {
            true => length / 4,
            false => chance.time(millis(1), most),
        };
    }
    calls
}

fn acts(length: Duration, tenants: u8, chance: &mut Chance) -> Vec<(Duration, Act)> {
    let number = if chance.hits(0.5) { 0 } else { chance.between(1, 4) };
    let act = |chance: &mut Chance| {
        let tenant = chance.between(0, u64::from(tenants.saturating_sub(1))) as u8;
        let act = if chance.hits(0.5) { Act::Invalidate(tenant) } else { Act::Renew(tenant) };
        (chance.time(Duration::ZERO, length), act)
    };
    (0..number).map(|_| act(chance)).collect()
}

//! The promises, over what happened.

use std::time::{Duration, Instant};

use http::Method;

use super::log::{Called, End, Fetch, Log, Sent};
use super::parties::SERVICE_TIME;
use crate::clock::{millis, secs};

/// The first promise that was broken, in words.
pub(crate) fn all(log: &Log) -> Result<(), String> {
    fetches(log)?;
    for sent in &log.sent {
        carried(log, sent)?;
    }
    for (number, called) in log.calls.iter().enumerate() {
        repetitions(log, number, called)?;
        if let Some((at, end)) = &called.end {
            outcome(log, number, called, *at, end)?;
        }
    }
    recovery(log)
}

/// One at a time for a tenant, and none sooner after another than a back-off's least, unless that one brought what had
/// been refused while it ran.
fn fetches(log: &Log) -> Result<(), String> {
    let mut tenants: Vec<_> = log.fetches.iter().map(|fetch| fetch.tenant).collect();
    tenants.dedup();
    for tenant in tenants {
        let fetches: Vec<_> = log.of_tenant(tenant).collect();
        for pair in fetches.windows(2) {
            let ended = pair[0].ended.expect("a fetch ends");
            holds(ended <= pair[1].began, || format!("two fetches at once for {tenant}"))?;
            let asked = log.acts.iter().any(|(whose, at, _)| {
                *whose == tenant && (pair[0].began..=pair[1].began).contains(at)
            });
            let least = match pair[0].hard() {
                Some(hard) => hard.min(ended + LEAST),
                None => ended + LEAST,
            };
            let in_time = pair[1].began >= least || asked || was_refused(log, pair[0]);
            holds(in_time, || {
                format!("{tenant} is fetched {:?} after a fetch", pair[1].began - ended)
            })?;
        }
        let lived = fetches.last().map_or(Duration::ZERO, |last| last.began - log.began);
        let most = 60 + (lived.as_secs_f64() / log.lifetime.as_secs_f64() * 1.6) as usize;
        // Back-offs grow to 15 s on average.
        let most = most + (lived.as_secs() / 6) as usize;
        holds(fetches.len() <= most, || {
            format!("{} fetches for {tenant}, over {most}", fetches.len())
        })?;
    }
    Ok(())
}

/// Whether the provider refused, while a fetch ran, the token that it brought again.
fn was_refused(log: &Log, fetch: &Fetch) -> bool {
    let (Some(given), Some(ended)) = (&fetch.token, fetch.ended) else { return false };
    let ran = |sent: &Sent| sent.at <= ended && sent.at + SERVICE_TIME >= fetch.began;
    let mut refused = log.sent.iter().filter(|sent| sent.status == 401 && sent.token == given.name);
    refused.any(|sent| ran(sent) && log.calls[sent.call].tenant == fetch.tenant)
}

/// No request has a token of another tenant, one that was taken back, or one that ended too long ago.
fn carried(log: &Log, sent: &Sent) -> Result<(), String> {
    let tenant = log.calls[sent.call].tenant;
    let of = |fetch: &&Fetch| fetch.token.as_ref().is_some_and(|token| token.name == sent.token);
    let fetch = log.of_tenant(tenant).filter(|fetch| fetch.hard().is_some()).rfind(of);
    let fetch = fetch.ok_or_else(|| format!("call {} has no token of its tenant's", sent.call))?;
    let hard = fetch.hard().expect("it was looked at");
    let longer = log.serve_expired.unwrap_or_default();
    holds(sent.at < hard + longer + SLACK, || format!("call {} has an ended token", sent.call))?;
    if sent.at >= hard + SLACK {
        let before =
            log.of_tenant(tenant).rfind(|fetch| fetch.ended.is_some_and(|at| at <= sent.at));
        let is_down = before.is_some_and(|fetch| fetch.hard().is_none());
        holds(is_down, || {
            format!("call {} has an ended token, and the issuer is well", sent.call)
        })?;
    }
    let came = fetch.ended.expect("it was looked at");
    let is_gone = log.acts.iter().any(|(whose, at, act)| {
        *whose == tenant
            && *act == super::log::Acted::Invalidated
            && came < *at
            && *at + SLACK < sent.at
    });
    holds(!is_gone, || format!("call {} has a token that was taken back", sent.call))
}

/// A request is sent once, and once more if its token was refused. What the attempt's limit cut may be
/// repeated as ever: not a POST.
fn repetitions(log: &Log, number: usize, called: &Called) -> Result<(), String> {
    let attempts: Vec<_> = log.attempts(number).collect();
    for pair in attempts.windows(2) {
        let [first, second] = [pair[0], pair[1]];
        let is_cut = second.at < first.at + SERVICE_TIME;
        let may_be = if is_cut { called.method == Method::GET } else { first.status == 401 };
        holds(may_be, || {
            format!("call {number}, a {}, was repeated after {}", called.method, first.status)
        })?;
        holds(
            is_cut || first.token != second.token || renewed(log, called.tenant, first, second),
            || format!("call {number} was repeated with the refused token"),
        )?;
    }
    let answered = attempts.windows(2).filter(|pair| pair[1].at >= pair[0].at + SERVICE_TIME);
    holds(answered.count() <= 1, || format!("call {number} was sent {} times", attempts.len()))
}

/// Whether the issuer gave the same token again in between.
fn renewed(log: &Log, tenant: u8, first: &Sent, second: &Sent) -> bool {
    let between = |at: Instant| (first.at..=second.at).contains(&at);
    log.of_tenant(tenant).any(|fetch| fetch.ended.is_some_and(between))
}

fn outcome(
    log: &Log,
    number: usize,
    called: &Called,
    at: Instant,
    end: &End,
) -> Result<(), String> {
    let Called { tenant, began, .. } = *called;
    if let Some(present) = good_throughout(log, tenant, began, at) {
        let name = present.token.as_ref().map(|token| &token.name);
        holds(matches!(end, End::Answered(_)), || {
            format!("call {number} has {end:?}, though {name:?} lives")
        })?;
        holds(at <= began + SERVICE_TIME + SLACK, || {
            format!("call {number} took {:?}, though {name:?} lives", at - began)
        })?;
    }
    let last = log.attempts(number).next_back();
    match (end, last) {
        (End::Answered(status), Some(last)) => holds(*status == last.status, || {
            format!("call {number} got {status}, not {}", last.status)
        }),
        (End::Answered(_), None) => Err(format!("call {number} was answered by nobody")),
        (End::NoToken | End::Failed(_), Some(Sent { status: 401, .. }) | None) => Ok(()),
        (End::Failed(_), Some(last)) if at < last.at + SERVICE_TIME => Ok(()),
        (End::NoToken | End::Failed(_), Some(last)) => {
            Err(format!("call {number} has {end:?}, but was answered {}", last.status))
        }
    }?;
    refused(log, number, called, end)
}

/// The first refusal of a token that is old enough gets another token.
fn refused(log: &Log, number: usize, called: &Called, end: &End) -> Result<(), String> {
    let attempts: Vec<_> = log.attempts(number).collect();
    let [only] = attempts[..] else { return Ok(()) };
    if *end != End::Answered(401) {
        return Ok(());
    }
    let answered = only.at + SERVICE_TIME;
    let present = log.present(called.tenant, answered);
    let carried =
        |fetch: &Fetch| fetch.token.as_ref().is_some_and(|token| token.name == only.token);
    let is_newer = present.is_some_and(|present| !carried(present));
    holds(!is_newer, || format!("call {number} got a 401, though there was a newer token"))?;
    let is_first = log.sent.iter().all(|sent| {
        let same = log.calls[sent.call].tenant == called.tenant && sent.status == 401;
        !same || sent.at >= only.at
    });
    let last = log.of_tenant(called.tenant).rfind(|fetch| fetch.began <= answered);
    let is_old = last.is_some_and(|last| {
        carried(last) && last.ended.is_some_and(|ended| ended + secs(60) <= answered)
    });
    holds(!(is_first && is_old), || {
        format!("call {number}'s old token was refused, and not replaced")
    })
}

/// The token that a tenant has at both times, and that nobody has refused.
fn good_throughout(log: &Log, tenant: u8, began: Instant, ended: Instant) -> Option<&Fetch> {
    let present = log.present(tenant, began)?;
    let still = log.present(tenant, ended + SLACK)?;
    let name = &present.token.as_ref()?.name;
    let is_refused = log.sent.iter().any(|sent| sent.token == *name && sent.status == 401);
    (std::ptr::eq(present, still) && !is_refused).then_some(present)
}

/// When all is well, all calls are, after a while.
fn recovery(log: &Log) -> Result<(), String> {
    let from = log.well_from + WELL_AFTER;
    let late = log.calls.iter().enumerate().filter(|(_, called)| called.began >= from);
    for (number, called) in late {
        let is_well = called.end.as_ref().is_some_and(|(_, end)| *end == End::Answered(200));
        holds(is_well || called.end.is_none(), || {
            format!("call {number} isn't well again: {:?}", called.end)
        })?;
    }
    Ok(())
}

fn holds(holds: bool, broken: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(broken()) }
}

/// What timers may take of virtual time.
const SLACK: Duration = millis(5);
/// The shortest back-off.
const LEAST: Duration = millis(99);
/// As long as the longest wait between two fetches that refusals force, and a back-off of a settled error.
const WELL_AFTER: Duration = secs(700);

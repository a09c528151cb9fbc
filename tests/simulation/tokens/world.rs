//! Runs a world of tokens, and writes down what happens.

use std::borrow::Cow;
use std::time::Duration;

use http::Request;
use outrigger::context::RequestHead;
use outrigger::outcome::Rejection;
use outrigger::rt::{Clock, Rng};
use outrigger::token::{TokenHandle, TokenLayer};
use outrigger::{Body, ErrorKind, Integration};
use tokio::task::JoinSet;

use super::log::{Acted, Called, End, Log};
use super::parties::{Number, Parties};
use super::spec::{Act, CallSpec, Spec};
use crate::clock::{self, secs};
use crate::provider::plan::epoch;

#[derive(Clone, Copy)]
struct Tenant(u8);

/// In a runtime of its own, whose time is paused.
pub(crate) fn run(spec: &Spec) -> Log {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build().expect("a runtime");
    runtime.block_on(async {
        let parties = Parties::new(spec);
        let crm = build(spec, &parties);
        let mut tasks = JoinSet::new();
        for call in &spec.calls {
            tasks.spawn(make(crm.clone(), parties.clone(), call.clone()));
        }
        for (at, act) in &spec.acts {
            tasks.spawn(take(crm.clone(), parties.clone(), *at, *act));
        }
        // When all is well again, each tenant calls until it surely is.
        for tenant in 0..spec.tenants.max(1) {
            let later = (0..RECOVERY / 5).map(|nth| spec.end() + secs(nth * 5));
            for at in later {
                let call = CallSpec { at, tenant, method: http::Method::GET, patience: None };
                tasks.spawn(make(crm.clone(), parties.clone(), call));
            }
        }
        while let Some(ended) = tasks.join_next().await {
            ended.expect("no panic");
        }
        // A fetch may still run.
        clock::wait(secs(10)).await;
        parties.log().clone()
    })
}

fn build(spec: &Spec, parties: &Parties) -> Integration {
    let each = parties.clone();
    let layer = match spec.tenants {
        0 => TokenLayer::new(move |_| each.clone().issue(0)),
        _ => TokenLayer::keyed(10, secs(3600), tenant_of, move |tenant| {
            let (each, tenant) = (each.clone(), tenant.parse().expect("a number"));
            move |_| each.clone().issue(tenant)
        }),
    };
    let layer = match spec.serve_expired {
        Some(limit) => layer.serve_expired(limit),
        None => layer,
    };
    let rng = || Rng::seeded(spec.seed);
    Integration::user_flow("crm")
        .without_bulkhead()
        .retry(|retry| retry.rng(rng()))
        .breaker(|breaker| breaker.rng(rng()))
        .token(layer.rng(rng()).clock(Clock::anchored(epoch())))
        .service(parties.provider())
        .build()
        .expect("settings that work")
}

fn tenant_of<'a>(head: &RequestHead<'a>) -> Cow<'a, str> {
    head.extensions.get::<Tenant>().map_or("".into(), |tenant| tenant.0.to_string().into())
}

async fn make(crm: Integration, parties: Parties, spec: CallSpec) {
    clock::wait(spec.at).await;
    let CallSpec { tenant, method, patience, .. } = spec;
    let number = {
        let mut log = parties.log();
        let began = clock::now();
        let (method, sent) = (method.clone(), Vec::new());
        log.calls.push(Called { tenant, method, began, sent, end: None });
        log.calls.len() - 1
    };
    let request = Request::builder().method(method).uri("http://crm.test/calls");
    let mut request = request.body(Body::from("an order")).expect("a request");
    request.extensions_mut().insert(Number(number));
    request.extensions_mut().insert(Tenant(tenant));
    let call = crm.send(request);
    let result = match patience {
        None => Some(call.await),
        Some(patience) => clock::within(patience, call).await,
    };
    let end = result.map(|result| match result {
        Ok(answer) => End::Answered(answer.status().as_u16()),
        Err(error) if error.kind() == ErrorKind::Rejected(Rejection::NoToken) => End::NoToken,
        Err(error) => End::Failed(error.to_string()),
    });
    parties.log().calls[number].end = end.map(|end| (clock::now(), end));
}

async fn take(crm: Integration, parties: Parties, at: Duration, act: Act) {
    clock::wait(at).await;
    let (Act::Invalidate(tenant) | Act::Renew(tenant)) = act;
    let Some(token) = handle(&crm, tenant) else { return };
    let mut log = parties.log();
    let acted = match act {
        Act::Invalidate(_) => {
            let running = log.fetches.iter_mut().filter(|fetch| fetch.tenant == tenant);
            running.filter(|fetch| fetch.ended.is_none()).for_each(|fetch| fetch.is_void = true);
            Acted::Invalidated
        }
        Act::Renew(_) => Acted::Renewed,
    };
    log.acts.push((tenant, clock::now(), acted));
    drop(log);
    match act {
        Act::Invalidate(_) => token.invalidate(),
        Act::Renew(_) => token.renew(),
    }
}

fn handle(crm: &Integration, tenant: u8) -> Option<TokenHandle> {
    crm.token().or_else(|| crm.keyed_tokens()?.get(&tenant.to_string()))
}

/// In seconds: as long as the longest wait between two fetches that refusals force, and a back-off.
const RECOVERY: u64 = 750;

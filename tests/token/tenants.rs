//! A token for each tenant.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use futures_util::future::join_all;
use http::Request;
use outrigger::context::RequestHead;
use outrigger::control::{Credential, KeyedTokensHealth, Status};
use outrigger::outcome::Rejection;
use outrigger::testing::{Answer, Script};
use outrigger::token::{TokenError, TokenFailure, TokenLayer, TokenReason, TokenState};
use outrigger::{Body, Error, ErrorKind, Integration};

use crate::bench::{Issuer, get, millis, secs, token_of};

#[derive(Clone)]
struct Tenant(&'static str);

/// An issuer for each tenant, which a test controls.
#[derive(Clone, Default)]
struct Issuers(Arc<Mutex<HashMap<String, Issuer>>>);

impl Issuers {
    fn of(&self, tenant: &str) -> Issuer {
        let mut known = self.0.lock().unwrap();
        let make = || {
            let issuer = Issuer::default();
            issuer.named(tenant);
            issuer
        };
        known.entry(tenant.to_owned()).or_insert_with(make).clone()
    }

    fn layer(&self, most: usize) -> TokenLayer {
        let issuers = self.clone();
        TokenLayer::keyed(most, secs(3600), tenant_of, move |tenant| {
            assert_ne!(tenant, "unknown", "there is no such tenant");
            let issuer = issuers.of(tenant);
            move |request| {
                let issuer = issuer.clone();
                async move { issuer.issue(request).await }
            }
        })
    }
}

pub(crate) fn tenant_of<'a>(head: &RequestHead<'a>) -> Cow<'a, str> {
    match head.extensions.get::<Tenant>() {
        Some(Tenant("panics")) => panic!("no tenant of mine"),
        tenant => tenant.map_or("", |tenant| tenant.0).into(),
    }
}

fn crm(issuers: &Issuers, provider: &Script) -> Integration {
    Integration::user_flow("crm")
        .service(provider.clone())
        .without_bulkhead()
        .token(issuers.layer(100))
        .build()
        .unwrap()
}

fn of(tenant: &'static str) -> Request<Body> {
    let mut request = get();
    request.extensions_mut().insert(Tenant(tenant));
    request
}

pub(crate) async fn send(crm: &Integration, tenant: &'static str) -> Result<u16, Error> {
    Ok(crm.send(of(tenant)).await?.status().as_u16())
}

pub(crate) fn ok() -> Script {
    Script::new([Answer::status(200)])
}

fn last_token(provider: &Script) -> String {
    provider.requests().last().map(token_of).unwrap()
}

#[tokio::test(start_paused = true)]
async fn each_tenant_has_a_token_of_its_own_and_one_fetch_at_a_time() {
    let (issuers, provider) = (Issuers::default(), ok());
    let crm = crm(&issuers, &provider);
    let tenants = ["acme", "globex"];
    let calls = join_all((0..100).map(|nth| send(&crm, tenants[nth % 2]))).await;
    assert!(calls.iter().all(|call| *call.as_ref().unwrap() == 200));
    for tenant in tenants {
        assert_eq!((issuers.of(tenant).begun(), issuers.of(tenant).most_at_once()), (1, 1));
        let of_tenant = format!("{tenant} t1");
        let carried = provider.requests().iter().filter(|it| token_of(it) == of_tenant).count();
        assert_eq!(carried, 50);
    }
    assert!(crm.token().is_none());
    let mut keys = crm.keyed_tokens().unwrap().keys();
    keys.sort_unstable();
    assert_eq!(keys, tenants);
}

#[tokio::test(start_paused = true)]
async fn a_tenant_whose_issuer_fails_harms_no_other_and_health_says_the_worst() {
    let (issuers, provider) = (Issuers::default(), ok());
    let crm = crm(&issuers, &provider);
    let none = crm.health();
    assert_eq!((none.token, none.keyed_tokens), (None, Some(KeyedTokensHealth::default())));
    issuers.of("acme").fail(TokenError::needs_login("somebody at acme has to log in"));
    send(&crm, "globex").await.unwrap();
    let error = send(&crm, "acme").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Rejected(Rejection::NoToken));
    send(&crm, "globex").await.unwrap();
    let health = crm.health();
    let keyed = health.keyed_tokens.unwrap();
    assert_eq!((health.status, keyed.keys, keyed.failing), (Status::Degraded, 2, 1));
    let worst = health.token.unwrap();
    assert_eq!((worst.state, worst.failure), (TokenState::Failing, Some(TokenFailure::NeedsLogin)));
    // That of the other tenant.
    assert_eq!(health.expiries.len(), 1);
    assert_eq!(health.expiries[0].credential, Credential::Token);
    crm.check().await.unwrap();
    let tokens = crm.keyed_tokens().unwrap();
    assert_eq!(tokens.get("globex").unwrap().state(), TokenState::Fresh);
    assert!(tokens.get("initech").is_none());
    tokens.get("acme").unwrap().renew();
    tokens.get("acme").unwrap().ready().await.unwrap();
    assert_eq!(send(&crm, "acme").await.unwrap(), 200);
    assert_eq!(crm.health().status, Status::Up);
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_and_an_invalidated_one_are_replaced_for_their_tenant_only() {
    let issuers = Issuers::default();
    let provider = Script::by(|request| {
        Answer::status(if token_of(request) == "acme t1" { 401 } else { 200 })
    });
    let crm = crm(&issuers, &provider);
    let _refused_while_new = send(&crm, "acme").await;
    send(&crm, "globex").await.unwrap();
    tokio::time::sleep(secs(600)).await;
    assert_eq!(send(&crm, "acme").await.unwrap(), 200);
    assert_eq!(issuers.of("acme").reasons(), [TokenReason::First, TokenReason::Refused]);
    let tokens = crm.keyed_tokens().unwrap();
    tokens.get("globex").unwrap().invalidate();
    for (tenant, token) in [("globex", "globex t2"), ("acme", "acme t2")] {
        send(&crm, tenant).await.unwrap();
        assert_eq!(last_token(&provider), token);
    }
    assert_eq!((issuers.of("acme").begun(), issuers.of("globex").begun()), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_invalidated_while_it_is_fetched_is_never_sent() {
    let (issuers, provider) = (Issuers::default(), ok());
    let crm = crm(&issuers, &provider);
    let call = tokio::spawn({
        let crm = crm.clone();
        async move { send(&crm, "acme").await }
    });
    tokio::time::sleep(millis(50)).await;
    crm.keyed_tokens().unwrap().get("acme").unwrap().invalidate();
    assert_eq!(call.await.unwrap().unwrap(), 200);
    assert_eq!((last_token(&provider).as_str(), issuers.of("acme").most_at_once()), ("acme t2", 1));
}

#[tokio::test(start_paused = true)]
async fn no_more_tokens_are_kept_than_allowed_and_a_forgotten_one_is_fetched_again() {
    let (issuers, provider) = (Issuers::default(), ok());
    let layer = issuers.layer(3);
    let crm = Integration::user_flow("crm").service(provider).token(layer).build().unwrap();
    for tenant in ["a", "b", "c", "a", "d", "a", "b"] {
        send(&crm, tenant).await.unwrap();
        tokio::time::sleep(millis(10)).await;
        assert!(crm.keyed_tokens().unwrap().keys().len() <= 3);
    }
    assert_eq!(
        [("a", 1), ("b", 2), ("c", 1), ("d", 1)].map(|(tenant, _)| issuers.of(tenant).begun()),
        [1, 2, 1, 1]
    );
}

#[tokio::test(start_paused = true)]
async fn users_code_that_panics_harms_only_its_own_calls() {
    let (issuers, provider) = (Issuers::default(), ok());
    let crm = crm(&issuers, &provider);
    let error = send(&crm, "unknown").await.unwrap_err();
    assert!(error.to_string().ends_with("the issuer's code panicked"), "{error}");
    // As a request without a tenant.
    send(&crm, "panics").await.unwrap();
    assert_eq!(last_token(&provider), " t1");
    assert_eq!(send(&crm, "acme").await.unwrap(), 200);
}

#[tokio::test(start_paused = true)]
async fn integrations_share_tokens_if_a_handle_was_taken_before() {
    for is_shared in [true, false] {
        let issuers = Issuers::default();
        let layer = issuers.layer(10);
        let handle = is_shared.then(|| layer.keyed_handle());
        for _ in 0..2 {
            let crm = Integration::user_flow("crm").service(ok()).token(layer.clone());
            send(&crm.build().unwrap(), "acme").await.unwrap();
        }
        assert_eq!(issuers.of("acme").begun(), if is_shared { 1 } else { 2 });
        drop(handle);
    }
}

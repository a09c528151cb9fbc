//! Refresh tokens that change with each use: none is lost.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use outrigger::outcome::Rejection;
use outrigger::testing::{Answer, Script};
use outrigger::token::oauth::{MemoryStore, RefreshToken, StoredToken, TokenStore};
use outrigger::token::{Issuer, Token, TokenError, TokenLayer, TokenReason, TokenRequest};
use outrigger::{Error, ErrorKind, Integration};

use crate::bench::secs;
use crate::tenants::{ok, send, tenant_of};

/// An answer that brings the refresh token of this number.
fn rotated(number: u32) -> Answer {
    Answer::status(200).body(format!(r#"{{"access_token":"a","refresh_token":"r{number}"}}"#))
}

fn login<T: TokenStore>(issuer: &Script, store: T) -> RefreshToken<Script, T> {
    RefreshToken::new(issuer.clone(), "http://login.test/token", "shop", store)
}

/// A fetch, as long as the layer allows.
async fn fetch(login: &impl Issuer) -> Option<Result<Token, TokenError>> {
    let request = TokenRequest::new(TokenReason::First);
    tokio::time::timeout(Duration::from_secs(5), login.issue(request)).await.ok()
}

/// The refresh tokens that the issuer saw.
fn used(issuer: &Script) -> Vec<String> {
    let form = |body: &[u8]| std::str::from_utf8(body).unwrap().to_owned();
    let token = |form: String| {
        let mut pairs = form.split('&').filter_map(|pair| pair.strip_prefix("refresh_token="));
        pairs.next().unwrap().to_owned()
    };
    issuer.requests().iter().map(|request| token(form(request.body()))).collect()
}

#[tokio::test(start_paused = true)]
async fn an_answer_after_the_fetch_was_given_up_is_stored() {
    let issuer = Script::new([rotated(2).after(Duration::from_secs(6)), rotated(3)]);
    let store = MemoryStore::new("r1");
    let login = login(&issuer, store.clone());
    assert!(fetch(&login).await.is_none());
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(store.load().await.unwrap(), StoredToken::new("r2", 2));
    // The access token that came with it is as good as another, for a while.
    let _ = fetch(&login).await.unwrap().unwrap();
    assert_eq!(used(&issuer), ["r1"]);
    let _ = fetch(&login).await.unwrap().unwrap();
    assert_eq!(used(&issuer), ["r1", "r2"]);
}

#[tokio::test(start_paused = true)]
async fn a_slow_issuers_token_is_there_for_the_next_fetch_and_lives_from_its_own_request() {
    let slow = |number: u32| {
        let text =
            format!(r#"{{"access_token":"a","expires_in":3600,"refresh_token":"r{number}"}}"#);
        Answer::status(200).body(text).after(Duration::from_secs(6))
    };
    let issuer = Script::new([slow(2), slow(3)]);
    let login = login(&issuer, MemoryStore::new("r1"));
    assert!(fetch(&login).await.is_none());
    // It waits for the first one's request.
    let token = fetch(&login).await.unwrap().unwrap();
    assert_eq!(format!("{token:?}"), "Token { lifetime: For(3595s), .. }");
    // One that replaces a refused token asks the issuer, and so does one that comes late.
    for (pause, reason) in [(2, TokenReason::Refused), (62, TokenReason::First)] {
        let before = issuer.begun();
        assert!(fetch(&login).await.is_none());
        tokio::time::sleep(Duration::from_secs(pause)).await;
        let asking = login.issue(TokenRequest::new(reason));
        assert!(tokio::time::timeout(Duration::from_secs(7), asking).await.is_ok());
        assert_eq!(issuer.begun(), before + 2, "{reason:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_that_came_late_is_not_given_to_another_login() {
    let issuer = Script::new([rotated(2).after(Duration::from_secs(6)), rotated(3)]);
    let store = MemoryStore::new("r1");
    let login = login(&issuer, store.clone());
    assert!(fetch(&login).await.is_none());
    tokio::time::sleep(Duration::from_secs(2)).await;
    let present = store.load().await.unwrap();
    assert!(store.compare_and_swap(&present, "another".into()).await.unwrap());
    let _ = fetch(&login).await.unwrap().unwrap();
    assert_eq!(used(&issuer), ["r1", "another"]);
}

#[tokio::test(start_paused = true)]
async fn an_issuer_that_never_answers_holds_the_lease_for_a_minute() {
    let issuer = Script::new([Answer::hang(), rotated(2)]);
    let store = MemoryStore::new("r1");
    let login = login(&issuer, store.clone());
    assert!(fetch(&login).await.is_none());
    // No second request while the first may bring the next refresh token.
    assert!(fetch(&login).await.is_none());
    assert_eq!(used(&issuer), ["r1"]);
    tokio::time::sleep(Duration::from_secs(51)).await;
    let _ = fetch(&login).await.unwrap().unwrap();
    assert_eq!(store.load().await.unwrap(), StoredToken::new("r2", 2));
}

/// A store in which the first writes fail: by a panic, or by an error.
#[derive(Clone)]
struct Failing(MemoryStore, Arc<Mutex<Vec<&'static str>>>);

impl Failing {
    fn new(refresh_token: &str, failures: &[&'static str]) -> Self {
        Self(MemoryStore::new(refresh_token), Arc::new(Mutex::new(failures.to_vec())))
    }
}

impl TokenStore for Failing {
    type Lease = <MemoryStore as TokenStore>::Lease;

    async fn lease(&self) -> Result<Self::Lease, TokenError> {
        self.0.lease().await
    }

    async fn load(&self) -> Result<StoredToken, TokenError> {
        self.0.load().await
    }

    async fn compare_and_swap(
        &self,
        present: &StoredToken,
        next: String,
    ) -> Result<bool, TokenError> {
        let failure = self.1.lock().unwrap().pop();
        match failure {
            Some("panic") => panic!("a planned panic"),
            Some(error) => Err(TokenError::transient(error)),
            None => self.0.compare_and_swap(present, next).await,
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_refresh_token_that_could_not_be_stored_is_stored_by_the_next_fetch() {
    let issuer = Script::new([rotated(2), rotated(3)]);
    let store = Failing::new("r1", &["disk full", "panic", "disk full"]);
    let login = login(&issuer, store.clone());
    let why =
        |fetched: Option<Result<Token, TokenError>>| fetched.unwrap().unwrap_err().to_string();
    assert_eq!(why(fetch(&login).await), "disk full");
    assert!(why(fetch(&login).await).contains("panicked"));
    assert_eq!(why(fetch(&login).await), "disk full");
    // The issuer isn't asked for more that can't be stored.
    assert_eq!(used(&issuer), ["r1"]);
    let _ = fetch(&login).await.unwrap().unwrap();
    assert_eq!(used(&issuer), ["r1", "r2"]);
    assert_eq!(store.load().await.unwrap(), StoredToken::new("r3", 3));
}

#[tokio::test(start_paused = true)]
async fn a_login_is_not_replaced_by_what_could_not_be_stored_before() {
    let issuer = Script::new([rotated(2), rotated(8)]);
    let store = Failing::new("r1", &["disk full"]);
    let login = login(&issuer, store.clone());
    assert!(fetch(&login).await.unwrap().is_err());
    store.0.replace("r7");
    let _ = fetch(&login).await.unwrap().unwrap();
    assert_eq!(used(&issuer), ["r1", "r7"]);
}

#[tokio::test]
async fn what_another_wrote_under_the_same_version_is_not_overwritten() {
    let store = MemoryStore::new("r1");
    let mine = StoredToken::new("r1", 1);
    assert_eq!((mine.refresh_token(), mine.version()), ("r1", 1));
    assert!(!store.compare_and_swap(&StoredToken::new("r0", 1), "r9".into()).await.unwrap());
    assert!(!store.compare_and_swap(&StoredToken::new("r1", 0), "r9".into()).await.unwrap());
    assert_eq!(store.load().await.unwrap(), mine);
    assert!(store.compare_and_swap(&mine, "r2".into()).await.unwrap());
    assert_eq!(store.load().await.unwrap(), StoredToken::new("r2", 2));
}

/// Keeps the token of one tenant. `a` has this login.
fn of_one_tenant(issuer: &Script, store: &Failing) -> Integration {
    let (issuer, store) = (issuer.clone(), store.clone());
    let tokens = TokenLayer::keyed(1, secs(3600), tenant_of, move |tenant| match tenant {
        "a" => login(&issuer, store.clone()),
        _ => login(&Script::by(|_| rotated(100)), Failing::new("r99", &[])),
    });
    Integration::user_flow("crm").service(ok()).without_retry().token(tokens).build().unwrap()
}

fn assert_full(error: &Error) {
    assert_eq!(error.kind(), ErrorKind::Rejected(Rejection::NoToken));
    assert!(error.to_string().ends_with("refresh tokens that aren't stored yet"), "{error}");
    assert_eq!(error.retry_after(), Some(secs(1)));
}

#[tokio::test(start_paused = true)]
async fn a_tenants_refresh_token_that_could_not_be_stored_is_not_forgotten_for_another_tenant() {
    let issuer = Script::new([rotated(2), rotated(3)]);
    let store = Failing::new("r1", &["disk full"]);
    let crm = of_one_tenant(&issuer, &store);
    let error = send(&crm, "a").await.unwrap_err().to_string();
    assert!(error.ends_with("disk full"), "{error}");
    assert_full(&send(&crm, "b").await.unwrap_err());
    tokio::time::sleep(secs(2)).await;
    // Its back-off is over. This call is refused too, and has it stored, though nobody asks for `a` any more.
    assert_full(&send(&crm, "b").await.unwrap_err());
    tokio::time::sleep(secs(1)).await;
    assert_eq!(send(&crm, "b").await.unwrap(), 200);
    assert_eq!(crm.keyed_tokens().unwrap().keys(), ["b"]);
    assert_eq!(send(&crm, "a").await.unwrap(), 200);
    assert_eq!(used(&issuer), ["r1", "r2", "r3"]);
}

#[tokio::test(start_paused = true)]
async fn a_tenant_whose_refresh_was_given_up_and_still_runs_is_not_forgotten() {
    let issuer = Script::new([rotated(2).after(secs(10)), rotated(3)]);
    let store = Failing::new("r1", &["disk full"]);
    let crm = of_one_tenant(&issuer, &store);
    send(&crm, "a").await.unwrap_err();
    // The fetch ended after 5 s.
    tokio::time::sleep(secs(4)).await;
    assert_full(&send(&crm, "b").await.unwrap_err());
    // Its answer has come, and could not be stored.
    tokio::time::sleep(secs(5)).await;
    assert_eq!(send(&crm, "a").await.unwrap(), 200);
    assert_eq!(used(&issuer), ["r1", "r2"]);
    assert_eq!(send(&crm, "b").await.unwrap(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_tenant_whose_refresh_waits_for_its_lease_is_not_forgotten() {
    let issuer = Script::new([rotated(2)]);
    let store = Failing::new("r1", &[]);
    let crm = of_one_tenant(&issuer, &store);
    let lease = store.lease().await.unwrap();
    let waits = tokio::spawn({
        let crm = crm.clone();
        async move { send(&crm, "a").await }
    });
    tokio::time::sleep(secs(1)).await;
    assert_full(&send(&crm, "b").await.unwrap_err());
    drop(lease);
    assert_eq!(waits.await.unwrap().unwrap(), 200);
    assert_eq!(send(&crm, "b").await.unwrap(), 200);
}

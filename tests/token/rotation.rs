//! Refresh tokens that change with each use: none is lost.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use outrigger::testing::{Answer, Script};
use outrigger::token::oauth::{MemoryStore, RefreshToken, StoredToken, TokenStore};
use outrigger::token::{Issuer, Token, TokenError, TokenReason, TokenRequest};

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
    let _ = fetch(&login).await.unwrap().unwrap();
    assert_eq!(used(&issuer), ["r1", "r2"]);
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

impl TokenStore for Failing {
    type Lease = <MemoryStore as TokenStore>::Lease;

    async fn lease(&self) -> Result<Self::Lease, TokenError> {
        self.0.lease().await
    }

    async fn load(&self) -> Result<StoredToken, TokenError> {
        self.0.load().await
    }

    async fn compare_and_swap(&self, version: u64, next: String) -> Result<bool, TokenError> {
        let failure = self.1.lock().unwrap().pop();
        match failure {
            Some("panic") => panic!("a planned panic"),
            Some(error) => Err(TokenError::transient(error)),
            None => self.0.compare_and_swap(version, next).await,
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_refresh_token_that_could_not_be_stored_is_stored_by_the_next_fetch() {
    let issuer = Script::new([rotated(2), rotated(3)]);
    let failures = vec!["disk full", "panic", "disk full"];
    let store = Failing(MemoryStore::new("r1"), Arc::new(Mutex::new(failures)));
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
    let store = Failing(MemoryStore::new("r1"), Arc::new(Mutex::new(vec!["disk full"])));
    let login = login(&issuer, store.clone());
    assert!(fetch(&login).await.unwrap().is_err());
    store.0.replace("r7");
    let _ = fetch(&login).await.unwrap().unwrap();
    assert_eq!(used(&issuer), ["r1", "r7"]);
}

//! Refresh tokens that several processes share.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::join_all;
use outrigger::outbox::postgres::PostgresTokenStore;
use outrigger::testing::{Answer, Script};
use outrigger::token::oauth::{RefreshToken, StoredToken, TokenStore};
use outrigger::token::{Issuer, TokenError, TokenFailure, TokenReason, TokenRequest};

use super::{Schema, pgbouncer};

/// Another store, as another process has it.
fn store(schema: &Schema) -> PostgresTokenStore {
    let at = schema.server.connection_string();
    PostgresTokenStore::no_tls(&at).unwrap().schema(&schema.name).login("crm")
}

/// An issuer that rotates: each refresh token, `r1`, `r2` and so on, is good once. A second use of one
/// ends the login, as RFC 9700 has it.
#[derive(Clone, Default)]
struct Rotating(Arc<Mutex<Vec<String>>>);

impl Rotating {
    fn script(&self) -> Script {
        let used = Arc::clone(&self.0);
        Script::by(move |request| {
            let form = std::str::from_utf8(request.body()).unwrap().to_owned();
            let token = form.split('&').find_map(|pair| pair.strip_prefix("refresh_token="));
            let token = token.unwrap().to_owned();
            let mut used = used.lock().unwrap();
            used.push(token.clone());
            let number = used.len();
            if token != format!("r{number}") {
                return Answer::status(400).body(r#"{"error":"invalid_grant"}"#);
            }
            let next = number + 1;
            let body = format!(r#"{{"access_token":"a{number}","refresh_token":"r{next}"}}"#);
            Answer::status(200).after(Duration::from_millis(20)).body(body)
        })
    }

    fn used(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

async fn refresh(issuer: &Script, store: PostgresTokenStore) -> Result<(), TokenError> {
    let login = RefreshToken::new(issuer.clone(), "http://login.test/token", "shop", store);
    login.issue(TokenRequest::new(TokenReason::First)).await.map(drop)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn processes_that_refresh_at_once_use_each_refresh_token_once_and_are_never_logged_out() {
    let Some(schema) = Schema::new().await else { return };
    join_all((0..4).map(|_| async { store(&schema).migrate().await.unwrap() })).await;
    rotate(|| store(&schema)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn so_do_those_behind_pgbouncer_in_transaction_mode() {
    let Some(schema) = Schema::new().await else { return };
    let Some(at) = pgbouncer::shared(schema.server) else { return };
    let store = || PostgresTokenStore::no_tls(at).unwrap().schema(&schema.name).login("crm");
    store().migrate().await.unwrap();
    rotate(store).await;
}

async fn rotate(store: impl Fn() -> PostgresTokenStore) {
    store().replace("r1").await.unwrap();
    let issuer = Rotating::default();
    let script = issuer.script();
    for refreshed in join_all((0..6).map(|_| refresh(&script, store()))).await {
        refreshed.unwrap();
    }
    assert_eq!(issuer.used(), ["r1", "r2", "r3", "r4", "r5", "r6"]);
    assert_eq!(store().load().await.unwrap(), StoredToken::new("r7", 7));
}

#[tokio::test]
async fn a_lease_ends_with_its_holder_and_keeps_no_other_login_waiting() {
    let Some(schema) = Schema::new().await else { return };
    let (one, other) = (store(&schema), store(&schema));
    let held = one.lease().await.unwrap();
    // Reading and storing don't need it.
    one.migrate().await.unwrap();
    one.replace("r1").await.unwrap();
    assert_eq!(other.load().await.unwrap(), StoredToken::new("r1", 1));
    drop(one.login("billing").lease().await.unwrap());
    let waits = tokio::spawn(async move { other.lease().await.map(drop) });
    let alone = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted \
        AND pid IN (SELECT pid FROM pg_stat_activity WHERE state = 'idle in transaction')";
    let count: i64 = schema.client.query_one(alone, &[]).await.unwrap().get(0);
    assert!(count >= 1, "nobody holds it");
    assert!(!waits.is_finished());
    drop(held);
    waits.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_lease_whose_connection_is_lost_is_free_for_others() {
    let Some(schema) = Schema::new().await else { return };
    let _held = store(&schema).lease().await.unwrap();
    let name = format!("outrigger.refresh_token.\"{}\".crm", schema.name);
    let end = "SELECT count(pg_terminate_backend(pid)) FROM pg_locks WHERE locktype = 'advisory' \
        AND (classid::bigint << 32 | objid::bigint) = hashtextextended($1, 0)";
    schema.client.query_one(end, &[&name]).await.unwrap();
    let _other = store(&schema).lease().await.unwrap();
}

#[tokio::test]
async fn a_stored_token_is_replaced_only_by_whoever_knows_the_present_one() {
    let Some(schema) = Schema::new().await else { return };
    let store = store(&schema);
    let missing = store.load().await.unwrap_err();
    assert_eq!(missing.failure(), TokenFailure::Settled);
    assert!(missing.to_string().ends_with("run `migrate`"), "{missing}");
    store.migrate().await.unwrap();
    store.migrate().await.unwrap();
    let nobody = store.load().await.unwrap_err();
    assert_eq!(nobody.failure(), TokenFailure::NeedsLogin);
    assert_eq!(nobody.to_string(), "no refresh token is stored for the login `crm`");
    store.replace("r1").await.unwrap();
    let first = StoredToken::new("r1", 1);
    // Another issuer's, under the same version.
    let other = StoredToken::new("r0", 1);
    assert!(!store.compare_and_swap(&other, "r9".into()).await.unwrap());
    assert!(store.compare_and_swap(&first, "r2".into()).await.unwrap());
    // The same once more: its answer was lost.
    assert!(store.compare_and_swap(&first, "r2".into()).await.unwrap());
    assert!(!store.compare_and_swap(&first, "r9".into()).await.unwrap());
    assert_eq!(store.load().await.unwrap(), StoredToken::new("r2", 2));
    store.replace("r1").await.unwrap();
    assert_eq!(store.load().await.unwrap(), StoredToken::new("r1", 3));
    let billing = store.login("billing");
    assert!(!billing.compare_and_swap(&StoredToken::new("r1", 3), "r2".into()).await.unwrap());
    assert!(!format!("{store:?} {billing:?}").contains("r1"));
}

#[tokio::test]
async fn a_database_that_is_away_is_a_transient_error() {
    let store = PostgresTokenStore::no_tls("host=/nowhere user=postgres").unwrap();
    let fetch = tokio::time::timeout(Duration::from_secs(60), store.load());
    let error = fetch.await.unwrap().unwrap_err();
    assert_eq!(error.failure(), TokenFailure::Transient);
    assert!(error.to_string().starts_with("postgresql can't be reached"), "{error}");
    assert!(PostgresTokenStore::no_tls("no connection string").is_err());
}

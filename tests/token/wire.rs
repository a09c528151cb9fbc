//! An issuer over real sockets: rotation, delay, failure; and a redirect that leads elsewhere.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{Request, Response};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use outrigger::token::oauth::{
    ClientCredentials, FileStore, MemoryStore, RefreshToken, StoredToken, TokenStore,
};
use outrigger::token::{
    Issuer, Token, TokenError, TokenFailure, TokenLayer, TokenReason, TokenRequest,
};
use outrigger::transport::hyper::HyperConfig;
use outrigger::{Integration, ResponseExt};
use tokio::net::TcpListener;

type Answer = Response<String>;

/// What the server saw of a request: its head, and the pairs of its form.
struct Seen {
    head: http::request::Parts,
    form: HashMap<String, String>,
}

/// Starts a server on the loopback that answers by this function, until the test ends.
async fn server(answer: impl FnMut(Seen) -> Answer + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answer = Arc::new(Mutex::new(answer));
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            let answer = Arc::clone(&answer);
            let service = service_fn(move |request: Request<Incoming>| {
                let answer = Arc::clone(&answer);
                async move {
                    let (head, body) = request.into_parts();
                    let body = body.collect().await.unwrap().to_bytes();
                    let form = form::pairs(std::str::from_utf8(&body).unwrap());
                    let answer = answer.lock().unwrap()(Seen { head, form });
                    Ok::<_, Infallible>(answer)
                }
            });
            tokio::spawn(async move {
                let server = auto::Builder::new(TokioExecutor::new());
                server.serve_connection(TokioIo::new(connection), service).await
            });
        }
    });
    url
}

mod form {
    use std::collections::HashMap;

    /// A form's pairs.
    pub(super) fn pairs(text: &str) -> HashMap<String, String> {
        let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
        pairs.map(|(name, value)| (decoded(name), decoded(value))).collect()
    }

    fn decoded(text: &str) -> String {
        let mut bytes = Vec::new();
        let mut rest = text.bytes();
        while let Some(byte) = rest.next() {
            match byte {
                b'+' => bytes.push(b' '),
                b'%' => {
                    let hex = [rest.next().unwrap(), rest.next().unwrap()];
                    let hex = std::str::from_utf8(&hex).unwrap().to_owned();
                    bytes.push(u8::from_str_radix(&hex, 16).unwrap());
                }
                byte => bytes.push(byte),
            }
        }
        String::from_utf8(bytes).unwrap()
    }
}

fn answer(status: u16, body: impl Into<String>) -> Answer {
    Response::builder().status(status).body(body.into()).unwrap()
}

fn login() -> Integration {
    Integration::user_flow("login").without_retry().build().unwrap()
}

fn first() -> TokenRequest {
    TokenRequest::new(TokenReason::First)
}

#[tokio::test]
async fn client_credentials_are_sent_as_the_rfc_has_it() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&seen);
    let issuer = server(move |request| {
        keep.lock().unwrap().push(request);
        answer(200, r#"{"access_token":"t1","token_type":"bearer","expires_in":"3600"}"#)
    })
    .await;
    let url = format!("{issuer}/token");
    let basic = ClientCredentials::new(login(), &url, "my shop", "s:c/r+t")
        .scope("orders:read")
        .scope("orders:write")
        .audience("https://api.test")
        .resource("https://api.test/v1")
        .pair("tenant", "a&b");
    let _ = basic.issue(first()).await.unwrap();
    let in_body = ClientCredentials::new(login(), &url, "my shop", "s:c/r+t").secret_in_body();
    let _ = in_body.issue(first()).await.unwrap();
    let signed =
        ClientCredentials::new(login(), &url, "my shop", "").assertion(|| "e30.e30.x".into());
    let _ = signed.issue(first()).await.unwrap();

    let seen = seen.lock().unwrap();
    let [basic, in_body, signed] = &seen[..] else { panic!("three requests") };
    // base64("my+shop:s%3Ac%2Fr%2Bt")
    assert_eq!(basic.head.headers["authorization"], "Basic bXkrc2hvcDpzJTNBYyUyRnIlMkJ0");
    assert_eq!(basic.head.headers["content-type"], "application/x-www-form-urlencoded");
    assert_eq!(basic.head.headers["accept"], "application/json");
    for (name, value) in [
        ("grant_type", "client_credentials"),
        ("scope", "orders:read orders:write"),
        ("audience", "https://api.test"),
        ("resource", "https://api.test/v1"),
        ("tenant", "a&b"),
    ] {
        assert_eq!(basic.form[name], value);
    }
    assert_eq!((basic.form.len(), basic.head.method.as_str()), (5, "POST"));
    assert!(!in_body.head.headers.contains_key("authorization"));
    assert_eq!(
        (&*in_body.form["client_id"], &*in_body.form["client_secret"]),
        ("my shop", "s:c/r+t")
    );
    assert_eq!(signed.form["client_assertion"], "e30.e30.x");
    assert!(signed.form["client_assertion_type"].ends_with(":jwt-bearer"));
}

#[tokio::test]
async fn an_issuer_that_fails_for_a_while_is_noticed_by_nobody_who_has_a_token() {
    let mut number = 0;
    let issuer = server(move |_| {
        number += 1;
        match number {
            2..=4 => answer(503, "<html>down</html>"),
            _ => answer(200, format!(r#"{{"access_token":"t{number}","expires_in":3600}}"#)),
        }
    })
    .await;
    let provider =
        server(|seen| answer(200, seen.head.headers["authorization"].to_str().unwrap())).await;
    let credentials = ClientCredentials::new(login(), format!("{issuer}/token"), "shop", "secret");
    let orders = Integration::user_flow("orders")
        .base_url(&provider)
        .token(TokenLayer::new(credentials))
        .build()
        .unwrap();
    orders.check().await.unwrap();
    let token = orders.token().unwrap();
    let mut failed = 0;
    while token.generation() == 1 {
        token.renew();
        let carried = orders.get("orders").send().await.unwrap().text().await.unwrap();
        assert!(carried == "Bearer t1" || token.generation() == 2, "{carried}");
        failed += u32::from(token.error().is_some());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(failed > 0 && token.error().is_none());
    let carried = orders.get("orders").send().await.unwrap().text().await.unwrap();
    assert_eq!(carried, "Bearer t5");
}

/// An issuer that rotates refresh tokens: each is good once.
async fn rotating(mut present: &'static str) -> String {
    let names = ["r1", "r2", "r3", "r4", "r5"];
    server(move |seen| {
        assert_eq!(seen.form["grant_type"], "refresh_token");
        if seen.form["refresh_token"] != present {
            return answer(400, r#"{"error":"invalid_grant"}"#);
        }
        let at = names.iter().position(|name| *name == present).unwrap();
        present = names[at + 1];
        let body = format!(r#"{{"access_token":"a{}","refresh_token":"{present}"}}"#, at + 1);
        answer(200, body)
    })
    .await
}

async fn refresh<T: TokenStore>(issuer: &str, store: T) -> Result<Token, TokenError> {
    RefreshToken::new(login(), format!("{issuer}/token"), "shop", store).issue(first()).await
}

#[tokio::test]
async fn a_refresh_token_is_rotated_and_one_that_nobody_changed_needs_a_login() {
    let issuer = rotating("r1").await;
    let store = MemoryStore::new("r1");
    let _ = refresh(&issuer, store.clone()).await.unwrap();
    assert_eq!(store.load().await.unwrap(), StoredToken::new("r2", 2));
    let _ = refresh(&issuer, store.clone()).await.unwrap();
    assert_eq!(store.load().await.unwrap(), StoredToken::new("r3", 3));
    store.replace("old");
    let error = refresh(&issuer, store.clone()).await.unwrap_err();
    assert_eq!(error.failure(), TokenFailure::NeedsLogin);
    store.replace("r3");
    let _ = refresh(&issuer, store).await.unwrap();
}

/// A store whose token a sibling changes after it was loaded.
#[derive(Clone)]
struct Sibling(MemoryStore, Arc<Mutex<Vec<&'static str>>>);

impl TokenStore for Sibling {
    type Lease = ();

    async fn lease(&self) -> Result<(), TokenError> {
        Ok(())
    }

    async fn load(&self) -> Result<StoredToken, TokenError> {
        let loaded = self.0.load().await;
        if let Some(next) = self.1.lock().unwrap().pop() {
            self.0.replace(next);
        }
        loaded
    }

    async fn compare_and_swap(
        &self,
        present: &StoredToken,
        next: String,
    ) -> Result<bool, TokenError> {
        self.0.compare_and_swap(present, next).await
    }
}

#[tokio::test]
async fn a_token_that_a_sibling_has_stored_is_tried_once() {
    let issuer = rotating("r2").await;
    let store = Sibling(MemoryStore::new("r1"), Arc::new(Mutex::new(vec!["r2"])));
    let _ = refresh(&issuer, store.clone()).await.unwrap();
    assert_eq!(store.0.load().await.unwrap(), StoredToken::new("r3", 3));
    // What the sibling stores between the answer and its storing stays.
    store.1.lock().unwrap().push("r5");
    let error = refresh(&issuer, store.clone()).await.unwrap_err();
    assert_eq!(error.failure(), TokenFailure::Transient);
    assert_eq!(store.0.load().await.unwrap(), StoredToken::new("r5", 4));
}

#[tokio::test]
async fn many_processes_that_share_a_file_are_never_logged_out() {
    let folder = std::env::temp_dir().join(format!("outrigger-tokens-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("refresh");
    std::fs::write(&path, "r1\n").unwrap();
    let issuer = rotating("r1").await;
    let each = (0..4).map(|_| refresh(&issuer, FileStore::new(&path)));
    for token in futures_util::future::join_all(each).await {
        let _ = token.unwrap();
    }
    let text = std::fs::read_to_string(&path).unwrap();
    let left = std::fs::read_dir(&folder).unwrap().count();
    std::fs::remove_dir_all(&folder).unwrap();
    // The token, and the file that they lock.
    assert_eq!((text.as_str(), left), ("4\nr5\n", 2));
}

#[tokio::test]
async fn a_redirect_to_another_origin_never_carries_the_token() {
    let carried = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&carried);
    let other = server(move |seen| {
        keep.lock().unwrap().push(seen.head.headers.get("x-api-key").cloned());
        answer(200, "elsewhere")
    })
    .await;
    let to = other.clone();
    let provider = server(move |seen| {
        assert_eq!(seen.head.headers["x-api-key"], "k1");
        Response::builder().status(302).header("location", &to).body(String::new()).unwrap()
    })
    .await;
    let key = TokenLayer::new(|_| async { Ok(Token::new("k1")) });
    let shop = Integration::user_flow("shop")
        .base_url(&provider)
        .allow_origin(&other)
        .hyper(HyperConfig::follow_redirects)
        .token(key.header(http::HeaderName::from_static("x-api-key")))
        .build()
        .unwrap();
    let answer = shop.get("orders").send().await.unwrap();
    assert_eq!(
        (answer.text().await.unwrap().as_str(), carried.lock().unwrap().as_slice()),
        ("elsewhere", &[None][..])
    );
}

#[tokio::test]
async fn the_clients_secret_is_in_no_output() {
    let issuer = server(|_| answer(401, r#"{"error":"invalid_client","hint":"PLANTED"}"#)).await;
    let credentials = ClientCredentials::new(login(), format!("{issuer}/token"), "shop", "PLANTED")
        .pair("password", "PLANTED");
    let login = RefreshToken::new(login(), issuer, "shop", MemoryStore::new("PLANTED"))
        .client_secret("PLANTED");
    let said = format!("{credentials:?} {login:?}");
    let error = credentials.issue(first()).await.unwrap_err();
    let refused = login.issue(first()).await.unwrap_err();
    assert_eq!(error.to_string(), "it answered 401, `invalid_client`");
    let said = format!("{said} {error:?} {refused:?} {refused}");
    assert!(!said.contains("PLANTED"), "{said}");
}

#[tokio::test]
async fn a_post_that_was_carried_out_is_not_sent_again_for_what_its_redirect_led_to() {
    let carried_out = Arc::new(Mutex::new(0));
    let count = Arc::clone(&carried_out);
    let provider = server(move |seen| {
        if seen.head.method == "POST" {
            *count.lock().unwrap() += 1;
            let answer = Response::builder().status(303).header("location", "/orders/7");
            return answer.body(String::new()).unwrap();
        }
        answer(401, "")
    })
    .await;
    let shop = Integration::user_flow("shop")
        .base_url(&provider)
        .hyper(HyperConfig::follow_redirects)
        .token(TokenLayer::new(|_| async { Ok(Token::new("t1")) }))
        .build()
        .unwrap();
    assert_eq!(shop.post("orders").body("an order").send().await.unwrap().status(), 401);
    assert_eq!(*carried_out.lock().unwrap(), 1);
}

#[tokio::test]
async fn a_token_that_another_origin_never_got_is_not_refused_there() {
    let other = server(|_| answer(401, "")).await;
    let to = other.clone();
    let provider = server(move |_| {
        Response::builder().status(302).header("location", &to).body(String::new()).unwrap()
    })
    .await;
    let shop = Integration::user_flow("shop")
        .base_url(&provider)
        .allow_origin(&other)
        .hyper(HyperConfig::follow_redirects)
        .token(TokenLayer::new(|_| async { Ok(Token::new("t1")) }))
        .build()
        .unwrap();
    assert_eq!(shop.get("orders").send().await.unwrap().status(), 401);
    assert_eq!(shop.token().unwrap().generation(), 1);
}

//! Signatures over real sockets.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, request};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use outrigger::sign::SignLayer;
use outrigger::sign::message::{
    Message, MessageSigner, MessageVerifier, SigningKey, StreamedBody, VerifyingKey,
};
use outrigger::testing::ManualClock;
use outrigger::transport::hyper::HyperConfig;
use outrigger::{Body, Integration};
use tokio::net::TcpListener;

use crate::bench::SECRET;

/// What a server saw of a request.
struct Seen {
    head: request::Parts,
    body: Bytes,
    trailers: HeaderMap,
}

const COVERED: [&str; 6] =
    ["@method", "@target-uri", "@authority", "@query", "content-digest", "content-length"];

fn signer() -> MessageSigner {
    MessageSigner::new("k", SigningKey::hmac_sha256(SECRET).unwrap(), COVERED).unwrap()
}

impl Seen {
    #[expect(clippy::disallowed_methods, reason = "sockets take the machine's time")]
    fn verify(&self) -> Result<(), String> {
        let key = VerifyingKey::hmac_sha256(SECRET).unwrap();
        let verifier = MessageVerifier::new([("k", key)], COVERED).unwrap();
        let message = Message::request(&self.head).body(&self.body).scheme_of_server("http");
        let outcome = verifier.verify(&message, SystemTime::now());
        outcome.map(drop).map_err(|error| format!("{error}: {:?}", self.head))
    }
}

/// Starts a server on the loopback that answers by this function, until the test ends.
async fn server(answer: impl FnMut(Seen) -> Response<String> + Send + 'static) -> String {
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
                    let body = body.collect().await.unwrap();
                    let trailers = body.trailers().cloned().unwrap_or_default();
                    let seen = Seen { head, body: body.to_bytes(), trailers };
                    let answer = answer.lock().unwrap()(seen);
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

fn ok() -> Response<String> {
    Response::new("done".to_owned())
}

#[tokio::test]
async fn a_server_verifies_what_came_by_either_version() {
    for is_http2 in [false, true] {
        let provider = server(|seen| match seen.verify() {
            Ok(()) => ok(),
            Err(why) => Response::builder().status(401).body(why).unwrap(),
        })
        .await;
        let shop = Integration::user_flow("shop")
            .hyper(|client| if is_http2 { client.http2_prior_knowledge() } else { client })
            .sign(SignLayer::new(signer()))
            .build()
            .unwrap();
        for (path, body) in [("/", ""), ("/orders?a=b%20c&d", "an order"), ("/a%2Fb?", "x")] {
            let request =
                Request::post(format!("{provider}{path}")).body(Body::from(body)).unwrap();
            let answer = shop.send(request).await.unwrap();
            let status = answer.status();
            assert_eq!(
                status,
                200,
                "{} {is_http2} {path}",
                answer.into_body().text().await.unwrap()
            );
        }
    }
}

#[tokio::test]
async fn a_redirect_to_another_origin_never_carries_the_signature() {
    let carried = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&carried);
    let other = server(move |seen| {
        let names = seen.head.headers.keys().map(ToString::to_string);
        keep.lock().unwrap().extend(names);
        ok()
    })
    .await;
    let to = other.clone();
    let provider = server(move |seen| {
        assert_eq!(seen.verify(), Ok(()));
        Response::builder().status(302).header("location", &to).body(String::new()).unwrap()
    })
    .await;
    let shop = Integration::user_flow("shop")
        .base_url(&provider)
        .allow_origin(&other)
        .hyper(HyperConfig::follow_redirects)
        .sign(SignLayer::new(signer()))
        .build()
        .unwrap();
    assert_eq!(shop.get("orders").send().await.unwrap().status(), 200);
    let carried = carried.lock().unwrap();
    assert!(!carried.is_empty());
    let signs = |name: &String| name.contains("signature") || name.contains("digest");
    assert!(!carried.iter().any(signs), "{carried:?}");
}

#[tokio::test]
async fn a_streams_digest_follows_it() {
    for is_http2 in [false, true] {
        let provider = server(|seen| {
            let input = seen.head.headers["signature-input"].to_str().unwrap();
            assert!(!input.contains("content-digest"), "{input}");
            assert_eq!(seen.head.headers["trailer"], "content-digest");
            // RFC 9530, appendix D.
            let digest = "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:";
            assert_eq!(
                (&seen.body[..], &seen.trailers["content-digest"]),
                (&b"{\"hello\": \"world\"}"[..], &digest.parse().unwrap())
            );
            ok()
        })
        .await;
        let covered = ["@method", "content-digest"];
        let signer = MessageSigner::new("k", SigningKey::hmac_sha256(SECRET).unwrap(), covered);
        let signer = signer.unwrap().streamed_body(StreamedBody::DigestTrailer);
        let shop = Integration::user_flow("shop")
            .hyper(|client| if is_http2 { client.http2_prior_knowledge() } else { client })
            .sign(SignLayer::new(signer))
            .build()
            .unwrap();
        let parts = ["{\"hello\"", ": \"world\"}"].map(Ok::<_, std::io::Error>);
        let body = Body::from_stream(futures_util::stream::iter(parts));
        let request = Request::post(format!("{provider}/")).body(body).unwrap();
        assert_eq!(shop.send(request).await.unwrap().status(), 200, "{is_http2}");
    }
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
        // The signature is the POST's, and the clock seems to be ten minutes off.
        let old = "Sun, 06 Nov 1994 08:49:37 GMT";
        Response::builder().status(403).header("date", old).body(String::new()).unwrap()
    })
    .await;
    let shop = Integration::user_flow("shop")
        .hyper(HyperConfig::follow_redirects)
        .sign(SignLayer::new(signer()).clock(ManualClock::at(long_ago()).clock()))
        .build()
        .unwrap();
    let request = Request::post(format!("{provider}/orders")).body(Body::from("an order"));
    assert_eq!(shop.send(request.unwrap()).await.unwrap().status(), 403);
    assert_eq!(*carried_out.lock().unwrap(), 1);
    assert_eq!(shop.health().signing.unwrap().clock_ahead, 0);
}

/// Ten minutes after the date that the server tells.
fn long_ago() -> SystemTime {
    httpdate::parse_http_date("Sun, 06 Nov 1994 08:59:37 GMT").unwrap()
}

#[tokio::test]
async fn a_length_that_a_digest_trailer_takes_away_is_not_signed() {
    let provider = server(|seen| {
        let input = seen.head.headers["signature-input"].to_str().unwrap();
        assert!(!input.contains("content-length") && input.contains("@method"), "{input}");
        assert!(!seen.head.headers.contains_key("content-length"));
        assert!(seen.trailers.contains_key("content-digest"));
        ok()
    })
    .await;
    let covered = ["@method", "content-length", "content-digest"];
    let signer = MessageSigner::new("k", SigningKey::hmac_sha256(SECRET).unwrap(), covered);
    let signer = signer.unwrap().streamed_body(StreamedBody::DigestTrailer);
    let shop = Integration::user_flow("shop").sign(SignLayer::new(signer)).build().unwrap();
    let body = Body::from_stream(futures_util::stream::iter([Ok::<_, std::io::Error>("order")]));
    let request = Request::post(format!("{provider}/")).header("content-length", "5").body(body);
    assert_eq!(shop.send(request.unwrap()).await.unwrap().status(), 200);
}

#[cfg(feature = "reqwest")]
#[tokio::test]
async fn a_signed_uri_that_reqwest_would_change_is_not_sent() {
    let provider = server(|seen| match seen.verify() {
        Ok(()) => ok(),
        Err(why) => Response::builder().status(401).body(why).unwrap(),
    })
    .await;
    let shop = Integration::user_flow("shop")
        .reqwest(reqwest::Client::builder().no_proxy().build().unwrap())
        .sign(SignLayer::new(signer()))
        .build()
        .unwrap();
    for (path, is_kept) in
        [("", true), ("/a%20b?c=d", true), ("?x=1", true), ("/a/../b", false), ("/?a='", false)]
    {
        let request = Request::post(format!("{provider}{path}")).body(Body::from("an order"));
        match shop.send(request.unwrap()).await {
            Ok(answer) => assert!(is_kept && answer.status() == 200, "{path} {}", answer.status()),
            Err(error) => {
                assert!(!is_kept, "{path} {error}");
                assert!(error.to_string().contains("reqwest"), "{error}");
                assert_eq!(error.delivery(), outrigger::Delivery::NotSent);
            }
        }
    }
}

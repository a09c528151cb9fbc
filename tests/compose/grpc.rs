//! gRPC: a status in the head, in the trailers, and in place of an error.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http::{HeaderMap, Request, Response};
use http_body::{Body as _, Frame};
use http_body_util::{BodyExt, StreamBody};
use outrigger::context::{Report, Scope};
use outrigger::event::{BreakerState, End, Event, SwitchMode};
use outrigger::grpc::{Grpc, GrpcBody};
use outrigger::integration::Service as Client;
use outrigger::outcome::Class;
use outrigger::retry::RetryOverride;
use outrigger::testing::{Answer, EventRecorder, Script};
use outrigger::token::{Token, TokenLayer};
use outrigger::{Body, BoxError, CallOptions, IdempotencyKey, Integration, IntegrationBuilder};
use tower::util::BoxCloneSyncService;
use tower::{ServiceExt, service_fn};

/// What a gRPC server answers.
#[derive(Clone, Copy, Debug)]
enum Reply {
    /// The status in the head, and no body.
    Head(&'static str),
    /// The status in the trailers, with no message before.
    Trailers(&'static str),
    /// An empty frame, and the status in the trailers.
    Blank(&'static str),
    /// A message, and the status in the trailers.
    Message(&'static str),
    /// A head, and a body that ends, or breaks, without a status.
    Nothing,
    Broken,
    /// A message, and no more.
    Half,
    /// No answer at all.
    Lost,
    /// No gRPC: the answer of a proxy in between.
    Proxy(u16),
    /// UNAVAILABLE, in the head or in the trailers, with a word about retries.
    Pushback(&'static str),
    LatePushback(&'static str),
}

type Seen = Arc<Mutex<Vec<String>>>;

fn stock(replies: &[Reply]) -> (IntegrationBuilder<Client<Provider>>, Seen) {
    let (seen, replies) = (Seen::default(), VecDeque::from(replies.to_vec()));
    let (asked, replies) = (Arc::clone(&seen), Arc::new(Mutex::new(replies)));
    let provider = service_fn(move |request: Request<Body>| {
        asked.lock().unwrap().push(request.uri().path().to_owned());
        let mut replies = replies.lock().unwrap();
        let reply = replies.pop_front().unwrap();
        if replies.is_empty() {
            replies.push_back(reply);
        }
        async move {
            match reply {
                Reply::Lost => {
                    Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset).into())
                }
                reply => Ok::<_, BoxError>(reply.response()),
            }
        }
    });
    let stock = Integration::user_flow("stock")
        .grpc(Grpc::new().safe("/acme.Stock/Get").safe("/acme.Catalog/*"))
        .service(BoxCloneSyncService::new(provider));
    (stock, seen)
}

type Provider = BoxCloneSyncService<Request<Body>, Response<Body>, BoxError>;

impl Reply {
    fn response(self) -> Response<Body> {
        let status = |status: &str| -> HeaderMap {
            HeaderMap::from_iter([("grpc-status".parse().unwrap(), status.parse().unwrap())])
        };
        let frames = |frames: Vec<Frame<Bytes>>| {
            Body::new(StreamBody::new(stream::iter(frames.into_iter().map(Ok::<_, BoxError>))))
        };
        let broken = |mut frames: Vec<Result<Frame<Bytes>, BoxError>>| {
            frames.push(Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset).into()));
            Body::new(StreamBody::new(stream::iter(frames)))
        };
        let pushback = |wait: &str| -> HeaderMap {
            let mut headers = status("14");
            headers.insert("grpc-retry-pushback-ms", wait.parse().unwrap());
            headers
        };
        let message = || Frame::data(Bytes::from_static(b"\0\0\0\0\x02ok"));
        let mut response = Response::new(match self {
            Self::Head(_) | Self::Proxy(_) | Self::Lost | Self::Pushback(_) => Body::empty(),
            Self::LatePushback(wait) => frames(vec![Frame::trailers(pushback(wait))]),
            Self::Trailers(code) => frames(vec![Frame::trailers(status(code))]),
            Self::Nothing => frames(vec![]),
            Self::Blank(code) => {
                frames(vec![Frame::data(Bytes::new()), Frame::trailers(status(code))])
            }
            Self::Broken => broken(vec![]),
            Self::Half => broken(vec![Ok(message())]),
            Self::Message(code) => frames(vec![message(), Frame::trailers(status(code))]),
        });
        if let Self::Proxy(status) = self {
            *response.status_mut() = status.try_into().unwrap();
            return response;
        }
        response.headers_mut().insert("content-type", "application/grpc+proto".parse().unwrap());
        match self {
            Self::Head(code) => response.headers_mut().extend(status(code)),
            Self::Pushback(wait) => response.headers_mut().extend(pushback(wait)),
            _ => {}
        }
        response
    }
}

fn call(path: &str) -> Request<axum::body::Body> {
    let uri = format!("http://stock.test{path}");
    Request::post(uri).body(axum::body::Body::from("\0\0\0\0\x02id")).unwrap()
}

/// The status of an answer, in its head or its trailers, and its message's bytes.
async fn read(response: Response<GrpcBody>) -> (String, usize) {
    let (head, body) = response.into_parts();
    let body = body.collect().await.unwrap();
    let trailers = body.trailers().cloned().unwrap_or_default();
    let status = head.headers.get("grpc-status").or_else(|| trailers.get("grpc-status"));
    let status = status.map_or("none", |status| status.to_str().unwrap()).to_owned();
    (status, body.to_bytes().len())
}

#[tokio::test(start_paused = true)]
async fn a_safe_method_is_repeated_wherever_its_status_stands_and_no_other_is() {
    for (path, failed, last, attempts) in [
        ("/acme.Stock/Get", Reply::Head("14"), ("0", 7), 2),
        ("/acme.Stock/Get", Reply::Trailers("14"), ("0", 7), 2),
        ("/acme.Stock/Get", Reply::Blank("14"), ("0", 7), 2),
        ("/acme.Stock/Get", Reply::Nothing, ("0", 7), 2),
        ("/acme.Stock/Get", Reply::Broken, ("0", 7), 2),
        ("/acme.Catalog/List", Reply::Trailers("13"), ("0", 7), 2),
        ("/v1/acme.Catalog/List", Reply::Trailers("13"), ("0", 7), 2),
        ("/acme.Stock/Get", Reply::Proxy(503), ("0", 7), 2),
        // It is the caller's mistake.
        ("/acme.Stock/Get", Reply::Trailers("5"), ("5", 0), 1),
        ("/acme.Stock/Get", Reply::Message("0"), ("0", 7), 1),
        // Another method may have had its effect.
        ("/acme.Stock/Take", Reply::Head("14"), ("14", 0), 1),
        ("/acme.Stock/Take", Reply::Trailers("14"), ("14", 0), 1),
        ("/acme.Stock/GetAll", Reply::Head("14"), ("14", 0), 1),
        ("/acme.CatalogAdmin/Delete", Reply::Head("14"), ("14", 0), 1),
        ("/acme.Stock/Take", Reply::Broken, ("14", 0), 1),
        // Half of it has reached the caller.
        ("/acme.Stock/Get", Reply::Half, ("14", 7), 1),
    ] {
        let (stock, seen) = stock(&[failed, Reply::Message("0")]);
        let stock = stock.build().unwrap();
        let answer = stock.grpc().oneshot(call(path)).await.unwrap();
        let (status, bytes) = read(answer).await;
        assert_eq!((status.as_str(), bytes), last, "{path} {failed:?}");
        assert_eq!(seen.lock().unwrap().len(), attempts, "{path} {failed:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_forbids_a_retry_or_asks_for_a_wait_is_obeyed() {
    for (wait, attempts, waited) in [
        ("-1", 1, 0),
        ("x", 1, 0),
        ("", 1, 0),
        ("2147483648", 1, 0),
        ("99999999999", 1, 0),
        ("0", 2, 0),
        ("400", 2, 400),
    ] {
        for failed in [Reply::Pushback(wait), Reply::LatePushback(wait)] {
            let (stock, seen) = stock(&[failed, Reply::Message("0")]);
            let stock = stock.build().unwrap();
            let began = tokio::time::Instant::now();
            let answer = stock.grpc().oneshot(call("/acme.Stock/Get")).await.unwrap();
            let status = if attempts == 1 { "14" } else { "0" };
            assert_eq!(read(answer).await.0, status, "{failed:?}");
            assert_eq!(seen.lock().unwrap().len(), attempts, "{failed:?}");
            assert!(began.elapsed() >= Duration::from_millis(waited), "{failed:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_scope_says_how_often_a_safe_method_is_tried() {
    let options = |retries| CallOptions::new().idempotency_key("order-1042").retries(retries);
    for (retries, path, attempts) in [
        (RetryOverride::Never, "/acme.Stock/Get", 1),
        (RetryOverride::Once, "/acme.Stock/Get", 2),
        (RetryOverride::Safe, "/acme.Stock/Take", 3),
    ] {
        let (stock, seen) = stock(&[Reply::Head("14")]);
        let stock = stock.retry(|retry| retry.max_attempts(3)).build().unwrap();
        let report = Report::new();
        let scope = Scope::new().options(options(retries)).unwrap().report_to(&report);
        scope.run(stock.grpc().oneshot(call(path))).await.unwrap();
        assert_eq!(seen.lock().unwrap().len(), attempts, "{retries:?}");
        // The key is for one that changes something.
        assert_eq!(report.calls()[0].idempotency_key, None);
        // So does the request itself.
        let mut own = call(path);
        own.extensions_mut().insert(retries);
        stock.grpc().oneshot(own).await.unwrap();
        assert_eq!(seen.lock().unwrap().len(), 2 * attempts, "{retries:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_in_the_trailers_counts_and_is_told() {
    for (reply, class, opens) in [
        (Reply::Nothing, Class::ServerError, true),
        (Reply::Head("14"), Class::ServerError, true),
        (Reply::Trailers("14"), Class::ServerError, true),
        (Reply::Message("13"), Class::ServerError, true),
        (Reply::Message("99"), Class::ServerError, true),
        (Reply::Trailers("8"), Class::Throttled, false),
        (Reply::Message("16"), Class::Unauthorized, false),
        (Reply::Message("9"), Class::ClientError, false),
        (Reply::Message("0"), Class::Success, false),
    ] {
        let events = EventRecorder::new();
        let stock = stock(&[reply]).0.subscriber(events.clone());
        let stock = stock.breaker(|breaker| breaker.no_success_for(Duration::ZERO)).build();
        let stock = stock.unwrap();
        for nth in 0..10 {
            let mut response = stock.grpc().oneshot(call("/acme.Stock/Take")).await.unwrap();
            while let Some(Ok(frame)) = response.frame().await {
                if frame.is_trailers() && nth % 2 == 0 {
                    // Some clients have enough then.
                    break;
                }
            }
        }
        let expected = if opens { BreakerState::Open } else { BreakerState::Closed };
        assert_eq!(stock.breaker().state(), expected, "{reply:?}");
        let ends = events.events().into_iter().filter_map(|event| match event {
            Event::CallFinished { end: End::Answered { class, .. }, .. } => Some(class),
            Event::AttemptFinished { end: End::Answered { class, .. }, .. } => Some(class),
            _ => None,
        });
        assert_eq!(ends.collect::<Vec<_>>(), vec![class; 20], "{reply:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_is_a_status_that_says_what_may_have_happened() {
    let broken = |how| Script::new([Answer::broken(how)]);
    let reset = broken(std::io::ErrorKind::ConnectionReset);
    for (script, path, code, delivery, attempts) in [
        (Script::new([Answer::hang()]), "/acme.Stock/Take", "4", "unknown", "1"),
        (Script::new([Answer::hang()]), "/acme.Stock/Get", "4", "unknown", "2"),
        (Script::new([Answer::refused()]), "/acme.Stock/Take", "14", "not_sent", "2"),
        (reset, "/acme.Stock/Take", "14", "unknown", "1"),
    ] {
        let stock = Integration::user_flow("stock");
        let stock = stock.grpc(Grpc::new().safe("/acme.Stock/Get")).service(script);
        let stock = stock.build().unwrap();
        let answer = stock.grpc().oneshot(call(path)).await.unwrap();
        let said = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(answer.status(), 200);
        assert_eq!(said("content-type"), "application/grpc");
        assert_eq!(said("grpc-status"), code, "{path}");
        assert_eq!(said("outrigger-delivery"), delivery, "{path}");
        assert_eq!(said("outrigger-attempts"), attempts, "{path}");
        assert!(said("grpc-message").starts_with("stock: "), "{}", said("grpc-message"));
    }
    // What is refused here.
    let (stock, seen) = stock(&[Reply::Message("0")]);
    let stock = stock.build().unwrap();
    stock.kill_switch().set(SwitchMode::Off, "ops", "100 % déjà vu");
    let answer = stock.grpc().oneshot(call("/acme.Stock/Get")).await.unwrap();
    let said = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
    assert_eq!((said("grpc-status").as_str(), said("outrigger-attempts").as_str()), ("14", "0"));
    assert!(
        said("grpc-message").ends_with("100 %25 d%C3%A9j%C3%A0 vu"),
        "{}",
        said("grpc-message")
    );
    assert!(seen.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_failure_after_a_lost_attempt_says_that_it_may_be_a_consequence() {
    for (last, status, said) in [
        (Reply::Head("14"), "14", Some("unknown")),
        (Reply::Trailers("6"), "6", Some("unknown")),
        // No status came.
        (Reply::Proxy(404), "12", Some("unknown")),
        (Reply::Proxy(302), "2", Some("unknown")),
        (Reply::Nothing, "2", Some("unknown")),
        (Reply::Half, "14", Some("unknown")),
        (Reply::Message("0"), "0", None),
    ] {
        let stock = stock(&[Reply::Lost, last]).0.build().unwrap();
        let mut request = call("/acme.Stock/Take");
        request.extensions_mut().insert(IdempotencyKey::new("order-1042").unwrap());
        let (head, body) = stock.grpc().oneshot(request).await.unwrap().into_parts();
        assert!(head.headers.contains_key("grpc-status") || !body.is_end_stream(), "{last:?}");
        let trailers = body.collect().await.unwrap().trailers().cloned().unwrap_or_default();
        let delivery = "outrigger-delivery";
        let found = head.headers.get(delivery).or_else(|| trailers.get(delivery));
        assert_eq!(found.map(|found| found.to_str().unwrap()), said, "{last:?}");
        let found = head.headers.get("grpc-status").or_else(|| trailers.get("grpc-status"));
        assert_eq!(found.unwrap(), status, "{last:?}");
    }
}

#[test]
fn a_path_that_can_be_no_method_is_refused() {
    for path in ["acme.Stock/Get", "/acme.Stock", "/acme.Stock*", "*", "/*/Get", "/acme.Stock/", ""]
    {
        let grpc = Grpc::new().safe("/acme.Stock/Get").safe(path);
        let script = Script::new([Answer::status(200)]);
        let stock = Integration::user_flow("stock").grpc(grpc).service(script).build();
        let error = stock.unwrap_err().to_string();
        assert!(error.contains(&format!("grpc.safe: {path:?} is no path of a method")), "{error}");
    }
}

/// Gives `t1`, `t2` and so on.
fn tokens() -> TokenLayer {
    let given = Arc::new(AtomicU32::new(0));
    TokenLayer::new(move |_| {
        let number = given.fetch_add(1, Ordering::Relaxed) + 1;
        std::future::ready(Ok(Token::new(format!("t{number}"))))
    })
}

#[tokio::test(start_paused = true)]
async fn a_status_that_says_unauthenticated_is_a_refusal_of_the_token() {
    for (path, refusal, first) in [
        ("/acme.Stock/Get", Reply::Head("16"), "0"),
        ("/acme.Stock/Get", Reply::Trailers("16"), "0"),
        ("/acme.Stock/Take", Reply::Head("16"), "0"),
        // Its head has reached the caller: the next call has another token.
        ("/acme.Stock/Take", Reply::Trailers("16"), "16"),
    ] {
        let (stock, seen) = stock(&[Reply::Message("0"), refusal, Reply::Message("0")]);
        let events = EventRecorder::new();
        let stock = stock.subscriber(events.clone()).token(tokens()).build().unwrap();
        let ask = || async { read(stock.grpc().oneshot(call(path)).await.unwrap()).await.0 };
        assert_eq!(ask().await, "0");
        tokio::time::sleep(Duration::from_secs(100)).await;
        assert_eq!(ask().await, first, "{path} {refusal:?}");
        let sent = seen.lock().unwrap().len();
        assert_eq!(sent, if first == "0" { 3 } else { 2 }, "{path} {refusal:?}");
        let refused = Event::TokenRefused { generation: 1, may_repeat: true };
        assert_eq!(events.count(|event| *event == refused), 1, "{path} {refusal:?}");
        assert_eq!(ask().await, "0");
        assert_eq!(stock.token().unwrap().generation(), 2, "{path} {refusal:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_right_that_is_missing_is_no_refusal_of_the_token() {
    let (stock, _) = stock(&[Reply::Message("0"), Reply::Head("7"), Reply::Trailers("7")]);
    // The layer may be given before or after.
    let stock = stock.token(tokens()).grpc(Grpc::new()).build().unwrap();
    for status in ["0", "7", "7"] {
        let answer = stock.grpc().oneshot(call("/acme.Stock/Take")).await.unwrap();
        assert_eq!(read(answer).await.0, status);
        tokio::time::sleep(Duration::from_secs(100)).await;
    }
    assert_eq!(stock.token().unwrap().generation(), 1);
}

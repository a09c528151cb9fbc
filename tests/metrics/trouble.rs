//! Integrations that live through every kind of trouble.

use std::future::ready;
use std::io::{self, ErrorKind as Io};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use http::{HeaderValue, Method, Request, Response, StatusCode};
use metrics_exporter_prometheus::PrometheusHandle;
use outrigger::bulkhead::BulkheadLayer;
use outrigger::cache::{CacheEntry, CacheKey, CacheLayer, CacheStore};
use outrigger::circuit_breaker::{Consecutive, Mode};
use outrigger::console::{Console, OpenOnLoopback, Peer};
use outrigger::context::PathTemplate;
use outrigger::control::Registry;
use outrigger::drift::{DriftLayer, ShapeConfig};
use outrigger::event::{Emitter, SourceProblem, SwitchMode};
use outrigger::fallback::FallbackLayer;
use outrigger::fault_injection::Plan;
use outrigger::hedge::HedgeLayer;
use outrigger::integration::Pin;
use outrigger::kill_switch::{SourceError, SwitchSetting, SwitchSource};
use outrigger::local_copy::{Loaded, LocalCopy};
use outrigger::mirror::MirrorLayer;
use outrigger::outbox::{Message, Outbox};
use outrigger::outcome::{Class, Classify, ResponseHead};
use outrigger::retry::RetryBudget;
use outrigger::sign::{SignError, SignLayer, Signed, SigningInput};
use outrigger::telemetry::metrics::Metrics;
use outrigger::testing::{Answer, Script};
use outrigger::token::{Token, TokenError, TokenLayer};
use outrigger::transport::rotating::Rotating;
use outrigger::validate::{Required, ValidateLayer};
use outrigger::{Body, Integration, Ratio};
use tokio::time::sleep;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};
use tower::ServiceExt;

use crate::page::{Page, exported};

/// Where everything is counted.
pub(crate) struct Bench {
    pub(crate) metrics: Metrics,
    pub(crate) exporter: PrometheusHandle,
    pub(crate) registry: Registry,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let (metrics, exporter) = exported();
        Self { metrics, exporter, registry: Registry::new() }
    }

    /// With metrics that go elsewhere.
    pub(crate) fn over(metrics: Metrics) -> Self {
        Self { metrics, ..Self::new() }
    }

    pub(crate) async fn live_through_all(&self) -> Page {
        let answers = answers(self).await;
        let breakers = breakers(self).await;
        let limits = limits(self).await;
        let hedges = hedges(self).await;
        let stopped = stopped(self).await;
        let injected = injected(self).await;
        let cached = cached(self).await;
        let drifts = drifts(self).await;
        outboxes(self).await;
        acted(self).await;
        rotated(self).await;
        expired(self).await;
        let signed = (signed(self).await, by_a_wrong_clock(self).await);
        let checked = checked(self).await;
        let copied = copied(self).await;
        let own = connected(self).await;
        let certified = certified(self).await;
        #[cfg(feature = "outbox")]
        queued(self).await;
        let _fleet = unheard(self);
        let page = self.page();
        drop((answers, breakers, limits, hedges, stopped, injected));
        drop((cached, checked, copied, drifts, own, certified, signed));
        page
    }

    pub(crate) fn page(&self) -> Page {
        self.metrics.observe(&self.registry);
        Page::of(&self.exporter)
    }
}

pub(crate) fn request(method: Method) -> Request<Body> {
    let request = Request::builder().method(method).uri("https://shop.test/orders/17?key=secret");
    let mut request = request.body(Body::empty()).expect("a request");
    request.extensions_mut().insert(PathTemplate::new("/orders/{id}"));
    request
}

/// Sends, reads the body, and drops whatever came of it.
pub(crate) async fn call(integration: &Integration, method: Method) {
    if let Ok(response) = integration.send(request(method)).await {
        let _read = response.into_body().bytes().await;
    }
}

/// What is left on the page by all of it. Needs paused time.
pub(crate) async fn all_of_it() -> Page {
    Bench::new().live_through_all().await
}

/// A lane that the provider pauses, and a message that it refuses.
#[cfg(feature = "outbox")]
async fn queued(bench: &Bench) {
    use outrigger::outbox::{Message, Outbox};
    use outrigger::rt::Clock;

    let answers = [Answer::status(429).header("retry-after", "1"), Answer::status(422)];
    let mailer = Integration::background("queued")
        .subscriber(bench.metrics.clone())
        .service(Script::new(answers))
        .build()
        .expect("settings that work");
    let clock = Clock::anchored(std::time::SystemTime::UNIX_EPOCH);
    let outbox = Outbox::memory().clock(clock).lane(&mailer).build().expect("settings that work");
    let runs = outbox.clone();
    let run = tokio::spawn(async move { runs.run().await });
    let ticket = outbox.enqueue(Message::post("https://shop.test/orders")).await.expect("a ticket");
    let state = outbox.wait(ticket.id, Duration::from_secs(60)).await.expect("a state");
    assert!(state.is_final());
    outbox.shut_down(Duration::ZERO);
    run.await.expect("a task").expect("it runs");
}

/// A fleet that nobody hears.
fn unheard(bench: &Bench) -> outrigger::fleet::Fleet {
    let pool = outrigger::outbox::postgres::PostgresPool::no_tls("host=/nowhere user=nobody");
    outrigger::fleet::Fleet::postgres(&bench.registry, &pool.expect("an address")).build()
}

async fn answers(bench: &Bench) -> Integration {
    let throttled = Answer::status(429).header("retry-after", "1");
    let statuses = [200, 207, 404, 401, 500, 503].map(Answer::status);
    let broken = [Io::ConnectionRefused, Io::ConnectionReset].map(Answer::broken);
    let script = statuses.into_iter().chain(broken).chain([throttled, Answer::hang()]);
    let shop = Integration::background("answers")
        .subscriber(bench.metrics.clone())
        .register(&bench.registry)
        .retry(|retry| retry.max_attempts(2))
        .service(Script::new(script))
        .build()
        .expect("settings that work");
    for _ in 0..10 {
        call(&shop, Method::GET).await;
    }
    let mut strange = request(Method::POST);
    strange.headers_mut().insert("x-request-id", HeaderValue::from_static("two words"));
    let _hung = shop.send(strange).await;
    let _left = tokio::time::timeout(Duration::from_millis(10), call(&shop, Method::GET)).await;
    let doubtful = Integration::user_flow("doubtful")
        .subscriber(bench.metrics.clone())
        .classifier(NothingIsValid)
        .service(Script::new([Answer::status(200)]));
    call(&doubtful.build().expect("settings that work"), Method::GET).await;
    shop.apply(&outrigger::IntegrationConfig::default()).expect("nothing to mind");
    shop
}

/// Messages that are delivered, that die, and that wait in a lane that pauses.
async fn outboxes(bench: &Bench) {
    let make = |name: &'static str, answers: Vec<Answer>| {
        let integration = Integration::background(name).subscriber(bench.metrics.clone());
        integration.service(Script::new(answers)).build().expect("settings that work")
    };
    let mail = make("outbox mail", vec![Answer::status(200), Answer::status(422)]);
    let late = make("outbox late", vec![Answer::status(429).header("retry-after", "600")]);
    let hard = make("outbox hard", vec![Answer::status(503)]);
    let outbox = Outbox::memory().lane(&mail).lane(&late).lane(&hard).build().expect("an outbox");
    for lane in ["outbox mail", "outbox mail", "outbox late", "outbox hard"] {
        let message = Message::post("https://shop.test/orders").lane(lane).max_attempts(3);
        outbox.enqueue(message).await.expect("it is stored");
    }
    let run = async {
        sleep(Duration::from_secs(30)).await;
        outbox.observe(&bench.metrics).await.expect("figures");
        outbox.shut_down(Duration::from_secs(1));
    };
    let (ran, ()) = tokio::join!(outbox.run(), run);
    ran.expect("it ran");
}

/// Somebody stops an integration on the console.
async fn acted(bench: &Bench) {
    let registry = Registry::new().subscriber(bench.metrics.clone());
    let shop = Integration::user_flow("acted").service(Script::new([Answer::status(200)]));
    let _shop = shop.register(&registry).build().unwrap();
    let console = Console::builder(&registry, OpenOnLoopback).build().unwrap();
    let send = |method: Method, query: &str, body: String| {
        let request = Request::builder().method(method).uri(format!("/{query}"));
        let request = request.header("host", "localhost").header("sec-fetch-site", "same-origin");
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let mut request = request.body(Body::from(body)).unwrap();
        request.extensions_mut().insert(Peer(([127, 0, 0, 1], 9000).into()));
        console.clone().oneshot(request)
    };
    let page = send(Method::GET, "?integration=acted", String::new()).await.unwrap();
    let page = page.into_body().text().await.unwrap();
    let form = page.split("value=\"set\"").nth(1).unwrap();
    let token = form.split("name=\"token\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let set = "act=set&integration=acted&control=kill_switch&to=off&why=a+test";
    let done = send(Method::POST, "", format!("{set}&token={token}")).await.unwrap();
    assert_eq!(done.status(), StatusCode::SEE_OTHER);
    let forged = send(Method::POST, "", format!("{set}&token=x")).await.unwrap();
    assert_eq!(forged.status(), StatusCode::FORBIDDEN);
}

async fn breakers(bench: &Bench) -> [Integration; 3] {
    let make = |name: &'static str, mode| {
        Integration::user_flow(name)
            .subscriber(bench.metrics.clone())
            .register(&bench.registry)
            .breaker(|breaker| {
                let breaker = breaker.consecutive(Consecutive::Always(2));
                breaker.no_success_for(Duration::ZERO).mode(mode)
            })
            .service(Script::new([Answer::status(500)]))
            .build()
            .expect("settings that work")
    };
    let refuses = make("breaker", Mode::Enforce);
    let reports = make("report only", Mode::ReportOnly);
    for breaker in [&refuses, &reports] {
        for _ in 0..6 {
            call(breaker, Method::GET).await;
        }
    }
    let holds = Integration::background("holds")
        .subscriber(bench.metrics.clone())
        .register(&bench.registry)
        .service(Script::new([Answer::status(200)]))
        .build()
        .expect("settings that work");
    holds.breaker().force_open();
    let (release, held) = (holds.breaker(), call(&holds, Method::GET));
    tokio::join!(held, async move {
        tokio::task::yield_now().await;
        release.release();
    });
    [refuses, reports, holds]
}

async fn limits(bench: &Bench) -> [Integration; 2] {
    let slow = || Script::new([Answer::status(200).after(Duration::from_millis(100))]);
    let places = Integration::user_flow("places")
        .subscriber(bench.metrics.clone())
        .register(&bench.registry)
        .bulkhead(|_| BulkheadLayer::new(1).queue(1).queue_wait(Duration::from_secs(1)))
        .service(slow())
        .build()
        .expect("settings that work");
    let rate = Integration::background("rate")
        .subscriber(bench.metrics.clone())
        .register(&bench.registry)
        .rate_limit(|limit| limit.requests(1, Duration::from_secs(1)).queue(1))
        .without_retry()
        .service(slow())
        .build()
        .expect("settings that work");
    for limited in [&places, &rate] {
        let three = [(); 3].map(|()| call(limited, Method::GET));
        futures_util::future::join_all(three).await;
    }
    [places, rate]
}

async fn hedges(bench: &Bench) -> [Integration; 3] {
    let slow = Answer::status(200).after(Duration::from_millis(500));
    let hedged = Integration::user_flow("hedged")
        .subscriber(bench.metrics.clone())
        .register(&bench.registry)
        .retry(|retry| retry.budget(RetryBudget::new(Ratio::percent(1), 1)))
        .hedge(HedgeLayer::after(Duration::from_millis(50)))
        .service(Script::new([slow.clone(), Answer::status(200), slow]))
        .build()
        .expect("settings that work");
    for _ in 0..30 {
        call(&hedged, Method::GET).await;
    }
    let dark = Integration::user_flow("dark").service(Script::new([
        Answer::status(200).body("a").after(Duration::from_millis(100)),
        Answer::status(200).body("b"),
    ]));
    let dark = dark.build().expect("settings that work");
    let mirror = MirrorLayer::new(dark.clone(), Ratio::percent(100));
    let mirror = mirror.concurrency(1).compare(|real, copy| real.body() == copy.body());
    let mirrored = Integration::user_flow("mirrored")
        .subscriber(bench.metrics.clone())
        .register(&bench.registry)
        .mirror(mirror)
        .service(Script::new([Answer::status(200).body("a")]))
        .build()
        .expect("settings that work");
    call(&mirrored, Method::GET).await;
    call(&mirrored, Method::GET).await;
    sleep(Duration::from_secs(1)).await;
    call(&mirrored, Method::GET).await;
    sleep(Duration::from_secs(1)).await;
    [hedged, dark, mirrored]
}

/// Takes no answer for what it says.
struct NothingIsValid;

impl Classify for NothingIsValid {
    fn response(&self, _: &ResponseHead<'_>) -> Class {
        Class::Invalid
    }
}

/// A source that can't be read.
struct Unreadable(bool);

impl SwitchSource for Unreadable {
    async fn next(&mut self) -> Option<Result<SwitchSetting, SourceError>> {
        let first = !std::mem::replace(&mut self.0, true);
        first.then(|| Err(SourceError::new(SourceProblem::Missing, "nothing there")))
    }
}

async fn stopped(bench: &Bench) -> Integration {
    let rates = Integration::user_flow("stopped")
        .subscriber(bench.metrics.clone())
        .register(&bench.registry)
        .fallback(FallbackLayer::function(|failed| {
            failed.path.as_ref().map(|_| Response::new(Body::empty()))
        }))
        .service(Script::new([Answer::status(500)]))
        .build()
        .expect("settings that work");
    call(&rates, Method::GET).await;
    for mode in [SwitchMode::FallbackOnly, SwitchMode::Off, SwitchMode::CacheOnly] {
        rates.kill_switch().set(mode, "ada", "a test of the switch");
        call(&rates, Method::GET).await;
    }
    rates.kill_switch().set(SwitchMode::FallbackOnly, "ada", "no fallback for this");
    let other = Request::get("https://shop.test/others").body(Body::empty()).expect("a request");
    let _refused = rates.send(other).await;
    let _following = rates.kill_switch().follow(Unreadable(false));
    sleep(Duration::from_millis(10)).await;
    rates
}

/// A store that bounds nothing, for a short test.
#[derive(Debug, Default)]
struct Kept(std::sync::Mutex<std::collections::HashMap<CacheKey, CacheEntry>>);

impl CacheStore for Kept {
    fn get(&self, key: &CacheKey) -> Option<CacheEntry> {
        self.0.lock().unwrap().get(key).cloned()
    }

    fn put(&self, key: CacheKey, entry: CacheEntry) {
        self.0.lock().unwrap().insert(key, entry);
    }

    fn remove(&self, key: &CacheKey) {
        self.0.lock().unwrap().remove(key);
    }

    fn remove_where(&self, goes: &dyn Fn(&CacheKey, &CacheEntry) -> bool) {
        self.0.lock().unwrap().retain(|key, entry| !goes(key, entry));
    }

    fn size(&self) -> (usize, u64) {
        let kept = self.0.lock().unwrap();
        (kept.len(), kept.values().map(|entry| entry.bytes() as u64).sum())
    }
}

/// Rates that are given fresh, stale and fetched anew.
async fn cached(bench: &Bench) -> Integration {
    let control = "max-age=1, stale-while-revalidate=600, stale-if-error=6000";
    let rates = Integration::user_flow("cached")
        .subscriber(bench.metrics.clone())
        .register(&bench.registry)
        .cache(CacheLayer::with_store(Kept::default()))
        .without_retry()
        .service(Script::new([
            Answer::status(200).header("cache-control", control),
            Answer::status(200).header("cache-control", control),
            Answer::status(503),
        ]))
        .build()
        .expect("settings that work");
    call(&rates, Method::GET).await;
    call(&rates, Method::GET).await;
    sleep(Duration::from_secs(2)).await;
    call(&rates, Method::GET).await;
    sleep(Duration::from_secs(2)).await;
    // Its refresh fails.
    call(&rates, Method::GET).await;
    sleep(Duration::from_secs(700)).await;
    // Past the one window and within the other.
    call(&rates, Method::GET).await;
    rates
}

/// Answers of an API that will be gone, and that change their shape.
async fn drifts(bench: &Bench) -> Integration {
    let old = |body: &'static str| {
        Answer::status(200)
            .header("deprecation", "true")
            .header("sunset", "Fri, 30 Jun 2023 23:59:59 GMT")
            .header("content-type", "application/json")
            .body(body)
    };
    let known = old(r#"{ "state": "open", "price": 1, "name": 1, "note": 1 }"#);
    let other = old(r#"{ "state": "lost", "price": null, "name": "a" }"#);
    let shapes = ShapeConfig::new().answers(1).time(Duration::ZERO);
    let books = Integration::user_flow("drifts")
        .subscriber(bench.metrics.clone())
        .register(&bench.registry)
        .drift(DriftLayer::new().shapes(shapes))
        .service(Script::new([known, other]))
        .build()
        .expect("settings that work");
    call(&books, Method::GET).await;
    call(&books, Method::GET).await;
    books
}

async fn injected(bench: &Bench) -> Integration {
    let shop = Integration::user_flow("shop")
        .subscriber(bench.metrics.clone())
        .register(&bench.registry)
        .fault_injection(outrigger::fault_injection::FaultInjectionLayer::allow)
        .service(Script::new([Answer::status(200)]))
        .build()
        .expect("settings that work");
    let plan = Plan::new().status(Ratio::percent(100), StatusCode::BAD_GATEWAY);
    shop.fault_injection().start(plan).expect("it is allowed");
    call(&shop, Method::GET).await;
    shop
}

async fn rotated(bench: &Bench) {
    let make = || Ok::<_, io::Error>(Script::new([Answer::status(200)]));
    let emitter = Emitter::named("rotated").with(bench.metrics.clone());
    let client = Rotating::new(make).expect("a client").emitter(emitter);
    let client = client.time_to_live(Duration::from_secs(1));
    let shop = Integration::user_flow("rotated").service(client).build().expect("good settings");
    sleep(Duration::from_secs(2)).await;
    call(&shop, Method::GET).await;
}

/// The own client, which is redirected, and whose connections are ended by its peer. Sockets don't know of paused time.
async fn connected(bench: &Bench) -> Integration {
    tokio::time::resume();
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let serving = tokio::spawn(async move {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let (mut socket, _) = listener.accept().await.expect("a connection");
        for (status, more) in [("302 Found", "location: /there"), ("200 OK", "connection: close")] {
            let _read = socket.read(&mut [0; 1024]).await;
            let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n{more}\r\n\r\n");
            let _written = socket.write_all(answer.as_bytes()).await;
        }
        listener
    });
    let own = Integration::user_flow("own client")
        .follow_redirects()
        .subscriber(bench.metrics.clone())
        .register(&bench.registry)
        .build()
        .expect("settings that work");
    let request = Request::get(format!("http://{address}/")).body(Body::empty());
    if let Ok(response) = own.send(request.expect("a request")).await {
        let _read = response.into_body().bytes().await;
    }
    let _nobody_accepts = serving.await.expect("a server that doesn't panic");
    for _ in 0..100 {
        if own.pool().is_some_and(|pool| pool.figures().closed.by_peer > 0) {
            break;
        }
        sleep(Duration::from_millis(5)).await;
    }
    let full = Integration::user_flow("full pool")
        .subscriber(bench.metrics.clone())
        .without_retry()
        .hyper(|client| client.max_connections_per_host(1))
        .hyper(|client| client.acquire_timeout(Duration::from_millis(10)))
        .build()
        .expect("settings that work");
    let two = [(); 2].map(|()| {
        let request = Request::get(format!("http://{address}/")).body(Body::empty());
        full.send(request.expect("a request"))
    });
    let both = futures_util::future::join_all(two);
    let _one_has_no_connection = tokio::time::timeout(Duration::from_millis(200), both).await;
    own
}

/// An issuer is away, its token is refused, it gives no other, and calls are refused for want of one.
async fn signed(bench: &Bench) -> Integration {
    let asked = Arc::new(AtomicU32::new(0));
    let tokens = TokenLayer::new(move |_| {
        let token = match asked.fetch_add(1, Ordering::Relaxed) {
            0 => Err(TokenError::transient("away")),
            1 => Ok(Token::new("t1").expires_in(Duration::from_secs(3600))),
            _ => Err(TokenError::settled("revoked")),
        };
        ready(token)
    });
    let signed = Integration::user_flow("signed")
        .subscriber(bench.metrics.clone())
        .register(&bench.registry)
        .service(Script::new([Answer::status(200), Answer::status(401)]))
        .token(tokens)
        .build()
        .expect("settings that work");
    call(&signed, Method::GET).await;
    sleep(Duration::from_secs(1)).await;
    call(&signed, Method::GET).await;
    // A younger token isn't replaced.
    sleep(Duration::from_secs(61)).await;
    call(&signed, Method::GET).await;
    signed
}

/// A list is loaded, and then refused because it is empty; nothing can be written into a missing folder.
async fn copied(bench: &Bench) -> (Integration, LocalCopy<Vec<u8>>) {
    let source = Integration::user_flow("source")
        .subscriber(bench.metrics.clone())
        .register(&bench.registry)
        .service(Script::new([Answer::status(200)]))
        .build()
        .expect("settings that work");
    let loads = AtomicU32::new(0);
    let loader = move |_| {
        let is_first = loads.fetch_add(1, Ordering::Relaxed) == 0;
        ready(Ok(Loaded::new(if is_first { vec![1, 2, 3] } else { Vec::new() })))
    };
    let copy = LocalCopy::builder("list", &source, Vec::len, loader).snapshot(
        "/no/such/folder/list",
        |list| Ok(list.clone()),
        |bytes| Ok(bytes.to_vec()),
    );
    let copy = copy.start().expect("settings that work");
    copy.ready().await.expect("a list");
    copy.reload().await.expect_err("it is empty");
    (source, copy)
}

/// A signature that is refused because the clocks differ, and one that can't be made.
async fn by_a_wrong_clock(bench: &Bench) -> Integration {
    let signer = |input: &SigningInput| match input.method {
        Method::PUT => Err(SignError::new("no key")),
        _ => Ok(Signed::default()),
    };
    let answer = Answer::status(401).header("date", "Sat, 01 Jan 2000 00:00:00 GMT");
    let wrong = Integration::user_flow("by_a_wrong_clock")
        .subscriber(bench.metrics.clone())
        .register(&bench.registry)
        .service(Script::new([answer]))
        .sign(SignLayer::new(signer))
        .pin(Pin::notion("2022-06-28"))
        .build()
        .expect("settings that work");
    call(&wrong, Method::GET).await;
    call(&wrong, Method::PUT).await;
    wrong
}

/// An issuer is away for longer than its token lives, and the API accepts that.
async fn expired(bench: &Bench) {
    let asked = Arc::new(AtomicU32::new(0));
    let tokens = TokenLayer::new(move |_| {
        ready(match asked.fetch_add(1, Ordering::Relaxed) {
            0 => Ok(Token::new("t1").expires_in(Duration::from_secs(60))),
            _ => Err(TokenError::transient("away")),
        })
    });
    let tolerant = Integration::user_flow("tolerant")
        .subscriber(bench.metrics.clone())
        .service(Script::new([Answer::status(200)]))
        .token(tokens.serve_expired(Duration::from_secs(60)))
        .build()
        .expect("settings that work");
    call(&tolerant, Method::GET).await;
    sleep(Duration::from_secs(60)).await;
    call(&tolerant, Method::GET).await;
}

/// Answers that a check lets pass, rejects and can't look at.
async fn checked(bench: &Bench) -> Integration {
    let [fine, empty, page] =
        [r#"{"id":1}"#, "{}", "<html>"].map(|body| Answer::status(200).body(body));
    let zipped = Answer::status(200).header("content-encoding", "gzip").body("x");
    let checked = Integration::user_flow("checked")
        .subscriber(bench.metrics.clone())
        .register(&bench.registry)
        .service(Script::new([fine, empty, page, zipped]))
        .without_retry()
        .validate(ValidateLayer::new().enforce(Required::new(["/id"])))
        .build()
        .expect("settings that work");
    for _ in 0..4 {
        let _failed = checked.get("http://checked.test/").send().await;
    }
    checked
}

/// A host that shows a certificate, to a client that has one.
async fn certified(bench: &Bench) -> Integration {
    let signed = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("an identity");
    let (certificate, key) = (signed.cert.der().clone(), signed.signing_key.serialize_der());
    let identity = || (vec![certificate.clone()], PrivateKeyDer::Pkcs8(key.clone().into()));
    let (chain, key) = identity();
    let provider = || Arc::new(default_provider());
    let server = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .and_then(|server| server.with_no_client_auth().with_single_cert(chain, key));
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).expect("a root");
    let (chain, key) = identity();
    let client = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map(|client| client.with_root_certificates(roots))
        .and_then(|client| client.with_client_auth_cert(chain, key));

    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let acceptor = TlsAcceptor::from(Arc::new(server.expect("a server's settings")));
    let serving = tokio::spawn(async move {
        let (socket, _) = listener.accept().await.expect("a connection");
        let _greeted = acceptor.accept(socket).await;
    });
    let certified = Integration::user_flow("certified")
        .subscriber(bench.metrics.clone())
        .register(&bench.registry)
        .without_retry()
        .hyper(|own| own.tls(client.expect("a client's settings")))
        .build()
        .expect("settings that work");
    let request = Request::get(format!("https://{address}/")).body(Body::empty());
    certified.send(request.expect("a request")).await.expect_err("it greets, and hangs up");
    serving.await.expect("a server that doesn't panic");
    certified
}

//! A provider whose answers a test sets, behind the layer, and what was told.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::BodyExt;
use outrigger::Body;
use outrigger::context::PathTemplate;
use outrigger::drift::{Drift, DriftHandle, DriftLayer};
use outrigger::event::{Emitter, Event, Origin, Subscriber};
use outrigger::rt::Clock;
use tower::{Layer, ServiceExt};

/// The changes that were told, with all that events said besides.
#[derive(Clone, Default)]
pub(crate) struct Told {
    drifts: Arc<Mutex<Vec<Drift>>>,
    pub(crate) said: Arc<Mutex<String>>,
}

/// A layer, and who listens to it.
pub(crate) struct Bench {
    layer: DriftLayer,
    told: Told,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::over(DriftLayer::new())
    }

    pub(crate) fn over(layer: DriftLayer) -> Self {
        let told = Told::default();
        let emitter = Emitter::named("crm").with(told.clone());
        let layer = layer.clock(Clock::anchored(noon())).emitter(emitter);
        Self { layer, told }
    }

    pub(crate) fn handle(&self) -> DriftHandle {
        self.layer.handle()
    }

    pub(crate) fn layer(&self) -> &DriftLayer {
        &self.layer
    }

    pub(crate) fn told(&self) -> &Told {
        &self.told
    }

    /// What is told of one answer to this request, whose body is read.
    pub(crate) async fn send(&self, request: Request<Body>, answer: Response<Body>) -> Vec<Drift> {
        let answer = Arc::new(Mutex::new(Some(answer)));
        let provider = tower::service_fn(move |_: Request<Body>| {
            let answer = answer.lock().unwrap().take().expect("one call");
            std::future::ready(Ok::<_, std::convert::Infallible>(answer))
        });
        let service = self.layer.layer(provider);
        let answer = service.oneshot(request).await.expect("an answer");
        let _read: Bytes = answer.into_body().collect().await.expect("a body").to_bytes();
        std::mem::take(&mut *self.told.drifts.lock().unwrap())
    }

    /// The same, of an answer with these headers to a request with a template.
    pub(crate) async fn headers(&self, headers: &[(&'static str, &str)]) -> Vec<Drift> {
        self.send(get("/v1/orders/{id}"), answer(headers, "")).await
    }
}

impl Subscriber for Told {
    fn on_event(&self, event: &Event, origin: &Origin<'_>) {
        let drift = origin.drift();
        if let Event::DriftNoticed { kind, at } = event {
            let drift = drift.expect("what it is");
            assert_eq!((drift.kind, drift.at), (*kind, *at));
            assert_eq!(origin.integration(), Some("crm"));
            assert!(origin.context().is_some(), "it is of a call");
            self.drifts.lock().unwrap().push(drift.clone());
        }
        self.said.lock().unwrap().push_str(&format!("{event:?} {drift:?} {drift:#?}\n"));
    }
}

pub(crate) fn get(template: &str) -> Request<Body> {
    let mut request = bare("GET");
    request.extensions_mut().insert(PathTemplate::new(template));
    request
}

/// A request without a template.
pub(crate) fn bare(method: &str) -> Request<Body> {
    let uri = "https://ada:hunter2@api.example:8443/v1/orders/ada-lovelace?secret=1";
    Request::builder().method(method).uri(uri).body(Body::empty()).expect("a request")
}

pub(crate) fn answer(headers: &[(&'static str, &str)], body: impl Into<Body>) -> Response<Body> {
    let mut answer = Response::new(body.into());
    let mut all = HeaderMap::new();
    for (name, value) in headers {
        all.append(*name, value.parse().expect("a value"));
    }
    *answer.headers_mut() = all;
    answer
}

/// When tests begin.
pub(crate) fn noon() -> SystemTime {
    stamp(1_700_000_000)
}

pub(crate) fn stamp(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + secs(seconds)
}

pub(crate) const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[expect(clippy::disallowed_methods, reason = "the tests' one timer")]
pub(crate) async fn wait(time: Duration) {
    tokio::time::sleep(time).await;
}

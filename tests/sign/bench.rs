//! A provider that checks signatures, and what signs for it.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderName, HeaderValue, Request};
use outrigger::integration::Service;
use outrigger::sign::message::{
    Message, MessageError, MessageSigner, MessageVerifier, SigningKey, VerifyingKey,
};
use outrigger::sign::{Sign, SignError, SignLayer, Signed, SigningInput};
use outrigger::testing::{Answer, EventRecorder, ManualClock, Script, SeenRequest};
use outrigger::{Body, Integration, IntegrationBuilder};

pub(crate) const SECRET: &str = "PLANTED-SECRET";
pub(crate) const COVERED: [&str; 4] = ["@method", "@target-uri", "content-digest", "x-trace"];

/// An integration that signs, over a provider.
pub(crate) struct Bench {
    pub(crate) provider: Script,
    pub(crate) shop: Integration,
    pub(crate) events: EventRecorder,
    pub(crate) clock: ManualClock,
}

pub(crate) type Builder = IntegrationBuilder<Service<Script>>;

impl Bench {
    pub(crate) fn new(provider: Script, signer: impl Sign) -> Self {
        Self::with(provider, SignLayer::new(signer), |builder| builder)
    }

    pub(crate) fn with(
        provider: Script,
        layer: SignLayer,
        with: impl FnOnce(Builder) -> Builder,
    ) -> Self {
        let (events, clock) = (EventRecorder::new(), ManualClock::at(noon()));
        let builder = Integration::user_flow("shop")
            .subscriber(events.clone())
            .service(provider.clone())
            .sign(layer.clock(clock.clock()));
        Self { provider, shop: with(builder).build().unwrap(), events, clock }
    }
}

/// Counts how often it signs, and writes the number and the time.
#[derive(Clone, Default)]
pub(crate) struct Counter(Arc<Mutex<Vec<SigningInput>>>);

impl Counter {
    pub(crate) fn inputs(&self) -> Vec<SigningInput> {
        self.0.lock().unwrap().clone()
    }
}

impl Sign for Counter {
    async fn sign(&self, input: &SigningInput) -> Result<Signed, SignError> {
        let mut inputs = self.0.lock().unwrap();
        inputs.push(input.clone());
        let mut headers = HeaderMap::new();
        headers.insert("x-signature", HeaderValue::from(inputs.len()));
        headers.insert("x-time", HeaderValue::from(input.unix_seconds()));
        Ok(Signed::new(headers).key_id("counter"))
    }
}

pub(crate) fn signer() -> MessageSigner {
    let key = SigningKey::hmac_sha256(SECRET).unwrap();
    MessageSigner::new("key-7", key, COVERED).unwrap()
}

pub(crate) fn verifier() -> MessageVerifier {
    let key = VerifyingKey::hmac_sha256(SECRET).unwrap();
    MessageVerifier::new([("key-7", key)], COVERED).unwrap()
}

/// Answers 200 to what holds at this time, 401 to all else.
pub(crate) fn checking(clock: impl Fn() -> SystemTime + Send + 'static) -> Script {
    Script::by(move |request| match check(request, clock()) {
        Ok(()) => Answer::status(200),
        Err(_) => Answer::status(401).header("date", &httpdate::fmt_http_date(clock())),
    })
}

pub(crate) fn check(request: &SeenRequest, now: SystemTime) -> Result<(), MessageError> {
    let (head, body) = request.clone().into_parts();
    let message = Message::request(&head).body(&body);
    verifier().verify(&message, now).map(drop)
}

pub(crate) fn post(body: impl Into<Body>) -> Request<Body> {
    let request = Request::post("http://shop.test/orders?page=1").header("x-trace", "t");
    request.body(body.into()).unwrap()
}

pub(crate) fn header<T>(request: &Request<T>, name: &'static str) -> Option<String> {
    let value = request.headers().get(HeaderName::from_static(name))?;
    Some(value.to_str().unwrap().to_owned())
}

pub(crate) fn noon() -> SystemTime {
    SystemTime::UNIX_EPOCH + secs(1_800_000_000)
}

pub(crate) const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

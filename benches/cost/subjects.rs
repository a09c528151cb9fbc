//! What is counted, in the table's order.

use std::fmt::Debug;
use std::future::ready;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Empty;
use outrigger::bulkhead::BulkheadLayer;
use outrigger::circuit_breaker::CircuitBreakerLayer;
use outrigger::correlation::CorrelationLayer;
use outrigger::deadline::DeadlineLayer;
use outrigger::drift::DriftLayer;
use outrigger::event::Emitter;
use outrigger::fallback::FallbackLayer;
use outrigger::fault_injection::FaultInjectionLayer;
use outrigger::hedge::HedgeLayer;
use outrigger::idempotency::IdempotencyLayer;
use outrigger::idle_timeout::IdleTimeoutLayer;
use outrigger::kill_switch::KillSwitchLayer;
use outrigger::observe::ObserveLayer;
use outrigger::rate_limit::RateLimitLayer;
use outrigger::retry::RetryLayer;
use outrigger::timeout::TimeoutLayer;
use outrigger::validate::{Finding, Size, ValidateLayer, function};
use outrigger::{Body, Integration};
use tokio::runtime::Runtime;
use tower::limit::ConcurrencyLimitLayer;
use tower::util::BoxCloneSyncService;
use tower::{Layer, Service};

use crate::callgrind::counted;
use crate::provider::{self, Provider, Way, request, request_with_id};
use crate::tower_stacks::{OnFailure, tower, tower_with_id};
use crate::{CALLS, WARM_UP, refusals, retries};

/// One line of the table.
pub(crate) struct Subject {
    pub(crate) name: &'static str,
    pub(crate) over: Over,
    pub(crate) calls: u32,
    call: Box<dyn FnMut()>,
}

/// What is taken off.
#[derive(Clone, Copy)]
pub(crate) enum Over {
    /// Nothing: others are compared with it.
    Nothing,
    /// A call through no layer.
    Bare,
    /// The same, with the caller's id on the request.
    BareWithId,
    /// Only making the request: the provider isn't called.
    Request,
}

impl Over {
    /// The row that is taken off.
    pub(crate) fn name(self) -> Option<&'static str> {
        match self {
            Self::Nothing => None,
            Self::Bare => Some("bare service"),
            Self::BareWithId => Some("bare service, the caller's id"),
            Self::Request => Some("request made and dropped"),
        }
    }
}

impl Subject {
    pub(crate) fn new(name: &'static str, over: Over, call: impl FnMut() + 'static) -> Self {
        Self { name, over, calls: CALLS, call: Box::new(call) }
    }

    /// A service that answers each call.
    pub(crate) fn answered<S, R, B>(name: &'static str, mut service: S) -> Self
    where
        S: Service<Request<R>, Response = Response<B>> + 'static,
        S::Error: Debug,
        R: Default + 'static,
        B: http_body::Body<Data = Bytes>,
        B::Error: Debug,
    {
        let call = move || provider::call(&mut service, request(), || {}).unwrap();
        Self::new(name, Over::Bare, call)
    }

    pub(crate) fn calls(self, calls: u32) -> Self {
        Self { calls, ..self }
    }

    pub(crate) fn over(self, over: Over) -> Self {
        Self { over, ..self }
    }

    /// The calls, after as many that fill pools and let maps grow.
    pub(crate) fn count(&mut self) {
        let warm_up = WARM_UP.min(self.calls);
        (0..warm_up).for_each(|_| (self.call)());
        counted(self.calls, &mut self.call);
    }

    /// Allocations of all calls.
    pub(crate) fn allocations(&mut self) -> u64 {
        let warm_up = WARM_UP.min(self.calls);
        (0..warm_up).for_each(|_| (self.call)());
        allocation_counter::measure(|| counted(self.calls, &mut self.call)).count_total
    }
}

/// All of them, over a provider that answers this way.
pub(crate) fn all(way: Way, runtime: &'static Runtime) -> Vec<Subject> {
    let mut all = bare(way);
    all.extend(towers(way));
    all.extend(integrations(way));
    all.extend(layers(way));
    all.extend(checks_and_signatures(way));
    all.extend(retries::all(way, runtime));
    all.extend(refusals::all(way));
    #[cfg(feature = "cache")]
    all.extend(crate::hits::all(runtime));
    all
}

fn bare(way: Way) -> Vec<Subject> {
    let nothing = Over::Nothing;
    let mut with_id = Provider::new(way);
    let with_id = move || {
        provider::call(&mut with_id, request_with_id::<Empty<Bytes>>(), || {}).unwrap();
    };
    vec![
        Subject::new("one allocation", nothing, || drop(std::hint::black_box(Box::new(1_u64)))),
        Subject::new("request made and dropped", nothing, || {
            drop(std::hint::black_box(request::<Empty<Bytes>>()));
        }),
        Subject::answered::<_, Empty<Bytes>, _>("bare service", Provider::new(way)).over(nothing),
        Subject::new("bare service, the caller's id", nothing, with_id),
    ]
}

fn towers(way: Way) -> Vec<Subject> {
    type Sent = Empty<Bytes>;
    let seconds = Duration::from_secs(8);
    let inner = Provider::new(way);
    let retry = tower::retry::RetryLayer::new(OnFailure::after(|| ready(())));
    let timeout = tower::timeout::TimeoutLayer::new(seconds).layer(inner);
    let limit = ConcurrencyLimitLayer::new(64).layer(inner);
    vec![
        Subject::answered::<_, Sent, _>("tower", tower!(inner, || ready(()))),
        Subject::answered::<_, Sent, _>("tower + request id", tower_with_id!(inner, || ready(()))),
        Subject::answered::<_, Sent, _>(
            "tower, boxed",
            BoxCloneSyncService::new(tower!(inner, || ready(()))),
        ),
        Subject::answered::<_, Sent, _>(
            "tower + request id, boxed",
            BoxCloneSyncService::new(tower_with_id!(inner, || ready(()))),
        ),
        Subject::answered::<_, Sent, _>("tower: timeout alone", timeout),
        Subject::answered::<_, Sent, _>("tower: retry alone", retry.layer(inner)),
        Subject::answered::<_, Sent, _>("tower: concurrency limit alone", limit),
    ]
}

fn integrations(way: Way) -> Vec<Subject> {
    let user_flow = || Integration::user_flow("stripe").service(Provider::new(way));
    let plain = user_flow().build().unwrap();
    let mut given = user_flow().build().unwrap();
    let given = move || provider::call(&mut given, request_with_id::<Body>(), || {}).unwrap();
    let hedge = HedgeLayer::after(Duration::from_secs(1));
    let hedged = user_flow().hedge(hedge.clone()).build().unwrap();
    let mut hedged_given = user_flow().hedge(hedge).build().unwrap();
    let hedged_given =
        move || provider::call(&mut hedged_given, request_with_id::<Body>(), || {}).unwrap();
    let background = Integration::background("mailer").service(Provider::new(way)).build().unwrap();
    vec![
        Subject::answered::<_, Body, _>("user_flow", plain),
        Subject::new("user_flow, the caller's id", Over::BareWithId, given),
        Subject::answered::<_, Body, _>("user_flow + hedge", hedged),
        Subject::new("user_flow + hedge, the caller's id", Over::BareWithId, hedged_given),
        Subject::answered::<_, Body, _>("background", background),
    ]
}

/// Each of our layers alone.
fn layers(way: Way) -> Vec<Subject> {
    fn alone<L, B>(name: &'static str, layer: L, way: Way) -> Subject
    where
        L: Layer<Provider>,
        L::Service: Service<Request<Empty<Bytes>>, Response = Response<B>> + 'static,
        <L::Service as Service<Request<Empty<Bytes>>>>::Error: Debug,
        B: http_body::Body<Data = Bytes>,
        B::Error: Debug,
    {
        Subject::answered(name, layer.layer(Provider::new(way)))
    }
    let seconds = Duration::from_secs;
    let set = RateLimitLayer::new(1_000_000, seconds(1)).burst(1_000_000).in_flight(64);
    let fallback = FallbackLayer::value(Response::new("rates"));
    let timeout = TimeoutLayer::new().attempt(seconds(3));
    let held = function("held", |_, body| match body.whole() {
        Ok(_) => Finding::pass(),
        Err(unchecked) => unchecked,
    });
    vec![
        alone("correlation", CorrelationLayer::new(), way),
        alone("observe", ObserveLayer::call(Emitter::named("stripe")), way),
        alone("fallback", fallback, way),
        alone("deadline", DeadlineLayer::new(seconds(8)), way),
        alone("kill_switch", KillSwitchLayer::new(), way),
        alone("idempotency", IdempotencyLayer::default(), way),
        alone("retry", RetryLayer::new(), way),
        alone("hedge", HedgeLayer::after(seconds(1)), way),
        alone("circuit_breaker", CircuitBreakerLayer::new(), way),
        alone("rate_limit, learning", RateLimitLayer::learning(), way),
        alone("rate_limit, set", set, way),
        alone("bulkhead", BulkheadLayer::new(64), way),
        alone("timeout", timeout, way),
        alone("drift", DriftLayer::new(), way),
        alone("validate, size", ValidateLayer::new().enforce(Size::at_most(200)), way),
        alone("validate, a held body", ValidateLayer::new().enforce(held), way),
        alone("idle_timeout", IdleTimeoutLayer::new(seconds(3)), way),
        alone("fault_injection", FaultInjectionLayer::new(), way),
    ]
}

/// Checks that parse, over an answer of JSON, and a signature.
fn checks_and_signatures(way: Way) -> Vec<Subject> {
    let mut all = Vec::new();
    #[cfg(feature = "json")]
    {
        use outrigger::validate::{Problems, Required, StatusField, Vendors};
        let one = ValidateLayer::new().enforce(Required::new(["/id"]));
        let several = ValidateLayer::new()
            .enforce(Size::at_least(2))
            .enforce(Vendors::new())
            .enforce(Problems::new())
            .enforce(StatusField::new("/paid", true))
            .enforce(Required::new(["/id", "/amount"]));
        let json = || Provider::json(way);
        type Sent = Empty<Bytes>;
        all.push(Subject::answered::<_, Sent, _>("validate, a member", one.layer(json())));
        all.push(Subject::answered::<_, Sent, _>("validate, five checks", several.layer(json())));
    }
    #[cfg(feature = "sign")]
    {
        use outrigger::sign::{HmacSigner, Part, SignLayer};
        let header = http::HeaderName::from_static("x-signature");
        let parts = [Part::Method, Part::Path];
        let signer = HmacSigner::new("secret", header, parts).unwrap();
        let layer = SignLayer::new(signer).layer(Provider::new(way));
        all.push(Subject::answered::<_, Body, _>("sign, HMAC of two parts", layer));
    }
    all
}

//! An issuer and a provider that a test controls.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use http::{Method, Request};
use outrigger::integration::Service;
use outrigger::testing::{Answer, EventRecorder, ManualClock, Script};
use outrigger::token::{Token, TokenError, TokenLayer, TokenReason, TokenRequest};
use outrigger::{Body, Error, Integration, IntegrationBuilder};

/// Gives tokens `t1`, `t2` and so on, or what was planned before.
#[derive(Clone, Default)]
pub(crate) struct Issuer(Arc<Inner>);

#[derive(Default)]
struct Inner {
    plan: Mutex<Plan>,
    begun: AtomicUsize,
    given: AtomicUsize,
    running: AtomicUsize,
    most_running: AtomicUsize,
    reasons: Mutex<Vec<(TokenReason, Instant)>>,
}

struct Plan {
    lifetime: Duration,
    takes: Duration,
    errors: VecDeque<TokenError>,
    is_down: bool,
    /// Instead of the numbered ones.
    token: Option<String>,
    /// What stands before the number.
    prefix: String,
}

impl Default for Plan {
    fn default() -> Self {
        let (lifetime, takes) = (secs(3600), millis(100));
        Self {
            lifetime,
            takes,
            errors: VecDeque::new(),
            is_down: false,
            token: None,
            prefix: "t".into(),
        }
    }
}

impl Issuer {
    pub(crate) fn lifetime(self, lifetime: Duration) -> Self {
        self.plan(|plan| plan.lifetime = lifetime);
        self
    }

    pub(crate) fn takes(&self, time: Duration) {
        self.plan(|plan| plan.takes = time);
    }

    pub(crate) fn fail(&self, error: TokenError) {
        self.plan(|plan| plan.errors.push_back(error));
    }

    pub(crate) fn is_down(&self, is_down: bool) {
        self.plan(|plan| plan.is_down = is_down);
    }

    pub(crate) fn always(&self, token: &str) {
        self.plan(|plan| plan.token = Some(token.to_owned()));
    }

    /// Its tokens have this name before them.
    pub(crate) fn named(&self, name: &str) {
        self.plan(|plan| plan.prefix = format!("{name} t"));
    }

    pub(crate) fn begun(&self) -> usize {
        self.0.begun.load(Ordering::SeqCst)
    }

    pub(crate) fn most_at_once(&self) -> usize {
        self.0.most_running.load(Ordering::SeqCst)
    }

    pub(crate) fn reasons(&self) -> Vec<TokenReason> {
        self.times().into_iter().map(|(reason, _)| reason).collect()
    }

    pub(crate) fn times(&self) -> Vec<(TokenReason, Instant)> {
        self.0.reasons.lock().unwrap().clone()
    }

    pub(crate) fn layer(&self) -> TokenLayer {
        let issuer = self.clone();
        TokenLayer::new(move |request| {
            let issuer = issuer.clone();
            async move { issuer.issue(request).await }
        })
    }

    fn plan(&self, change: impl FnOnce(&mut Plan)) {
        change(&mut self.0.plan.lock().unwrap());
    }

    pub(crate) async fn issue(&self, request: TokenRequest) -> Result<Token, TokenError> {
        let _running = Running::begin(&self.0);
        self.0.reasons.lock().unwrap().push((request.reason, now()));
        let takes = self.0.plan.lock().unwrap().takes;
        tokio::time::sleep(takes).await;
        let mut plan = self.0.plan.lock().unwrap();
        if plan.is_down {
            return Err(TokenError::transient("the issuer is down"));
        }
        if let Some(error) = plan.errors.pop_front() {
            return Err(error);
        }
        let number = self.0.given.fetch_add(1, Ordering::SeqCst) + 1;
        let token = plan.token.clone().unwrap_or_else(|| format!("{}{number}", plan.prefix));
        Ok(Token::new(token).expires_in(plan.lifetime))
    }
}

struct Running<'a>(&'a Inner);

impl<'a> Running<'a> {
    fn begin(of: &'a Inner) -> Self {
        of.begun.fetch_add(1, Ordering::SeqCst);
        let running = of.running.fetch_add(1, Ordering::SeqCst) + 1;
        of.most_running.fetch_max(running, Ordering::SeqCst);
        Self(of)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
    }
}

/// An integration with tokens, over a provider that answers 200.
pub(crate) struct Bench {
    pub(crate) issuer: Issuer,
    pub(crate) provider: Script,
    pub(crate) shop: Integration,
    pub(crate) events: EventRecorder,
    pub(crate) clock: ManualClock,
}

impl Bench {
    pub(crate) fn new(issuer: &Issuer) -> Self {
        Self::over(issuer, Script::new([Answer::status(200)]), |builder| builder)
    }

    pub(crate) fn over(
        issuer: &Issuer,
        provider: Script,
        with: impl FnOnce(IntegrationBuilder<Service<Script>>) -> IntegrationBuilder<Service<Script>>,
    ) -> Self {
        Self::by(issuer, issuer.layer(), provider, with)
    }

    /// With a layer of this issuer's.
    pub(crate) fn by(
        issuer: &Issuer,
        layer: TokenLayer,
        provider: Script,
        with: impl FnOnce(IntegrationBuilder<Service<Script>>) -> IntegrationBuilder<Service<Script>>,
    ) -> Self {
        let (events, clock) = (EventRecorder::new(), ManualClock::at(noon()));
        let layer = layer.clock(clock.clock());
        let builder = Integration::user_flow("shop")
            .subscriber(events.clone())
            .service(provider.clone())
            .token(layer);
        let shop = with(builder).build().unwrap();
        Self { issuer: issuer.clone(), provider, shop, events, clock }
    }

    /// Lets both clocks pass.
    pub(crate) async fn pass(&self, time: Duration) {
        self.clock.advance(time);
        tokio::time::sleep(time).await;
    }

    /// One call: its status, and the tokens of its requests.
    pub(crate) async fn call(&self) -> Result<(u16, Vec<String>), Error> {
        let before = self.provider.requests().len();
        let status = send(&self.shop).await?;
        Ok((status, self.tokens().split_off(before)))
    }

    /// The token of each request that reached the provider.
    pub(crate) fn tokens(&self) -> Vec<String> {
        self.provider.requests().iter().map(token_of).collect()
    }
}

pub(crate) fn token_of<B>(request: &Request<B>) -> String {
    let value = request.headers().get("authorization").map(|value| {
        assert!(value.is_sensitive(), "records may show it");
        value.to_str().unwrap().trim_start_matches("Bearer ").to_owned()
    });
    value.unwrap_or_default()
}

pub(crate) fn get() -> Request<Body> {
    by(Method::GET)
}

pub(crate) fn by(method: Method) -> Request<Body> {
    let request = Request::builder().method(method).uri("http://shop.test/orders");
    request.body(Body::from("an order")).unwrap()
}

pub(crate) async fn send(shop: &Integration) -> Result<u16, Error> {
    Ok(shop.send(get()).await?.status().as_u16())
}

/// A provider that takes only this token.
pub(crate) fn takes_only(token: &'static str) -> Script {
    Script::by(move |request| Answer::status(if token_of(request) == token { 200 } else { 401 }))
}

pub(crate) fn noon() -> SystemTime {
    SystemTime::UNIX_EPOCH + secs(1_800_000_000)
}

pub(crate) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

pub(crate) const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(crate) const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

//! What users would get on the provider's bad day, before it comes.
//!
//! `cargo run --example fault_injection`

#![expect(clippy::disallowed_methods, reason = "a program of its own, on the machine's clock")]

mod server;

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use http::{HeaderValue, Request, Response, StatusCode};
use outrigger::context::CallDeadline;
use outrigger::fallback::{Failed, FallbackLayer, FellBack};
use outrigger::fault_injection::Plan;
use outrigger::hedge::HedgeLayer;
use outrigger::rt::Rng;
use outrigger::{Body, IdempotencyKey, Integration, Ratio};

/// What users saw.
#[derive(Debug, Default)]
struct Seen {
    answered: u32,
    /// A success by its status, and an error by its text.
    wrong: u32,
    fell_back: u32,
    failed: u32,
    took: Vec<Duration>,
}

impl Seen {
    /// Twenty users, twenty calls each; every fifth call is an order.
    async fn of(shop: &Integration, url: &str) -> Result<Self, Box<dyn std::error::Error>> {
        let user = |user: u32| async move {
            let mut seen = Self::default();
            for call in 0..20 {
                let order = (call % 5 == 4).then(|| format!("order {user}/{call}"));
                let began = Instant::now();
                seen.count(shop.send(request(url, order)?).await).await;
                seen.took.push(began.elapsed());
            }
            Ok(seen)
        };
        let all: Result<Vec<Self>, http::Error> =
            join_all((0..20).map(user)).await.into_iter().collect();
        Ok(all?.into_iter().fold(Self::default(), Self::and))
    }

    async fn count(&mut self, result: Result<Response<Body>, outrigger::Error>) {
        let Ok(answer) = result else { return self.failed += 1 };
        let (status, fell_back) =
            (answer.status(), answer.extensions().get::<FellBack>().is_some());
        match answer.into_body().text().await {
            Ok(_) if fell_back => self.fell_back += 1,
            Ok(text) if status.is_success() && text.contains("error") => self.wrong += 1,
            Ok(_) if status.is_success() => self.answered += 1,
            _ => self.failed += 1,
        }
    }

    fn and(mut self, other: Self) -> Self {
        self.answered += other.answered;
        self.wrong += other.wrong;
        self.fell_back += other.fell_back;
        self.failed += other.failed;
        self.took.extend(other.took);
        self.took.sort_unstable();
        self
    }

    fn tell(&self, when: &str) {
        let Self { answered, wrong, fell_back, failed, took } = self;
        let quantile = |percent: usize| took[took.len() * percent / 100];
        let (p50, p95) = (quantile(50), quantile(95));
        println!("{when:15}{answered:9}{wrong:7}{fell_back:11}{failed:8}{p50:>10.0?}{p95:>10.0?}");
    }
}

/// A look at the prices, or an order.
fn request(url: &str, order: Option<String>) -> http::Result<Request<&'static str>> {
    let patience = CallDeadline::after(Duration::from_secs(1));
    match order {
        None => Request::get(format!("{url}/prices")).extension(patience).body(""),
        Some(order) => Request::post(format!("{url}/orders"))
            .extension(patience)
            .extension(IdempotencyKey::from_business_key(&order))
            .body("item=7"),
    }
}

/// Yesterday's prices will do; an order that nobody took is no order.
fn fallback(failed: &Failed) -> Option<Response<Body>> {
    (failed.method == http::Method::GET).then(|| Response::new(Body::from("yesterday's prices")))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = server::start(|_| async {
        tokio::time::sleep(Duration::from_millis(10)).await;
        Response::new("fine".to_owned())
    })
    .await?;

    let shop = Integration::user_flow("shop")
        .fallback(FallbackLayer::function(fallback))
        .hedge(HedgeLayer::after(Duration::from_millis(60)))
        .fault_injection(|fault_injection| fault_injection.allow().rng(Rng::seeded(7)))
        .build()?;
    let bad_day = Plan::new()
        .latency(Ratio::percent(20), Duration::from_millis(100), Duration::from_millis(600))
        .status(Ratio::percent(20), StatusCode::SERVICE_UNAVAILABLE)
        .hang(Ratio::percent(5))
        .answer(Ratio::percent(3), r#"{"error":"try later"}"#, JSON);

    println!("what users see: answered  wrong  fell back  failed       p50       p95");
    let before = Seen::of(&shop, &url).await?;
    before.tell("before");
    assert_eq!(before.answered, 400, "a good day: {before:?}");

    shop.fault_injection().start(bad_day.clone())?;
    assert!(shop.health().is_injecting_faults, "health says that faults are injected");
    let status = shop.health().status;
    let during = Seen::of(&shop, &url).await?;
    during.tell("fault_injection");
    shop.fault_injection().stop();
    assert!(during.fell_back > 0 && during.wrong > 0, "a bad day: {during:?}");
    assert!(during.answered > 200, "most are answered all the same: {during:?}");

    let after = Seen::of(&shop, &url).await?;
    after.tell("after");
    assert_eq!(after.answered, 400, "as before: {after:?}");
    assert!(!shop.health().is_injecting_faults, "health says that it is over");

    let (hedge, injected) = (shop.hedge().counts(), shop.fault_injection().injected());
    println!("{injected} faults injected; health said \"{status}\" meanwhile");
    println!("{} second requests, {} of them answered first", hedge.sent, hedge.won);
    println!("wrong: an error under the status 200, which only who reads the text can find");

    let bank = Integration::user_flow("bank").build()?;
    let refused =
        bank.fault_injection().start(bad_day).err().ok_or("nobody allowed it for the bank")?;
    println!("an integration that allows none: {refused}");
    assert!(!bank.health().is_injecting_faults, "and none is on");
    Ok(())
}

const JSON: HeaderValue = HeaderValue::from_static("application/json");

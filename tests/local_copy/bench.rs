//! A provider of a list that a test controls, and an integration over it.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use outrigger::control::Registry;
use outrigger::event::{Event, LocalCopyEvent};
use outrigger::integration::Service;
use outrigger::local_copy::{Load, LoadError, Loaded, LocalCopy, LocalCopyBuilder};
use outrigger::rt::{Clock, Rng};
use outrigger::testing::{Answer, EventRecorder, Script};
use outrigger::{Integration, IntegrationBuilder, ResponseExt};
use tokio::time::Instant;

pub(crate) type Prices = Vec<String>;

/// What the provider does.
#[derive(Clone, Default)]
pub(crate) struct Plan {
    pub(crate) entries: usize,
    pub(crate) is_down: bool,
    pub(crate) takes: Duration,
    pub(crate) hangs: bool,
    pub(crate) etag: Option<&'static str>,
    pub(crate) panics: bool,
}

pub(crate) type Builder = IntegrationBuilder<Service<Script>>;

pub(crate) struct Bench {
    pub(crate) plan: Arc<Mutex<Plan>>,
    pub(crate) provider: Script,
    pub(crate) shop: Integration,
    pub(crate) registry: Registry,
    pub(crate) events: EventRecorder,
    /// When each load began.
    pub(crate) begun: Arc<Mutex<Vec<Instant>>>,
}

impl Bench {
    /// A provider whose list has ten entries.
    pub(crate) fn new() -> Self {
        Self::over(|builder| builder)
    }

    /// The same, with other layers.
    pub(crate) fn over(change: impl FnOnce(Builder) -> Builder) -> Self {
        let plan = Arc::new(Mutex::new(Plan { entries: 10, ..Plan::default() }));
        let (events, registry) = (EventRecorder::new(), Registry::new());
        let provider = provider(Arc::clone(&plan));
        let builder = Integration::user_flow("shop")
            .without_retry()
            .without_breaker()
            .without_rate_limit()
            .without_deadline()
            .without_timeout()
            .subscriber(events.clone())
            .register(&registry)
            .service(provider.clone());
        let shop = change(builder).build().unwrap();
        Self { plan, provider, shop, registry, events, begun: Arc::default() }
    }

    /// A copy that is loaded each minute.
    pub(crate) fn copy(&self) -> LocalCopyBuilder<Prices> {
        let (shop, begun, plan) =
            (self.shop.clone(), Arc::clone(&self.begun), Arc::clone(&self.plan));
        let loader = move |load| {
            begun.lock().unwrap().push(Instant::now());
            assert!(!plan.lock().unwrap().panics, "the loader panics");
            prices(shop.clone(), load)
        };
        LocalCopy::builder("prices", &self.shop, Prices::len, loader)
            .every(secs(60))
            .clock(Clock::anchored(noon()))
            .rng(Rng::seeded(7))
    }

    pub(crate) fn plan(&self, change: impl FnOnce(&mut Plan)) {
        change(&mut self.plan.lock().unwrap());
    }

    /// How many loads have begun.
    pub(crate) fn begun(&self) -> usize {
        self.begun.lock().unwrap().len()
    }

    /// What was told, but for loads that succeeded.
    pub(crate) fn told(&self) -> Vec<LocalCopyEvent> {
        let is_told = |event: &LocalCopyEvent| !matches!(event, LocalCopyEvent::Loaded { .. });
        self.all_told().into_iter().filter(is_told).collect()
    }

    pub(crate) fn all_told(&self) -> Vec<LocalCopyEvent> {
        let of_copy = |event| match event {
            Event::LocalCopy { copy: "prices", event } => Some(event),
            _ => None,
        };
        self.events.events().into_iter().filter_map(of_copy).collect()
    }
}

async fn prices(shop: Integration, load: Load) -> Result<Loaded<Prices>, LoadError> {
    let Some(answer) = load.fetch(shop.get("http://shop.test/prices")).await? else {
        return Ok(Loaded::unchanged());
    };
    let headers = answer.headers().clone();
    let prices = answer.text().await?.lines().map(str::to_owned).collect();
    Ok(Loaded::new(prices).validators(&headers))
}

fn provider(plan: Arc<Mutex<Plan>>) -> Script {
    Script::by(move |request| {
        let plan = plan.lock().unwrap().clone();
        let asked = request.headers().get("if-none-match");
        match plan {
            Plan { hangs: true, .. } => Answer::hang(),
            Plan { is_down: true, .. } => Answer::status(503),
            Plan { etag: Some(etag), .. } if asked.is_some_and(|asked| asked == etag) => {
                Answer::status(304)
            }
            Plan { etag: Some(etag), .. } => {
                Answer::status(200).header("etag", etag).body(list(plan.entries))
            }
            _ => Answer::status(200).body(list(plan.entries)),
        }
        .after(plan.takes)
    })
}

pub(crate) fn list(entries: usize) -> String {
    (0..entries).map(|number| format!("price {number}\n")).collect()
}

pub(crate) async fn wait(seconds: u64) {
    tokio::time::sleep(secs(seconds)).await;
}

pub(crate) fn noon() -> SystemTime {
    SystemTime::UNIX_EPOCH + secs(1_800_000_000)
}

pub(crate) const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

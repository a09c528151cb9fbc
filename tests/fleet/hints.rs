//! What most instances found, as a hint to the others.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use outrigger::Integration;
use outrigger::control::Registry;
use outrigger::event::{BreakerState, Event};
use outrigger::fleet::{Fleet, FleetEvent};
use outrigger::testing::{Answer, EventRecorder, Script};

use crate::bench::{Place, run, until};

struct Instance {
    crm: Integration,
    fleet: Fleet,
    is_down: Arc<AtomicBool>,
    told: EventRecorder,
}

impl Instance {
    async fn start(place: &Place, name: &str) -> Self {
        let (told, is_down) = (EventRecorder::new(), Arc::new(AtomicBool::new(false)));
        let registry = Registry::new().subscriber(told.clone());
        let down = Arc::clone(&is_down);
        let service = Script::by(move |_| match down.load(Ordering::Relaxed) {
            true => Answer::status(503),
            false => Answer::status(200),
        });
        let crm =
            Integration::user_flow("crm").service(service).retry(|retry| retry.max_attempts(1));
        let crm = crm.register(&registry).build().unwrap();
        let fleet = place.fleet(&registry, name);
        run(&fleet);
        Self { crm, fleet, is_down, told }
    }

    async fn call(&self) {
        let _ = self.crm.send(http::Request::new(outrigger::Body::empty())).await;
    }

    /// Calls until its own breaker opens: ten failures and two seconds.
    async fn finds_an_outage(&self) {
        self.is_down.store(true, Ordering::Relaxed);
        until("its breaker opens", async || {
            self.call().await;
            self.crm.breaker().state() != BreakerState::Closed
        })
        .await;
    }

    fn hints(&self) -> usize {
        self.told.count(|event| matches!(event, Event::Fleet(FleetEvent::Hinted)))
    }

    fn is_hinted(&self) -> bool {
        self.crm.health().breaker.unwrap().is_hinted
    }
}

#[tokio::test]
async fn two_of_three_give_the_third_a_hint_with_which_fewer_failures_open_it() {
    let Some(place) = Place::new().await else { return };
    let [one, two, three] = [
        Instance::start(&place, "one").await,
        Instance::start(&place, "two").await,
        Instance::start(&place, "three").await,
    ];
    until("all are on the list", async || {
        one.fleet.instances().await.unwrap().instances.len() == 3
    })
    .await;
    one.finds_an_outage().await;
    // One alone is no quorum: its word is heard, and nothing comes of it.
    until("it is told", async || place.outages().await == 1).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(!two.is_hinted() && !three.is_hinted());
    assert_eq!(two.crm.breaker().state(), BreakerState::Closed);

    two.finds_an_outage().await;
    let hinted = async || {
        // Who isn't called any more knows nothing, and tells nothing.
        one.call().await;
        two.call().await;
        three.is_hinted()
    };
    until("the third is hinted", hinted).await;
    assert_eq!(three.crm.breaker().state(), BreakerState::Closed);
    assert_eq!((one.hints(), two.hints(), three.hints()), (0, 0, 1), "who was told");
    // A success erases it, and it is told again as long as the others find nothing that answers.
    three.call().await;
    assert!(!three.is_hinted());
    until("the third is hinted again", hinted).await;
    three.is_down.store(true, Ordering::Relaxed);
    let mut failures = 0;
    until("it opens", async || {
        // Beside the hint, they have to last for half a second.
        tokio::time::sleep(Duration::from_millis(260)).await;
        three.call().await;
        failures += 1;
        three.crm.breaker().state() != BreakerState::Closed
    })
    .await;
    assert!(failures < 10, "{failures} failures");

    for all in [&one, &two, &three] {
        all.is_down.store(false, Ordering::Relaxed);
    }
    until("they close by what they see themselves", async || {
        one.call().await;
        two.call().await;
        three.call().await;
        [&one, &two, &three].iter().all(|it| it.crm.breaker().state() == BreakerState::Closed)
    })
    .await;
    until("it is taken back", async || place.outages().await == 0).await;
}
